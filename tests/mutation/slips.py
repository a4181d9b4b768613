"""Slips: every shipped spec with one thing changed, a stride, a width, a padding, a kernel or a name."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archdsl.diagnostics import Sink
from archdsl.layers import registry
from archdsl.layers.signature import match
from archdsl.source import Source, Span
from archdsl.syntax import parse, tree

SPECS = Path(__file__).parents[2] / "specs"
PER_FILE = 13
PER_DEEP = 4  # a network of hundreds of layers takes a second each time
TURNS = {"stride": 3, "channels": 3, "name": 0.6}  # how many of a kind for one of another
DEEP = re.compile(r"net\d{2,3}\.|densenet|fcn_resnet|googlenet")
# What becomes of a number, by the argument that it is.
OTHERS = {
    "stride": (1, 2, 3), "kernel": (2, 3, 4), "padding": (0, 1, 2), "dilation": (1, 2), "channels": (48, 65),
    "features": (100, 513), "offset": (0, 4), "size": (3, 8), "scale": (2, 3),
    "output_padding": (0, 1), "groups": (1, 5),
}  # fmt: skip


@dataclass(frozen=True)
class Slip:
    """One change of a file's text: where, and by what kind of slip."""

    file: str
    span: Span
    text: str
    kind: str

    @property
    def line(self) -> int:
        return self.span.line

    @property
    def changed(self) -> str:
        before = self.span.source.text
        return before[: self.span.start] + self.text + before[self.span.end :]

    def within(self, text: str) -> str:
        """The change made in a text that differs only in the lengths of other lines."""
        lines = text.splitlines(keepends=True)
        start, end = (
            sum(len(each) for each in lines[: line - 1]) + column - 1
            for line, column in map(self.span.source.position, (self.span.start, self.span.end))
        )
        assert text[start:end] == self.span.text
        return text[:start] + self.text + text[end:]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.kind} {self.span.text}→{self.text}"


def slips(path: Path) -> list[Slip]:
    """A few of all slips that a file gives room for, the same ones each time."""
    source = Source(path.name, path.read_text(encoding="utf-8"))
    found = [slip for definition in parse(source, Sink()).definitions for slip in _all(path.name, definition)]
    found = [slip for slip in found if slip.text != slip.span.text]
    random.Random(path.name).shuffle(found)
    ranks: Counter[str] = Counter()
    ranked: list[tuple[float, Slip]] = []
    for slip in found:
        ranked.append((ranks[slip.kind] / TURNS.get(slip.kind, 1), slip))
        ranks[slip.kind] += 1
    ranked.sort(key=lambda pair: pair[0])  # some of each kind, then some more of each, …
    return [slip for _, slip in ranked[: PER_DEEP if DEEP.search(path.name) else PER_FILE]]


def _all(file: str, definition: tree.Definition) -> Iterator[Slip]:
    yield from _in(file, definition.body)
    for param in definition.params:
        if param.name == "classes" and isinstance(param.default, tree.Literal):
            yield Slip(file, param.default.span, "7", "classes")


def _in(file: str, node: object) -> Iterator[Slip]:
    """All slips below a node, claims left out."""
    if isinstance(node, tree.Expect):
        return
    if isinstance(node, tuple):
        for item in node:
            yield from _in(file, item)
    if not isinstance(node, tree.Node):
        return
    if isinstance(node, tree.Apply):
        yield from _of_call(file, node)
        if node.tail is not None and node.tail.kind == "project":
            yield Slip(file, node.tail.span, "", "without project")
    for slot in node.__dataclass_fields__:
        if slot != "span":
            yield from _in(file, getattr(node, slot))


def _swapped(file: str, call: tree.Apply) -> Iterator[Slip]:
    """The first two arguments the other way round."""
    match call.args:
        case [tree.Arg(name=None) as first, tree.Arg(name=None) as second, *_]:
            both = first.span.to(second.span)
            yield Slip(file, both, f"{second.span.text}, {first.span.text}", "swapped")


def _of_call(file: str, call: tree.Apply) -> Iterator[Slip]:
    layer = registry.find(call.path.head) if not call.path.parts else None
    if call.path.head != "in":
        head = Span(call.path.span.source, call.path.span.start, call.path.span.start + len(call.path.head))
        yield Slip(file, head, f"{call.path.head}x", "name")
    for arg in call.args or ():
        if isinstance(arg.value, tree.Name) and layer is None and arg.name is None:
            yield Slip(file, arg.value.span, f"{arg.value.name}x", "operand")
    if layer is None:
        return
    yield from _swapped(file, call)
    fields = match(layer.name, layer.fields, [arg.name for arg in call.args or ()])
    for i, (field, arg) in enumerate(zip(fields, call.args or (), strict=True)):
        if isinstance(arg.value, tree.Literal) and type(arg.value.value) is int:
            for other in OTHERS.get(field.name, ()):
                yield Slip(file, arg.value.span, str(other), field.name)
        if arg.name is not None and i:
            assert call.args is not None
            before = call.args[i - 1].span
            yield Slip(file, Span(before.source, before.end, arg.span.end), "", f"without {arg.name}")
