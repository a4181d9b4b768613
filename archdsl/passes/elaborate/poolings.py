"""Poolings that a later layer undoes: which one a name stands for, and its indices and size where they are needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archdsl.diagnostics import Label
from archdsl.graph.model import (
    Apply,
    Broken,
    Bundle,
    Call,
    Companion,
    Item,
    Join,
    Pooling,
    Scope,
    Skip,
    Value,
    walk,
)
from archdsl.graph.traced import Ref, Traced, substitute
from archdsl.layers.base import Layer, Shape
from archdsl.passes.elaborate import values
from archdsl.passes.elaborate.frame import Context, Failed, Frame
from archdsl.passes.inplace import use_counts
from archdsl.source import Span
from archdsl.syntax import tree


@dataclass(frozen=True)
class Undone:
    """A pooling, with its companions as values of the scope that undoes it."""

    layer: Layer
    indices: Value
    size: Value


@dataclass(frozen=True)
class _Way:
    """Where a pooled value was made: below the owner, in the scope of the innermost of `calls`, or before its block."""

    value: Value
    calls: tuple[Call, ...]

    @property
    def pooling(self) -> Pooling | None:
        """What made it, in the owner's terms."""
        maker, found = self.value.producer, self.value.pooling
        if isinstance(maker, Apply) and maker.layer.indices:
            found = Pooling(maker.layer, maker.inputs[0].shape)
        if found is not None:
            for call in reversed(self.calls):
                found = _in_callers_terms(call, found)
        return found


def _way(at: values.Located) -> _Way | None:
    """Down through the blocks and groups whose output a value is; None if it is no single value."""
    if not isinstance(at.value, Value):
        return None
    value, calls = at.value.tensor, list(at.calls)
    while isinstance(value.producer, Call):
        calls.append(value.producer)
        value = _inner(value.producer, value)
    return _Way(value, tuple(calls))


def pooling_of(at: values.Located) -> Pooling | None:
    """The pooling that made a value; None if none did."""
    way = _way(at)
    return None if way is None else way.pooling


def undone(frame: Frame, at: values.Located, node: tree.Expr, user: str) -> Undone | None:
    """The pooling that made a named value; None where that is broken. Raises Failed, reported, if none made it.

    The value may be the pooling's own, the output of a block or a group that ends with it, or an argument of a block.
    """
    if isinstance(at.value, Broken):
        return None
    if isinstance(at.value, Bundle):
        raise _no_pooling(frame, node, user, f"{len(at.value.values)} values", at.value.span)
    way = _way(at)
    assert way is not None
    pooling = way.pooling
    if pooling is None and way.value.guessed:
        return None
    if pooling is None:
        raise _no_pooling(frame, node, user, _made_by(way.value.producer, at.owner.scope), way.value.span)
    return Undone(pooling.layer, given(frame, at, "indices"), given(frame, at, "size"))


def given(frame: Frame, at: values.Located, kind: str) -> Value:
    """A value, or a companion of it ("indices", "size"), as a value of this scope."""
    found = values.brought(frame, at.owner, _companion(at, kind)) if kind else at.reached(frame)
    assert isinstance(found, Value)
    return found


def _companion(at: values.Located, kind: str) -> Value:
    """A companion of a pooled value, as a value of its owner."""
    way = _way(at)
    assert way is not None
    if way.calls:
        at.owner.context.reaches_inside()
    found = _companions(at.owner.scope, way.value)[kind]
    name = found.label or kind
    for call in reversed(way.calls):
        inner, found = found, values.export(at.owner.context, call, name, found)
        first = call.module.what
        if isinstance(first, Scope) and first is not call.scope:
            first.exports.setdefault(name, _twin(at.owner.context, inner, call.scope, first))
    if way.calls and isinstance(at.value, Value) and at.value.label is not None:
        found.label = f"{at.value.label}_{kind}"  # of a block's output: what its user calls it
    return found


def _twin(context: Context, value: Value, scope: Scope, first: Scope) -> Value:
    """What a companion is where the shared module of its scope was first applied: that is what gives it each time."""
    maker = value.producer
    assert isinstance(maker, (Apply, Call))
    assert value.companion is not None
    made = next(twin for twin, item in zip(walk(first.items), walk(scope.items), strict=True) if item is maker)
    if isinstance(made, Apply):
        return _companions(first, made.outputs[0])[value.companion.kind]
    assert isinstance(made, Call)
    assert isinstance(maker, Call)
    key = next(key for key, exported in maker.exports.items() if exported is value)
    return values.export(context, made, key, _twin(context, maker.scope.exports[key], maker.scope, made.scope))


def drop_unused(scope: Scope) -> None:
    """Takes from a block the arguments of which it uses the companions only."""
    uses = use_counts(scope)
    asked = {i for i, kind in scope.given if kind}
    for at in reversed(range(len(scope.given))):
        index, kind = scope.given[at]
        if not kind and index in asked and not uses[scope.inputs[at]] and not _has_dims(scope, scope.input_names[at]):
            scope.labels.pop(scope.input_names[at], None)
            del scope.inputs[at], scope.input_names[at], scope.given[at]


def _has_dims(scope: Scope, name: str) -> bool:
    """Whether a block's body may ask for the dims of its input of that name (`pool.channels`), or names it `in`."""
    assert scope.definition is not None
    return name == "in" or re.search(rf"\b{name}\s*\.", scope.definition.span.text) is not None


def arguments(layer: Layer) -> tuple[object, ...]:
    """What a layer was given, to tell it from others of its kind."""
    return (layer.name, *(getattr(layer, field.name) for field in layer.fields))


def _in_callers_terms(call: Call, pooling: Pooling) -> Pooling:
    """A pooling of a call's scope, its arguments and the shape said in the caller's variables."""
    layer = pooling.layer
    if not call.scope.refs:  # a group shares the variables around it
        return pooling
    defaults = {ref: call.scope.params[name] for name, ref in call.scope.refs.items() if name in call.scope.params}
    bindings = {**defaults, **values.callers_bindings(call)}
    said = type(layer)({field.name: _said(getattr(layer, field.name), bindings) for field in layer.fields})
    said.variable = frozenset(name for name in layer.variable if isinstance(getattr(said, name), Traced))
    return Pooling(said, values.in_callers_terms(call, pooling.source))


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


def _made_by(item: Item | None, scope: Scope) -> str:
    """What made a value, in words."""
    if isinstance(item, Apply):
        return f"made by `{item.layer.name}`"
    if isinstance(item, (Join, Skip)):
        return f"made by `{item.kind}`"
    return "an input" if scope.kind == "network" else "no pooled value here"


def _companions(scope: Scope, pooled: Value) -> dict[str, Value]:
    """The indices and the size of a pooled value; from now on the pooling gives them, or the scope takes them."""
    maker, pooling = pooled.producer, pooled.pooling
    if isinstance(maker, Apply):
        if len(maker.outputs) == 1:
            maker.module.indices = True
            name = pooled.label or ("pool" if maker.module.name.isdigit() else maker.module.name)
            maker.outputs += _made(pooled, name, maker.inputs[0].shape, maker)
        found = maker.outputs[1:]
    else:
        assert pooling is not None
        found = [value for value in scope.inputs if value.companion is not None and value.companion.of is pooled]
        if not found:
            found = _made(pooled, pooled.label or "pool", pooling.source, None)
            index = next(index for (index, _), value in zip(scope.given, scope.inputs, strict=True) if value is pooled)
            for value in found:
                assert value.companion is not None
                scope.given.append((index, value.companion.kind))
                scope.input_names.append(values.free_input(scope, value.label or "pool"))
            scope.inputs += found
    return {value.companion.kind: value for value in found if value.companion is not None}


def _made(pooled: Value, name: str, source: Shape, maker: Apply | None) -> list[Value]:
    shapes = {"indices": pooled.shape, "size": source}
    return [
        Value(shape, pooled.span, maker, f"{name}_{kind}", pooled.training, None, Companion(kind, pooled))
        for kind, shape in shapes.items()
    ]
