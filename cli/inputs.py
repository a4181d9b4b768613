"""The sizes of inputs on the command line (`--input 3x256x320`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from archdsl.cli import complete
from archdsl.cli.output import Failure
from archdsl.compiler import UsageError
from archdsl.graph.model import Network
from archdsl.show import inputs as show
from archdsl.show.inputs import Inputs

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


def symbols_at(network: Network, inputs: Inputs) -> dict[str, int]:
    """The network's symbols at these inputs, the others typical. Raises Failure if they do not fit."""
    try:
        return show.symbols_at(network, inputs, "--input ")
    except UsageError as error:
        raise Failure(str(error)) from None
