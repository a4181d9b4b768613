"""Layers and blocks by their names: what a wrong one was meant as, and the wrong ones of a whole file.

Elaboration gives up a chain at its first error, and it goes only where a network leads. What is misspelt after that, or
in a block that no network applies, is found here.

Input: a unit. Output: diagnostics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

from archdsl.diagnostics import Edit, Fix, Sink, did_you_mean
from archdsl.layers import registry
from archdsl.layers.base import Layer
from archdsl.layers.signature import CallError, describe, match
from archdsl.passes import pytorch
from archdsl.passes.combinators import COMBINATORS
from archdsl.passes.load import Unit, shipped_with
from archdsl.source import Span
from archdsl.syntax import tree

_COMMENT = re.compile(r"(?:#[^\n]*\n)+\n")
_INDEXED = re.compile(r"(\w+)(?:\[[^\]\n]*\])+\s*(?::\s*\[[^\]\n]*\]\s*)?=(?!=)")
_LABEL = re.compile(r"(\w+)\s*(?::\s*\[[^\]\n]*\]\s*)?=(?!=)")


def meant_by(unit: Unit, name: str) -> str | None:
    """What was meant by a name that no layer or block has, if a guess can be made."""
    return registry.known_as(name) or did_you_mean(name, (*unit.names, *registry.names(), *COMBINATORS))


def suggestion(unit: Unit, name: str) -> str:
    """The guess as a question; empty if there is none."""
    near = meant_by(unit, name)
    return f"did you mean `{near}`?" if near else ""


def imports(unit: Unit, name: str) -> tuple[Fix, ...]:
    """The imports by which a name becomes a shipped block."""
    found = []
    for path in shipped_with(name, "block"):
        statement = f"from zoo.{path.stem} import {name}"
        found.append(Fix(f"`{name}` is a block of `zoo.{path.stem}`: {statement}", (_at_the_top(unit, statement),)))
    return tuple(found)


def _at_the_top(unit: Unit, statement: str) -> Edit:
    """A statement after the imports of a file; without any, before all but the comment that the file begins with."""
    source = unit.tree.source
    if unit.tree.imports:
        end = source.text.find("\n", max(each.span.end for each in unit.tree.imports))
        end = end if end >= 0 else len(source.text)
        return Edit(Span(source, end, end), f"\n{statement}")
    comment = _COMMENT.match(source.text)
    at = comment.end() if comment else 0
    return Edit(Span(source, at, at), f"{statement}\n\n")


def check_names(unit: Unit, sink: Sink) -> None:
    """Reports names that no layer or block has (E0102), and arguments that a layer has not (E0201).

    A network of a spec without errors has been gone through to its end; of such a spec only the blocks are looked at.
    """
    known = {*unit.names, *unit.missing, *COMBINATORS, *registry.LATER, "in"}
    for definition in unit.tree.definitions:
        if definition.kind == "network" and not sink.errors:
            continue
        values = _Values(definition)
        nodes = list(tree.descendants(definition.body))
        labels = {id(node.chain.steps[0]): node.targets[0].head for node in nodes if _labels_a_step(node)}
        for step in nodes:
            if isinstance(step, tree.Apply) and not (step.body or step.path.head in known or step.path.head in values):
                _check(unit, step, sink, values.may_be_value, labels.get(id(step)))


def _labels_a_step(node: tree.Node) -> TypeGuard[tree.Flow]:
    return isinstance(node, tree.Flow) and len(node.targets) == 1 == len(node.chain.steps)


def _check(unit: Unit, step: tree.Apply, sink: Sink, is_value: pytorch.IsValue, label: str | None) -> None:
    """`label` is what the step's value is to be called."""
    name = step.path.head
    if step.path.parts or (not registry.is_shipped(name) and name not in registry.names()):
        habit = pytorch.unknown(step, is_value)
        if habit is not None:
            _add(sink, "E0102", habit, label)
        elif not step.path.parts:
            fixes = imports(unit, name)
            hint = "" if fixes else suggestion(unit, name)
            sink.add("E0102", f"no layer or block is called `{name}`", step.path.span, hint, fixes=fixes)
        return
    layer = registry.find(name) if registry.is_shipped(name) else None
    if layer is None or step.args is None:
        return
    habit = pytorch.misread(layer, step, is_value)
    if habit is not None:
        _add(sink, "E0201", habit, label)
        return
    fixes = pytorch.renamed(layer, step)
    help = (f"its signature is {describe(name, layer.fields)}",)
    for message, span in _wrong(layer, step, list(step.args)):
        sink.add("E0201", message, span, help=help, fixes=fixes)


def _add(sink: Sink, code: str, habit: pytorch.Habit, label: str | None) -> None:
    """In `x = relu(x)` the step alone cannot be mended: `x` would be the label of two things."""
    if any(edit.text.startswith(f"{label} -> ") for fix in habit.fixes for edit in fix.edits):
        habit = pytorch.without_edits(habit)
    sink.add(code, habit.message, habit.span, habit.label, help=habit.help, fixes=habit.fixes)


def _wrong(layer: type[Layer], step: tree.Apply, args: list[tree.Arg]) -> Iterator[tuple[str, Span]]:
    """What is wrong with a call's arguments, one after the other; what is missing only if nothing else is wrong."""
    given = len(args)
    while True:
        try:
            match(layer.name, layer.fields, [arg.name for arg in args])
            return
        except CallError as error:
            if error.index is None:
                yield from [(error.message, step.path.span)] if len(args) == given else []
                return
            arg = args.pop(error.index)
            yield error.message, arg.name_span or arg.span


class _Values:
    """What else a name may stand for in a definition; `leg0` is a value where one is labelled `leg[0]` or `leg[i]`."""

    def __init__(self, definition: tree.Definition) -> None:
        self.numbers = set(_numbers(definition))
        self.names = {*_bound(definition), *self.numbers}
        self.indexed = set(_INDEXED.findall(definition.span.text))

    def may_be_value(self, name: str) -> bool:
        """Whether a name may stand for a tensor: `w` in `block b(w) { conv(w, 3, 2) }` does not."""
        return name in self and name not in self.numbers

    def __contains__(self, name: object) -> bool:
        return name in self.names or (isinstance(name, str) and name.rstrip("0123456789") in self.indexed - {name})


def _bound(definition: tree.Definition) -> Iterator[str]:
    """What else a name may stand for in a definition: values and shared modules."""
    yield from (param.name for param in definition.params if param.kind == "value")
    yield from _LABEL.findall(definition.span.text)  # also of statements that could not be read
    for node in tree.descendants(definition.body):
        if isinstance(node, tree.Flow):
            yield from (target.head for target in node.targets)
        elif isinstance(node, (tree.Output, tree.Shared)):
            yield node.target.head
        elif isinstance(node, tree.Tail) and node.label is not None:
            yield node.label.head
        elif isinstance(node, tree.Input):
            yield node.name


def _numbers(definition: tree.Definition) -> Iterator[str]:
    """The names of parameters, constants and sizes."""
    yield from (param.name for param in definition.params if param.kind != "value")
    for node in tree.descendants(definition.body):
        if isinstance(node, tree.Let):
            yield node.name
        elif isinstance(node, tree.For):
            yield from node.names
        elif isinstance(node, tree.DimPattern) and node.name is not None:
            yield node.name
