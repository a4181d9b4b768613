"""What emitted code is made of: whatever else a file has is refused before it is run.

Input: the syntax tree of a file, without the definitions that layers and initialisers bring along. A program is run at
a few sizes only. So its form says that no other size could make it another one: a `forward` goes straight on but for
`if self.training` and what its constructor decided, and does with the sizes of a value nothing but hand them to a call.
The check of sizes with which a guarded network begins decides by them; it is called there, and nowhere else.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from archdsl.validate.errors import Mismatch

# No `while`, no `lambda`, no `try`, no `with`, no `del`, no `global`.
_NODES = (
    ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef, ast.arguments, ast.arg,
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.If, ast.For, ast.Return, ast.Raise, ast.Pass,
    ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Starred, ast.JoinedStr, ast.FormattedValue,
    ast.GeneratorExp, ast.ListComp, ast.Set, ast.SetComp, ast.comprehension,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
# Those of a `forward`, but for what is calculated of numbers alone. No `x += y`: it would write into the memory of `x`.
_STRAIGHT = (
    ast.FunctionDef, ast.arguments, ast.arg, ast.Assign, ast.AnnAssign, ast.Expr, ast.If, ast.IfExp, ast.Return,
    ast.Pass, ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Subscript,
    ast.Slice, ast.Tuple, ast.List, ast.Add, ast.Sub, ast.Mult, ast.BitOr, ast.Not, ast.expr_context,
)  # fmt: skip
_IMPORTS = {
    "import math",
    "import torch",
    "import torch.nn.functional as F",
    *(f"from torch import {name}" for name in ("Tensor", "nn")),
    *(f"from typing import {name}" for name in ("NamedTuple", "Self")),
    *(f"from collections.abc import {name}" for name in ("Callable", "Sequence")),
    "from collections import OrderedDict",
}
_BASES = {"nn.Module", "nn.Sequential", "nn.ModuleDict"}
_ROOTS = {"torch", "nn", "F"}
# What emitted code asks of torch beside the layers and the initialisers.
_TORCH = {*_BASES, "nn.Identity", "torch.Size", "torch.device", "torch.cat"}


def check_form(tree: ast.Module, supports: Collection[str], builtins: Collection[str], known: Collection[str]) -> None:
    """Raises Mismatch for what no emitted code has.

    `supports` are the names of what comes along with the file, `builtins` what Python itself has for emitted code, and
    `known` the names of torch (`nn.Conv2d`) that a network's layers and initialisers call.
    """
    nodes = list(ast.walk(tree))
    for node in nodes:
        _check_node(node)
    _check_torch(nodes, {*known, *_TORCH})
    _check_nesting(tree, nodes)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            _check_class(node, supports, builtins)
            if functions:
                _check_calls(node, functions)
        elif isinstance(node, ast.FunctionDef):
            _check_function(node)
        elif isinstance(node, ast.Assign):
            if [ast.unparse(target) for target in node.targets] != ["Device"]:
                raise _unknown(node, "assigns to a name of the file")
        elif not isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_doc(node):
            raise _unknown(node, f"has {type(node).__name__} outside of classes")


def _unknown(node: ast.AST, what: str) -> Mismatch:
    return Mismatch(f"the file {what} at line {getattr(node, 'lineno', '?')}")


def _is_doc(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _check_node(node: ast.AST) -> None:
    """One node, wherever it stands."""
    if not isinstance(node, _NODES):
        raise _unknown(node, f"has {type(node).__name__}")
    field = {ast.Name: "id", ast.Attribute: "attr", ast.FunctionDef: "name", ast.ClassDef: "name"}.get(type(node))
    text = getattr(node, field) if field is not None else ""
    if text.startswith("__") and text.strip("_") and text != "__init__":
        raise _unknown(node, f"has the name `{text}`")
    if (
        isinstance(node, (ast.Attribute, ast.Subscript))
        and isinstance(node.ctx, ast.Store)
        and not _is_self(node.value)
    ):
        raise _unknown(node, f"assigns to `{ast.unparse(node)}`, which is no submodule of its own,")
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in {"self", *_ROOTS}:
        raise _unknown(node, f"assigns to `{node.id}`")
    if isinstance(node, ast.Import):
        _check_imports(ast.unparse(ast.Import([name])) for name in node.names)
    elif isinstance(node, ast.ImportFrom):
        _check_imports(ast.unparse(ast.ImportFrom(node.module, [name], node.level)) for name in node.names)


def _check_imports(statements: Iterator[str]) -> None:
    for statement in statements:
        if statement not in _IMPORTS:
            name = statement.removeprefix("import ").removeprefix("from ").replace(" import ", ".")
            raise Mismatch(f"the file imports `{name}`")


def _check_nesting(tree: ast.Module, nodes: Sequence[ast.AST]) -> None:
    """Functions stand in classes or in the file, classes and imports in the file."""
    placed = [*tree.body, *(each for node in tree.body if isinstance(node, ast.ClassDef) for each in node.body)]
    known = {id(node) for node in placed}
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)) and id(node) not in known:
            raise _unknown(node, f"has {type(node).__name__} in a function")


def _check_torch(nodes: Sequence[ast.AST], known: Collection[str]) -> None:
    """Whatever is asked of torch is there."""
    asked = {id(node.value): node for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in _ROOTS:
            name: ast.expr = node
            while id(name) in asked and ast.unparse(name) not in known:
                name = asked[id(name)]
            if ast.unparse(name) not in known:
                raise _unknown(node, f"asks for `{ast.unparse(name)}`, which no layer of the network is,")


def _check_class(node: ast.ClassDef, supports: Collection[str], builtins: Collection[str]) -> None:
    """A module, of a constructor and a `forward`, or the named tuple that one returns."""
    bases = [ast.unparse(base) for base in node.bases]
    if node.decorator_list or node.keywords:
        raise _unknown(node, f"decorates `{node.name}`")
    if bases == ["NamedTuple"]:
        if not all(_is_field(each) or _is_doc(each) for each in node.body):
            raise _unknown(node, f"has more than fields in `{node.name}`")
        return
    if not bases or not {*bases} <= {*_BASES, *supports}:
        raise _unknown(node, f"derives `{node.name}` from {', '.join(bases) or 'nothing'}")
    for each in node.body:
        if isinstance(each, ast.FunctionDef):
            if each.name not in ("__init__", "forward"):
                raise _unknown(each, f"defines the method `{node.name}.{each.name}`")
            _check_function(each)
            if each.name == "forward":
                _check_forward(node, each, builtins)
        elif not _is_doc(each):
            raise _unknown(each, f"has {type(each).__name__} in the body of `{node.name}`")
    methods = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
    if len(methods) != len(set(methods)):
        raise _unknown(node, f"defines a method of `{node.name}` twice")


def _is_field(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and node.value is None


def _check_function(node: ast.FunctionDef) -> None:
    if node.decorator_list:
        raise _unknown(node, f"decorates `{node.name}`")
    if node.args.vararg is not None or node.args.kwarg is not None:
        raise _unknown(node, f"has any number of arguments in `{node.name}`")


def _check_forward(owner: ast.ClassDef, node: ast.FunctionDef, builtins: Collection[str]) -> None:
    """Nothing in it depends on the size of a value, but through the calls that are given one."""
    if node.args.defaults or node.args.kwonlyargs:
        raise _unknown(node, f"has optional inputs in `{owner.name}`")
    parts: list[ast.AST] = []
    _collect(node, {*builtins, "math"}, parts)
    given = {id(argument) for each in parts if isinstance(each, ast.Call) for argument in _arguments(each, parts)}
    sizes = {id(each.value) for each in parts if isinstance(each, ast.Subscript)}
    for each in parts:
        if not isinstance(each, _STRAIGHT):
            raise _unknown(each, f"has {type(each).__name__} in the forward of `{owner.name}`")
        if isinstance(each, (ast.If, ast.IfExp)) and not _is_flag(each.test):
            raise _unknown(each, f"decides by `{ast.unparse(each.test)}`")
        if isinstance(each, (ast.Attribute, ast.Subscript)) and isinstance(each.ctx, ast.Store):
            raise _unknown(each, f"changes a module in the forward of `{owner.name}`")
        if isinstance(each, ast.Name) and each.id in builtins:
            raise _unknown(each, f"calls `{each.id}` in the forward of `{owner.name}`")
        if isinstance(each, ast.Assign) and not _takes_no_size_apart(each):
            raise _unknown(each, f"takes `{ast.unparse(each.value)}` apart")
        if isinstance(each, ast.Subscript):
            _check_subscript(each, given)
        if isinstance(each, ast.Attribute) and each.attr == "shape" and id(each) not in sizes:
            raise _unknown(each, f"uses `{ast.unparse(each)}` as a whole")


def _collect(node: ast.AST, constants: Collection[str], parts: list[ast.AST]) -> bool:
    """Puts a node and those in it among the parts, without the expressions that are calculated of numbers alone.

    Returns whether it has a name in it that is none of the constants.
    """
    start = len(parts)
    parts.append(node)
    named = isinstance(node, ast.Name) and node.id not in constants
    for child in ast.iter_child_nodes(node):
        named |= _collect(child, constants, parts)
    if not named and isinstance(node, ast.expr) and not isinstance(node, ast.Name):
        del parts[start:]
    return named


def _is_flag(test: ast.expr) -> bool:
    """Whether a condition is one of the module: `self.training`, or what its constructor has set."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test = test.operand
    return isinstance(test, ast.Attribute) and _is_self(test.value)


def _takes_no_size_apart(node: ast.Assign) -> bool:
    several = any(isinstance(target, ast.Tuple) for target in node.targets)
    return not several or isinstance(node.value, ast.Call) or ast.unparse(node.value) == "self.devices"


def _arguments(call: ast.Call, parts: Sequence[ast.AST]) -> Iterator[ast.expr]:
    """What a call is given, also in a tuple or with a number taken away from it."""
    stack: list[ast.expr] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while stack:
        each = stack.pop()
        yield each
        if isinstance(each, (ast.Tuple, ast.List)):
            stack.extend(each.elts)
        elif isinstance(each, ast.BinOp) and isinstance(each.op, ast.Sub) and each.right not in parts:
            stack.append(each.left)


def _check_subscript(node: ast.Subscript, given: Collection[int]) -> None:
    """`self["0"]`, `x.shape[2:]`, or `x.shape[0]` where a call is given it."""
    if _is_self(node.value):
        return
    if not isinstance(node.value, ast.Attribute) or node.value.attr != "shape":
        raise _unknown(node, f"takes `{ast.unparse(node)}`")
    if not isinstance(node.slice, ast.Slice) and id(node) not in given:
        raise _unknown(node, f"calculates with a size, `{ast.unparse(node)}`,")


def _check_calls(node: ast.ClassDef, functions: Collection[str]) -> None:
    """The file's own function, the check of sizes, is called by a `forward` as the first that it does."""
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        first = method.body[0]
        begins = method.name == "forward" and isinstance(first, ast.Expr) and isinstance(first.value, ast.Call)
        start = {id(each) for each in ast.walk(first)} if begins else set()
        for each in ast.walk(method):
            if isinstance(each, ast.Name) and each.id in functions and id(each) not in start:
                raise _unknown(each, f"calls `{each.id}`, with which only a forward begins,")
