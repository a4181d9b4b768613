"""Which activations may overwrite their input, as a careful author would mark them (`nn.ReLU(inplace=True)`).

Input: a scope of the typed graph. Output: the applications in it that run in place. One may if its layer can,
nobody else uses its input, and what made the input does not need its own output for the backward pass. The scope's own
inputs are left alone, since the caller may use them again.
"""

from __future__ import annotations

from collections import Counter

from archdsl.graph.model import Apply, Call, Join, Scope, Skip, Value, walk


def inplace(scope: Scope) -> frozenset[Apply]:
    """The applications of a scope (not of the scopes inside it) that overwrite their input."""
    uses = use_counts(scope)
    return frozenset(
        item
        for item in walk(scope.items)
        if isinstance(item, Apply)
        and item.layer.inplace
        and uses[item.inputs[0].tensor] == 1
        and _may_overwrite(item.inputs[0].tensor, uses)
    )


def use_counts(scope: Scope) -> Counter[Value]:
    """How often each value of a scope is used, outputs and exports included."""
    uses: Counter[Value] = Counter()
    for item in walk(scope.items):
        uses.update(value.tensor for value in operands(item))
    uses.update(result.value.tensor for result in scope.results)
    uses.update(value.tensor for value in scope.exports.values())
    return uses


def operands(item: Apply | Call | Join | Skip) -> list[Value]:
    """The values that an application reads itself (not those that a branch's items read)."""
    if isinstance(item, (Apply, Call)):
        return item.inputs
    if isinstance(item, Join):
        return [branch.value for branch in item.branches]
    return [item.projection.value if item.projection is not None else item.source, item.body]


def _may_overwrite(value: Value, uses: Counter[Value]) -> bool:
    """Whether what made a value can do without it afterwards; `uses` are those of the scope that it is in."""
    maker = value.producer
    if isinstance(maker, Apply):
        kept = "output" in maker.layer.saves or maker.layer.inplace  # in place, what is kept is the output
        if kept or len(maker.outputs) > 1:  # autograd refuses one of several views
            return False
        return not (maker.layer.view or maker.layer.alias) or _may_lose(maker.inputs[0].tensor, uses)
    if isinstance(maker, Call):
        results = (r.value.tensor for r, out in zip(maker.scope.results, maker.outputs, strict=True) if out is value)
        return all(_may_lose(inner, use_counts(maker.scope)) for inner in results)
    if isinstance(maker, Join) and maker.kind != "concat" and len(maker.branches) == 1:
        return _may_lose(maker.branches[0].value.tensor, uses)
    return isinstance(maker, (Join, Skip))


def _may_lose(value: Value, uses: Counter[Value]) -> bool:
    """Whether a value whose memory is handed on can be overwritten."""
    return uses[value] == 1 and _may_overwrite(value, uses)
