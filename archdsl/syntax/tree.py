"""The syntax tree: what the author wrote, and where. Nothing here knows what a name means.

Nodes are frozen and carry a `Span`. Sums, products, comparisons and `and`/`or` are flat (`first`, then pairs), so
that the depth of a tree is the depth of its brackets, which the parser bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Node:
    span: Span


# --- expressions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a string, `true`, `false` or `none`. `1.6G` is the int 1600000000 (suffixes give ints where exact)."""

    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class SizeLiteral(Node):
    """`7x7`, `3x224x224`."""

    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare name. `in` (the block's own input) is the name "in"."""

    name: str


@dataclass(frozen=True, slots=True)
class ListExpr(Node):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x`, `+x`, `not x`; at most `MAX_DEPTH` in a row."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Arith(Node):
    """`a + b - c` or `a * b // c`: operators of one precedence, applied from the left."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`a < b` or a chain `a <= b < c`. Operators: == != < <= > >=."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`a and b and c`, or the same with `or`."""

    op: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Range(Node):
    """`first..last`, both included."""

    first: Expr
    last: Expr


@dataclass(frozen=True, slots=True)
class Attr(Node):
    base: Expr
    name: str
    name_span: Span


@dataclass(frozen=True, slots=True)
class Index(Node):
    base: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Arg(Node):
    """One argument of a call; `name` is None for a positional one."""

    name: str | None
    name_span: Span | None
    value: Expr


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`func(args)` inside an expression: a function, or a network with parameters in a claim."""

    func: Expr
    args: tuple[Arg, ...]


Expr = (
    Literal | SizeLiteral | Name | ListExpr | Unary | Arith | Compare | Logic | Range | Attr | Index | Call
)

# --- shapes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DimPattern(Node):
    """One dim of `[3, H=224, _]`: `_` is (None, None), an expression is (None, e), `H=224` is ("H", e).

    A dim that is one bare name (`C`) is (None, Name("C")); whether it binds or checks is elaboration's matter.
    """

    name: str | None
    value: Expr | None


@dataclass(frozen=True, slots=True)
class ShapePattern(Node):
    dims: tuple[DimPattern, ...]


# --- chains -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`name`, `layer[i]`, `backbone.layer3`, `rpn.scores[0]`: a head name, then fields (str) and indices (Expr).

    A label and a reference to a value look the same to the parser.
    """

    head: str
    parts: tuple[str | Expr, ...]


@dataclass(frozen=True, slots=True)
class Body(Node):
    """`{ … }`. A string that stands first is the doc."""

    doc: str | None
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Tail(Node):
    """`project`, `project downsample = chain`, `shortcut { … }` after a skip's body."""

    kind: str  # "project" or "shortcut"
    label: Path | None
    chain: Chain | None


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """`conv(64, 3)`, `relu`, `backbone.layer3`, `concat(axis=1) { … }`, `residual { … } project …`.

    `args` is None where there were no parentheses. `body` is given for combinators only.
    """

    path: Path
    args: tuple[Arg, ...] | None
    body: Body | None = None
    tail: Tail | None = None


@dataclass(frozen=True, slots=True)
class Group(Node):
    """`{ … }` as a step: a sequence."""

    body: Body


@dataclass(frozen=True, slots=True)
class Repeat(Node):
    """`repeat n { … }`."""

    count: Expr
    body: Body


Step = Apply | Group | Repeat


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """`a -> b -> c`, at least one step."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Place(Node):
    """`on gpu(1)`: `kind` is the word before the parentheses."""

    kind: str
    index: Expr


# --- statements -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flow(Node):
    """`[targets [: shape] =] chain [on place]`. No target, one, or several (`left, right = split(2)`)."""

    targets: tuple[Path, ...]
    shape: ShapePattern | None
    chain: Chain
    place: Place | None


@dataclass(frozen=True, slots=True)
class Input(Node):
    """`input image: [3, H=224, W=224] where H % 32 == 0`. `kind` is set instead of `shape` for `input rois: boxes`."""

    name: str
    name_span: Span
    shape: ShapePattern | None
    kind: str | None
    where: Expr | None


@dataclass(frozen=True, slots=True)
class Output(Node):
    """`output scores` (then `chain` is None) or `output boxes: [4] = chain on gpu(1)`."""

    target: Path
    shape: ShapePattern | None
    chain: Chain | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class Training(Node):
    body: Body


@dataclass(frozen=True, slots=True)
class Shared(Node):
    target: Path
    chain: Chain
    place: Place | None


@dataclass(frozen=True, slots=True)
class Let(Node):
    name: str
    name_span: Span
    value: Expr


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for i, n in iterable { … }`."""

    names: tuple[str, ...]
    names_span: Span
    iterable: Expr
    body: Body


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if a { } else if b { } else { }`: the conditions with their bodies, in order."""

    cases: tuple[tuple[Expr, Body], ...]
    otherwise: Body | None


@dataclass(frozen=True, slots=True)
class Claim(Node):
    """One side of an `expect`: `macs at 224x224`. `at` is the input size, if stated."""

    value: Expr
    at: SizeLiteral | None


@dataclass(frozen=True, slots=True)
class Expect(Node):
    """`expect left op right`."""

    left: Claim
    op: str
    right: Claim


@dataclass(frozen=True, slots=True)
class Init(Node):
    """`init conv, linear.weight: normal(std=0.01)`: selectors, then an initialiser."""

    selectors: tuple[Path, ...]
    initialiser: str
    initialiser_span: Span
    args: tuple[Arg, ...]


Statement = Flow | Input | Output | Training | Shared | Let | For | If | Expect | Init

# --- files ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import(Node):
    """`from "resnet.arch" import bottleneck, stage as resnet_stage` or `from zoo import …` (`path` is "zoo", not quoted)."""

    path: str
    quoted: bool
    path_span: Span
    names: tuple[tuple[str, str, Span], ...]  # (name there, name here, span)


@dataclass(frozen=True, slots=True)
class Param(Node):
    """`width`, `stride=1`, `skip: value`, `depth: int = 3`."""

    name: str
    kind: str | None
    default: Expr | None


@dataclass(frozen=True, slots=True)
class Signature(Node):
    """`: [C, H, W] -> [4 * width, H, W], [4]`: inputs, then outputs."""

    inputs: tuple[ShapePattern, ...]
    outputs: tuple[ShapePattern, ...]


@dataclass(frozen=True, slots=True)
class Definition(Node):
    """A `block` or a `network` (`kind`)."""

    kind: str
    name: str
    name_span: Span
    params: tuple[Param, ...]
    signature: Signature | None
    body: Body


@dataclass(frozen=True, slots=True)
class File(Node):
    source: Source
    imports: tuple[Import, ...]
    definitions: tuple[Definition, ...]
