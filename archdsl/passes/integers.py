"""Which values hold integers: those that a layer takes as ids.

Input: a network's scope. Output: values of it and of the scopes below, where the integers come from and their views.
"""

from __future__ import annotations

from archdsl.graph.model import Apply, Call, Scope, Value, scopes, walk


def integers(root: Scope) -> frozenset[Value]:
    """The values that hold integers, of a scope and all those below it."""
    found: set[Value] = set()
    for scope in scopes(root):
        for item in reversed(list(walk(scope.items))):
            if isinstance(item, Apply):
                if item.layer.ids or (item.layer.view and not found.isdisjoint(item.outputs)):
                    found.add(item.inputs[0].tensor)
            elif isinstance(item, Call):
                pairs = zip(item.scope.inputs, item.inputs, strict=True)
                found.update(outer.tensor for own, outer in pairs if own in found)
    return frozenset(found)
