"""What could be changed where a need of sizes fails. Nothing here knows whether it helps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from archdsl.diagnostics import Edit
from archdsl.graph.model import Apply, Call, Item, Join, Network, Skip, Value
from archdsl.graph.needs import Requirement
from archdsl.layers import registry
from archdsl.layers.args import ArgumentError, show
from archdsl.layers.base import Layer, ShapeError, Why
from archdsl.layers.projection import projection
from archdsl.layers.signature import match
from archdsl.passes.accept import accepted
from archdsl.passes.combinators import BROADCASTING, PROJECTED, SKIPS, VALUE_JOINS
from archdsl.passes.elaborate.values import as_path
from archdsl.sizes import Among, Dim, Domain, SizeError
from archdsl.sizes.clauses import clause
from archdsl.sizes.naturals import Naturals
from archdsl.source import Span
from archdsl.syntax import tree

Change = tuple[Edit, ...]  # made together
MOST_LOST = 3  # paddings before a shape that is stated


def arguments(need: Requirement) -> Iterator[Change]:
    """Other arguments: first those that keep a size which one of two sides lost, of one layer and then of all; then
    others, of the layer that needs it and of those that lead to what disagrees, the nearest first. Before a stated
    shape, the last layer may have lost its padding, or the last few."""
    kept = list(_kept_sizes(need))
    yield from ((edit,) for edit in kept)
    if len(kept) > 1:
        yield tuple(kept)
    if need.layer is None and len(need.values) == 1:
        lost = [edit for each in _upstream(need.values) if (edit := _kept(each)) is not None]
        yield from (tuple(lost[:several]) for several in range(1, min(len(lost), MOST_LOST) + 1))
    if need.layer is not None:
        fields = match(need.layer.name, need.layer.fields, [arg.name for arg in need.node.args or ()])
        given = {field.name: arg.value for field, arg in zip(fields, need.node.args or (), strict=True)}
        yield from ((edit,) for edit in _tweaked(need.layer, need.span, given))
    for apply in _upstream(need.values):
        yield from ((edit,) for edit in _tweaked(apply.layer, apply.span, apply.sources))


def _kept_sizes(need: Requirement) -> Iterator[Edit]:
    """Of the layers that only one of two sides went through, those that could have kept its size, with how."""
    if len(need.values) == 2:
        first, second = ({id(each): each for each in _upstream((value,))} for value in need.values)
        apart = [each for key, each in {**first, **second}.items() if key not in first or key not in second]
        kept = {each.span: edit for each in apart if (edit := _kept(each)) is not None}
        yield from kept.values()


def _kept(apply: Apply) -> Edit | None:
    """The layer with the argument that keeps its input's size, if it does not keep it as it is."""
    shapes = [value.shape for value in apply.inputs]
    values = {field.name: getattr(apply.layer, field.name) for field in apply.layer.fields}
    if len(shapes) == 1 and apply.outputs[0].shape[1:] != shapes[0][1:]:
        for name, choice in apply.layer.tweaks:
            try:
                out = type(apply.layer)({**values, name: choice}).shape(_AnySize(), *shapes)
            except (ArgumentError, ShapeError, SizeError):
                continue
            if out[1:] == shapes[0][1:]:
                return _with_argument(apply.span, apply.sources, name, show(choice))
    return None


class _AnySize:
    """A `Need` that takes what sizes are asked for as met."""

    def at_least(self, size: Dim, minimum: int, why: Why, *, at: str | None = None, code: str = "") -> None: ...
    def equal(self, left: Dim, right: Dim, why: Why, *, at: str | None = None, code: str = "") -> None: ...
    def divisible(self, size: Dim, by: int, why: Why, *, at: str | None = None, code: str = "") -> None: ...


def _tweaked(layer: Layer, call: Span, given: Mapping[str, tree.Expr]) -> Iterator[Edit]:
    """The call with another argument; `given` are those that it has."""
    for name, choice in layer.tweaks:
        if getattr(layer, name) != choice:
            yield _with_argument(call, given, name, show(choice))


def _upstream(values: tuple[Value, ...]) -> Iterator[Apply]:
    """The layers behind values, breadth first, into blocks but not out of the scope of the values."""
    seen: set[int] = set()
    queue: list[Item | None] = [value.tensor.producer for value in values]
    for item in queue:
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Apply):
            yield item
            queue += [value.tensor.producer for value in item.inputs]
        elif isinstance(item, Call):
            queue += [result.value.tensor.producer for result in item.scope.results]
            queue += [value.tensor.producer for value in item.inputs]
        elif isinstance(item, Join):
            queue += [branch.value.tensor.producer for branch in item.branches]
        elif isinstance(item, Skip):
            queue += [item.body.tensor.producer, item.source.tensor.producer]


def _with_argument(call: Span, given: Mapping[str, tree.Expr], name: str, text: str) -> Edit:
    if name in given:
        return Edit(given[name].span, text)
    if not call.text.endswith(")"):
        return Edit(call.after, f"({name}={text})")
    comma = "" if call.text[:-1].rstrip().endswith("(") else ", "
    return Edit(Span(call.source, call.end - 1, call.end - 1), f"{comma}{name}={text}")


def habits(need: Requirement, warned: Mapping[Span, Change]) -> Iterator[Change]:
    """All calls that are warned of with their arguments read as PyTorch's; then only the one at fault."""
    if warned:
        yield tuple(edit for change in warned.values() for edit in change)
    if need.span in warned:
        yield warned[need.span]


def broadcast(need: Requirement) -> Iterator[Change]:
    """The combinator that takes a value to the size of the other where a dim is 1, in place of one that does not."""
    step = need.node
    if step.path.head in BROADCASTING and any(1 in value.shape for value in need.values):
        yield (Edit(step.path.span, BROADCASTING[step.path.head]),)


def projected(need: Requirement) -> Iterator[Change]:
    """The other side of a skip, or one of two values that are joined, through the 1x1 convolution that fits."""
    step = need.node
    if step.body is not None and step.path.head in PROJECTED and step.tail is None:
        yield (Edit(step.span.after, " project"),)
    elif step.path.head in VALUE_JOINS and len(need.values) == 2:
        # What is made first is the shortcut: of a block's values its input, which has its span from the call.
        sides = sorted((0, 1), key=lambda i: (need.values[i].outer is None, need.values[i].span.start))
        for i in sides:
            layer = projection(need.values[i].shape, need.values[1 - i].shape)
            if layer is not None:
                yield from _through(step, i, str(layer))


def _through(step: tree.Apply, index: int, call: str) -> Iterator[Change]:
    """One of two branches, by name or in braces, goes through a layer at its end."""
    if step.body is None:
        sides = [arg.span.text for arg in step.args or () if arg.name is None]
        if len(sides) == 2:
            sides[index] += f" -> {call}"
            yield _in_braces(step, sides)
        return
    branches = [each for each in step.body.statements if isinstance(each, tree.Flow)]
    if len(branches) == 2 == len(step.body.statements):
        end = branches[index].chain.span
        yield (Edit(end.after, f" -> {call}"),)


def mended(need: Requirement) -> Iterator[Change]:
    """What the layer that refuses its input may want before it, or before the `flatten` before it."""
    if need.layer is not None:
        before = [
            a.span for a in islice(_upstream(need.values), 1) if len(a.inputs[0].shape) != len(need.values[0].shape)
        ]
        for place in (need.span, *before):
            for text in need.layer.mends:
                yield (Edit(place.before, f"{text} -> "),)


def fixed_input(definition: tree.Definition) -> Iterator[Edit]:
    """An input of its typical size, and no other."""
    for statement in definition.body.statements:
        if isinstance(statement, tree.Input) and statement.shape is not None and statement.where is None:
            dims = statement.shape.dims
            if any(dim.name is not None for dim in dims):
                text = ", ".join(
                    dim.span.text if dim.name is None else dim.value.span.text for dim in dims if dim.value
                )
                yield Edit(statement.shape.span, f"[{text}]")


def fitted(need: Requirement) -> Iterator[Change]:
    """One side of a join brought to the size of the other, by each layer that can do so."""
    step = need.node
    layers = ((name, registry.find(name)) for name in registry.names() if registry.is_shipped(name))
    for name, layer in layers:
        if layer is None or not layer.fits:
            continue
        if step.path.head in SKIPS:
            yield from ((edit,) for edit in _fitted_body(step, name))
        elif step.path.head in VALUE_JOINS:
            yield from _fitted_branch(step, name)


def _fitted_body(step: tree.Apply, layer: str) -> Iterator[Edit]:
    """The body of a skip ends in the layer, towards what entered it."""
    if step.body is not None and step.body.statements:
        end = step.body.statements[-1].span
        yield Edit(end.after, f"{_separator(end)}{layer}(to=in)")


def _separator(statement: Span) -> str:
    """A new line like that of the statement, if it stands on a line of its own; else the same line."""
    text = statement.source.text
    indent = text[text.rfind("\n", 0, statement.start) + 1 : statement.start]
    return "; " if indent.strip() else f"\n{indent}"


def _fitted_branch(step: tree.Apply, layer: str) -> Iterator[Change]:
    """One of two branches, by name or in braces, goes through the layer towards the other."""
    if step.body is None:
        names = [arg.span.text for arg in step.args or () if arg.name is None]
        for i, other in enumerate(reversed(names)):
            if len(names) == 2:
                sides = [f"{side} -> {layer}(to={other})" if j == i else side for j, side in enumerate(names)]
                yield _in_braces(step, sides)
        return
    branches = [each for each in step.body.statements if isinstance(each, tree.Flow)]
    if len(branches) == 2 == len(step.body.statements):
        for branch, aim in zip(branches, map(_name, reversed(branches)), strict=True):
            end = branch.chain.span
            if aim is not None:
                yield (Edit(end.after, f" -> {layer}(to={aim})"),)


def _in_braces(step: tree.Apply, branches: Sequence[str]) -> Change:
    """A join of named values with braces; `in` enters them if it is one of those, so that it stays the same."""
    named = (arg.value for arg in step.args or ())
    entered = any((path := as_path(node)) is not None and path.head == "in" for node in named)
    body = Edit(Span(step.span.source, step.path.span.end, step.span.end), f" {{ {'; '.join(branches)} }}")
    return (Edit(step.span.before, "in -> "), body) if entered else (body,)


def _name(branch: tree.Flow) -> str | None:
    """What the value of a branch can be called."""
    if branch.targets:
        return branch.targets[0].span.text
    (first, *more) = branch.chain.steps
    return first.path.span.text if isinstance(first, tree.Apply) and first.args is None and not more else None


def promised_less(network: Network) -> Iterator[Edit]:
    """The promise cut down to what is accepted."""
    spans = {promise.span for promise in network.promises}
    if len(spans) == 1:
        both = accepted(network, promised=True)
        text = clause(both.values, both.relations)
        if text:
            yield Edit(spans.pop(), text)


def other_typical(network: Network) -> Iterator[Edit]:
    """The next larger typical size of each input that is accepted."""
    domain = accepted(network, promised=True)
    larger = [Among(name, Naturals.of(start=size)) for name, size in network.sizes.items()]
    found = Domain.of([*domain.relations, *_among(domain), *larger], network.symbols).smallest()
    for statement in network.definition.body.statements:
        if found is not None and isinstance(statement, tree.Input) and statement.shape is not None:
            text, start = "", statement.shape.span.start
            for dim in statement.shape.dims:
                if dim.name is not None and dim.value is not None:
                    text += statement.span.source.text[start : dim.value.span.start] + str(found[dim.name])
                    start = dim.value.span.end
            if text:
                yield Edit(Span(statement.span.source, statement.shape.span.start, start), text)


def _among(domain: Domain) -> list[Among]:
    return [Among(name, allowed) for name, allowed in domain.values.items()]
