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
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NoReturn

from archdsl.cli import output
from archdsl.cli.files import Spec, collect
from archdsl.cli.options import count
from archdsl.cli.output import Failure

INTERVAL = 0.2  # seconds from one look to the next
IDLE = 10  # at least so many times as long as a look takes: folders with many files do not keep a core busy

_CLEAR = "\x1b[H\x1b[2J"

# Of each file what changes with it: its time, its size, and its number, where another is put in its place. None is for a
# file that is not there.
_Stamps = dict[str, tuple[int, int, int] | None]


def watch(paths: Sequence[str], check: Callable[[Sequence[Spec]], None]) -> NoReturn:
    """Calls `check` with the specs that paths stand for, now and after every change of them or of what they import.

    Raises Failure for paths that are wrong from the start; one that is gone later may come back.
    """
    collect(paths)
    imports: Collection[str] = ()
    while True:
        started = time.time_ns()
        seen = _look(paths, imports)
        imports = _run(paths, check)
        for path in imports:
            if path not in seen:  # until now nobody knew of it, so it may have changed since it was read
                stamp = seen[path] = _stamp(path)
                if stamp is not None and stamp[0] >= started:
                    seen[path] = None
        files = {os.path.realpath(path) for path in seen}
        output.say(f"watching {count(len(files), 'file')}; Ctrl-C ends")
        changed = _wait(paths, imports, seen)
        if sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            output.write(_CLEAR, end="")
            output.flush()
        more = f" and {count(len(changed) - 1, 'other file')}" if len(changed) > 1 else ""
        output.say(f"{changed[0]}{more} changed\n")


def _run(paths: Sequence[str], check: Callable[[Sequence[Spec]], None]) -> list[str]:
    """Checks once, and returns the files that the specs import, also those that they miss."""
    try:
        specs = collect(paths)
    except Failure as failure:
        output.say(f"error: {failure.format_message()}")
        return []
    check(specs)
    output.flush()
    found = sorted({str(path) for spec in specs for path in spec.compilation.files})
    del specs
    gc.collect()  # the command line lets garbage lie, which would pile up here
    return found


def _look(paths: Sequence[str], imports: Collection[str]) -> _Stamps:
    files: set[str] = set()
    for path in paths:
        try:
            files.update(spec.path for spec in collect([path]))
        except Failure:
            files.add(path)
    return {path: _stamp(path) for path in sorted(files.union(imports))}


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _wait(paths: Sequence[str], imports: Collection[str], seen: _Stamps) -> list[str]:
    """Sleeps until files have changed and then kept still for a moment (editors save in several steps); says which."""
    before, now, pause = seen, seen, INTERVAL
    while now == seen or now != before:
        time.sleep(pause)
        started = time.monotonic()
        before, now = now, _look(paths, imports)
        pause = max(INTERVAL, IDLE * (time.monotonic() - started))
    changed = (path for path in now if seen.get(path) != now[path] or path not in seen)
    return list({os.path.realpath(path): path for path in [*changed, *sorted(seen.keys() - now.keys())]}.values())
