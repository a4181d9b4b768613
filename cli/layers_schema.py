"""The JSON that `layers` prints, versioned as that of `check` and `summary` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from archdsl.cli.schema import Model
from archdsl.layers.base import Ints, Shape
from archdsl.layers.initialisers import INITIALISERS
from archdsl.layers.signature import Field as Argument
from archdsl.layers.signature import describe
from archdsl.reference import Entry, ShippedBlock, Tried, default, shapes

LAYERS_SCHEMA: Literal["archdsl.layers/1"] = "archdsl.layers/1"


class ArgumentModel(Model):
    name: str
    takes: str = Field(description="what is accepted, in words")
    default: str | None = Field(description="as a spec has it; null: it has to be given")
    doc: str


class PyTorchModel(Model):
    """What a layer becomes."""

    name: str
    helper: bool = Field(description="no part of PyTorch: the emitted file defines it")


class WeightModel(Model):
    """A tensor of the module's `state_dict`, at the example's own sizes."""

    name: str
    shape: list[int]
    formula: list[str] = Field(description="each dim in the layer's arguments and the dims of its input")


class ExampleModel(Model):
    """One call on `x`; shapes are without the batch axis. The first ones have the example's own sizes, the others a
    symbol for each dim that may have many."""

    call: str
    before: str = Field(description="a statement that the call needs before it, or empty")
    input_sizes: list[list[int]]
    output_sizes: list[list[int]]
    inputs: list[list[int | str]]
    outputs: list[list[int | str]]
    accepts: str | None = Field(description="which sizes the symbols may have, in words; null: there are none")
    pytorch: str
    weights: list[WeightModel]
    buffers: list[WeightModel]


class LayerModel(Model):
    name: str
    family: str
    shipped: bool = Field(description="it comes with archdsl, not with another package")
    signature: str
    summary: str
    doc: list[str] = Field(description="paragraphs; backquotes mark code")
    source: str | None
    arguments: list[ArgumentModel]
    ranks: list[int] = Field(description="how many dims its input may have")
    pytorch: list[PyTorchModel]
    examples: list[ExampleModel]


class InitialiserModel(Model):
    name: str
    signature: str
    arguments: list[ArgumentModel]
    pytorch: PyTorchModel


class BlockModel(Model):
    """A block or a network of a spec that comes with archdsl."""

    name: str
    kind: Literal["block", "network"]
    signature: str
    doc: str | None
    imported: str = Field(description="the statement that imports it")


class LayersReport(Model):
    schema_: Literal["archdsl.layers/1"] = Field(default=LAYERS_SCHEMA, alias="schema")
    layers: list[LayerModel]
    initialisers: list[InitialiserModel]
    blocks: list[BlockModel]


def report(layers: Sequence[Entry], initialisers: Sequence[str], blocks: Sequence[ShippedBlock]) -> LayersReport:
    """What `layers --json` prints."""
    return LayersReport(
        schema=LAYERS_SCHEMA,
        layers=list(map(_layer, layers)),
        initialisers=list(map(_initialiser, initialisers)),
        blocks=list(map(_block, blocks)),
    )


def _layer(found: Entry) -> LayerModel:
    return LayerModel(
        name=found.name,
        family=found.family,
        shipped=found.shipped,
        signature=found.signature,
        summary=found.summary,
        doc=list(found.doc),
        source=found.source,
        arguments=list(map(_argument, found.layer.fields)),
        ranks=list(found.ranks),
        pytorch=[PyTorchModel(name=each.name, helper=each.helper) for each in found.becomes],
        examples=list(map(_example, found.examples)),
    )


def _argument(field: Argument) -> ArgumentModel:
    return ArgumentModel(name=field.name, takes=field.kind.describe(), default=default(field), doc=field.doc)


def _example(found: Tried) -> ExampleModel:
    return ExampleModel(
        call=found.example.call,
        before=found.example.before,
        input_sizes=list(map(list, shapes(found.example.input))),
        output_sizes=list(map(list, shapes(found.example.output))),
        inputs=list(map(_shape, found.inputs)),
        outputs=list(map(_shape, found.outputs)),
        accepts=found.accepts or None,
        pytorch=found.pytorch,
        weights=_weights(found, found.weights),
        buffers=_weights(found, found.buffers),
    )


def _shape(shape: Shape) -> list[int | str]:
    return [int(dim) if isinstance(dim, int) else str(dim) for dim in shape]


def _weights(found: Tried, named: Mapping[str, Ints]) -> list[WeightModel]:
    return [
        WeightModel(name=name, shape=list(shape), formula=list(found.formulas[name])) for name, shape in named.items()
    ]


def _initialiser(name: str) -> InitialiserModel:
    known = INITIALISERS[name]
    return InitialiserModel(
        name=name,
        signature=describe(name, known.fields),
        arguments=list(map(_argument, known.fields)),
        pytorch=PyTorchModel(name=known.function, helper=bool(known.support)),
    )


def _block(found: ShippedBlock) -> BlockModel:
    kind: Literal["block", "network"] = "network" if found.kind == "network" else "block"
    return BlockModel(name=found.name, kind=kind, signature=found.signature, doc=found.doc, imported=found.imported)
