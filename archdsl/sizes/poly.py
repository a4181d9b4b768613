"""Products of sizes, and sums of them: what `flatten` makes of [512, H//32, W//32], and what a layer costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archdsl.sizes import vanishing
from archdsl.sizes.errors import SizeError
from archdsl.sizes.floor import Floor
from archdsl.sizes.size import Dim, Size
from archdsl.sizes.vanishing import Monomial
from archdsl.sizes.wording import Atom, Wording, joined

MOST_FACTORS = 16
MOST_TERMS = 1_000


class Poly:
    """A sum of integer multiples of products of sizes: 512*(H//32)*(W//32).

    It is never a number or a Size in disguise: `collected` returns those as what they are. Two polynomials are equal
    exactly if their difference vanishes for every input, however they are written; `vanishing` decides that.
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms = terms

    @property
    def symbols(self) -> frozenset[str]:
        return vanishing.symbols(self.terms)

    def at(self, env: Mapping[str, int]) -> int:
        """The value where the symbols have the values of `env`."""
        return vanishing.value(self.terms, env)

    @staticmethod
    def of(dim: Dim) -> Poly:
        """A dim in this form, even if it is a number or a Size."""
        return Poly(_terms(dim))

    def partly(self, env: Mapping[str, int]) -> Dim:
        """What is left once some symbols have values."""
        return collected(vanishing.substituted(self.terms, env).items())

    def renamed(self, names: Mapping[str, str]) -> Dim:
        """The same sum in other symbols; several may become one."""
        return collected(
            (tuple(sorted((Size(names.get(s.symbol, s.symbol), s.form) for s in monomial), key=_order)), count)
            for monomial, count in self.terms.items()
        )

    def sides(self, n: int) -> tuple[Dim, Dim]:
        """Two dims without negative terms that differ by the n-th part of it; n must divide every term."""
        positive = collected((monomial, count // n) for monomial, count in self.terms.items() if count > 0)
        return positive, collected((monomial, -count // n) for monomial, count in self.terms.items() if count < 0)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Poly):
            return NotImplemented
        return self.terms == other.terms or (
            hash(self) == hash(other) and vanishing.vanishes(vanishing.difference(self.terms, other.terms))
        )

    def __hash__(self) -> int:
        """Hash some values: equal polynomials, differently written, have those and the symbols in common."""
        names = self.symbols
        return hash(tuple(self.at({name: h + hash(name) % 97 for name in names}) for h in (1, 2, 29)))

    def __add__(self, other: Dim) -> Dim:
        return collected((*self.terms.items(), *_terms(other).items()))

    __radd__ = __add__

    def __neg__(self) -> Poly:
        return Poly({monomial: -count for monomial, count in self.terms.items()})

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: int | Size) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return Poly({monomial: count * int(other) for monomial, count in self.terms.items()}) if other else 0
        others = _terms(other)
        factors = max(map(len, self.terms)) + max(map(len, others))
        if factors > MOST_FACTORS or len(self.terms) * len(others) > MOST_TERMS:
            raise SizeError(f"a product has at most {MOST_FACTORS} sizes as its factors, and {MOST_TERMS} terms")
        return collected(
            (tuple(sorted(left + right, key=_order)), count * times)
            for left, count in self.terms.items()
            for right, times in others.items()
        )

    __rmul__ = __mul__

    def __floordiv__(self, n: int) -> Dim:
        """Division where n divides every coefficient; of the constant, a rest less than n drops out."""
        self._divides(n)
        return collected((monomial, count // n) for monomial, count in self.terms.items())

    def __mod__(self, n: int) -> Dim:
        self._divides(n)
        return self.terms.get((), 0) % n

    def _divides(self, n: int) -> None:
        if n < 1:
            raise SizeError(f"a size is divided by positive numbers only, not by {n}")
        if any(count % n for monomial, count in self.terms.items() if monomial):
            raise SizeError(f"{self} is not a multiple of {n} term by term")

    def __str__(self) -> str:
        alone = Wording({}, self.terms.get((), 0))
        products = []
        for monomial, count in self.terms.items():
            if len(monomial) == 1:
                alone = alone.plus(monomial[0].wording.times(count))
            elif monomial:
                products.append((count, tuple(_atom(size) for size in monomial)))
        return joined([*products, *((count, (atom,)) for atom, count in alone.terms.items())], alone.constant)

    __repr__ = __str__


def collected(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    """The sum of these terms: a number, a Size or a Poly, whichever it comes to.

    If all terms pull in one direction, each factor rising, it cannot be less than it looks: the highest products grow
    faster than anything could take back. Only otherwise need it be asked whether they cancel.
    """
    total = vanishing.merged(terms)
    _merge_alone(total)
    factors = {size for monomial in total for size in monomial}
    if not factors:
        return total.get((), 0)
    if len(factors) == 1 and len(total) == 1 + (() in total) and next(len(m) for m in total if m) == 1:
        size = factors.pop()
        return size * total[size,] + total.get((), 0)
    signs = {count > 0 for monomial, count in total.items() if monomial}
    if len(signs) > 1 or not all(size.form.rise > 0 for size in factors):
        settled = vanishing.without_idle(total)
        names = vanishing.symbols(settled)
        if not names:
            return vanishing.value(settled, {})
        if len(names) == 1:
            (name,) = names
            form = vanishing.function(name, settled)
            if form is not None:
                return form if isinstance(form, int) else Size(name, form)
        return Poly(settled)
    return Poly(total)


def _merge_alone(terms: dict[Monomial, int]) -> None:
    """Add up, in place, the terms that are one size of one symbol: H//2 + (H + 1)//2 is H also beside a product."""
    alone: dict[str, Dim] = {}
    for monomial in [monomial for monomial in terms if len(monomial) == 1]:
        name = monomial[0].symbol
        alone[name] = alone.get(name, 0) + monomial[0] * terms.pop(monomial)
    for dim in alone.values():
        offset = 0
        if isinstance(dim, int):
            offset = dim
        elif isinstance(dim, Size) and isinstance(dim.form, Floor):
            offset = dim.form.offset
        terms.update(_terms(dim - offset))
        terms[()] = terms.get((), 0) + offset
    if terms.get(()) == 0:
        del terms[()]


def _terms(dim: Dim) -> Mapping[Monomial, int]:
    """A dim as a sum of products; a size gives up what divides all its values."""
    if isinstance(dim, Poly):
        return dim.terms
    if isinstance(dim, Size):
        count, size = dim.primitive()
        return {(size,): count}
    return {(): int(dim)} if dim else {}


def _order(size: Size) -> tuple[object, ...]:
    return (size.symbol, *size.form.key)


def _atom(size: Size) -> Atom:
    wording = size.wording
    ((atom, count), *more) = wording.terms.items()
    return atom if count == 1 and not more and not wording.constant else Atom(str(size), False)
