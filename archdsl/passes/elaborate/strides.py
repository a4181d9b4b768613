"""The stride of a skip's body as the author's arithmetic, and what else decides how its sizes become others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Skip, Value, everything
from archdsl.graph.traced import Ref, refs, substitute
from archdsl.passes.elaborate.values import callers_bindings


def stride_of(value: Value, items: Sequence[Item], body: Value, stride: int | None) -> Any:
    """The strides of the layers in a body, multiplied; None unless that is `stride`, for whatever arguments.

    A size that is a function of the input's grows with it by the product of the strides, so no other stride of a
    projection fits it. Of a fixed one several may, but with none but 1 it stays what it is; unless it is 1.
    """
    if stride is None or any(dim == 1 for dim in value.shape[1:]):
        return None
    found = _product(items)
    return found if found == stride else None


def _product(items: Sequence[Item]) -> Any:
    """The product of a path's strides; None where they differ between axes."""
    product: Any = 1
    for item in items:
        each: Any = 1
        if isinstance(item, Apply):
            each = getattr(item.layer, "stride", 1)
            each = item.layer.kernel if each is None and hasattr(item.layer, "kernel") else each
        elif isinstance(item, Call):
            each = substitute(_product(item.scope.items), callers_bindings(item))
        elif isinstance(item, (Skip, Choice)):
            each = _product(item.items)
        elif isinstance(item, Join):
            each = _product(item.branches[0].items)
        elif isinstance(item, Loop):
            each = _product([each for turn in item.turns for each in turn.items])
        if not isinstance(each, int):
            return None
        product = each * product if product == 1 and not refs(product) else product * each
    return product


def sizes_depend(value: Value, items: Sequence[Item], body: Value) -> frozenset[Ref]:
    """The variables that decide whether a body's sizes, beside the channels, are those of its input.

    Where they are functions of the input's size it may be any argument of a layer in the body but the channels.
    """
    pairs = list(zip(value.shape[1:], body.shape[1:], strict=False))
    found = frozenset().union(*(refs(a) ^ refs(b) for a, b in pairs))
    if all(isinstance(a, int) and isinstance(b, int) for a, b in pairs):
        return found
    for item in everything(list(items)):
        if isinstance(item, (Apply, Call)):
            made = refs(tuple(out.shape[0] for out in item.outputs if out.shape))
            found |= frozenset().union(*item.depends.values()) - made
        elif isinstance(item, (Loop, Choice, Skip)):
            found |= item.depends
    return found
