"""The check of sizes that a guarded network begins with: it refuses what the network does not accept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.graph.model import Network
from archdsl.layers.base import Ints
from archdsl.passes.accept import accepted
from archdsl.sizes import evaluate
from archdsl.validate.errors import Mismatch
from archdsl.validate.program import Program
from archdsl.validate.standins import Storage, Tensor

SMALL = 40  # sizes below are tried, each symbol by itself


def check_guard(program: Program, network: Network) -> None:
    """Raises Mismatch unless the network's `forward` refuses inputs of other shapes, at small and at typical sizes."""
    domain = accepted(network)
    shapes = _shapes(network, network.sizes)
    for i, shape in enumerate(shapes):
        others = [(*shape, 1), *((*shape[:at], dim + 1, *shape[at + 1 :]) for at, dim in _fixed(network, i))]
        for other in others:
            _must_refuse(program, network, [*shapes[:i], other, *shapes[i + 1 :]])
    for symbol in network.symbols:
        for size in range(1, SMALL):
            sizes = {**network.sizes, symbol: size}
            if not domain.contains(sizes) and all(dim >= 1 for shape in _shapes(network, sizes) for dim in shape):
                _must_refuse(program, network, _shapes(network, sizes))


def _shapes(network: Network, sizes: Mapping[str, int]) -> list[Ints]:
    return [tuple(evaluate(dim, sizes) for dim in value.shape) for value in network.scope.inputs]


def _fixed(network: Network, index: int) -> Iterator[tuple[int, int]]:
    """The dims of an input that are numbers, with their axes."""
    return ((axis, dim) for axis, dim in enumerate(network.scope.inputs[index].shape) if isinstance(dim, int))


def _must_refuse(program: Program, network: Network, shapes: list[Ints]) -> None:
    inputs = [Tensor(program.world, -1, (2, *shape), None, Storage()) for shape in shapes]
    try:
        program.guard(network.name, inputs)
    except ValueError:
        return
    raise Mismatch(f"the check of sizes lets inputs of {', '.join(map(str, shapes))} pass")
