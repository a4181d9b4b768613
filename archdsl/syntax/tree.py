"""The syntax tree: what the author wrote, and where. Nothing here knows what a name means.

Nodes do not change and carry a `Span`. Sums, products, comparisons and `and`/`or` are flat (`first`, then pairs), so
that the depth of a tree is the depth of its brackets, which the parser bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

from archdsl.source import Source, Span

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False)
def node(cls: type[T]) -> type[T]:
    """A class of nodes: a dataclass that is frozen for the type checker.

    Frozen and comparable at run time too, the forty of them would take a tenth of the time of a small spec's check.
    """
    return dataclass(slots=True, eq=False, repr=False)(cls)


@node
class Node:
    span: Span

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.span.text!r})"


# --- expressions ------------------------------------------------------------------------------------------------


@node
class Literal(Node):
    """A number, a string, `true`, `false` or `none`. `1.6G` is the int 1600000000 (suffixes give ints where exact)."""

    value: int | float | str | bool | None


@node
class SizeLiteral(Node):
    """`7x7`, `3x224x224`."""

    parts: tuple[int, ...]


@node
class Name(Node):
    """A bare name. `in` (the block's own input) is the name "in"."""

    name: str


@node
class ListExpr(Node):
    items: tuple[Expr, ...]


@node
class Unary(Node):
    """`-x`, `+x`, `not x`; at most `MAX_DEPTH` in a row."""

    op: str
    operand: Expr


@node
class Arith(Node):
    """`a + b - c` or `a * b // c`: operators of one precedence, applied from the left."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@node
class Compare(Node):
    """`a < b` or a chain `a <= b < c`. Operators: == != < <= > >=."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@node
class Logic(Node):
    """`a and b and c`, or the same with `or`."""

    op: str
    operands: tuple[Expr, ...]


@node
class Range(Node):
    """`first..last`, both included."""

    first: Expr
    last: Expr


@node
class Attr(Node):
    base: Expr
    name: str
    name_span: Span


@node
class Index(Node):
    base: Expr
    index: Expr


@node
class Arg(Node):
    """One argument of a call; `name` is None for a positional one."""

    name: str | None
    name_span: Span | None
    value: Expr


@node
class Call(Node):
    """`func(args)` inside an expression: a function, or a network with parameters in a claim."""

    func: Expr
    args: tuple[Arg, ...]


Expr = Literal | SizeLiteral | Name | ListExpr | Unary | Arith | Compare | Logic | Range | Attr | Index | Call

# --- shapes -----------------------------------------------------------------------------------------------------


@node
class DimPattern(Node):
    """One dim of `[3, H=224, _]`: `_` is (None, None), an expression is (None, e), `H=224` is ("H", e).

    A dim that is one bare name (`C`) is (None, Name("C")); whether it binds or checks is elaboration's matter.
    """

    name: str | None
    value: Expr | None


@node
class ShapePattern(Node):
    dims: tuple[DimPattern, ...]


# --- chains -----------------------------------------------------------------------------------------------------


@node
class Path(Node):
    """`name`, `layer[i]`, `backbone.layer3`, `rpn.scores[0]`: a head name, then fields (str) and indices (Expr).

    A label and a reference to a value look the same to the parser.
    """

    head: str
    parts: tuple[str | Expr, ...]


@node
class Body(Node):
    """`{ … }`. A string that stands first is the doc."""

    doc: str | None
    statements: tuple[Statement, ...]


@node
class Tail(Node):
    """`project`, `project downsample = chain`, `shortcut { … }` after a skip's body."""

    kind: str  # "project" or "shortcut"
    label: Path | None
    chain: Chain | None


@node
class Apply(Node):
    """`conv(64, 3)`, `relu`, `backbone.layer3`, `concat(axis=1) { … }`, `residual { … } project …`.

    `args` is None where there were no parentheses. `body` is given for combinators only.
    """

    path: Path
    args: tuple[Arg, ...] | None
    body: Body | None = None
    tail: Tail | None = None


@node
class Group(Node):
    """`{ … }` as a step: a sequence."""

    body: Body


@node
class Repeat(Node):
    """`repeat n { … }`."""

    count: Expr
    body: Body


Step = Apply | Group | Repeat


@node
class Chain(Node):
    """`a -> b -> c`, at least one step."""

    steps: tuple[Step, ...]


@node
class Place(Node):
    """`on gpu(1)`: `kind` is the word before the parentheses."""

    kind: str
    index: Expr


# --- statements -------------------------------------------------------------------------------------------------


@node
class Flow(Node):
    """`[targets [: shape] =] chain [on place]`. No target, one, or several (`left, right = split(2)`)."""

    targets: tuple[Path, ...]
    shape: ShapePattern | None
    chain: Chain
    place: Place | None


@node
class Input(Node):
    """`input image: [3, H=224, W=224] where H % 32 == 0 on gpu(1)`. `input rois: boxes` has a `kind` and no `shape`."""

    name: str
    name_span: Span
    shape: ShapePattern | None
    kind: str | None
    where: Expr | None
    place: Place | None


@node
class Output(Node):
    """`output scores` (then `chain` is None) or `output boxes: [4] = chain on gpu(1)`."""

    target: Path
    shape: ShapePattern | None
    chain: Chain | None
    place: Place | None


@node
class Training(Node):
    body: Body
    place: Place | None


@node
class Shared(Node):
    target: Path
    chain: Chain
    place: Place | None


@node
class Let(Node):
    name: str
    name_span: Span
    value: Expr


@node
class For(Node):
    """`for i, n in iterable { … }`."""

    names: tuple[str, ...]
    names_span: Span
    iterable: Expr
    body: Body
    place: Place | None


@node
class If(Node):
    """`if a { } else if b { } else { }`: the conditions with their bodies, in order; a place is that of all cases."""

    cases: tuple[tuple[Expr, Body], ...]
    otherwise: Body | None
    place: Place | None


@node
class Claim(Node):
    """One side of an `expect`: `macs at 224x224`. `at` is the input size, if stated."""

    value: Expr
    at: SizeLiteral | None


@node
class Expect(Node):
    """`expect left op right`."""

    left: Claim
    op: str
    right: Claim


@node
class Init(Node):
    """`init conv, linear.weight: normal(std=0.01)`: selectors, then an initialiser."""

    selectors: tuple[Path, ...]
    initialiser: str
    initialiser_span: Span
    args: tuple[Arg, ...]


Statement = Flow | Input | Output | Training | Shared | Let | For | If | Expect | Init

# --- files ------------------------------------------------------------------------------------------------------


@node
class Import(Node):
    """`from "resnet.arch" import bottleneck, stage as wide` or `from zoo import …` (`path` is "zoo", not quoted)."""

    path: str
    quoted: bool
    path_span: Span
    names: tuple[tuple[str, str, Span], ...]  # (name there, name here, span)


@node
class Param(Node):
    """`width`, `stride=1`, `skip: value`, `depth: int = 3`."""

    name: str
    kind: str | None
    default: Expr | None


@node
class Signature(Node):
    """`: [C, H, W] -> [4 * width, H, W], [4]`: inputs, then outputs."""

    inputs: tuple[ShapePattern, ...]
    outputs: tuple[ShapePattern, ...]


@node
class Definition(Node):
    """A `block` or a `network` (`kind`)."""

    kind: str
    name: str
    name_span: Span
    params: tuple[Param, ...]
    signature: Signature | None
    body: Body


@node
class File(Node):
    """`broken` has the offsets at which something could not be read; it is missing from the tree."""

    source: Source
    imports: tuple[Import, ...]
    definitions: tuple[Definition, ...]
    broken: tuple[int, ...]


def descendants(node: Node) -> Iterator[Node]:
    """Every node below one, in no particular order."""
    left: list[object] = [getattr(node, name) for name in node.__dataclass_fields__]
    while left:
        at = left.pop()
        if isinstance(at, Node):
            yield at
            left += [getattr(at, name) for name in at.__dataclass_fields__]
        elif type(at) is tuple:  # not a span, which is one too
            left += at
