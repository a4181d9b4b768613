"""`init` rules as the end of a constructor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.emit.torch.code import Block, Bracket, Line, Stmt
from archdsl.emit.torch.say import literal
from archdsl.graph.model import Apply, Call, InitRule, Scope, walk
from archdsl.layers.initialisers import INITIALISERS


def init_statements(scope: Scope) -> tuple[Stmt, ...]:
    """Statements that fill the parameters as the rules say; of two rules for one parameter the later wins."""
    out: list[Stmt] = []
    kinds: list[InitRule] = []
    for rule in scope.inits:
        if rule.path is None:
            kinds.append(rule)
            continue
        out += _sweep(scope, kinds)
        kinds.clear()
        out.append(_fill(rule, f'self.get_parameter("{rule.path}")'))
    return (*out, *_sweep(scope, kinds))


def _sweep(scope: Scope, rules: Sequence[InitRule]) -> list[Stmt]:
    """One pass over the modules for rules that go by the kind of layer; kinds that start alike share a case."""
    bodies: dict[str, dict[str, Stmt]] = {}
    for rule in rules:
        for torch_class in sorted(set(_torch_classes(scope, rule))):
            fill: Stmt = _fill(rule, f"module.{rule.parameter}")
            if rule.parameter != "weight":  # the others may have been turned off
                fill = Block(f"if module.{rule.parameter} is not None", (fill,))
            bodies.setdefault(torch_class, {})[rule.parameter] = fill
    cases: dict[tuple[Stmt, ...], list[str]] = {}
    for torch_class, fills in bodies.items():
        cases.setdefault(tuple(fills.values()), []).append(torch_class)
    blocks = [Block(f"if isinstance(module, {_either(classes)})", body) for body, classes in cases.items()]
    return [Block("for module in self.modules()", tuple(blocks))] if blocks else []


def _either(classes: Sequence[str]) -> str:
    return classes[0] if len(classes) == 1 else f"({', '.join(classes)})"


def _fill(rule: InitRule, parameter: str) -> Line:
    made = INITIALISERS[rule.initialiser]
    defaults = {field.name: field.default for field in made.fields}
    args = [f"{k}={literal(v)}" for k, v in rule.arguments.items() if v != defaults[k]]
    return Line(Bracket(f"{made.function}(", (parameter, *args)))


def _torch_classes(scope: Scope, rule: InitRule) -> Iterator[str]:
    """The PyTorch classes of the layers of that kind which have the parameter."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from _torch_classes(item.scope, rule)
        elif isinstance(item, Apply) and item.layer.name == rule.kind and rule.parameter in item.module.weights:
            made = item.layer.module(*(value.shape for value in item.inputs))
            if made is not None:
                yield made.func
