"""`archdsl check --watch`: a check after every change, until Ctrl-C.

The files are looked at a few times a second. A service that tells of changes would be quicker by the blink of an eye,
but it is another package to install, it is silent about network drives and folders mounted into containers, and it must
be told anew what to watch after each check, for only then the imports are known; a change in between would be lost.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from archdsl.cli import output
from archdsl.cli.files import Spec, collect
from archdsl.cli.options import count
from archdsl.cli.output import Failure

INTERVAL = 0.2  # seconds from one look to the next
IDLE = 10  # at least so many times as long as a look takes: folders with many files do not keep a core busy

_CLEAR = "\x1b[H\x1b[2J"

# What changes with a file: its time, its size, and its number, in case another is put in its place. None is for a file
# that is not there.
_Stamp = tuple[int, int, int]
_Stamps = dict[str, _Stamp | None]


def watch(paths: Sequence[str], check: Callable[[Sequence[Spec]], None]) -> NoReturn:
    """Calls `check` with the specs that paths stand for, now and after every change of them or of what they import.

    Raises Failure for paths that are wrong from the start; one that is gone later may come back.
    """
    collect(paths)
    imports: list[str] = []
    while True:
        started, named, known = time.time_ns(), _named(paths), _stamps(imports)
        imports = _run(paths, check) or imports
        for path in imports:
            if path not in known:
                known[path] = _stamp_of_what_was_read(path, started)
        seen = {path: known[path] for path in imports} | named
        output.say(f"watching {count(len({os.path.realpath(path) for path in seen}), 'file')}; Ctrl-C ends")
        changed = _wait(paths, imports, seen)
        if sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            output.write(_CLEAR, end="")
            output.flush()
        more = f" and {count(len(changed) - 1, 'other file')}" if len(changed) > 1 else ""
        output.say(f"{changed[0]}{more} changed\n")


def _run(paths: Sequence[str], check: Callable[[Sequence[Spec]], None]) -> list[str]:
    """Checks once, and returns the files that were read or missed; none if a path is gone, which is said."""
    try:
        specs = collect(paths)
    except Failure as failure:
        output.say(f"error: {failure.format_message()}")
        return []
    check(specs)
    output.flush()
    files = sorted({str(path) for spec in specs for path in spec.compilation.files})
    del specs
    gc.collect()  # the command line lets garbage lie, which would pile up here
    return files


def _named(paths: Sequence[str]) -> _Stamps:
    """The files that paths stand for; a path that leads to none stands for itself."""
    files: set[str] = set()
    for path in paths:
        try:
            files.update(str(Path(spec.path)) for spec in collect([path]))
        except Failure:
            files.add(path)
    return _stamps(sorted(files))


def _stamps(files: Iterable[str]) -> _Stamps:
    return {path: _stamp(path) for path in files}


def _stamp(path: str) -> _Stamp | None:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _stamp_of_what_was_read(path: str, started: int) -> _Stamp | None:
    """The stamp of a file that nobody knew of before the check; none, as of a file that is not there, if it has changed
    since the check began (nanoseconds), so that it is checked once more."""
    stamp = _stamp(path)
    return None if stamp is None or stamp[0] >= started else stamp


def _wait(paths: Sequence[str], imports: Sequence[str], seen: _Stamps) -> list[str]:
    """Sleeps until files have changed and then kept still for a moment (editors save in several steps); says which."""
    before, now, pause = seen, seen, INTERVAL
    while now == seen or now != before:
        time.sleep(pause)
        started = time.monotonic()
        before, now = now, _stamps(imports) | _named(paths)
        pause = max(INTERVAL, IDLE * (time.monotonic() - started))
    changed = sorted(path for path in seen | now if path not in seen or path not in now or seen[path] != now[path])
    return list({os.path.realpath(path): path for path in changed}.values())
