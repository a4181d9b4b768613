"""`archdsl summary`: the layer table and the totals."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from archdsl.cli import output
from archdsl.cli.columns import Column, aligned, in_lines, laid_out
from archdsl.cli.files import Spec, collect, paths_argument
from archdsl.cli.inputs import input_option, parsed_inputs, symbols_at
from archdsl.cli.numbers import by, counted, in_bytes
from archdsl.cli.options import count, network_option, parsed_settings, requests, set_option
from archdsl.compiler import UsageError
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.cost import BYTES, Cost
from archdsl.passes.table import Row, Table, field_text, table

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

DEPTH = 2
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
            for line in [""] * bool(i) + list(_lines(spec.path, each, at, batch, depth or DEPTH, width)):
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


def _lines(path: str, network: Network, sizes: Mapping[str, int], batch: int, depth: int, width: int) -> Iterator[str]:
    """One network as text."""
    cost, trained = Cost(network, sizes), Cost(network, sizes, training=True)
    scope = network.scope
    inputs = [f"{n} {by(cost.shape(v.shape))}" for n, v in zip(scope.input_names, scope.inputs, strict=True)]
    accepts = [f"accepts {accepted(network)}"] if network.symbols else []  # a fixed input has been stated already
    yield from in_lines([network.name, path, f"input {', '.join(inputs)}", *accepts], width)
    yield ""
    rows = table(network, sizes, depth)
    yield from _layers(rows, width)
    yield ""
    yield from _transfers(rows, width)
    yield from _totals(cost, trained, batch, width)


def _layers(found: Table, width: int) -> Iterator[str]:
    columns = [
        Column("layer", least=12, most=40),
        Column("what", least=10, most=44),
        Column("output", least=12),
        Column("sees", right=True),
        Column("params", right=True),
        Column("MACs", right=True),
    ]
    if found.placed:
        columns.append(Column("device"))
    shapes = iter(aligned([shape for row in found.rows for shape in row.shapes]))
    rows: list[list[str]] = []
    training: set[tuple[str, ...]] = set()
    for row in found.rows:
        if row.training:
            training.add(row.path)
        outputs = ", ".join(next(shapes) for _ in row.shapes)
        cells = [
            _label(row, row.path[:-1] in training),
            row.what,
            outputs,
            ", ".join(dict.fromkeys(map(field_text, row.sees))),
            _or_dash(row.params),
            counted(row.macs) if row.macs else "-",
        ]
        rows.append(cells + ([_devices(row.devices)] if found.placed else []))
    yield from laid_out(columns, rows, width)


def _label(row: Row, noted: bool) -> str:
    """The row's name; `noted` says that a row above has told that all this is for training."""
    notes = ["training"] * (row.training and not noted) + ["shared"] * row.again
    return "  " * (len(row.path) - 1) + row.path[-1] + (f" ({', '.join(notes)})" if notes else "")


def _or_dash(number: int) -> str:
    return f"{number:,}" if number else "-"


def _devices(devices: Sequence[int]) -> str:
    return "gpu " + ", ".join(map(str, devices))


def _transfers(found: Table, width: int) -> Iterator[str]:
    if not found.transfers:
        return
    shapes = aligned([each.shape for each in found.transfers])
    columns = [
        Column("transfer", least=12),
        Column("from -> to"),
        Column("size", least=12),
        Column("bytes an image", right=True),
        Column("for", least=12),
    ]
    rows = [
        [
            each.value + (" (training)" if each.training else ""),
            f"gpu {each.source} -> gpu {each.target}",
            shape,
            f"{each.bytes:,}",
            ", ".join(each.users),
        ]
        for each, shape in zip(found.transfers, shapes, strict=True)
    ]
    yield from laid_out(columns, rows, width)
    moved = sum(each.bytes for each in found.transfers if not each.training)
    yield f" {count(len(found.transfers), 'transfer')}, {in_bytes(moved)} an image"
    yield ""


def _totals(cost: Cost, trained: Cost, batch: int, width: int) -> Iterator[str]:
    params = f"parameters {cost.params:,} ({in_bytes(BYTES * cost.params)} in fp32)"
    if trained.params != cost.params:
        params += f", {trained.params:,} in training"
    counts = [f"buffers {cost.buffers:,}", f"MACs {counted(cost.macs, 3)}", f"FLOPs {counted(cost.flops, 3)}"]
    yield from in_lines([params, *counts], width, indent=1)
    memory = [
        f"inference {in_bytes(cost.memory(batch))} at the peak",
        f"training {in_bytes(trained.training_memory(batch))}",
    ]
    batch_of = "one image" if batch == 1 else f"a batch of {batch:,}"
    yield from in_lines([f"activations of {batch_of}: {memory[0]}", memory[1]], width, indent=1)
