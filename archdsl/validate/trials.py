"""Whether a class is right for other arguments than its defaults.

The network that the spec is with other values, elaborated anew, is held against the class built with them. All
parameters are changed together, in a few different ways; then some of them, while others keep their values or are
calculated anew: of any two, one is changed without the other at least once. Then they take the numbers near those that
the spec compares them with, together and one by one. So the cost hardly grows with the number of parameters. Where the
class is wrong, bisection finds a parameter at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from archdsl.diagnostics import Sink
from archdsl.graph.model import Network
from archdsl.passes.elaborate import Memo, SettingError, elaborate
from archdsl.passes.load import Definition
from archdsl.validate.check import Validation
from archdsl.validate.errors import Mismatch
from archdsl.validate.thresholds import Limits, Thresholds

WAYS = 3  # in how many ways all parameters are changed together
NEAR = 9  # how many numbers near those of comparisons are tried of a parameter at most
APART = 12  # how many of these are tried of one parameter alone, of all parameters at most
REFUSALS = 8  # how many parameters are left out of one trial, because the network refuses their values


def wrong_parameters(
    validation: Validation, definition: Definition, settings: Mapping[str, Any], values: Mapping[str, Any], memo: Memo
) -> set[str]:
    """Parameters of a network for whose other values the class is another network than the spec.

    `values` are the parameters that may change, with what they are now; `memo` is shared by all the trials of a spec.
    """

    def network(changed: Mapping[str, Any]) -> Network | None:
        try:
            return elaborate(definition, {**settings, **changed}, Sink(), memo=memo)
        except SettingError:
            return None

    def check(found: Network, changed: Mapping[str, Any]) -> None:
        validation.check(found, {**settings, **changed}, quick=True)

    return tried(values, Thresholds().of(definition), network, check)


def tried(
    values: Mapping[str, Any],
    thresholds: Limits,
    network: Callable[[Mapping[str, Any]], Network | None],
    check: Callable[[Network, Mapping[str, Any]], None],
    *,
    ways: int = WAYS,
    refusals: int = REFUSALS,
    more: Iterable[Mapping[str, Any]] = (),
) -> set[str]:
    """Those of the parameters with these values that a class is wrong for other values of.

    `network` is what the spec is with some values changed, None where it refuses them; `check` raises Mismatch if the
    class is something else then. `more` are changes to be tried besides.
    """
    made: dict[str, Network | None] = {}

    def changed_network(changed: Mapping[str, Any]) -> Network | None:
        key = repr(changed)
        if key not in made:
            made[key] = network(changed)
        return made[key]

    def differs(changed: Mapping[str, Any]) -> bool:
        found = changed_network(changed)
        if found is None:
            return False
        try:
            check(found, changed)
        except Mismatch:
            return True
        return False

    wrong: set[str] = set()
    for way in (*_ways(values, thresholds, ways), *more):
        changed = {name: other for name, other in way.items() if name not in wrong}
        for _ in range(refusals):
            if not changed or changed_network(changed) is not None:
                break
            del changed[_culprit(changed, lambda some: changed_network(some) is None)]
        while changed and differs(changed):
            culprit = _culprit(changed, differs)
            wrong.add(culprit)
            del changed[culprit]
    return wrong


def _ways(values: Mapping[str, Any], thresholds: Limits, together: int) -> Iterator[dict[str, Any]]:
    """Which parameters are changed, and to what."""
    bits = len(values).bit_length()
    others = {name: list(islice(_others(value), together + bits)) for name, value in values.items()}
    others = {name: found for name, found in others.items() if found}
    for way in range(together):
        yield {name: found[way] for name, found in others.items() if way < len(found)}
    for bit in range(bits if len(others) > 1 else 0):  # no two have the same number
        some = {name: found for number, (name, found) in enumerate(others.items(), 1) if number >> bit & 1}
        yield {name: found[(together + bit) % len(found)] for name, found in some.items()}
    near = {name: list(islice(_near(value, thresholds.get(name, ())), NEAR)) for name, value in values.items()}
    near = {name: found for name, found in near.items() if found}
    apart: list[dict[str, Any]] = []
    for way in range(max(map(len, near.values()), default=0)):
        at = {name: found[way] for name, found in near.items() if way < len(found)}
        yield at
        apart += [{name: value} for name, value in at.items() if len(values) > 1]
    yield from apart[:APART]


def _culprit(changed: Mapping[str, Any], fails: Callable[[Mapping[str, Any]], bool]) -> str:
    """The last parameter of a shortest beginning of `changed` that fails, where all of it does."""
    names = list(changed)
    low, high = 0, len(names)
    while high - low > 1:
        middle = (low + high) // 2
        if fails({name: changed[name] for name in names[:middle]}):
            high = middle
        else:
            low = middle
    return names[high - 1]


def _near(value: Any, thresholds: Iterable[int | str]) -> Iterator[Any]:
    """The integers around those that a parameter is compared with, from the nearest one on; the strings themselves."""
    if isinstance(value, int) and not isinstance(value, bool):
        numbers = (each for each in thresholds if isinstance(each, int))
        nearest = sorted(numbers, key=lambda each: (abs(each - value), each))
        found = [each + more for each in nearest for more in (0, 1, -1)]
        yield from (each for each in dict.fromkeys(found) if each != value and each >= 0)
    elif isinstance(value, str):
        yield from sorted(each for each in thresholds if isinstance(each, str) and each != value)
    elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        yield from ([word] * len(value) for word in sorted(each for each in thresholds if isinstance(each, str)))


def _others(value: Any) -> Iterator[Any]:
    """Other values of a kind. A number's are near it, multiples, small and large."""
    if isinstance(value, bool):
        yield not value
    elif value is None:
        yield from (True, 2)
    elif isinstance(value, int):
        found = [value + 1, 3 * value + 1, 2 * value, value // 2, 1, 10 * value + 7]
        yield from (each for each in dict.fromkeys(found) if each != value and (each >= 0 or value < 0))
    elif isinstance(value, float):
        yield from (each for each in dict.fromkeys((value / 2, 0.0, 1.0, 2 * value, value + 1)) if each != value)
    elif isinstance(value, (list, tuple)) and value:
        kind = type(value)
        several = ([next(islice(_others(item), way, None), item) for item in value] for way in range(3))
        changed = [kind(items) for items in several if items != list(value)]
        yield from changed[:1]
        if isinstance(value, list):  # longer and shorter before larger: what is repeated may be long
            yield from ([*value, value[-1]], value[:-1], *([value[::-1]] if value[::-1] != value else []))
        yield from changed[1:]
