"""Fixtures that run `archdsl`."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import DROPPED, GOOD, Result, Run, environment

from archdsl.cli import main

Changes = dict[str, str | None]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(*args)` runs `archdsl ARGS` in a new empty folder.

    It does so in this process, since to start Python takes longer than nearly every command; in one of its own where
    that is asked for (`own`) or environment variables are changed.
    """

    def call(
        *args: str | Path, stdin: str | bytes = b"", cwd: Path | None = None, own: bool = False, **changes: str | None
    ) -> Result:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        inside = process if own or changes else here
        code, out, err = inside([os.fsdecode(arg) for arg in args], given, cwd or tmp_path, changes)
        assert "Traceback" not in out + err, err
        return Result(code, out, err)

    def here(args: list[str], stdin: bytes, cwd: Path, _: Changes) -> tuple[int, str, str]:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            for name in DROPPED:
                patch.delenv(name, raising=False)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            thresholds = gc.get_threshold()  # which a process that soon ends need not keep
            code = main(args)
            gc.set_threshold(*thresholds)
        written = []
        for file in (out, err):
            file.flush()
            file.seek(0)
            written.append(file.buffer.read().decode())
        return code, written[0], written[1]

    def process(args: list[str], stdin: bytes, cwd: Path, changes: Changes) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "archdsl", *map(os.fsencode, args)],
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env=environment(**changes),
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return call


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., Path]:
    """`spec(text, name)` writes a spec into the folder that `run` works in."""

    def write(text: str = GOOD, name: str = "small.arch") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
