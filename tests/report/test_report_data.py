"""What a report says: the numbers are those of the table and of the cost pass, and the file needs nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archdsl.cli.app import app
from archdsl.compiler import Compilation
from archdsl.emit.report import Document, document, page
from archdsl.emit.report.picture import Part
from archdsl.graph.model import Network
from archdsl.passes.cost import Cost

SPECS = Path(__file__).parents[2] / "specs"
NAMES = ("alexnet", "googlenet", "resnet152", "segnet")


@cache
def network(name: str) -> Network:
    return Compilation.from_path(SPECS / f"{name}.arch").network()


@cache
def report(name: str) -> Document:
    return document(network(name), f"{name}.arch")


@pytest.mark.parametrize("name", NAMES)
def test_its_numbers_are_those_of_the_summary(name: str) -> None:
    path = str(SPECS / f"{name}.arch")
    shown = report(name)
    printed = CliRunner().invoke(app, ["summary", path, "--json"], catch_exceptions=False)
    told: dict[str, Any] = json.loads(printed.stdout)["networks"][0]
    for ours, theirs in zip(shown.layers, told["layers"], strict=True):
        assert (ours.name, ours.what) == (theirs["path"][-1], theirs["what"])
        assert (ours.params, ours.buffers, ours.macs) == (theirs["params"], theirs["buffers"], theirs["macs"])
        assert [shape.here for shape in ours.gives] == ["×".join(map(str, shape)) for shape in theirs["outputs"]]
        assert (list(ours.devices), ours.training, ours.again) == (
            theirs["devices"],
            theirs["training"],
            theirs["again"],
        )
        fields = theirs["receptive_fields"][0] or []
        assert [(f.size, f.smallest, f.offset, f.whole) for f in ours.field] == [
            (f["size"], f["smallest"], f["offset"], f["whole"]) for f in fields
        ]
        above = [] if ours.parent is None else told["layers"][ours.parent]["path"]
        assert theirs["path"][:-1] == above
    totals = shown.totals
    assert (totals.params, totals.params_trained) == (told["params"], told["training_params"])
    assert (totals.buffers, totals.macs) == (told["buffers"], told["macs"])
    assert (totals.peak, totals.kept) == (told["memory"]["inference"], told["memory"]["training"])
    assert shown.accepts == told["accepts"]["words"] or not network(name).symbols


@pytest.mark.parametrize("name", NAMES)
def test_shares_add_up(name: str) -> None:
    """What the layers make anew is what their block makes, and all blocks what the network makes."""
    shown = report(name)
    blocks = {layer.parent for layer in shown.layers if layer.parent is not None}
    for index in blocks:
        inside = [layer for layer in shown.layers if layer.parent == index]
        joins = shown.layers[index].made - sum(layer.made for layer in inside)
        assert joins >= 0  # a join that ends a block has no row of its own
    top = [layer for layer in shown.layers if layer.parent is None]
    assert sum(layer.made for layer in top) == shown.totals.made_trained
    assert sum(layer.made for layer in top if not layer.training) == shown.totals.made


def test_what_is_made_anew() -> None:
    text = "network N { input x: [8, 4, 4]; conv(16, 1); relu; residual { conv(16, 1) }; flatten; linear(2) }"
    shown = document(Compilation.from_text(text).network(), "n")
    made = {layer.what.partition("(")[0] + str(i): layer.made for i, layer in enumerate(shown.layers)}
    assert list(made.values()) == [4 * 256, 0, 4 * 256, 4 * 256, 0, 8], made


def every(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from every(part.parts)


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_has_each_layer_and_each_arrow_two_ends(name: str) -> None:
    shown = report(name)
    parts = {part.id: part for part in every(shown.parts)}
    assert {label.layer for part in parts.values() for label in part.labels} - {None} == set(range(len(shown.layers)))
    for part in parts.values():
        for label in part.labels:
            assert label.layer is None or label.call == shown.layers[label.layer].what or label.family == "join"
    assert {end for link in shown.links for end in (link.source, link.target)} <= {
        part.id for part in parts.values() if part.kind == "box"
    }


def test_a_place_in_the_spec_is_where_the_layer_stands() -> None:
    shown = report("resnet152")
    (found,) = (layer for layer in shown.layers if layer.name == "layer3")
    text = shown.texts[found.place.text]
    assert text.name == "resnet152.arch"
    assert "layer3 = " in text.lines[found.place.first - 1]
    inner = next(layer for layer in shown.layers if layer.parent == shown.layers.index(found))
    assert shown.texts[inner.place.text].name == "resnet.arch"


class Loads(HTMLParser):
    """What an HTML file would load, and its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loaded += [f"{tag} {name}" for name in ("src", "href", "data", "action", "srcset") if name in found]
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found.get("content") or ""


def test_it_needs_nothing_else() -> None:
    text = page(report("googlenet"))
    parser = Loads()
    parser.feed(text)
    assert parser.loaded == []
    style = text.split("<style>")[1].split("</style>")[0]
    assert not re.search(r"url\(|@import", style)
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(script) == 1
    assert not re.search(r"\bfetch\(|XMLHttpRequest|\bimport\(|sourceMappingURL|innerHTML", script[0])
    digest = b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert parser.policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    )
    assert "Permission is hereby granted" in script[0]  # dagre's licence goes with it


def test_other_sizes() -> None:
    found = network("googlenet")
    at = document(found, "g", {"H": 256, "W": 320})
    assert at.inputs == (("image", "3×256×320"),)
    assert at.totals.macs == Cost(found, {"H": 256, "W": 320}).macs
    assert at.layers[0].gives[0].here == "64×128×160"
