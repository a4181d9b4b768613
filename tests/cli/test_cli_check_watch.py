"""`archdsl check --watch`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes import BAD, GOOD, Run, environment, in_terminal

from archdsl.cli import check_watch
from archdsl.cli.files import Spec as Named

Spec = Callable[..., Path]
USE = 'from "parts/b.arch" import b\nnetwork N { input x: [3, H, W]; b }\n'
WATCHING = "; Ctrl-C ends"
INTERVAL = 0.1
QUICK = f"""
import sys
from archdsl.cli import check_watch, main

check_watch.INTERVAL = {INTERVAL}
sys.exit(main())
"""


class Watching:
    """A running `archdsl check --watch`, whose output goes to a file."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output
        self._read = 0

    def said(self) -> str:
        """What one check says, waited for to its closing line."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            new = self.output.read_text(encoding="utf-8")[self._read :]
            if new.count(WATCHING):
                self._read += len(new)
                return new
            time.sleep(0.02)
        pytest.fail(f"no check within 20 s; so far: {self.output.read_text()}")

    def rest(self) -> str:
        """What it says in a time in which it would have looked at its files several times."""
        time.sleep(4 * INTERVAL)
        return self.output.read_text(encoding="utf-8")[self._read :]

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@contextmanager
def watching(folder: Path, *paths: str) -> Iterator[Watching]:
    output = folder / "output.txt"
    with (
        open(output, "wb") as file,
        subprocess.Popen(
            [sys.executable, "-P", "-c", QUICK, "check", "--watch", *paths],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=folder, env=environment(),
            # a test run in the background of a shell ignores Ctrl-C, and so would what it starts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as process,
    ):  # fmt: skip
        try:
            yield Watching(process, output)
        finally:
            process.kill()


def test_a_file_and_what_it_imports(spec: Spec, tmp_path: Path) -> None:
    """One change, one check: of the file, of an import, saved in place or by a rename, gone and back."""
    part = spec("block b { conv(8, 3) }", "parts/b.arch")
    use = spec(USE, "use.arch")
    with watching(tmp_path, "use.arch") as watched:
        assert watched.said() == (
            "use.arch: N accepts any H, W >= 3\n1 file, 1 network: no errors\nwatching 2 files; Ctrl-C ends\n"
        )
        part.write_text("block b { convv(8, 3) }")
        told = watched.said()
        assert told.startswith("parts/b.arch changed\n\nerror[E0102]")
        assert told.endswith(
            "1 file, 1 network: 1 error\n`archdsl explain E0102` says more\nwatching 2 files; Ctrl-C ends\n"
        )
        saved = spec("block b { conv(8, 5) }", "parts/b.arch~")
        saved.replace(part)
        assert "use.arch: N accepts any H, W >= 5\n" in watched.said()
        part.unlink()
        assert 'there is no file "parts/b.arch"' in watched.said()
        part.write_text("block b { conv(8, 7) }")
        assert "use.arch: N accepts any H, W >= 7\n" in watched.said()
        use.unlink()
        assert watched.said() == (
            "use.arch changed\n\nerror: there is no file or folder `use.arch`\nwatching 2 files; Ctrl-C ends\n"
        )
        use.write_text(GOOD)
        assert watched.said().endswith("no errors\nwatching 1 file; Ctrl-C ends\n"), "it imports no more"
        part.write_text("block b { conv(8, 9) }")
        spec("", "other.arch")
        assert watched.rest() == ""
        assert watched.interrupt() == 130
        assert watched.rest() == ""


def test_a_folder(spec: Spec, tmp_path: Path) -> None:
    """Specs that come and go, several at once, and the last one."""
    one = spec(GOOD, "specs/one.arch")
    with watching(tmp_path, "specs") as watched:
        assert watched.said().endswith("watching 1 file; Ctrl-C ends\n")
        spec(BAD, "elsewhere/two.arch")
        spec(BAD, "elsewhere/three.arch").parent.rename(tmp_path / "specs" / "deep")
        told = watched.said()
        assert told.startswith("specs/deep/three.arch and 1 other file changed\n\n")
        assert told.endswith(
            "3 files, 3 networks: 2 errors\n`archdsl explain E0102` says more\nwatching 3 files; Ctrl-C ends\n"
        )
        spec(BAD, "specs/notes.txt")
        spec(BAD, "specs/.hidden.arch")
        assert watched.rest() == ""
        one.parent.rename(tmp_path / "away")
        one.parent.mkdir()
        assert "error: there is no .arch file in the folder `specs`\n" in watched.said()
        one.write_text(GOOD)
        assert watched.said().endswith("no errors\nwatching 1 file; Ctrl-C ends\n")


TWO_CHECKS = """
from archdsl.cli import check, check_watch

changes = [["small.arch"]]
check_watch._wait = lambda *_: changes.pop()  # an IndexError ends the second one
try:
    check.command(["--watch", "small.arch"])
except IndexError:
    pass
"""


def test_a_terminal_is_cleared(spec: Spec, tmp_path: Path) -> None:
    """Before the second check, not before the first; and where a terminal is too dumb for that, not at all."""
    spec(GOOD)
    checked = "small.arch: Small accepts any H, W\n1 file, 1 network: no errors\nwatching 1 file; Ctrl-C ends\n"
    changed = "small.arch changed\n\n"
    shown = in_terminal([TWO_CHECKS], tmp_path, 80, ["-c"])
    assert shown == f"{checked}\x1b[H\x1b[2J{changed}{checked}"
    assert in_terminal([TWO_CHECKS], tmp_path, 80, ["-c"], TERM="dumb") == f"{checked}{changed}{checked}"


def nothing() -> None:
    pass


def watched_in_steps(
    monkeypatch: pytest.MonkeyPatch, path: str, *steps: Callable[[], object], read: Callable[[], object] = nothing
) -> list[bool]:
    """Whether the spec is sound at each of its checks. A step is taken in each pause, and after the last comes Ctrl-C;
    `read` is called when a check has read its files."""
    found: list[bool] = []
    left = list(steps)

    def pause(_: float) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    def check(specs: Sequence[Named]) -> None:
        found.append(specs[0].compilation.ok)
        read()

    monkeypatch.setattr(check_watch.time, "sleep", pause)
    with pytest.raises(KeyboardInterrupt):
        check_watch.watch([path], check)
    return found


def test_a_save_in_several_steps_is_one_change(spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spec(GOOD)
    monkeypatch.chdir(tmp_path)
    save = (path.unlink, lambda: path.write_text(BAD[:20]), lambda: path.write_text(BAD))
    assert watched_in_steps(monkeypatch, "small.arch", nothing, *save, nothing, nothing) == [True, False]


def test_what_changes_after_it_is_read_is_checked_again(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import is known only after the check; a change before that is not lost."""
    part = spec("block b { convv(8, 3) }", "parts/b.arch")
    os.utime(part, ns=(0, 0))
    spec(USE, "use.arch")
    monkeypatch.chdir(tmp_path)
    found = watched_in_steps(
        monkeypatch, "use.arch", *[nothing] * 4, read=lambda: part.write_text("block b { conv(8, 3) }")
    )
    assert found[:2] == [False, True]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["-"], "standard input cannot be watched"),
        (["small.arch", "-"], "standard input cannot be watched"),
        (["small.arch", "--json"], "--watch is for reading along, not for --format json, which is for machines"),
        (["small.arch", "--format", "sarif"], "--watch is for reading along, not for --format sarif, which is"),
        (["nothere.arch"], "there is no file or folder `nothere.arch`"),
    ],
)
def test_what_cannot_be_watched(run: Run, spec: Spec, args: list[str], says: str) -> None:
    spec()
    done = run("check", "--watch", *args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {says}")
