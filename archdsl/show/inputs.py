"""A network's symbols where its inputs have stated sizes."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.compiler import UsageError
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.claims import SizeMismatch, sizes_at
from archdsl.show.numbers import by

Inputs = Mapping[str | None, tuple[int, ...]]


def symbols_at(network: Network, inputs: Inputs, option: str = "input=") -> dict[str, int]:
    """The symbols at these sizes by the inputs' names (None is the first), the others typical.

    Raises UsageError where a size does not fit, in the words of the `option` that stated it.
    """
    names = network.scope.input_names
    found: dict[str, int] = {}
    for name, size in inputs.items():
        if name is not None and name not in names:
            raise UsageError(f"`{network.name}` has no input `{name}` (inputs: {', '.join(names)})")
        index = names.index(name) if name is not None else 0
        try:
            sizes = sizes_at(network, size, index)
        except SizeMismatch as error:
            raise UsageError(f"`{option}{by(size)}` does not fit `{network.name}`: {error}") from None
        shape = network.scope.inputs[index].shape
        own = {symbol: sizes[symbol] for symbol in network.symbols if any(symbol == str(dim) for dim in shape)}
        for symbol, value in own.items():
            if found.setdefault(symbol, value) != value:
                raise UsageError(f"`{symbol}` of `{network.name}` cannot be {found[symbol]} and {value}")
    sizes = {**network.sizes, **found}
    domain = accepted(network)
    if not domain.contains(sizes):
        at = " and ".join(f"{symbol} = {value}" for symbol, value in sizes.items())
        raise UsageError(f"`{network.name}` does not accept {at}; it accepts {domain}")
    return sizes
