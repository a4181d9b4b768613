"""Integers that remember how they came about, so that emitted code keeps the author's arithmetic.

While a spec is elaborated for the emitter, a block's parameters, the dims of its inputs and loop variables are
`Traced`: ints for every purpose of the checker, with an expression beside the value. Shape rules compute on them
without knowing, and `nn.Conv2d(width, 4 * width, 1)` comes out as written. An expression of more than `MAX_PARTS` parts
is dropped for its value: nobody would read it, and sums of sums of sums grow without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_PARTS = 64


@dataclass(frozen=True, eq=False)
class Ref:
    """A variable of the emitted code: a parameter, a loop variable or the channels that flow through a loop.

    `origin` is what it stands for where the emitted code has no such variable (an unrolled loop, say): a value of the
    language or a traced int.
    """

    name: str
    origin: Any


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
    value: int

    @property
    def parts(self) -> int:
        return 1 + sum(map(parts, self.args))


Expr = Ref | Op | Fn | int | float


def expr_of(value: Any) -> Any:
    """The expression of a traced int; a plain value is its own."""
    return value.expr if isinstance(value, Traced) else value


def parts(expr: Any) -> int:
    """How many operators, calls and operands an expression has; an item of a list counts as one."""
    if isinstance(expr, tuple):
        return sum(map(parts, expr))
    return expr.parts if isinstance(expr, (Op, Fn)) else 1


class Traced(int):
    """An int with its expression (`expr`)."""

    expr: Any

    def __new__(cls, value: int, expr: Any) -> Traced:
        self = super().__new__(cls, value)
        self.expr = expr
        return self

    def __add__(self, other: Any) -> Any:
        return _combine("+", self, other) if other != 0 else self

    def __radd__(self, other: Any) -> Any:
        return _combine("+", other, self) if other != 0 else self

    def __sub__(self, other: Any) -> Any:
        return _combine("-", self, other) if other != 0 else self

    def __rsub__(self, other: Any) -> Any:
        return _combine("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _combine("*", self, other) if _not_one(other) else self

    def __rmul__(self, other: Any) -> Any:
        return _combine("*", other, self) if _not_one(other) else self

    def __floordiv__(self, other: Any) -> Any:
        return _combine("//", self, other) if _not_one(other) else self

    def __rfloordiv__(self, other: Any) -> Any:
        return _combine("//", other, self)

    def __mod__(self, other: Any) -> Any:
        return _combine("%", self, other)

    def __rmod__(self, other: Any) -> Any:
        return _combine("%", other, self)

    __hash__ = int.__hash__


OPS: Mapping[str, Callable[[int, int], int]] = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "//": int.__floordiv__,
    "%": int.__mod__,
}


def _not_one(other: Any) -> bool:
    return not (type(other) is int and other == 1)


def _combine(op: str, left: Any, right: Any) -> Any:
    """`left op right` with its expression; sizes and floats go their own way."""
    if not isinstance(left, int) or not isinstance(right, int):
        return NotImplemented
    value = OPS[op](int(left), int(right))
    expr = _op(op, expr_of(left), expr_of(right))
    return value if expr is None else Traced(value, expr)


def _op(op: str, left: Any, right: Any) -> Op | None:
    """The operation as an expression; None if it has too many parts."""
    count = 1 + parts(left) + parts(right)
    return Op(op, left, right, count) if count <= MAX_PARTS else None


class _TooLong(Exception):
    """An expression gets more than `MAX_PARTS` parts."""


def substitute(value: Any, bindings: Mapping[Ref, Any]) -> Any:
    """A traced int said in other variables: each Ref in `bindings` becomes the (plain or traced) int it is bound to."""
    if not isinstance(value, Traced):
        return value
    try:
        rebuilt = _rebuild(value.expr, bindings)
    except _TooLong:
        return int(value)
    return Traced(int(value), expr_of(rebuilt)) if isinstance(rebuilt, Traced) else int(value)


def _rebuild(expr: Any, bindings: Mapping[Ref, Any]) -> Any:
    match expr:
        case Ref():
            return bindings[expr] if expr in bindings else Traced(0, expr)
        case Op():
            left, right = _rebuild(expr.left, bindings), _rebuild(expr.right, bindings)
            if isinstance(left, Traced) or isinstance(right, Traced):
                found = _op(expr.op, expr_of(left), expr_of(right))
                if found is None:
                    raise _TooLong
                return Traced(0, found)
            return OPS[expr.op](int(left), int(right))
        case Fn():
            args = tuple(_rebuild(arg, bindings) for arg in expr.args)
            call = Fn(expr.name, tuple(expr_of(arg) for arg in args), expr.value)
            if call.parts > MAX_PARTS:
                raise _TooLong
            return Traced(0, call)
        case tuple():
            return tuple(expr_of(_rebuild(item, bindings)) for item in expr)
    return expr


class IndexedName(str):
    """A label such as `layer2` that remembers its parts, `layer` and the (traced) 2."""

    parts: tuple[str | int, ...]

    def __new__(cls, parts: list[str | int]) -> IndexedName:
        self = super().__new__(cls, "".join(part if isinstance(part, str) else str(int(part)) for part in parts))
        self.parts = tuple(parts)
        return self
