"""The closed form of a size, one floor division: scale*((h + shift)//step) + offset.

Most sizes stay in it: padding, cropping and strides, one after another, are one floor division however many there are.
"""

from __future__ import annotations

from math import gcd


class Floor:
    """The function h -> scale*((h + shift)//step) + offset in lowest terms: scale != 0 and 0 <= shift < step.

    Lowest terms are unique. The function jumps by `scale` exactly where step divides h + shift and is flat elsewhere,
    so its graph determines step, shift and scale, and with them offset.
    """

    __slots__ = ("offset", "scale", "shift", "step")

    def __init__(self, scale: int, shift: int, step: int, offset: int) -> None:
        """Bring the shift into 0 … step - 1: a whole step more of shift is one more of the quotient."""
        if not 0 <= shift < step:
            offset += scale * (shift // step)
            shift %= step
        self.scale = scale
        self.shift = shift
        self.step = step
        self.offset = offset

    @property
    def key(self) -> tuple[object, ...]:
        """What it is, in an order in which forms can be sorted."""
        return (0, self.step, self.shift, self.scale, self.offset)

    @property
    def rise(self) -> int:
        """How much it rises a period."""
        return self.scale

    @property
    def common(self) -> int:
        """The number that divides all values, negative if they fall."""
        common = gcd(self.scale, self.offset)
        return common if self.scale > 0 else -common

    def divided(self, n: int) -> Floor:
        """Divide by n, which divides all values."""
        return Floor(self.scale // n, self.shift, self.step, self.offset // n)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is Floor
            and self.step == other.step
            and self.shift == other.shift
            and self.scale == other.scale
            and self.offset == other.offset
        )

    def __hash__(self) -> int:
        return hash((self.scale, self.shift, self.step, self.offset))

    def at(self, h: int) -> int:
        return self.scale * ((h + self.shift) // self.step) + self.offset

    def plus(self, n: int) -> Floor:
        return Floor(self.scale, self.shift, self.step, self.offset + n)

    def times(self, n: int) -> Floor:
        """Multiply by n, which must not be 0."""
        return Floor(self.scale * n, self.shift, self.step, self.offset * n)

    def over(self, n: int) -> Floor | None:
        """Floor division by n >= 1, where one floor division can still say it.

        With q = (h + shift)//step and g = gcd(scale, n), divide scale*q + offset in two floors. The first, by g, is
        exactly scale/g*q + offset//g; the second is by n/g. If that is 1, all is done. If the scale has come down to 1,
        the two floors join: (q + c)//n = (h + shift + c*step)//(step*n). A scale of -1 is turned round into that, as
        (-q + c)//n = -((q - c + n - 1)//n). Any other scale makes several jumps a period, which need a table.
        """
        common = gcd(self.scale, n)
        scale, offset, n = self.scale // common, self.offset // common, n // common
        if n == 1:
            return Floor(scale, self.shift, self.step, offset)
        if scale == 1:
            return Floor(1, self.shift + offset * self.step, self.step * n, 0)
        if scale == -1:
            return Floor(-1, self.shift + (n - 1 - offset) * self.step, self.step * n, 0)
        return None

    def add(self, other: Floor) -> Floor | int | None:
        """The sum, where one floor division can say it: both jump at the same places."""
        if self.step != other.step or self.shift != other.shift:
            return None
        scale, offset = self.scale + other.scale, self.offset + other.offset
        return Floor(scale, self.shift, self.step, offset) if scale else offset

    def at_most(self, other: Floor) -> bool | None:
        """True if self <= other for all h, False if self >= other for all h; None if it depends, or is not easily seen.

        With equal scales and steps the two differ by `apart` where their quotients agree, and by one jump more where
        the larger shift is a step ahead. The signs of these two values decide.
        """
        if self.step != other.step or self.scale != other.scale:
            return None
        apart = self.offset - other.offset
        jump = 0 if self.shift == other.shift else self.scale if self.shift > other.shift else -self.scale
        if apart <= 0 and apart + jump <= 0:
            return True
        if apart >= 0 and apart + jump >= 0:
            return False
        return None
