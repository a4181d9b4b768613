"""A size that depends on the input: `Size`, a function of one symbol, exact for every value the symbol can take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, Union

from archdsl.sizes import periodic
from archdsl.sizes.errors import SizeError
from archdsl.sizes.floor import Floor
from archdsl.sizes.periodic import Periodic
from archdsl.sizes.wording import LONGEST, Wording

if TYPE_CHECKING:
    from archdsl.sizes.poly import Poly

Dim: TypeAlias = Union[int, "Size", "Poly"]


def symbol(name: str) -> Size:
    """The size that an input's axis has: any integer from 1 up."""
    return Size(name, Floor(1, 0, 1, 0))


class Size:
    """An integer for every value h >= 1 of one symbol, such as H//2 + 3.

    It is kept in the one form its values determine, a `Floor` or a `Periodic`, so `==` holds exactly if two sizes agree
    for every h, and what does not depend on h at all is not a Size but an int. A Size never changes.
    """

    __slots__ = ("_wording", "form", "symbol")

    def __init__(self, symbol: str, form: Floor | Periodic, wording: Wording | None = None) -> None:
        self.symbol = symbol
        self.form = form
        self._wording = wording  # how a table came about; a closed form can be read off by itself

    def at(self, env: Mapping[str, int]) -> int:
        """The value where the symbols have the values of `env`."""
        return self.form.at(env[self.symbol])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Size):
            return NotImplemented
        return self.form == other.form and self.symbol == other.symbol

    def __hash__(self) -> int:
        return hash((self.symbol, self.form))

    # int(n): a subclass of int may carry an expression with it, which must not pile up in here.

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            if not other:
                return self
            form = self.form
            if type(form) is Floor:
                return Size(self.symbol, form.plus(int(other)))
            return Size(self.symbol, form.plus(int(other)), self.wording.plus(int(other)))
        if not isinstance(other, Size):
            return NotImplemented
        if self.symbol != other.symbol:
            return _poly(self) + other
        result: Floor | Periodic | int | None = None
        if isinstance(self.form, Floor) and isinstance(other.form, Floor):
            result = self.form.add(other.form)
        if result is None:
            result = periodic.add(Periodic.of(self.form), Periodic.of(other.form))
        return _size(self.symbol, result, lambda: self.wording.plus(other.wording))

    __radd__ = __add__

    def __neg__(self) -> Size:
        return self._times(-1)

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return self._times(int(other)) if other else 0
        if isinstance(other, Size):
            return _poly(self) * other
        return NotImplemented

    __rmul__ = __mul__

    def _times(self, n: int) -> Size:
        if n == 1:
            return self
        form = self.form
        if type(form) is Floor:
            return Size(self.symbol, form.times(n))
        return Size(self.symbol, form.times(n), self.wording.times(n))

    def __floordiv__(self, n: int) -> Dim:
        if not isinstance(n, int):
            return NotImplemented
        if n <= 1:
            if n == 1:
                return self
            raise SizeError(f"a size is divided by positive numbers only, not by {n}")
        n = int(n)
        form = self.form
        if type(form) is Floor:
            quotient = form.over(n)
            if quotient is not None:
                return Size(self.symbol, quotient)
        return _size(self.symbol, Periodic.of(form).over(n), lambda: self.wording.by("//", n))

    def __mod__(self, n: int) -> Dim:
        if not isinstance(n, int):
            return NotImplemented
        rest = self - n * (self // n)
        return _size(rest.symbol, rest.form, lambda: self.wording.by(" % ", int(n))) if isinstance(rest, Size) else rest

    def primitive(self) -> tuple[int, Size]:
        """Itself as a whole number times a size that no number divides and that rises, or at least does not fall."""
        common = self.form.common
        if common == 1:
            return 1, self
        wording = None if self._wording is None else self._wording.divided(common)
        return common, Size(self.symbol, self.form.divided(common), wording)

    @property
    def wording(self) -> Wording:
        """Its text, in the parts it is put together from."""
        if self._wording is None:
            self._wording = Wording.of(self.symbol, self.form)
        return self._wording

    def __str__(self) -> str:
        return min(str(self.wording), str(Wording.of(self.symbol, self.form)), key=len)

    __repr__ = __str__


def merged(name: str, left: Size | int, right: Size | int) -> Size | int:
    """min or max (`name` says which) of two sizes, at least one of which is symbolic. max(x, y) = -min(-x, -y)."""
    symbols = {size.symbol for size in (left, right) if isinstance(size, Size)}
    if len(symbols) > 1:
        raise SizeError(f"{name}({left}, {right}) depends on {' and '.join(sorted(symbols))} at once")
    sign = 1 if name == "min" else -1
    forms = [size.form if isinstance(size, Size) else Periodic((), (int(size),), 0) for size in (left, right)]
    if isinstance(forms[0], Floor) and isinstance(forms[1], Floor):
        lower = forms[0].at_most(forms[1])
        if lower is not None:
            return left if lower == (name == "min") else right
    tables = [Periodic.of(form).times(sign) for form in forms]
    result = periodic.smallest(*tables)
    result = sign * result if isinstance(result, int) else result.times(sign)
    words = [size.wording if isinstance(size, Size) else size for size in (left, right)]
    return _size(symbols.pop(), result, lambda: Wording.call(name, words))


def _size(symbol: str, form: Floor | Periodic | int, wording: Callable[[], Wording]) -> Size | int:
    """A result that is a number is a number. Only a table needs its text: the closed form has a good one by itself."""
    if isinstance(form, int):
        return form
    if isinstance(form, Floor):
        return Size(symbol, form)
    text = wording()
    return Size(symbol, form, text if len(str(text)) <= LONGEST else None)


def _poly(size: Size) -> Poly:
    from archdsl.sizes.poly import Poly  # not above: a polynomial is made of sizes, so that module imports this one

    return Poly.of(size)
