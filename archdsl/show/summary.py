"""The summary of a network: what it is, its layer table, its transfers and its totals.

`Summary` holds the phrases and the cells, `text_lines` lays them out for a terminal, and `html.py` for a notebook.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.cost import Cost
from archdsl.passes.devices import Totals, devices
from archdsl.passes.table import Row, Table, Transfer, field_text, table
from archdsl.passes.tape import BYTES
from archdsl.show.columns import Column, aligned, in_lines, laid_out
from archdsl.show.numbers import by, counted, in_bytes

DEPTH = 2  # levels of blocks, where nobody asks for more or less


@dataclass(frozen=True)
class Grid:
    """Columns, and rows with a cell for each."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Summary:
    """One network at one size of its input, in words.

    `head` says what it is, `layers` is the table, `transfers` what moves between devices and `moved` how much of it,
    `devices` what each of them holds and does, and `totals` are lines of phrases.
    """

    head: Sequence[str]
    layers: Grid
    transfers: Grid | None
    moved: str
    devices: Grid | None
    totals: Sequence[Sequence[str]]


def summary(
    path: str, network: Network, sizes: Mapping[str, int] | None = None, batch: int = 1, depth: int = DEPTH
) -> Summary:
    """The summary where the network's symbols have these sizes, the typical ones without; memory is of a batch."""
    cost, trained = Cost(network, sizes), Cost(network, sizes, training=True)
    scope = network.scope
    inputs = [f"{n} {by(cost.shape(v.shape))}" for n, v in zip(scope.input_names, scope.inputs, strict=True)]
    accepts = [f"accepts {accepted(network)}"] if network.symbols else []  # a fixed input has been stated already
    found = table(network, sizes, depth)
    return Summary(
        head=[network.name, path, f"input {', '.join(inputs)}", *accepts],
        layers=_layers(found),
        transfers=_transfers(found.transfers) if found.transfers else None,
        moved=_moved(found.transfers),
        devices=_totals(devices(network, sizes, batch)) if found.placed else None,
        totals=[_counts(cost, trained), _memory(cost, trained, batch)],
    )


def text_lines(shown: Summary, width: int) -> Iterator[str]:
    """The summary as lines of that many columns."""
    yield from in_lines(shown.head, width)
    yield ""
    yield from laid_out(shown.layers.columns, shown.layers.rows, width)
    yield ""
    if shown.transfers is not None:
        yield from laid_out(shown.transfers.columns, shown.transfers.rows, width)
        yield f" {shown.moved}"
        yield ""
    if shown.devices is not None:
        yield from laid_out(shown.devices.columns, shown.devices.rows, width)
        yield ""
    for line in shown.totals:
        yield from in_lines(line, width, indent=1)


def _layers(found: Table) -> Grid:
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
    return Grid(columns, rows)


def _label(row: Row, noted: bool) -> str:
    """The row's name; `noted` says that a row above has told that all this is for training."""
    notes = ["training"] * (row.training and not noted) + ["shared"] * row.again
    return "  " * (len(row.path) - 1) + row.path[-1] + (f" ({', '.join(notes)})" if notes else "")


def _or_dash(number: int) -> str:
    return f"{number:,}" if number else "-"


def _devices(devices: Sequence[int]) -> str:
    return "gpu " + ", ".join(map(str, devices))


def _transfers(found: Sequence[Transfer]) -> Grid:
    columns = [
        Column("transfer", least=12),
        Column("from -> to"),
        Column("size", least=12),
        Column("bytes an image", right=True),
        Column("for", least=12),
        Column("line", right=True),
    ]
    rows = [
        [
            each.value + (" (training)" if each.training else ""),
            f"gpu {each.source} -> gpu {each.target}",
            shape,
            f"{each.bytes:,}",
            ", ".join(each.users),
            f"{each.span.line}",
        ]
        for each, shape in zip(found, aligned([each.shape for each in found]), strict=True)
    ]
    return Grid(columns, rows)


def _totals(found: Sequence[Totals]) -> Grid:
    names = ("device", "params", "buffers", "MACs", "inference", "training")
    columns = [Column(name, right=i > 0) for i, name in enumerate(names)]
    rows = [
        [
            _devices([each.device]),
            _or_dash(each.params) + f" ({each.training_params:,} in training)" * (each.training_params != each.params),
            _or_dash(each.buffers),
            counted(each.macs, 3) if each.macs else "-",
            in_bytes(each.inference),
            in_bytes(each.training),
        ]
        for each in found
    ]
    return Grid(columns, rows)


def _moved(found: Sequence[Transfer]) -> str:
    moved = sum(each.bytes for each in found if not each.training)
    return f"{len(found):,} transfer{'s' * (len(found) != 1)}, {in_bytes(moved)} an image"


def _counts(cost: Cost, trained: Cost) -> list[str]:
    params = f"parameters {cost.params:,} ({in_bytes(BYTES * cost.params)} in fp32)"
    if trained.params != cost.params:
        params += f", {trained.params:,} in training"
    return [params, f"buffers {cost.buffers:,}", f"MACs {counted(cost.macs, 3)}", f"FLOPs {counted(cost.flops, 3)}"]


def _memory(cost: Cost, trained: Cost, batch: int) -> list[str]:
    batch_of = "one image" if batch == 1 else f"a batch of {batch:,}"
    return [
        f"activations of {batch_of}: inference {in_bytes(cost.memory(batch))} at the peak",
        f"training {in_bytes(trained.training_memory(batch))}",
    ]
