"""Changes of a definition's text: the steps that become others, and what has to follow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from archdsl.convert.forms import Forms
from archdsl.convert.starts import selectors
from archdsl.diagnostics.fix import Edit
from archdsl.layers.base import NOTHING, Shape
from archdsl.passes.combinators import JOINS
from archdsl.source import Span
from archdsl.syntax import tree

_ARROW = re.compile(r"(?:#[^\n]*\n|[^#])*?(->)[ \t]*")  # in what lies between two steps, outside of comments


def edits(definition: tree.Definition, changes: Mapping[Span, str], forms: Forms) -> Iterator[Edit]:
    """What changes in a definition: its steps, the shapes that are stated of them, a network's fixed input."""
    for place in _places(definition.body, None):
        yield from _steps(place, changes, forms)
        flow = place.flow
        dims = flow.shape.dims if flow is not None and flow.shape is not None else ()
        if len(dims) == 1 and forms.becomes_a_map(place.chain.steps[-1].span):
            yield Edit(dims[0].span.after, ", _, _")
    inputs = [each for each in definition.body.statements if isinstance(each, tree.Input)]
    for each, value in zip(inputs, forms.network.scope.inputs, strict=False):
        if each.shape is not None and len(each.shape.dims) == 3:
            yield from _symbols(each.shape, value.shape, {param.name for param in definition.params})
    yield from _initialised(definition.body, dict(selectors(definition, changes, forms.network)))


class _Place(NamedTuple):
    """A chain; its statement if that is a plain one; and whether it stands in a sequence, not in a join."""

    chain: tree.Chain
    flow: tree.Flow | None
    in_sequence: bool


def _places(node: object, flow: tree.Flow | None, in_sequence: bool = True) -> Iterator[_Place]:
    """Every chain below a node."""
    if isinstance(node, tuple):
        for item in node:
            yield from _places(item, None, in_sequence)
    elif isinstance(node, tree.Node):
        if isinstance(node, tree.Chain):
            yield _Place(node, flow, in_sequence)
        for slot in node.__dataclass_fields__:
            if slot != "span":
                owner = node if isinstance(node, tree.Flow) and slot == "chain" else None
                joins = isinstance(node, tree.Apply) and node.path.head in JOINS
                ordered = not joins if isinstance(node, (tree.Apply, tree.Group)) else in_sequence
                yield from _places(getattr(node, slot), owner, ordered)


def _steps(place: _Place, changes: Mapping[Span, str], forms: Forms) -> Iterator[Edit]:
    steps, flow = place.chain.steps, place.flow
    loose = flow is not None and not flow.targets
    texts = {step.span: changes[step.span] for step in steps if step.span in changes}
    for span, text in texts.items():
        if not text and (not loose or span in forms.plain):
            texts[span] = NOTHING
    labels = {span: f"{min(forms.names[span])} = " for span in texts if loose and len(forms.names.get(span, ())) == 1}
    if labels and not place.in_sequence and sum(texts.get(step.span) != "" for step in steps) > 1:
        yield from (Edit(span, text or NOTHING) for span, text in texts.items())
    else:
        yield from _rewritten([step.span for step in steps], texts, labels)


def _rewritten(steps: Sequence[Span], texts: Mapping[Span, str], labels: Mapping[Span, str]) -> Iterator[Edit]:
    """A chain without the steps whose text is empty, and with what lies between its steps left as it is.

    A step with a label, which is the name that its module had, becomes a statement of its own.
    """
    first = next((i for i, step in enumerate(steps) if texts.get(step) != ""), None)
    if first is None:
        yield _line(steps[0].to(steps[-1]))
        return
    before = steps[0]
    for i, step in enumerate(steps):
        gap = Span(step.source, steps[i - 1].end, step.start) if i else None
        if texts.get(step) == "":
            yield Edit(step, "")
        elif texts.get(step):
            yield Edit(step, labels.get(step, "") + texts[step])
        if gap is not None and (i <= first or texts.get(step) == ""):
            yield _unlinked(gap, "")
        elif gap is not None and (step in labels or before in labels):
            yield _unlinked(gap, "; ")
        if texts.get(step) != "":
            before = step


def _unlinked(gap: Span, separator: str) -> Edit:
    """No arrow between two steps. A comment stays, and where a line ends it separates them."""
    if "#" not in gap.text and ("\n" not in gap.text or not separator):
        return Edit(gap, separator)
    found = _ARROW.match(gap.text)
    assert found is not None, "an arrow is what links two steps"
    return Edit(Span(gap.source, gap.start + found.start(1), gap.start + found.end()), "")


def _initialised(body: tree.Body, selectors: Mapping[Span, str]) -> Iterator[Edit]:
    """Selectors of `init` by other texts; an empty one goes, and a statement that has no other goes with it."""
    for init in (node for node in tree.descendants(body) if isinstance(node, tree.Init)):
        if not any(each.span in selectors for each in init.selectors):
            continue
        texts = [selectors.get(each.span, each.span.text) for each in init.selectors]
        said = ", ".join(text for text in texts if text)
        if said:
            yield Edit(init.selectors[0].span.to(init.selectors[-1].span), said)
        else:
            yield _line(init.span)


def _line(step: Span) -> Edit:
    """A statement with the line that it stands on, if it is alone there; else something that does nothing."""
    text = step.source.text
    start, stop = text.rfind("\n", 0, step.start) + 1, text.find("\n", step.end)
    stop = len(text) if stop < 0 else stop + 1
    if text[start:stop].strip() == step.text:
        return Edit(Span(step.source, start, stop), "")
    return Edit(step, NOTHING)


def _symbols(shape: tree.ShapePattern, dims: Shape, taken: Set[str]) -> Iterator[Edit]:
    """Names for the fixed sizes of a map: `[3, H=224, W=224]`."""
    used = {dim.name for dim in shape.dims} | {str(dim) for dim in dims} | taken
    for pattern, dim, names in zip(shape.dims[1:], dims[1:], ("HYV", "WXU"), strict=True):
        name = next((name for name in names if name not in used), None)
        if isinstance(dim, int) and pattern.name is None and name is not None:
            yield Edit(pattern.span.before, f"{name}=")


def with_comment(span: Span) -> Span:
    """A definition with the comment that stands right above it."""
    text, start = span.source.text, span.source.text.rfind("\n", 0, span.start) + 1
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].lstrip().startswith("#"):
            break
        start = above
    return Span(span.source, start, span.end)
