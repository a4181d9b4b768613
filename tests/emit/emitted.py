"""Emitted files for the tests of the emitter: each shipped network, and small specs that use one thing each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from archdsl.compiler import Compilation, accepted
from archdsl.sizes import evaluate

SPECS = Path(__file__).parents[2] / "specs"
FEATURES = Path(__file__).parent / "features"


@cache
def compilation(path: Path) -> Compilation:
    return Compilation.from_path(path)


@cache
def networks() -> Mapping[str, tuple[Path, str]]:
    """Every network of the shipped specs and of `features/`, by a name for its test."""
    found: dict[str, tuple[Path, str]] = {}
    for folder in (SPECS, FEATURES):
        for path in sorted(folder.glob("*.arch")):
            for definition in compilation(path).definitions:
                name = definition.node.name
                found[name if folder is SPECS else f"{path.stem}.{name}"] = (path, name)
    return found


NETWORKS = list(networks())
# Those without a shallower sibling of the same blocks.
SHALLOW = [
    name
    for name in NETWORKS
    if not re.fullmatch(r"(VGG1[369]|ResNet(34|101|152)|DenseNet(161|169|201)|FCNResNet101)(BN)?", name)
]


@cache
def text(name: str) -> str:
    path, network = networks()[name]
    return compilation(path).compile(network)


def shapes(name: str, **sizes: int) -> list[tuple[int, ...]]:
    """The shapes of a network's inputs, at its typical sizes or at `sizes`, without the batch."""
    path, network = networks()[name]
    found = compilation(path).network(network)
    at = {**found.sizes, **sizes}
    return [tuple(evaluate(dim, at) for dim in value.shape) for value in found.scope.inputs]


def small(name: str) -> dict[str, int]:
    """Sizes at which a shipped network is quick, odd where it takes odd ones; empty if its input is fixed."""
    path, network = networks()[name]
    found = compilation(path).network(network)
    domain = accepted(found)
    least = {"H": 65, "W": 97}
    return {
        symbol: next(size for size in range(least[symbol], 1000) if domain.contains({**found.sizes, symbol: size}))
        for symbol in found.symbols
    }


def execute(source: str) -> dict[str, Any]:
    """The names that an emitted file defines."""
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "emitted.py", "exec"), names)
    return names


def load(name: str, **settings: Any) -> Any:
    """A network's module."""
    return execute(text(name))[networks()[name][1]](**settings)


def tensors(result: Any) -> Sequence[Any]:
    """The outputs of a forward pass that are there."""
    return [value for value in (result if isinstance(result, tuple) else (result,)) if value is not None]
