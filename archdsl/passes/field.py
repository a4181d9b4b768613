"""A receptive field along one axis of the network's input: what each position of a value sees of it.

It is exact for every position at once, as long as it repeats: position o sees what o - n sees, moved on. A transposed
convolution or an interpolation makes n > 1. What does not repeat (a map beside the mean of it, maps of different
strides), or only after thousands of positions, becomes what all positions together see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TypeAlias

from archdsl.layers.sight import LONGEST, WHOLE, Look

Span: TypeAlias = tuple[int, int]  # the first and the last position


@dataclass(frozen=True, slots=True)
class Field:
    """Position o of the value's `axis` sees `spans[o % n]` (None: nothing), moved on by `rise` for every n.

    Without an axis, all positions see `spans[0]`.
    """

    axis: int | None
    rise: int
    spans: tuple[Span | None, ...]

    @property
    def even(self) -> bool:
        """Whether every position sees as much as the one before it, one step further on."""
        return len(self.spans) == 1 and self.spans[0] is not None

    @property
    def stride(self) -> Fraction:
        """By how many positions of the input the field moves from one position to the next."""
        return Fraction(self.rise, len(self.spans))

    def at(self, position: int) -> Span | None:
        turns, phase = divmod(position, len(self.spans))
        span = self.spans[phase]
        return None if span is None else (span[0] + turns * self.rise, span[1] + turns * self.rise)

    def extents(self, size: int) -> list[int]:
        """From the first to the last position that each of `size` positions sees; those that repeat only once."""
        return [0 if span is None else span[1] - span[0] + 1 for span in self.spans[: max(size, 1)]]

    def over(self, positions: range) -> Span | None:
        """What evenly spaced positions see together."""
        if not positions:
            return None
        n = len(self.spans)
        if n == 1:
            span = self.spans[0]
            return span and (span[0] + self.rise * positions[0], span[1] + self.rise * positions[-1])
        # The spans repeat, further on: the lowest of all is among the first n, the highest among the last.
        chosen = positions if len(positions) <= 2 * n else (*positions[:n], *positions[-n:])
        return union(map(self.at, chosen))

    def through(self, looks: Sequence[Look], shape: Sequence[int]) -> Field:
        """The field behind a layer that looks at a value of this field and of that shape."""
        if self.axis is None:
            return self
        look = looks[self.axis]
        if look is WHOLE:
            return self.everywhere(shape)
        n = len(look.taps)
        times = len(self.spans) // gcd(look.rise, len(self.spans))
        if n * times > LONGEST:
            return self.everywhere(shape)
        spans = [self.over(_moved(taps, turn * look.rise)) for turn in range(times) for taps in look.taps]
        return Field(look.axis, self.rise * (look.rise * times) // len(self.spans), tuple(spans))

    def behind(self, inners: Sequence[Field]) -> Field:
        """The field of a value that has `inners[axis]` along each axis of a value of this field, which is even."""
        if self.axis is None:
            return self
        inner = inners[self.axis]
        spans = [None if span is None else self.over(range(span[0], span[1] + 1)) for span in inner.spans]
        return Field(inner.axis, self.rise * inner.rise, tuple(spans))

    def everywhere(self, shape: Sequence[int]) -> Field:
        """What all positions of a value of that shape see together, as seen by each."""
        return self if self.axis is None else Field(None, 0, (self.over(range(shape[self.axis])),))

    def within(self, size: int) -> Field:
        """Without what lies beyond the ends of an input of that size. Takes a field that stays in one place."""
        span = self.spans[0]
        seen = None if span is None else (max(span[0], 0), min(span[1], size - 1))
        return Field(None, 0, (seen if seen is not None and seen[0] <= seen[1] else None,))


def itself(axis: int) -> Field:
    """Each position sees itself."""
    return Field(axis, 1, ((0, 0),))


def hull(fields: Sequence[tuple[Field, Sequence[int]]]) -> Field:
    """What a position sees through any of several values, given as fields and shapes: from the first to the last."""
    first = fields[0][0]
    if all(field == first for field, _ in fields):
        return first
    n = lcm(*(len(field.spans) for field, _ in fields))
    if n > LONGEST or any((field.axis, field.stride) != (first.axis, first.stride) for field, _ in fields):
        return Field(None, 0, (union(span for f, shape in fields for span in f.everywhere(shape).spans),))
    return Field(first.axis, int(first.stride * n), tuple(union(f.at(o) for f, _ in fields) for o in range(n)))


def union(spans: Iterable[Span | None]) -> Span | None:
    """From the first to the last position of several spans."""
    found = [span for span in spans if span is not None]
    return (min(first for first, _ in found), max(last for _, last in found)) if found else None


def _moved(taps: range, by: int) -> range:
    return range(taps.start + by, taps.stop + by, taps.step)
