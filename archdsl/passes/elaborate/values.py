"""The names of values: labels, `in`, values of enclosing bodies, and values inside a block (`backbone.layer3`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.diagnostics import Label, did_you_mean
from archdsl.graph.model import BROKEN, Broken, Bundle, Call, Flowing, Scope, Value, input_dims
from archdsl.graph.traced import Ref, substitute
from archdsl.layers.base import Shape
from archdsl.passes.elaborate import expressions
from archdsl.passes.elaborate.frame import Context, Failed, Frame
from archdsl.passes.shapes import show_shape
from archdsl.syntax import tree


def describe(value: Value) -> str:
    """`[64, H, W]`, with the author's name if it has one."""
    return f"`{value.label}`, {show_shape(value.shape)}," if value.label else show_shape(value.shape)


def has(frame: Frame, name: str) -> bool:
    """Whether a value (or several) goes by that name here."""
    return _owner(frame, name) is not None


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


@dataclass(frozen=True)
class Located:
    """Where a named value stands: in the scope of the innermost of `calls`, which `owner` makes, or in that of `owner`.

    `names` are the labels on the way down, one for each call.
    """

    owner: Frame
    value: Flowing
    calls: tuple[Call, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def exported(self) -> Flowing:
        """The value as one of the owner's."""
        value = self.value
        if isinstance(value, Value):
            for depth in reversed(range(len(self.calls))):
                value = export(self.owner.context, self.calls[depth], ".".join(self.names[depth:]), value)
        return value

    def reached(self, frame: Frame) -> Flowing:
        """The value as one of a scope inside of the owner's."""
        return brought(frame, self.owner, self.exported)


def find(frame: Frame, path: tree.Path, *, reach: bool = True) -> Flowing | None:
    """What a path names, made reachable from here: captured into a group, exported from a block. None if nothing.

    Without `reach`, where only its sizes are asked for, a value of an enclosing scope stays there. Raises Failed,
    reported, where the head is known but the rest is not, or where the value is made in training only.
    """
    at = locate(frame, path)
    if at is None:
        return None
    return at.reached(frame) if reach else at.exported


def locate(frame: Frame, path: tree.Path) -> Located | None:
    """Where what a path names stands; None if it names nothing. Raises Failed, reported, as `find` does."""
    if path.head == "in":
        name, parts, owner = "in", path.parts, entered(frame)
        found = owner.entry
    else:
        name, parts = _longest_label(frame, path)
        owner = _owner(frame, name) or frame
        found = owner.scope.labels.get(name)
    if found is None:
        return None
    at = _follow(frame, path, Located(owner, found), owner.calls.get(name), parts)
    value = at.value
    if isinstance(value, Value) and value.training and not frame.training:
        raise frame.context.fail(
            "E0504",
            f"`{path.span.text}` is made in training mode only, and used in both modes here",
            path.span,
            labels=(Label(value.span, "is made in training mode"),),
            help=["move its statement out of `training { … }`, or this one into it"],
        )
    return at


def entered(frame: Frame) -> Frame:
    """The frame of the innermost braces, whose `entry` is `in`. A labelled chain has a frame, but no braces."""
    while frame.entry is None and frame.parent is not None:
        frame = frame.parent
    return frame


def _longest_label(frame: Frame, path: tree.Path) -> tuple[str, tuple[str | tree.Expr, ...]]:
    """The label that a path begins with, with its indices where there is such a label; and what follows."""
    name, parts = path.head, path.parts
    longer = name
    for at, part in enumerate(path.parts, 1):
        if isinstance(part, str):
            break
        longer += str(int(expressions.evaluate_int(frame, part, "the index of a label")))
        if _owner(frame, longer) is not None or _owner(frame, name) is None:
            name, parts = longer, path.parts[at:]
    return name, parts


def _owner(frame: Frame, name: str) -> Frame | None:
    """The frame whose scope has a label: this one, or that of a group around it."""
    at: Frame | None = frame
    while at is not None and name not in at.scope.labels:
        at = at.parent
    return at


def brought(frame: Frame, owner: Frame, value: Flowing) -> Flowing:
    """A value of an enclosing scope as a value of this one: a further input of each group on the way."""
    if frame.scope is owner.scope or isinstance(value, Broken):
        return value
    assert frame.parent is not None
    outer = brought(frame.parent, owner, value)
    if isinstance(outer, Bundle):
        return Bundle([_captured(frame, each) for each in outer.values], outer.names, outer.span, outer.label)
    return _captured(frame, outer) if isinstance(outer, Value) else outer


def _captured(frame: Frame, outer: Value) -> Value:
    """An outer value as a further input of this group; the same one each time."""
    scope = frame.scope
    offset = len(scope.inputs) - len(frame.captured)
    for i, seen in enumerate(frame.captured):
        if seen is outer:
            return scope.inputs[offset + i]
    inner = Value(outer.shape, outer.span, None, outer.label, outer.training, None, outer.companion)
    inner.outer, inner.guessed = outer, outer.guessed
    frame.captured.append(outer)
    scope.inputs.append(inner)
    scope.input_names.append(free_input(scope, outer.label or "side"))
    return inner


def free_input(scope: Scope, stem: str) -> str:
    """A name for a further input of a scope."""
    name, count = stem, 1
    while name in scope.input_names:
        count += 1
        name = f"{stem}{count}"
    return name


def _follow(frame: Frame, path: tree.Path, at: Located, call: Call | None, parts: Sequence[str | tree.Expr]) -> Located:
    """Fields and indices after the label: an output by name or position, or a value inside the block behind it."""
    for done, part in enumerate(parts):
        value = at.value
        if isinstance(value, Broken):
            break
        found: Flowing | None = _output(frame, value, part) if isinstance(value, Bundle) else None
        if found is None and call is not None and isinstance(part, str):
            inside = _inside(at.owner, call, tuple(_inner_names(frame, parts[done:])))
            if inside is not None:
                return inside
        if found is None and isinstance(value, Value) and value.tensor.guessed:
            found = BROKEN  # it may have been a block with labels inside
        if found is None:
            raise _unknown_part(frame, path, part, value, call)
        at = Located(at.owner, found)
    return at


def _output(frame: Frame, several: Bundle, part: str | tree.Expr) -> Value | None:
    if isinstance(part, str):
        return several.values[several.names.index(part)] if part in several.names else None
    index = expressions.evaluate_int(frame, part, "the index of a value")
    return several.values[index] if index < len(several.values) else None


def _unknown_part(frame: Frame, path: tree.Path, part: str | tree.Expr, value: Flowing, call: Call | None) -> Failed:
    known = [name for name in value.names if name] if isinstance(value, Bundle) else []
    if call is not None:
        known += [name for name in call.scope.labels if name not in known]
    if isinstance(value, Bundle) and not known:
        known = [f"[{i}]" for i in range(len(value.values))]
    near = did_you_mean(part, known) if isinstance(part, str) else None
    several = ", ".join(f"`{name}`" for name in known[:12]) + (", …" if len(known) > 12 else "")
    return frame.context.fail(
        "E0101",
        f"`{path.head}` has no `{part if isinstance(part, str) else f'[{part.span.text}]'}`",
        path.span,
        f"did you mean `{near}`?" if near else "",
        help=[f"it has {several}" if known else "it is one value, and no labels stand inside"],
    )


def _inner_names(frame: Frame, parts: Sequence[str | tree.Expr]) -> list[str]:
    """The labels on the way down: `layer[3].conv` is layer3, then conv."""
    names: list[str] = []
    for part in parts:
        if isinstance(part, str):
            names.append(part)
        else:
            names[-1] += str(int(expressions.evaluate_int(frame, part, "the index of a label")))
    return names


def _inside(owner: Frame, call: Call, names: tuple[str, ...], above: tuple[Call, ...] = ()) -> Located | None:
    """A labelled value inside a call's scope, down to where it stands."""
    calls = (*above, call)
    left = names[len(above) :]
    found = call.scope.labels.get(left[0])
    if isinstance(found, Bundle) and len(left) == 2 and left[1] in found.names:
        return Located(owner, found.values[found.names.index(left[1])], calls, names)
    if found is None or len(left) == 1:
        return None if found is None else Located(owner, found, calls, names)
    below = found.tensor.producer if isinstance(found, Value) else None
    return _inside(owner, below, names, calls) if isinstance(below, Call) else None


def export(context: Context, call: Call, key: str, inner: Value) -> Value:
    """A value of a call's scope as a value of the caller; `key` is its path from there."""
    for result, output in zip(call.scope.results, call.outputs, strict=True):
        if result.value.tensor is inner.tensor:
            return output
    exports = call.scope.exports
    while key in exports and exports[key].tensor is not inner.tensor:
        key += "_"
    if key not in call.exports:
        context.reaches_inside()
        label = key.replace(".", "_")
        shape = in_callers_terms(call, inner.shape)
        call.exports[key] = Value(shape, inner.span, call, label, inner.training, None, inner.companion)
        exports[key] = inner
    return call.exports[key]


def in_callers_terms(call: Call, shape: Shape) -> Shape:
    """A shape of the callee, its dims said in the caller's variables."""
    if not call.scope.refs:
        return shape
    bindings = callers_bindings(call)
    depends = {ref: call.depends[name] for name, ref in call.scope.refs.items() if name in call.depends}
    return tuple(substitute(dim, bindings, depends) for dim in shape)


def callers_bindings(call: Call) -> dict[Ref, object]:
    """What each variable of the callee is in the caller: its parameters' arguments and its inputs' dims."""
    outer: dict[str, object] = dict(call.arguments)
    for name, i, axis in input_dims(call.scope):
        outer[name] = call.inputs[i].shape[axis]
    return {ref: outer[name] for name, ref in call.scope.refs.items() if name in outer}
