"""The pictures in the docs: one of each shipped network, and each shows what its spec holds now."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from archdsl.compiler import Compilation
from archdsl.emit.diagram import build
from archdsl.passes.cost import Cost

ROOT = Path(__file__).parents[2]
SPECS = [Compilation.from_path(path) for path in sorted((ROOT / "specs").glob("*.arch"))]
NETWORKS = {each.node.name: spec for spec in SPECS for each in spec.definitions}


def test_the_page_shows_every_network() -> None:
    page = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[(\w+)\]\(pictures/(\w+)\.svg\)", page)
    assert shown == [(name, name) for name in NETWORKS]
    assert {path.stem for path in (ROOT / "docs" / "pictures").iterdir()} == set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_picture_is_up_to_date(name: str) -> None:
    """Its tooltips and totals, that is: where boxes stand depends on the fonts of the machine that drew it."""
    network = NETWORKS[name].network(name)
    svg = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    told = {unescape(text) for text in re.findall(r"<title>([^<]*)</title>", svg)}
    diagram = build(network, Cost(network))
    assert {node.tooltip for node in diagram.nodes} <= told
    assert diagram.caption[1].replace(" ", "") in re.sub(r"\s", "", unescape(svg))
