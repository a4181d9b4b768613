"""Applying a layer to the flowing value: arguments, shape, weights, the module's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archdsl.diagnostics import Label, did_you_mean
from archdsl.graph.model import BROKEN, Apply, Broken, Bundle, Flowing, Module, Scope, Value
from archdsl.layers.args import ArgumentError, Kind
from archdsl.layers.base import Layer, ShapeError
from archdsl.layers.signature import CallError, Field, describe, match
from archdsl.passes.elaborate import values
from archdsl.passes.elaborate.expressions import evaluate
from archdsl.passes.elaborate.frame import MAX_LAYERS, Frame
from archdsl.passes.elaborate.patterns import Needs
from archdsl.passes.elaborate.pythonic import bad_module_name
from archdsl.sizes import SizeError
from archdsl.syntax import tree


def tensor(frame: Frame, value: Flowing | None, node: tree.Node) -> Value | Broken:
    """The one tensor that flows here. Raises Failed, reported, if none or several do."""
    if value is None:
        raise frame.context.fail(
            "E0501",
            "there is no value yet that this could be applied to",
            node.span,
            help=["declare an input before it"],
        )
    if isinstance(value, Bundle):
        known = ", ".join(f"`.{name}`" for name in value.names if name) or f"`[0]` to `[{len(value.values) - 1}]`"
        raise frame.context.fail(
            "E0501",
            "several values flow here, this takes one",
            node.span,
            "takes one value",
            labels=(Label(value.span, f"this gives {len(value.values)} values"),),
            help=[f"pick one ({known}), or name them: a, b = …"],
        )
    return value


def match_arguments(frame: Frame, name: str, fields: Sequence[Field], step: tree.Apply) -> list[tuple[Field, tree.Arg]]:
    """Each argument given with its field. Raises Failed, reported."""
    args = step.args or ()
    try:
        return list(zip(match(name, fields, [arg.name for arg in args]), args, strict=True))
    except CallError as error:
        arg = args[error.index] if error.index is not None else None
        span = (
            step.path.span if arg is None else arg.name_span if arg.name and "argument" in error.message else arg.span
        )
        raise frame.context.fail(
            "E0201", error.message, span or step.span, help=[f"its signature is {describe(name, fields)}"]
        ) from None


def argument(frame: Frame, kind: Kind, node: tree.Expr) -> Any:
    """The value of an argument; a bare name that the kind knows as a word (`padding=same`) is that word."""
    if isinstance(node, tree.Name) and node.name not in frame.env and kind.words:
        if node.name in kind.words:
            return node.name
        near = did_you_mean(node.name, kind.words)
        if not values.has(frame, node.name):
            raise frame.context.fail(
                "E0202",
                f"this takes {kind.describe()}, not `{node.name}`",
                node.span,
                f"did you mean `{near}`?" if near else "",
            )
    return evaluate(frame, node)


def operand(frame: Frame, node: tree.Expr) -> Flowing:
    """The value that an argument names."""
    path = values.as_path(node)
    found = values.find(frame, path) if path is not None and path.head not in frame.env else None
    if found is None:
        known = [name for at in _outwards(frame) for name in at.scope.labels]
        near = did_you_mean(node.span.text, known)
        raise frame.context.fail(
            "E0101", f"`{node.span.text}` names no value", node.span, f"did you mean `{near}`?" if near else ""
        )
    return found


def _outwards(frame: Frame | None) -> Sequence[Frame]:
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.parent
    return frames


def apply_layer(
    frame: Frame,
    cls: type[Layer],
    step: tree.Apply,
    value: Flowing | None,
    label: str | None,
    module: Module | None = None,
) -> Flowing:
    """Applies a layer; `module` is given where a shared one is applied again."""
    layer, inputs, sources = build_layer(frame, cls, step, value)
    if layer is None:
        return BROKEN
    return place_layer(frame, layer, inputs, sources, step, label, module)


def build_layer(
    frame: Frame, cls: type[Layer], step: tree.Apply, value: Flowing | None
) -> tuple[Layer | None, list[Value], dict[str, tree.Expr]]:
    """The layer that a step names with its arguments, and its inputs; no layer where an input is broken."""
    given: dict[str, Any] = {}
    sources: dict[str, tree.Expr] = {}
    main = tensor(frame, value, step)
    broken = isinstance(main, Broken)
    inputs = [main] if isinstance(main, Value) else []
    spans = {}
    for field, arg in match_arguments(frame, cls.name, cls.fields, step):
        spans[field.name] = arg.value.span
        if field.kind.is_value and not (isinstance(arg.value, tree.Literal) and arg.value.value is None):
            other = operand(frame, arg.value)
            other = tensor(frame, other, arg.value)
            broken = broken or isinstance(other, Broken)
            given[field.name] = len(inputs)
            if isinstance(other, Value):
                inputs.append(other)
        else:
            given[field.name] = argument(frame, field.kind, arg.value)
            sources[field.name] = arg.value
    try:
        layer = cls(given)
    except ArgumentError as error:
        name, text = error.args
        raise frame.context.fail(
            "E0202",
            f"`{name}` of `{cls.name}` {text}",
            spans.get(name, step.path.span),
            help=[f"its signature is {describe(cls.name, cls.fields)}"],
        ) from None
    if frame.context.trace:
        layer.variable = frozenset(name for name, node in sources.items() if not _is_constant(node))
    return (None if broken else layer), inputs, sources


def _is_constant(node: tree.Expr) -> bool:
    if isinstance(node, tree.ListExpr):
        return all(map(_is_constant, node.items))
    return isinstance(node, (tree.Literal, tree.SizeLiteral))


def place_layer(
    frame: Frame,
    layer: Layer,
    inputs: list[Value],
    sources: dict[str, tree.Expr],
    step: tree.Apply,
    label: str | None,
    module: Module | None = None,
) -> Flowing:
    """Infers the shape, and adds the application to the scope."""
    shapes = [value.shape for value in inputs]
    try:
        out = layer.shape(Needs(frame.context, step.span, frame.training), *shapes)
        weights, buffers = layer.weights(*shapes), layer.buffers(*shapes)
    except (ShapeError, SizeError) as error:
        raise shape_failure(frame, error, step, inputs) from None
    if module is None:
        module = add_module(frame, label, layer.name, layer, step, weights, buffers)
        first = True
    else:
        first = False
        if dict(module.weights) != dict(weights):
            raise frame.context.fail(
                "E0301",
                f"the shared `{module.name}` was built for another input",
                step.span,
                f"would need weights {_weights(weights)}",
                labels=(Label(inputs[0].span, "from here"),),
                notes=[f"its weights are {_weights(module.weights)}"],
            )
    item = Apply(module, layer, inputs, [], step.span, frame.hint, sources, first)
    several = bool(out) and isinstance(out[0], tuple)
    item.outputs = [
        Value(shape, step.span, item, None, frame.training)
        for shape in (out if several else (out,))  # type: ignore[misc]
    ]
    frame.items.append(item)
    count(frame, 1, step)
    return Bundle(item.outputs, [None] * len(item.outputs), step.span) if several else item.outputs[0]


def _weights(weights: Any) -> str:
    return ", ".join(f"{name} {values.show_shape(shape)}" for name, shape in weights.items()) or "none"


def shape_failure(frame: Frame, error: ShapeError | SizeError, step: tree.Apply, inputs: Sequence[Value]) -> Exception:
    """Reports a refused shape: the caret at the argument at fault, a label where each input comes from."""
    labels = tuple(
        Label(
            value.span,
            f"{'this is' if value.label is None else f'`{value.label}` is'} {values.show_shape(value.shape)}",
        )
        for value in inputs
    )
    if isinstance(error, SizeError):
        return frame.context.fail("E0305", str(error), step.path.span, labels=labels)
    at = next((a.value.span for a in step.args or () if a.name == error.at), None)
    if at is None and error.at is not None and step.args:
        at = _positional(frame, step, error.at)
    return frame.context.fail(error.code, error.message, at or step.path.span, labels=labels, help=error.help)


def _positional(frame: Frame, step: tree.Apply, name: str) -> Any:
    from archdsl.layers.registry import find

    cls = find(step.path.head)
    for field, arg in zip(cls.fields if cls else (), step.args or (), strict=False):
        if arg.name is None and field.name == name:
            return arg.value.span
    return None


def add_module(
    frame: Frame,
    label: str | None,
    kind: str,
    what: Layer | Scope,
    node: tree.Node,
    weights: Any = None,
    buffers: Any = None,
) -> Module:
    """A new submodule of the scope under its label, or under the name that its place gives it."""
    scope = frame.scope
    name = label if label is not None else frame.names.next(kind, scope.modules)
    frame.names.position += 1
    if label is not None:
        check_label(frame, label, node)
    module = Module(name, what, weights or {}, buffers or {}, frame.training)
    scope.modules[name] = module
    return module


def check_label(frame: Frame, label: str, node: tree.Node) -> None:
    """Raises Failed, reported, if the label cannot be a submodule's name or is one already."""
    bad = bad_module_name(label)
    if bad is not None:
        raise frame.context.fail("E0105", f"nothing can be labelled `{label}`: {bad}", node.span)
    if label in frame.scope.modules:
        raise frame.context.fail(
            "E0103",
            f"`{label}` is the label of two things",
            node.span,
            help=["in a loop, number the label: `layer[i] = …`"],
        )


def count(frame: Frame, layers: int, step: tree.Node) -> None:
    """Adds to the layers of the scope; raises Failed, reported, past the limit."""
    frame.scope.layers += layers
    if frame.scope.layers > MAX_LAYERS:
        raise frame.context.fail(
            "E0503", f"this network unrolls to more than {MAX_LAYERS:,} layers", step.span, "the limit is passed here"
        )
