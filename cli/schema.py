"""The JSON that `check` and `summary` print, as versioned pydantic models.

A change that could break a reader (a key removed or renamed, another meaning) gets a new version in `schema`; new keys
do not.
Lines and columns count from 1, columns in characters; an end is the place after the last character.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from archdsl.cli.files import Spec
from archdsl.diagnostics import Diagnostic, Fix, Severity, in_order
from archdsl.graph.model import Network, Value
from archdsl.passes.accept import accepted, promised
from archdsl.passes.cost import Cost
from archdsl.passes.devices import Totals, devices
from archdsl.passes.receptive import Extent
from archdsl.passes.table import Row, Table, Transfer
from archdsl.sizes import Domain
from archdsl.source import Span

CHECK_SCHEMA: Literal["archdsl.check/1"] = "archdsl.check/1"
SUMMARY_SCHEMA: Literal["archdsl.summary/1"] = "archdsl.summary/1"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_json(self) -> str:
        """In ASCII, so that any text can be printed anywhere."""
        return json.dumps(self.model_dump(by_alias=True), indent=2)


class Place(Model):
    """Where something stands; `path` is the file's, which may be an imported one."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class LabelModel(Place):
    text: str


class EditModel(Place):
    """Another text in a place; at an empty place it is inserted."""

    text: str


class FixModel(Model):
    text: str = Field(description="what is said of it, empty if the finding says it; also in `help`")
    edits: list[EditModel] = Field(description="to be made together; no two overlap")


class DiagnosticModel(Place):
    code: str
    severity: Literal["error", "warning"]
    message: str
    label: str = Field(description="what is said at the very place")
    labels: list[LabelModel] = Field(description="further places, and what is said there")
    notes: list[str]
    help: list[str]
    fixes: list[FixModel] = Field(description="ways out as changes of the text, each of them one way")


class ValueModel(Model):
    """A tensor without its batch axis; a dim that depends on the input's size is a formula in its symbols."""

    name: str | None
    shape: list[int | str]
    training: bool = Field(default=False, description="made in training mode only")


class ValuesModel(Model):
    """The values of one symbol: the exceptions, and the residues of the period from minimum to maximum, inclusive."""

    minimum: int | None = Field(description="none: the exceptions are all there is")
    maximum: int | None = Field(description="none: without end")
    period: int
    residues: list[int]
    exceptions: list[int]


class SizesModel(Model):
    """A set of input sizes, exactly: each symbol has one of its values, and all relations hold."""

    words: str
    sizes: dict[str, ValuesModel]
    relations: list[str] = Field(description="between symbols, such as `H == W`")


class NetworkModel(Model):
    """A network with its default parameters, at its typical input size."""

    name: str
    params: int
    buffers: int
    macs: int
    inputs: list[ValueModel]
    outputs: list[ValueModel]
    layers: int
    accepts: SizesModel = Field(description="the input sizes it accepts")
    promises: SizesModel | None = Field(description="those that its author promises by `where`")


class FileModel(Model):
    path: str
    ok: bool
    diagnostics: list[DiagnosticModel]
    networks: list[NetworkModel] = Field(description="those whose shapes are sound; a claim may fail")


class CheckReport(Model):
    schema_: Literal["archdsl.check/1"] = Field(default=CHECK_SCHEMA, alias="schema")
    files: list[FileModel]


class ExtentModel(Model):
    """A receptive field along one axis of the first input, in its positions."""

    size: int = Field(description="the largest, over all paths and positions")
    smallest: int
    stride: int | str = Field(description="from one position to the next, as 1/2 if it is no integer; 0 if it stays")
    offset: int | None = Field(description="of what position 0 sees; negative in padding, null if it sees nothing")
    whole: bool = Field(description="every position sees all of the axis")


class RowModel(Model):
    """One application; the counts of a block include what is inside. `path` is that of its module."""

    path: list[str]
    what: str
    outputs: list[list[int]]
    receptive_fields: list[list[ExtentModel] | None] = Field(
        description="of each output along each spatial axis; null if it does not depend on the first input"
    )
    params: int
    buffers: int
    macs: int
    devices: list[int]
    training: bool
    again: bool = Field(description="a further application of a shared module")


class TransferModel(Model):
    """A value that moves; `path` and `line` are where the first of its users is applied."""

    value: str
    shape: list[int]
    bytes: int
    source: int
    target: int
    users: list[str]
    training: bool
    path: str
    line: int


class MemoryModel(Model):
    """Bytes of activations for the whole batch."""

    inference: int
    training: int


class DeviceModel(Model):
    """One device of a network that its spec places; a value that moved counts on both."""

    device: int
    params: int
    training_params: int
    buffers: int
    macs: int
    memory: MemoryModel


class SummaryModel(Model):
    """A network at one input size. Counts are for one item; FLOPs are twice the MACs."""

    path: str
    name: str
    inputs: list[ValueModel]
    accepts: SizesModel
    promises: SizesModel | None
    batch: int
    params: int
    training_params: int = Field(description="with what runs in training mode only")
    buffers: int
    macs: int
    flops: int
    memory: MemoryModel
    layers: list[RowModel]
    transfers: list[TransferModel]
    devices: list[DeviceModel] = Field(description="empty where the spec places nothing")


class SummaryReport(Model):
    schema_: Literal["archdsl.summary/1"] = Field(default=SUMMARY_SCHEMA, alias="schema")
    networks: list[SummaryModel]


def check_report(specs: Sequence[Spec]) -> CheckReport:
    """What `check --json` prints."""
    return CheckReport(files=[_file(spec) for spec in specs])


def _file(spec: Spec) -> FileModel:
    compilation = spec.compilation
    found = [_diagnostic(each) for each in in_order(compilation.diagnostics)]
    networks = [_network(each) for each in compilation.networks]
    return FileModel(path=spec.path, ok=compilation.ok, diagnostics=found, networks=networks)


def _diagnostic(found: Diagnostic) -> DiagnosticModel:
    return DiagnosticModel(
        **_place(found.span).model_dump(),
        code=found.code,
        severity="error" if found.severity is Severity.ERROR else "warning",
        message=found.message,
        label=found.label,
        labels=[LabelModel(**_place(label.span).model_dump(), text=label.text) for label in found.labels],
        notes=list(found.notes),
        help=list(found.advice),
        fixes=[_fix(each) for each in found.fixes],
    )


def _fix(fix: Fix) -> FixModel:
    return FixModel(
        text=fix.text, edits=[EditModel(**_place(each.span).model_dump(), text=each.text) for each in fix.edits]
    )


def _place(span: Span) -> Place:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return Place(path=span.source.path, line=line, column=column, end_line=end_line, end_column=end_column)


def _network(network: Network) -> NetworkModel:
    cost, scope = Cost(network), network.scope
    return NetworkModel(
        name=network.name,
        params=cost.params,
        buffers=cost.buffers,
        macs=cost.macs,
        inputs=[_value(name, value) for name, value in zip(scope.input_names, scope.inputs, strict=True)],
        outputs=[_value(result.name, result.value, result.training) for result in scope.results],
        layers=scope.layers,
        accepts=_sizes(accepted(network)),
        promises=_sizes(promise) if (promise := promised(network)) is not None else None,
    )


def _sizes(domain: Domain) -> SizesModel:
    return SizesModel.model_validate({"words": str(domain), **domain.to_json()})


def _value(name: str | None, value: Value, training: bool = False) -> ValueModel:
    shape = [int(dim) if isinstance(dim, int) else str(dim) for dim in value.shape]
    return ValueModel(name=name, shape=shape, training=training)


def summary_model(path: str, cost: Cost, trained: Cost, table: Table, batch: int) -> SummaryModel:
    """One network of what `summary --json` prints; `trained` is its cost in training mode."""
    network = cost.network
    named = zip(network.scope.input_names, network.scope.inputs, strict=True)
    return SummaryModel(
        path=path,
        name=network.name,
        inputs=[ValueModel(name=name, shape=list(cost.shape(value.shape))) for name, value in named],
        accepts=_sizes(accepted(network)),
        promises=_sizes(promise) if (promise := promised(network)) is not None else None,
        batch=batch,
        params=cost.params,
        training_params=trained.params,
        buffers=cost.buffers,
        macs=cost.macs,
        flops=cost.flops,
        memory=MemoryModel(inference=cost.memory(batch), training=trained.training_memory(batch)),
        layers=[_row(row) for row in table.rows],
        transfers=[_transfer(transfer) for transfer in table.transfers],
        devices=[_device(each) for each in devices(network, cost.sizes, batch)] if table.placed else [],
    )


def _row(row: Row) -> RowModel:
    return RowModel(
        path=list(row.path),
        what=row.what,
        outputs=[list(shape) for shape in row.shapes],
        receptive_fields=[None if found is None else list(map(_extent, found)) for found in row.sees],
        params=row.params,
        buffers=row.buffers,
        macs=row.macs,
        devices=list(row.devices),
        training=row.training,
        again=row.again,
    )


def _extent(found: Extent) -> ExtentModel:
    stride = found.stride
    return ExtentModel(
        size=found.size,
        smallest=found.smallest,
        stride=stride.numerator if stride.denominator == 1 else str(stride),
        offset=found.offset,
        whole=found.whole,
    )


def _transfer(transfer: Transfer) -> TransferModel:
    return TransferModel(
        value=transfer.value,
        shape=list(transfer.shape),
        bytes=transfer.bytes,
        source=transfer.source,
        target=transfer.target,
        users=list(transfer.users),
        training=transfer.training,
        path=transfer.span.source.path,
        line=transfer.span.line,
    )


def _device(each: Totals) -> DeviceModel:
    return DeviceModel(
        device=each.device,
        params=each.params,
        training_params=each.training_params,
        buffers=each.buffers,
        macs=each.macs,
        memory=MemoryModel(inference=each.inference, training=each.training),
    )
