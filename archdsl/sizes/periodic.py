"""The table form of a size: a finite list of first values, then a pattern that repeats while it rises.

It says what one floor division cannot: H//2 + H//3, 3*(H//2)//2, min(H, 14), H % 2. Everything costs a time that is
linear in the period.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd, lcm

from archdsl.sizes.errors import LONGEST_TABLE, SizeError
from archdsl.sizes.floor import Floor


class Periodic:
    """The function h -> first[h - 1] where h <= len(first), and pattern[h % period] + rise*(h // period) after that.

    The form is unique if the period is the least one (the periods of a function are closed under gcd) and `first` does
    not end in a value that the pattern gives as well; `reduced` sees to both.
    """

    __slots__ = ("first", "pattern", "rise")

    def __init__(self, first: Sequence[int], pattern: Sequence[int], rise: int) -> None:
        self.first = tuple(first)
        self.pattern = tuple(pattern)
        self.rise = rise

    @staticmethod
    def of(form: Floor | Periodic | int) -> Periodic:
        """A constant or a closed form, written out as a table."""
        if isinstance(form, int):
            return Periodic((), (form,), 0)
        if isinstance(form, Floor):
            within(form.step)
            return Periodic((), [form.at(h) for h in range(form.step)], form.scale)
        return form

    @property
    def period(self) -> int:
        return len(self.pattern)

    @property
    def key(self) -> tuple[object, ...]:
        """What it is, in an order in which forms can be sorted."""
        return (1, self.period, self.rise, self.pattern, self.first)

    @property
    def common(self) -> int:
        """The number that divides all values, negative if they fall."""
        common = gcd(self.rise, *self.pattern, *self.first)
        return common if (self.rise, *self.pattern, *self.first) > (0,) else -common

    def divided(self, n: int) -> Periodic:
        """Divide by n, which divides all values."""
        return Periodic([v // n for v in self.first], [v // n for v in self.pattern], self.rise // n)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is Periodic
            and self.rise == other.rise
            and self.first == other.first
            and self.pattern == other.pattern
        )

    def __hash__(self) -> int:
        return hash((self.first, self.pattern, self.rise))

    def at(self, h: int) -> int:
        return self.first[h - 1] if h <= len(self.first) else self.settled(h)

    def settled(self, h: int) -> int:
        """The value of the pattern at h, whether it has begun there or not."""
        return self.pattern[h % len(self.pattern)] + self.rise * (h // len(self.pattern))

    def plus(self, n: int) -> Periodic:
        return Periodic([v + n for v in self.first], [v + n for v in self.pattern], self.rise)

    def times(self, n: int) -> Periodic:
        """Multiply by n, which must not be 0."""
        return Periodic([v * n for v in self.first], [v * n for v in self.pattern], self.rise * n)

    def over(self, n: int) -> Floor | Periodic | int:
        """Floor division by n >= 1. The period grows until the rise within it is a multiple of n."""
        periods = n // gcd(self.rise, n)
        pattern = [self.settled(h) // n for h in range(within(periods * self.period))]
        return reduced([v // n for v in self.first], pattern, self.rise * periods // n)

    def stretched(self, period: int) -> Iterator[int]:
        """The pattern over `period` sizes, a multiple of its own period."""
        return (v + self.rise * k for k in range(period // self.period) for v in self.pattern)


def add(left: Periodic, right: Periodic) -> Floor | Periodic | int:
    """left + right. Both repeat after the least common multiple of their periods, and so does the sum."""
    period = _common_period(left, right)
    first = [left.at(h) + right.at(h) for h in range(1, max(len(left.first), len(right.first)) + 1)]
    pattern = [v + w for v, w in zip(left.stretched(period), right.stretched(period), strict=True)]
    return reduced(first, pattern, _rise(left, period) + _rise(right, period))


def smallest(left: Periodic, right: Periodic) -> Floor | Periodic | int:
    """min(left, right).

    Where both rise at one rate, each residue of the common period has its smaller side for good. Otherwise the slower
    one, here `left`, ends up below. At h = r + k*period they are w - v + k*gain apart, with gain > 0, and that is
    negative up to k = ceil((v - w)/gain) - 1; the values up to the last such h are listed.
    """
    period = _common_period(left, right)
    gain = _rise(right, period) - _rise(left, period)
    if gain < 0:
        left, right, gain = right, left, -gain
    begin = max(len(left.first), len(right.first))
    patterns = zip(left.stretched(period), right.stretched(period), strict=True)
    if gain == 0:
        pattern: Sequence[int] = [min(v, w) for v, w in patterns]
    else:
        begin = max(begin, *(r - period * ((w - v) // gain + 1) for r, (v, w) in enumerate(patterns)))
        pattern = left.pattern
    first = [min(left.at(h), right.at(h)) for h in range(1, within(begin) + 1)]
    return reduced(first, pattern, _rise(left, len(pattern)))


def reduced(first: Sequence[int], pattern: Sequence[int], rise: int) -> Floor | Periodic | int:
    """The one form of a table: the least period, the fewest first values; a number or a closed form if it is one.

    It is a closed form if nothing comes first and it jumps at one place a period: there step divides h + shift.
    """
    pattern, rise = _least_period(pattern, rise)
    period = len(pattern)
    begin = len(first)
    while begin and first[begin - 1] == pattern[begin % period] + rise * (begin // period):
        begin -= 1
    if not begin:
        jumps = [r for r in range(period) if pattern[r] != (pattern[r - 1] if r else pattern[-1] - rise)]
        if not jumps:
            return pattern[0]
        if len(jumps) == 1:
            return Floor(rise, -jumps[0], period, pattern[jumps[0]])
    return Periodic(first[:begin], pattern, rise)


def _least_period(pattern: Sequence[int], rise: int) -> tuple[Sequence[int], int]:
    """Divide the period by each of its primes as long as the shorter one still holds."""
    for prime in primes(len(pattern)):
        while len(pattern) % prime == 0 and rise % prime == 0:
            period, part = len(pattern) // prime, rise // prime
            if any(w - v != part for v, w in zip(pattern, pattern[period:], strict=False)):
                break
            pattern, rise = pattern[:period], part
    return pattern, rise


def primes(n: int) -> Iterator[int]:
    """The primes that divide n."""
    prime = 2
    while prime * prime <= n:
        if n % prime == 0:
            yield prime
            while n % prime == 0:
                n //= prime
        prime += 1
    if n > 1:
        yield n


def _rise(table: Periodic, period: int) -> int:
    """How much a table rises over a multiple of its period."""
    return table.rise * (period // table.period)


def _common_period(left: Periodic, right: Periodic) -> int:
    return within(lcm(left.period, right.period))


def within(length: int) -> int:
    """Refuse what would take too long to write out."""
    if length > LONGEST_TABLE:
        raise SizeError(f"a size would have to be listed for {length:,} values; {LONGEST_TABLE:,} are the limit")
    return length
