"""A change of a spec's text."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.source import Span


@dataclass(frozen=True)
class Edit:
    """Another text in the place of `span`; an empty span inserts."""

    span: Span
    text: str

    def applied(self) -> str:
        """The whole text with the change."""
        before = self.span.source.text
        return before[: self.span.start] + self.text + before[self.span.end :]

    def lines(self) -> list[str]:
        """The lines that it changes, as they are afterwards, without what they have in common on the left."""
        after = self.applied()
        start = after.rfind("\n", 0, self.span.start) + 1
        stop = after.find("\n", self.span.start + len(self.text))
        lines = after[start : stop if stop >= 0 else len(after)].split("\n")
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        return [line[indent:] for line in lines]
