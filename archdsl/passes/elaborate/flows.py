"""Statements and chains: what runs in a body, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from archdsl.diagnostics import Label, did_you_mean
from archdsl.graph.model import (
    BROKEN,
    Broken,
    Bundle,
    Choice,
    Flowing,
    Item,
    Loop,
    Result,
    TrainingOnly,
    Turn,
    Value,
)
from archdsl.graph.traced import IndexedName, Ref, Traced
from archdsl.layers.args import show
from archdsl.layers.registry import LATER, find, is_shipped, names
from archdsl.passes.elaborate import blocks, combine
from archdsl.passes.elaborate.apply import apply_layer, check_label
from archdsl.passes.elaborate.expressions import evaluate, evaluate_bool, evaluate_int
from archdsl.passes.elaborate.frame import MAX_LAYERS, Failed, Frame, SharedModule
from archdsl.passes.elaborate.patterns import bind_or_check
from archdsl.passes.elaborate.plain import is_plain, is_plain_chain
from archdsl.passes.elaborate.values import bind, has
from archdsl.passes.elaborate.values import find as find_value
from archdsl.syntax import tree


def run_body(frame: Frame, body: tree.Body) -> None:
    """Runs the statements on `frame.current`. One that fails is reported and leaves a broken value, no exception."""
    for statement in body.statements:
        try:
            _RUN[type(statement)](frame, statement)
        except Failed:
            _break(frame, statement)


def _break(frame: Frame, statement: tree.Statement) -> None:
    """After a failure: the labels stand for broken values, and so does what flows."""
    targets = statement.targets if isinstance(statement, tree.Flow) else ()
    if isinstance(statement, (tree.Output, tree.Shared)):
        targets = (statement.target,)
    for target in targets:
        if not target.parts:
            frame.scope.labels.setdefault(target.head, BROKEN)
    if isinstance(statement, (tree.Flow, tree.For, tree.If, tree.Output, tree.Input)):
        frame.current = BROKEN


def label_of(frame: Frame, target: tree.Path) -> str:
    """The module's name of a label: `layer[2]` is `layer2`."""
    parts: list[str | int] = [target.head]
    for part in target.parts:
        if isinstance(part, str):
            raise frame.context.fail("E0504", "a label has no dots; a value inside a block is named there", target.span)
        parts.append(evaluate_int(frame, part, "the index of a label"))
    return IndexedName(parts) if len(parts) > 1 else target.head


def place_of(frame: Frame, place: tree.Place | None) -> int | None:
    """The device number of `on gpu(n)`."""
    if place is None:
        return None
    if place.kind != "gpu":
        raise frame.context.fail("E0507", f"a placement is `gpu(n)`, not `{place.kind}(…)`", place.span)
    return int(evaluate_int(frame, place.index, "the number of a GPU"))


def flow(frame: Frame, statement: tree.Flow) -> None:
    targets = statement.targets
    with frame.placed(place_of(frame, statement.place)):
        label = label_of(frame, targets[0]) if len(targets) == 1 else None
        value = run_chain(frame, statement.chain, frame.current, label)
    if statement.shape is not None:
        if isinstance(value, Bundle):
            raise frame.context.fail("E0304", "several values have no one shape", statement.shape.span)
        if isinstance(value, Value):
            bind_or_check(frame, statement.shape, value, f"`{label}`" if label else "this")
    if label is not None:
        bind(frame, label, value, targets[0])
    elif len(targets) > 1:
        _bind_several(frame, targets, value)
    frame.current = value


def _bind_several(frame: Frame, targets: tuple[tree.Path, ...], value: Flowing) -> None:
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
        bind(frame, label_of(frame, target), each, target)


# --- chains -----------------------------------------------------------------------------------------------------


def run_chain(frame: Frame, chain: tree.Chain, value: Flowing | None, label: str | None) -> Flowing:
    """Runs a chain on `value`, or on the value that its head names. A label on several steps makes a group of them."""
    steps = chain.steps
    head = _head(frame, steps[0])
    if head is not None:
        value, steps = head, steps[1:]
        if not steps:
            return value
    if label is not None and len(steps) > 1:
        run: Callable[[Frame], None] = lambda inner: _run_steps(inner, steps)  # noqa: E731
        return blocks.group(frame, chain, None, is_plain_chain(steps), value, label, run)
    for step in steps:
        value = run_step(frame, step, value, label)
    assert value is not None
    return value


def _run_steps(frame: Frame, steps: tuple[tree.Step, ...]) -> None:
    for step in steps:
        frame.current = run_step(frame, step, frame.current, None)


def _head(frame: Frame, step: tree.Step) -> Flowing | None:
    """The value that a chain starts from, if its first step names one (or joins some, as `add(a, b)` does)."""
    if not isinstance(step, tree.Apply) or step.body is not None:
        return None
    path = step.path
    if step.args is not None:
        return combine.join_values(frame, step) if path.head in combine.VALUE_JOINS and not path.parts else None
    if path.head in frame.shared:
        return None
    found = find_value(frame, path) if path.head == "in" or path.parts or has(frame, path.head) else None
    if found is None and path.parts and _shared_name(frame, path) not in frame.shared:
        raise frame.context.fail("E0101", f"nothing here is called `{path.span.text}`", path.span)
    if found is not None and not path.parts and _known(frame, path.head):
        raise frame.context.fail(
            "E0104",
            f"`{path.head}` is both a value and a {'block' if path.head in frame.unit.names else 'layer'}",
            path.span,
            help=[f"write `{path.head}()` to apply it, or give the value another label"],
        )
    return found


def _known(frame: Frame, name: str) -> bool:
    """Whether a block or a layer has that name. Other packages' layers do not count: to install one breaks no spec."""
    return name in frame.unit.names or is_shipped(name)


def _shared_name(frame: Frame, path: tree.Path) -> str:
    return path.head + "".join(
        str(int(evaluate_int(frame, part, "the index of a label"))) for part in path.parts if not isinstance(part, str)
    )


def run_step(frame: Frame, step: tree.Step, value: Flowing | None, label: str | None) -> Flowing:
    """Applies one step, under its label if it has one."""
    if isinstance(step, tree.Apply) and step.body is None:
        return _apply(frame, step, value, label)
    body = step.body
    assert body is not None
    if isinstance(step, tree.Apply) and not combine.is_combinator(step.path.head):
        near = did_you_mean(step.path.head, combine.COMBINATORS)
        raise frame.context.fail(
            "E0505",
            f"`{step.path.head}` takes no {{ … }}",
            step.path.span,
            f"did you mean `{near}`?" if near else "",
            help=["combinators: " + ", ".join(sorted(combine.COMBINATORS))],
        )
    if label is not None:
        plain = is_plain(body) if isinstance(step, (tree.Group, tree.Repeat)) else False
        return blocks.group(frame, step, body, plain, value, label, lambda inner: _unlabelled(inner, step))
    inner = frame.inner(value, frame.items)
    inner.current = value
    _unlabelled(inner, step)
    assert inner.current is not None
    return inner.current


def _unlabelled(frame: Frame, step: tree.Step) -> None:
    """A step with braces, in a frame that it has to itself."""
    if isinstance(step, tree.Apply):
        frame.current = combine.run(frame, step, frame.current)
    elif isinstance(step, tree.Group):
        run_body(frame, step.body)
    else:
        count = evaluate_int(frame, step.count, "the number of turns")
        _run_loop(frame, step, ({} for _ in range(count)), count)


def _apply(frame: Frame, step: tree.Apply, value: Flowing | None, label: str | None) -> Flowing:
    path = step.path
    name = path.head
    if frame.shared and not any(isinstance(part, str) for part in path.parts):
        shared = frame.shared.get(_shared_name(frame, path))
        if shared is not None:
            return apply_shared(frame, shared, step, value)
    if path.parts or name == "in":
        raise frame.context.fail(
            "E0504", f"`{path.span.text}` is no layer or block; only the start of a chain may name a value", path.span
        )
    definition = frame.unit.names.get(name)
    if definition is not None:
        return blocks.apply_block(frame, definition, step, value, label)
    cls = find(name)
    if cls is not None:
        return apply_layer(frame, cls, step, value, label)
    raise _no_layer(frame, step)


def _no_layer(frame: Frame, step: tree.Apply) -> Failed:
    name = step.path.head
    context = frame.context
    if name in LATER:
        return context.fail("E0601", f"`{name}` is not supported yet", step.path.span, f"of the {LATER[name]} layers")
    if combine.is_combinator(name):
        return context.fail("E0505", f"`{name}` needs its body", step.path.span, help=[f"{name} {{ … }}"])
    if has(frame, name):
        return context.fail("E0504", f"`{name}` is a value; only the start of a chain may name one", step.path.span)
    near = did_you_mean(name, (*frame.unit.names, *names(), *combine.COMBINATORS))
    if near is None and name in frame.env:
        return context.fail("E0102", f"`{name}` is a number, not a layer or a block", step.path.span)
    return context.fail(
        "E0102", f"no layer or block is called `{name}`", step.path.span, f"did you mean `{near}`?" if near else ""
    )


def apply_shared(frame: Frame, shared: SharedModule, step: tree.Apply, value: Flowing | None) -> Flowing:
    """Applies a shared module; the first application builds it."""
    if step.args is not None:
        raise frame.context.fail("E0201", f"`{shared.name}` is a module already, it takes no arguments", step.span)
    if frame.scope is not shared.frame.scope:
        raise frame.context.fail(
            "E0504", f"`{shared.name}` is shared by another scope", step.span, help=["declare it where it is applied"]
        )
    chain = shared.node.chain
    with frame.placed(place_of(frame, shared.node.place)):
        if len(chain.steps) > 1:
            out = blocks.group(
                frame,
                chain,
                None,
                is_plain_chain(chain.steps),
                value,
                shared.name,
                lambda inner: _run_steps(inner, chain.steps),
                shared.module,
            )
        else:
            inner = chain.steps[0]
            if isinstance(inner, tree.Apply) and inner.body is None and not inner.path.parts:
                definition = frame.unit.names.get(inner.path.head)
                cls = find(inner.path.head)
                if definition is not None:
                    out = blocks.apply_block(frame, definition, inner, value, shared.name, shared.module)
                elif cls is not None:
                    out = apply_layer(frame, cls, inner, value, shared.name, shared.module)
                else:
                    raise _no_layer(frame, inner)
            else:
                body = inner.body
                plain = is_plain(body) if isinstance(inner, (tree.Group, tree.Repeat)) and body is not None else False
                out = blocks.group(
                    frame, inner, body, plain, value, shared.name, lambda f: _unlabelled(f, inner), shared.module
                )
    shared.module = frame.scope.modules.get(shared.name)
    return out


# --- loops and cases --------------------------------------------------------------------------------------------


def loop(frame: Frame, statement: tree.For) -> None:
    rows, count = loop_rows(frame, statement)
    _run_loop(frame, statement, rows, count)


def loop_rows(frame: Frame, statement: tree.For) -> tuple[Iterator[dict[str, Any]], int]:
    """What each turn binds, and the number of turns."""
    items = evaluate(frame, statement.iterable)
    if not isinstance(items, (list, tuple, range)):
        raise frame.context.fail(
            "E0203", f"`for` goes over a list or a range, not {show(items)}", statement.iterable.span, help=["1..4"]
        )
    try:
        count = len(items)
    except OverflowError:
        count = MAX_LAYERS + 1
    frame.context.spend(min(count, MAX_LAYERS + 1), statement.iterable.span)
    return (_row(frame, statement, item) for item in items), count


def _row(frame: Frame, statement: tree.For, item: Any) -> dict[str, Any]:
    names = statement.names
    for name in names:
        if name in frame.env:
            raise frame.context.fail("E0103", f"`{name}` already stands for something here", statement.names_span)
    if len(names) == 1:
        return {names[0]: item}
    if not isinstance(item, (list, tuple)) or len(item) != len(names):
        raise frame.context.fail(
            "E0203", f"{len(names)} names for {show(item)}", statement.names_span, help=["zip and enumerate give pairs"]
        )
    return dict(zip(names, item, strict=True))


def _run_loop(frame: Frame, node: tree.For | tree.Repeat, rows: Iterator[dict[str, Any]], count: int) -> None:
    if isinstance(node, tree.Repeat):
        frame.context.spend(min(count, MAX_LAYERS + 1), node.count.span)
        rows = ({} for _ in range(count))
    done = Loop(node, [], node.span)
    frame.items.append(done)
    for row in rows:
        items: list[Item] = []
        start = _carry(frame, done)
        inner = frame.inner(start, items, **_turn_variables(frame, done, row))
        if frame.context.trace:
            inner.refs = {**frame.refs, **done.variables[-1]}
        run_body(inner, node.body)
        frame.current = inner.current
        done.turns.append(Turn(items, start, inner.current))
    frame.current = _carry(frame, done)


def _carry(frame: Frame, done: Loop) -> Flowing | None:
    """The flowing value with its first dim as the loop's variable, when traced."""
    value = frame.current
    if (
        not frame.context.trace
        or not isinstance(value, Value)
        or not value.shape
        or not isinstance(value.shape[0], int)
    ):
        return value
    done.carried.append(Ref("", value.shape[0]))
    return _renamed(value, done.carried[-1])


def _renamed(value: Value, first: Ref) -> Value:
    """The same tensor, its first dim said as a variable."""
    shape = (Traced(int(first.origin), first), *value.shape[1:])
    return Value(shape, value.span, value.producer, value.label, value.training, value)


def _turn_variables(frame: Frame, done: Loop, row: dict[str, Any]) -> dict[str, Any]:
    if not frame.context.trace:
        return row
    done.variables.append({name: Ref(name, value) for name, value in row.items()})
    return {
        name: Traced(int(value), done.variables[-1][name])
        if isinstance(value, int) and not isinstance(value, bool)
        else value
        for name, value in row.items()
    }


def choice(frame: Frame, statement: tree.If) -> None:
    taken, body = chosen(frame, statement)
    done = Choice(statement, taken, [])
    frame.items.append(done)
    if body is not None:
        inner = frame.inner(frame.current, done.items)
        run_body(inner, body)
        frame.current = inner.current
    value = frame.current
    if frame.context.trace and isinstance(value, Value) and value.shape and isinstance(value.shape[0], int):
        done.after = Ref("", value.shape[0])
        frame.current = _renamed(value, done.after)


def chosen(frame: Frame, statement: tree.If) -> tuple[int, tree.Body | None]:
    """The case that holds, by its index, and its body; past the last there may be no `else`."""
    for index, (condition, body) in enumerate(statement.cases):
        if evaluate_bool(frame, condition):
            return index, body
    return len(statement.cases), statement.otherwise


# --- the other statements ---------------------------------------------------------------------------------------


def let(frame: Frame, statement: tree.Let) -> None:
    name = statement.name
    if name in frame.env or has(frame, name):
        raise frame.context.fail("E0103", f"`{name}` already stands for something here", statement.name_span)
    frame.env[name] = evaluate(frame, statement.value)
    frame.scope.lets[name] = statement.value


def training(frame: Frame, statement: tree.Training) -> None:
    items: list[Item] = []
    inner = frame.inner(frame.current, items)
    inner.training = True
    run_body(inner, statement.body)
    frame.items.append(TrainingOnly(items, statement.span))


def output(frame: Frame, statement: tree.Output) -> None:
    target = statement.target
    with frame.placed(place_of(frame, statement.place)):
        if statement.chain is None:
            name = (
                _shared_name(frame, target) if not any(isinstance(p, str) for p in target.parts) else target.parts[-1]
            )
            found = find_value(frame, target)
            if found is None:
                near = did_you_mean(target.head, frame.scope.labels)
                raise frame.context.fail(
                    "E0101",
                    f"`{target.span.text}` names no value",
                    target.span,
                    f"did you mean `{near}`?" if near else "",
                )
        else:
            name = label_of(frame, target)
            found = run_chain(frame, statement.chain, frame.current, name)
            bind(frame, name, found, target)
            frame.current = found
    if isinstance(found, Broken):
        raise Failed
    if isinstance(found, Bundle):
        raise frame.context.fail("E0506", "an output is one value, this is several", target.span)
    if statement.shape is not None:
        bind_or_check(frame, statement.shape, found, f"`{name}`")
    assert isinstance(name, str)
    if any(result.name == name for result in frame.scope.results):
        raise frame.context.fail("E0506", f"there are two outputs `{name}`", target.span)
    frame.scope.results.append(Result(name, found, frame.training))


def shared(frame: Frame, statement: tree.Shared) -> None:
    name = label_of(frame, statement.target)
    if name in frame.shared:
        raise frame.context.fail("E0103", f"`{name}` is shared twice", statement.target.span)
    check_label(frame, name, statement.target)
    frame.shared[name] = SharedModule(statement, name, frame)


def _input(frame: Frame, statement: tree.Input) -> None:
    raise frame.context.fail(
        "E0504",
        "an input is declared by a network, at its start",
        statement.span,
        help=["a block takes further tensors as parameters: `block up(width, skip: value)`"],
    )


def _expect(frame: Frame, statement: tree.Expect) -> None:
    raise frame.context.fail("E0504", "a claim is made by a network, not in a block, loop or group", statement.span)


def _init(frame: Frame, statement: tree.Init) -> None:
    frame.inits.append(statement)


_RUN: dict[type, Callable[..., None]] = {
    tree.Flow: flow,
    tree.For: loop,
    tree.If: choice,
    tree.Let: let,
    tree.Training: training,
    tree.Output: output,
    tree.Shared: shared,
    tree.Input: _input,
    tree.Expect: _expect,
    tree.Init: _init,
}
