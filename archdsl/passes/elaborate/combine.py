"""The combinators: joins of branches (`concat`, `add`, `mul`, `parallel`) and skips (`residual`, `dense`, `gate`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from archdsl.diagnostics import Label
from archdsl.graph.model import (
    BROKEN,
    Apply,
    Branch,
    Broken,
    Bundle,
    Flowing,
    Item,
    Join,
    Skip,
    Value,
)
from archdsl.graph.traced import Ref, refs
from archdsl.layers.args import Int
from archdsl.layers.base import Shape, ShapeError
from archdsl.layers.projection import projection
from archdsl.layers.signature import Field
from archdsl.passes import pytorch
from archdsl.passes.combinators import BROADCASTING, PROJECTED, SKIPS
from archdsl.passes.elaborate import chains, loops, meant, statements
from archdsl.passes.elaborate.apply import match_arguments, operand, place_layer, report_habit, tensor
from archdsl.passes.elaborate.expressions import depends_on, evaluate_int
from archdsl.passes.elaborate.frame import Failed, Frame, Read
from archdsl.passes.elaborate.labels import free_label, label_of, place_of
from archdsl.passes.elaborate.patterns import Needs, fits
from archdsl.passes.elaborate.strides import sizes_depend, stride_of
from archdsl.passes.elaborate.values import has
from archdsl.passes.shapes import origin, origins, show_shape, ways
from archdsl.sizes import Dim, SizeError
from archdsl.syntax import tree

AXIS = Field("axis", Int(0), 0)
STEPS_OF_A_JOIN = 20  # or of a skip, in steps of `Context.spend`


def run(frame: Frame, step: tree.Apply, value: Flowing | None) -> Flowing:
    """Applies a combinator with its body to the flowing value."""
    name = step.path.head
    main = tensor(frame, value, step)
    if step.tail is not None and name not in PROJECTED:
        raise frame.context.fail(
            "E0505", f"`{step.tail.kind}` goes with `residual` or `gate`, not with `{name}`", step.tail.span
        )
    axis = _axis(frame, step, name)
    if name in SKIPS:
        return _skip(frame, step, main, axis)
    branches = _branches(frame, step, main)
    _record(frame, step, branches)
    if not branches:
        raise frame.context.fail(
            "E0505", f"`{name}` has no branches", step.path.span, help=["each statement in its braces is one"]
        )
    good = [branch for branch in branches if branch is not None]
    if len(good) < len(branches) and (name == "parallel" or not good):
        return BROKEN
    if len(good) < len(branches):
        return _of_some(frame, name, axis, [branch.value for branch in good], step)
    if name == "parallel":
        frame.items.append(Join(name, 0, good, good[0].value, step.span, frame.hint))
        return Bundle([b.value for b in good], [b.label for b in good], step.span)
    return join(frame, name, axis, good, step)


def _axis(frame: Frame, step: tree.Apply, name: str) -> int:
    fields = [AXIS] if name in ("concat", "dense") else []
    given = match_arguments(frame, name, fields, step)
    return _axis_number(frame, given[0][1]) if given else 0


def _axis_number(frame: Frame, given: tree.Arg) -> int:
    return int(evaluate_int(frame, given.value, "the axis, counted from 0 without the batch,"))


def _branches(frame: Frame, step: tree.Apply, value: Value | Broken) -> list[Branch | None]:
    """Every statement of the body applied to the same value; None for a branch that failed."""
    assert step.body is not None
    found: list[Branch | None] = []
    _collect(frame.inner(value, []), step.body, found, step)
    return found


def _collect(frame: Frame, body: tree.Body, found: list[Branch | None], step: tree.Apply) -> None:
    with frame.context.nested(body.span):
        for statement in body.statements:
            frame.context.spend(1, statement.span)
            try:
                _collect_one(frame, statement, found, step)
            except Failed:
                found.append(None)
                statements.break_off(frame, statement)


def _collect_one(frame: Frame, statement: tree.Statement, found: list[Branch | None], step: tree.Apply) -> None:
    """The branches that a statement stands for: one, or those that a loop or a case holds."""
    if isinstance(statement, tree.Let):
        statements.let(frame, statement)
    elif isinstance(statement, tree.For):
        frame.scope.decided |= depends_on(frame, statement.iterable)
        with frame.placed(place_of(frame, statement.place)):
            for row in loops.rows(frame, statement):
                _collect(frame.inner(frame.entry, [], row), statement.body, found, step)
    elif isinstance(statement, tree.If):
        _, body = loops.chosen(frame, statement)
        frame.scope.decided |= loops.asked(frame, statement)
        if body is not None:
            with frame.placed(place_of(frame, statement.place)):
                _collect(frame.inner(frame.entry, []), body, found, step)
    elif isinstance(statement, tree.Flow) and len(statement.targets) < 2:
        found.append(_branch(frame, statement))
    else:
        raise frame.context.fail(
            "E0505",
            f"in `{step.path.head}` every statement is a branch, and this is none",
            statement.span,
            labels=(Label(step.path.span, "the branches of this"),),
        )


def _branch(frame: Frame, statement: tree.Flow) -> Branch | None:
    items: list[Item] = []
    inner = frame.inner(frame.entry, items)
    statements.flow(inner, statement)
    value = inner.current
    if isinstance(value, Bundle):
        raise frame.context.fail(
            "E0505", f"a branch gives one value, and this gives {len(value.values)}", statement.span
        )
    label = label_of(inner, statement.targets[0]) if statement.targets else None
    return Branch(items, value, label) if isinstance(value, Value) else None


def join_values(frame: Frame, step: tree.Apply) -> Flowing:
    """`add(a, b)`, `concat(a, b, axis=1)`, `mul(a, b)`: exactly the named values."""
    name = step.path.head
    named: list[Flowing] = []
    axis = 0
    habit = pytorch.listed(step, lambda head: has(frame, head))
    if habit is not None:
        raise report_habit(frame, "E0202", habit)
    for arg in step.args or ():
        if arg.name == "axis" and name == "concat":
            axis = _axis_number(frame, arg)
        elif arg.name is not None:
            raise frame.context.fail("E0201", f"`{name}` takes the names of values", arg.span, help=[f"{name}(a, b)"])
        else:
            named.append(_named(frame, arg.value))
    if not named:
        raise frame.context.fail(
            "E0201",
            f"`{name}` needs the values to join, or a body",
            step.span,
            help=[f"{name}(a, b)", f"{name} {{ … }}"],
        )
    values = [value for value in named if isinstance(value, Value)]
    if not values:
        return BROKEN
    branches = [Branch([], value, value.label) for value in values]
    _record(frame, step, branches if len(values) == len(named) else [None] * len(named))
    if len(values) < len(named):
        return _of_some(frame, name, axis, values, step)
    return join(frame, name, axis, branches, step)


def _record(frame: Frame, step: tree.Apply, branches: Sequence[Branch | None]) -> None:
    frame.context.reads.setdefault(step.path.span, []).append(Read(frame, branches))


def _named(frame: Frame, node: tree.Expr) -> Value | Broken:
    """A value by its name; broken, and reported, if there is none."""
    try:
        return tensor(frame, operand(frame, node), node)
    except Failed:
        return BROKEN


def _of_some(frame: Frame, name: str, axis: int, values: Sequence[Value], step: tree.Apply) -> Value:
    """What a join gives of which some values are broken. Raises Failed if that is not known."""
    shapes = [value.shape for value in values]
    return meant.value(frame, meant.joined(frame.context, name, axis, shapes, all_known=False), step.span)


def join(frame: Frame, name: str, axis: int, branches: Sequence[Branch], step: tree.Apply) -> Value:
    """One value of several. Reports shapes that do not go together (E0310), and then gives what is certain; raises
    Failed if nothing is."""
    values = [branch.value for branch in branches]
    read = _as_pytorch(frame, step, name, axis, values)
    shape = None if _follows(values, read) else _joined(frame, name, axis, values, step)
    if shape is None:
        return _refused(frame, step, name, axis, values, read)
    item = Join(name, axis, list(branches), branches[0].value, step.span, frame.hint)
    item.output = Value(shape, step.span, item, None, frame.training)
    item.output.as_pytorch = read
    frame.items.append(item)
    return item.output


def _follows(values: Sequence[Value], read: Shape | None) -> bool:
    """Whether a join would be refused only since a call in PyTorch's manner was: as these are read, it is right."""
    return read is not None and any(value.tensor.guessed for value in values)


def _refused(
    frame: Frame, step: tree.Apply, name: str, axis: int, values: Sequence[Value], read: Shape | None
) -> Value:
    """What values that do not go together were meant to give. Raises Failed if that is open."""
    if read is not None:
        return meant.value(frame, read, step.span)
    shapes = [value.shape for value in values]
    return meant.value(frame, meant.joined(frame.context, SKIPS.get(name, name), axis, shapes), step.span)


def _as_pytorch(frame: Frame, step: tree.Apply, name: str, axis: int, values: Sequence[Value]) -> Shape | None:
    """What values give together if calls in PyTorch's manner, which were warned of, are read so."""
    if not meant.misread(values):
        return None
    need = Needs(frame.context, step, frame.training, values, asking=True)
    shape, *others = (value.as_pytorch or value.shape for value in values)
    try:
        for other in others:
            shape = _pair(need, name, axis, shape, other)
    except (ShapeError, SizeError):
        return None
    return shape


def _joined(frame: Frame, name: str, axis: int, values: Sequence[Value], step: tree.Apply) -> Shape | None:
    """The shape of values joined; None, and reported, if they do not go together."""
    shape = values[0].shape
    frame.context.spend(STEPS_OF_A_JOIN, step.span)
    if axis >= len(shape):
        frame.context.report("E0310", f"there is no axis {axis} in {show_shape(shape)}", step.span)
        return None
    for value in values[1:]:
        need = Needs(frame.context, step, frame.training, (values[0], value))
        try:
            shape = _pair(need, name, axis, shape, value.shape)
        except (ShapeError, SizeError) as error:
            text = error.message if isinstance(error, ShapeError) else str(error)
            frame.context.report(
                "E0310",
                text,
                step.path.span,
                labels=origins(need.values),
                notes=ways(need.values),
                need=need.refused(text),
                apart=_apart(need, name, axis, shape, value.shape),
            )
            return None
    return shape


def _pair(need: Needs, name: str, axis: int, left: Shape, right: Shape) -> Shape:
    """The shape of two values joined. Raises ShapeError where they do not go together, whatever the input's size."""
    if len(left) != len(right):
        both = f"{show_shape(left)} and {show_shape(right)}"
        raise ShapeError(f"`{name}` joins values of the same rank, not {both}", code="E0310")
    kind = SKIPS.get(name, name)
    why = partial(_disagree, name, axis, left, right)
    dims: list[Dim] = []
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if kind == "concat" and i == axis:
            dims.append(a + b)
        elif kind == "mul" and 1 in (a, b):
            dims.append(b if a == 1 else a)
        else:
            need.equal(a, b, why)
            # Of two equal numbers the second: a residual has its body's dims, which are what the author states.
            dims.append(b if isinstance(b, int) else a)
    return tuple(dims)


def _apart(need: Needs, name: str, axis: int, left: Shape, right: Shape) -> frozenset[int]:
    """The axes on which two values never agree; -1 if they have not even the same number."""
    if len(left) != len(right):
        return frozenset((-1,))
    asked = Needs(need.context, need.node, need.training, need.values, asking=True)
    found = set()
    for i, sides in enumerate(zip(left, right, strict=True)):
        if SKIPS.get(name, name) == "concat" and i == axis:
            continue
        try:
            asked.equal(*sides, "")
        except (ShapeError, SizeError):
            found.add(i)
    return frozenset(found)


def _disagree(name: str, axis: int, left: Shape, right: Shape) -> str:
    outside = f" outside axis {axis}" if SKIPS.get(name, name) == "concat" else ""
    both = f"{show_shape(left)} and {show_shape(right)}"
    return f"`{name}` joins values whose sizes agree{outside}, not {both}{_broadcast(name, left, right)}"


def _broadcast(name: str, left: Shape, right: Shape) -> str:
    """What would take shapes that an addition refuses: `mul` and `gate` broadcast dims that are 1 for every input."""
    other = BROADCASTING.get(name)
    if (
        other is None
        or len(left) != len(right)
        or not all(1 in (a, b) or a == b for a, b in zip(left, right, strict=True))
    ):
        return ""
    return f"; only `{other}` broadcasts dims of 1"


def _skip(frame: Frame, step: tree.Apply, value: Value | Broken, axis: int) -> Flowing:
    """`residual`, `dense`, `gate`: the body's result joined with the value itself, or with its projection."""
    assert step.body is not None
    name = step.path.head
    items: list[Item] = []
    inner = frame.inner(value, items)
    statements.run_body(inner, step.body)
    body = inner.current
    if isinstance(body, Bundle):
        raise frame.context.fail(
            "E0505", f"the body of `{name}` gives one value, and this gives {len(body.values)}", step.path.span
        )
    if not isinstance(value, Value) or not isinstance(body, Value):
        if step.tail is not None and step.tail.chain is not None:
            _project(frame, step.tail, BROKEN, BROKEN, items)  # for what is wrong in it
        return _around(frame, step, value, body)
    side: Branch | None = None
    tail = step.tail
    if tail is not None and (tail.kind == "shortcut" or not fits(value.shape, body.shape)):
        side = _projected(frame, tail, value, body, items)
        if side is None:
            return meant.value(frame, body.shape, step.span) if name == "residual" else BROKEN
    kept = value if side is None else side.value
    read = _as_pytorch(frame, step, name, axis, (kept, body))
    shape = None if _follows((kept, body), read) else _skipped(frame, step, axis, kept, body)
    if shape is None:
        return _refused(frame, step, name, axis, (kept, body), read)
    item = Skip(name, value, items, body, tail, side, value, step.span, step, frame.hint, axis)
    if frame.context.trace and tail is not None and tail.kind != "shortcut":
        layer = projection(value.shape, body.shape)
        item.stride = stride_of(value, items, body, None if layer is None else getattr(layer, "stride", None))
        item.depends = sizes_depend(value, items, body) if item.stride is None else refs(item.stride)
    item.output = Value(shape, step.span, item, None, frame.training)
    item.output.as_pytorch = read
    frame.items.append(item)
    return item.output


def _around(frame: Frame, step: tree.Apply, value: Value | Broken, body: Value | Broken | None) -> Flowing:
    """What a skip gives where one side is broken: a residual gives what its body gives, and without a projection that
    has its input's shape."""
    name, known = step.path.head, body if isinstance(body, Value) else value
    if not isinstance(known, Value) or name == "dense":
        return BROKEN
    if known is body and name == "residual":
        return meant.value(frame, known.shape, step.span)
    if known is value and step.tail is None:
        return meant.value(frame, known.shape, step.span)
    return meant.value(frame, meant.unknown(frame.context, len(known.shape)), step.span)


def _projected(frame: Frame, tail: tree.Tail, value: Value, body: Value, items: list[Item]) -> Branch | None:
    """The other side of a skip; None, and reported, if it is broken."""
    try:
        return _project(frame, tail, value, body, items)
    except Failed:
        return None


def _skipped(frame: Frame, step: tree.Apply, axis: int, kept: Value, body: Value) -> Shape | None:
    """The shape of a skip; None, and reported, if its two sides do not go together."""
    name = step.path.head
    frame.context.spend(STEPS_OF_A_JOIN, step.span)
    if axis >= len(kept.shape):
        frame.context.report("E0310", f"there is no axis {axis} in {show_shape(kept.shape)}", step.path.span)
        return None
    need = Needs(frame.context, step, frame.training, (kept, body))
    try:
        return _pair(need, name, axis, kept.shape, body.shape)
    except (ShapeError, SizeError) as error:
        passed = "its input" if step.tail is None else f"what goes around its body through `{step.tail.kind}`"
        frame.context.report(
            "E0310",
            f"`{name}` joins {passed}, {show_shape(kept.shape)}, with its body's result, {show_shape(body.shape)}"
            f"{_broadcast(name, kept.shape, body.shape)}",
            step.path.span,
            labels=(
                Label(kept.span, f"this gives {show_shape(kept.shape)}"),
                Label(body.span, f"this gives {show_shape(body.shape)}"),
            ),
            notes=ways((body,), since=kept),
            need=need.refused(str(error)),
            apart=_apart(need, name, axis, kept.shape, body.shape),
        )
        return None


def _project(
    frame: Frame, tail: tree.Tail, value: Value | Broken, body: Value | Broken, body_items: list[Item]
) -> Branch | None:
    """The other side of a skip; None if it is broken."""
    items: list[Item] = []
    inner = frame.inner(value, items)
    label = free_label(frame, tail.label, tail.span) if tail.label is not None else None
    out: Flowing
    if tail.chain is not None:
        out = chains.run_chain(inner, tail.chain, value, label)
    else:
        assert isinstance(value, Value)
        assert isinstance(body, Value)
        if any(map(frame.context.is_unknown, body.shape[:1])):
            raise Failed  # reported: how many channels the convolution gives depends on what was refused
        layer = projection(value.shape, body.shape)
        if layer is None:
            raise frame.context.fail(
                "E0310",
                f"no 1x1 convolution takes {show_shape(value.shape)} to {show_shape(body.shape)} for every size",
                tail.span,
                labels=(origin(value), origin(body)),
                help=["say what does: `… } project conv(…) -> …`"],
            )
        depends: frozenset[Ref] = frozenset()
        if frame.context.trace:
            said = stride_of(value, body_items, body, getattr(layer, "stride", None))
            depends = sizes_depend(value, body_items, body) if said is None else frozenset()
            layer = projection(value.shape, body.shape, said)
            assert layer is not None
        made = tree.Apply(tail.span, tree.Path(tail.span, "project", ()), None)
        out = place_layer(inner, layer, [value], {}, made, None, kind="project")
        if frame.context.trace and isinstance(inner.items[-1], Apply):
            inner.items[-1].depends = {"stride": depends}
    if isinstance(out, Bundle):
        raise frame.context.fail("E0505", f"`{tail.kind}` gives one value, and this gives {len(out.values)}", tail.span)
    return Branch(items, out, label) if isinstance(out, Value) else None
