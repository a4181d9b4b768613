"""Which values a join of the text reads, so that a change of the text can be held against it.

`in` and labels mean other values in other braces, so a change may be right in its shapes and join something else.
"""

from __future__ import annotations

from archdsl.graph.model import Branch, Value, everything
from archdsl.passes.elaborate.frame import Frame, Read
from archdsl.passes.shapes import before
from archdsl.source import Span

Source = Span | int | None  # the text that makes a value; which input of a block it is; not known


def sources(read: Read) -> list[Source]:
    """What each branch of a join begins with."""
    return [None if branch is None else _source(read.frame, _start(branch)) for branch in read.branches]


def _start(branch: Branch) -> Value | None:
    """The value that a branch takes from outside of it."""
    own = {id(item) for item in everything(branch.items)}
    value: Value | None = branch.value
    while value is not None and id(value.tensor.producer) in own:
        value = before(value.tensor)
    return value


def _source(frame: Frame, value: Value | None) -> Source:
    """What a value is, whatever the shapes: an input of a group is what was given for it."""
    at: Frame | None = frame
    while value is not None and at is not None:
        value = value.tensor
        index = next((i for i, each in enumerate(at.scope.inputs) if each is value), None)
        if index is None or at.scope.kind == "network":
            break
        if at.scope.kind == "block":
            return index
        value, at = value.outer, at.parent
    return None if value is None else value.span
