"""Values and expressions of the language as Python text.

A traced int is said in the variables that exist at that point of the emitted code; a variable that does not exist there
is replaced by what it stands for, in the end by the number itself.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Collection, Mapping, Set
from typing import Any

from archdsl.graph.traced import OPS, Fn, Op, Opaque, Ref, Traced, TracedFloat, plain, refs
from archdsl.passes.elaborate.pythonic import FILE_NAMES
from archdsl.syntax import tree

SAYABLE = {"len": "len", "sum": "sum", "min": "min", "max": "max", "abs": "abs", "round": "round"}
SAYABLE |= {"floor": "math.floor", "ceil": "math.ceil"}
_RESERVED = FILE_NAMES | {"self", "layers", "device", "devices"}
_SUM, _PRODUCT, _ATOM = 1, 2, 3


class NotSayable(Exception):
    """An expression that has no Python text here."""


def python_name(name: str, taken: Collection[str] = ()) -> str:
    """A name of the spec as a variable of Python that is none of `taken`."""
    while keyword.iskeyword(name) or name in _RESERVED or name in taken:
        name += "_"
    return name


def literal(value: Any) -> str:
    """A value of the language as a Python literal, strings in double quotes."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str):
        return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + (",)" if len(value) == 1 else ")")
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, range):
        return _range(str(value.start), str(value.stop))
    assert isinstance(value, float), type(value)
    return repr(value)


def _range(start: str, stop: str) -> str:
    return f"range({stop})" if start == "0" else f"range({start}, {stop})"


def _is_int(expr: Any) -> bool:
    """Whether an expression is calculated with integers only, which may be grouped in any way."""
    if isinstance(expr, Op):
        return expr.op != "/" and _is_int(expr.left) and _is_int(expr.right)
    value = expr.origin if isinstance(expr, Ref) else expr.value if isinstance(expr, (Fn, Opaque)) else expr
    return isinstance(value, int)


def _regrouped(op: str, right: Any) -> bool:
    """Whether a right operand of the operator's own level has no parentheses: `a + (b - c)`, `a * (b * c)` of ints."""
    if not _is_int(right):
        return False
    if op == "*":
        while isinstance(right, Op) and right.op in "*//%":
            if right.op != "*":
                return False
            right = right.left
    return op in "+*"


def is_atom(text: str) -> bool:
    """Whether a Python expression needs no parentheses anywhere."""
    return isinstance(ast.parse(text, mode="eval").body, (ast.Name, ast.Constant, ast.Call, ast.Subscript, ast.List))


class Variables:
    """Which variables the emitted code has at the point being written."""

    def __init__(self) -> None:
        self.names: dict[Ref, str] = {}
        self.local: set[str] = set()  # names of variables that the code assigns to, for all of the code
        self.alias: dict[Ref, Any] = {}  # said as another expression, whatever its origin
        self.lets: Mapping[str, tree.Expr | None] = {}
        self._inputs: Collection[str] = ()
        self.used: set[str] = set()
        self.closed: Set[Ref] = frozenset()  # what is said as a number because other text depends on it
        self.settled: Set[Ref] = frozenset()  # what does not depend on the case that was taken, for all that it may
        self.baked: set[Ref] = set()  # what the text depends on without saying so
        self.fixed: set[Ref] = set()  # the same, where the text does say so for the values that the spec gives

    def copy(self) -> Variables:
        """The same variables, to try something with."""
        other = Variables()
        other.names, other.alias, other.lets = self.names, self.alias, self.lets
        return other

    def say(self, value: Any) -> str:
        """A value: a traced number in the variables at hand, anything else as a literal."""
        if isinstance(value, (Traced, TracedFloat)):
            return self._text(self._expand(value.expr))[0]
        if isinstance(value, (tuple, list)):
            inner = [self.say(item) for item in value]
            if isinstance(value, list):
                return "[" + ", ".join(inner) + "]"
            return "(" + ", ".join(inner) + (",)" if len(inner) == 1 else ")")
        return literal(value)

    def _expand(self, expr: Any) -> Any:
        """The expression with unknown variables replaced and constants folded: Ref, Op, Fn, or a number."""
        while isinstance(expr, (Traced, TracedFloat, Ref)):  # a loop of many turns makes a long chain of them
            if not isinstance(expr, Ref):
                expr = expr.expr
            elif expr in self.alias:
                expr = self.alias[expr]
            elif expr in self.names:
                return expr
            else:
                if not self._is_settled(expr):
                    self.baked |= expr.depends
                if expr in self.closed:
                    self.baked.add(expr)
                expr = expr.origin
        if isinstance(expr, Opaque):
            self.baked |= expr.refs
            return expr.value
        if isinstance(expr, Op):
            left, right = self._expand(expr.left), self._expand(expr.right)
            if isinstance(left, (int, float)) and isinstance(right, (int, float)):
                return OPS[expr.op](left, right)
            if expr.op in "+-" and type(right) is int and right == 0:
                return left
            if expr.op == "+" and type(left) is int and left == 0:
                return right
            if expr.op == "*" and any(type(each) is int and each == 1 for each in (left, right)):
                return right if type(left) is int else left
            return Op(expr.op, left, right)
        if isinstance(expr, Fn):
            args = tuple(self._expand(arg) for arg in expr.args)
            constant = not refs(args)
            sayable = expr.name == "[]" or expr.name in SAYABLE
            if not sayable:
                self.baked |= refs(args)
            return Fn(expr.name, args, expr.value) if sayable and not constant else expr.value
        if isinstance(expr, tuple):
            return tuple(map(self._expand, expr))
        return plain(expr)

    def _is_settled(self, ref: Ref) -> bool:
        """Whether the channels behind an `if` are said the same in all of its cases, here or in the block it is of."""
        at: Ref | None = ref
        while at is not None and at not in self.settled:
            at = at.within
        return at is not None

    def _text(self, expr: Any) -> tuple[str, int]:
        """Text and precedence."""
        if isinstance(expr, Ref):
            self.used.add(self.names[expr])
            return self.names[expr], _ATOM
        if isinstance(expr, Op):
            level = _SUM if expr.op in "+-" else _PRODUCT
            if expr.op == "-" and type(expr.left) is int and expr.left == 0:
                return f"-{self._operand(expr.right, _ATOM)}", _PRODUCT
            regrouped = _regrouped(expr.op, expr.right)
            left, right = (
                self._operand(expr.left, level, first=True),
                self._operand(expr.right, level + (not regrouped)),
            )
            return f"{left} {expr.op} {right}", level
        if isinstance(expr, Fn):
            args = [self._text(arg)[0] for arg in expr.args]
            return (f"{args[0]}[{args[1]}]" if expr.name == "[]" else f"{SAYABLE[expr.name]}({', '.join(args)})"), _ATOM
        if isinstance(expr, tuple):
            return "[" + ", ".join(self._text(item)[0] for item in expr) + "]", _ATOM
        return literal(expr), _ATOM

    def _operand(self, expr: Any, level: int, first: bool = False) -> str:
        text, own = self._text(expr)
        return f"({text})" if own < level or (text.startswith("-") and not first) else text

    # --- syntax trees -----------------------------------------------------------------------------------------------

    def translate(self, node: tree.Expr, inputs: Collection[str] = ()) -> str:
        """An expression as the author wrote it, with dims of `inputs`, the values that the class is given.

        Raises NotSayable if it needs a name that has no variable here.
        """
        self._inputs = inputs
        try:
            return self._tree(node, 0)[0]
        finally:
            self._inputs = ()

    def _tree(self, node: tree.Expr, depth: int) -> tuple[str, int]:
        if depth > 32:
            raise NotSayable
        match node:
            case tree.Literal():
                return literal(node.value), _ATOM
            case tree.SizeLiteral():
                return literal(node.parts), _ATOM
            case tree.ListExpr():
                return "[" + ", ".join(self._tree(item, depth + 1)[0] for item in node.items) + "]", _ATOM
            case tree.Name():
                return self._name(node.name, depth)
            case tree.Attr(base=tree.Name(name=name)) if name in self._inputs:
                return self._name(f"{name}_{node.name}", depth)
            case tree.Range():
                return self._tree_range(node, depth), _ATOM
            case tree.Arith():
                level = _SUM if node.rest[0][0] in "+-" else _PRODUCT
                text = self._wrap(node.first, level, depth)
                for op, operand in node.rest:
                    text += f" {op} {self._wrap(operand, level + 1, depth)}"
                return text, level
            case tree.Compare():
                text = self._wrap(node.first, _SUM, depth)
                for op, operand in node.rest:
                    text += f" {op} {self._wrap(operand, _SUM, depth)}"
                return text, 0
            case tree.Logic():
                return f" {node.op} ".join(self._wrap(o, 0, depth) for o in node.operands), -1
            case tree.Unary():
                inner = self._wrap(node.operand, _ATOM if node.op != "not" else 0, depth)
                return (f"not {inner}", -1) if node.op == "not" else (f"{node.op}{inner}", _PRODUCT)
            case tree.Index():
                return f"{self._wrap(node.base, _ATOM, depth)}[{self._tree(node.index, depth + 1)[0]}]", _ATOM
            case tree.Call(func=tree.Name(name=name)) if name in {*SAYABLE, "range", "enumerate", "zip"}:
                args = ", ".join(self._tree(arg.value, depth + 1)[0] for arg in node.args)
                return f"{SAYABLE.get(name, name)}({args})", _ATOM
        raise NotSayable

    def _wrap(self, node: tree.Expr, level: int, depth: int) -> str:
        text, own = self._tree(node, depth + 1)
        return f"({text})" if own < level else text

    def _tree_range(self, node: tree.Range, depth: int) -> str:
        first = self._tree(node.first, depth + 1)[0]
        if isinstance(node.last, tree.Literal) and isinstance(node.last.value, int):
            return _range(first, str(node.last.value + 1))
        last = node.last
        if isinstance(last, tree.Arith) and last.rest[-1][0] == "-":
            final = last.rest[-1][1]
            if isinstance(final, tree.Literal) and final.value == 1:
                shorter = tree.Arith(last.span, last.first, last.rest[:-1]) if len(last.rest) > 1 else last.first
                return _range(first, self._tree(shorter, depth + 1)[0])
        return _range(first, self._wrap(last, _SUM, depth) + " + 1")

    def _name(self, name: str, depth: int) -> tuple[str, int]:
        for ref, text in self.names.items():
            if ref.name == name:
                self.used.add(text)
                return text, _ATOM
        stands = self.lets.get(name)
        if stands is not None:
            return self._tree(stands, depth + 1)
        raise NotSayable
