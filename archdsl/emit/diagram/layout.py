"""From DOT to a picture, by Graphviz: the one in pygraphviz's wheel, or `dot` where the system has it."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from importlib import import_module

from archdsl.diagnostics.textwidth import printable
from archdsl.emit.diagram.model import Diagram
from archdsl.emit.diagram.titles import titles_on_top

FORMATS = ("svg", "png", "pdf")


class NoPicture(Exception):
    """Graphviz is not there, or refuses; the message says which."""


MISSING = 'a picture needs Graphviz: `pip install "archdsl[render]"`, or a system package that has the program `dot`'


def picture(text: str, form: str) -> bytes:
    """The file's content in one of FORMATS. Raises NoPicture."""
    placed = _graphviz(text.replace("{\n", "{\n  linelength=0\n", 1), "dot", "dot").decode()
    return _graphviz(titles_on_top(placed), form, "nop2")


def _graphviz(text: str, form: str, prog: str) -> bytes:
    try:
        module = import_module("pygraphviz")
    except ImportError:
        return _by_program(text, form, prog)
    try:
        content: bytes = module.AGraph(string=text).draw(format=form, prog=prog)
    except (ValueError, OSError) as error:
        raise NoPicture(f"Graphviz cannot draw this: {error}") from None
    return content


def _by_program(text: str, form: str, prog: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise NoPicture(MISSING)
    command = [program, f"-K{prog}", f"-T{form}"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise NoPicture(f"`dot` cannot draw this: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def titled(svg: bytes, diagram: Diagram) -> bytes:
    """The SVG with tooltips that every viewer shows, `<title>`, in place of the names that Graphviz puts there."""
    told = {node.id: node.tooltip for node in diagram.nodes}
    told.update((f"cluster_{cluster.id}", cluster.tooltip or "repeated") for cluster in diagram.clusters)
    told.update((f"title_{name}", told[name]) for name in list(told) if name.startswith("cluster_"))
    told.update((f"{edge.source}->{edge.target}", edge.label) for edge in diagram.edges)

    def title(match: re.Match[str]) -> str:
        name = match[1].replace("&#45;", "-").replace("&gt;", ">")
        text = told.get(name, diagram.caption[0])
        return "<title>" + "\n".join(escape(printable(line)) for line in text.split("\n")) + "</title>"

    return re.sub(r"<title>([^<]*)</title>", title, svg.decode()).encode()
