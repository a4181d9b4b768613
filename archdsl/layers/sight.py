"""What one position of a layer's output sees of its input: what the hook `sees` answers with.

Each axis of an input is answered for by itself: by a `Window` that moves along an axis of the output, or by WHOLE. The
positions of a map count on beyond its ends, as if it went on for ever; padding is nothing special.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import ceil, floor, gcd
from typing import Final, TypeAlias

NOTHING = range(0)


@dataclass(frozen=True, slots=True)
class Window:
    """What the positions along an axis of the output see of an axis of the input.

    `taps` are what the positions 0 … n - 1 see, evenly spaced or nothing; position o sees what o % n sees, moved on by
    `rise` for every n.
    """

    axis: int
    rise: int
    taps: tuple[range, ...]


class _Whole(Enum):
    WHOLE = "whole"


WHOLE: Final = _Whole.WHOLE  # every position sees all of the axis
LONGEST = 4096  # positions after which what is seen repeats; for more, what all of them see together is told
Look: TypeAlias = Window | _Whole
Looks: TypeAlias = tuple[Look, ...]  # for each axis of an input, in order
Sight: TypeAlias = tuple[Looks | None, ...]  # for each input; None where only its size counts


def shifted(axis: int, by: int = 0) -> Window:
    """The position itself, or the one that many further on."""
    return Window(axis, 1, (range(by, by + 1),))


def same(shape: Sequence[int]) -> Looks:
    """Each position by itself, along every axis of a shape."""
    return tuple(map(shifted, range(len(shape))))


def whole_along(shape: Sequence[int], axes: Iterable[int]) -> Looks:
    """Each position by itself, but along `axes` all of them."""
    return tuple(WHOLE if axis in axes else shifted(axis) for axis in range(len(shape)))


def slide(axis: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Window:
    """A sliding window."""
    return Window(axis, stride, (range(-padding, -padding + dilation * (kernel - 1) + 1, dilation),))


def spread(axis: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Look:
    """A transposed convolution: position i of the input adds to i*stride - padding + dilation*j, for j < kernel."""
    if stride > LONGEST:
        return WHOLE
    common = gcd(dilation, stride)
    step, period = dilation // common, stride // common
    inverse = pow(step, -1, period)
    taps = []
    for o in range(padding, padding + stride):
        first = o // common * inverse % period  # the first j with o - dilation*j a multiple of the stride
        if o % common or first >= kernel:
            taps.append(NOTHING)
            continue
        last = first + (kernel - 1 - first) // period * period
        taps.append(range((o - dilation * last) // stride, (o - dilation * first) // stride + 1, step))
    return Window(axis, 1, tuple(taps))


def grid(axis: int, size: int, parts: int) -> Look:
    """Adaptive pooling: cell i of the grid is floor(i*size/parts) … ceil((i + 1)*size/parts) - 1."""
    if parts == 1:
        return WHOLE
    common = gcd(size, parts)
    n, rise = parts // common, size // common
    if n > LONGEST:
        return WHOLE
    return Window(axis, rise, tuple(range(i * rise // n, -(-(i + 1) * rise // n)) for i in range(n)))


def picked(axis: int, step: Fraction, start: Fraction) -> Look:
    """The one position floor(o*step + start)."""
    if step.denominator > LONGEST:
        return WHOLE
    places = (floor(o * step + start) for o in range(step.denominator))
    return Window(axis, step.numerator, tuple(range(i, i + 1) for i in places))


def between(axis: int, step: Fraction, start: Fraction, reach: int) -> Look:
    """Interpolation: the `reach` positions on either side of o*step + start, or just that one if it is a position."""
    if step.denominator > LONGEST:
        return WHOLE
    taps = []
    for o in range(step.denominator):
        place = o * step + start
        on_one = place.denominator == 1
        first, last = (int(place), int(place)) if on_one else (ceil(place) - reach, floor(place) + reach)
        taps.append(range(first, last + 1))
    return Window(axis, step.numerator, tuple(taps))
