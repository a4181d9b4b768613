"""`archdsl.open`: a spec that shows itself, as picture and table in a notebook and as text at a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from operator import index
from os import PathLike
from typing import Any

from archdsl.compiler import Compilation, SpecError, UsageError, together
from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.render import render
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.cost import Cost
from archdsl.show.inputs import Inputs, symbols_at
from archdsl.show.summary import Summary, summary, text_lines
from archdsl.sizes import Domain

WIDTH = 120  # columns at a prompt

Stated = str | Iterable[int]


def open(
    spec: str | PathLike[str],
    /,
    network: str | None = None,
    *,
    input: Stated | Mapping[str, Stated] | None = None,
    settings: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> Opened:
    """A network of a spec, to look at.

    `spec`, `network`, `settings` and `parameters` are those of `archdsl.load`: a path or the text of a spec, one of its
    networks (the first if it is left out) and its parameters, such as `classes=10`; `settings` holds those whose names
    mean something else here, such as {"settings": 3}. `input` is the size that is counted and drawn, (3, 256, 320),
    "3x256x320" or {"image": (3, 256, 320)}; without it the typical one.

    A spec with errors opens too, and shows them. Raises UsageError (it has no such network, parameter or size).
    """
    inputs: dict[str | None, tuple[int, ...]] = {}
    if isinstance(input, Mapping):
        inputs.update({name: _size(size) for name, size in input.items()})
    elif input is not None:
        inputs[None] = _size(input)
    return Opened(Compilation.of(spec), network, inputs, together(settings, parameters))


def _size(stated: Stated) -> tuple[int, ...]:
    """`(3, 256, 320)`, or as on the command line `3x256x320`. Raises UsageError."""
    try:
        size = tuple(map(int, stated.lower().split("x"))) if isinstance(stated, str) else tuple(map(index, stated))
    except (TypeError, ValueError):
        size = ()
    if not size or min(size) < 1:
        raise UsageError(f'`input={stated!r}` is no size; it looks like (3, 256, 320) or "3x256x320"')
    return size


class Opened:
    """A network of a spec. What it cannot have while the spec has errors raises SpecError, with all of them."""

    def __init__(self, compilation: Compilation, name: str | None, inputs: Inputs, settings: Mapping[str, Any]) -> None:
        self.compilation = compilation
        self._settings = settings
        self._network: Network | None = None
        self.sizes: dict[str, int] = {}  # of the network's symbols, H and W
        self._errors: list[Diagnostic] = []
        try:
            self._network = compilation.network(name, **settings)
            self.sizes = symbols_at(self._network, inputs)
        except SpecError as error:
            self._errors = error.diagnostics

    @property
    def path(self) -> str:
        """Where the spec was read; `<text>` for one that was given as text."""
        return self.compilation.unit.tree.source.path if self.compilation.unit is not None else ""

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return self._network is not None

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All that there is to say of the spec; of errors that only these parameters cause, those."""
        return self._errors if self._errors and self.compilation.ok else self.compilation.diagnostics

    @property
    def network(self) -> Network:
        """The typed graph. Raises SpecError."""
        if self._network is None:
            raise SpecError(self._errors)
        return self._network

    @property
    def accepts(self) -> Domain:
        """The sizes of the input that the network accepts; as text, `any H, W >= 15`. Raises SpecError."""
        return accepted(self.network)

    @cached_property
    def cost(self) -> Cost:
        """Parameters, MACs and memory at the size of the input that was asked for. Raises SpecError."""
        return Cost(self.network, self.sizes)

    @property
    def params(self) -> int:
        """How many parameters there are. Raises SpecError."""
        return self.cost.params

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one item. Raises SpecError."""
        return self.cost.macs

    def compile(self, *, guard: bool = False) -> str:
        """PyTorch source. Raises SpecError."""
        return self.compilation.compile(self.network.name, self._settings, guard=guard)

    def load(self, **options: Any) -> Any:
        """The live `nn.Module`, with fresh weights; `options` are `devices` and `guard` of `archdsl.load`.

        Raises SpecError, UsageError or, without PyTorch, TorchMissing.
        """
        from archdsl import load  # here: it imports torch

        return load(self.compilation, self.network.name, settings=self._settings, **options)

    def summary(self) -> Summary:
        """The layer table and the totals, in words. Raises SpecError."""
        return summary(self.path, self.network, self.sizes)

    def svg(self, *, theme: str = "light") -> str:
        """The picture, as `archdsl render` draws it; `theme` is light or dark. Raises SpecError, or NoPicture where
        Graphviz is missing."""
        from archdsl.emit.diagram import build, dot  # here: a prompt needs no picture
        from archdsl.emit.diagram.layout import picture, titled

        diagram = build(self.network, self.cost)
        return titled(picture(dot(diagram, theme=theme), "svg"), diagram).decode()

    def __repr__(self) -> str:
        """The text of `archdsl summary`, or of what is wrong."""
        if not self.ok:
            return "\n\n".join(map(render, self.diagnostics))
        said = [*map(render, self.diagnostics), "\n".join(text_lines(self.summary(), WIDTH))]
        return "\n\n".join(said)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from archdsl.show.html import page

        return page(self)
