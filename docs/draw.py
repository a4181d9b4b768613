"""Draws every network of `specs/` into `docs/pictures/` and lists them in `docs/pictures.md`: `python docs/draw.py`."""

from __future__ import annotations

from pathlib import Path

from archdsl.compiler import Compilation
from archdsl.emit.diagram import build, dot
from archdsl.emit.diagram.layout import picture, titled
from archdsl.passes.cost import Cost

DOCS = Path(__file__).parent
PAGE = """\
# Pictures of the shipped specs

What `archdsl render` draws without options. `python docs/draw.py` makes them anew.
"""


def main() -> None:
    page = PAGE
    for spec in sorted((DOCS.parent / "specs").glob("*.arch")):
        for network in Compilation.from_path(spec).networks:
            diagram = build(network, Cost(network))
            svg = titled(picture(dot(diagram), "svg"), diagram)
            (DOCS / "pictures" / f"{network.name}.svg").write_bytes(svg)
            page += f"\n## {network.name}\n\n[`{spec.name}`](../specs/{spec.name})\n\n"
            page += f"![{network.name}](pictures/{network.name}.svg)\n"
    (DOCS / "pictures.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
