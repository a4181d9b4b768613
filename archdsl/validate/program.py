"""An emitted file as a program that can be run without torch.

Input: the text, and the definitions that layers and initialisers bring along. Output: its classes, built on the
stand-ins of `standins.py`. The text is parsed, its form is held against what emitted code is made of (`form.py`), and
only then is it run: by Python itself, so that names, loops and arguments mean what they mean to a user, with no builtin
and no import beyond those that emitted code needs.
"""

from __future__ import annotations

import ast
import collections
import collections.abc
import inspect
import math
import typing
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from archdsl.validate.errors import Mismatch
from archdsl.validate.form import check_form
from archdsl.validate.standins import Module, Tensor, World

_BUILTINS: Mapping[str, Any] = {
    each.__name__: each
    for each in (
        ValueError, abs, bool, enumerate, float, int, isinstance, len, list, max, min, range, round, str, sum, super,
        tuple, zip,
    )
}  # fmt: skip


class Program:
    """The classes of an emitted file. Raises Mismatch where the text is not what an emitter writes."""

    def __init__(self, text: str, supports: Mapping[str, str], known: Collection[str]) -> None:
        """`supports` are the definitions that come along, by name; `known` the names of torch that layers call."""
        self.world = World()
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise Mismatch(f"the file is no Python: {error}") from error
        tree.body = [node for node in tree.body if not self._is_support(node, supports)]
        check_form(tree, supports, _BUILTINS, known)
        self._classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self._functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._names = self._run(tree)

    def named(self, name: str) -> type:
        """A class by its name. Raises Mismatch if there is none."""
        found = self._names.get(name)
        if not isinstance(found, type):
            raise Mismatch(f"the file defines no class `{name}`")
        return found

    def forward_names(self, name: str) -> list[str]:
        """The names of the arguments of a class's `forward`."""
        return list(inspect.signature(vars(self.named(name))["forward"]).parameters)[1:]

    def guard(self, name: str, inputs: Sequence[Tensor]) -> None:
        """Does what the `forward` of a class does first: it calls a function on all of its arguments.

        Raises ValueError, as that function does, or Mismatch if the forward does not begin so.
        """
        self._names[self._guard(name).name](*inputs)

    def guard_numbers(self, name: str) -> set[int]:
        """The integers in the text of that function."""
        return {
            each.value
            for each in ast.walk(self._guard(name))
            if isinstance(each, ast.Constant) and type(each.value) is int
        }

    def _guard(self, name: str) -> ast.FunctionDef:
        """The function with which the `forward` of a class begins. Raises Mismatch if it does not begin so."""
        methods = [each for each in self._classes[name].body if isinstance(each, ast.FunctionDef)]
        (start,) = (each.body[0] for each in methods if each.name == "forward")
        first = start.value if isinstance(start, ast.Expr) else None
        if isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.func.id in self._functions:
            names = [arg.id for arg in first.args if isinstance(arg, ast.Name)]
            if names == self.forward_names(name) and not first.keywords:
                return self._functions[first.func.id]
        raise Mismatch("the forward does not begin with the check of its input's sizes")

    def parameters(self, cls: type) -> Collection[str]:
        """The names of the parameters of a class."""
        return list(inspect.signature(vars(cls)["__init__"]).parameters)[1:]

    def names(self, cls: type, keys: Collection[str]) -> dict[str, str]:
        """What the constructor of a class calls the parameters of a spec: those that it takes."""
        takes = {*self.parameters(cls)} - {"device", "devices"}
        found = {}
        for key in sorted(keys, key=len):
            # A name that the file needs for something else has an underscore behind it, or two.
            name = next((name for name in (key, f"{key}_", f"{key}__") if name in takes), None)
            if name is not None:
                takes.remove(name)
                found[key] = name
        return found

    def offered(self, cls: type, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the arguments that the constructor of a class takes, under its names for them."""
        return {name: arguments[key] for key, name in self.names(cls, arguments).items()}

    def build(self, cls: type, arguments: Mapping[str, Any]) -> Module:
        """An instance of a class. Raises Mismatch."""
        try:
            made = cls(**arguments)
        except (NameError, AttributeError, TypeError, ValueError, IndexError, KeyError, ZeroDivisionError) as error:
            raise Mismatch(f"`{cls.__name__}` cannot be built: {type(error).__name__}: {error}") from error
        if not isinstance(made, Module):
            raise Mismatch(f"`{cls.__name__}` is no module")
        return made

    def _is_support(self, node: ast.stmt, supports: Mapping[str, str]) -> bool:
        """Whether a statement defines what a layer or an initialiser brings along; then it is that to the letter."""
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)) or node.name not in supports:
            return False
        if ast.dump(node) not in map(ast.dump, ast.parse(supports[node.name]).body):
            raise Mismatch(f"`{node.name}` is not what its layer defines")
        methods = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
        self.world.provide(node.name, is_class=isinstance(node, ast.ClassDef), is_base="forward" not in methods)
        return True

    def _run(self, tree: ast.Module) -> dict[str, Any]:
        modules = {
            "torch": self.world.torch,
            "collections": SimpleNamespace(OrderedDict=collections.OrderedDict),
            "collections.abc": SimpleNamespace(Callable=collections.abc.Callable, Sequence=collections.abc.Sequence),
            "typing": SimpleNamespace(NamedTuple=typing.NamedTuple, Self=typing.Self),
            "math": math,
        }

        def import_(name: str, *_: Any) -> Any:
            name = "torch" if name == "torch.nn.functional" else name  # `as F` is looked up in torch
            if name not in modules:
                raise Mismatch(f"the file imports `{name}`")
            return modules[name]

        builtins = {**_BUILTINS, "__build_class__": __build_class__, "__import__": import_}
        names: dict[str, Any] = {"__builtins__": builtins, "__name__": "emitted", **self.world.provided}
        try:
            exec(compile(tree, "<emitted>", "exec"), names)
        except (NameError, AttributeError, TypeError) as error:
            raise Mismatch(f"the file does not run: {error}") from error
        return names
