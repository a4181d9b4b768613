"""A step in PyTorch's manner, which is refused, read as the text that stands for it here: `y = relu(h)` gives what
`h -> relu` gives, so that what is wrong after it is told too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archdsl.diagnostics import Sink
from archdsl.graph.model import Bundle, Flowing, Value
from archdsl.passes.elaborate import meant
from archdsl.passes.elaborate.frame import Context, Exhausted, Failed, Frame
from archdsl.source import Source, Span
from archdsl.syntax import parse, tree

Run = Callable[[Frame, tree.Chain, Flowing | None], Flowing]


def given_by(frame: Frame, text: str, value: Flowing | None, span: Span, run: Run) -> Flowing:
    """What a chain, of which only the text is there, gives where a step at `span` is applied to a value.

    Raises Failed if that is not known.
    """
    chain = _chain(text)
    if chain is None or frame.context.guesses >= meant.MOST_GUESSES:
        raise Failed
    with _unheard(frame.context):
        try:
            found = run(frame.inner(frame.entry, []), chain, value)
        except Exhausted:  # which is reported by the next step
            raise Failed from None
    if isinstance(found, Bundle):
        return Bundle([_as_meant(frame, each, span) for each in found.values], found.names, span)
    if isinstance(found, Value):
        return _as_meant(frame, found, span)
    raise Failed


def _as_meant(frame: Frame, value: Value, span: Span) -> Value:
    return meant.value(frame, value.as_pytorch or value.shape, span)


def _chain(text: str) -> tree.Chain | None:
    sink = Sink()
    unit = parse(Source("", f"block meant {{\n{text}\n}}"), sink)
    statements = [each for definition in unit.definitions for each in definition.body.statements]
    if sink.found or len(statements) != 1 or not isinstance(statements[0], tree.Flow):
        return None
    return statements[0].chain


@contextmanager
def _unheard(context: Context) -> Iterator[None]:
    """What is reported and needed inside goes nowhere: its places are not those of the author's text."""
    sink, errors, needs, refused = context.sink, context.errors, dict(context.needs), len(context.refused)
    context.sink = Sink()
    try:
        yield
    finally:
        context.sink, context.errors, context.needs = sink, errors, needs
        del context.refused[refused:]
