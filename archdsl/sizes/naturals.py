"""Sets of sizes that can be written down exactly: finitely many numbers, and residues that repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import count, dropwhile, takewhile
from math import gcd, lcm

from archdsl.sizes.errors import LONGEST_TABLE, SizeError
from archdsl.sizes.floor import Floor
from archdsl.sizes.periodic import primes, within

# A stretch with an end that holds no more numbers than this is kept as the numbers.
FEW = 8


@dataclass(frozen=True)
class Naturals:
    """The numbers in `members`, and those from start up to stop (None: without end) with n % period in `residues`.

    `of` puts the parts in lowest terms: the least period, the least start.
    """

    members: frozenset[int]
    start: int
    stop: int | None
    period: int
    residues: frozenset[int]

    @staticmethod
    def of(
        members: Iterable[int] = (),
        start: int = 1,
        stop: int | None = None,
        period: int = 1,
        residues: Iterable[int] = (0,),
    ) -> Naturals:
        listed = {n for n in members if n >= 1}
        period, rest = _least_period(period, frozenset(residues))
        if not rest:
            return Naturals(frozenset(listed), 1, 1, 1, frozenset())
        start = max(start, 1)
        start += min((r - start) % period for r in rest)
        if stop is not None and (stop - start) * len(rest) <= FEW * period:
            listed.update(n for n in range(start, stop) if n % period in rest)
            return Naturals(frozenset(listed), 1, 1, 1, frozenset())
        listed = {n for n in listed if n < start or (stop is not None and n >= stop) or n % period not in rest}
        while listed:
            before = start - 1 - min((start - 1 - r) % period for r in rest)
            if before not in listed:
                break
            listed.remove(start := before)
        while stop in listed and period == 1:
            listed.remove(stop)
            stop += 1
        return Naturals(frozenset(listed), start, stop, period, rest)

    def __contains__(self, n: int) -> bool:
        return n in self.members or (
            n >= self.start and (self.stop is None or n < self.stop) and n % self.period in self.residues
        )

    def __and__(self, other: Naturals) -> Naturals:
        """The intersection. A listed number is looked up in the other set; the stretches intersect by residues."""
        if self.is_half_line and other.is_half_line:
            return self if self.start >= other.start else other
        members = [*(n for n in self.members if n in other), *(n for n in other.members if n in self)]
        stops = [stop for stop in (self.stop, other.stop) if stop is not None]
        period, residues = _common(self, other)
        return Naturals.of(members, max(self.start, other.start), min(stops, default=None), period, residues)

    def preimage(self, form: Floor) -> Naturals:
        """The numbers that a rising function takes into the set."""
        reached = -(-(self._settled - form.offset) // form.scale) * form.step
        return _listed(lambda n: form.at(n) in self, max(reached, 1), within(form.step * self.period))

    @property
    def is_half_line(self) -> bool:
        """Whether it is all numbers from its start on."""
        return self.period == 1 and self.stop is None and not self.members

    def __or__(self, other: Naturals) -> Naturals:
        """The union. Raises SizeError if it would take too many numbers to say where it begins to repeat."""
        if EVERY in (self, other) or NONE in (self, other):
            return EVERY if EVERY in (self, other) else other if self == NONE else self
        period = within(lcm(self.period, other.period))
        return _listed(lambda n: n in self or n in other, max(self._settled, other._settled), period)

    def __invert__(self) -> Naturals:
        """The numbers from 1 on that are not in the set. Raises SizeError as the union does."""
        if self == Naturals.of(start=self.start):
            return Naturals.of(stop=self.start)
        if self == Naturals.of(stop=self.stop):
            return Naturals.of(start=self.stop or 1)
        return _listed(lambda n: n not in self, self._settled, self.period)

    @property
    def _settled(self) -> int:
        """From here on only the residues count, or nothing is in the set."""
        return max(self.start, self.stop or 1, max(self.members, default=0) + 1)

    @property
    def first(self) -> int | None:
        """The least number in the set."""
        return min([*self.members, *([self.start] if self.residues else [])], default=None)

    @property
    def last(self) -> int | None:
        """The greatest number in the set; None if there is none."""
        if self.residues and self.stop is None:
            return None
        period, stop = self.period, self.stop or 1
        ends = [stop - 1 - min((stop - 1 - r) % period for r in self.residues)] if self.residues else []
        return max([*self.members, *ends], default=None)

    def ascending(self) -> Iterator[int]:
        """The numbers in the set, in order."""
        period, stop, residues = self.period, self.stop, sorted(self.residues)
        periods = count(self.start // period * period, period) if residues else ()
        stretch = dropwhile(lambda n: n < self.start, (base + r for base in periods for r in residues))
        return merge(sorted(self.members), stretch if stop is None else takewhile(lambda n: n < stop, stretch))

    def first_gap(self, start: int) -> int | None:
        """The least number from `start` on that is not in the set; None if there is none.

        If a whole period from where only the residues count is in the set, so is all the rest.
        """
        settled = max(start, self.start, max(self.members, default=0) + 1)
        last = settled + self.period if self.stop is None else max(settled, self.stop)
        return next((n for n in range(start, last + 1) if n not in self), None)


def _listed(member: Callable[[int], bool], settled: int, period: int) -> Naturals:
    """The numbers of which `member` is true, which repeats with the period from `settled` on."""
    first = [n for n in range(1, within(settled)) if member(n)]
    return Naturals.of(
        first, settled, None, period, [n % period for n in range(settled, settled + period) if member(n)]
    )


def _least_period(period: int, residues: frozenset[int]) -> tuple[int, frozenset[int]]:
    for prime in primes(period):
        while period % prime == 0 and len(residues) % prime == 0:
            shorter = period // prime
            if any((r + shorter) % period not in residues for r in residues):
                break
            period, residues = shorter, frozenset(r for r in residues if r < shorter)
    return (period, residues) if residues else (1, residues)


def _common(left: Naturals, right: Naturals) -> tuple[int, Iterable[int]]:
    """The residues of both, modulo the least common multiple of the periods p and q.

    r modulo p and s modulo q meet if g = gcd(p, q) divides s - r, and then, as Chinese remainders do, in
    r + p*((s - r)/g * (p/g)^-1 mod q/g).
    """
    p, q = left.period, right.period
    if p == q:
        return p, left.residues & right.residues
    common = gcd(p, q)
    if len(left.residues) * len(right.residues) > LONGEST_TABLE * common:
        raise SizeError(f"the sizes that are accepted repeat only every {lcm(p, q):,} pixels")
    inverse = pow(p // common, -1, q // common)
    by_rest: dict[int, list[int]] = {}
    for s in right.residues:
        by_rest.setdefault(s % common, []).append(s)
    residues = [
        r + p * (((s - r) // common * inverse) % (q // common))
        for r in left.residues
        for s in by_rest.get(r % common, ())
    ]
    return lcm(p, q), residues


EVERY = Naturals.of()
NONE = Naturals.of(residues=())
