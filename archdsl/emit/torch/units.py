"""What becomes the classes of a file: the instances of each block and group, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archdsl.graph.model import Call, Scope, walk
from archdsl.passes.place import Placed


@dataclass
class Units:
    """The instances of each block, group and of the network, what is used before what uses it."""

    instances: dict[Any, list[Placed]] = field(default_factory=dict)
    order: list[Any] = field(default_factory=list)  # keys of the instances
    paths: dict[Scope, tuple[str, ...]] = field(default_factory=dict)  # of each scope, where it is first used

    @classmethod
    def of(cls, root: Placed, inlined: Callable[[Placed], bool]) -> Units:
        """Those of a network; a group that is `inlined` belongs to what it stands in."""
        found = cls()
        uses: dict[Any, dict[Any, None]] = {}
        seen: set[Placed] = set()
        stack: list[tuple[Placed, Any, tuple[str, ...]]] = [(root, _key(root.scope), ())]
        while stack:
            placed, owner, path = stack.pop()
            found.paths.setdefault(placed.scope, path)
            if owner not in uses:
                uses[owner] = {}
            if placed is root or not inlined(placed):
                if placed in seen:
                    continue
                found.instances.setdefault(owner, []).append(placed)
            seen.add(placed)
            inner = []
            for call in (i for i in walk(placed.scope.items) if isinstance(i, Call) and i.first):
                below = placed.inner[call]
                key = owner if inlined(below) else _key(below.scope)
                if key != owner:
                    uses[owner][key] = None
                inner.append((below, key, (*path, call.module.name)))
            stack.extend(reversed(inner))
        marked: set[Any] = set()

        def visit(key: Any) -> None:
            if key not in marked:
                marked.add(key)
                for used in uses.get(key, {}):
                    visit(used)
                found.order.append(key)

        visit(_key(root.scope))
        return found


def _key(scope: Scope) -> Any:
    if scope.definition is not None:
        return id(scope.definition)
    return (id(scope.span.source), scope.span.start, scope.name.rstrip("0123456789"))
