"""What a claim is about: the metrics of a network and of its parts.

`params`, `buffers`, `macs`, `flops`, `memory` (bytes, one fp32 image), `shape` and `receptive_field` (positions of the
first input). Input: a network and what its author wrote. Output: numbers and shapes. Errors: ClaimError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import did_you_mean
from archdsl.graph.model import Apply, Call, Flowing, Module, Scope, Value, walk
from archdsl.layers.base import Layer
from archdsl.passes.cost import Cost
from archdsl.passes.elaborate.values import as_path
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.passes.receptive import Extent, Receptive

METRICS = ("params", "buffers", "macs", "flops", "memory", "shape", "receptive_field")


class ClaimError(Exception):
    """A claim that has no value: a message, where, and what would do."""

    def __init__(self, message: str, node: tree.Node, *, code: str = "E0402", help: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message, self.node, self.code, self.help = message, node, code, help


@dataclass
class Options:
    """The arguments of a metric: the part that is meant, None for the network; whether what trains only counts."""

    part: tree.Expr | None = None
    training: bool = False
    smallest: bool = False


def options(name: str, args: Sequence[tree.Arg]) -> Options:
    """Reads the arguments of a metric."""
    found = Options()
    flag = "smallest" if name == "receptive_field" else "training"
    for arg in args:
        if arg.name == flag and isinstance(arg.value, tree.Literal) and isinstance(arg.value.value, bool):
            setattr(found, flag, arg.value.value)
        elif arg.name is None and found.part is None:
            found.part = arg.value
        else:
            raise ClaimError(
                f"`{name}` takes the label of a part, if any, and may take `{flag}=true`, nothing else", arg
            )
    return found


def whole(cost: Cost, name: str) -> Any:
    """A metric of a network."""
    if name == "shape":
        results = [r for r in cost.network.scope.results if not r.training]
        shapes = [list(cost.shape(r.value.shape)) for r in results]
        return shapes[0] if len(shapes) == 1 else shapes
    value = getattr(cost, name)
    return value() if callable(value) else value


def part(cost: Cost, name: str, node: tree.Expr) -> Any:
    """A metric of what a label names: `layer3`, `layer3.conv`, `tower[0]`."""
    at = _way(node, cost.network.scope)[-1]
    if name == "shape" and isinstance(at.value, Value):
        return list(cost.shape(at.value.shape))
    if at.module is not None and name in ("params", "buffers"):
        return cost.module_elements(at.module, "weights" if name == "params" else "buffers")
    if at.module is not None and name in ("macs", "flops"):
        return sum(map(cost.item_macs, at.applications)) * (2 if name == "flops" else 1)
    counted = "params, buffers, macs and flops of a layer, block or group, shape and receptive_field of a value"
    raise ClaimError(f"`{name}` of `{node.span.text}` is not counted", node, help=[f"of a part there is: {counted}"])


def receptive_field(receptive: Receptive, options: Options, node: tree.Expr) -> int | list[Any]:
    """How many positions of the first input a position of a value depends on: a number if all axes agree."""
    scope = receptive.network.scope
    if options.part is None:
        values = [(receptive.seen, result.value) for result in scope.results if not result.training]
        fields = [_sizes(receptive.extents(*each), options, node, scope) for each in values]
        return fields[0] if len(fields) == 1 else fields
    way = _way(options.part, scope)
    scopes = [receptive.seen]
    for at in way[:-1]:
        calls = [item for item in at.applications if isinstance(item, Call)]
        scopes = [receptive.inside(seen, call) for seen in scopes for call in calls]
    found = {receptive.extents(seen, value) for seen in scopes for value in way[-1].values}
    if len(found) != 1:
        what = "several values, which do not see the same" if found else "no value"
        raise ClaimError(f"`{options.part.span.text}` stands for {what}", options.part)
    return _sizes(found.pop(), options, options.part, scope)


def _sizes(found: tuple[Extent, ...] | None, options: Options, node: tree.Expr, scope: Scope) -> int | list[Any]:
    if found is None:
        what = "the output" if options.part is None else f"`{node.span.text}`"
        raise ClaimError(f"{what} does not depend on `{scope.input_names[0]}`", node)
    sizes = [extent.smallest if options.smallest else extent.size for extent in found]
    return sizes[0] if len(set(sizes)) == 1 else sizes


@dataclass
class _Step:
    """One label on the way to a part: the scope that it stands in, the module and the value that it names there."""

    holder: Scope
    module: Module | None
    value: Flowing | None

    @property
    def applications(self) -> list[Apply | Call]:
        return [i for i in walk(self.holder.items) if isinstance(i, (Apply, Call)) and i.module is self.module]

    @property
    def values(self) -> list[Value]:
        """The values that are meant: that of the label, or what the applications of an unlabelled module make."""
        if isinstance(self.value, Value):
            return [self.value]
        return [value for item in self.applications for value in item.outputs if value.companion is None]


def _way(node: tree.Expr, scope: Scope) -> list[_Step]:
    """The labels on the way to a part, from a network's scope on."""
    inner: Scope | Layer = scope
    way: list[_Step] = []
    for name in _names(node):
        if not isinstance(inner, Scope) or (name not in inner.modules and name not in inner.labels):
            near = did_you_mean(name, inner.labels) if isinstance(inner, Scope) else None
            hint = f"; did you mean `{near}`?" if near else ""
            raise ClaimError(f"nothing is labelled `{name}`{hint}", node)
        module = inner.modules.get(name)
        way.append(_Step(inner, module, inner.labels.get(name)))
        inner = module.what if module is not None else Scope("group", name, node.span, None)
    return way


def _names(node: tree.Expr) -> list[str]:
    """The names on the way to a part: `layer[2].conv` is layer2, then conv."""
    path = as_path(node)
    if path is None:
        raise ClaimError(f"`{node.span.text}` is no label", node)
    steps = [path.head]
    for part in path.parts:
        if isinstance(part, str):
            steps.append(part)
        elif isinstance(part, tree.Literal) and isinstance(part.value, int) and not isinstance(part.value, bool):
            steps[-1] += str(part.value)
        else:
            raise ClaimError("the index of a label is a number here", part)
    return steps
