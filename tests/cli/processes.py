"""The command line as real processes."""

from __future__ import annotations

import atexit
import fcntl
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"

GOOD = """\
network Small(classes=10, width=8) {
  input image: [3, H=32, W=32]
  conv1 = conv(width, 3, padding=1)
  relu
  global_avgpool
  flatten
  fc = linear(classes)
}
"""
BAD = "network Bad {\n  input x: [3, H, W]\n  convv(8, 3)\n}\n"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


# Compiled modules of this run, so that every process but the first starts as one of an installed package does.
_PYCACHE = tempfile.mkdtemp(prefix="archdsl-pycache-")
atexit.register(shutil.rmtree, _PYCACHE, ignore_errors=True)

DROPPED = {"NO_COLOR", "COLUMNS", "LINES", "TERM"}
DROPPED |= {"PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE"}


def environment(**changes: str | None) -> dict[str, str]:
    """The environment without what would change the output, and with `changes` (None removes)."""
    kept = {key: value for key, value in os.environ.items() if key not in DROPPED}
    kept["PYTHONPYCACHEPREFIX"] = _PYCACHE
    kept.update({key: value for key, value in changes.items() if value is not None})
    return {key: value for key, value in kept.items() if changes.get(key, "") is not None}


def in_terminal(
    args: Sequence[str], cwd: Path, columns: int, program: Sequence[str] = ("-m", "archdsl"), **changes: str | None
) -> str:
    """What `archdsl ARGS`, or another program of Python, shows in a terminal of that many columns."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-P", *program, *args],
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        cwd=cwd,
        env=environment(**{"TERM": "xterm", **changes}),
    )
    os.close(writer)
    shown = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # how Linux says that the other side has gone
            break
        if not chunk:
            break
        shown += chunk
    os.close(reader)
    process.wait(timeout=60)
    return shown.decode().replace("\r\n", "\n")
