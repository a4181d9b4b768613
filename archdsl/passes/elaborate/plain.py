"""Whether a body is one plain sequence, so that its modules are numbered as `nn.Sequential` numbers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archdsl.passes.elaborate.pythonic import CONTAINER_ATTRIBUTES
from archdsl.syntax import tree


def is_plain(body: tree.Body) -> bool:
    """Every statement applies layers or blocks to the value before it, and none names a value to use it again.

    Combinators count if they are labelled (they are modules then). Inputs, outputs and `training` do not belong, and no
    label that PyTorch's containers have for something else.
    """
    labels = labels_of(body)
    free = labels.names.isdisjoint(CONTAINER_ATTRIBUTES)
    return free and all(_plain(statement, labels) for statement in body.statements)


def is_plain_chain(steps: Iterable[tree.Step]) -> bool:
    """The same of a chain's steps."""
    steps = tuple(steps)
    labels = labels_of_steps(steps)
    return labels.names.isdisjoint(CONTAINER_ATTRIBUTES) and all(_plain_step(step, labels) for step in steps)


class Labels(NamedTuple):
    """The labels of a scope: those without an index, and the heads of those with one (`layer` of `layer[i]`)."""

    names: frozenset[str]
    indexed: frozenset[str]

    def may_be_indexed(self, name: str) -> bool:
        """Whether an indexed label can come to this name: `conv11` is `conv1[1]`, and `conv[11]`."""
        end = len(name)
        while end > 1 and name[end - 1].isdigit():
            end -= 1
            if name[:end] in self.indexed:
                return True
        return False


def labels_of(body: tree.Body) -> Labels:
    """The labels that stand in a body, its loops, cases and unlabelled groups included."""
    return _sorted(_labels(body.statements))


def labels_of_steps(steps: Iterable[tree.Step]) -> Labels:
    """The labels that stand in the braces of a chain's steps."""
    return _sorted(_step_labels(steps))


def _sorted(paths: Iterable[tree.Path]) -> Labels:
    found = list(paths)
    names = frozenset(path.head for path in found if not path.parts)
    return Labels(names, frozenset(path.head for path in found if path.parts))


def _labels(statements: Iterable[tree.Statement]) -> Iterator[tree.Path]:
    """A chain under one label is a scope of its own, so what is labelled in it does not count here."""
    for statement in statements:
        if isinstance(statement, tree.Flow):
            yield from statement.targets
            if len(statement.targets) != 1:
                yield from _step_labels(statement.chain.steps)
        elif isinstance(statement, tree.Shared) or (isinstance(statement, tree.Output) and statement.chain is not None):
            yield statement.target
        elif isinstance(statement, (tree.For, tree.Training)):
            yield from _labels(statement.body.statements)
        elif isinstance(statement, tree.If):
            for _, body in statement.cases:
                yield from _labels(body.statements)
            if statement.otherwise is not None:
                yield from _labels(statement.otherwise.statements)


def _step_labels(steps: Iterable[tree.Step]) -> Iterator[tree.Path]:
    for step in steps:
        if step.body is not None:
            yield from _labels(step.body.statements)
        tail = step.tail if isinstance(step, tree.Apply) else None
        if tail is not None and tail.label is not None:
            yield tail.label
        elif tail is not None and tail.chain is not None:
            yield from _step_labels(tail.chain.steps)


def _plain(statement: tree.Statement, labels: Labels) -> bool:
    if isinstance(statement, (tree.Let, tree.Expect, tree.Init)):
        return True
    if isinstance(statement, tree.For):
        return all(_plain(inner, labels) for inner in statement.body.statements)
    if isinstance(statement, tree.If):
        bodies = [body for _, body in statement.cases]
        bodies += [statement.otherwise] if statement.otherwise is not None else []
        return all(_plain(inner, labels) for body in bodies for inner in body.statements)
    if not isinstance(statement, tree.Flow) or len(statement.targets) > 1:
        return False
    steps = statement.chain.steps
    head = steps[0]
    if isinstance(head, tree.Apply) and head.args is None and _names_a_value(head.path, labels):
        return False
    if statement.targets and len(steps) == 1:
        return not _is_value_join(head)
    return statement.targets != () or all(_plain_step(step, labels) for step in steps)


def _names_a_value(path: tree.Path, labels: Labels) -> bool:
    return path.head == "in" or path.head in labels.names or bool(path.parts)


def _plain_step(step: tree.Step, labels: Labels) -> bool:
    if isinstance(step, tree.Apply):
        return step.body is None and not _is_value_join(step)
    return all(_plain(inner, labels) for inner in step.body.statements)


def _is_value_join(step: tree.Step) -> bool:
    return isinstance(step, tree.Apply) and step.body is None and step.path.head in ("add", "concat", "mul")
