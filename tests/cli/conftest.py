"""Fixtures that run `archdsl`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import GOOD, Result, Run, environment


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run(*args)` runs `archdsl ARGS` in a new empty folder."""

    def call(*args: str | Path, stdin: str | bytes = b"", cwd: Path | None = None, **changes: str | None) -> Result:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "archdsl", *map(os.fsencode, args)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=cwd or tmp_path,
            env=environment(**changes),
            timeout=60,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in out + err, err
        return Result(done.returncode, out, err)

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
