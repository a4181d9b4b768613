"""How the parameters of the fully convolutional form start: as those of the dense network do.

A convolution in a dense layer's place is of another kind, so rules by kind may miss it, or reach it when they should
not. Input: both networks. Output: changes of selectors in the text, and statements for the network's end that name the
parameters which would start otherwise still.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from archdsl.graph.model import Apply, Call, InitRule, Network, Scope, scopes, walk, weight_table
from archdsl.layers.args import show
from archdsl.layers.base import Shape
from archdsl.layers.initialisers import INITIALISERS, gain
from archdsl.layers.signature import REQUIRED
from archdsl.passes.starts import starts
from archdsl.source import Span
from archdsl.syntax import tree

Filled = tuple[str, Mapping[str, Any]]  # an initialiser, and all of its arguments
Shapes = Mapping[str, Shape]


def selectors(definition: tree.Definition, changes: Mapping[Span, str], network: Network) -> Iterator[tuple[Span, str]]:
    """Each selector by a kind that none of its layers is of any more, and what takes its place: the kind that they are
    of now, or nothing where others are of that kind already."""
    inside = [scope for scope in scopes(network.scope) if scope.definition is definition]
    layers = [item for scope in inside for item in _layers(scope)]
    labels = {name for scope in inside for name in _labels(scope)}
    for node in tree.descendants(definition.body):
        for selector in node.selectors if isinstance(node, tree.Init) else ():
            meant = [item for item in layers if item.layer.name == selector.head]
            if selector.head in labels or not meant or not all(changes.get(item.span) for item in meant):
                continue
            kinds = {changes[item.span].partition("(")[0] for item in meant}
            others = any(item.layer.name in kinds for item in layers)
            rest = selector.span.text[len(selector.head) :]
            yield selector.span, "" if others or len(kinds) > 1 else kinds.pop() + rest


def statements(dense: Network, made: Network) -> list[str]:
    """The `init` statements that are missing at the end of the new network."""
    before, now = starts(dense.scope), starts(made.scope)
    old, new = dict(weight_table(dense.scope)), dict(weight_table(made.scope))
    said: dict[str, list[str]] = {}
    for path in old:
        rule = before.get(path)
        if rule is None and path not in now:
            continue
        wanted = _by_torch(path, old) if rule is None else _reshaped(rule, old[path], new[path])
        if path not in now or _filled(now[path]) != wanted:
            said.setdefault(_call(*wanted), []).append(path.removesuffix(".weight"))
    return [f"init {', '.join(paths)}: {call}" for call, paths in said.items()]


def _filled(rule: InitRule) -> Filled:
    return rule.initialiser, {**_defaults(rule.initialiser), **rule.arguments}


def _defaults(initialiser: str) -> dict[str, Any]:
    return {field.name: field.default for field in INITIALISERS[initialiser].fields}


def _by_torch(path: str, shapes: Shapes) -> Filled:
    """How torch starts dense layers and convolutions: the number of a weight's inputs decides, of the bias too."""
    layer, _, name = path.rpartition(".")
    if name == "weight":
        return "kaiming_uniform", {**_defaults("kaiming_uniform"), "a": math.sqrt(5)}
    reach = 1 / math.sqrt(math.prod(_numbers(shapes[f"{layer}.weight"])[1:]))
    return "uniform", {"a": -reach, "b": reach}


def _reshaped(rule: InitRule, old: Shape, new: Shape) -> Filled:
    """What fills a kernel as a rule fills the dense weight: where that counts outputs, a kernel has more of them."""
    name, arguments = _filled(rule)
    if len(old) == len(new) or set(new[2:]) == {1}:
        return name, arguments
    outputs, inputs = _numbers(old)
    if name.startswith("xavier"):
        std = arguments["gain"] * math.sqrt(2 / (inputs + outputs))
    elif name.startswith("kaiming") and arguments["mode"] == "fan_out":
        std = gain(arguments["nonlinearity"], arguments["a"]) / math.sqrt(outputs)
    else:
        return name, arguments
    if name.endswith("normal"):
        return "normal", {"mean": 0.0, "std": std}
    return "uniform", {"a": -math.sqrt(3) * std, "b": math.sqrt(3) * std}


def _numbers(shape: Shape) -> list[int]:
    return [dim for dim in shape if isinstance(dim, int)]  # of weights all are


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    fields = INITIALISERS[name].fields
    given = [
        show(arguments[f.name]) if f.default is REQUIRED else f"{f.name}={show(arguments[f.name])}"
        for f in fields
        if arguments[f.name] != f.default
    ]
    return f"{name}({', '.join(given)})" if given else name


def _layers(scope: Scope) -> Iterator[Apply]:
    """The layers of a scope and of those inside that have parameters."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from _layers(item.scope)
        elif isinstance(item, Apply) and item.module.weights:
            yield item


def _labels(scope: Scope) -> Iterator[str]:
    """The labels of a definition's own scope and of its groups."""
    for name, module in scope.modules.items():
        if module.labelled:
            yield name
        if isinstance(module.what, Scope) and module.what.kind == "group":
            yield from _labels(module.what)
