"""Writing: to the terminal, and to files as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TextIO

import click

from archdsl.diagnostics.textwidth import printable

BROKEN_PIPE = 141  # what a shell reports for a process that SIGPIPE ended
PIPED_WIDTH = 10_000  # columns where no terminal sets a limit


class Failure(click.ClickException):
    """A request that cannot be met; the message says why. Exit status 2."""

    exit_code = 2


def prepare() -> None:
    """Lets a terminal that cannot show a character get its code, where Python would raise an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def write(text: str, *, end: str = "\n") -> None:
    """Prints to standard output."""
    if sys.stdout is None:  # closed by the caller, as in `archdsl … >&-`
        return
    try:
        sys.stdout.write(text + end)
    except OSError as error:
        raise _lost(error) from None


def write_utf8(text: str) -> None:
    """Prints to standard output in UTF-8 whatever the terminal's encoding: Python source."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
    except OSError as error:
        raise _lost(error) from None


def flush() -> None:
    """Hands over what is still buffered, while an error can still be reported."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise _lost(error) from None


def ended(code: int) -> int:
    """The exit status of a command that ended with `code`, once its output is out."""
    try:
        flush()
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except Failure as failure:
        say(f"error: {failure.format_message()}")
        return failure.exit_code
    return code


def say(text: str) -> None:
    """Prints a message for the user to standard error, with nothing in it that a terminal would obey."""
    say_rendered(printable(text))


def say_rendered(text: str) -> None:
    """Prints to standard error what is made for a terminal already."""
    try:
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody is left to be told


def _lost(error: OSError) -> Exception:
    """What to raise once standard output takes no more. A reader that has gone (`| head`) is no failure."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)  # what is still buffered is flushed when Python ends, and would raise again
    if isinstance(error, BrokenPipeError):
        return click.exceptions.Exit(BROKEN_PIPE)
    return Failure(f"cannot write to standard output: {error.strerror}")


def coloured(stream: TextIO | None) -> bool:
    """Whether a stream wants colour: a terminal, without the variable NO_COLOR."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream is not None and stream.isatty()


def width(stream: TextIO | None) -> int:
    """Columns of the terminal; a pipe or a file has no limit unless COLUMNS states one."""
    terminal = stream is not None and stream.isatty()
    return max(1, shutil.get_terminal_size((80 if terminal else PIPED_WIDTH, 24)).columns)


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file as a whole or not at all: its old content stays until the new one is on the disk.

    A link stays a link, and a file keeps its mode. What is no file (a pipe, /dev/null) is written to directly. Raises
    Failure.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if os.path.isdir(path):
            raise Failure(f"cannot write `{path}`: it is a folder")
        if os.path.exists(path) and not os.path.isfile(path):
            path.write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except (OSError, ValueError) as error:
        raise Failure(f"cannot write `{path}`: {getattr(error, 'strerror', None) or error}") from None


def _replace(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".archdsl-")
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode(target))
        temporary.replace(target)
    except BaseException:  # an interrupt too leaves nothing behind
        temporary.unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The mode of the file that is replaced, or that of any new file."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
