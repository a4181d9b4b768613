"""From the paths on the command line to specs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from archdsl.cli.output import Failure
from archdsl.source import Source, Span

if TYPE_CHECKING:
    from archdsl.compiler import Compilation

STDIN = "<stdin>"
SUFFIX = ".arch"


def specs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """For Tab completion: the files that end so, and folders."""
    return [CompletionItem(incomplete, type="file", suffix=SUFFIX)]


paths_argument = click.argument("paths", metavar="PATH…", nargs=-1, required=True, shell_complete=specs)


@dataclass(frozen=True)
class Spec:
    """A spec to work on. `path` is as its user knows it; `inside` is its place in the folder that was named.

    `named` says that the file itself was named, not a folder that holds it.
    """

    path: str
    inside: Path
    named: bool

    @cached_property
    def compilation(self) -> Compilation:
        from archdsl.compiler import Compilation  # here: what only completes paths has no time for it
        from archdsl.diagnostics import Sink

        if self.path != STDIN:
            return Compilation.from_path(self.path)
        content = sys.stdin.buffer.read() if sys.stdin is not None else b""
        try:
            return Compilation.from_text(content.decode("utf-8-sig"), STDIN)
        except UnicodeDecodeError as error:
            sink = Sink()
            message = f"standard input is not UTF-8 text (byte {error.start + 1})"
            sink.add("E0001", message, Span(Source(STDIN, ""), 0, 0))
            return Compilation(None, sink)


def collect(paths: Sequence[str]) -> list[Spec]:
    """The specs that paths stand for, each file once, in the order given. Raises Failure."""
    found: dict[str, Spec] = {}
    for path in paths:
        for spec in _specs(path):
            found.setdefault(spec.path if spec.path == STDIN else os.path.realpath(spec.path), spec)
    return list(found.values())


def _specs(path: str) -> Iterator[Spec]:
    if path == "-":
        yield Spec(STDIN, Path("stdin"), True)
    elif os.path.isdir(path):
        inside = list(_inside(path))
        if not inside:
            raise Failure(f"there is no {SUFFIX} file in the folder `{path}`")
        yield from (Spec(each, Path(os.path.relpath(each, path)), False) for each in inside)
    elif os.path.exists(path):
        yield Spec(path, Path(os.path.basename(path)), True)
    else:
        raise Failure(f"there is no file or folder `{path}`{_hint(path)}")


def _inside(folder: str) -> Iterator[str]:
    """The specs of a folder and of those below it, sorted, without hidden ones."""

    def refuse(error: OSError) -> None:
        raise Failure(f"cannot read the folder `{error.filename}`: {error.strerror}")

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(place, name) for name in sorted(names) if name.endswith(SUFFIX) and name[0] != ".")


def _hint(path: str) -> str:
    return f"; did you mean `{path}{SUFFIX}`?" if os.path.isfile(path + SUFFIX) else ""
