"""`archdsl summary`: the layer table and the totals."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from archdsl.cli import output
from archdsl.cli.files import Spec, collect, paths_argument
from archdsl.cli.inputs import input_option, parsed_inputs, symbols_at
from archdsl.cli.options import network_option, parsed_settings, requests, set_option
from archdsl.compiler import UsageError
from archdsl.graph.model import Network
from archdsl.passes.cost import Cost
from archdsl.passes.table import table
from archdsl.show.summary import DEPTH, summary, text_lines

HELP = """Show the layers of a network, what each costs, and the totals.

MACs and FLOPs are those of one image, FLOPs twice the MACs; memory is that of the activations. "sees" is the receptive
field: the pixels along each axis of the first input that one position depends on, from the branch that sees least to
all of them together. Of a file with several networks all are shown, unless --network names one.

\b
Examples:
  archdsl summary specs/googlenet.arch
  archdsl summary specs/googlenet.arch --input 3x256x320 --batch 32
  archdsl summary specs/resnet50.arch --set classes=10 --depth 3
  archdsl summary specs/alexnet.arch --network AlexNet --json
"""

MOST = 1_000_000  # of a batch


@click.command("summary", help=HELP, short_help="Show the layer table and the totals.")
@paths_argument
@network_option
@set_option
@input_option
@click.option("--batch", type=click.IntRange(1, MOST), default=1, help="Images at once, for the memory (1 by default).")
@click.option(
    "--depth", type=click.IntRange(min=1), help=f"Levels of blocks to show ({DEPTH} by default, all with --json)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, whose form `schema` names.")
def command(
    paths: tuple[str, ...],
    network: str | None,
    settings: tuple[str, ...],
    inputs: tuple[str, ...],
    batch: int,
    depth: int | None,
    as_json: bool,
) -> None:
    given = parsed_settings(settings)
    sizes = parsed_inputs(inputs)
    specs = collect(paths)
    with requests():
        found = [(spec, each, symbols_at(each, sizes)) for spec in specs for each in _networks(spec, network, given)]
        if not found:
            raise UsageError("none of these files defines a network")
    if as_json:
        _print_json(found, batch, depth)
    else:
        width = output.width(sys.stdout)
        for i, (spec, each, at) in enumerate(found):
            shown = summary(spec.path, each, at, batch, depth or DEPTH)
            for line in [""] * bool(i) + list(text_lines(shown, width)):
                output.write(line)


def _networks(spec: Spec, name: str | None, settings: Mapping[str, Any]) -> Iterator[Network]:
    """The networks asked for. Files of blocks alone, found in a folder, have none."""
    names = [name] if name is not None else [each.node.name for each in spec.compilation.definitions]
    if not names and (spec.named or not spec.compilation.ok):
        spec.compilation.network()  # says what is wrong
    for each in names:
        yield spec.compilation.network(each, **settings)


def _print_json(found: Sequence[tuple[Spec, Network, dict[str, int]]], batch: int, depth: int | None) -> None:
    from archdsl.cli.schema import SUMMARY_SCHEMA, SummaryReport, summary_model

    models = [
        summary_model(spec.path, Cost(each, at), Cost(each, at, training=True), table(each, at, depth), batch)
        for spec, each, at in found
    ]
    output.write(SummaryReport(schema=SUMMARY_SCHEMA, networks=models).to_json())
