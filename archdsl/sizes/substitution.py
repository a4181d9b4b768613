"""What a relation between symbols says of each of them: `H == 2*W` of H, of W, and of other relations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archdsl.sizes.arithmetic import product
from archdsl.sizes.conditions import Among, AtLeast, Condition, Divisible, Equal, solved
from archdsl.sizes.errors import SizeError
from archdsl.sizes.floor import Floor
from archdsl.sizes.naturals import Naturals
from archdsl.sizes.poly import Poly
from archdsl.sizes.size import Dim, Size, symbol


class Solved(NamedTuple):
    """A symbol that is a function of another one."""

    symbol: str
    size: Size


def solved_for(relation: Condition) -> list[Solved]:
    """The symbols that an equation gives as a closed form of another symbol."""
    if not isinstance(relation, Equal):
        return []
    sides = (relation.left, relation.right), (relation.right, relation.left)
    return [
        Solved(name.symbol, size)
        for name, size in sides
        if isinstance(name, Size) and isinstance(size, Size) and name == symbol(name.symbol)
        if name.symbol != size.symbol and isinstance(size.form, Floor) and size.form.scale > 0
    ]


def substituted(condition: Condition, by: Solved) -> Condition:
    """The condition with a function of another symbol in the place of a symbol. Raises SizeError if it has no form."""
    match condition:
        case AtLeast(size, minimum):
            return AtLeast(_substituted(size, by), minimum)
        case Divisible(size, n):
            return Divisible(_substituted(size, by), n)
        case Equal(left, right):
            return Equal(_substituted(left, by), _substituted(right, by))
        case Among(name, values) if name == by.symbol:
            if not isinstance(by.size.form, Floor):
                raise SizeError(f"{by.size} has no closed form")
            return Among(by.size.symbol, values.preimage(by.size.form))
    return condition


def _substituted(dim: Dim, by: Solved) -> Dim:
    if isinstance(dim, Poly):
        total: Dim = 0
        for factors, count in dim.terms.items():
            total = total + product(_substituted(size, by) for size in factors) * count
        return total
    if not isinstance(dim, Size) or dim.symbol != by.symbol:
        return dim
    form = dim.form
    if not isinstance(form, Floor):
        raise SizeError(f"{dim} has no closed form")
    return (by.size + form.shift) // form.step * form.scale + form.offset


def bounds(relation: Condition, values: Mapping[str, Naturals]) -> Iterable[Among]:
    """What follows for each symbol of a sum that is at least some number: the others at most make it so large."""
    sums = [relation] if isinstance(relation, AtLeast) else []
    if isinstance(relation, Equal):
        apart = relation.left - relation.right
        sums = [AtLeast(apart, 0), AtLeast(-apart, 0)]
    for each in sums:
        ends = _largest(each.size, values)
        for name in each.symbols:
            others = {other: ends.get(other) for other in each.symbols if other != name}
            known = {other: end for other, end in others.items() if end is not None}
            found = solved(each.given(known)) if len(known) == len(others) else True
            if isinstance(found, Among):
                yield found


def _largest(size: Dim, values: Mapping[str, Naturals]) -> dict[str, int | None]:
    """For each symbol the value at which a sum is largest; None if it has none, or is not easily seen to have one."""
    ends: dict[str, int | None] = {}
    for factors, count in (size.terms if isinstance(size, Poly) else {}).items():
        for factor in factors:
            first, last = values[factor.symbol].first, values[factor.symbol].last
            form = factor.form
            monotone = isinstance(form, Floor) and form.scale > 0 and first is not None and form.at(first) >= 0
            end = (last if count > 0 else first) if monotone else None
            ends[factor.symbol] = end if ends.setdefault(factor.symbol, end) == end else None
    return ends
