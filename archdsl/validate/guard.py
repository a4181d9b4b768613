"""The check of sizes that a guarded network begins with: it refuses what the network does not accept, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from archdsl.graph.model import Network
from archdsl.layers.base import Ints
from archdsl.passes.accept import accepted
from archdsl.sizes import Domain, evaluate
from archdsl.validate.errors import Mismatch
from archdsl.validate.program import Program
from archdsl.validate.standins import Storage, Tensor

SMALL = 40  # sizes below are tried


def check_guard(program: Program, network: Network) -> None:
    """Raises Mismatch unless the network's `forward` begins with a check that refuses what the network does not accept.

    Inputs of other shapes are tried, and sizes: each symbol by itself, all at one size and all as many times as large,
    small sizes and those around the numbers that the accepted ones or the text of the check have in them, for that is
    where an answer changes.
    """
    shapes = _shapes(network, network.sizes)
    for i, shape in enumerate(shapes):
        others = [(*shape, 1), *((*shape[:at], dim + 1, *shape[at + 1 :]) for at, dim in _fixed(network, i))]
        for other in others:
            _compare(program, network, [*shapes[:i], other, *shapes[i + 1 :]], False)
    domain = accepted(network)
    for sizes in _sizes(network, _around({*program.guard_numbers(network.name), *_boundaries(domain)})):
        shapes = _shapes(network, sizes)
        if all(dim >= 1 for shape in shapes for dim in shape):
            _compare(program, network, shapes, domain.contains(sizes))


def _sizes(network: Network, tried: Sequence[int]) -> Iterator[Mapping[str, int]]:
    for symbol in network.symbols:
        yield from ({**network.sizes, symbol: size} for size in tried)
    yield from (dict.fromkeys(network.symbols, size) for size in tried)
    yield from ({name: size * factor for name, size in network.sizes.items()} for factor in (1, 2, 3, 4, 8, 16))


def _boundaries(domain: Domain) -> Iterator[int]:
    """The numbers where a symbol's sizes begin and end."""
    for values in domain.values.values():
        yield from (values.period, values.start, *values.members)
        if values.stop is not None:
            yield values.stop


def _around(numbers: Iterable[int]) -> Sequence[int]:
    """The small sizes, and those around these numbers."""
    around = (each + more for each in numbers for more in (-1, 0, 1))
    return sorted(each for each in {*range(1, SMALL), *around} if each >= 1)


def _shapes(network: Network, sizes: Mapping[str, int]) -> list[Ints]:
    return [tuple(evaluate(dim, sizes) for dim in value.shape) for value in network.scope.inputs]


def _fixed(network: Network, index: int) -> Iterator[tuple[int, int]]:
    """The dims of an input that are numbers, with their axes."""
    return ((axis, dim) for axis, dim in enumerate(network.scope.inputs[index].shape) if isinstance(dim, int))


def _compare(program: Program, network: Network, shapes: Sequence[Ints], passes: bool) -> None:
    """Raises Mismatch unless inputs of these shapes pass the check, or do not."""
    inputs = [Tensor(program.world, -1, (2, *shape), None, Storage()) for shape in shapes]
    try:
        program.guard(network.name, inputs)
    except ValueError as error:
        if passes:
            raise Mismatch(f"the check of sizes refuses inputs of {', '.join(map(str, shapes))}: {error}") from error
    else:
        if not passes:
            raise Mismatch(f"the check of sizes lets inputs of {', '.join(map(str, shapes))} pass")
