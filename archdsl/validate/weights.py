"""Parameters of an emitted module beside those of the graph: their names, their shapes and what fills them at first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archdsl.graph.model import InitRule, Module, Scope
from archdsl.layers.initialisers import INITIALISERS
from archdsl.validate import standins
from archdsl.validate.errors import Mismatch


def has_state(module: Module) -> bool:
    """Whether a submodule's name shows in the `state_dict`."""
    return isinstance(module.what, Scope) or bool(module.weights or module.buffers)


def check_children(have: Sequence[str], scope: Scope) -> None:
    """Raises Mismatch unless the submodules with parameters have their names, in the order of the spec."""
    wanted = [name for name, module in scope.modules.items() if has_state(module)]
    known = set(wanted)
    found = [name for name in have if name in known]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise Mismatch(f"there is no submodule `{missing[0]}`")
    if found != wanted:
        raise Mismatch(f"the submodules come in the order {', '.join(found)}, in the spec in {', '.join(wanted)}")


def check_starts(module: standins.Module, scope: Scope, starts: Mapping[str, InitRule]) -> None:
    """Raises Mismatch unless each parameter is filled as `starts` has it, by its path, and no other is filled."""
    for path, name, leaf, layer in _layers(module, scope, ""):
        for parameter in (*layer.weights, *leaf.fills):
            key = f"{path}.{parameter}"
            rule, fill = starts.get(key), leaf.fills.get(parameter)
            if parameter not in layer.weights:
                raise Mismatch(f"`{key}` is filled, and `{name}` has no such parameter")
            if (rule is None) != (fill is None) or (rule is not None and fill is not None and not _same(rule, fill)):
                raise Mismatch(f"`{key}` starts by {_shown(fill)}, where the spec has {_written(rule)}")
            if (parameter in leaf.fixed) != (rule is not None and rule.arguments.get("fixed", False)):
                raise Mismatch(f"training {'leaves' if parameter in leaf.fixed else 'changes'} `{key}`")


def _layers(module: standins.Module, scope: Scope, prefix: str) -> Iterator[tuple[str, str, standins.Leaf, Module]]:
    """The layers with parameters: their paths, names, stand-ins and modules in the graph."""
    for name, inner in scope.modules.items():
        if not has_state(inner):
            continue
        child = module._modules[name]
        if isinstance(inner.what, Scope):
            yield from _layers(child, inner.what, f"{prefix}{name}.")
        elif isinstance(child, standins.Leaf):
            yield prefix + name, name, child, inner


def _same(rule: InitRule, fill: standins.Fill) -> bool:
    made = INITIALISERS[rule.initialiser]
    names = [each.name for each in made.fields]
    have: dict[str, Any] = {each.name: each.default for each in made.fields}
    have.update(zip(names, fill.args, strict=False))
    have.update(fill.kwargs)
    want = {each.name: rule.arguments.get(each.name, each.default) for each in made.fields}
    return fill.function == made.function and have == want


def _shown(fill: standins.Fill | None) -> str:
    if fill is None:
        return "PyTorch's own rule"
    parts = [*map(repr, fill.args), *(f"{key}={value!r}" for key, value in fill.kwargs.items())]
    return f"{fill.function}({', '.join(parts)})"


def _written(rule: InitRule | None) -> str:
    if rule is None:
        return "PyTorch's own rule"
    return f"{rule.initialiser}({', '.join(f'{key}={value!r}' for key, value in rule.arguments.items())})"
