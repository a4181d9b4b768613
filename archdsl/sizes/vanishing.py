"""Whether a sum of products of sizes vanishes for every input, decided exactly from finitely many inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import lcm, prod
from typing import TypeAlias

from archdsl.sizes.errors import LONGEST_TABLE, SizeError
from archdsl.sizes.floor import Floor
from archdsl.sizes.periodic import Periodic, reduced
from archdsl.sizes.size import Size

Monomial: TypeAlias = tuple[Size, ...]
Terms: TypeAlias = Mapping[Monomial, int]


def merged(terms: Iterable[tuple[Monomial, int]]) -> dict[Monomial, int]:
    """Add up like terms, and drop those that cancel."""
    total: dict[Monomial, int] = {}
    for monomial, count in terms:
        total[monomial] = total.get(monomial, 0) + count
    return {monomial: count for monomial, count in total.items() if count}


def difference(left: Terms, right: Terms) -> dict[Monomial, int]:
    return merged([*left.items(), *((monomial, -count) for monomial, count in right.items())])


def symbols(terms: Terms) -> frozenset[str]:
    return frozenset(size.symbol for monomial in terms for size in monomial)


def value(terms: Terms, env: Mapping[str, int]) -> int:
    return sum(count * prod(size.at(env) for size in monomial) for monomial, count in terms.items())


def substituted(terms: Terms, env: Mapping[str, int]) -> dict[Monomial, int]:
    """Give values to the symbols in `env`, and keep the others."""
    return merged(
        (
            tuple(size for size in monomial if size.symbol not in env),
            count * prod(size.at(env) for size in monomial if size.symbol in env),
        )
        for monomial, count in terms.items()
    )


def vanishes(terms: Terms) -> bool:
    """Whether the sum is 0 for every input.

    Sort it by one symbol: the sum over i of F_i(h)*G_i, where the G_i do not depend on h. It vanishes for all h if it
    does for some h whose rows (F_1(h), F_2(h), …) span the space of all such rows; at most as many as there are F_i
    will do. Each leaves a sum in one symbol less.
    """
    name = min(symbols(terms), default=None)
    if name is None:
        return not any(terms.values())
    functions = {tuple(size for size in monomial if size.symbol == name) for monomial in terms}
    return all(vanishes(substituted(terms, {name: h})) for h in _spanning(name, sorted(functions, key=len)))


def _spanning(name: str, functions: list[Monomial]) -> Iterator[int]:
    """Values of a symbol at which the rows of these functions' values are a basis of their rows at all values.

    From some h on, a product of d sizes is, on each residue of the common period, a polynomial of degree d in the
    number of the period, and d + 1 periods determine it. So no row after them adds to the basis, nor does any once
    there are as many as functions.
    """
    basis: dict[int, list[Fraction]] = {}  # by the column of the leading 1
    begin, period = _settled({size for monomial in functions for size in monomial})
    for h in range(1, begin + period * (max(map(len, functions)) + 1) + 1):
        if len(basis) == len(functions):
            return
        if h > LONGEST_TABLE:
            raise SizeError(f"products of sizes would have to be compared at {LONGEST_TABLE:,} values and more")
        row = [Fraction(prod(size.form.at(h) for size in monomial)) for monomial in functions]
        for column, other in sorted(basis.items()):
            if row[column]:
                row = [v - row[column] * w for v, w in zip(row, other, strict=True)]
        column = next((i for i, v in enumerate(row) if v), -1)
        if column >= 0:
            basis[column] = [v / row[column] for v in row]
            yield h


def _settled(sizes: Iterable[Size]) -> tuple[int, int]:
    """How many values come before all sizes have settled into their pattern, and the period they have in common."""
    begin, period = 0, 1
    for size in sizes:
        if isinstance(size.form, Floor):
            period = lcm(period, size.form.step)
        else:
            begin, period = max(begin, len(size.form.first)), lcm(period, size.form.period)
    return begin, period


def without_idle(terms: Terms) -> Terms:
    """Set symbols to 1 on which the sum does not depend, although it is written with them."""
    for name in symbols(terms):
        without = substituted(terms, {name: 1})
        if vanishes(difference(terms, without)):
            terms = without
    return terms


def function(name: str, terms: Terms) -> Floor | Periodic | int | None:
    """The form of a sum in one symbol, None if it grows like a product.

    Only one function can be it, the one that goes on as the sum does over two periods.
    """
    begin, period = _settled({size for monomial in terms for size in monomial})
    begin = (begin // period + 1) * period
    if begin + 2 * period > LONGEST_TABLE:
        raise SizeError(f"products of sizes would have to be compared at {LONGEST_TABLE:,} values and more")
    values = [value(terms, {name: h}) for h in range(1, begin + period + 1)]
    rise = values[begin + period - 1] - values[begin - 1]
    pattern = [v - rise * (begin // period) for v in values[begin - 1 : begin - 1 + period]]
    form = reduced(values[: begin - 1], pattern, rise)
    rest: Terms = {(): form} if isinstance(form, int) else {(Size(name, form),): 1}
    return form if vanishes(difference(terms, rest)) else None
