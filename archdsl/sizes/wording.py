"""The text of a size, kept as a sum of terms so that it stays short while a size is built up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archdsl.sizes.floor import Floor
from archdsl.sizes.periodic import Periodic

# A text that grew longer than this while a size came about is given up for that of the table.
LONGEST = 400


class Atom(NamedTuple):
    """A piece of text. A tight one, a name or a call, needs no parentheses beside a `*` or a `//`."""

    text: str
    tight: bool

    def __str__(self) -> str:
        return self.text if self.tight else f"({self.text})"


class Wording:
    """A sum of integer multiples of atoms, and a constant."""

    __slots__ = ("constant", "terms")

    def __init__(self, terms: dict[Atom, int], constant: int = 0) -> None:
        self.terms = terms
        self.constant = constant

    @staticmethod
    def of(symbol: str, form: Floor | Periodic) -> Wording:
        """The shortest text of a form by itself."""
        return _of_floor(symbol, form) if isinstance(form, Floor) else _of_table(symbol, form)

    def __str__(self) -> str:
        return joined([(count, (atom,)) for atom, count in self.terms.items()], self.constant)

    def plus(self, other: Wording | int) -> Wording:
        if isinstance(other, int):
            return Wording(self.terms, self.constant + other)
        terms = dict(self.terms)
        for atom, count in other.terms.items():
            terms[atom] = terms.get(atom, 0) + count
        return Wording({atom: count for atom, count in terms.items() if count}, self.constant + other.constant)

    def times(self, n: int) -> Wording:
        return Wording({atom: count * n for atom, count in self.terms.items()}, self.constant * n)

    def divided(self, n: int) -> Wording | None:
        """The n-th part, if that can be said term by term."""
        if self.constant % n or any(count % n for count in self.terms.values()):
            return None
        return Wording({atom: count // n for atom, count in self.terms.items()}, self.constant // n)

    def by(self, operator: str, n: int) -> Wording:
        """`//` or `%`, which bind tighter than the sum."""
        lone = not self.constant and list(self.terms.values()) == [1]
        return Wording({Atom(f"{next(iter(self.terms)) if lone else f'({self})'}{operator}{n}", False): 1})

    @staticmethod
    def call(name: str, arguments: Iterable[Wording | int]) -> Wording:
        return Wording({Atom(f"{name}({', '.join(map(str, arguments))})", True): 1})


def joined(terms: Iterable[tuple[int, tuple[Atom, ...]]], constant: int = 0) -> str:
    """Write a sum of multiples of products: `512*(H//32)*(W//32) - 3`, and `5 - H` rather than `-H + 5`."""
    parts = [(count > 0, _product(abs(count), atoms)) for count, atoms in terms]
    if constant:
        parts.append((constant > 0, Atom(str(abs(constant)), True)))
    if not parts:
        return "0"
    leader = next((part for part in parts if part[0]), parts[0])
    # A leading minus binds tighter than `//`: -(H//2), not -H//2. A plus or minus within the sum does not.
    lead = leader[1].text if leader[0] else f"-{leader[1]}"
    rest = [part for part in parts if part is not leader]
    tail = (f" {'+' if positive else '-'} {atom.text}" for positive, atom in rest)
    return lead + "".join(tail)


def _product(count: int, atoms: tuple[Atom, ...]) -> Atom:
    """`count` times the atoms."""
    if count == 1 and len(atoms) == 1:
        return atoms[0]
    return Atom("*".join([str(count)] * (count != 1) + [str(atom) for atom in atoms]), True)


def _of_floor(symbol: str, form: Floor) -> Wording:
    """Of all shifts that mean the same, the one that reads shortest: (H - 1)//2, not (H + 1)//2 - 1."""
    if form.step == 1:
        return Wording({Atom(symbol, True): form.scale}, form.offset)
    steps = [0, -1]
    if form.offset % form.scale == 0:
        steps.append(form.offset // form.scale)
    choices = []
    for n in steps:
        inner = Wording({Atom(symbol, True): 1}, form.shift + n * form.step).by("//", form.step)
        choices.append(inner.times(form.scale).plus(form.offset - n * form.scale))
    return min(choices, key=lambda wording: len(str(wording)))


def _of_table(symbol: str, form: Periodic) -> Wording:
    """A pattern as Python would look it up: 3*(H//2) + (0, 1)[H % 2]."""
    period = form.period
    if period == 1:
        settled = Wording({Atom(symbol, True): form.rise} if form.rise else {}, form.pattern[0])
    elif not form.rise and all(v == (form.pattern[0] + r) % period for r, v in enumerate(form.pattern)):
        settled = Wording({Atom(symbol, True): 1}, form.pattern[0]).by(" % ", period)
    else:
        listed = Atom(f"{form.pattern}[{symbol} % {period}]", True)
        settled = Wording({Atom(f"{symbol}//{period}", False): form.rise, listed: 1} if form.rise else {listed: 1})
    if not form.first:
        return settled
    begin = len(form.first)
    first = f"{form.first[0]} if {symbol} == 1" if begin == 1 else f"{form.first}[{symbol} - 1] if {symbol} <= {begin}"
    return Wording({Atom(f"({first} else {settled})", True): 1})
