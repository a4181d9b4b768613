"""A class as text, with its named tuple, the place in the spec that it comes from, and the spec's doc."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.emit.torch.code import WIDTH, Block, Bracket, lines
from archdsl.emit.torch.signature import Code, signature
from archdsl.graph.model import Scope


def render(code: Code, tuples: set[str]) -> Iterator[str]:
    """The lines of a class; its named tuple comes before it, unless it is in `tuples` already."""
    scope = code.scope
    if code.fields is not None and code.output not in tuples:
        tuples.add(code.output)
        yield f"class {code.output}(NamedTuple):"
        yield from (f"    {field}" for field in code.fields)
        yield ""
        yield ""
    where = f"# {_file(scope)}:{scope.span.line}{f', as {code.of} has it' * bool(code.of)}"
    title = f"class {code.name}({code.base}):"
    yield title if len(title) + 2 + len(where) > WIDTH else f"{title}  {where}"
    doc = docstring(scope.doc)
    if doc:
        yield from doc
        yield ""
    yield from lines([Block(signature(code), code.constructor)], 1)
    if code.forward:
        yield ""
        result = "Tensor" if code.fields is None else code.output
        header = Bracket("def forward(", ("self", *code.arguments), f") -> {result}")
        yield from lines([Block(header, code.forward)], 1)


def _file(scope: Scope) -> str:
    return scope.span.source.path.replace("\\", "/").rsplit("/", 1)[-1].encode("unicode_escape").decode()


def docstring(text: str | None, indent: str = "    ") -> list[str]:
    """A doc of the spec as the lines of a Python docstring, escaped."""
    if not text or not text.strip():
        return []
    safe = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text.replace("\\", "\\\\")
    )
    quoted = re.sub(r'"(?="|\Z)', r'\\"', safe.strip())  # so no three stand together, and none at the end
    rows = [row.rstrip() for row in quoted.split("\n")]
    if len(rows) == 1:
        return [f'{indent}"""{rows[0]}"""']
    return [f'{indent}"""{rows[0]}', *(f"{indent}{row}" if row else "" for row in rows[1:]), f'{indent}"""']
