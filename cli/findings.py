"""What a check has found, as the forms of its output share it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from archdsl.cli.files import STDIN, Spec
from archdsl.diagnostics import Diagnostic, in_order
from archdsl.diagnostics.textwidth import printable


def findings(specs: Sequence[Spec]) -> list[Diagnostic]:
    """Every finding once, though several specs import the file that it is in, each by a path of its own."""
    found: dict[tuple[str, str, int, int], Diagnostic] = {}
    for spec in specs:
        for each in spec.compilation.diagnostics:
            path = each.span.source.path
            file = path if path == STDIN else os.path.realpath(path)
            found.setdefault((each.code, file, each.span.start, each.span.end), each)
    return in_order(found.values())


def explained(found: Diagnostic, asides: Iterable[str] = ()) -> str:
    """A finding in words, for where no source is shown: what is wrong, `asides`, notes, and ways out."""
    lines = [found.message, *([found.label] if found.label else []), *asides]
    lines += [f"note: {note}" for note in found.notes]
    lines += [f"help: {help}" for help in found.advice]
    return printable("\n".join(lines))


def from_here(path: str) -> str | None:
    """A file's path from the current folder, without `..` and links back; None if the file is outside of it."""
    whole = os.path.realpath(path) if ".." in Path(path).parts else os.path.abspath(path)
    folder = os.getcwd()
    return os.path.relpath(whole, folder) if Path(whole).is_relative_to(folder) else None
