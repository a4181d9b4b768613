"""`docs/layers.md` is what `archdsl layers --format markdown` prints. `pytest --update-golden` writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archdsl.cli.layers_markdown import page, section
from archdsl.layers import registry
from archdsl.reference import Entry, entry

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"
TEXT = PAGE.read_text(encoding="utf-8")


def shipped() -> list[Entry]:
    """The layers that come with archdsl: those of a package that happens to be installed are not on the page."""
    return [found for name in registry.names() if registry.is_shipped(name) and (found := entry(name)) is not None]


def test_the_page_is_what_the_layers_say(request: pytest.FixtureRequest) -> None:
    """Layer by layer. One may be added before the page is written anew."""
    layers = shipped()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(layers), encoding="utf-8")
        return
    stated = dict(re.findall(r"^(### (?:\w+)\n)(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
    known = dict(section(each).split("\n", 1) for each in layers)
    for heading, text in stated.items():
        assert text.rstrip() == known[heading.strip()].rstrip(), heading
    assert len(stated) > 50


def test_each_layer_stands_under_its_family() -> None:
    """Families and layers are sorted, and no two headings lead to the same place."""
    headings = re.findall(r"^(##+) (.+)$", TEXT, re.MULTILINE)
    assert len({title for _, title in headings}) == len(headings)
    family, placed = "", []
    for level, title in headings:
        family = title if level == "##" else family
        placed += [(family.removesuffix(" layers"), title)] if level == "###" else []
    known = {each.name: each.family for each in shipped()}
    assert placed == sorted((known[name], name) for _, name in placed)


def test_the_command_prints_the_page() -> None:
    """Its first lines too, which are no layer's."""
    assert page([]).rstrip() == TEXT.partition("\n## ")[0].rstrip()


def test_links_lead_somewhere() -> None:
    """Those of the page, and those of the manual to it."""
    assert {target for target in re.findall(r"\]\(([^)#]+)", TEXT) if not (PAGE.parent / target).exists()} == set()
    manual = PAGE.with_name("language.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(layers\.md#([^)]+)\)", manual)
    assert set(linked) == set(re.findall(r"^### (\w+)$", TEXT, re.MULTILINE))
