"""What a refused step must have been meant to give, as far as that is certain; elaboration goes on with it.

A dim that is not certain becomes a symbol of its own, which stands for every size, or for a few (`readings.py`): no
rule that one of them meets refuses it, so that whatever is still refused after it is wrong too, and no consequence of
what was told before. Where not even the number of dims is certain, nothing is (`Broken`). Nothing of this reaches a
network: it has errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archdsl.graph.model import Bundle, Flowing, Value
from archdsl.layers.base import Ints, Layer, Shape, ShapeError
from archdsl.passes.elaborate import values
from archdsl.passes.elaborate.expressions import evaluate
from archdsl.passes.elaborate.frame import Context, Failed, Frame
from archdsl.passes.elaborate.patterns import Needs
from archdsl.sizes import Dim, Poly, Size, SizeError
from archdsl.source import Span
from archdsl.syntax import tree

MOST_GUESSES = 100  # of one elaboration; after them a refused step leaves nothing behind, so that this stays cheap


def value(frame: Frame, shape: Shape, span: Span) -> Value:
    """A value that a refused step leaves behind. Raises Failed past the limit."""
    context = frame.context
    context.guesses += 1
    if context.guesses > MOST_GUESSES:
        raise Failed
    made = Value(shape, span, training=frame.training)
    made.guessed = True
    return made


def outside(frame: Frame, inner: Flowing | None, span: Span) -> Flowing:
    """What a block or group with errors gives, as seen from outside. Raises Failed if that is not known."""
    if isinstance(inner, Value):
        made = value(frame, inner.shape, span)
        made.as_pytorch = inner.as_pytorch
        return made
    if isinstance(inner, Bundle):
        return Bundle([value(frame, each.shape, span) for each in inner.values], inner.names, span)
    raise Failed


def stated(frame: Frame, pattern: tree.ShapePattern, found: Flowing) -> Flowing:
    """What has a stated shape and is given another. Names that the pattern binds are bound."""
    actual = found.shape if isinstance(found, Value) and len(found.shape) == len(pattern.dims) else None
    shape: list[Dim] = []
    for i, dim in enumerate(pattern.dims):
        here = frame.context.unknown_dim() if actual is None else actual[i]
        if isinstance(dim.value, tree.Name) and dim.name is None and not values.has(frame, dim.value.name):
            frame.env.setdefault(dim.value.name, here)
        shape.append(here if dim.value is None else _stated(frame, dim.value))
    return value(frame, tuple(shape), found.span if isinstance(found, Value) else pattern.span)


def _stated(frame: Frame, node: tree.Expr) -> Dim:
    try:
        dim = evaluate(frame, node)
    except Failed:
        dim = None
    good = isinstance(dim, (Size, Poly)) or (isinstance(dim, int) and not isinstance(dim, bool) and dim > 0)
    return dim if good else frame.context.unknown_dim()


def unknown(context: Context, rank: int) -> Shape:
    """A shape of which only the number of dims is known."""
    return tuple(context.unknown_dim() for _ in range(rank))


def after_layer(frame: Frame, layer: Layer, inputs: Sequence[Value], step: tree.Apply) -> Flowing:
    """After a layer that refuses its inputs: what it gives where those are others. Raises Failed if that is open."""
    context = frame.context
    for shapes in _variants(context, type(layer), [each.shape for each in inputs]):
        need = Needs(context, step, frame.training, inputs, layer, asking=True)
        try:
            out = layer.shape(need, *shapes)
        except (ShapeError, SizeError):
            continue
        several = [_certain(context, shape) for shape in out if isinstance(shape, tuple)]
        if several:
            return Bundle([value(frame, each, step.span) for each in several], [None] * len(several), step.span)
        return value(frame, _certain(context, tuple(d for d in out if not isinstance(d, tuple))), step.span)
    return after_some(frame, type(layer), inputs[0], step.span)


def misread(inputs: Iterable[Value]) -> bool:
    """Whether a call in PyTorch's manner, which is warned of, led to one of the values."""
    return any(each.as_pytorch is not None for each in inputs)


def as_pytorch(frame: Frame, layer: Layer, inputs: Sequence[Value], step: tree.Apply) -> Shape | None:
    """What a layer gives if calls in PyTorch's manner are read so; None if it takes no such inputs or gives several."""
    shapes = [each.as_pytorch or each.shape for each in inputs]
    need = Needs(frame.context, step, frame.training, inputs, layer, asking=True)
    try:
        out = layer.shape(need, *shapes)
    except (ShapeError, SizeError):
        return None
    dims = tuple(dim for dim in out if not isinstance(dim, tuple))
    return _certain(frame.context, dims) if len(dims) == len(out) else None


def after_some(frame: Frame, cls: type[Layer], entering: Flowing | None, span: Span) -> Value:
    """After a layer whose arguments make no sense: the rank that its examples have. Raises Failed if that is open."""
    if isinstance(entering, Value):
        ranks = {len(out) for shape, out in _examples(cls) if len(shape) == len(entering.shape)}
        ranks = ranks or {len(out) for _, out in _examples(cls)}
        if len(ranks) == 1:
            return value(frame, unknown(frame.context, ranks.pop()), span)
    raise Failed


def _examples(cls: type[Layer]) -> Iterator[tuple[Ints, Ints]]:
    """The shapes of the first input and of the output, of examples that have one output."""
    for example in cls.examples:
        first = example.input[0]
        entering = first if isinstance(first, tuple) else tuple(d for d in example.input if not isinstance(d, tuple))
        if not any(isinstance(dim, tuple) for dim in example.output):
            yield entering, tuple(dim for dim in example.output if not isinstance(dim, tuple))


def _variants(context: Context, cls: type[Layer], shapes: Sequence[Shape]) -> Iterator[list[Shape]]:
    """Inputs that might be taken: with other channels, with other sizes, with others of both, with fewer dims."""
    yield [(context.unknown_dim(), *shape[1:]) for shape in shapes]
    yield [(*shape[:1], *unknown(context, len(shape) - 1)) for shape in shapes]
    yield [unknown(context, len(shape)) for shape in shapes]
    fewest = min((len(entering) for entering, _ in _examples(cls)), default=len(shapes[0]))
    if fewest < len(shapes[0]):
        yield [unknown(context, fewest) for _ in shapes]


def _certain(context: Context, shape: Iterable[Dim]) -> Shape:
    """What does not depend on a dim that was made up."""
    return tuple(context.unknown_dim() if context.is_unknown(dim) else dim for dim in shape)


def joined(context: Context, name: str, axis: int, shapes: Sequence[Shape], *, all_known: bool = True) -> Shape:
    """After values that do not go together. `all_known` says that these are all of them. Raises Failed if it is open.

    A size that only a lost padding changes is that of the first value. Other sizes that differ are one of them.
    """
    if len({len(shape) for shape in shapes}) != 1 or not (all_known or name != "mul"):
        raise Failed
    dims: list[Dim] = []
    for i, sides in enumerate(zip(*shapes, strict=True)):
        if name == "concat" and i == axis:
            dims.append(_sum(sides) if all_known else context.unknown_dim())
        elif all(side == sides[0] for side in sides) or (i > 0 and all(_near(sides[0], side) for side in sides)):
            dims.append(sides[0])
        else:
            dims.append(context.unknown_dim(sides if all_known else ()))
    return tuple(dims)


def _sum(dims: Sequence[Dim]) -> Dim:
    total = dims[0]
    for dim in dims[1:]:
        total = total + dim
    return total


def _near(first: Dim, other: Dim) -> bool:
    """Whether two sizes are apart as by a padding: by a number, and not by half or more."""
    apart = first - other
    if isinstance(first, int) and isinstance(other, int):
        return 2 * min(first, other) > max(first, other)
    return isinstance(apart, int)
