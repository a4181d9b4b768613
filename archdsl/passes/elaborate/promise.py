"""`where` on an input: the sizes that its author promises, as conditions on the input's symbols."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_

from archdsl.layers.args import brief
from archdsl.passes.elaborate.expressions import evaluate
from archdsl.passes.elaborate.frame import Frame
from archdsl.sizes import Among, AtLeast, Condition, Dim, Equal, Poly, Size, SizeError
from archdsl.sizes.conditions import solved
from archdsl.sizes.naturals import EVERY, NONE, Naturals
from archdsl.syntax import tree

NEVER = AtLeast(0, 1)
ALWAYS = AtLeast(0, 0)  # a promise too: of every size


def promised(frame: Frame, node: tree.Expr) -> list[Condition]:
    """The conditions of a `where`, all of which hold. Raises Failed, reported, if it cannot be said in conditions."""
    try:
        return _conditions(frame, node)
    except SizeError as error:
        raise frame.context.fail("E0203", str(error), node.span) from None


def _conditions(frame: Frame, node: tree.Expr) -> list[Condition]:
    if isinstance(node, tree.Compare):
        ends = [node.first, *(operand for _, operand in node.rest)]
        dims = [_dim(frame, end) for end in ends]
        pairs = zip(node.rest, dims, dims[1:], strict=False)
        return [condition for (op, _), left, right in pairs for condition in _compared(frame, node, op, left, right)]
    if isinstance(node, tree.Logic) and node.op == "and":
        return [condition for operand in node.operands for condition in _conditions(frame, operand)]
    if isinstance(node, tree.Logic):
        either = _either(frame, node, [_conditions(frame, operand) for operand in node.operands])
        return [either] if isinstance(either, Among) else _constant(either)
    if isinstance(node, tree.Unary) and node.op == "not":
        denied = _either(frame, node, [_conditions(frame, node.operand)])
        return [Among(denied.symbol, ~denied.values)] if isinstance(denied, Among) else _constant(not denied)
    value = evaluate(frame, node)
    if isinstance(value, bool):
        return _constant(value)
    raise frame.context.fail(
        "E0203",
        f"`where` states what is true of the sizes, this is {brief(value)}",
        node.span,
        help=["compare it: `… >= 32`"],
    )


def _dim(frame: Frame, node: tree.Expr) -> Dim:
    value = evaluate(frame, node)
    if isinstance(value, (int, Size, Poly)) and not isinstance(value, bool):
        return value
    raise frame.context.fail("E0203", f"`where` compares sizes, not {brief(value)}", node.span)


def _compared(frame: Frame, node: tree.Compare, op: str, left: Dim, right: Dim) -> list[Condition]:
    """The conditions that `left op right` stands for."""
    if op == "==":
        return [Equal(left, right)]
    if op == "!=":
        apart = solved(Equal(left, right))
        if isinstance(apart, Among):
            return [Among(apart.symbol, ~apart.values)]
        if isinstance(apart, bool):
            return _constant(not apart)
        raise frame.context.fail("E0203", "`!=` compares sizes of one symbol, or a size with a number", node.span)
    larger, smaller = (left, right) if op[0] == ">" else (right, left)
    return [AtLeast(larger - smaller, int(len(op) == 1))]


def _either(frame: Frame, node: tree.Logic | tree.Unary, cases: list[list[Condition]]) -> Among | bool:
    """Conditions of which one case has to hold, as the values of the one symbol that they speak of."""
    found = [[solved(condition) for condition in case] for case in cases]
    parts = [part for case in found for part in case if not isinstance(part, bool)]
    symbols = {part.symbol for part in parts if isinstance(part, Among)}
    if len(symbols) > 1 or not all(isinstance(part, Among) for part in parts):
        raise frame.context.fail(
            "E0203",
            f"`{node.op}` in a `where` speaks of one symbol at a time",
            node.span,
            help=["what is joined by `and` may speak of different ones"],
        )
    values = reduce(or_, (reduce(and_, map(_values, case), EVERY) for case in found))
    return Among(symbols.pop(), values) if symbols else values == EVERY


def _values(part: bool | Condition) -> Naturals:
    if isinstance(part, Among):
        return part.values
    return EVERY if part else NONE


def _constant(value: bool) -> list[Condition]:
    return [ALWAYS if value else NEVER]
