"""What is asked of the input's sizes: by layers, by the author's promises and by stated shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from archdsl.diagnostics import Diagnostic, Label
from archdsl.layers.base import Layer, Why
from archdsl.sizes import Condition
from archdsl.source import Span
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.graph.model import Value


class Caller(NamedTuple):
    """Where a block or a shared module is applied."""

    name: str
    node: tree.Node
    span: Span

    @property
    def label(self) -> Label:
        return Label(self.span, f"in this call of `{self.name}`")


@dataclass(frozen=True)
class Requirement:
    """A condition on sizes that the network's input has to meet; what needs it, and of which values."""

    condition: Condition
    because: Why  # its text is wanted only where it fails
    node: tree.Apply
    training: bool
    values: tuple[Value, ...]
    layer: Layer | None = None  # None where values are joined
    calls: tuple[Caller, ...] = ()  # of the blocks that it stands in, the innermost first

    @property
    def why(self) -> str:
        return self.because if isinstance(self.because, str) else self.because()

    @property
    def span(self) -> Span:
        return self.node.span


class Refused(NamedTuple):
    """What is told of a need that fails, and the need: ways out are looked for when all that is wrong is known."""

    told: Diagnostic
    need: Requirement


@dataclass(frozen=True)
class Promise:
    """A condition on the input's sizes that the author promises (`where`), and where."""

    condition: Condition
    span: Span


@dataclass(frozen=True)
class Stated:
    """A dim that the author states and that is another for some inputs: an error unless none of those is accepted."""

    condition: Condition
    message: str
    span: Span
    origin: Span  # of what has the dim
    shape: str  # what it gives, in words
