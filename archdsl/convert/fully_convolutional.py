"""The fully convolutional form of a classifier, as a spec of its own. Long et al., 2015, section 3.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archdsl.compiler import Compilation, UsageError
from archdsl.convert.edits import edits, with_comment
from archdsl.convert.forms import CannotConvert, Forms
from archdsl.convert.starts import statements
from archdsl.diagnostics.fix import Edit, edited
from archdsl.graph.model import Network, weight_table
from archdsl.passes.claims import restated
from archdsl.passes.cost import Cost
from archdsl.passes.load import Definition
from archdsl.sizes import Domain
from archdsl.sizes.clauses import clause
from archdsl.source import Span
from archdsl.syntax import tree

Parts = dict[str, tuple[Definition, list[Edit]]]  # the definitions of the new text, and what changes in each


def fully_convolutional(compilation: Compilation, network: str | None = None) -> str:
    """The text of a spec in which the dense layers of a network are convolutions, which takes any input size.

    It holds the network and the blocks that it uses, whatever files they are from, in their authors' words but for the
    steps that change. It has the same parameters by the same names, so the dense network's weights fit once they are
    reshaped, and claims so. Raises UsageError, or SpecError with the diagnostics of the spec.
    """
    dense = compilation.network(network)
    forms = Forms(dense)
    try:
        changes = forms.changes()
    except CannotConvert as error:
        raise UsageError(f"{_place(error)}: {error.message}") from None
    definition = compilation.definition(network)
    reachable = _reachable(definition)
    for each in reachable.values():
        changes.update(_by_own_names(each))
    parts = {name: (each, list(edits(each.node, changes, forms))) for name, each in reachable.items()}
    bare = Compilation.from_text(_assembled(dense.name, parts, definition, None))
    if not bare.ok and dense.promises:
        bare = _promised_less(dense, parts, definition)
    claims = _claims(bare, definition, Cost(dense).params)
    missing = statements(dense, bare.network())
    text = _assembled(dense.name, parts, definition, [*missing, *([""] if missing else []), *claims])
    made = Compilation.from_text(text, "fully-convolutional.arch")
    if not made.ok:
        raise UsageError(f"`{dense.name}` has no fully convolutional form: {made.diagnostics[0].message}")
    found, expected = _names(made.network()), _names(dense)
    if found != expected:
        name = next((name for name in expected if name not in found), expected[0])
        raise UsageError(f"the weights of `{name}` would have another name; label the layer")
    assert not statements(dense, made.network()), "each parameter is named at the network's end"
    return text


def _names(network: Network) -> list[str]:
    return [name for name, _ in weight_table(network.scope)]


def _place(error: CannotConvert) -> str:
    line, column = error.span.source.position(error.span.start)
    return f"{error.span.source.path}:{line}:{column}"


def _reachable(definition: Definition) -> dict[str, Definition]:
    """The definitions that a network is made of, itself last, by their names. Raises UsageError if two have one."""
    found: dict[str, Definition] = {}

    def visit(each: Definition) -> None:
        for head in dict.fromkeys(step.path.head for step in _applied(each.node.body)):
            other = each.unit.names.get(head)
            if other is not None and other.node.kind == "block" and found.get(other.node.name) is not other:
                visit(other)
        if found.setdefault(each.node.name, each) is not each:
            raise UsageError(f"several blocks are called `{each.node.name}`, and one file cannot hold them all")

    visit(definition)
    return found


def _applied(node: Any) -> Iterator[tree.Apply]:
    """All steps below a node that apply something by its name."""
    if isinstance(node, tuple):
        for item in node:
            yield from _applied(item)
    elif isinstance(node, tree.Node):
        if isinstance(node, tree.Apply):
            yield node
        for slot in node.__dataclass_fields__:
            if slot != "span":
                yield from _applied(getattr(node, slot))


def _assembled(network: str, parts: Parts, main: Definition, last: list[str] | None) -> str:
    """One text of all definitions; the `last` lines of the network take the place of its own claims."""
    written = []
    for each, found in parts.values():
        if each is main:
            found = [*found, *_without_claims(each.node)]
        text = edited(with_comment(each.node.span), found)
        if each is main and last is not None:
            body, brace, _ = text.rpartition("}")
            lines = "".join(f"  {line}".rstrip() + "\n" for line in last)
            text = f"{body.rstrip()}\n\n{lines}{brace}"
        written.append(text)
    head = f"# {network} in its fully convolutional form, by `archdsl convert --fully-convolutional`."
    return "\n\n".join([head, *written]) + "\n"


def _by_own_names(each: Definition) -> Iterator[tuple[Span, str]]:
    """Calls of blocks that were imported under other names, by the blocks' own names, which their modules have."""
    for step in _applied(each.node.body):
        other = each.unit.names.get(step.path.head)
        if other is not None and other.node.name != step.path.head:
            yield step.span, other.node.name + step.span.text[len(step.path.head) :]


def _promised_less(dense: Network, parts: Parts, main: Definition) -> Compilation:
    """The new spec, its promise cut down to what it accepts; `parts` takes the change.

    A pooling to a fixed size took maps of any size; the convolution in its place does not take smaller ones.
    """
    inputs = [each for each in main.node.body.statements if isinstance(each, tree.Input) and each.where is not None]
    own = parts[main.node.name][1]
    kept = list(own)
    own += [_clause(each, "") for each in inputs]
    free = Compilation.from_text(_assembled(dense.name, parts, main, None))
    if not free.ok:
        return free
    network = free.network()
    needs = [need.condition for need in network.needs if not need.training]
    both = Domain.of([*needs, *(promise.condition for promise in dense.promises)], network.symbols)
    promise = clause(both.values, both.relations)
    if promise is None:
        return free
    own[:] = [*kept, *(_clause(each, "") for each in inputs[:-1])]
    own.append(_clause(inputs[-1], f" where {promise}"))
    return Compilation.from_text(_assembled(dense.name, parts, main, None))


def _clause(node: tree.Input, text: str) -> Edit:
    """The text in place of an input's `where`."""
    before = (node.shape.span if node.shape is not None else node.name_span).after
    return Edit(before.to(node.where.span) if node.where is not None else before, text)


def _without_claims(node: tree.Definition) -> Iterator[Edit]:
    text = node.span.source.text
    for statement in node.body.statements:
        if isinstance(statement, tree.Expect):
            line = Span(statement.span.source, text.rfind("\n", 0, statement.span.start), statement.span.start)
            yield Edit(statement.span if line.text.strip() else line.to(statement.span), "")


def _claims(made: Compilation, definition: Definition, params: int) -> list[str]:
    """What the network claims, as it is true of its new form; that it has as many parameters in any case."""
    if not made.ok:
        raise UsageError(f"`{definition.node.name}` has no fully convolutional form: {made.diagnostics[0].message}")
    network, other = made.network(), made.definition()
    own = [each for each in definition.node.body.statements if isinstance(each, tree.Expect)]
    found = [claim for each in own if (claim := restated(network, other, each)) is not None]
    first = f"expect params == {params:_}"
    return [first, *(claim for claim in found if claim != first)]
