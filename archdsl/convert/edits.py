"""Changes of a definition's text: the steps that become others, and what has to follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from archdsl.convert.forms import Forms
from archdsl.layers.base import NOTHING
from archdsl.source import Span
from archdsl.syntax import tree


class Edit(NamedTuple):
    """Another text from `start` up to `end`."""

    start: int
    end: int
    text: str


def changed(span: Span, edits: Sequence[Edit]) -> str:
    """The text of a span with edits inside it, none of which overlap."""
    text, at = "", span.start
    for start, end, other in sorted(edits):
        text += span.source.text[at:start] + other
        at = end
    return text + span.source.text[at : span.end]


def edits(definition: tree.Definition, changes: Mapping[Span, str], forms: Forms) -> Iterator[Edit]:
    """What changes in a definition: its steps, the shapes that are stated of them, a network's fixed input."""
    for statement, chain in _chains(definition.body, None):
        for i, step in enumerate(chain.steps):
            if step.span not in changes:
                continue
            text = changes[step.span]
            kept = statement is None or statement.targets or step.span in forms.plain
            if text or kept:
                yield Edit(step.span.start, step.span.end, text or NOTHING)
            elif len(chain.steps) == 1:
                yield _line(step.span)
            elif i:
                yield Edit(chain.steps[i - 1].span.end, step.span.end, "")
            else:
                yield Edit(step.span.start, chain.steps[1].span.start, "")
        shape = statement.shape if statement is not None else None
        if shape is not None and len(shape.dims) == 1 and forms.becomes_a_map(chain.steps[-1].span):
            end = shape.dims[0].span.end
            yield Edit(end, end, ", _, _")
    for each in definition.body.statements:
        if isinstance(each, tree.Input) and each.shape is not None:
            yield from _symbols(each.shape)
    yield from _initialised(definition.body, changes)


def _initialised(body: tree.Body, changes: Mapping[Span, str]) -> Iterator[Edit]:
    """Initial weights by kind of layer, for the kind that the layers are of now, if none was of that kind before."""
    steps = [step for _, chain in _chains(body, None) for step in chain.steps if isinstance(step, tree.Apply)]
    others = {step.path.head for step in steps if step.span not in changes}
    kinds = {step.path.head: changes[step.span].partition("(")[0] for step in steps if changes.get(step.span)}
    for init in (each for each in body.statements if isinstance(each, tree.Init)):
        named = {selector.head for selector in init.selectors}
        for selector in init.selectors:
            kind = kinds.get(selector.head)
            if kind is not None and kind not in others | named and selector.head not in others:
                yield Edit(selector.span.start, selector.span.start + len(selector.head), kind)


def _chains(node: object, owner: tree.Flow | None) -> Iterator[tuple[tree.Flow | None, tree.Chain]]:
    """Every chain below a node, with its statement if that is a plain one, whose steps may go without a trace."""
    if isinstance(node, tuple):
        for item in node:
            yield from _chains(item, None)
    elif isinstance(node, tree.Node):
        if isinstance(node, tree.Chain):
            yield owner, node
        for slot in node.__dataclass_fields__:
            if slot != "span":
                inner = node if isinstance(node, tree.Flow) and slot == "chain" else None
                yield from _chains(getattr(node, slot), inner)


def _line(step: Span) -> Edit:
    """A statement with the line that it stands on, if it is alone there; else something that does nothing."""
    text = step.source.text
    start, stop = text.rfind("\n", 0, step.start) + 1, text.find("\n", step.end)
    stop = len(text) if stop < 0 else stop + 1
    if text[start:stop].strip() == step.text:
        return Edit(start, stop, "")
    return Edit(step.start, step.end, NOTHING)


def _symbols(shape: tree.ShapePattern) -> Iterator[Edit]:
    """Names for the fixed sizes of a map: `[3, H=224, W=224]`."""
    if len(shape.dims) != 3:
        return
    for name, dim in zip("HW", shape.dims[1:], strict=True):
        if dim.name is None and isinstance(dim.value, tree.Literal):
            yield Edit(dim.span.start, dim.span.start, f"{name}=")


def with_comment(span: Span) -> Span:
    """A definition with the comment that stands right above it."""
    text, start = span.source.text, span.source.text.rfind("\n", 0, span.start) + 1
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].lstrip().startswith("#"):
            break
        start = above
    return Span(span.source, start, span.end)
