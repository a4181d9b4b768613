"""What the operators do not say: functions on dims, whether they are numbers, sizes or polynomials of sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeGuard

from archdsl.sizes.errors import SizeError
from archdsl.sizes.poly import Poly
from archdsl.sizes.size import Dim, Size, merged


def is_fixed(dim: Dim) -> TypeGuard[int]:
    """Whether a dim is one number for every input."""
    return isinstance(dim, int)


def symbols(dim: Dim) -> frozenset[str]:
    """The symbols that a dim depends on."""
    if isinstance(dim, int):
        return frozenset()
    return frozenset((dim.symbol,)) if isinstance(dim, Size) else dim.symbols


def evaluate(dim: Dim, env: Mapping[str, int]) -> int:
    """The value of a dim where the symbols have the values of `env`."""
    return dim if isinstance(dim, int) else dim.at(env)


def given(dim: Dim, env: Mapping[str, int]) -> Dim:
    """A dim where some symbols have the values of `env`, and others stay open."""
    if isinstance(dim, Poly):
        return dim.partly(env)
    return dim.at(env) if isinstance(dim, Size) and dim.symbol in env else dim


def renamed(dim: Dim, names: Mapping[str, str]) -> Dim:
    """A dim in other symbols; several may become one."""
    if isinstance(dim, Poly):
        return dim.renamed(names)
    return Size(names.get(dim.symbol, dim.symbol), dim.form) if isinstance(dim, Size) else dim


def product(dims: Iterable[Dim]) -> Dim:
    """The product of dims, 1 if there are none."""
    result: Dim = 1
    for i, dim in enumerate(dims):
        result = result * dim if i else dim
    return result


def ceil_div(x: Dim, n: int) -> Dim:
    """x/n rounded up, for n >= 1."""
    return -(-x // n) if isinstance(x, int) else (x + (n - 1)) // n


def smallest(a: Dim, b: Dim) -> Dim:
    """min(a, b) for every input at once."""
    if isinstance(a, int) and isinstance(b, int):
        return _extreme(min, a, b)
    if isinstance(a, Poly) or isinstance(b, Poly):
        return _same(a, b, "min")
    return merged("min", a, b)


def largest(a: Dim, b: Dim) -> Dim:
    """max(a, b) for every input at once."""
    if isinstance(a, int) and isinstance(b, int):
        return _extreme(max, a, b)
    if isinstance(a, Poly) or isinstance(b, Poly):
        return _same(a, b, "max")
    return merged("max", a, b)


def _extreme(function: Callable[[int, int], int], a: int, b: int) -> int:
    """min or max of two numbers; one that remembers how it came about has its own way, as it has of operators."""
    own = getattr(a, "extreme", None) or getattr(b, "extreme", None)
    return function(a, b) if own is None else own(function, a, b)


def _same(a: Dim, b: Dim, name: str) -> Dim:
    """min and max of polynomials have no form here, unless the difference is one number."""
    apart = a - b
    if isinstance(apart, int):
        return a if (apart <= 0) == (name == "min") else b
    raise SizeError(f"{name}({a}, {b}) of products of sizes cannot be written down")
