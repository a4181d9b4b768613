"""The names of values: labels, `in`, values of enclosing bodies, and values inside a block (`backbone.layer3`)."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Label
from archdsl.graph.model import BROKEN, Broken, Bundle, Call, Flowing, Scope, Value, input_dims
from archdsl.graph.traced import Ref, substitute
from archdsl.layers.base import Shape
from archdsl.passes.elaborate import expressions
from archdsl.passes.elaborate.frame import Frame
from archdsl.syntax import tree


def show_shape(shape: Shape) -> str:
    """`[64, H//2, W//2]`."""
    return f"[{', '.join(map(str, map(_plain, shape)))}]"


def _plain(dim: object) -> object:
    return int(dim) if isinstance(dim, int) else dim


def describe(value: Value) -> str:
    """`[64, H, W]`, with the author's name if it has one."""
    return f"`{value.label}`, {show_shape(value.shape)}," if value.label else show_shape(value.shape)


def has(frame: Frame, name: str) -> bool:
    """Whether a value (or several) goes by that name here."""
    at: Frame | None = frame
    while at is not None:
        if name in at.scope.labels:
            return True
        at = at.parent
    return False


def as_path(node: tree.Expr) -> tree.Path | None:
    """An expression read as the name of a value: `x`, `x.y`, `x[0]`."""
    parts: list[str | tree.Expr] = []
    at = node
    while not isinstance(at, tree.Name):
        if isinstance(at, tree.Attr):
            parts.append(at.name)
            at = at.base
        elif isinstance(at, tree.Index):
            parts.append(at.index)
            at = at.base
        else:
            return None
    return tree.Path(node.span, at.name, tuple(reversed(parts)))


def find(frame: Frame, path: tree.Path) -> Flowing | None:
    """What a path names, made reachable from here: captured into a group, exported from a block. None if nothing.

    Raises Failed, reported, where the head is known but the rest is not.
    """
    if path.head == "in":
        return _follow(frame, path, frame.entry, None, list(path.parts)) if frame.entry is not None else None
    parts = list(path.parts)
    name = path.head
    while not has(frame, name) and parts and not isinstance(parts[0], str):
        name += str(expressions.evaluate_int(frame, parts.pop(0), "the index of a label"))
    longer, rest = name, list(parts)
    while rest and not isinstance(rest[0], str):
        longer += str(expressions.evaluate_int(frame, rest.pop(0), "the index of a label"))
        if has(frame, longer):
            name, parts = longer, list(rest)
    found, call = _label(frame, name)
    return None if found is None else _follow(frame, path, found, call, parts)


def _label(frame: Frame, name: str) -> tuple[Flowing | None, Call | None]:
    """The value of a label and the call behind it, from this scope or, captured, from an enclosing one."""
    if name in frame.scope.labels:
        return frame.scope.labels[name], frame.calls.get(name)
    if frame.parent is None:
        return None, None
    found, call = _label(frame.parent, name)
    if isinstance(found, Value):
        return capture(frame, found), call
    if isinstance(found, Bundle):
        return Bundle([capture(frame, v) for v in found.values], found.names, found.span, found.label), call
    return found, call


def capture(frame: Frame, outer: Value) -> Value:
    """An outer value as a further input of this group; the same one each time."""
    scope = frame.scope
    offset = len(scope.inputs) - len(frame.captured)
    for i, seen in enumerate(frame.captured):
        if seen is outer:
            return scope.inputs[offset + i]
    inner = Value(outer.shape, outer.span, None, outer.label, outer.training)
    frame.captured.append(outer)
    scope.inputs.append(inner)
    scope.input_names.append(outer.label or f"side{len(frame.captured)}")
    return inner


def _follow(
    frame: Frame, path: tree.Path, value: Flowing, call: Call | None, parts: Sequence[str | tree.Expr]
) -> Flowing:
    """Fields and indices after the label: an output by name or position, or a value inside the block behind it."""
    for at, part in enumerate(parts):
        if isinstance(value, Broken):
            return BROKEN
        if isinstance(value, Bundle):
            if isinstance(part, str) and part in value.names:
                value = value.values[value.names.index(part)]
                continue
            if not isinstance(part, str):
                index = expressions.evaluate_int(frame, part, "the index of a value")
                if index < len(value.values):
                    value = value.values[index]
                    continue
        if isinstance(part, str) and call is not None and all(isinstance(p, str) for p in parts[at:]):
            names = [p for p in parts[at:] if isinstance(p, str)]
            exported = _export(call, names)
            if exported is not None:
                return (
                    exported
                    if frame.parent is None or value in frame.scope.labels.values()
                    else (capture(frame, exported) if isinstance(exported, Value) else exported)
                )
        known = [n for n in value.names if n] if isinstance(value, Bundle) else []
        if call is not None:
            known += [k for k in call.scope.labels if k not in known]
        raise frame.context.fail(
            "E0101",
            f"`{path.head}` has no `{part if isinstance(part, str) else part.span.text}`",
            path.span,
            help=[f"it has {', '.join(f'`{k}`' for k in known[:12])}"] if known else [],
        )
    return value


def _export(call: Call, names: Sequence[str]) -> Flowing | None:
    """A labelled value inside a call's scope, as a value of the caller."""
    key = ".".join(names)
    if key in call.exports:
        return call.exports[key]
    inner = _inside(call.scope, names)
    if not isinstance(inner, Value):
        return inner
    for result, output in zip(call.scope.results, call.outputs, strict=True):
        if result.value.tensor is inner.tensor:
            return output
    outer = Value(in_callers_terms(call, inner.shape), inner.span, call, key.replace(".", "_"), inner.training)
    call.exports[key] = outer
    call.scope.exports[key] = inner
    return outer


def _inside(scope: Scope, names: Sequence[str]) -> Flowing | None:
    found = scope.labels.get(names[0])
    if found is None or len(names) == 1:
        return found
    if isinstance(found, Bundle):
        return found.values[found.names.index(names[1])] if names[1] in found.names and len(names) == 2 else None
    call = found.tensor.producer if isinstance(found, Value) else None
    return _export(call, names[1:]) if isinstance(call, Call) else None


def in_callers_terms(call: Call, shape: Shape) -> Shape:
    """A shape of the callee, its dims said in the caller's variables."""
    if not call.scope.refs:
        return shape
    bindings = callers_bindings(call)
    return tuple(substitute(dim, bindings) for dim in shape)


def callers_bindings(call: Call) -> dict[Ref, object]:
    """What each variable of the callee is in the caller: its parameters' arguments and its inputs' dims."""
    outer: dict[str, object] = dict(call.arguments)
    for name, i, axis in input_dims(call.scope):
        outer[name] = call.inputs[i].shape[axis]
    return {ref: outer[name] for name, ref in call.scope.refs.items() if name in outer}


def bind(frame: Frame, name: str, value: Flowing, node: tree.Node, call: Call | None = None) -> None:
    """Gives a value its label. Raises Failed, reported, if the label is taken."""
    if name in frame.scope.labels:
        earlier = frame.scope.labels[name]
        labels = () if isinstance(earlier, Broken) else (Label(earlier.span, "is the first one"),)
        raise frame.context.fail(
            "E0103",
            f"`{name}` is the label of two things",
            node.span,
            "is the second one",
            labels=labels,
            help=["in a loop, number the label: `layer[i] = …`"],
        )
    if name in frame.env:
        raise frame.context.fail("E0103", f"`{name}` is already a number here", node.span)
    frame.scope.labels[name] = value
    if call is not None:
        frame.calls[name] = call
    if isinstance(value, (Value, Bundle)) and value.label is None:
        value.label = name
