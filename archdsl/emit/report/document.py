"""What a report knows of a network, as plain data: the page shows it and works nothing out but shares and layout.

Input: a network, the sizes of its inputs and the path of its spec. Output: a `Document`, which `dataclasses.asdict`
turns into JSON. Numbers are for one item of the batch: elements, multiply-accumulates, bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.emit.diagram import View, build
from archdsl.emit.diagram.words import shape_text
from archdsl.emit.report.layers import Layer, Listing, Text
from archdsl.emit.report.picture import Link, Part, parts
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.cost import Cost
from archdsl.passes.table import table


@dataclass(frozen=True)
class Totals:
    """`made` is the sum over all layers of what each makes anew, `peak` what is alive at once, at most, in inference,
    `kept` what training keeps for the backward pass. Those ending in `_trained` count what only training runs."""

    params: int
    params_trained: int
    buffers: int
    macs: int
    macs_trained: int
    made: int
    made_trained: int
    peak: int
    kept: int


@dataclass(frozen=True)
class Document:
    """`inputs` are names and shapes at the sizes of the report, `accepts` the sizes that fit, in words."""

    name: str
    path: str
    doc: str
    inputs: tuple[tuple[str, str], ...]
    accepts: str
    placed: bool
    totals: Totals
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]
    links: tuple[Link, ...]
    texts: tuple[Text, ...]


def document(network: Network, path: str, sizes: Mapping[str, int] | None = None) -> Document:
    """All of a report on a network at these sizes (the typical ones without any)."""
    cost, trained = Cost(network, sizes), Cost(network, sizes, training=True)
    rows = table(network, sizes)
    listing = Listing(rows.rows, cost, trained)
    diagram = build(network, cost, View(whole=True))
    scope = network.scope
    named = zip(scope.input_names, scope.inputs, strict=True)
    return Document(
        name=network.name,
        path=path,
        doc=scope.doc or "",
        inputs=tuple((name, shape_text(cost.shape(value.shape))) for name, value in named),
        accepts=str(accepted(network)) if network.symbols else "this size only",
        placed=rows.placed,
        totals=_totals(cost, trained),
        layers=tuple(listing.layers()),
        parts=parts(diagram, listing.index),
        links=tuple(Link(e.source, e.target, e.label, e.kind, e.training) for e in diagram.edges),
        texts=tuple(listing.texts),
    )


def _totals(cost: Cost, trained: Cost) -> Totals:
    scope = cost.network.scope
    return Totals(
        params=cost.params,
        params_trained=trained.params,
        buffers=cost.buffers,
        macs=cost.macs,
        macs_trained=trained.macs,
        made=cost.scope_bytes(scope),
        made_trained=trained.scope_bytes(scope),
        peak=cost.memory(),
        kept=trained.training_memory(),
    )
