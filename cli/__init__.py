"""The command line: the only part of archdsl that prints or exits.

Results go to standard output, messages about the run to standard error. The exit status is 0 if all is well, 1 if a
spec has errors, 2 if the request makes no sense or something cannot be written, 70 after an internal error, 130 after
Ctrl-C.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

INTERRUPTED = 130

# A check keeps what it builds to its end, so looking for garbage in it every 700 objects, Python's default, finds none
# and costs a third of the time of a large spec.
OBJECTS_PER_COLLECTION = 100_000


def main(args: Sequence[str] | None = None) -> int:
    """Runs one command (`sys.argv` without `args`) and returns the exit status."""
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    try:
        from archdsl.cli.app import run  # here, so that Ctrl-C while it loads is as quiet as later

        return run(args)
    except KeyboardInterrupt:
        return INTERRUPTED
