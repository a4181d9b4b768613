"""Applying a layer to the flowing value: arguments, shape, weights, the module's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from archdsl.diagnostics import Fix, Label, did_you_mean
from archdsl.graph.model import BROKEN, Apply, Broken, Bundle, Flowing, Module, Scope, Value
from archdsl.layers.args import ArgumentError, Pooling
from archdsl.layers.base import Layer, Pooled, Shape, ShapeError
from archdsl.layers.signature import CallError, Field, describe, match
from archdsl.passes import pytorch
from archdsl.passes.elaborate import meant, values
from archdsl.passes.elaborate.expressions import LARGEST, depends_on, evaluate
from archdsl.passes.elaborate.frame import MAX_LAYERS, Failed, Frame, Misread
from archdsl.passes.elaborate.patterns import Needs
from archdsl.passes.elaborate.poolings import undone
from archdsl.passes.shapes import origins, show_shape, ways
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


def _layer_arguments(frame: Frame, cls: type[Layer], step: tree.Apply) -> list[tuple[Field, tree.Arg]]:
    """As `match_arguments`, for a layer, whose author may think of PyTorch's."""
    if not step.args:
        return match_arguments(frame, cls.name, cls.fields, step)
    fitting = pytorch.fitting(cls, step.args, partial(values.has, frame))
    if fitting is not None:
        return list(zip(fitting, step.args, strict=True))
    habit = pytorch.misread(cls, step, partial(values.has, frame))
    if habit is not None:
        raise report_habit(frame, "E0201", habit)
    return match_arguments(frame, cls.name, cls.fields, step, pytorch.renamed(cls, step))


def report_habit(frame: Frame, code: str, habit: pytorch.Habit) -> Failed:
    """Reports a step that is written in PyTorch's manner; returns the exception to raise."""
    failed = frame.context.fail(code, habit.message, habit.span, habit.label, help=habit.help, fixes=habit.fixes)
    texts = [edit.text for fix in habit.fixes for edit in fix.edits]
    return Misread(texts[0]) if len(texts) == 1 else failed


def match_arguments(
    frame: Frame, name: str, fields: Sequence[Field], step: tree.Apply, fixes: Sequence[Fix] = ()
) -> list[tuple[Field, tree.Arg]]:
    """Each argument given with its field. `fixes` are ways out if they do not match. Raises Failed, reported."""
    args = step.args or ()
    try:
        return list(zip(match(name, fields, [arg.name for arg in args]), args, strict=True))
    except CallError as error:
        arg = args[error.index] if error.index is not None else None
        span = step.path.span if arg is None else arg.name_span or arg.span
        help = (f"its signature is {describe(name, fields)}",)
        raise frame.context.fail("E0201", error.message, span, help=help, fixes=fixes) from None


def argument(frame: Frame, name: str, field: Field, node: tree.Expr) -> Any:
    """The value of an argument of `name`; a bare name that its kind knows as a word (`padding=same`) is that word."""
    words = field.kind.words
    if isinstance(node, tree.Name) and node.name not in frame.env and words:
        if node.name in words:
            return node.name
        if not values.has(frame, node.name):
            near = did_you_mean(node.name, words)
            raise frame.context.fail(
                "E0202",
                f"`{field.name}` of `{name}` takes {field.kind.describe()}, not `{node.name}`",
                node.span,
                f"did you mean `{near}`?" if near else "",
            )
    return evaluate(frame, node)


def operand(frame: Frame, node: tree.Expr) -> Flowing:
    """The value that an argument names, as one of this scope. Raises Failed, reported, if there is none."""
    return located(frame, node).reached(frame)


def located(frame: Frame, node: tree.Expr) -> values.Located:
    """Where the value that an argument names stands. Raises Failed, reported, if there is none."""
    path = values.as_path(node)
    if path is None or path.head in frame.env:
        raise frame.context.fail(
            "E0202",
            f"the name of a value is needed here, not `{node.span.text}`",
            node.span,
            help=[
                f"write {node.span.text[1:-1]}, without a list"
                if isinstance(node, tree.ListExpr)
                else "label it: `a = …`"
            ],
        )
    found = values.locate(frame, path)
    if found is None:
        raise frame.context.fail("E0101", f"no value is called `{node.span.text}`", node.span, _meant(frame, path))
    return found


def _meant(frame: Frame, path: tree.Path) -> str:
    """Where the value that a path does not name may be: further down, inside a block, or under a similar name."""
    around = list(_outwards(frame))
    if any(path.head in at.names.labels.names for at in around):
        return "is labelled only after this"
    inside = [label for at in around for label, call in at.calls.items() if path.head in call.scope.labels]
    near = did_you_mean(path.span.text, [name for at in around for name in at.scope.labels])
    if inside:
        near = f"{inside[-1]}.{path.span.text}"
    return f"did you mean `{near}`?" if near else ""


def _outwards(frame: Frame | None) -> Iterator[Frame]:
    while frame is not None:
        yield frame
        frame = frame.parent


def apply_layer(
    frame: Frame,
    cls: type[Layer],
    step: tree.Apply,
    value: Flowing | None,
    label: str | None,
    module: Module | None = None,
) -> Flowing:
    """Applies a layer; `module` is given where a shared one is applied again."""
    try:
        layer, inputs, sources, theirs = build_layer(frame, cls, step, value)
    except Misread:
        raise
    except Failed:
        return meant.after_some(frame, cls, value, step.span)
    if layer is None:
        return BROKEN
    return place_layer(frame, layer, inputs, sources, step, label, module, theirs=theirs)


def _layer_of(frame: Frame, cls: type[Layer], given: Mapping[str, tree.Expr]) -> Layer | None:
    """The layer that a call in PyTorch's manner stands for; None if its arguments make no sense or name values."""
    fields = [field for field in cls.fields if field.name in given]
    if any(field.kind.is_value for field in fields):
        return None
    try:
        return cls({field.name: argument(frame, cls.name, field, given[field.name]) for field in fields})
    except (ArgumentError, Failed):
        return None


def build_layer(
    frame: Frame, cls: type[Layer], step: tree.Apply, value: Flowing | None
) -> tuple[Layer | None, list[Value], dict[str, tree.Expr], Layer | None]:
    """The layer that a step names with its arguments, and its inputs; no layer where an input is broken. The last is
    the layer that the step stands for if it is PyTorch's, which is warned of."""
    given: dict[str, Any] = {}
    sources: dict[str, tree.Expr] = {}
    main = tensor(frame, value, step)
    broken = isinstance(main, Broken)
    inputs = [main] if isinstance(main, Value) else []
    for field, arg in _layer_arguments(frame, cls, step):
        if isinstance(field.kind, Pooling):
            sources[field.name] = arg.value
            pooling = undone(frame, located(frame, arg.value), arg.value, cls.name)
            broken = broken or pooling is None
            given[field.name] = pooling
            if pooling is not None:
                given[field.name] = Pooled(pooling.layer, arg.value.span.text, len(inputs), len(inputs) + 1)
                inputs += [pooling.indices, pooling.size]
        elif field.kind.is_value and not (isinstance(arg.value, tree.Literal) and arg.value.value is None):
            other = operand(frame, arg.value)
            other = tensor(frame, other, arg.value)
            broken = broken or isinstance(other, Broken)
            given[field.name] = len(inputs)
            if isinstance(other, Value):
                inputs.append(other)
        else:
            given[field.name] = argument(frame, cls.name, field, arg.value)
            sources[field.name] = arg.value
    try:
        layer = cls(given)
    except ArgumentError as error:
        name, text = error.args
        raise frame.context.fail(
            "E0202",
            f"`{name}` of `{cls.name}` {text}",
            sources[name].span if name in sources else step.path.span,
            help=[f"its signature is {describe(cls.name, cls.fields)}"],
        ) from None
    theirs = None
    if isinstance(main, Value) and len(step.args or ()) > 2 and not frame.context.trace:
        habit = pytorch.suspicious(layer, step, main.shape, main.as_pytorch)
        if habit is not None and habit.reading is not None:
            frame.context.report("W0201", habit.message, habit.span, habit.label, help=habit.help, fixes=habit.fixes)
            theirs = _layer_of(frame, cls, habit.reading.given)
    if frame.context.trace:
        layer.variable = frozenset(name for name, node in sources.items() if not _is_constant(node))
    return (None if broken else layer), inputs, sources, theirs


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
    kind: str | None = None,
    theirs: Layer | None = None,
) -> Flowing:
    """Infers the shape, and adds the application to the scope. `kind` names the module in place of the layer's name,
    `theirs` is the layer that the step stands for if it is PyTorch's."""
    shapes = [value.shape for value in inputs]
    read = meant.as_pytorch(frame, theirs or layer, inputs, step) if theirs or meant.misread(inputs) else None
    need = Needs(frame.context, step, frame.training, inputs, layer)
    try:
        out = layer.shape(need, *shapes)
        weights, buffers = layer.weights(*shapes), layer.buffers(*shapes)
    except (ShapeError, SizeError) as error:
        _report_refused(frame, error, step, need, sources)
        return meant.after_layer(frame, layer, inputs, step) if read is None else meant.value(frame, read, step.span)
    _check_weights(frame, layer, (*weights.values(), *buffers.values()), step, inputs)
    first = module is None
    if module is None:
        module = add_module(frame, label, kind or layer.name, layer, weights, buffers)
    elif dict(module.weights) != dict(weights):
        if frame.context.unknown:
            raise Failed
        raise frame.context.fail(
            "E0301",
            f"the shared `{module.name}` does not take this shape",
            step.span,
            f"would need {_weights(weights)}",
            labels=origins(inputs),
            notes=[f"where it was first applied it got {_weights(module.weights)}"],
        )
    item = Apply(module, layer, inputs, [], step.span, frame.hint, sources, first)
    if frame.context.trace:
        numbers = [field.name for field in layer.fields if not field.kind.is_value and field.name in sources]
        item.depends = {name: depends_on(frame, sources[name]) for name in numbers}
    item.outputs = [Value(shape, step.span, item, None, frame.training) for shape in _shapes(out)]
    frame.items.append(item)
    count(frame, 1, step)
    if len(item.outputs) == 1:
        item.outputs[0].as_pytorch = read
        return item.outputs[0]
    return Bundle(item.outputs, [None] * len(item.outputs), step.span)


def _shapes(out: Shape | tuple[Shape, ...]) -> list[Shape]:
    """A layer's outputs: one shape, or several."""
    several = [shape for shape in out if isinstance(shape, tuple)]
    return several or [tuple(dim for dim in out if not isinstance(dim, tuple))]


def _check_weights(
    frame: Frame, layer: Layer, weights: Sequence[Shape], step: tree.Apply, inputs: Sequence[Value]
) -> None:
    """Reports weights that have no fixed size (E0305). Raises Failed, reported, where PyTorch cannot hold them."""
    for shape in weights:
        elements = 1
        for dim in shape:
            if frame.context.may_be_fixed(dim):
                return
            if not isinstance(dim, int):
                frame.context.report(
                    "E0305",
                    f"the weights of `{layer.name}` need a fixed size, but {dim} depends on the input's size",
                    step.path.span,
                    labels=origins(inputs),
                    help=[
                        "state a number for this dim of the input, or give it as a parameter of the network;\n"
                        "a shape has no batch axis: images are [3, H, W], not [N, 3, H, W]"
                    ],
                )
                return
            elements *= dim
        if elements > LARGEST:
            raise frame.context.fail(
                "E0202", f"`{layer.name}` has weights of {show_shape(shape)}: too many to count", step.span
            )


def _weights(weights: Mapping[str, Shape]) -> str:
    listed = ", ".join(f"`{name}` {show_shape(shape)}" for name, shape in weights.items())
    return f"weights {listed}" if listed else "no weights"


def _report_refused(
    frame: Frame, error: ShapeError | SizeError, step: tree.Apply, need: Needs, sources: Mapping[str, tree.Expr]
) -> None:
    """Reports a refused shape: the caret at the argument at fault, where each input comes from, and what would help.

    It is silent where the shape may be refused only for a size that an error before left open.
    """
    code, message, span = "E0305", str(error), step.path.span
    help: Sequence[str] = ()
    if isinstance(error, ShapeError):
        code, message = error.code, error.message
        span = sources[error.at].span if error.at is not None and error.at in sources else span
        help = error.help
    refused = need.refused(message)
    if code == "E0305" and any(frame.context.may_be_fixed(dim) for value in need.values for dim in value.shape):
        return
    frame.context.report(
        code,
        message,
        span,
        labels=origins(need.values),
        notes=ways(need.values),
        help=help,
        need=refused,
    )


def add_module(
    frame: Frame,
    label: str | None,
    kind: str,
    what: Layer | Scope,
    weights: Mapping[str, Shape] = MappingProxyType({}),
    buffers: Mapping[str, Shape] = MappingProxyType({}),
) -> Module:
    """A new submodule of the scope under its label (which is free), or under the name that its place gives it."""
    scope = frame.scope
    name = label if label is not None else frame.names.next(kind, scope.modules)
    frame.names.position += 1
    module = Module(name, what, weights, buffers, label is not None, frame.training)
    scope.modules[name] = module
    return module


def count(frame: Frame, layers: int, step: tree.Node) -> None:
    """Adds to the layers of the scope; raises Exhausted, reported, past the limit."""
    frame.scope.layers += layers
    if frame.scope.layers > MAX_LAYERS:
        raise frame.context.exhausted(f"a network has at most {MAX_LAYERS:,} layers", step.span)
