"""The random programs have everything that there is: each layer with each argument, each kind of node of the syntax
tree in each form, operators, functions, combinators, initialisers, metrics.

Whoever adds one finds it missing here until the generator makes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from whole.generator import MAIN, program
from whole.test_whole_language import PARTS, PROGRAMS

from archdsl.compiler import Compilation
from archdsl.diagnostics import Sink
from archdsl.layers import registry
from archdsl.layers.initialisers import INITIALISERS
from archdsl.passes.combinators import COMBINATORS
from archdsl.passes.elaborate.expressions import FUNCTIONS
from archdsl.passes.elaborate.params import PARAM_KINDS
from archdsl.passes.metrics import METRICS
from archdsl.source import Source
from archdsl.syntax import parse, tree

OPERATORS = {
    "Unary": ["+", "-", "not"],
    "Arith": ["+", "-", "*", "/", "//", "%"],
    "Compare": ["==", "!=", "<", "<=", ">", ">="],
    "Logic": ["and", "or"],
    "Tail": ["project", "shortcut"],
    "Definition": ["block", "network"],
}
# What no program has, each with the reason.
EXPRESSIONS = set(get_args(tree.Expr))
NOT_MADE = {
    "Input.shape: None",  # `input rois: boxes` is not compiled yet
    "Input.kind: str",
    "File.broken: [int]",  # and there are no syntax errors
}


def test_every_construct_is_generated(tmp_path: Path) -> None:
    wanted = {*_nodes(), *_named()} - NOT_MADE
    missing = set(wanted)
    for part in range(PARTS):
        for number in range(part * 1_000_000, part * 1_000_000 + PROGRAMS):
            files = program(number)
            if not missing:
                return
            found = {each for text in files.values() for each in _constructs(text)} & missing
            if found and _is_sound(files, tmp_path):
                missing -= found
    assert not missing, f"no program has {sorted(missing)}"


def _is_sound(files: dict[str, str], folder: Path) -> bool:
    for name, text in files.items():
        (folder / name).write_text(text)
    return Compilation.from_path(folder / MAIN).ok


# --- what there is ----------------------------------------------------------------------------------------------------


def _nodes() -> Iterator[str]:
    """Each field of each kind of node, with each kind of thing that it may hold."""
    for name, cls in vars(tree).items():
        if isinstance(cls, type) and issubclass(cls, tree.Node) and cls is not tree.Node:
            yield name
            for field, kind in get_type_hints(cls).items():
                if field != "span" and not field.endswith("_span"):
                    yield from (f"{name}.{field}: {each}" for each in _kinds(kind))


def _kinds(kind: Any) -> Iterator[str]:
    if get_origin(kind) is UnionType:
        rest = set(get_args(kind))
        if rest >= EXPRESSIONS:  # any one
            rest -= EXPRESSIONS
            yield "Expr"
        for each in rest:
            yield from _kinds(each)
    elif get_origin(kind) is tuple:
        item, *more = get_args(kind)
        if more == [...] and get_origin(item) is not tuple:
            yield from (f"[{each}]" for each in _kinds(item))
    elif kind is bool:
        yield from ("True", "False")
    else:
        yield "None" if kind is NoneType else "Expr" if kind in EXPRESSIONS else kind.__name__


def _named() -> Iterator[str]:
    for name in registry.names():
        layer = registry.find(name)
        if registry.is_shipped(name) and layer is not None:
            yield from (f"{name}({field.name})" for field in layer.fields)
            yield f"{name}()"
    for name, initialiser in INITIALISERS.items():
        yield f"init {name}()"
        yield from (f"init {name}({field.name})" for field in initialiser.fields)
    yield from (f"combinator {name}" for name in COMBINATORS)
    yield from (f"function {name}" for name in FUNCTIONS)
    yield from (f"metric {name}" for name in METRICS)
    yield from (f"parameter: {kind}" for kind in PARAM_KINDS)
    yield from (f"{name} {op}" for name, ops in OPERATORS.items() for op in ops)


# --- what a text has --------------------------------------------------------------------------------------------------


def _constructs(text: str) -> Iterator[str]:
    file = parse(Source("<text>", text), Sink())
    for node in (file, *tree.descendants(file)):
        yield type(node).__name__
        yield from _forms(node)
        yield from _names(node)


def _forms(node: tree.Node) -> Iterator[str]:
    for field in node.__dataclass_fields__:
        value = getattr(node, field)
        start = f"{type(node).__name__}.{field}: "
        if isinstance(value, bool):
            yield start + str(value)
        if isinstance(value, tuple):
            yield from (f"{start}[{_kind(each)}]" for each in value)
        yield start + _kind(value)


def _kind(value: Any) -> str:
    return "None" if value is None else "Expr" if type(value) in EXPRESSIONS else type(value).__name__


def _names(node: tree.Node) -> Iterator[str]:
    if isinstance(node, tree.Apply):
        yield f"combinator {node.path.head}"
        yield from _applied(node)
    elif isinstance(node, tree.Init):
        yield f"init {node.initialiser}()"
        fields = INITIALISERS[node.initialiser].fields
        given = zip(node.args, fields, strict=False)
        yield from (f"init {node.initialiser}({arg.name or field.name})" for arg, field in given)
    elif isinstance(node, tree.Call) and isinstance(node.func, tree.Name):
        yield f"function {node.func.name}"
    elif isinstance(node, tree.Expect):
        yield from (f"metric {word}" for word in re.findall(r"\w+", node.span.text))
    elif isinstance(node, tree.Param):
        yield f"parameter: {node.kind or 'any'}"
    for name in OPERATORS:
        if type(node).__name__ == name:
            ops = [op for op, _ in node.rest] if isinstance(node, (tree.Arith, tree.Compare)) else []
            ops += [getattr(node, field) for field in ("op", "kind") if hasattr(node, field)]
            yield from (f"{name} {op}" for op in ops)


def _applied(node: tree.Apply) -> Iterator[str]:
    layer = registry.find(node.path.head)
    if layer is None:
        return
    yield f"{node.path.head}()"
    for arg, field in zip(node.args or (), layer.fields, strict=False):
        yield f"{node.path.head}({arg.name or field.name})"
