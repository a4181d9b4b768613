"""Whether a body is one plain sequence, so that its modules are numbered as `nn.Sequential` numbers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.syntax import tree


def is_plain(body: tree.Body) -> bool:
    """Every statement applies layers or blocks to the value before it, and none names a value to use it again.

    Combinators count if they are labelled (they are modules then). Inputs, outputs and `training` do not belong.
    """
    return all(_plain(statement, labels_of(body)) for statement in body.statements)


def is_plain_chain(steps: Iterable[tree.Step]) -> bool:
    """The same of a chain's steps."""
    return all(_plain_step(step, frozenset()) for step in steps)


def labels_of(body: tree.Body) -> frozenset[str]:
    """The labels without an index that stand in a body, its loops and cases included."""
    return frozenset(_labels(body.statements))


def _labels(statements: Iterable[tree.Statement]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, tree.Flow):
            yield from (target.head for target in statement.targets if not target.parts)
            for step in statement.chain.steps:
                inner = step.body if isinstance(step, (tree.Apply, tree.Repeat, tree.Group)) else None
                if inner is not None and not statement.targets:
                    yield from _labels(inner.statements)
        elif isinstance(statement, (tree.Output, tree.Shared)):
            yield statement.target.head
        elif isinstance(statement, (tree.For, tree.Training)):
            yield from _labels(statement.body.statements)
        elif isinstance(statement, tree.If):
            for _, body in statement.cases:
                yield from _labels(body.statements)
            if statement.otherwise is not None:
                yield from _labels(statement.otherwise.statements)


def _plain(statement: tree.Statement, labels: frozenset[str]) -> bool:
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
    if isinstance(head, tree.Apply) and head.args is None and (head.path.head == "in" or head.path.head in labels):
        return False
    if statement.targets and len(steps) == 1:
        return not _is_value_join(head)
    return statement.targets != () or all(_plain_step(step, labels) for step in steps)


def _plain_step(step: tree.Step, labels: frozenset[str]) -> bool:
    if isinstance(step, tree.Apply):
        return step.body is None and not _is_value_join(step)
    return all(_plain(inner, labels) for inner in step.body.statements)


def _is_value_join(step: tree.Step) -> bool:
    return isinstance(step, tree.Apply) and step.body is None and step.path.head in ("add", "concat", "mul")
