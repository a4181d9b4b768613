"""The typed graph: a network as scopes (modules) that hold items (applications) over values (tensors with shapes).

It keeps the author's structure, blocks, groups, loops and combinators, because the emitter and the tables follow it. A
block that is applied again with equal arguments on equal shapes is one `Scope` that several `Call`s share, so the graph
is as large as what differs, not as what is built. `walk` visits the applications of one scope in order.

Elaboration fills a scope once; afterwards nothing changes it. Costs and placement are tables beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archdsl.graph.needs import Promise, Requirement, Stated
from archdsl.graph.traced import Ref
from archdsl.layers.base import Layer, Shape
from archdsl.source import Span
from archdsl.syntax import tree

DIMS = {  # the names of a value's dims, by its rank
    1: ("features",),
    2: ("channels", "length"),
    3: ("channels", "height", "width"),
    4: ("channels", "depth", "height", "width"),
}


class Value:
    """A tensor: its shape without the batch axis, where it came from and the name its author gave it."""

    __slots__ = (
        "alias",
        "as_pytorch",
        "companion",
        "guessed",
        "label",
        "outer",
        "pooling",
        "producer",
        "shape",
        "span",
        "training",
    )

    def __init__(
        self,
        shape: Shape,
        span: Span,
        producer: Item | None = None,
        label: str | None = None,
        training: bool = False,
        alias: Value | None = None,
        companion: Companion | None = None,
    ) -> None:
        self.shape = shape
        self.span = span
        self.producer = producer
        self.label = label
        self.training = training
        self.alias = alias  # the same tensor, its dims said in other variables (see `Loop`)
        self.companion = companion
        self.outer: Value | None = None  # of a scope's input: what is given for it, where it is first applied
        self.guessed = False  # what a refused step must have been meant to give: its network has errors
        self.as_pytorch: Shape | None = None  # its shape if calls that were warned of (W0201) are read as PyTorch's
        self.pooling: Pooling | None = None  # of a block's input: what made the value that is given for it

    @property
    def is_size(self) -> bool:
        """Whether this is the size that a pooling hands on, no tensor on any device."""
        return self.companion is not None and self.companion.kind == "size"

    @property
    def tensor(self) -> Value:
        """The value that this one is another name of."""
        value = self
        while value.alias is not None:
            value = value.alias
        return value


@dataclass(frozen=True)
class Pooling:
    """A pooling, and the shape of what it pooled."""

    layer: Layer
    source: Shape


@dataclass(frozen=True, eq=False)
class Companion:
    """What a pooling gives beside its output (`of`), for the layer that undoes it.

    `kind` is "indices" (int64: where each maximum was; the value is as large as the output) or "size" (a torch.Size of
    the spatial axes before the pooling; the value's shape is that of what was pooled).
    """

    kind: str
    of: Value


@dataclass(eq=False)
class Bundle:
    """Several values at once: the outputs of a block, of `split` or of `parallel`; by name where they have names."""

    values: list[Value]
    names: list[str | None]
    span: Span
    label: str | None = None


class Broken:
    """Stands for a value whose making failed, so that nothing is reported as a consequence."""


BROKEN = Broken()
Flowing = Value | Bundle | Broken


@dataclass(eq=False)
class Module:
    """A submodule: its name in its scope, and the layer or scope that it is."""

    name: str
    what: Layer | Scope
    weights: Mapping[str, Shape]
    buffers: Mapping[str, Shape]
    labelled: bool  # its author named it, not its place
    training: bool = False
    indices: bool = False  # of a pooling: it gives its indices too, each time it is applied


@dataclass(eq=False)
class Apply:
    """A layer applied to values. A pooling has its companions behind its output, if some layer asks for them."""

    module: Module
    layer: Layer
    inputs: list[Value]
    outputs: list[Value]
    span: Span
    hint: int | None = None
    sources: Mapping[str, tree.Expr] = field(default_factory=dict)
    first: bool = True  # False where a shared module is applied again
    applied: Span | None = None  # of a shared module, whose span is its declaration's: where it is applied
    depends: Mapping[str, frozenset[Ref]] = field(default_factory=dict)  # of each argument given, when traced


@dataclass(eq=False)
class Call:
    """A block or a labelled group applied to values."""

    module: Module
    scope: Scope
    inputs: list[Value]
    outputs: list[Value]
    span: Span
    hint: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)  # in the caller's terms
    sources: Mapping[str, tree.Expr] = field(default_factory=dict)  # of the arguments that the author gave
    exports: dict[str, Value] = field(default_factory=dict)  # values inside the scope that this caller uses
    first: bool = True
    applied: Span | None = None
    depends: Mapping[str, frozenset[Ref]] = field(default_factory=dict)  # of each argument given, when traced


@dataclass(eq=False)
class Branch:
    items: list[Item]
    value: Value
    label: str | None


@dataclass(eq=False)
class Join:
    """`concat`, `add`, `mul` over branches, or over named values (then the branches have no items)."""

    kind: str
    axis: int
    branches: list[Branch]
    output: Value
    span: Span
    hint: int | None = None


@dataclass(eq=False)
class Skip:
    """`residual`, `dense`, `gate`: a body beside the value itself, which may go through a projection.

    When traced, `depends` are the variables that decide, beside the channels, whether it does: it does where `stride`,
    the body's, is not 1, if that is known.
    """

    kind: str
    source: Value
    items: list[Item]
    body: Value
    tail: tree.Tail | None
    projection: Branch | None
    output: Value
    span: Span
    node: tree.Apply
    hint: int | None = None
    axis: int = 0
    depends: frozenset[Ref] = frozenset()
    stride: int | None = None


@dataclass(eq=False)
class Turn:
    """One turn of a loop: the value that enters it and the one that leaves it."""

    items: list[Item]
    start: Flowing | None
    end: Flowing | None


@dataclass(eq=False)
class Loop:
    """An unrolled `for` or `repeat`.

    When traced, `carried` has the variable for the first dim of the flowing value: one Ref at the start of each turn
    and one after the last; `variables` the loop's own, one row a turn; `depends` those that its turns come from.
    """

    node: tree.For | tree.Repeat
    turns: list[Turn]
    span: Span
    carried: list[Ref] = field(default_factory=list)
    variables: list[dict[str, Ref]] = field(default_factory=list)
    depends: frozenset[Ref] = frozenset()


@dataclass(eq=False)
class Choice:
    """The case of an `if` that was taken (its index; the `else` is the last), what it holds, enters and leaves it.

    When traced, `after` is the variable for the first dim of what leaves it, whichever case was taken, and `depends`
    are those that the conditions ask for.
    """

    node: tree.If
    case: int
    items: list[Item]
    entering: Flowing | None = None
    leaving: Flowing | None = None
    after: Ref | None = None
    depends: frozenset[Ref] = frozenset()


@dataclass(eq=False)
class TrainingOnly:
    items: list[Item]
    span: Span


Item = Apply | Call | Join | Skip | Loop | Choice | TrainingOnly


@dataclass(eq=False)
class Result:
    """An output of a scope; `name` is None for the only, unnamed one."""

    name: str | None
    value: Value
    training: bool = False


@dataclass(eq=False)
class Scope:
    """A module: the network, a block applied with certain arguments to certain shapes, or a labelled group."""

    kind: str  # "network", "block" or "group"
    name: str
    span: Span
    doc: str | None
    inputs: list[Value] = field(default_factory=list)
    input_names: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    modules: dict[str, Module] = field(default_factory=dict)
    labels: dict[str, Flowing] = field(default_factory=dict)
    plain: bool = False  # its names are positions
    inits: list[InitRule] = field(default_factory=list)
    exports: dict[str, Value] = field(default_factory=dict)
    definition: tree.Definition | None = None
    params: dict[str, Any] = field(default_factory=dict)
    refs: dict[str, Ref] = field(default_factory=dict)  # the variable of each parameter and input dim, when traced
    lets: dict[str, tree.Expr | None] = field(default_factory=dict)  # None: of several bodies, by one name
    decided: set[Ref] = field(default_factory=set)  # what the scope is made for, when traced: hints, branches, weights
    layers: int = 0  # applications inside, those of inner scopes included
    hinted: bool = False  # an `on` stands inside
    training: bool = False  # it is applied in training mode only
    input_hints: list[int | None] = field(default_factory=list)  # of a network: where each input arrives
    # Of a block that undoes the poolings of its arguments, what each input is: which argument (the flowing value is 0),
    # and whether that itself (""), or which companion of it.
    given: list[tuple[int, str]] = field(default_factory=list)


@dataclass(eq=False)
class InitRule:
    """`init selector: initialiser(arguments)`: for a kind of layer, or for the one parameter at a path.

    Which parameters it fills in the end is in the table of `passes/starts.py`.
    """

    kind: str | None
    path: str | None
    parameter: str
    initialiser: str
    arguments: Mapping[str, Any]
    sources: Mapping[str, tree.Expr]  # of the arguments
    span: Span  # of the selector


@dataclass(eq=False)
class Network:
    """A checked network: its scope and the typical sizes of its inputs (`sizes`: symbol → int)."""

    name: str
    scope: Scope
    symbols: tuple[str, ...]
    sizes: Mapping[str, int]
    needs: list[Requirement]
    promises: list[Promise]
    stated: list[Stated]
    definition: tree.Definition
    settings: Mapping[str, Any]


def input_dims(scope: Scope) -> Iterator[tuple[str, int, int]]:
    """The fixed dims of a block's inputs as constructor parameters: name, index of the input, axis.

    `in_channels`, `in_height`, …; for a further input `skip`, `skip_channels`, ….
    """
    for i, (name, value) in enumerate(zip(scope.input_names, scope.inputs, strict=True)):
        for axis, dim in enumerate(DIMS.get(len(value.shape), ())):
            if isinstance(value.shape[axis], int):
                yield f"{name}_{dim}", i, axis


def walk(items: list[Item]) -> Iterator[Apply | Call | Join | Skip]:
    """The applications among `items` in the order they run, into combinators and loops but not into other scopes.

    A join or a skip comes after what its branches hold.
    """
    stack: list[Iterator[Item] | Join | Skip] = [iter(items)]
    while stack:
        top = stack.pop()
        if isinstance(top, (Join, Skip)):
            yield top
            continue
        for item in top:
            if isinstance(item, (Apply, Call)):
                yield item
                continue
            stack.append(top)
            if isinstance(item, Join):
                stack.append(item)
                stack.extend(iter(branch.items) for branch in reversed(item.branches))
            elif isinstance(item, Skip):
                stack.append(item)
                if item.projection is not None:
                    stack.append(iter(item.projection.items))
                stack.append(iter(item.items))
            elif isinstance(item, Loop):
                stack.extend(iter(turn.items) for turn in reversed(item.turns))
            else:
                stack.append(iter(item.items))
            break


def everything(items: list[Item]) -> Iterator[Item]:
    """Every item among `items`, in loops, cases and combinators too, but not in other scopes."""
    stack = list(items)
    while stack:
        item = stack.pop()
        yield item
        if isinstance(item, Loop):
            stack.extend(inner for turn in item.turns for inner in turn.items)
        elif isinstance(item, Join):
            stack.extend(inner for branch in item.branches for inner in branch.items)
        elif isinstance(item, Skip):
            stack.extend((*item.items, *(item.projection.items if item.projection is not None else ())))
        elif isinstance(item, (Choice, TrainingOnly)):
            stack.extend(item.items)


def scopes(root: Scope) -> Iterator[Scope]:
    """`root` and every scope below it, each once, callees before their callers."""
    seen: set[int] = set()
    stack: list[tuple[Scope, bool]] = [(root, False)]
    while stack:
        scope, ready = stack.pop()
        if ready:
            yield scope
        elif id(scope) not in seen:
            seen.add(id(scope))
            stack.append((scope, True))
            inner = [item.scope for item in walk(scope.items) if isinstance(item, Call)]
            stack.extend((child, False) for child in reversed(inner) if id(child) not in seen)


def weight_table(scope: Scope) -> Iterator[tuple[str, Shape]]:
    """Every parameter of a scope by its name in the `state_dict`, with its shape."""
    return ((path + name, shape) for path, module in _layers(scope) for name, shape in module.weights.items())


def state_table(scope: Scope) -> Iterator[tuple[str, Shape]]:
    """Every parameter and buffer of a scope by its name in the `state_dict`, with its shape."""
    for path, module in _layers(scope):
        yield from ((path + name, shape) for name, shape in (*module.weights.items(), *module.buffers.items()))


def _layers(scope: Scope, prefix: str = "") -> Iterator[tuple[str, Module]]:
    """The layers' modules of a scope, with the paths that the names of their parameters begin with."""
    for name, module in scope.modules.items():
        if isinstance(module.what, Scope):
            yield from _layers(module.what, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}.", module
