"""Which scopes `nn.Sequential` can run, and what the submodules of the others are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.graph.model import Apply, Call, Choice, Item, Loop, Module, Scope, Value
from archdsl.layers.base import Layer
from archdsl.passes.elaborate.pythonic import CONTAINER_ATTRIBUTES, bad_module_name


def is_chain(scope: Scope) -> bool:
    """Whether `nn.Sequential` can run the scope: one value through modules, each used once."""
    if len(scope.inputs) != 1 or len(scope.results) != 1 or scope.exports or not scope.modules:
        return False
    if not CONTAINER_ATTRIBUTES.isdisjoint(scope.modules):
        return False
    end = _chain_end(scope.items, scope.inputs[0])
    return end is not None and end is scope.results[0].value.tensor


def _chain_end(items: Sequence[Item], value: Value) -> Value | None:
    """The value that leaves the items, or None if they are no chain from `value` on."""
    for item in items:
        if isinstance(item, (Apply, Call)):
            single = len(item.inputs) == 1 and len(item.outputs) == 1 and item.first and not item.module.indices
            if not single or item.inputs[0].tensor is not value:
                return None
            if isinstance(item, Call) and item.scope.exports:  # asked for by another caller, its class gives several
                return None
            if isinstance(item, Apply) and item.layer.module(item.inputs[0].shape) is None:
                return None
            value = item.outputs[0].tensor
        elif isinstance(item, (Loop, Choice)):
            for part in [turn.items for turn in item.turns] if isinstance(item, Loop) else [item.items]:
                end = _chain_end(part, value)
                if end is None:
                    return None
                value = end
        else:
            return None
    return value


def prefers_sequential(scope: Scope) -> bool:
    """Whether a block that is a chain reads best as an nn.Sequential: its steps are numbered, or there is a loop.

    A few labelled steps read better in a `forward`.
    """
    numbered = [name.isdigit() for name in scope.modules]
    if all(numbered) or any(isinstance(item, Loop) for item in scope.items):
        return True
    return any(digit and has_state(module) for digit, module in zip(numbered, scope.modules.values(), strict=True))


def has_state(module: Module) -> bool:
    """Whether a submodule's name shows in the `state_dict`."""
    return isinstance(module.what, Scope) or bool(module.weights or module.buffers)


def attribute_names(scope: Scope) -> Mapping[Module, str]:
    """The attribute of each submodule in a class with a `forward`.

    It is the module's name in the spec, except that what has no state and no label is called after its layer instead of
    its position: `self.dropout`. The `state_dict` has nothing of it. What has state keeps its position, and is reached
    as an item, `self["5"]`: `self.5` is no Python. Its class is an nn.ModuleDict.
    """
    taken = set(scope.modules)
    names: dict[Module, str] = {}
    for name, module in scope.modules.items():
        if name.isdigit() and isinstance(module.what, Layer) and not has_state(module):
            name = _free_name(module.what.name, taken)
            taken.add(name)
        names[module] = name
    return names


def _free_name(base: str, taken: set[str]) -> str:
    if bad_module_name(base) or base in CONTAINER_ATTRIBUTES:
        base = f"{base}_layer"
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}{count}"
    return name


def is_function(item: Apply) -> bool:
    """Whether an application needs no submodule: there is a function for it, and no state."""
    return not item.module.weights and item.layer.function(*(value.shape for value in item.inputs)) is not None
