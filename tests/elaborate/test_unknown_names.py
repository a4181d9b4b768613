"""Names that no layer or block has, and what they may have been meant as."""

from __future__ import annotations

import pytest

from archdsl.compiler import Compilation
from archdsl.diagnostics import edited
from archdsl.source import Span

NET = "network Net {\n  input x: [64, H, W]\n  bottleneck(64)\n}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "from zoo.resnet import bottleneck\n\n"),
        ("# Mine.\n\n", "# Mine.\n\nfrom zoo.resnet import bottleneck\n\n"),
        ("# The network.\n", "from zoo.resnet import bottleneck\n\n# The network.\n"),
        (
            "from zoo.resnet import basic  # two layers\n\n",
            "from zoo.resnet import basic  # two layers\nfrom zoo.resnet import bottleneck\n\n",
        ),
    ],
)
def test_a_shipped_block_is_offered_as_an_import(before: str, after: str) -> None:
    (found,) = Compilation.from_text(before + NET).diagnostics
    (fix,) = found.fixes
    assert fix.text == "`bottleneck` is a block of `zoo.resnet`: from zoo.resnet import bottleneck"
    source = fix.edits[0].span.source
    text = edited(Span(source, 0, len(source.text)), fix.edits)
    assert text == after + NET
    assert Compilation.from_text(text).ok


def test_a_block_that_no_network_applies_has_the_offer_too() -> None:
    (found,) = Compilation.from_text("block mine { bottleneck(64) }\n").diagnostics
    assert [fix.text.split(":")[0] for fix in found.fixes] == ["`bottleneck` is a block of `zoo.resnet`"]


def test_several_specs_are_all_offered() -> None:
    (found,) = Compilation.from_text("block mine { inception(64) }\n").diagnostics
    assert len(found.fixes) > 1


def test_an_indexed_label_is_known_by_its_number() -> None:
    text = (
        "block b {\n  leg[0] = conv(8, 3)\n  leg0 -> relu\n  for i in 1..2 { arm[i][0] = relu }\n  arm20 -> relu\n}\n"
    )
    assert Compilation.from_text(text).diagnostics == []
    assert [each.code for each in Compilation.from_text(text.replace("leg0", "lag0")).diagnostics] == ["E0102"]
