"""A diagram in Graphviz's language.

Whatever a spec holds, its text is only ever text: labels are HTML-like with `&`, `<` and `>` escaped, other strings are
quoted with backslashes doubled, and control characters are shown by their code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from textwrap import wrap

from archdsl.diagnostics.textwidth import printable
from archdsl.emit.diagram.model import Child, Cluster, Diagram, Edge, Line, Node
from archdsl.emit.diagram.theme import THEMES, Theme

WIDEST = 44  # characters of a line in a box
LEGEND = 6  # families in a row
FONT = "Helvetica,Arial,sans-serif"


def dot(diagram: Diagram, *, direction: str = "TB", theme: str = "light") -> str:
    """The diagram as DOT; `direction` is Graphviz's rankdir."""
    return "\n".join(_Writer(THEMES[theme]).lines(diagram, direction)) + "\n"


class _Writer:
    def __init__(self, theme: Theme) -> None:
        self.theme = theme

    def lines(self, diagram: Diagram, direction: str) -> Iterator[str]:
        theme = self.theme
        font = f"fontname={quoted(FONT)}, fontcolor={quoted(theme.ink)}"
        rows = list(branches(diagram))
        newrank = " newrank=true," if rows else ""  # or a row would tear boxes out of their frames
        yield f"digraph {quoted(diagram.caption[0])} {{"
        yield f"  graph [rankdir={direction}, bgcolor={quoted(theme.paper)}, compound=true, nodesep=0.25, ranksep=0.35,"
        yield f"    outputorder=edgesfirst,{newrank}"
        yield f"    {font}, fontsize=12, labelloc=t, tooltip={quoted(diagram.caption[0])},"
        yield f"    label={self.title(diagram)}]"
        yield f"  node [shape=plain, {font}, fontsize=11]"
        yield f"  edge [color={quoted(theme.faint)}, arrowsize=0.6, fontname={quoted(FONT)}, fontsize=9,"
        yield f"    fontcolor={quoted(theme.faint)}]"
        yield from self.inside(diagram.children, "  ")
        inputs = [node.id for node in diagram.nodes if node.lines[0].family == "input"]
        yield f"  {{rank=source; {'; '.join(inputs)}}}"
        for row in rows:
            yield f"  {{rank=same; {' -> '.join(row)} [style=invis]}}"
        for edge in diagram.edges:
            yield f"  {edge.source} -> {edge.target}{self.arrow(edge)}"
        yield "}"

    def inside(self, children: Sequence[Child], indent: str, trains: bool = False) -> Iterator[str]:
        """`trains` says that a frame around them has told that this is for training."""
        for child in children:
            if isinstance(child, Node):
                yield f"{indent}{child.id} [label={self.box(child, trains)}, tooltip={quoted(child.tooltip)}]"
            else:
                yield f"{indent}subgraph cluster_{child.id} {{"
                yield from (f"{indent}  {line}" for line in self.frame(child, trains))
                yield from self.inside(child.children, indent + "  ", child.training)
                yield f"{indent}}}"

    def frame(self, cluster: Cluster, trains: bool) -> Iterator[str]:
        theme = self.theme
        fill = theme.frame if cluster.device is None else theme.tint(cluster.device)
        dashed = "dashed" if cluster.training or cluster.turns else "solid"
        words = [escape(printable(cluster.title))] if cluster.title else []
        words += [f"<B>× {cluster.times:,}</B>"] if cluster.times > 1 else []
        words += ["<I>training</I>"] if cluster.training and not trains else []
        words += [f"<I>gpu {cluster.device}</I>"] if cluster.device is not None else []
        yield f"label=<{'   '.join(words) or ' '}>; labelloc=t; labeljust=l; fontsize=11"
        yield f'style="filled,rounded,{dashed}"; fillcolor={quoted(fill)}; color={quoted(theme.faint)}'
        yield f"tooltip={quoted(cluster.tooltip or 'repeated')}"

    def box(self, node: Node, trains: bool) -> str:
        """A table with a row for each line of the box, and how often it stands in a row at its right."""
        rows = [self.row(line, node.training and not trains and not i) for i, line in enumerate(node.lines)]
        if node.times > 1:
            fill, ink = self.theme.ink, self.theme.paper
            cell = f'<TD ROWSPAN="{len(rows)}" BGCOLOR="{fill}"><FONT COLOR="{ink}"><B>× {node.times:,}</B></FONT></TD>'
            rows[0] += cell
        style = ' STYLE="ROUNDED"' if node.lines[0].family in ("join", "input", "output") and len(rows) == 1 else ""
        table = f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="4" COLOR="{self.theme.faint}"{style}>'
        return f"<{table}{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>>"

    def row(self, line: Line, training: bool) -> str:
        fill, ink = self.theme.fill(line.family)
        words = [self.wrapped(line.call)] if line.call else []
        if line.name:
            words.insert(0, f"<B>{self.wrapped(line.name)}</B>")
        text = ("<BR/>" if line.family == "block" else "  ").join(words)
        if line.family == "join":
            text = f"<I>{text}</I>"
        side = ' SIDES="LTRB"' if line.family != "block" else ' BORDER="2"'
        note = "<BR/><I>training</I>" if training else ""
        return f'<TD BGCOLOR="{fill}"{side}><FONT COLOR="{ink}">{text}{note}</FONT></TD>'

    def wrapped(self, text: str) -> str:
        return "<BR/>".join(escape(part) for part in wrap(printable(text), WIDEST) or [""])

    def arrow(self, edge: Edge) -> str:
        words = [f"label={quoted(f' {edge.label} ')}"] if edge.label else []
        if edge.kind == "skip":
            words += [f"color={quoted(self.theme.skip)}", "penwidth=1.8", 'tooltip="skip"']
        elif edge.kind == "move":
            words += [f"color={quoted(self.theme.move)}", "penwidth=1.4", "style=dashed", 'tooltip="to another device"']
        elif edge.training:
            words += ["style=dotted"]
        return f" [{', '.join(words)}]" if words else ""

    def title(self, diagram: Diagram) -> str:
        """The caption and the legend."""
        name, *rest = (escape(printable(line)) for line in diagram.caption)
        lines = [f'<FONT POINT-SIZE="18"><B>{name}</B></FONT>', *rest]
        rows = [f"<TR><TD>{line}</TD></TR>" for line in lines]
        kinds = {edge.kind for edge in diagram.edges}
        cells = []
        for family in diagram.families:
            fill, ink = self.theme.fill(family)
            if fill != self.theme.block:
                cells.append(f'<TD BGCOLOR="{fill}"><FONT COLOR="{ink}">{escape(printable(family))}</FONT></TD>')
        for kind, colour, says in (("skip", self.theme.skip, "→ skip"), ("move", self.theme.move, "⇢ to another gpu")):
            if kind in kinds:
                cells.append(f'<TD><FONT COLOR="{colour}">{says}</FONT></TD>')
        parts = [cells[i : i + LEGEND] for i in range(0, len(cells), LEGEND)]
        legend = "".join(f"<TR>{''.join(part)}</TR>" for part in parts)
        if legend:
            rows.append(f'<TR><TD><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4">{legend}</TABLE></TD></TR>')
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0">{"".join(rows)}</TABLE>>'


def branches(diagram: Diagram) -> Iterator[list[str]]:
    """The boxes that branches begin with, in the order of the spec: what only one and the same box feeds."""
    fed = Counter(edge.target for edge in diagram.edges)
    starts: dict[str, list[str]] = {}
    for edge in diagram.edges:
        if fed[edge.target] == 1 and edge.kind != "skip" and not edge.training:
            starts.setdefault(edge.source, []).append(edge.target)
    outputs = {node.id for node in diagram.nodes if node.lines[0].family == "output"}
    rows = ([node for node in row if node not in outputs] for row in starts.values())
    return (row for row in rows if len(row) > 1)


def quoted(text: str) -> str:
    """A string of DOT. Line ends stay line ends, other control characters become visible."""
    lines = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
