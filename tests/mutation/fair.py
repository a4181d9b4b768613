"""Where the report of a slip may stand, worked out on the network as it was before the slip.

Fair are the step that was changed, what is downstream of it and the calls of the block that it stands in. Downstream
ends at the first place that must notice: a join or a skip where one operand comes from the slip and another does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from slips import Slip

from archdsl.graph.model import Apply, Call, Join, Network, Scope, Skip, Value, scopes, walk
from archdsl.source import Span

Place = tuple[str, int]
Step = Apply | Call | Join | Skip


def place(span: Span) -> Place:
    """The file's name and the line where a span starts."""
    return span.source.path.rsplit("/", 1)[-1], span.line


def reaches(network: Network, slip: Slip) -> bool:
    """Whether the network is built with the text that is changed."""
    return any(_holds(step.span, slip) for scope in scopes(network.scope) for step in walk(scope.items))


def fair(network: Network, slip: Slip) -> set[Place]:
    """The lines on which a report of the slip may stand, or have one of its labels."""
    found = {(slip.file, slip.line)}
    touched: set[Scope] = set()
    for scope in scopes(network.scope):  # callees first
        if any(_from_here(scope, slip, touched, found)):
            touched.add(scope)
    return found


def _from_here(scope: Scope, slip: Slip, touched: set[Scope], found: set[Place]) -> Iterator[bool]:
    """Adds the fair lines of a scope to `found`; for each of the scope's results, whether the slip reaches it."""
    tainted: set[Value] = set()
    for step in walk(scope.items):
        inputs = [value.tensor in tainted for value in _operands(step)]
        starts = _holds(step.span, slip) or (isinstance(step, Call) and step.scope in touched)
        if not (starts or any(inputs)):
            continue
        found.add(place(step.span))
        if isinstance(step, (Join, Skip)) and not all(inputs) and not starts:
            continue  # this one compares what comes from the slip with what does not
        tainted.update(value.tensor for value in _outputs(step))
    yield from (result.value.tensor in tainted for result in scope.results)
    yield from (value.tensor in tainted for value in scope.exports.values())


def _operands(step: Step) -> list[Value]:
    if isinstance(step, Join):
        return [branch.value for branch in step.branches]
    if isinstance(step, Skip):
        return [step.source if step.projection is None else step.projection.value, step.body]
    return step.inputs


def _outputs(step: Step) -> list[Value]:
    if isinstance(step, Call):
        return [*step.outputs, *step.exports.values()]
    return step.outputs if isinstance(step, Apply) else [step.output]


def _holds(span: Span, slip: Slip) -> bool:
    """Whether a step begins on the line of the slip."""
    return place(span) == (slip.file, slip.line)
