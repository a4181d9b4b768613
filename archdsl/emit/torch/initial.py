"""`init` rules as the end of a constructor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archdsl.emit.torch.code import Block, Bracket, Line, Prefixed, Stmt
from archdsl.emit.torch.say import literal
from archdsl.graph.model import Apply, Call, InitRule, Scope, walk
from archdsl.layers.initialisers import INITIALISERS

if TYPE_CHECKING:
    from archdsl.emit.torch.construct import Constructor


def init_statements(scope: Scope, constructor: Constructor) -> tuple[Stmt, ...]:
    """Statements that fill the parameters as the rules say, in the rules' order."""
    out: list[Stmt] = []
    branches: list[Stmt] = []
    for rule in scope.inits:
        if rule.path is not None:
            out += _swept(branches)
            out.append(_fill(rule, f'self.get_parameter("{rule.path}")'))
            continue
        classes = sorted(set(_torch_classes(scope, rule)))
        if classes:
            kinds = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
            guard = f"if isinstance(module, {kinds})"
            guard += f" and module.{rule.parameter} is not None" if rule.parameter != "weight" else ""
            branches.append(Block(guard, (_fill(rule, f"module.{rule.parameter}"),)))
    return (*out, *_swept(branches))


def _swept(branches: list[Stmt]) -> list[Stmt]:
    """One pass over the modules for the rules so far."""
    found: list[Stmt] = [Block("for module in self.modules()", tuple(branches))] if branches else []
    branches.clear()
    return found


def _fill(rule: InitRule, parameter: str) -> Line:
    made = INITIALISERS[rule.initialiser]
    defaults = {field.name: field.default for field in made.fields}
    args = [f"{k}={literal(v)}" for k, v in rule.arguments.items() if v != defaults[k]]
    return Line(Prefixed("", Bracket(f"{made.function}(", (parameter, *args))))


def _torch_classes(scope: Scope, rule: InitRule) -> Iterator[str]:
    """The PyTorch classes of the layers of that kind which have the parameter."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from _torch_classes(item.scope, rule)
        elif isinstance(item, Apply) and item.layer.name == rule.kind and rule.parameter in item.module.weights:
            made = item.layer.module(*(value.shape for value in item.inputs))
            if made is not None:
                yield made.func
