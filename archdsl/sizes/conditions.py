"""What shape inference asks of sizes, and the values of one symbol for which it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import TypeAlias

from archdsl.sizes.arithmetic import evaluate, given, renamed, symbols
from archdsl.sizes.floor import Floor
from archdsl.sizes.naturals import EVERY, NONE, Naturals
from archdsl.sizes.periodic import Periodic, within
from archdsl.sizes.phrases import phrases
from archdsl.sizes.poly import Poly
from archdsl.sizes.size import Dim, Size


@dataclass(frozen=True)
class AtLeast:
    """The size is `minimum` or more."""

    size: Dim
    minimum: int

    def holds(self, env: Mapping[str, int]) -> bool:
        return evaluate(self.size, env) >= self.minimum

    def given(self, env: Mapping[str, int]) -> AtLeast:
        return AtLeast(given(self.size, env), self.minimum)

    def renamed(self, names: Mapping[str, str]) -> AtLeast:
        return AtLeast(renamed(self.size, names), self.minimum)

    @property
    def symbols(self) -> frozenset[str]:
        return symbols(self.size)

    def __str__(self) -> str:
        if not isinstance(self.size, Poly):
            return f"{self.size} >= {self.minimum}"
        larger, smaller = Poly.of(self.size - self.minimum).sides(1)
        return f"{larger} >= {smaller}"


@dataclass(frozen=True)
class Equal:
    """The two sizes agree."""

    left: Dim
    right: Dim

    def holds(self, env: Mapping[str, int]) -> bool:
        return evaluate(self.left, env) == evaluate(self.right, env)

    def given(self, env: Mapping[str, int]) -> Equal:
        return Equal(given(self.left, env), given(self.right, env))

    def renamed(self, names: Mapping[str, str]) -> Equal:
        return Equal(renamed(self.left, names), renamed(self.right, names))

    @property
    def symbols(self) -> frozenset[str]:
        return symbols(self.left) | symbols(self.right)

    def __str__(self) -> str:
        return f"{self.left} == {self.right}"


@dataclass(frozen=True)
class Divisible:
    """The size is a multiple of `by`, which is 1 or more."""

    size: Dim
    by: int

    def holds(self, env: Mapping[str, int]) -> bool:
        return evaluate(self.size, env) % self.by == 0

    def given(self, env: Mapping[str, int]) -> Divisible:
        return Divisible(given(self.size, env), self.by)

    def renamed(self, names: Mapping[str, str]) -> Divisible:
        return Divisible(renamed(self.size, names), self.by)

    @property
    def symbols(self) -> frozenset[str]:
        return symbols(self.size)

    def __str__(self) -> str:
        return f"{self.size} is a multiple of {self.by}"


@dataclass(frozen=True)
class Among:
    """The symbol has one of these values."""

    symbol: str
    values: Naturals

    def holds(self, env: Mapping[str, int]) -> bool:
        return env[self.symbol] in self.values

    def given(self, env: Mapping[str, int]) -> Among:
        return Among(self.symbol, EVERY) if self.symbol in env and self.holds(env) else self

    def renamed(self, names: Mapping[str, str]) -> Among:
        return Among(names.get(self.symbol, self.symbol), self.values)

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset((self.symbol,))

    def __str__(self) -> str:
        return phrases({self.symbol: self.values})


Condition: TypeAlias = AtLeast | Equal | Divisible | Among


@lru_cache(maxsize=4096)  # layer after layer asks the same of the same sizes, and each is asked for again at the end
def solved(condition: Condition) -> bool | Condition:
    """Whether it holds, if no input matters; for which values, if one symbol does; itself, if it mixes symbols."""
    if isinstance(condition, Among):
        return condition
    if isinstance(condition, Equal):
        apart = condition.left - condition.right
        if isinstance(apart, Size):
            return Among(apart.symbol, at_least(apart.form, 0) & at_least(apart.form.times(-1), 0))
        return apart == 0 if isinstance(apart, int) else _sides(apart)
    size = condition.size
    if isinstance(size, int):
        return condition.holds({})
    if isinstance(size, Poly):
        return _reduced(condition, size)
    if isinstance(condition, AtLeast):
        return Among(size.symbol, at_least(size.form, condition.minimum))
    return Among(size.symbol, multiples(size, condition.by))


def _reduced(condition: AtLeast | Divisible, size: Poly) -> bool | Condition:
    """A condition on a product, freed of what all its terms have in common."""
    constant = size.terms.get((), 0)
    common = gcd(*(count for monomial, count in size.terms.items() if monomial))
    if isinstance(condition, AtLeast):
        minimum = -((constant - condition.minimum) // common)  # count*p + c >= m is p >= (m - c)/count, rounded up
        return AtLeast((size - constant) // common, minimum)
    shared = gcd(common, condition.by)
    if constant % shared:
        return False
    return shared == condition.by or Divisible(size // shared, condition.by // shared)


def at_least(form: Floor | Periodic, minimum: int) -> Naturals:
    """The h for which f(h) >= minimum. If f falls, they are those for which -f(h) >= 1 - minimum does not hold."""
    if form.rise > 0:
        listed, start = _reaching(form, minimum)
        return Naturals.of(listed, start)
    if form.rise < 0:
        listed, start = _reaching(form.times(-1), 1 - minimum)
        lowest = min(listed, default=start)
        return Naturals.of((h for h in range(lowest, start) if h not in listed), stop=lowest)
    table = Periodic.of(form)
    first = [h for h, v in enumerate(table.first, 1) if v >= minimum]
    residues = [r for r, v in enumerate(table.pattern) if v >= minimum]
    return Naturals.of(first, len(table.first) + 1, None, table.period, residues)


def _reaching(form: Floor | Periodic, minimum: int) -> tuple[set[int], int]:
    """Where a rising f is at least `minimum`: at the numbers listed, and from the one beside them on.

    For a closed form, scale*q + offset >= minimum is q >= t with t rounded up, and that is h >= t*step - shift. In a
    table each residue r has its own t, with h >= r + t*period; where the first of them has been reached and the last
    has not, the values are looked at.
    """
    if isinstance(form, Floor):
        return set(), -((form.offset - minimum) // form.scale) * form.step - form.shift
    reached = [r - (v - minimum) // form.rise * form.period for r, v in enumerate(form.pattern)]
    settled = len(form.first) + 1
    begin, end = max(settled, min(reached)), max(settled, max(reached) - form.period + 1)
    listed = {h for h, v in enumerate(form.first, 1) if v >= minimum}
    listed.update(begin + i for i in range(within(end - begin)) if form.settled(begin + i) >= minimum)
    return listed, end


def multiples(size: Size, by: int) -> Naturals:
    """The h for which a size is a multiple of `by`.

    scale*q + offset = 0 modulo `by` has a solution if g = gcd(scale, by) divides the offset, namely
    q = -offset/g * (scale/g)^-1 modulo by/g; and (h + shift)//step = q holds for `step` neighbours h.
    """
    form = size.form
    if isinstance(form, Floor):
        common = gcd(form.scale, by)
        if form.offset % common:
            return NONE
        turns = by // common
        quotient = -form.offset // common * pow(form.scale // common, -1, turns) % turns
        first, period = quotient * form.step - form.shift, form.step * turns
        return Naturals.of(period=period, residues=((first + i) % period for i in range(within(form.step))))
    rest = size % by
    return at_least(rest.form.times(-1), 0) if isinstance(rest, Size) else NONE if rest else EVERY


def _sides(apart: Poly) -> bool | Equal:
    """apart == 0 with what is positive on one side and what is negative on the other, freed of common divisors.

    The sides stand in the order of their symbols, so that one equation has one form.
    """
    constant = apart.terms.get((), 0)
    counts = [count for monomial, count in apart.terms.items() if monomial]
    common = gcd(*counts)
    if constant % common:
        return False
    left, right = apart.sides(common)
    swapped = not isinstance(right, int) and (isinstance(left, int) or _order(right) < _order(left))
    return Equal(right, left) if swapped else Equal(left, right)


def _order(dim: Dim) -> tuple[list[str], str]:
    return sorted(symbols(dim)), str(dim)
