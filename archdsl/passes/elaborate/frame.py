"""Where elaboration stands: the scope being filled, the constants and labels in sight, the value that flows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from archdsl.diagnostics import Diagnostic, Fix, Label, Sink
from archdsl.graph.model import Branch, Call, Flowing, Item, Module, Scope, Value
from archdsl.graph.needs import Caller, Promise, Refused, Requirement, Stated
from archdsl.graph.traced import Ref
from archdsl.passes.elaborate import readings
from archdsl.passes.elaborate.plain import Labels
from archdsl.passes.elaborate.pythonic import bad_module_name
from archdsl.passes.load import Unit
from archdsl.passes.starts import Starts
from archdsl.sizes import Condition, Dim, Size, symbol, symbols
from archdsl.source import Span
from archdsl.syntax import tree

# Specs of 100,000 layers are to be checked, with several arguments each: `python -m benchmarks check_linear`.
MAX_LAYERS = 200_000  # of one network; those of a block count each time that it is applied
MAX_STEPS = 4_000_000  # statements, turns, expressions and items of lists that one elaboration goes through
MAX_DEPTH = 64  # bodies inside each other; each takes about nine Python frames, of a thousand


_UNKNOWN = re.compile(r"\?\d+")


class Failed(Exception):
    """Gives up a statement; what is wrong has been reported."""


class Misread(Failed):
    """Gives up a step in PyTorch's manner; `text` is what it stands for here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Unknown(Failed):
    """Gives up an expression: it needs a size that an error leaves open."""


class Exhausted(Exception):
    """Gives up the network: it passes a limit, which has been reported."""


@dataclass(frozen=True)
class Lost:
    """In place of a block with errors, which were reported: what it gives, as far as that is known."""

    gave: Flowing | None


@dataclass(frozen=True)
class Built:
    """A block without errors, and what elaborating it left in the context, that of the blocks in it included."""

    scope: Scope
    needs: Mapping[tuple[Condition, bool], Requirement]
    stated: Sequence[Stated]


@dataclass
class Memo:
    """The blocks of several elaborations of the same definitions, by all that they depend on.

    A value that is asked for from outside of its block is an export of the block then, so where that is done, no blocks
    are shared.
    """

    blocks: dict[Any, Built] | None = field(default_factory=dict)


class Reached(Exception):
    """An elaboration asks for what is in a block that it shares."""


@dataclass
class Context:
    """What one elaboration of a network shares."""

    sink: Sink
    trace: bool
    memo: dict[Any, Scope | Lost] = field(default_factory=dict)
    shared: dict[Any, Built] | None = None  # the blocks of a `Memo`
    needs: dict[tuple[Condition, bool], Requirement] = field(default_factory=dict)
    promises: list[Promise] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    starts: Starts = field(default_factory=Starts)
    calls: list[Caller] = field(default_factory=list)  # of the blocks and shared modules that are being elaborated
    refused: list[Refused] = field(default_factory=list)
    reads: dict[Span, list[Read]] = field(default_factory=dict)  # each time that a join is applied, by its name
    # Symbols that stand for sizes which an error leaves open, with what each may be; nothing: any.
    unknown: dict[str, Sequence[Dim]] = field(default_factory=dict)
    guesses: int = 0  # values that refused steps left behind
    errors: int = 0  # reported, those included that the sink has from another network of the file
    steps: int = 0
    depth: int = 0

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        labels: Sequence[Label] = (),
        notes: Sequence[str] = (),
        help: Sequence[str] = (),
        fixes: Sequence[Fix] = (),
        need: Requirement | None = None,
        apart: frozenset[int] = frozenset(),
    ) -> None:
        """Adds a diagnostic, with the calls that led here if it stands inside a block. `need` is what failed."""
        self.errors += code.startswith("E")
        said = self._said
        found = Diagnostic(
            code,
            said(message),
            span,
            said(label),
            (*(Label(each.span, said(each.text)) for each in labels), *(call.label for call in self.innermost)),
            tuple(map(said, notes)),
            tuple(map(said, help)),
            tuple(fixes),
            apart,
        )
        if self.sink.take(found) and need is not None:
            self.refused.append(Refused(found, need))

    def _said(self, text: str) -> str:
        """A text in which each size that is not known is a question mark."""
        return _UNKNOWN.sub("?", text) if self.unknown else text

    def unknown_dim(self, among: Iterable[Dim] = ()) -> Size:
        """A size of which nothing is known, or that it is one of a few."""
        name = f"?{len(self.unknown) + 1}"
        self.unknown[name] = readings.of_some(among, self.unknown)
        return symbol(name)

    def block(self, key: Any, build: Callable[[], Scope | Lost]) -> Scope | Lost:
        """A block by all that it depends on, elaborated where it is first asked for."""
        if self.shared is None or self.errors or key in self.memo:  # what an error leaves open is this network's own
            if key not in self.memo:
                self.memo[key] = build()
            return self.memo[key]
        if key not in self.shared:
            needs, stated, self.needs, self.stated = self.needs, self.stated, {}, []
            scope = build()
            built = Built(scope, self.needs, self.stated) if isinstance(scope, Scope) else None
            self.needs, self.stated = needs, stated
            if built is None:
                self.memo[key] = scope
                return scope
            self.shared[key] = built
        built = self.shared[key]
        for need, requirement in built.needs.items():
            self.needs.setdefault(need, requirement)
        self.stated += built.stated
        return built.scope

    def reaches_inside(self) -> None:
        """A block is about to have another export. Raises Reached if it is shared."""
        if self.shared is not None:
            raise Reached

    def is_unknown(self, dim: Dim) -> bool:
        return bool(self.unknown) and not self.unknown.keys().isdisjoint(symbols(dim))

    def may_be_fixed(self, dim: Dim) -> bool:
        """Whether a dim depends on an open size, and does not depend on the input's for some of what that may be."""
        if not self.is_unknown(dim):
            return False
        several = readings.of_dim(dim, self.unknown)
        return several is None or any(isinstance(each, int) for each in several)

    @property
    def innermost(self) -> tuple[Caller, ...]:
        """The last few calls that led here, the innermost first."""
        return tuple(reversed(self.calls[-3:]))

    def fail(self, code: str, message: str, span: Span, label: str = "", **more: Any) -> Failed:
        """Reports, and returns the exception to raise."""
        self.report(code, message, span, label, **more)
        return Failed()

    def spend(self, steps: int, span: Span) -> None:
        """Counts steps, so that loops in loops end at once rather than never. Raises Exhausted past the limit."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise self.exhausted(f"it takes more than {MAX_STEPS:,} steps to unroll this network", span)

    def exhausted(self, message: str, span: Span) -> Exhausted:
        """Reports a limit that is passed, and returns the exception to raise."""
        self.report("E0503", message, span, "the limit is passed here")
        return Exhausted()

    @contextmanager
    def nested(self, span: Span) -> Iterator[None]:
        """Bounds how deep bodies stand inside each other, blocks followed. Raises Failed past the limit."""
        if self.depth == MAX_DEPTH:
            raise self.fail(
                "E0003", f"blocks, groups and loops stand more than {MAX_DEPTH} deep inside each other here", span
            )
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1


class Names:
    """Gives the submodules of a scope their names: positions in a plain sequence, else the layer's name numbered."""

    def __init__(self, plain: bool, labels: Labels) -> None:
        self.plain = plain
        self.position = 0
        self.labels = labels
        self._counts: dict[str, int] = {}

    def next(self, kind: str, taken: Mapping[str, Module]) -> str:
        """The name of an unlabelled layer or block.

        `relu`, `relu2`, …, but for labels; `relu_2` where that may be the label `relu[i]`; `train_` for a block whose
        name no module can have.
        """
        if self.plain:
            return str(self.position)
        stem = f"{kind}_" if bad_module_name(kind) else kind
        while True:
            count = self._counts[kind] = self._counts.get(kind, 0) + 1
            base, number = stem, "" if count == 1 else str(count)
            while self.labels.may_be_indexed(name := base + number):
                base += "_"
            if name not in taken and name not in self.labels.names:
                return name


@dataclass
class Frame:
    """One body in the course of elaboration. Bodies that add no scope (loops, branches) share `scope` and `names`."""

    context: Context
    scope: Scope
    unit: Unit
    names: Names
    items: list[Item]
    env: dict[str, Any]  # parameters, lets, loop variables and size symbols
    refs: dict[str, Ref]  # their variables in the emitted code, when traced
    current: Flowing | None
    entry: Flowing | None  # what entered the innermost braces: `in`
    hint: int | None = None
    training: bool = False
    parent: Frame | None = None  # of a group: the frame whose values it may name
    captured: list[Value] = field(default_factory=list)  # outer values that became inputs of this group
    calls: dict[str, Call] = field(default_factory=dict)  # label → the call behind it, for `backbone.layer3`
    shared: dict[str, SharedModule] = field(default_factory=dict)
    inits: list[tuple[Frame, tree.Init]] = field(default_factory=list)  # with where each stands
    depends: dict[str, frozenset[Ref]] = field(default_factory=dict)  # what constants come from, when traced

    def inner(self, current: Flowing | None, items: list[Item], env: Mapping[str, Any] = MappingProxyType({})) -> Frame:
        """A frame for a nested body of the same scope, entered by `current`."""
        return Frame(
            self.context,
            self.scope,
            self.unit,
            self.names,
            items,
            {**self.env, **env},
            self.refs,
            current,
            current,
            self.hint,
            self.training,
            self.parent,
            self.captured,
            self.calls,
            self.shared,
            self.inits,
            dict(self.depends),
        )

    @contextmanager
    def placed(self, hint: int | None) -> Iterator[None]:
        """What is applied inside carries the hint (an inner one wins by being set later)."""
        if hint is None:
            yield
            return
        before, self.hint = self.hint, hint
        self.scope.hinted = True
        try:
            yield
        finally:
            self.hint = before


class Read(NamedTuple):
    """One time that a join is applied: where, and to what; None for a branch that is broken."""

    frame: Frame
    branches: Sequence[Branch | None]


@dataclass(eq=False)
class SharedModule:
    """`shared head = …`: declared with its chain, built when it is first applied."""

    node: tree.Shared
    name: str
    frame: Frame
    module: Module | None = None
