"""The specs of dense prediction against what their authors published: every layer, what it gives and what it costs.

`originals/*.tsv` were counted from the authors' own definitions by a counter that knows nothing of archdsl. Every layer
is compared, those without parameters too; and where a spec takes over the authors' names, they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rows import Row, every_row, squeezed

HERE = Path(__file__).parent
KINDS = {
    "BN": "batchnorm",
    "Convolution": "conv",
    "Crop": "crop",
    "Deconvolution": "deconv",
    "Dropout": "dropout",
    "Eltwise": "add",
    "LRN": "lrn",
    "Pooling": "maxpool",
    "ReLU": "relu",
    "Unpooling": "max_unpool",
    "Upsample": "max_unpool",
}
UNNAMED = ("dropout", "relu")  # kinds of layers that the specs do not label
# The data, and what is done with the scores.
NO_LAYERS = ("DenseImageData", "Input", "Python", "Softmax", "SoftmaxWithLoss")


@dataclass(frozen=True)
class Original:
    name: str
    file: str
    network: str
    named: bool = False  # whether the spec has the authors' names
    left_out: tuple[str, ...] = ()  # kinds of layers that the authors' file for inference leaves out


ORIGINALS = [
    Original("fcn32s", "fcn.arch", "FCN32s", named=True),
    Original("fcn16s", "fcn.arch", "FCN16s", named=True),
    Original("fcn8s", "fcn.arch", "FCN8s", named=True, left_out=("dropout",)),
    Original("segnet", "segnet.arch", "SegNet"),
    Original("segnet-basic", "segnet.arch", "SegNetBasic"),
    Original("deconvnet", "deconvnet.arch", "DeconvNet"),
]
NAMED = [original for original in ORIGINALS if original.named]


def published(original: Original) -> Iterator[Row]:
    lines = (HERE / "originals" / f"{original.name}.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "layer\ttype\tout\tparams\tmacs"
    for line in lines[1:]:
        name, kind, out, params, macs = line.split("\t")
        if kind not in NO_LAYERS:
            yield Row(name, KINDS[kind], shape(out), int(params), int(macs or 0))


def shape(out: str) -> tuple[int, ...]:
    """Without the batch of one. A pooling that keeps its indices has two outputs of one shape."""
    first = out.split("]x[")[0].strip("[").replace(", ", "x")
    batch, *rest = (int(part) for part in first.split("x"))
    assert batch == 1
    return squeezed(tuple(rest))


def ours(original: Original) -> list[Row]:
    return [row for row in every_row(original.file, original.network) if row.kind not in original.left_out]


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_layer_by_layer(original: Original) -> None:
    theirs = list(published(original))
    for our, their in zip(ours(original), theirs, strict=False):
        assert facts(our) == facts(their), f"{our.name} is not the original's {their.name}"
    assert len(ours(original)) == len(theirs)


@pytest.mark.parametrize("original", NAMED, ids=lambda original: original.name)
def test_names(original: Original) -> None:
    named = [row.name.rpartition(".")[2] for row in ours(original) if row.kind not in UNNAMED]
    assert named == [row.name for row in published(original) if row.kind not in UNNAMED]


def facts(row: Row) -> tuple[str, tuple[int, ...], int, int]:
    return row.kind, row.output, row.params, row.macs
