"""What the compiler has to say about a spec, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from archdsl.diagnostics.codes import CODES
from archdsl.diagnostics.fix import Fix
from archdsl.source import Span


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Label:
    """A second place that the message speaks of, and what it says there."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a stable code, one sentence, where, and what to do about it.

    `label` is the short text under the caret of `span`; `notes` are facts, `help` is advice in words. `fixes` are ways
    out that were tried, each with its edits of the text; what they say is shown after `help` (see `advice`). `apart`
    are the axes on which the values of a join differ: in a block that is applied twice it may be wrong in two ways.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    apart: frozenset[int] = frozenset()

    @property
    def advice(self) -> tuple[str, ...]:
        """All that is shown as help."""
        return (*self.help, *(fix.text for fix in self.fixes if fix.text))

    @property
    def severity(self) -> Severity:
        return Severity.WARNING if self.code.startswith("W") else Severity.ERROR


@dataclass
class Sink:
    """Collects diagnostics; the same finding at the same place (an unrolled loop, say) is kept once, and so is what
    is part of one."""

    found: list[Diagnostic] = field(default_factory=list)
    _seen: dict[tuple[str, int, int, int], list[frozenset[int]]] = field(default_factory=dict)

    def add(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        labels: Sequence[Label] = (),
        notes: Sequence[str] = (),
        help: Sequence[str] = (),  # the field's name in the public JSON
        fixes: Sequence[Fix] = (),
    ) -> None:
        assert code in CODES, code
        self.take(Diagnostic(code, message, span, label, tuple(labels), tuple(notes), tuple(help), tuple(fixes)))

    def take(self, diagnostic: Diagnostic) -> bool:
        """Keeps a diagnostic, unless its finding is known; says whether it is kept."""
        span = diagnostic.span
        key = (diagnostic.code, id(span.source), span.start, span.end)
        seen = self._seen.setdefault(key, [])
        if any(diagnostic.apart <= each for each in seen):
            return False
        seen.append(diagnostic.apart)
        self.found.append(diagnostic)
        return True

    @property
    def errors(self) -> int:
        return sum(d.severity is Severity.ERROR for d in self.found)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.found)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted for reading: a file at a time, as the files first come up, and by position within each."""
    found = list(diagnostics)
    files: dict[str, int] = {}
    for each in found:
        files.setdefault(each.span.source.path, len(files))
    return sorted(found, key=lambda each: (files[each.span.source.path], each.span.start, each.span.end))
