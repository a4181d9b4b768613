"""The search for inputs that satisfy, or fail, relations between symbols."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from archdsl.sizes.conditions import Among, Condition, solved
from archdsl.sizes.naturals import Naturals

# How many values of a symbol are tried.
TRIED = 2_000
TRIED_IN_PRODUCTS = 50  # where others are tried too, and a product of one symbol is left; it is solved for them


def symbols_of(conditions: Iterable[Condition]) -> frozenset[str]:
    """The symbols that the conditions depend on."""
    return frozenset().union(*(condition.symbols for condition in conditions))


def rank(env: Mapping[str, int]) -> tuple[int, int]:
    return max(env.values(), default=0), sum(env.values())


def search(
    names: list[str], values: Mapping[str, Naturals], solve: Callable[[str, dict[str, int]], int | None]
) -> dict[str, int] | None:
    """The smallest input, by rank, that `solve` completes: it is asked for each symbol, given values of the others.

    Each symbol has its turn at being solved for, as a solution may be small in one and far out in another.
    """
    best: dict[str, int] | None = None
    for last in names:
        others = [name for name in names if name != last]
        for env in _tried(others, values):
            if best is not None and rank(env)[0] > rank(best)[0]:
                break
            n = solve(last, env)
            if n is not None and (best is None or rank({**env, last: n}) < rank(best)):
                best = {**env, last: n}
    return best


def _tried(names: list[str], values: Mapping[str, Naturals]) -> list[dict[str, int]]:
    """The first inputs in these symbols, by rank, about `TRIED` in all."""
    each = _each(len(names))
    columns = [list(islice(values[name].ascending(), each)) for name in names]
    return sorted((dict(zip(names, row, strict=True)) for row in itertools.product(*columns)), key=rank)


def first_common(
    relations: Iterable[Condition], values: Mapping[str, Naturals], name: str, env: dict[str, int]
) -> int | None:
    """The least value of a symbol for which all relations hold, given values of the others."""
    allowed, products = values[name], []
    for relation in relations:
        solution = solved(relation.given(env))
        if solution is False:
            return None
        if isinstance(solution, Among):
            allowed &= solution.values
        elif not isinstance(solution, bool):
            products.append(solution)
    count = (TRIED_IN_PRODUCTS if env else TRIED) if products else 1
    tried = islice(allowed.ascending(), count)
    return next((n for n in tried if all(product.holds({name: n}) for product in products)), None)


def first_failing(relation: Condition, lower: Mapping[str, int], name: str, env: dict[str, int]) -> int | None:
    """The least value of a symbol, from `lower` on, for which a relation fails, given values of the others."""
    least = lower[name]
    solution = solved(relation.given(env))
    if isinstance(solution, bool):
        return None if solution else least
    if isinstance(solution, Among):
        return solution.values.first_gap(least)
    count = TRIED_IN_PRODUCTS if env else TRIED
    return next((n for n in range(least, least + count) if not solution.holds({name: n})), None)


def first_excepted(
    condition: Condition, relations: Iterable[Condition], values: Mapping[str, Naturals], name: str, env: dict[str, int]
) -> int | None:
    """The least value of a symbol for which all relations hold and a condition fails, given values of the others."""
    solution = solved(condition.given(env))
    if isinstance(solution, bool):
        return None if solution else first_common(relations, values, name, env)
    if isinstance(solution, Among):
        return first_common(relations, {**values, name: values[name] & ~solution.values}, name, env)
    count = TRIED_IN_PRODUCTS if env else TRIED
    tried = (env | {name: n} for n in islice(values[name].ascending(), count))
    good = (row for row in tried if all(relation.holds(row) for relation in relations))
    return next((row[name] for row in good if not condition.holds(row)), None)


def is_covered(names: list[str], values: Mapping[str, Naturals]) -> bool:
    """Whether a search over these symbols tries all their values."""
    each = _each(len(names) - 1)
    counts = [len(list(islice(values[name].ascending(), each + 1))) for name in names]
    return max(counts, default=0) <= each and min(counts, default=0) <= TRIED_IN_PRODUCTS


def _each(count: int) -> int:
    each: float = TRIED ** (1 / max(count, 1))
    return round(each)
