"""`for`, `repeat` and `if`: unrolled and decided here, and kept in the graph as the author wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archdsl.graph.model import Choice, Flowing, Item, Loop, Turn, Value
from archdsl.graph.traced import Ref, Traced, expr_of, plain, traced
from archdsl.layers.args import brief
from archdsl.passes.elaborate import statements
from archdsl.passes.elaborate.expressions import depends_on, evaluate, evaluate_bool, evaluate_int
from archdsl.passes.elaborate.frame import Frame
from archdsl.passes.elaborate.labels import check_variable, place_of
from archdsl.syntax import tree

STEPS_OF_A_TURN = 10  # what a turn takes beside its body, in steps of `Context.spend`

Row = dict[str, Any]  # what a turn binds


def for_(frame: Frame, statement: tree.For) -> None:
    with frame.placed(place_of(frame, statement.place)):
        _run(frame, statement, rows(frame, statement))


def repeat(frame: Frame, step: tree.Repeat) -> None:
    count = evaluate_int(frame, step.count, "the number of turns")
    frame.context.spend(STEPS_OF_A_TURN * count, step.count.span)
    _run(frame, step, ({} for _ in range(count)))


def rows(frame: Frame, statement: tree.For) -> Iterable[Row]:
    """What each turn binds. Raises Failed, reported, where there is nothing to go over."""
    items = evaluate(frame, statement.iterable)
    if not isinstance(items, (list, tuple, range)):
        raise frame.context.fail(
            "E0203",
            f"`for` goes over a list or a range, not over {brief(items)}",
            statement.iterable.span,
            help=["a range is `1..4`, or `range(4)` from 0"],
        )
    for name in statement.names:
        if name in frame.env or name in frame.scope.labels or statement.names.count(name) > 1:
            raise frame.context.fail("E0103", f"`{name}` already stands for something here", statement.names_span)
        check_variable(frame, name, statement.names_span)
    frame.context.spend(STEPS_OF_A_TURN * len(items), statement.iterable.span)
    return [_row(frame, statement, item) for item in items]


def _row(frame: Frame, statement: tree.For, item: Any) -> Row:
    names = statement.names
    if len(names) == 1:
        return {names[0]: item}
    if not isinstance(item, (list, tuple)) or len(item) != len(names):
        raise frame.context.fail(
            "E0203",
            f"an item gives {len(names)} names their values, and this is {brief(item)}",
            statement.names_span,
            help=["`enumerate` and `zip` give items of several values"],
        )
    return dict(zip(names, item, strict=True))


def _run(frame: Frame, node: tree.For | tree.Repeat, turns: Iterable[Row]) -> None:
    over = node.count if isinstance(node, tree.Repeat) else node.iterable
    done = Loop(node, [], node.span, depends=depends_on(frame, over))
    frame.items.append(done)
    for row in turns:
        items: list[Item] = []
        start = _carry(frame, done)
        inner = frame.inner(start, items, _turn_variables(frame, done, row))
        if frame.context.trace:
            inner.refs = {**frame.refs, **done.variables[-1]}
        statements.run_body(inner, node.body)
        frame.current = inner.current
        done.turns.append(Turn(items, start, inner.current))
    frame.current = _carry(frame, done)


def _carry(frame: Frame, done: Loop) -> Flowing | None:
    """The flowing value with its first dim as the loop's variable, when traced."""
    value = frame.current
    if not frame.context.trace or not isinstance(value, Value) or not _fixed_first(value):
        return value
    kept = not done.carried or (bool(done.turns) and _kept(done, value))
    done.carried.append(Ref("", value.shape[0], frozenset() if kept else done.depends))
    return _renamed(value, done.carried[-1])


def _kept(done: Loop, value: Value) -> bool:
    """Whether the first dim is said as it was before the loop, so that it is the same after any number of turns."""
    known = {ref for ref in done.carried if not ref.depends}
    expr = expr_of(value.shape[0])
    while isinstance(expr, Ref) and expr in known:
        expr = expr_of(expr.origin)
    return bool(expr == expr_of(done.carried[0].origin))


def _fixed_first(value: Value) -> bool:
    return bool(value.shape) and isinstance(value.shape[0], int)


def _renamed(value: Value, first: Ref) -> Value:
    """The same tensor, its first dim said as a variable."""
    shape = (Traced(int(first.origin), first), *value.shape[1:])
    return Value(shape, value.span, value.producer, value.label, value.training, value)


def _turn_variables(frame: Frame, done: Loop, row: Row) -> Row:
    if not frame.context.trace:
        return row
    variables = {name: Ref(name, value, done.depends) for name, value in row.items()}
    done.variables.append(variables)
    return {name: traced(plain(value), variables[name]) for name, value in row.items()}


def if_(frame: Frame, statement: tree.If) -> None:
    case, body = chosen(frame, statement)
    done = Choice(statement, case, [], frame.current, depends=asked(frame, statement))
    frame.items.append(done)
    if body is not None:
        with frame.placed(place_of(frame, statement.place)):
            inner = frame.inner(frame.current, done.items)
            statements.run_body(inner, body)
        frame.current = inner.current
    value = done.leaving = frame.current
    if frame.context.trace and isinstance(value, Value) and _fixed_first(value):
        done.after = Ref("", value.shape[0], done.depends)
        frame.current = _renamed(value, done.after)


def asked(frame: Frame, statement: tree.If) -> frozenset[Ref]:
    """What the conditions of an `if` depend on, when traced."""
    known = (depends_on(frame, condition) for condition, _ in statement.cases[: _decided(frame, statement)])
    return frozenset().union(*known)


def _decided(frame: Frame, statement: tree.If) -> int:
    """How many of its conditions were asked for."""
    return chosen(frame, statement)[0] + 1 if frame.context.trace else 0


def chosen(frame: Frame, statement: tree.If) -> tuple[int, tree.Body | None]:
    """The case that holds, by its index, and its body; past the last there may be no `else`."""
    for index, (condition, body) in enumerate(statement.cases):
        if evaluate_bool(frame, condition):
            return index, body
    return len(statement.cases), statement.otherwise
