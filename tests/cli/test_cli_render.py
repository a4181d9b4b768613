"""`archdsl render` as a process."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from processes import GOOD, SPECS, Run

SVG = "{http://www.w3.org/2000/svg}"


def test_svg_has_a_tooltip_for_each_layer(run: Run, tmp_path: Path) -> None:
    (tmp_path / "small.arch").write_text(GOOD)
    assert run("render", "small.arch", "-o", "small.svg").code == 0
    root = ElementTree.parse(tmp_path / "small.svg").getroot()
    told = [title.text or "" for title in root.iter(f"{SVG}title")]
    (conv,) = (text for text in told if text.startswith("conv1: conv(8, 3, padding=1)"))
    assert "3×32×32 → 8×32×32\n" in conv
    assert "stride = 1\n" in conv
    assert "parameters 224\n" in conv
    assert "MACs 221,184\n" in conv
    assert "small.arch:3" in conv
    assert any(text.startswith("fc: linear(10)") for text in told)
    assert not any(re.fullmatch(r"n\d+|cluster_.*", text) for text in told)


@pytest.mark.parametrize(("name", "magic"), [("x.png", b"\x89PNG"), ("x.pdf", b"%PDF")])
def test_other_pictures(run: Run, tmp_path: Path, name: str, magic: bytes) -> None:
    (tmp_path / "small.arch").write_text(GOOD)
    assert run("render", "small.arch", "-o", name).code == 0
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_without_graphviz_the_dot_is_written_and_the_package_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "small.arch").write_text(GOOD)
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "pygraphviz.py").write_text("raise ImportError\n")
    done = run("render", "small.arch", "-o", "x.svg", PATH="", PYTHONPATH=str(tmp_path / "away"))
    assert done.code == 2
    assert 'pip install "archdsl[render]"' in done.err
    assert "`x.dot` is written" in done.err
    assert (tmp_path / "x.dot").read_text().startswith('digraph "Small" {')
    assert not (tmp_path / "x.svg").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("-o", "x.gif"), "`x.gif` is to be a picture; give it a name that ends in .svg, .png, .pdf, .dot, .mmd"),
        (("-o", "x.dot", "--open", "layer33"), "no block or group `layer33` to open; did you mean `layer3`?"),
        (("-o", "x.dot", "--open", "layer3.x"), "`layer3` has no block or group `x` to open"),
        (("-o", "x.dot", "--input", "4x64x64"), "does not fit `ResNet152`"),
    ],
)
def test_requests_that_cannot_be_met(run: Run, tmp_path: Path, args: tuple[str, ...], says: str) -> None:
    done = run("render", str(SPECS / "resnet152.arch"), *args)
    assert done.code == 2
    assert says in done.err
    assert not (tmp_path / "x.dot").exists()


def test_options_reach_the_picture(run: Run) -> None:
    path = str(SPECS / "resnet152.arch")
    plain = run("render", path, "-o", "-").out
    assert "rankdir=TB" in plain and "<B>× 35</B>" in plain and "60,192,808 parameters" in plain
    asked = (
        "--direction",
        "LR",
        "--theme",
        "dark",
        "--input",
        "3x256x320",
        "--set",
        "classes=10",
        "--open",
        "layer3.5",
    )
    changed = run("render", path, "-o", "-", *asked).out
    assert "rankdir=LR" in changed and "image 3×256×320" in changed and "linear(10)" in changed
    assert "<B>× 4</B>" in changed and "<B>× 30</B>" in changed
    assert 'bgcolor="#FFFFFF"' in plain and 'bgcolor="#FFFFFF"' not in changed
    assert len(run("render", path, "-o", "-", "--depth", "1").out) < len(plain)
