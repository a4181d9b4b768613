"""Whether a class is right for other arguments than its defaults.

All parameters are changed together, in a few different ways, and the network that the spec then is, elaborated anew, is
held against the class built with these arguments. So the cost does not grow with the number of parameters. Where the
class is wrong, bisection finds a parameter at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from archdsl.diagnostics import Sink
from archdsl.graph.model import Network
from archdsl.passes.elaborate import SettingError, elaborate
from archdsl.passes.load import Definition
from archdsl.syntax import tree
from archdsl.validate.check import Validation
from archdsl.validate.errors import Mismatch

WAYS = 6  # how many values are tried for a parameter at most
REFUSALS = 8  # how many parameters are left out of one trial, because the network refuses their values


def wrong_parameters(
    validation: Validation, definition: Definition, settings: Mapping[str, Any], values: Mapping[str, Any]
) -> set[str]:
    """Parameters of a network for whose other values the class is another network than the spec.

    `values` are the parameters that may change, with what they are now.
    """

    def network(changed: Mapping[str, Any]) -> Network | None:
        return _elaborated(definition, {**settings, **changed})

    def check(found: Network, changed: Mapping[str, Any]) -> None:
        validation.check(found, {**settings, **changed}, quick=True)

    return tried(values, integers(definition), network, check)


def tried(
    values: Mapping[str, Any],
    constants: Collection[int],
    network: Callable[[Mapping[str, Any]], Network | None],
    check: Callable[[Network, Mapping[str, Any]], None],
    *,
    ways: int = WAYS,
    refusals: int = REFUSALS,
) -> set[str]:
    """Those of the parameters with these values that a class is wrong for other values of.

    `network` is what the spec is with some values changed, None where it refuses them; `check` raises Mismatch if the
    class is something else then.
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
    others = {name: list(islice(_others(value, constants), ways)) for name, value in values.items()}
    for way in range(max(map(len, others.values()), default=0)):
        changed = {name: tried[way] for name, tried in others.items() if way < len(tried) and name not in wrong}
        for _ in range(refusals):
            if not changed or changed_network(changed) is not None:
                break
            del changed[_culprit(changed, lambda some: changed_network(some) is None)]
        while changed and differs(changed):
            culprit = _culprit(changed, differs)
            wrong.add(culprit)
            del changed[culprit]
    return wrong


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


def _elaborated(definition: Definition, settings: Mapping[str, Any]) -> Network | None:
    try:
        found = elaborate(definition, settings, Sink())
    except SettingError:
        return None
    return found


def _others(value: Any, constants: Collection[int]) -> Iterator[Any]:
    """Other values of a kind. A number's are near it, multiples, small, large, and what the spec compares with."""
    if isinstance(value, bool):
        yield not value
    elif value is None:
        yield from (True, 2)
    elif isinstance(value, int):
        found = [value + 1, 3 * value + 1, 2 * value, value // 2, 1, 10 * value + 7]
        near = sorted(constants, key=lambda each: (abs(each - value), each))
        found += [each + more for each in near for more in (0, 1, -1)]
        yield from (each for each in dict.fromkeys(found) if each != value and each >= 0)
    elif isinstance(value, float):
        yield from (each for each in dict.fromkeys((value / 2, 0.0, 1.0, 2 * value, value + 1)) if each != value)
    elif isinstance(value, (list, tuple)) and value:
        kind = type(value)
        for way in range(3):
            items = [next(islice(_others(item, ()), way, None), item) for item in value]
            if items != list(value):
                yield kind(items)
        if isinstance(value, list):
            yield [*value, value[-1]]
            yield value[:-1]


def integers(definition: Definition) -> list[int]:
    """The integers in the text of a definition and of the blocks that its file can name."""
    return sorted(set(_integers(definition)))


def _integers(definition: Definition) -> Iterator[int]:
    stack: list[Any] = [definition.node, *(each.node for each in definition.unit.names.values())]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Literal) and type(node.value) is int and node.value < 100_000:
            yield node.value
        elif isinstance(node, Sequence) and not isinstance(node, str):
            stack.extend(node)
        elif isinstance(node, tree.Node):
            stack.extend(getattr(node, slot) for slot in node.__dataclass_fields__ if slot != "span")
