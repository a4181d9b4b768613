"""Evaluating expressions: numbers, lists and words at compile time.

Integers are bounded to 63 bits, and what is made in lists and ranges counts towards the steps of the network, so that
no expression can hang or exhaust.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from archdsl.diagnostics import did_you_mean
from archdsl.graph.model import BROKEN, DIMS, Bundle, Value
from archdsl.graph.traced import MAX_PARTS, OPS, Fn, Opaque, Ref, Traced, calculate, expr_of, plain, refs, traced
from archdsl.layers.args import brief
from archdsl.layers.registry import is_shipped
from archdsl.passes.elaborate import values
from archdsl.passes.elaborate.frame import Failed, Frame, Unknown
from archdsl.sizes import Poly, Size, SizeError
from archdsl.syntax import tree

LARGEST = 2**63 - 1


def evaluate(frame: Frame, node: tree.Expr) -> Any:
    """The value of an expression: int, float, str, bool, None, list, tuple (a size such as 7x7), range or Size.

    Raises Failed, reported, if it has none.
    """
    frame.context.spend(1, node.span)
    return _EVALUATE[type(node)](frame, node)


def evaluate_int(frame: Frame, node: tree.Expr, what: str, minimum: int = 0) -> int:
    """An integer of at least `minimum`; `what` names it in the message."""
    value = evaluate(frame, node)
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise frame.context.fail("E0203", f"{what} is an integer of at least {minimum}, not {brief(value)}", node.span)
    return value


def evaluate_bool(frame: Frame, node: tree.Expr) -> bool:
    value = evaluate(frame, node)
    if not isinstance(value, bool):
        raise frame.context.fail(
            "E0203", f"a condition is true or false, this is {brief(value)}", node.span, help=["compare it: `… > 0`"]
        )
    return value


def _fail(frame: Frame, node: tree.Expr, message: str, **more: Any) -> Failed:
    return frame.context.fail("E0203", message, node.span, **more)


def _literal(frame: Frame, node: tree.Literal) -> Any:
    if isinstance(node.value, int):
        _bounded(frame, node, node.value)
    return node.value


def _size_literal(frame: Frame, node: tree.SizeLiteral) -> Any:
    _bounded(frame, node, max(node.parts))
    return node.parts


_WORDS = ("true", "false", "none")


def _name(frame: Frame, node: tree.Name) -> Any:
    name = node.name
    if name in frame.env:
        found = frame.env[name]
        if found is BROKEN:
            raise Failed
        if isinstance(found, (Size, Poly)) and frame.context.is_unknown(found):
            raise Unknown
        return found
    if name == "in" or values.has(frame, name):
        raise frame.context.fail(
            "E0203",
            f"`{name}` is a tensor, a number is needed here",
            node.span,
            help=[f"its sizes are `{name}.channels`, `{name}.height`, `{name}.width`"],
        )
    near = did_you_mean(name, (*frame.env, *frame.scope.labels, *_WORDS))
    raise frame.context.fail(
        "E0101", f"nothing here is called `{name}`", node.span, f"did you mean `{near}`?" if near else ""
    )


def _list(frame: Frame, node: tree.ListExpr) -> Any:
    items = [evaluate(frame, item) for item in node.items]
    frame.context.spend(_items(items), node.span)
    return items


def _items(value: Any) -> int:
    """The items of a list, those of the lists in it included. It is counted as it is made, so its parts are bounded."""
    if isinstance(value, range):
        return max(0, (value.stop - value.start) // value.step + 1)  # len(value) is at most 2**63
    return len(value) + sum(map(_items, value)) if isinstance(value, (list, tuple)) else 0


def _unary(frame: Frame, node: tree.Unary) -> Any:
    value = evaluate(frame, node.operand)
    if node.op == "not":
        if isinstance(value, bool):
            return not value
        raise _fail(frame, node, f"`not` takes true or false, not {brief(value)}")
    _numbers(frame, node, value)
    return value if node.op == "+" else 0 - value


def _arith(frame: Frame, node: tree.Arith) -> Any:
    value = evaluate(frame, node.first)
    for op, operand in node.rest:
        other = evaluate(frame, operand)
        _numbers(frame, node, value, other)
        try:
            value = _calculate(op, value, other)
        except ZeroDivisionError:
            raise frame.context.fail("E0203", "this divides by zero", operand.span) from None
        except (SizeError, TypeError, OverflowError) as error:
            raise _fail(frame, node, _why(error, op)) from None
        if isinstance(value, (int, float)):
            _bounded(frame, node, value)
    return value


def _calculate(op: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) and isinstance(right, Traced):
        return calculate(op, left, right)
    return OPS[op](left, right)


def _why(error: Exception, op: str) -> str:
    if isinstance(error, SizeError):
        return str(error)
    return "the number is too large" if isinstance(error, OverflowError) else f"a size does not take `{op}` here"


def _bounded(frame: Frame, node: tree.Expr, value: float) -> None:
    if abs(value) > LARGEST or value != value:
        raise _fail(frame, node, "the number is too large")


def _numbers(frame: Frame, node: tree.Expr, *operands: Any) -> None:
    for value in operands:
        if isinstance(value, bool) or not isinstance(value, (int, float, Size, Poly)):
            raise _fail(frame, node, f"this calculates with {brief(value)}, which is no number")


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(frame: Frame, node: tree.Compare) -> bool:
    left = evaluate(frame, node.first)
    for op, operand in node.rest:
        right = evaluate(frame, operand)
        if isinstance(left, (Size, Poly)) or isinstance(right, (Size, Poly)):
            raise _fail(
                frame,
                node,
                "this depends on the input's size, and a condition must be decided at compile time",
                help=["compare a fixed dim or a parameter, or give the input a fixed size"],
            )
        if op not in ("==", "!="):
            _numbers(frame, node, left, right)
        if not _COMPARE[op](left, right):
            return False
        left = right
    return True


def _logic(frame: Frame, node: tree.Logic) -> bool:
    stop = node.op == "or"
    for operand in node.operands:
        if evaluate_bool(frame, operand) is stop:
            return stop
    return not stop


def _range(frame: Frame, node: tree.Range) -> Any:
    first, last = (evaluate_int(frame, end, "an end of a range", -LARGEST) for end in (node.first, node.last))
    frame.context.spend(max(0, last - first + 1), node.span)
    return range(int(first), int(last) + 1)


def _attr(frame: Frame, node: tree.Attr) -> Any:
    value = _tensor(frame, node.base)
    if value is None:
        raise frame.context.fail("E0203", f"only a value has sizes such as `.{node.name}`", node.base.span)
    shape = value.shape
    if node.name == "rank":
        return len(shape)
    names = DIMS.get(len(shape), ())
    if node.name in names:
        dim = shape[names.index(node.name)]
        if frame.context.is_unknown(dim):
            raise Unknown
        return dim
    near = did_you_mean(node.name, (*names, "rank"))
    raise frame.context.fail(
        "E0101",
        f"{values.describe(value)} has no `{node.name}`",
        node.name_span,
        f"did you mean `{near}`?" if near else "",
        help=[f"it has {', '.join(f'`{n}`' for n in (*names, 'rank'))}"],
    )


def _tensor(frame: Frame, node: tree.Expr) -> Value | None:
    """The tensor that an expression names, if it names one: for its sizes, so it may stay in an enclosing scope."""
    path = values.as_path(node)
    if path is None or path.head in frame.env:
        return None
    found = values.find(frame, path, reach=False)
    if isinstance(found, Bundle):
        raise frame.context.fail("E0203", "this is several values", node.span, help=["pick one: `x.name`, `x[0]`"])
    if found is None:
        raise frame.context.fail("E0101", f"nothing here is called `{path.span.text}`", node.span)
    if not isinstance(found, Value):
        raise Failed
    return found


def _index(frame: Frame, node: tree.Index) -> Any:
    base = evaluate(frame, node.base)
    if not isinstance(base, (list, tuple, range)):
        raise _fail(frame, node, f"{brief(base)} is no list")
    index = evaluate_int(frame, node.index, "an index", -len(base))
    if index >= len(base):
        raise frame.context.fail(
            "E0203",
            f"`{node.span.text}` is past the end: there are {len(base)} items, from 0 on, and this is {index}",
            node.index.span,
        )
    value = base[index]
    return _traced(frame, value, "[]", (_expr(frame, node.base, base), expr_of(index)))


def _traced(frame: Frame, value: Any, name: str, args: tuple[Any, ...]) -> Any:
    """A number with the call that gave it, if that call depends on a variable of the emitted code."""
    found = refs(args) if frame.context.trace else frozenset()
    if not found or isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    call = Fn(name, args, plain(value))
    return traced(plain(value), call if call.parts <= MAX_PARTS else Opaque(found, plain(value)))


def depends_on(frame: Frame, node: tree.Expr) -> frozenset[Ref]:
    """The variables of the emitted code that an expression, which has been evaluated, depends on, when traced."""
    if not frame.context.trace:
        return frozenset()
    found: set[Ref] = set()
    stack: list[Any] = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, tree.Name):
            if at.name in frame.refs:
                found.add(frame.refs[at.name])
            else:
                found |= frame.depends.get(at.name, frozenset()) | refs(frame.env.get(at.name))
        elif isinstance(at, tree.Attr):
            found |= refs(_attr(frame, at))
        elif isinstance(at, tuple):
            stack.extend(at)
        elif isinstance(at, tree.Node):
            stack.extend(getattr(at, slot) for slot in at.__dataclass_fields__ if slot != "span")
    return frozenset(found)


def _expr(frame: Frame, node: tree.Expr, value: Any) -> Any:
    if isinstance(node, tree.Name) and node.name in frame.refs:
        return frame.refs[node.name]
    return tuple(expr_of(v) for v in value) if isinstance(value, (list, tuple)) else expr_of(value)


def _call(frame: Frame, node: tree.Call) -> Any:
    name = node.func.name if isinstance(node.func, tree.Name) else None
    function = FUNCTIONS.get(name or "")
    if name is None or function is None:
        near = did_you_mean(name or "", FUNCTIONS)
        if is_shipped(name or ""):
            help = (
                f"a layer is applied by a statement, without `let`: `{node.span.text}`, or `label = {node.span.text}`"
            )
            raise frame.context.fail("E0101", f"`{name}` is a layer, no function", node.func.span, help=[help])
        raise frame.context.fail(
            "E0101",
            f"no function is called `{node.func.span.text}`",
            node.func.span,
            f"did you mean `{near}`?" if near else "",
            help=["functions: " + ", ".join(sorted(FUNCTIONS))],
        )
    for given in node.args:
        if given.name is not None:
            raise frame.context.fail("E0201", f"`{name}` takes no named arguments", given.span)
    args = [evaluate(frame, given.value) for given in node.args]
    frame.context.spend(_items(args), node.span)
    try:
        value = function(*args)
    except (TypeError, ValueError, OverflowError, SizeError):
        raise _fail(frame, node, f"`{name}` does not take {_listed(args)}") from None
    frame.context.spend(_items(value), node.span)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _bounded(frame, node, value)
    exprs = tuple(_expr(frame, given.value, arg) for given, arg in zip(node.args, args, strict=True))
    return _traced(frame, value, name, exprs)


def _listed(args: Sequence[Any]) -> str:
    return " and ".join(brief(arg) for arg in args) or "no arguments"


def _make_range(*args: int) -> range:
    if not all(isinstance(arg, int) and not isinstance(arg, bool) for arg in args):
        raise TypeError
    return range(*map(int, args))


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, (list, tuple, range)):
        raise TypeError
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return value


def _extreme(pick: Callable[[Any], Any]) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        items = _sequence(args[0]) if len(args) == 1 else args
        return plain(pick([_number(item) for item in items]))

    return function


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": _extreme(min),
    "max": _extreme(max),
    "floor": lambda x: math.floor(plain(_number(x))),
    "ceil": lambda x: math.ceil(plain(_number(x))),
    "round": lambda x: round(plain(_number(x))),
    "abs": lambda x: abs(plain(_number(x))),
    "len": lambda items: len(_sequence(items)),
    "sum": lambda items: sum(plain(_number(x)) for x in _sequence(items)),
    "range": _make_range,
    "enumerate": lambda items, start=0: [(i, item) for i, item in enumerate(_sequence(items), int(_number(start)))],
    "zip": lambda *lists: [tuple(row) for row in zip(*map(_sequence, lists), strict=True)],
}

_EVALUATE: dict[type, Callable[..., Any]] = {
    tree.Literal: _literal,
    tree.SizeLiteral: _size_literal,
    tree.Name: _name,
    tree.ListExpr: _list,
    tree.Unary: _unary,
    tree.Arith: _arith,
    tree.Compare: _compare,
    tree.Logic: _logic,
    tree.Range: _range,
    tree.Attr: _attr,
    tree.Index: _index,
    tree.Call: _call,
}
