"""Repetitions said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.compare import compare
from archdsl.compare.fold import names
from archdsl.compare.words import listed, sections
from archdsl.compiler import Compilation

SPECS = Path(__file__).parents[2] / "specs"


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["a"], ["a"]),
        (["a", "b"], ["{a,b}"]),
        (["f.1", "f.2"], ["f.{1,2}"]),
        (["f.9", "f.10", "f.11"], ["f.{9..11}"]),
        (["f.19", "f.20", "f.22"], ["f.{19,20,22}"]),
        (["block1.x", "block12.x"], ["block{1,12}.x"]),
        (["i3a.p", "i3b.p", "q"], ["i{3a,3b}.p", "q"]),
        (["a.b.c", "a.b", "a.d.c"], ["a.{b,d}.c", "a.b"]),
        ([f"x.{w}" for w in "acegikm"], ["x.{a,c,e,g,…,m}"]),
        (["same", "same"], ["same"]),
        (["ab", "a"], ["a{b,}"]),
    ],
)  # fmt: skip
def test_names_that_differ_in_one_part(paths: list[str], said: list[str]) -> None:
    assert names([tuple(path.split(".")) for path in paths]) == said


def test_long_lists_end() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def said(before: str, after: str) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    networks = []
    for name in (before, after):
        file, _, network = name.partition(":")
        networks.append(Compilation.from_path(SPECS / f"{file}.arch").network(network or None))
    return {s.title: [(line.text, line.names) for line in s.lines] for s in sections(compare(*networks))}


def test_batchnorm_after_each_convolution() -> None:
    found = said("vgg16", "vgg16:VGG16BN")
    assert found == {
        "Added: 13 layers": [("batchnorm after each of the 13 conv", ("features.{1,4,8,11,…,41}",))],
        "Renamed, with other keys in the state_dict: 12 layers": [("features.N: other numbers (12 layers)", ())],
    }


def test_blocks_that_repeat() -> None:
    ((text, names),) = said("resnet50", "resnet101")["Added: 170 layers"]
    assert text.startswith("17 times { conv(256, 1, bias=false) -> batchnorm -> relu -> conv(256, 3")
    assert names == ("layer3.{6..22}",)
    assert said("resnet101", "resnet50")["Removed: 170 layers"] == [(text, names)]


def test_what_many_changes_share_is_said_once() -> None:
    found = said("googlenet_2014", "googlenet")["Changed: 75 layers"]
    texts = [text for text, _ in found]
    assert texts[0].startswith("each of the 59 conv: bias true -> false, ")
    assert "9 conv: kernel 5x5 -> 3x3, padding 2x2 -> 1x1" in texts
    assert "maxpool: kernel 3x3 -> 2x2" in texts


def test_sizes_that_follow_are_few_lines() -> None:
    found = said("densenet121", "densenet201")
    follow = found["Other sizes in consequence: 72 layers"]
    assert len(follow) == 5
    assert follow[0] == (
        "batchnorm: 1024x14x14 -> 1792x14x14, 2,048 -> 3,584 parameters",
        ("features.transition3.norm",),
    )
    assert follow[-1][0].startswith("and ")


def test_a_name_that_moves_into_a_block_is_said_in_full() -> None:
    assert ("conv1 -> conv1.conv", ()) in said("googlenet_2014", "googlenet")[
        "Renamed, with other keys in the state_dict: 64 layers"
    ]
