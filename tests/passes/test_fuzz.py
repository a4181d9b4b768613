"""No text whatever breaks the compiler, and what it calls sound it compiles to Python."""

from __future__ import annotations

import ast
import random
import time
from pathlib import Path

import pytest
from mutants import mutant

from archdsl.compiler import Compilation
from archdsl.diagnostics.render import render
from archdsl.passes.load import shipped


def shipped_spec(*stems: str) -> str:
    """Specs in one text, without their imports of each other."""
    texts = [(shipped() / f"{stem}.arch").read_text(encoding="utf-8") for stem in stems]
    return "".join(line for text in texts for line in text.splitlines(keepends=True) if not line.startswith("from"))


EVERYTHING = Path(__file__).with_name("everything.arch").read_text(encoding="utf-8")
SMALL = [
    EVERYTHING,
    EVERYTHING,  # more often than the others
    shipped_spec("alexnet"),
    shipped_spec("bottleneck_1x1"),
    shipped_spec("two_3x3_against_5x5"),
    shipped_spec("resnet", "resnet18"),
    shipped_spec("vgg_blocks", "vgg11"),
]


def examine(text: str) -> bool:
    """Checks a spec and compiles it if it is sound; says whether it is."""
    spec = Compilation.from_text(text)
    for each in spec.diagnostics:
        for span in (each.span, *(label.span for label in each.labels)):
            assert 0 <= span.start <= span.end <= len(span.source.text)
        assert render(each)
    if not spec.ok:
        return False
    for definition in spec.definitions:
        ast.parse(spec.compile(definition.node.name))
    return True


@pytest.mark.parametrize("seed", range(3))
def test_mutants(seed: int) -> None:
    """1,200 mutants in all; three tests, so that they can run beside each other."""
    chance = random.Random(seed)
    sound = sum(examine(mutant(SMALL, chance)) for _ in range(400))
    assert sound >= 10, "the mutants are too wild to test anything but the parser"


def test_the_originals_are_sound() -> None:
    assert all(map(examine, SMALL))


def test_a_long_file_is_answered_soon() -> None:
    start = time.perf_counter()
    text = "network Net {\n  input x: [3, H, W]\n" + "  relu\n  # and again\n\n\n" * 25_000 + "}\n"
    assert Compilation.from_text(text).diagnostics == []
    assert time.perf_counter() - start < 60
