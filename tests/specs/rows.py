"""The layers and joins of a spec's network, one row for each application, in the order they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from archdsl.compiler import Compilation
from archdsl.graph.model import Apply, Call, Join, Scope, walk
from archdsl.passes.cost import Cost

SPECS = Path(__file__).parents[2] / "specs"
GOLDEN = Path(__file__).parents[1] / "golden" / "emit"


@dataclass(frozen=True)
class Row:
    """`output` leaves out the batch and trailing ones: a 1000x1x1 and a 1000 are the same."""

    name: str
    kind: str
    output: tuple[int, ...]
    params: int
    macs: int


@cache
def compilation(file: str) -> Compilation:
    return Compilation.from_path(SPECS / file)


@cache
def emitted(file: str, network: str, **settings: Any) -> Callable[[], Any]:
    """The class that a network is compiled to. Without settings it is read from the golden file, which
    `tests/emit/test_golden.py` holds to the letter against what is compiled now."""
    names: dict[str, Any] = {"__name__": "emitted"}
    golden = GOLDEN / f"{network}.py.txt"
    exec(compilation(file).compile(network, settings) if settings else golden.read_text(encoding="utf-8"), names)
    made: Callable[[], Any] = names[network]
    return made


def cost(file: str, network: str | None = None, settings: Mapping[str, Any] | None = None) -> Cost:
    """The costs at the typical size, with what runs in training only."""
    return Cost(compilation(file).network(network, **(settings or {})), training=True)


def rows(file: str, network: str | None = None, settings: Mapping[str, Any] | None = None) -> list[Row]:
    """What has multiply-accumulates, in the order of the spec: convolutions and dense layers."""
    return [row for row in every_row(file, network, settings) if row.macs]


def every_row(file: str, network: str | None = None, settings: Mapping[str, Any] | None = None) -> list[Row]:
    """Every layer and every join, in the order of the spec; a join is named as its value is."""
    counted = cost(file, network, settings)
    return list(_rows(counted, counted.network.scope, ""))


def _rows(counted: Cost, scope: Scope, prefix: str) -> Iterator[Row]:
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from _rows(counted, item.scope, f"{prefix}{item.module.name}.")
        elif isinstance(item, Apply):
            yield Row(
                prefix + item.module.name,
                item.layer.name,
                squeezed(counted.shape(item.outputs[0].shape)),
                counted.module_elements(item.module, "weights"),
                counted.item_macs(item),
            )
        elif isinstance(item, Join):
            label = item.output.label or item.kind
            yield Row(prefix + label, item.kind, squeezed(counted.shape(item.output.shape)), 0, 0)


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape
