"""Which defaults of a definition's parameters are made of other parameters: `wide = 2 * width`."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.syntax import tree


def derived(definition: tree.Definition) -> Mapping[str, frozenset[str]]:
    """The parameters whose defaults name other parameters, each with those."""
    names = {param.name for param in definition.params}
    found: dict[str, frozenset[str]] = {}
    for param in definition.params:
        if param.default is not None:
            nodes = (param.default, *tree.descendants(param.default))
            named = frozenset(each.name for each in nodes if isinstance(each, tree.Name)) & names
            if named:
                found[param.name] = named
    return found
