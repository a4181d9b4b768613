"""A diagram in Mermaid's language, which code hosts draw in Markdown.

Text stands in quotes with everything that Mermaid or HTML could take for more than text as a character code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.diagnostics.textwidth import printable
from archdsl.emit.diagram.model import Child, Cluster, Diagram, Edge, Line, Node
from archdsl.emit.diagram.theme import THEMES, Theme

PLAIN = set(" ,.()[]=×→-+*/_…:·")  # beside letters and digits


def mermaid(diagram: Diagram, *, direction: str = "TB", theme: str = "light") -> str:
    """The diagram as a Mermaid flowchart."""
    return "\n".join(_lines(diagram, direction, THEMES[theme])) + "\n"


def _lines(diagram: Diagram, direction: str, theme: Theme) -> Iterator[str]:
    yield f"flowchart {direction}"
    yield f'  caption["{"<br/>".join(escaped(line) for line in diagram.caption)}"]'
    yield "  style caption fill:none,stroke:none"
    yield from _inside(diagram.children, "  ", theme)
    skips = []
    for i, edge in enumerate(diagram.edges):
        yield f"  {edge.source} {_arrow(edge)} {edge.target}"
        skips += [str(i)] * (edge.kind == "skip")
    if skips:
        yield f"  linkStyle {','.join(skips)} stroke:{theme.skip},stroke-width:2px"
    for family in diagram.families:
        fill, ink = theme.fill(family)
        yield f"  classDef {_class(family)} fill:{fill},color:{ink},stroke:{theme.faint}"


def _inside(children: Sequence[Child], indent: str, theme: Theme) -> Iterator[str]:
    for child in children:
        if isinstance(child, Node):
            text = "<br/>".join(map(_text, child.lines)) + (f"<br/>× {child.times:,}" if child.times > 1 else "")
            text += "<br/>training" if child.training else ""
            yield f'{indent}{child.id}["{text}"]:::{_class(child.lines[0].family)}'
        else:
            yield f'{indent}subgraph {child.id}["{_title(child)}"]'
            yield from _inside(child.children, indent + "  ", theme)
            yield f"{indent}end"
            if child.device is not None:
                yield f"{indent}style {child.id} fill:{theme.tint(child.device)}"


def _title(cluster: Cluster) -> str:
    words = [escaped(cluster.title)] if cluster.title else []
    words += [f"× {cluster.times:,}"] if cluster.times > 1 else []
    words += ["training"] if cluster.training else []
    words += [f"gpu {cluster.device}"] if cluster.device is not None else []
    return " · ".join(words) or " "


def _text(line: Line) -> str:
    return escaped(" = ".join(filter(None, (line.name, line.call))))


def _arrow(edge: Edge) -> str:
    arrow = "-.->" if edge.training or edge.kind == "move" else "-->"
    return f'{arrow}|"{escaped(edge.label)}"|' if edge.label else arrow


def _class(family: str) -> str:
    """The name of a family's style; a prefix keeps it from being a word of Mermaid's."""
    return "f_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in family)


def escaped(text: str) -> str:
    """Text for a quoted label."""
    return "".join(c if c.isalnum() or c in PLAIN else f"#{ord(c)};" for c in printable(text))
