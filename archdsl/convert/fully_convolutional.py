"""The fully convolutional form of a classifier, as a spec of its own. Long et al., 2015, section 3.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archdsl.compiler import Compilation, UsageError
from archdsl.convert.edits import Edit, changed, edits, with_comment
from archdsl.convert.forms import CannotConvert, Forms
from archdsl.graph.model import Network, weight_table
from archdsl.passes.claims import restated
from archdsl.passes.cost import Cost
from archdsl.passes.load import Definition
from archdsl.syntax import tree


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
    parts = {name: (each, list(edits(each.node, changes, forms))) for name, each in _reachable(definition).items()}
    bare = _assembled(dense.name, parts, definition, None)
    claims = _claims(Compilation.from_text(bare), definition, Cost(dense).params)
    text = _assembled(dense.name, parts, definition, claims)
    made = Compilation.from_text(text, "fully-convolutional.arch")
    if not made.ok:
        raise UsageError(f"`{dense.name}` has no fully convolutional form: {made.diagnostics[0].message}")
    found, expected = _names(made.network()), _names(dense)
    if found != expected:
        name = next((name for name in expected if name not in found), expected[0])
        raise UsageError(f"the weights of `{name}` would have another name; label the layer")
    return text


def _names(network: Network) -> list[str]:
    return [name for name, _ in weight_table(network.scope)]


def _place(error: CannotConvert) -> str:
    line, column = error.span.source.position(error.span.start)
    return f"{error.span.source.path}:{line}:{column}"


def _reachable(definition: Definition) -> dict[str, Definition]:
    """The definitions that a network is made of, itself last, by the name that goes for each. Raises UsageError."""
    found: dict[str, Definition] = {}

    def visit(name: str, each: Definition) -> None:
        for head in dict.fromkeys(_heads(each.node.body)):
            other = each.unit.names.get(head)
            if other is not None and other.node.kind == "block" and found.get(head) is not other:
                visit(head, other)
        if found.setdefault(name, each) is not each or name != each.node.name:
            raise UsageError(f"`{name}` stands for several blocks, so the spec cannot be written into one file")

    visit(definition.node.name, definition)
    return found


def _heads(node: Any) -> Iterator[str]:
    """The names of all steps below a node."""
    if isinstance(node, tuple):
        for item in node:
            yield from _heads(item)
    elif isinstance(node, tree.Node):
        if isinstance(node, tree.Apply):
            yield node.path.head
        for slot in node.__dataclass_fields__:
            if slot != "span":
                yield from _heads(getattr(node, slot))


def _assembled(
    network: str, parts: dict[str, tuple[Definition, list[Edit]]], main: Definition, claims: list[str] | None
) -> str:
    """One text of all definitions; `claims` take the place of the network's own."""
    written = []
    for each, found in parts.values():
        if each is main:
            found = [*found, *_without_claims(each.node)]
        text = changed(with_comment(each.node.span), found)
        if each is main and claims is not None:
            body, brace, _ = text.rpartition("}")
            lines = "".join(f"  {claim}\n" for claim in claims)
            text = f"{body.rstrip()}\n\n{lines}{brace}"
        written.append(text)
    head = f"# {network} in its fully convolutional form, by `archdsl convert --fully-convolutional`."
    return "\n\n".join([head, *written]) + "\n"


def _without_claims(node: tree.Definition) -> Iterator[Edit]:
    text = node.span.source.text
    for statement in node.body.statements:
        if isinstance(statement, tree.Expect):
            start = text.rfind("\n", 0, statement.span.start)
            alone = not text[start : statement.span.start].strip()
            yield Edit(start if alone else statement.span.start, statement.span.end, "")


def _claims(made: Compilation, definition: Definition, params: int) -> list[str]:
    """What the network claims, as it is true of its new form; that it has as many parameters in any case."""
    if not made.ok:
        raise UsageError(f"`{definition.node.name}` has no fully convolutional form: {made.diagnostics[0].message}")
    network, other = made.network(), made.definition()
    own = [each for each in definition.node.body.statements if isinstance(each, tree.Expect)]
    found = [claim for each in own if (claim := restated(network, other, each)) is not None]
    first = f"expect params == {params:_}"
    return [first, *(claim for claim in found if claim != first)]
