"""The set of inputs that a network accepts, worked out exactly from all conditions that shape inference came across."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from archdsl.sizes.arithmetic import evaluate
from archdsl.sizes.conditions import Among, AtLeast, Condition, Equal, at_least, solved
from archdsl.sizes.errors import SizeError
from archdsl.sizes.floor import Floor
from archdsl.sizes.naturals import EVERY, NONE, Naturals
from archdsl.sizes.phrases import phrases
from archdsl.sizes.poly import Poly
from archdsl.sizes.search import first_common, first_excepted, first_failing, is_covered, rank, search, symbols_of
from archdsl.sizes.size import Size, symbol
from archdsl.sizes.substitution import bounds, solved_for, substituted

ROUNDS = 4  # in which relations tighten the values of each other's symbols


class Domain:
    """For each symbol the values it may take, and the relations between symbols that hold besides.

    Conditions of one symbol are solved, so that without relations everything said of a domain is exact for all inputs.
    Relations (H == W) are kept as they are and `contains` is exact for them too; `is_empty`, `smallest` and
    `smallest_rejected` then try the first 2,000 values of all symbols but one, and solve for that one.
    """

    def __init__(
        self, values: Mapping[str, Naturals], relations: Iterable[Condition] = (), possible: bool = True
    ) -> None:
        self.values = dict(values)
        self.relations = tuple(relations)
        self.possible = possible  # False if a condition fails that depends on no symbol at all

    @staticmethod
    def of(conditions: Iterable[Condition], symbols: Iterable[str]) -> Domain:
        """The inputs for which all conditions hold."""
        values = dict.fromkeys(symbols, EVERY)
        relations: dict[Condition, None] = {}
        # A product is at least 1 where its factors are, provided that none is negative; so products wait for the rest.
        for condition in sorted(dict.fromkeys(conditions), key=_is_product):
            for part in _factors(condition, values) if _is_product(condition) else (condition,):
                solution = solved(part)
                if solution is False:
                    return Domain(dict.fromkeys(values, NONE), possible=False)
                if isinstance(solution, Among):
                    values[solution.symbol] = values.get(solution.symbol, EVERY) & solution.values
                elif not isinstance(solution, bool):
                    relations[solution] = None
        for name in sorted(symbols_of(relations) - values.keys()):
            values[name] = EVERY
        for relation in [each for each in relations if isinstance(each, AtLeast)]:
            other = AtLeast(-relation.size, -relation.minimum)
            if relation in relations and other in relations:  # at least as large each way round
                del relations[relation], relations[other]
                equal = solved(Equal(relation.size, relation.minimum))
                assert not isinstance(equal, bool)
                relations[equal] = None
        identities = [relation for relation in relations if _is_identity(relation)]
        if identities:
            return _with_equals(identities, [each for each in relations if not _is_identity(each)], values)
        return _tightened(values, relations)

    @property
    def is_empty(self) -> bool:
        return self.smallest() is None

    def contains(self, env: Mapping[str, int]) -> bool:
        """Whether the network accepts an input of this size."""
        return (
            self.possible
            and all(env[name] in values for name, values in self.values.items())
            and all(relation.holds(env) for relation in self.relations)
        )

    def smallest(self) -> dict[str, int] | None:
        """The smallest input that is accepted: the largest of its sizes is the least there is, and then their sum."""
        env = {name: values.first for name, values in self.values.items()}
        least = {name: n for name, n in env.items() if n is not None}
        if not self.possible or len(least) < len(env):
            return None
        if all(relation.holds(least) for relation in self.relations):
            return least
        names = sorted(symbols_of(self.relations))
        found = search(names, self.values, partial(first_common, self.relations, self.values))
        return None if found is None else least | found

    def smallest_rejected(self) -> dict[str, int] | None:
        """The smallest input that is rejected although no size is below the least one accepted; None if there is none.

        Without relations it is enough to put one symbol into its first gap and leave the others at their least.
        """
        lower = {name: values.first or 1 for name, values in self.values.items()}
        if not self.possible:
            return lower
        found = []
        for name, values in self.values.items():
            gap = values.first_gap(lower[name])
            if gap is not None:
                found.append(lower | {name: gap})
        above = {name: Naturals.of(start=least) for name, least in lower.items()}
        for relation in self.relations:
            solve = partial(first_failing, relation, lower)
            failing = search(sorted(relation.symbols), above, solve)
            if failing is not None:
                found.append(lower | failing)
        return min(found, key=rank, default=None)

    def includes(self, other: Domain) -> bool:
        """Whether it is easily seen that every input of the other is in this one; exact without relations."""
        return set(self.relations) <= set(other.relations) and all(
            other.values.get(name, EVERY) & ~values == NONE for name, values in self.values.items()
        )

    def smallest_failing(self, condition: Condition) -> dict[str, int] | None:
        """The smallest input of the domain at which a condition fails; None if it holds for all of them.

        Raises SizeError where it is not decided: a relation between symbols that no input which is tried fails.
        """
        condition = condition.renamed(_classes(self.relations))
        for by in (by for relation in self.relations for by in solved_for(relation)):
            with suppress(SizeError):
                if solved(substituted(condition, by)) is True:
                    return None
        parts = _factors(condition, self.values) if _is_product(condition) else (condition,)
        failing = [found for part in parts if (found := self._smallest_failing(part)) is not None]
        return min(failing, key=rank, default=None)

    def _smallest_failing(self, condition: Condition) -> dict[str, int] | None:
        solution = solved(condition)
        if isinstance(solution, bool):
            return None if solution else self.smallest()
        if isinstance(solution, Among):
            name, good = solution.symbol, solution.values
            bad = self.values[name] & ~good
            if bad == NONE:
                return None
            values = self.values | {name: bad}
            allowed = (Among(name, naturals) for name, naturals in values.items())
            rest = Domain.of([*self.relations, *allowed], values) if self.possible else self
            found, names = rest.smallest(), sorted(symbols_of(rest.relations))
            settled = not rest.possible or NONE in rest.values.values() or all(map(_is_identity, rest.relations))
        else:
            if solution in self.relations or _holds_at_least(condition, self.values):
                return None
            rest, settled, names = self, False, sorted(condition.symbols | symbols_of(self.relations))
            found = search(names, self.values, partial(first_excepted, condition, self.relations, self.values))
            if found is not None:
                found = {name: values.first or 1 for name, values in self.values.items()} | found
        if found is None and not settled and not is_covered(names, rest.values):
            raise SizeError(f"whether {condition} holds for all of them is not decided")
        return found

    def __str__(self) -> str:
        """In words: `any H >= 15`, `H and W multiples of 32, at least 64`, `any H, W where H == W`."""
        if not self.possible or any(values == NONE for values in self.values.values()):
            return "no size"
        words = phrases(self.values)
        return f"{words} where {' and '.join(map(str, self.relations))}" if self.relations else words

    def to_json(self) -> dict[str, Any]:
        """For each symbol: it accepts the exceptions, and these residues of the period from minimum to maximum."""
        sizes = {
            name: {
                "minimum": values.start if values.residues else None,
                "maximum": values.stop - 1 if values.stop is not None and values.residues else None,
                "period": values.period,
                "residues": sorted(values.residues),
                "exceptions": sorted(values.members),
            }
            for name, values in self.values.items()
        }
        return {"sizes": sizes, "relations": [str(relation) for relation in self.relations]}


def _is_product(condition: Condition) -> bool:
    return isinstance(condition, AtLeast) and isinstance(condition.size, Poly)


def _factors(condition: Condition, values: Mapping[str, Naturals]) -> tuple[Condition, ...]:
    """The condition that a product is at least some number, as conditions of its factors if it comes to that.

    count*product + constant >= minimum is product >= least, for count > 0. If no factor is ever negative where the
    conditions so far hold, the product is at least 0 anyway, and at least 1 exactly if each factor is.
    """
    assert isinstance(condition, AtLeast)
    assert isinstance(condition.size, Poly)
    terms = dict(condition.size.terms)
    constant = terms.pop((), 0)
    ((factors, count), *more) = terms.items()
    if more or count < 0:
        return (condition,)
    least = -((constant - condition.minimum) // count)
    for size in factors:
        known = values.get(size.symbol, EVERY)
        if known & at_least(size.form, 0) != known:
            return (condition,)
    if least <= 0:
        return ()
    return tuple(AtLeast(size, 1) for size in factors) if least == 1 else (condition,)


def _tightened(values: dict[str, Naturals], relations: Iterable[Condition]) -> Domain:
    """The domain with what relations say of each symbol by itself, and without those that follow from others."""
    kept = list(relations)
    for relation in list(kept):
        for by in solved_for(relation):
            for other in [other for other in kept if other != relation]:
                with suppress(SizeError):  # where it cannot be said, it says nothing new
                    found = solved(substituted(other, by))
                    if found is False:
                        return Domain(dict.fromkeys(values, NONE), possible=False)
                    if found is True:
                        kept.remove(other)
    for _ in range(ROUNDS if kept else 0):
        before = dict(values)
        for relation in kept:
            with suppress(SizeError):
                allowed = [substituted(Among(by.symbol, values[by.symbol]), by) for by in solved_for(relation)]
                for each in [*allowed, *bounds(relation, values)]:
                    assert isinstance(each, Among)
                    values[each.symbol] &= each.values
        if values == before:
            break
    return Domain(values, kept)


def _with_equals(identities: list[Condition], relations: Iterable[Condition], values: Mapping[str, Naturals]) -> Domain:
    """The domain where some symbols are equal: all else is said of one of them, and holds for the others too."""
    names = _classes(identities)
    allowed = (Among(names.get(name, name), naturals) for name, naturals in values.items())
    rest = Domain.of([*(relation.renamed(names) for relation in relations), *allowed], values)
    shared = {name: rest.values[names.get(name, name)] for name in values}
    return Domain(shared, (*identities, *rest.relations), rest.possible)


def _is_identity(relation: Condition) -> bool:
    """Whether it says that two symbols are equal."""
    return isinstance(relation, Equal) and all(
        isinstance(side, Size) and side == symbol(side.symbol) for side in (relation.left, relation.right)
    )


def _classes(relations: Iterable[Condition]) -> dict[str, str]:
    """For each symbol that is equal to others, one that stands for them all."""
    names: dict[str, str] = {}
    for relation in filter(_is_identity, relations):
        old, new = (names.get(name, name) for name in sorted(relation.symbols, reverse=True))
        names |= {name: new for name in (*names, old) if names.get(name, name) == old}
    return names


def _holds_at_least(condition: Condition, values: Mapping[str, Naturals]) -> bool:
    """Whether a sum is large enough where it is least: where what rises has its least value and what falls its
    greatest. False where that is not easily seen."""
    if not isinstance(condition, AtLeast) or not isinstance(condition.size, Poly):
        return False
    corner: dict[str, int] = {}
    for factors, count in condition.size.terms.items():
        for size in factors:
            first, last = values[size.symbol].first, values[size.symbol].last
            end = first if count > 0 else last
            monotone = isinstance(size.form, Floor) and size.form.scale > 0 and first and size.form.at(first) >= 0
            if not monotone or end is None or corner.setdefault(size.symbol, end) != end:
                return False
    return evaluate(condition.size, corner) >= condition.minimum
