"""The set of inputs that a network accepts, worked out exactly from all conditions that shape inference came across."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import partial, reduce
from itertools import islice
from operator import and_
from typing import Any

from archdsl.sizes.conditions import AtLeast, Condition, Equal, Solution, at_least, solved
from archdsl.sizes.naturals import EVERY, NONE, Naturals
from archdsl.sizes.phrases import phrases
from archdsl.sizes.poly import Poly
from archdsl.sizes.size import Size, symbol

# How many values of a symbol are tried in the search for inputs that satisfy, or fail, a relation between symbols.
TRIED = 2_000


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
                if isinstance(solution, Solution):
                    values[solution.symbol] = values.get(solution.symbol, EVERY) & solution.values
                elif not isinstance(solution, bool):
                    relations[solution] = None
        for name in sorted(symbols_of(relations) - values.keys()):
            values[name] = EVERY
        return Domain(values, _unified(values, relations))

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
        found = _search(names, self.values, partial(_first_common, self.relations, self.values))
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
            solve = partial(_first_failing, relation, lower)
            failing = _search(sorted(relation.symbols), above, solve)
            if failing is not None:
                found.append(lower | failing)
        return min(found, key=_rank, default=None)

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


def _unified(values: dict[str, Naturals], relations: Iterable[Condition]) -> list[Condition]:
    """Give symbols that are equal the values that both allow, and drop what follows: H//2 == W//2 from H == W."""
    pairs = {_symbols_alike(relation) for relation in relations if _is_identity(relation)} - {None}
    for _ in pairs:  # values may have to pass on through all of them: H == W, W == D
        for pair in filter(None, pairs):
            values.update(dict.fromkeys(pair, reduce(and_, (values[name] for name in pair))))
    return [relation for relation in relations if _is_identity(relation) or _symbols_alike(relation) not in pairs]


def _symbols_alike(relation: Condition) -> frozenset[str] | None:
    """The two symbols of which a relation says that one function of them is equal."""
    if isinstance(relation, Equal) and isinstance(relation.left, Size) and isinstance(relation.right, Size):
        return relation.symbols if relation.left.form == relation.right.form else None
    return None


def _is_identity(relation: Condition) -> bool:
    """Whether it says that two symbols are equal."""
    return isinstance(relation, Equal) and all(
        isinstance(side, Size) and side == symbol(side.symbol) for side in (relation.left, relation.right)
    )


def symbols_of(conditions: Iterable[Condition]) -> frozenset[str]:
    """The symbols that the conditions depend on."""
    return frozenset().union(*(condition.symbols for condition in conditions))


def _rank(env: Mapping[str, int]) -> tuple[int, int]:
    return max(env.values(), default=0), sum(env.values())


def _search(
    names: list[str], values: Mapping[str, Naturals], solve: Callable[[str, dict[str, int]], int | None]
) -> dict[str, int] | None:
    """The smallest input, by rank, that `solve` completes: it is asked for each symbol, given values of the others.

    Each symbol has its turn at being solved for, as a solution may be small in one and far out in another.
    """
    best: dict[str, int] | None = None
    for last in names:
        others = [name for name in names if name != last]
        for env in _tried(others, values):
            if best is not None and _rank(env)[0] > _rank(best)[0]:
                break
            n = solve(last, env)
            if n is not None and (best is None or _rank({**env, last: n}) < _rank(best)):
                best = {**env, last: n}
    return best


def _tried(names: list[str], values: Mapping[str, Naturals]) -> list[dict[str, int]]:
    """The first inputs in these symbols, by rank, about `TRIED` in all."""
    each = round(TRIED ** (1 / max(len(names), 1)))
    columns = [list(islice(values[name].ascending(), each)) for name in names]
    return sorted((dict(zip(names, row, strict=True)) for row in itertools.product(*columns)), key=_rank)


def _first_common(
    relations: Iterable[Condition], values: Mapping[str, Naturals], name: str, env: dict[str, int]
) -> int | None:
    """The least value of a symbol for which all relations hold, given values of the others."""
    allowed, products = values[name], []
    for relation in relations:
        solution = solved(relation.given(env))
        if solution is False:
            return None
        if isinstance(solution, Solution):
            allowed &= solution.values
        elif not isinstance(solution, bool):
            products.append(solution)
    tried = islice(allowed.ascending(), TRIED if products else 1)
    return next((n for n in tried if all(product.holds({name: n}) for product in products)), None)


def _first_failing(relation: Condition, lower: Mapping[str, int], name: str, env: dict[str, int]) -> int | None:
    """The least value of a symbol, from `lower` on, for which a relation fails, given values of the others."""
    least = lower[name]
    solution = solved(relation.given(env))
    if isinstance(solution, bool):
        return None if solution else least
    if isinstance(solution, Solution):
        return solution.values.first_gap(least)
    return next((n for n in range(least, least + TRIED) if not solution.holds({name: n})), None)
