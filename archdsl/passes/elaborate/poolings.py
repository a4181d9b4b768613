"""Poolings that a later layer undoes: which one a name stands for, and its indices and size where they are needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archdsl.diagnostics import Label
from archdsl.graph.model import Apply, Broken, Bundle, Call, Companion, Item, Join, Skip, Value
from archdsl.graph.traced import Ref, Traced, substitute
from archdsl.layers.base import Layer
from archdsl.passes.elaborate import values
from archdsl.passes.elaborate.frame import Failed, Frame
from archdsl.source import Span
from archdsl.syntax import tree


@dataclass(frozen=True)
class Undone:
    """A pooling, with its companions as values of the scope that undoes it."""

    layer: Layer
    indices: Value
    size: Value


def undone(frame: Frame, at: values.Located, node: tree.Expr, user: str) -> Undone | None:
    """The pooling that made a named value; None where that is broken. Raises Failed, reported, if none made it.

    The value may be the pooling's own, or the output of a block or a group that ends with it.
    """
    if isinstance(at.value, Broken):
        return None
    if isinstance(at.value, Bundle):
        raise _no_pooling(frame, node, user, f"{len(at.value.values)} values", at.value.span)
    value, calls = at.value.tensor, list(at.calls)
    while isinstance(value.producer, Call):
        calls.append(value.producer)
        value = _inner(value.producer, value)
    pooling = value.producer
    if not isinstance(pooling, Apply) or not pooling.layer.indices:
        raise _no_pooling(frame, node, user, _made_by(pooling), value.span)
    layer = pooling.layer
    for call in reversed(calls):
        layer = _in_callers_terms(call, layer)
    indices, size = (_reached(frame, at, calls, companion) for companion in _companions(pooling))
    return Undone(layer, indices, size)


def _reached(frame: Frame, at: values.Located, calls: Sequence[Call], found: Value) -> Value:
    """A companion, which stands in the scope of the innermost of the owner's calls, as a value of this scope."""
    name, companion = found.label, found.companion
    for call in reversed(calls):
        found = values.export(call, name or "", found)
    if calls and isinstance(at.value, Value) and at.value.label is not None and companion is not None:
        found.label = f"{at.value.label}_{companion.kind}"  # of a block's output: what its user calls it
    brought = values.brought(frame, at.owner, found)
    assert isinstance(brought, Value)
    return brought


def _in_callers_terms(call: Call, layer: Layer) -> Layer:
    """A layer of a call's scope, its arguments said in the caller's variables."""
    defaults = {ref: call.scope.params[name] for name, ref in call.scope.refs.items() if name in call.scope.params}
    bindings = {**defaults, **values.callers_bindings(call)}
    said = type(layer)({field.name: _said(getattr(layer, field.name), bindings) for field in layer.fields})
    said.variable = frozenset(name for name in layer.variable if isinstance(getattr(said, name), Traced))
    return said


def _said(value: Any, bindings: Mapping[Ref, object]) -> Any:
    if isinstance(value, tuple):
        return tuple(substitute(each, bindings) for each in value)
    return substitute(value, bindings)


def _no_pooling(frame: Frame, node: tree.Expr, user: str, what: str, span: Span) -> Failed:
    return frame.context.fail(
        "E0202",
        f"`{node.span.text}` is {what}; `{user}` names a value that a max pooling made",
        node.span,
        labels=(Label(span, what),),
        help=[f"label the pooling, `pool = maxpool(2)`, and name that: `{user}(pool)`"],
    )


def _inner(call: Call, value: Value) -> Value:
    """The value inside a call's scope that one of its outputs, or of its exports, is."""
    made = zip(call.scope.results, call.outputs, strict=True)
    found = [result.value for result, output in made if output is value]
    found += [call.scope.exports[key] for key, exported in call.exports.items() if exported is value]
    return found[0].tensor


def _made_by(item: Item | None) -> str:
    """What made a value, in words."""
    if isinstance(item, Apply):
        return f"made by `{item.layer.name}`"
    if isinstance(item, (Join, Skip)):
        return f"made by `{item.kind}`"
    return "an input"


def _companions(pooling: Apply) -> tuple[Value, Value]:
    """The indices and the size of a pooling; from now on it gives them."""
    if len(pooling.outputs) == 1:
        pooled, source = pooling.outputs[0], pooling.inputs[0]
        pooling.module.indices = True
        name = pooled.label or ("pool" if pooling.module.name.isdigit() else pooling.module.name)
        pooling.outputs += [
            Value(shape, pooling.span, pooling, f"{name}_{kind}", pooled.training, None, Companion(kind, pooled))
            for kind, shape in (("indices", pooled.shape), ("size", source.shape))
        ]
    return pooling.outputs[1], pooling.outputs[2]
