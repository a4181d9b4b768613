"""The combinators: joins of branches (`concat`, `add`, `mul`, `parallel`) and skips (`residual`, `dense`, `gate`)."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Label
from archdsl.graph.model import BROKEN, Branch, Broken, Bundle, Flowing, Item, Join, Skip, Value
from archdsl.layers.args import Int
from archdsl.layers.base import Shape, ShapeError
from archdsl.layers.projection import projection
from archdsl.layers.signature import Field
from archdsl.passes.elaborate import flows
from archdsl.passes.elaborate.apply import match_arguments, operand, place_layer, tensor
from archdsl.passes.elaborate.expressions import evaluate_int
from archdsl.passes.elaborate.frame import Failed, Frame
from archdsl.passes.elaborate.patterns import Needs, fits
from archdsl.passes.elaborate.values import show_shape
from archdsl.sizes import Dim, SizeError
from archdsl.syntax import tree

VALUE_JOINS = ("add", "concat", "mul")
JOINS = (*VALUE_JOINS, "parallel")
SKIPS = {"residual": "add", "dense": "concat", "gate": "mul"}
COMBINATORS = (*JOINS, *SKIPS)
AXIS = Field("axis", Int(0), 0)


def is_combinator(name: str) -> bool:
    return name in COMBINATORS


def run(frame: Frame, step: tree.Apply, value: Flowing | None) -> Flowing:
    """Applies a combinator with its body to the flowing value."""
    name = step.path.head
    main = tensor(frame, value, step)
    if step.path.parts:
        raise frame.context.fail("E0505", f"`{step.path.span.text}` is no combinator", step.path.span)
    if step.tail is not None and name not in ("residual", "gate"):
        raise frame.context.fail(
            "E0505", f"`{step.tail.kind}` goes with `residual` or `gate`, not with `{name}`", step.tail.span
        )
    axis = _axis(frame, step, name)
    if name in SKIPS:
        return _skip(frame, step, main, axis)
    branches = _branches(frame, step, main)
    if not branches:
        raise frame.context.fail("E0505", f"`{name}` has no branches", step.path.span, help=["each statement is one"])
    if any(branch is None for branch in branches):
        return BROKEN
    good = [branch for branch in branches if branch is not None]
    if name == "parallel":
        frame.items.append(Join(name, 0, good, good[0].value, step.span, frame.hint))
        return Bundle([b.value for b in good], [b.label for b in good], step.span)
    return join(frame, name, axis, good, step)


def _axis(frame: Frame, step: tree.Apply, name: str) -> int:
    fields = [AXIS] if name in ("concat", "dense") else []
    axis = 0
    for _, arg in match_arguments(frame, name, fields, step):
        axis = int(evaluate_int(frame, arg.value, "the axis, counted from 0 without the batch,"))
    return axis


def _branches(frame: Frame, step: tree.Apply, value: Value | Broken) -> list[Branch | None]:
    """Every statement of the body applied to the same value; None for a branch that failed."""
    assert step.body is not None
    found: list[Branch | None] = []
    _collect(frame.inner(value, []), step.body.statements, found, step)
    return found


def _collect(frame: Frame, statements: Sequence[tree.Statement], found: list[Branch | None], step: tree.Apply) -> None:
    for statement in statements:
        try:
            if isinstance(statement, tree.Let):
                flows.let(frame, statement)
            elif isinstance(statement, tree.For):
                rows, _ = flows.loop_rows(frame, statement)
                for row in rows:
                    _collect(frame.inner(frame.entry, [], **row), statement.body.statements, found, step)
            elif isinstance(statement, tree.If):
                _, body = flows.chosen(frame, statement)
                if body is not None:
                    _collect(frame.inner(frame.entry, []), body.statements, found, step)
            elif isinstance(statement, tree.Flow) and len(statement.targets) < 2:
                found.append(_branch(frame, statement))
            else:
                raise frame.context.fail(
                    "E0505", f"in `{step.path.head}` every statement is a branch, this is none", statement.span
                )
        except Failed:
            found.append(None)
            for target in statement.targets if isinstance(statement, tree.Flow) else ():
                if not target.parts:
                    frame.scope.labels.setdefault(target.head, BROKEN)


def _branch(frame: Frame, statement: tree.Flow) -> Branch | None:
    items: list[Item] = []
    inner = frame.inner(frame.entry, items)
    flows.flow(inner, statement)
    value = inner.current
    if isinstance(value, Bundle):
        raise frame.context.fail("E0505", "a branch gives one value, this gives several", statement.span)
    label = flows.label_of(inner, statement.targets[0]) if statement.targets else None
    return Branch(items, value, label) if isinstance(value, Value) else None


def join_values(frame: Frame, step: tree.Apply) -> Flowing:
    """`add(a, b)`, `concat(a, b, axis=1)`, `mul(a, b)`: exactly the named values."""
    name = step.path.head
    named: list[Flowing] = []
    axis = 0
    for arg in step.args or ():
        if arg.name == "axis" and name == "concat":
            axis = int(evaluate_int(frame, arg.value, "the axis, counted from 0 without the batch,"))
        elif arg.name is not None:
            raise frame.context.fail("E0201", f"`{name}` takes the names of values", arg.span)
        else:
            named.append(tensor(frame, operand(frame, arg.value), arg.value))
    if not named:
        raise frame.context.fail("E0201", f"`{name}` needs the values to join, or a body", step.span)
    if any(isinstance(value, Broken) for value in named):
        return BROKEN
    branches = [Branch([], value, value.label) for value in named if isinstance(value, Value)]
    return join(frame, name, axis, branches, step)


def join(frame: Frame, name: str, axis: int, branches: Sequence[Branch], step: tree.Apply) -> Value:
    """One value of several. Raises Failed, reported with code E0310, where their shapes do not go together."""
    shape = _joined(frame, name, axis, [branch.value for branch in branches], step)
    item = Join(name, axis, list(branches), branches[0].value, step.span, frame.hint)
    item.output = Value(shape, step.span, item, None, frame.training)
    frame.items.append(item)
    return item.output


def _joined(frame: Frame, name: str, axis: int, values: Sequence[Value], step: tree.Apply) -> Shape:
    need = Needs(frame.context, step.span, frame.training)
    shape = values[0].shape
    for value in values[1:]:
        try:
            shape = _pair(need, name, axis, shape, value.shape)
        except (ShapeError, SizeError) as error:
            labels = tuple(
                Label(v.span, f"{'this' if v.label is None else f'`{v.label}`'} is {show_shape(v.shape)}")
                for v in (values[0], value)
            )
            text = error.message if isinstance(error, ShapeError) else str(error)
            raise frame.context.fail("E0310", text, step.path.span, labels=labels) from None
    if axis >= len(shape):
        raise frame.context.fail("E0310", f"there is no axis {axis} in {show_shape(shape)}", step.span)
    return shape


def _pair(need: Needs, name: str, axis: int, left: Shape, right: Shape) -> Shape:
    both = f"{show_shape(left)} and {show_shape(right)}"
    if len(left) != len(right):
        raise ShapeError(f"`{name}` joins shapes of the same rank, not {both}", code="E0310")
    dims: list[Dim] = []
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if name == "concat" and i == axis:
            dims.append(a + b)
            continue
        if name == "mul" and 1 in (a, b):
            dims.append(b if a == 1 else a)
            continue
        where = "" if name != "concat" else f" outside axis {axis}"
        need.equal(a, b, lambda: f"`{name}` joins shapes that are equal{where}, not {both}")
        dims.append(b if isinstance(b, int) else a)  # a residual's dims are its body's: those that the author states
    return tuple(dims)


def _skip(frame: Frame, step: tree.Apply, value: Value | Broken, axis: int) -> Flowing:
    """`residual`, `dense`, `gate`: the body's result joined with the value itself, or with its projection."""
    assert step.body is not None
    name = step.path.head
    items: list[Item] = []
    inner = frame.inner(value, items)
    flows.run_body(inner, step.body)
    body = inner.current
    if isinstance(body, Bundle):
        raise frame.context.fail("E0505", f"the body of `{name}` gives several values", step.path.span)
    if not isinstance(value, Value) or not isinstance(body, Value):
        if step.tail is not None and step.tail.chain is not None:
            _project(frame, step.tail, BROKEN, BROKEN, step)  # for what is wrong in it
        return BROKEN
    side: Branch | None = None
    tail = step.tail
    if tail is not None and (tail.kind == "shortcut" or not fits(value.shape, body.shape)):
        side = _project(frame, tail, value, body, step)
        if side is None:
            return BROKEN
    other = side.value if side is not None else value
    try:
        shape = _pair(Needs(frame.context, step.span, frame.training), SKIPS[name], axis, other.shape, body.shape)
    except (ShapeError, SizeError):
        way_out = [] if tail is not None else ["`… } project` adds the 1x1 convolution that fits"]
        raise frame.context.fail(
            "E0310",
            f"`{name}` joins its input, {show_shape(other.shape)}, with its body's {show_shape(body.shape)}",
            step.path.span,
            labels=(
                Label(other.span, f"gives {show_shape(other.shape)}"),
                Label(body.span, f"gives {show_shape(body.shape)}"),
            ),
            help=way_out if name == "residual" else [],
        ) from None
    item = Skip(name, value, items, body, tail, side, value, step.span, step, frame.hint)
    item.axis = axis
    item.output = Value(shape, step.span, item, None, frame.training)
    frame.items.append(item)
    return item.output


def _project(
    frame: Frame, tail: tree.Tail, value: Value | Broken, body: Value | Broken, step: tree.Apply
) -> Branch | None:
    items: list[Item] = []
    inner = frame.inner(value, items)
    label = flows.label_of(frame, tail.label) if tail.label is not None else None
    if tail.chain is not None:
        out = flows.run_chain(inner, tail.chain, value, label)
    elif tail.kind == "shortcut" or isinstance(value, Broken) or isinstance(body, Broken):
        raise frame.context.fail("E0505", "`shortcut` needs a body or a chain", tail.span)
    else:
        layer = projection(value.shape, body.shape)
        if layer is None:
            raise frame.context.fail(
                "E0310",
                f"no 1x1 convolution takes {show_shape(value.shape)} to {show_shape(body.shape)} for every size",
                tail.span,
                labels=(Label(body.span, f"gives {show_shape(body.shape)}"),),
            )
        made = tree.Apply(tail.span, tree.Path(tail.span, "project", ()), None)
        out = place_layer(inner, layer, [value], {}, made, "project" if "project" not in frame.scope.modules else None)
    return Branch(items, out, label) if isinstance(out, Value) else None
