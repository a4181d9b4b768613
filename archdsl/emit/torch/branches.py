"""The `if`s that a class with a `forward` decides itself: its constructor notes the case as an attribute.

That is written only where it makes fewer classes: a case that was taken reads better without its condition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archdsl.emit.torch.say import NotSayable, Variables
from archdsl.graph.model import Choice, Join, Scope, Skip, TrainingOnly, Value, everything, walk
from archdsl.passes.elaborate.pythonic import CONTAINER_ATTRIBUTES, bad_module_name
from archdsl.passes.inplace import operands, use_counts
from archdsl.syntax import tree

COMBINATORS = ("residual", "dense", "gate")


def flags(scopes: Iterable[Scope]) -> dict[int, str]:
    """The attribute of each `if` with one condition in the instances of a class, by the id of its node."""
    taken: set[str] = set()
    nodes: dict[int, tree.If] = {}
    for scope in scopes:
        taken |= {*scope.modules, *scope.labels}
        choices = (item for item in everything(scope.items) if isinstance(item, Choice))
        nodes.update((id(item.node), item.node) for item in choices if len(item.node.cases) == 1)
    found: dict[int, str] = {}
    for key, node in sorted(nodes.items(), key=lambda pair: pair[1].span.start):
        base = name = _base(node)
        count = 1
        while name in taken or bad_module_name(name) or name in CONTAINER_ATTRIBUTES:
            count += 1
            name = f"{base}{count}"
        taken.add(name)
        found[key] = name
    return found


def _base(node: tree.If) -> str:
    """The name of a parameter that decides; `is_residual` where an `if` decides whether there is a skip."""
    asked = node.cases[0][0]
    if isinstance(asked, tree.Name):
        return asked.name
    applied = (each for each in tree.descendants(node) if isinstance(each, tree.Apply) and each.body is not None)
    heads = [each.path.head for each in applied]
    return next((f"is_{each}" for each in COMBINATORS if each in heads), "first_case")


def condition(item: Choice, scope: Scope, variables: Variables) -> str | None:
    """The condition of an `if` that a class can decide, as its constructor says it; else None."""
    if len(item.node.cases) != 1 or not _stands_alone(item, scope):
        return None
    body = scope.definition.body.statements if scope.definition is not None else ()
    named = [name for name in scope.input_names if name != "in" or any(item.node is each for each in body)]
    try:
        return variables.translate(item.node.cases[0][0], inputs=named)
    except NotSayable:
        return None


def _stands_alone(item: Choice, scope: Scope) -> bool:
    """Whether a case makes one value of one, which nobody else reads, and only that is read outside."""
    entering, leaving = item.entering, item.leaving
    if not isinstance(entering, Value) or not isinstance(leaving, Value):
        return False
    used = use_counts(scope)
    if not used[leaving.tensor]:  # then there may be no code that makes it
        return False
    if not item.items:
        return True
    inner = list(everything(item.items))
    if any(isinstance(each, TrainingOnly) or (isinstance(each, Join) and each.kind == "parallel") for each in inner):
        return False
    inside: Counter[Value] = Counter()
    for each in walk(item.items):
        inside.update(value.tensor for value in operands(each))
    made = set(_made(item))
    closed = all(used[value] == inside[value] for value in {*made, entering.tensor} - {leaving.tensor})
    return leaving.tensor in made and not inside[leaving.tensor] and closed


def _made(item: Choice) -> Iterator[Value]:
    for each in walk(item.items):
        outputs = [each.output] if isinstance(each, (Join, Skip)) else each.outputs
        yield from (value.tensor for value in outputs if isinstance(value, Value))
