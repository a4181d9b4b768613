"""Statements: what runs in a body, in order, whatever their kind."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.diagnostics import Edit, Fix, Label, did_you_mean
from archdsl.graph.model import BROKEN, Broken, Bundle, Flowing, Item, Result, TrainingOnly, Value
from archdsl.layers.registry import is_shipped
from archdsl.passes import pytorch
from archdsl.passes.elaborate import chains, loops, meant
from archdsl.passes.elaborate.expressions import depends_on, evaluate
from archdsl.passes.elaborate.frame import Failed, Frame, Misread, SharedModule
from archdsl.passes.elaborate.known import layer_class
from archdsl.passes.elaborate.labels import bind, check_variable, free_label, label_of, place_of
from archdsl.passes.elaborate.patterns import bind_or_check
from archdsl.passes.elaborate.pythonic import bad_field_name, bad_module_name
from archdsl.passes.elaborate.values import find as find_value
from archdsl.passes.elaborate.values import has
from archdsl.source import Span
from archdsl.syntax import tree


def run_body(frame: Frame, body: tree.Body) -> None:
    """Runs the statements on `frame.current`. One that fails is reported and leaves a broken value, no exception.

    Raises Failed if the body stands too deep, Exhausted if a limit is passed.
    """
    with frame.context.nested(body.span):
        for statement in body.statements:
            frame.context.spend(1, statement.span)
            try:
                _RUN[type(statement)](frame, statement)
            except Failed:
                break_off(frame, statement)


def break_off(frame: Frame, statement: tree.Statement) -> None:
    """After a failure: the labels stand for broken values, and so does what flows."""
    targets: tuple[tree.Path, ...] = ()
    if isinstance(statement, tree.Flow):
        targets = statement.targets
    elif isinstance(statement, tree.Shared) or (isinstance(statement, tree.Output) and statement.chain is not None):
        targets = (statement.target,)
    for target in targets:
        _hold(frame, target, BROKEN)
    if isinstance(statement, tree.Input):
        frame.scope.labels.setdefault(statement.name, BROKEN)
        frame.current = frame.current or BROKEN
    elif isinstance(statement, tree.Let):
        if not has(frame, statement.name):
            frame.env.setdefault(statement.name, BROKEN)
    elif not isinstance(statement, (tree.Output, tree.Shared, tree.Training, tree.Init, tree.Expect)):
        frame.current = BROKEN


def flow(frame: Frame, statement: tree.Flow) -> None:
    targets = statement.targets
    if len(targets) == 1:
        try:
            _refuse_assignment(frame, statement)
        except Misread as misread:
            _assign(frame, statement, misread)
            return
    label = _label(frame, targets[0], statement.span) if len(targets) == 1 else None
    with frame.placed(_placed(frame, statement.place)):
        value = chains.run_chain(frame, statement.chain, frame.current, label)
    if statement.shape is not None:
        value = _stated(frame, statement.shape, value, f"`{label}`" if label else "this")
    if label is not None:
        bind(frame, label, value)
    elif len(targets) == 1:
        _hold(frame, targets[0], value)
    elif targets:
        _bind_several(frame, statement, value)
    frame.current = value


def _refuse_assignment(frame: Frame, statement: tree.Flow) -> None:
    """Raises Failed, reported, for `x = relu(x)`: `x` is no variable, and `relu` is not called with it.

    It is Misread where it is clear what is meant.
    """
    target, (step, *more) = statement.targets[0], statement.chain.steps
    earlier = None if target.parts else frame.scope.labels.get(target.head)
    if earlier is None or more or not isinstance(step, tree.Apply) or step.args is None or step.body is not None:
        return
    ours = is_shipped(step.path.span.text)
    cls = layer_class(frame, step.path.head, step.path.span) if ours else None
    if cls is not None:
        habit = pytorch.misread(cls, step, lambda name: has(frame, name))
    else:
        habit = pytorch.unknown(step, lambda name: has(frame, name)) if step.path.head not in frame.unit.names else None
    if habit is None:
        return
    found = pytorch.steps(step.path.span.text, step.args, lambda name: has(frame, name))
    fixes: list[Fix] = []
    bare = statement.shape is None and statement.place is None and "#" not in statement.span.text
    again = found is not None and found.start == target.head
    if found and again and bare and isinstance(earlier, Value) and earlier.producer is not None:
        between = Span(statement.span.source, earlier.span.end, statement.span.start)
        if earlier.span.source is between.source and between.start <= between.end and not between.text.strip():
            text = " -> ".join(found.steps)
            fixes = [Fix(f"go on with the chain: `… -> {text}`", (Edit(between.to(statement.span), f" -> {text}"),))]
    failed = frame.context.fail(
        "E0201" if ours else "E0102",
        habit.message,
        habit.span,
        habit.label,
        labels=(Label(target.span, "is a label already, and names one value for good"),),
        help=() if fixes else pytorch.without_edits(habit).help,
        fixes=fixes,
    )
    raise failed if found is None else Misread(str(found))


def _assign(frame: Frame, statement: tree.Flow, misread: Misread) -> None:
    """Gives a label another value, as the author of `x = relu(x)` means it."""
    try:
        value = chains.as_meant(frame, misread, frame.current, statement.chain.steps[0])
    except Failed:
        value = BROKEN
    frame.scope.labels[statement.targets[0].head] = frame.current = value


def _label(frame: Frame, target: tree.Path, statement: Span) -> str | None:
    """The name of a label; None, and reported, if it cannot be one: its chain runs all the same."""
    try:
        return free_label(frame, target, statement)
    except Failed:
        return None


def _placed(frame: Frame, place: tree.Place | None) -> int | None:
    """The device number of a placement; None, and reported, if it is wrong."""
    try:
        return place_of(frame, place)
    except Failed:
        return None


def _hold(frame: Frame, target: tree.Path, value: Flowing) -> None:
    """Has a label that was refused stand for something, so that its uses are not complained of."""
    try:
        frame.scope.labels.setdefault(label_of(frame, target), value)
    except Failed:
        return


def _stated(frame: Frame, shape: tree.ShapePattern, value: Flowing, what: str) -> Flowing:
    """A value held against a stated shape. Where they differ, which is reported, its author meant the stated one."""
    try:
        _check_shape(frame, shape, value, what)
    except Failed:
        return meant.stated(frame, shape, value)
    return meant.stated(frame, shape, value) if isinstance(value, Broken) else value


def _check_shape(frame: Frame, shape: tree.ShapePattern, value: Flowing, what: str) -> None:
    if isinstance(value, Bundle):
        count = len(value.values)
        raise frame.context.fail(
            "E0304", f"one shape is stated of {count} values", shape.span, labels=(Label(value.span, f"gives {count}"),)
        )
    if isinstance(value, Value):
        bind_or_check(frame, shape, value, what)


def _bind_several(frame: Frame, statement: tree.Flow, value: Flowing) -> None:
    targets = statement.targets
    if isinstance(value, Broken):
        raise Failed
    count = len(value.values) if isinstance(value, Bundle) else 1
    if not isinstance(value, Bundle) or count != len(targets):
        raise frame.context.fail(
            "E0506",
            f"{len(targets)} names for {count} value{'s' * (count != 1)}",
            targets[0].span.to(targets[-1].span),
            labels=(Label(value.span, f"gives {count}"),),
        )
    for target, each in zip(targets, value.values, strict=True):
        bind(frame, free_label(frame, target, Span(target.span.source, 0, 0)), each)


def let(frame: Frame, statement: tree.Let) -> None:
    name = statement.name
    if name in frame.env or has(frame, name):
        raise frame.context.fail("E0103", f"`{name}` already stands for something here", statement.name_span)
    check_variable(frame, name, statement.name_span)
    frame.env[name] = evaluate(frame, statement.value)
    same = frame.scope.lets.setdefault(name, statement.value) is statement.value
    if not same:  # in another body: by its name alone it is neither
        frame.scope.lets[name] = None
    frame.depends[name] = depends_on(frame, statement.value)


def training(frame: Frame, statement: tree.Training) -> None:
    items: list[Item] = []
    with frame.placed(place_of(frame, statement.place)):
        inner = frame.inner(frame.current, items)
        inner.training = True
        run_body(inner, statement.body)
    frame.items.append(TrainingOnly(items, statement.span))


def output(frame: Frame, statement: tree.Output) -> None:
    target = statement.target
    with frame.placed(_placed(frame, statement.place)):
        name, found = _output(frame, statement)
    if isinstance(found, Broken):
        raise Failed
    if isinstance(found, Bundle):
        raise frame.context.fail(
            "E0506",
            f"an output is one value, `{name}` is {len(found.values)}",
            target.span,
            labels=(Label(found.span, f"gives {len(found.values)}"),),
        )
    if statement.shape is not None:
        bind_or_check(frame, statement.shape, found, f"`{name}`")
    bad = bad_module_name(name) or bad_field_name(name)
    if bad is not None:
        raise frame.context.fail("E0105", f"no output can be called `{name}`: {bad}", target.span)
    if any(result.name == name for result in frame.scope.results):
        raise frame.context.fail("E0506", f"there are two outputs `{name}`", target.span)
    frame.scope.results.append(Result(name, found, frame.training))


def _output(frame: Frame, statement: tree.Output) -> tuple[str, Flowing]:
    """The output's name and value; with a chain of its own, the name is that value's label."""
    target = statement.target
    if statement.chain is not None:
        name = _label(frame, target, statement.span)
        before, frame.current = frame.current, BROKEN
        frame.current = found = chains.run_chain(frame, statement.chain, before, name)
        if name is None:
            _hold(frame, target, found)
            raise Failed
        bind(frame, name, found)
        return name, found
    named = find_value(frame, target)
    if named is None:
        near = did_you_mean(target.head, frame.scope.labels)
        raise frame.context.fail(
            "E0101",
            f"no value is called `{target.span.text}`",
            target.span,
            f"did you mean `{near}`?" if near else "",
            help=[]
            if near
            else [f"label the value `{target.span.text} = …`, or write `output {target.span.text} = …`"],
        )
    last = [part for part in target.parts if isinstance(part, str)][-1:]
    return last[0] if last else label_of(frame, target), named


def shared(frame: Frame, statement: tree.Shared) -> None:
    name = free_label(frame, statement.target, statement.span)
    frame.shared[name] = SharedModule(statement, name, frame)


def _input(frame: Frame, statement: tree.Input) -> None:
    raise frame.context.fail(
        "E0504",
        "an input is declared by a network, at its start",
        statement.span,
        help=["a block takes further tensors as parameters: `block up(width, skip: value)`"],
    )


def _expect(frame: Frame, statement: tree.Expect) -> None:
    raise frame.context.fail(
        "E0504",
        "a claim is made by a network, not in a block, loop or group",
        statement.span,
        help=["claim it of the part by its label: `expect params(layer3) == …`"],
    )


def _init(frame: Frame, statement: tree.Init) -> None:
    frame.inits.append((frame, statement))


_RUN: dict[type, Callable[..., None]] = {
    tree.Flow: flow,
    tree.For: loops.for_,
    tree.If: loops.if_,
    tree.Let: let,
    tree.Training: training,
    tree.Output: output,
    tree.Shared: shared,
    tree.Input: _input,
    tree.Expect: _expect,
    tree.Init: _init,
}
