"""Numbers that remember how they came about, so that emitted code keeps the author's arithmetic.

While a spec is elaborated for the emitter, a block's parameters, the dims of its inputs and loop variables are
`Traced` (or `TracedFloat`): ints for every purpose of the checker, with an expression beside the value. Shape rules
compute on them without knowing, and `nn.Conv2d(width, 4 * width, 1)` comes out as written. Of an expression of more
than `MAX_PARTS` parts only the variables are kept: nobody would read it, and sums of sums of sums grow without bound.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

MAX_PARTS = 32


@dataclass(frozen=True, eq=False)
class Ref:
    """A variable of the emitted code: a parameter, a loop variable or the channels that flow through a loop.

    `origin` is what it stands for where the emitted code has no such variable (an unrolled loop, say): a value of the
    language or a traced number. `depends` are further variables that decide which origin it has: of a loop's count,
    of the condition of a case. `within` is the variable of a block that it stands for in the block's caller.
    """

    name: str
    origin: Any
    depends: frozenset[Ref] = frozenset()
    within: Ref | None = None


@dataclass(frozen=True)
class Op:
    """`left op right`, an operator of the language; operands are Ref, Op, Fn or plain numbers."""

    op: str
    left: Any
    right: Any
    parts: int = 1


@dataclass(frozen=True)
class Fn:
    """`name(args)` of the language's functions, or `args[0][args[1]]` where the name is "[]"."""

    name: str
    args: tuple[Any, ...]
    value: float

    @property
    def parts(self) -> int:
        return 1 + sum(map(parts, self.args))


@dataclass(frozen=True)
class Opaque:
    """A number that is calculated from variables in a way that is not kept."""

    refs: frozenset[Ref]
    value: float


Expr = Ref | Op | Fn | Opaque | int | float


def expr_of(value: Any) -> Any:
    """The expression of a traced number; a plain value is its own."""
    return value.expr if isinstance(value, (Traced, TracedFloat)) else value


def plain(value: Any) -> Any:
    """A number without its expression."""
    if isinstance(value, Traced):
        return int(value)
    return float(value) if isinstance(value, TracedFloat) else value


def traced(value: Any, expr: Any) -> Any:
    """A number with an expression; other values, true and false among them, are left alone."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return Traced(int(value), expr) if isinstance(value, int) else TracedFloat(value, expr)


def refs(value: Any) -> frozenset[Ref]:
    """The variables in a value, a list or an expression; what these stand for is not followed."""
    if isinstance(value, (Traced, TracedFloat)):
        return refs(value.expr)
    if isinstance(value, Ref):
        return frozenset({value})
    if isinstance(value, Op):
        return refs(value.left) | refs(value.right)
    if isinstance(value, Fn):
        return refs(value.args)
    if isinstance(value, Opaque):
        return value.refs
    return frozenset().union(*map(refs, value)) if isinstance(value, (tuple, list)) else frozenset()


def traceable(value: Any) -> bool:
    """Whether a value is of a kind that can remember how it came about; true, false and strings are not."""
    return isinstance(value, (int, float, list, tuple)) and not isinstance(value, bool)


def parts(expr: Any) -> int:
    """How many operators, calls and operands an expression has; an item of a list counts as one."""
    if isinstance(expr, tuple):
        return sum(map(parts, expr))
    return expr.parts if isinstance(expr, (Op, Fn)) else 1


class _Calculates:
    """The operators of traced numbers."""

    def __add__(self, other: Any) -> Any:
        return calculate("+", self, other) if _changes(other, 0) else self

    def __radd__(self, other: Any) -> Any:
        return calculate("+", other, self) if _changes(other, 0) else self

    def __sub__(self, other: Any) -> Any:
        return calculate("-", self, other) if _changes(other, 0) else self

    def __rsub__(self, other: Any) -> Any:
        return calculate("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return calculate("*", self, other) if _changes(other, 1) else self

    def __rmul__(self, other: Any) -> Any:
        return calculate("*", other, self) if _changes(other, 1) else self

    def __truediv__(self, other: Any) -> Any:
        return calculate("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return calculate("/", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return calculate("//", self, other) if isinstance(self, float) or _changes(other, 1) else self

    def __rfloordiv__(self, other: Any) -> Any:
        return calculate("//", other, self)

    def __neg__(self) -> Any:
        return calculate("-", 0, self)

    def __pos__(self) -> Any:
        return self

    def __mod__(self, other: Any) -> Any:
        return calculate("%", self, other)

    def __rmod__(self, other: Any) -> Any:
        return calculate("%", other, self)


class Traced(_Calculates, int):
    """An int with its expression (`expr`)."""

    expr: Any

    def __new__(cls, value: int, expr: Any) -> Traced:
        self = super().__new__(cls, value)
        self.expr = expr
        return self

    @staticmethod
    def extreme(function: Callable[[int, int], int], a: int, b: int) -> int:
        """min or max of two numbers, of which one is traced: both may be either for other values of the variables."""
        value = function(int(a), int(b))
        call = Fn(function.__name__, (expr_of(a), expr_of(b)), value)
        return Traced(value, call if call.parts <= MAX_PARTS else Opaque(refs(call.args), value))

    __hash__ = int.__hash__


class TracedFloat(_Calculates, float):
    """A float with its expression (`expr`)."""

    expr: Any

    def __new__(cls, value: float, expr: Any) -> TracedFloat:
        self = super().__new__(cls, value)
        self.expr = expr
        return self

    __hash__ = float.__hash__


OPS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _changes(other: Any, neutral: int) -> bool:
    """Whether an operand is not the neutral int, which leaves the other one as it is."""
    return not (type(other) is int and other == neutral)


def calculate(op: str, left: Any, right: Any) -> Any:
    """`left op right` with its expression; NotImplemented for sizes, which go their own way.

    Python does not ask a traced int that stands behind a float, so the operators alone would lose it.
    """
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return NotImplemented
    value = OPS[op](plain(left), plain(right))
    simple = _simplified(op, expr_of(left), expr_of(right)) if isinstance(value, int) else None
    if simple is not None:
        return traced(value, simple)
    return traced(value, _op(op, expr_of(left), expr_of(right), value))


def _simplified(op: str, left: Any, right: Any) -> Any:
    """What the layers' own arithmetic leaves behind, said shorter; None if there is nothing to simplify. Of integers.

    Half of twice a width, as `chunk(2)` has it, is the width; and `k - 1 + 1`, the reach of a window, is `k`.
    """
    if type(right) is int and isinstance(left, Op) and type(left.right) is int and {op, left.op} == {"+", "-"}:
        rest = left.right - right
        return Op(left.op if rest > 0 else op, left.left, abs(rest), 2 + parts(left.left)) if rest else left.left
    if op == "//" and type(right) is int and isinstance(left, Op):
        if left.op == "*" and right in (left.left, left.right) and right != 0:
            return left.right if left.left == right else left.left
        if left.op == "-" and left.left == 0 and isinstance(left.right, Op):
            half = _simplified(op, left.right, right)
            return None if half is None else Op("-", 0, half, 2 + parts(half))
    if op == "-" and left == 0 and isinstance(right, Op) and right.op == "-" and right.left == 0:
        return right.right
    return None


def _op(op: str, left: Any, right: Any, value: float) -> Op | Opaque:
    """The operation as an expression; only what it depends on if it has too many parts."""
    count = 1 + parts(left) + parts(right)
    return Op(op, left, right, count) if count <= MAX_PARTS else Opaque(refs(left) | refs(right), value)


def substitute(
    value: Any, bindings: Mapping[Ref, Any], depends: Mapping[Ref, frozenset[Ref]] = MappingProxyType({})
) -> Any:
    """A traced number of a block in its caller's terms.

    Each Ref in `bindings` becomes what it is bound to; any other, the channels behind a loop say, a Ref of the
    caller's over what it stands for. `depends` are the caller's variables that a bound Ref depends on, beyond those in
    its value.
    """
    if not isinstance(value, (Traced, TracedFloat)):
        return value
    rebuild = _Rebuild(bindings, depends)
    try:
        expr = rebuild.expr(value.expr)
        return traced(plain(value), expr) if refs(expr) else plain(value)
    except _TooLong:
        return traced(plain(value), Opaque(rebuild.among(refs(value.expr)), plain(value)))


class _TooLong(Exception):
    """An expression gets more than `MAX_PARTS` parts."""


@dataclass
class _Rebuild:
    bindings: Mapping[Ref, Any]
    depends: Mapping[Ref, frozenset[Ref]]

    def expr(self, expr: Any) -> Any:
        match expr:
            case Ref() if expr in self.bindings:
                return expr_of(self.bindings[expr])
            case Ref():
                inner = self.expr(expr_of(expr.origin))
                found = self.among(expr.depends)
                return Ref("", traced(plain(expr.origin), inner), found, expr) if found else inner
            case Op():
                left, right = self.expr(expr.left), self.expr(expr.right)
                if refs(left) or refs(right):
                    count = 1 + parts(left) + parts(right)
                    if count > MAX_PARTS:
                        raise _TooLong
                    return Op(expr.op, left, right, count)
                return OPS[expr.op](value_of(left), value_of(right))
            case Fn():
                call = Fn(expr.name, tuple(map(self.expr, expr.args)), expr.value)
                if call.parts > MAX_PARTS:
                    raise _TooLong
                return call if refs(call.args) else expr.value
            case Opaque():
                return Opaque(self.among(expr.refs), expr.value)
            case tuple():
                return tuple(map(self.expr, expr))
        return expr

    def among(self, found: frozenset[Ref]) -> frozenset[Ref]:
        """What variables of the block are in the caller: each with what it stands for."""
        out: set[Ref] = set()
        stack, seen = list(found), set(found)
        while stack:
            ref = stack.pop()
            if ref in self.bindings:
                out |= refs(self.bindings[ref]) | self.depends.get(ref, frozenset())
                continue
            more = (refs(ref.origin) | ref.depends) - seen
            seen |= more
            stack.extend(more)
        return frozenset(out)


def value_of(expr: Any) -> Any:
    """The number that an expression without variables is."""
    return expr.value if isinstance(expr, (Fn, Opaque)) else expr


class IndexedName(str):
    """A label such as `layer2` that remembers its parts, `layer` and the (traced) 2."""

    parts: tuple[str | int, ...]

    def __new__(cls, parts: list[str | int]) -> IndexedName:
        self = super().__new__(cls, "".join(part if isinstance(part, str) else str(int(part)) for part in parts))
        self.parts = tuple(parts)
        return self
