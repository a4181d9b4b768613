"""Which activations may overwrite their input, as a careful author would mark them (`nn.ReLU(inplace=True)`).

Input: a network's scope. Output: the applications in it and below it that run in place. An application may if its
layer can, nobody else uses its input, and what made the input does not need its own output for the backward pass. A
scope's own inputs are left alone, since the caller may use them again. One statement of a spec runs in place everywhere
or nowhere, so that it is one line of code whatever turn of a loop or use of a block it is.
"""

from __future__ import annotations

from collections import Counter

from archdsl.graph.model import Apply, Call, Join, Scope, Skip, Value, scopes, walk
from archdsl.source import Span


def inplace(root: Scope) -> frozenset[Apply]:
    """The applications that overwrite their input, of a scope and all those below it."""
    finder = _Finder()
    able: list[Apply] = []
    refused: set[Span] = set()
    for scope in scopes(root):
        for item in walk(scope.items):
            if isinstance(item, Apply) and item.layer.inplace:
                if finder.may_lose(item.inputs[0].tensor, scope):
                    able.append(item)
                else:
                    refused.add(item.span)
    return frozenset(item for item in able if item.span not in refused)


def use_counts(scope: Scope) -> Counter[Value]:
    """How often each value of a scope is used, outputs and exports included."""
    uses: Counter[Value] = Counter()
    for item in walk(scope.items):
        if not isinstance(item, Join) or item.kind != "parallel":  # that hands its branches on as they are
            uses.update(value.tensor for value in operands(item))
    uses.update(result.value.tensor for result in scope.results)
    uses.update(value.tensor for value in scope.exports.values())
    return uses


def unread_joins(scope: Scope) -> frozenset[Join | Skip]:
    """The joins and skips whose values nobody uses, but for others of them: they need not be worked out."""
    uses = use_counts(scope)
    found = set()
    for item in reversed(list(walk(scope.items))):
        if isinstance(item, Join) and item.kind == "parallel":
            continue  # it reads nothing: what uses its branches reads them
        if isinstance(item, (Join, Skip)) and not uses[item.output.tensor]:
            found.add(item)
            uses.subtract(value.tensor for value in operands(item))
    return frozenset(found)


def operands(item: Apply | Call | Join | Skip) -> list[Value]:
    """The values that an application reads itself (not those that a branch's items read)."""
    if isinstance(item, (Apply, Call)):
        return item.inputs
    if isinstance(item, Join):
        return [branch.value for branch in item.branches]
    return [item.projection.value if item.projection is not None else item.source, item.body]


class _Finder:
    """Looks at values; remembers how often those of a scope are used."""

    def __init__(self) -> None:
        self._uses: dict[Scope, Counter[Value]] = {}

    def may_lose(self, value: Value, scope: Scope) -> bool:
        """Whether its user can overwrite a value of a scope: there is no other, and its maker needs it no more."""
        if scope not in self._uses:
            self._uses[scope] = use_counts(scope)
        return self._uses[scope][value] == 1 and self._without(value, scope)

    def _without(self, value: Value, scope: Scope) -> bool:
        """Whether what made a value can do without it afterwards."""
        maker = value.producer
        if isinstance(maker, Apply):
            kept = "output" in maker.layer.saves or maker.layer.inplace  # in place, what is kept is the output
            if kept or (maker.layer.view and len(maker.outputs) > 1):  # autograd refuses one of several views
                return False
            handed_on = maker.layer.view or maker.layer.alias
            return not handed_on or self.may_lose(maker.inputs[0].tensor, scope)
        if isinstance(maker, Call):
            made = [(r.value, out) for r, out in zip(maker.scope.results, maker.outputs, strict=True)]
            made += [(maker.scope.exports[name], out) for name, out in maker.exports.items()]
            return all(self.may_lose(inner.tensor, maker.scope) for inner, out in made if out is value)
        if isinstance(maker, Join) and maker.kind != "concat" and len(maker.branches) == 1:
            return self.may_lose(maker.branches[0].value.tensor, scope)
        return isinstance(maker, (Join, Skip))
