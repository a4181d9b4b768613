"""The sizes of inputs on the command line (`--input 3x256x320`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import click

from archdsl.cli import complete
from archdsl.cli.numbers import by
from archdsl.cli.output import Failure
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.claims import SizeMismatch, sizes_at

MOST = 1_000_000  # of an axis

input_option = click.option(
    "--input",
    "inputs",
    metavar="[NAME=]SIZE",
    multiple=True,
    shell_complete=complete.inputs,
    help="The size of an input, such as 3x256x320, of the first one if it has no name. May be repeated.",
)


def parsed_inputs(texts: Sequence[str]) -> dict[str | None, tuple[int, ...]]:
    """The sizes by the names of their inputs, None for the first one. Raises Failure."""
    sizes = dict(map(_parsed, texts))
    if len(sizes) < len(texts):
        raise Failure("an input has two sizes")
    return sizes


def _parsed(text: str) -> tuple[str | None, tuple[int, ...]]:
    """`image=3x256x320` as a name, if any, and a size."""
    match = re.fullmatch(r"(?:(\w+)=)?(\d{1,9}(?:[xX]\d{1,9})*)", text.strip(), re.ASCII)
    if match is None:
        raise Failure(f"`--input {text}` is no size; it looks like 3x256x320, or image=3x256x320")
    size = tuple(map(int, match[2].lower().split("x")))
    if min(size) < 1 or max(size) > MOST:
        raise Failure(f"`--input {text}`: a size is from 1 to {MOST:,} along each axis")
    return match[1], size


def symbols_at(network: Network, inputs: Mapping[str | None, tuple[int, ...]]) -> dict[str, int]:
    """The network's symbols at these inputs, the others typical. Raises Failure if they do not fit."""
    names = network.scope.input_names
    found: dict[str, int] = {}
    for name, size in inputs.items():
        if name is not None and name not in names:
            raise Failure(f"`{network.name}` has no input `{name}` (inputs: {', '.join(names)})")
        index = names.index(name) if name is not None else 0
        try:
            sizes = sizes_at(network, size, index)
        except SizeMismatch as error:
            raise Failure(f"`--input {by(size)}` does not fit `{network.name}`: {error}") from None
        shape = network.scope.inputs[index].shape
        own = {symbol: sizes[symbol] for symbol in network.symbols if any(symbol == str(dim) for dim in shape)}
        for symbol, value in own.items():
            if found.setdefault(symbol, value) != value:
                raise Failure(f"`{symbol}` of `{network.name}` cannot be {found[symbol]} and {value}")
    sizes = {**network.sizes, **found}
    domain = accepted(network)
    if not domain.contains(sizes):
        at = " and ".join(f"{symbol} = {value}" for symbol, value in sizes.items())
        raise Failure(f"`{network.name}` does not accept {at}; it accepts {domain}")
    return sizes
