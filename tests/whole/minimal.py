"""The smallest spec that still has a fault: what the syntax tree has is left out, or gives way to a part."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from whole.generator import LIBRARY, MAIN

from archdsl.diagnostics import Sink
from archdsl.source import Source
from archdsl.syntax import parse, tree

PLACED = (tree.Flow, tree.Input, tree.Output, tree.Training, tree.Shared, tree.For, tree.If)
Edit = tuple[int, int, str]  # from, to, what stands there then


def shrunken(files: Mapping[str, str], breaks: Callable[[str], bool], seconds: float) -> str:
    """One file, or all of them one after the other where they do not fit into one."""
    together = _together(files)
    if not breaks(together):
        return "\n".join(f"# {name}\n{text}" for name, text in files.items())
    until = time.monotonic() + seconds
    text, shorter = together, True
    while shorter:
        shorter = False
        start = 0
        while time.monotonic() < until:
            edits = sorted(set(_edits(text)), key=lambda e: (e[0] - e[1] + len(e[2]), e[0]))
            for i in range(start, len(edits)):
                low, high, new = edits[i]
                other = text[:low] + new + text[high:]
                if time.monotonic() > until:
                    break
                if breaks(other):
                    text, start, shorter = other, max(0, i - 3), True
                    break
            else:
                break
    return "\n".join(line for line in text.splitlines() if line.strip()) + "\n"


def _together(files: Mapping[str, str]) -> str:
    main = files[MAIN]
    if LIBRARY in files:
        (imported,) = (line for line in main.splitlines() if LIBRARY in line)
        for name, called in re.findall(r"(\w+) as (\w+)", imported):
            main = re.sub(rf"\b{called}\b", name, main)
        main = files[LIBRARY] + "\n" + "\n".join(line for line in main.splitlines() if LIBRARY not in line)
    return main


def _edits(text: str) -> Iterator[Edit]:
    """What could be shorter: in a text that has no errors."""
    unit = parse(Source("shrunken", text), Sink())
    stack: list[Any] = [*unit.imports, *unit.definitions]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
            continue
        if not isinstance(node, tree.Node):
            continue
        stack.extend(getattr(node, name) for name in node.__dataclass_fields__ if name != "span")
        for low, high, new in _of(node):
            if high - low > len(new) or (high - low == len(new) and new == "2" and text[low:high] not in "123"):
                yield low, high, new


def _of(node: tree.Node) -> Iterator[Edit]:
    span = node.span
    if isinstance(node, (tree.Definition, tree.Import)):
        yield span.start, span.end, ""
    if isinstance(node, tree.Body):
        yield from ((each.span.start, each.span.end, "") for each in node.statements)
        if node.doc is not None:
            text = span.text
            quote = '"""' if text[1:].lstrip().startswith('"""') else '"'
            first = text.index(quote)
            yield span.start + first, span.start + text.index(quote, first + len(quote)) + len(quote), ""
    if isinstance(node, tree.Group):
        yield span.start, span.end, node.body.span.text[1:-1].strip()
    if isinstance(node, (tree.For, tree.Repeat, tree.Training)):
        yield span.start, span.end, node.body.span.text
    if isinstance(node, tree.If):
        bodies = [body for _, body in node.cases] + ([node.otherwise] if node.otherwise is not None else [])
        yield from ((span.start, span.end, body.span.text) for body in bodies)
        if node.otherwise is not None:
            yield node.cases[-1][1].span.end, node.otherwise.span.end, ""
    if isinstance(node, tree.Chain) and len(node.steps) > 1:
        for i, step in enumerate(node.steps):
            if i:
                yield node.steps[i - 1].span.end, step.span.end, ""
            else:
                yield step.span.start, node.steps[1].span.start, ""
    if isinstance(node, tree.Apply):
        if node.body is not None:
            yield span.start, span.end, node.body.span.text
        if node.tail is not None:
            yield node.tail.span.start, node.tail.span.end, ""
            if node.tail.label is not None and node.tail.chain is not None:
                yield node.tail.label.span.start, node.tail.chain.span.start, ""
        if node.args:
            yield from _listed(node.args)
        if node.args or node.body is not None:
            yield span.start, span.end, "relu"
            yield span.start, span.end, "conv(2, 1)"
    if isinstance(node, tree.Call):
        yield from ((span.start, span.end, arg.value.span.text) for arg in node.args)
    if isinstance(node, tree.Flow) and node.targets:
        yield node.targets[0].span.start, node.chain.span.start, ""
        if node.shape is not None:
            yield node.shape.span.start, node.shape.span.end, "[_, _, _]"
    if isinstance(node, tree.Output) and node.chain is not None:
        yield span.start, node.chain.span.start, ""
    if isinstance(node, PLACED) and node.place is not None:
        yield node.place.span.start, node.place.span.end, ""
    if isinstance(node, tree.Input) and node.where is not None and node.shape is not None:
        yield node.shape.span.end, node.where.span.end, ""
    if isinstance(node, tree.Definition):
        yield from _listed(node.params)
    if isinstance(node, tree.Param) and node.default is not None:
        yield span.start, span.end, node.name
    if isinstance(node, (tree.Arith, tree.Compare)):
        yield from ((span.start, span.end, part.span.text) for part in (node.first, *(p for _, p in node.rest)))
    if isinstance(node, tree.Logic):
        yield from ((span.start, span.end, part.span.text) for part in node.operands)
    if isinstance(node, tree.Unary):
        yield span.start, span.end, node.operand.span.text
    if isinstance(node, tree.ListExpr):
        yield from _listed(node.items)
    if isinstance(node, (tree.Arith, tree.Call, tree.Index, tree.Attr, tree.Literal, tree.Name, tree.Unary)):
        yield span.start, span.end, "2"
        yield span.start, span.end, "1"
    if isinstance(node, (tree.Compare, tree.Logic)):
        yield span.start, span.end, "true"
    if isinstance(node, tree.Init) and len(node.selectors) > 1:
        yield from _listed(node.selectors)


def _listed(items: Any) -> Iterator[Edit]:
    """Leaves out one of several that stand between commas."""
    spans = [item.span for item in items]
    for i, span in enumerate(spans):
        if i + 1 < len(spans):
            yield span.start, spans[i + 1].start, ""
        elif i:
            yield spans[i - 1].end, span.end, ""
        else:
            yield span.start, span.end, ""
