"""What `diff` is asked to compare: `[REVISION:]PATH[:NETWORK]`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from archdsl.cli.files import SUFFIX, collect
from archdsl.cli.output import Failure
from archdsl.cli.revision import exported
from archdsl.compiler import Compilation, SpecError
from archdsl.diagnostics import Diagnostic, Label
from archdsl.source import Source, Span


@dataclass(frozen=True)
class Side:
    """One side of a comparison; `path` is as its user wrote it, with the revision but without the network."""

    path: str
    compilation: Compilation
    network: str | None


@contextmanager
def opened(text: str) -> Iterator[Side]:
    """The side that a text stands for. An error in a spec (SpecError) names files as the user does. Raises Failure."""
    revision, path, network = _parsed(text)
    if revision is None:
        specs = collect([path])
        if len(specs) > 1:
            raise Failure(f"one spec is compared with one other, and `{path}` holds several")
        yield Side(specs[0].path, specs[0].compilation, network)
        return
    with exported(revision, path) as (folder, file):
        try:
            yield Side(f"{revision}:{path}", Compilation.from_path(file), network)
        except SpecError as error:
            names = _Names(folder, revision)
            raise SpecError([names.diagnostic(each) for each in error.diagnostics]) from None


def _parsed(text: str) -> tuple[str | None, str, str | None]:
    """Revision, path and network. What exists as a file is one, whatever colons its name has."""
    if os.path.exists(text):
        return None, text, None
    path, colon, network = text.rpartition(":")
    if not (colon and network.isidentifier() and (os.path.exists(path) or path.endswith(SUFFIX))):
        path, network = text, ""
    if os.path.exists(path):
        return None, path, network or None
    revision, colon, rest = path.partition(":")
    if colon and revision and rest:
        return revision, rest, network or None
    return None, path, network or None


class _Names:
    """Gives the exported files of a revision the names that their user knows."""

    def __init__(self, folder: Path, revision: str) -> None:
        self.folder = str(folder)
        self.revision = revision
        self.sources: dict[Source, Source] = {}

    def diagnostic(self, found: Diagnostic) -> Diagnostic:
        return replace(
            found,
            message=self.text(found.message),
            label=self.text(found.label),
            span=self.span(found.span),
            labels=tuple(Label(self.span(label.span), label.text) for label in found.labels),
        )

    def text(self, text: str) -> str:
        return text.replace(self.folder + os.sep, f"{self.revision}:").replace(self.folder, f"{self.revision}:")

    def span(self, span: Span) -> Span:
        source = self.sources.setdefault(span.source, Source(self.text(span.source.path), span.source.text))
        return Span(source, span.start, span.end)
