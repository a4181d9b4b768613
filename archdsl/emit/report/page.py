"""From a report's data to the text of one HTML file.

Whatever a spec holds, its text is only ever data: it stands in a block of JSON without `<`, `>` or `&`, and the page
makes text nodes of it. The page's policy forbids any request, and any script but the one that is written here.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from archdsl.diagnostics.textwidth import printable
from archdsl.emit.diagram.theme import FAMILIES, INK, OTHER, THEMES
from archdsl.emit.report.document import Document

SCRIPTS = (
    "model",
    "fold",
    "measure",
    "columns",
    "layout",
    "draw",
    "view",
    "table",
    "panel",
    "head",
    "choose",
    "keys",
    "main",
)
COLOURS = ("paper", "ink", "faint", "block", "frame", "skip", "move")


def page(document: Document) -> str:
    """The whole page."""
    script = _script()
    pieces = {
        "title": escape(printable(document.name)),
        "policy": _policy(script),
        "style": f"{_variables()}\n{_asset('report.css')}",
        "data": as_data({**asdict(document), "colours": _colours(document)}),
        "script": script,
    }
    # In one pass, so that nothing of a spec is taken for a place to fill.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: pieces[match[1]], _asset("report.html"))


def as_data(content: Mapping[str, Any]) -> str:
    """JSON that can stand in a `<script>` element, in ASCII; what is not for reading is shown by its code."""
    text = json.dumps(_readable(content), separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _readable(content: Any) -> Any:
    """Recursion is as deep as modules nest."""
    if isinstance(content, str):
        return content if content.isprintable() else printable(content)
    if isinstance(content, Mapping):
        return {key: _readable(value) for key, value in content.items()}
    return [_readable(each) for each in content] if isinstance(content, (list, tuple)) else content


def _script() -> str:
    """The page's one script. dagre stands first, under its licence."""
    licence = "\n".join(f" * {line}".rstrip() for line in _asset("vendor/LICENSE").strip().split("\n"))
    dagre = re.sub(r"(?m)^(/\*! For license.*|//# sourceMappingURL=.*)\n?", "", _asset("vendor/dagre.min.js"))
    own = "\n".join(_asset(f"js/{name}.js") for name in SCRIPTS)
    return f'/*! dagre\n{licence}\n */\n{dagre}\n(() => {{\n"use strict";\n{own}}})();\n'


def _policy(script: str) -> str:
    digest = b64encode(sha256(f"\n{script}".encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"


def _variables() -> str:
    """The theme's colours as variables of CSS, each for light and for dark."""
    light, dark = THEMES["light"], THEMES["dark"]
    pairs = [(name, getattr(light, name), getattr(dark, name)) for name in COLOURS]
    pairs += [(f"tint{i}", *pair) for i, pair in enumerate(zip(light.tints, dark.tints, strict=True))]
    lines = [f"  --{name}: light-dark({bright}, {dim});" for name, bright, dim in pairs]
    return "\n".join([":root {", *lines, f"  --on-family: {INK};", "}"])


def _colours(document: Document) -> dict[str, str]:
    """The colour of each family of layers that occurs."""
    found = dict.fromkeys(layer.family for layer in document.layers)
    return {name: FAMILIES.get(name, OTHER) for name in found if name not in ("block", "join")}


def _asset(name: str) -> str:
    return (files("archdsl.emit.report") / "assets" / name).read_text(encoding="utf-8")
