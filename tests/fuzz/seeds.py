"""What the mutants are made of: the shipped specs, everything that the language has in small, and each layer's
examples."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from archdsl.layers import registry
from archdsl.layers.base import Example
from archdsl.passes.load import shipped

EVERYTHING = Path(__file__).with_name("everything.arch").read_text(encoding="utf-8")
_CLAIM = re.compile(r"^ *expect .*\n", re.MULTILINE)


@cache
def specs() -> tuple[str, ...]:
    """The shipped specs and `everything.arch`, each also without its claims: with them hardly a mutant is sound."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(shipped().glob("*.arch"))]
    return tuple(each for text in (*texts, *[EVERYTHING] * 5) for each in (text, _CLAIM.sub("", text)))


@cache
def small() -> tuple[str, ...]:
    """A network for each example of each layer."""
    found = (registry.find(name) for name in registry.names())
    return tuple(_network(example) for layer in found if layer is not None for example in layer.examples)


def _network(example: Example) -> str:
    shapes = example.input if isinstance(example.input[0], tuple) else (example.input,)
    names = ("other", "x")[-len(shapes) :]
    inputs = "".join(f"  input {name}: {list(shape)}\n" for name, shape in zip(names, reversed(shapes), strict=True))
    before = f"  {example.before}\n" if example.before else ""
    return f"network Net {{\n{inputs}{before}  y = {example.call}\n}}\n"
