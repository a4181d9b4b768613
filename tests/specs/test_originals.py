"""The specs against what their authors published: every convolution and dense layer, its shape, parameters and MACs.

`originals/*.tsv` were counted from the authors' own definitions by a counter that knows nothing of archdsl. Where a
spec differs from them on purpose, the layers that differ are named here, with what is different about each; nothing is
compared loosely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rows import Row, cost, rows, squeezed

HERE = Path(__file__).parent
Order = Callable[[list[Row]], list[Row]]
Delta = Callable[[Row], Row]


def as_it_is(rows: list[Row]) -> list[Row]:
    return rows


def by_tower(rows: list[Row]) -> list[Row]:
    """cuda-convnet interleaves towers a and b; the spec has conv1 and conv2 of each, then conv3 to conv5 of each."""

    def key(row: Row) -> tuple[bool, ...]:
        tower = row.name.startswith("conv")
        return (not tower, tower and row.name[4] in "345", tower and row.name.endswith("b"))

    return sorted(rows, key=key)


def projection_last(rows: list[Row]) -> list[Row]:
    """Caffe's files state a projection (branch1) before the three convolutions beside it, the specs after them."""
    moved = list(rows)
    for i, row in enumerate(rows):
        if row.name.endswith("branch1"):
            moved[i : i + 4] = [*rows[i + 1 : i + 4], row]
    return moved


def heads_last(rows: list[Row]) -> list[Row]:
    """The auxiliary heads stand between the spec's last inception block and its classifier."""
    return sorted(rows, key=lambda row: row.name.startswith("loss") and int(row.name[4]))


def no_bias(row: Row) -> Row:
    """The authors' first convolution has a bias, which the batch normalisation after it takes out again."""
    return replace(row, params=row.params - row.output[0])


def stride_later(row: Row) -> Row:
    """The authors put a stage's stride on its first 1x1 convolution; the spec puts it on the 3x3 after that."""
    channels, height, width = row.output
    return replace(row, output=(channels, 2 * height, 2 * width), macs=4 * row.macs)


STRIDES = {f"res{stage}a_branch2a": stride_later for stage in (3, 4, 5)}


@dataclass(frozen=True)
class Original:
    name: str
    file: str
    network: str
    order: Order = as_it_is
    deltas: dict[str, Delta] = field(default_factory=dict)

    @property
    def every_row(self) -> list[Row]:
        lines = (HERE / "originals" / f"{self.name}.tsv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "layer\ttype\tout\tparams\tmacs"
        return [_row(*line.split("\t")) for line in lines[1:]]

    @property
    def rows(self) -> list[Row]:
        """The convolutions and dense layers, in the spec's order, with what the spec does differently."""
        found = self.order([row for row in self.every_row if row.macs])
        return [self.deltas[row.name](row) if row.name in self.deltas else row for row in found]


def _row(name: str, kind: str, out: str, params: str, macs: str) -> Row:
    if not macs:
        return Row(name, kind, (), int(params), 0)
    shape = tuple(int(part) for part in out.split("x"))
    batch = 1
    if kind in ("Convolution", "InnerProduct"):  # Caffe's shapes have the batch, cuda-convnet's do not
        batch, *rest = shape
        shape = tuple(rest)
    assert int(macs) % batch == 0
    return Row(name, kind, squeezed(shape), int(params), int(macs) // batch)


ORIGINALS = [
    Original("alexnet-2012-two-gpu", "alexnet.arch", "AlexNet", by_tower),
    Original("vgg16", "vgg16.arch", "VGG16"),
    Original("vgg19", "vgg19.arch", "VGG19"),
    Original("googlenet-with-aux", "googlenet_2014.arch", "GoogLeNet2014", heads_last),
    Original("resnet50", "resnet50.arch", "ResNet50", projection_last, {"conv1": no_bias, **STRIDES}),
    Original("resnet101", "resnet101.arch", "ResNet101", projection_last, STRIDES),
    Original("resnet152", "resnet152.arch", "ResNet152", projection_last, STRIDES),
    Original("densenet121", "densenet121.arch", "DenseNet121"),
    Original("densenet161", "densenet161.arch", "DenseNet161"),
]
each = pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)


@each
def test_layer_by_layer(original: Original) -> None:
    ours = rows(original.file, original.network)
    theirs = original.rows
    for our, their in zip(ours, theirs, strict=False):
        assert facts(our) == facts(their), f"{our.name} is not the original's {their.name}"
    assert len(ours) == len(theirs)


@each
def test_all_parameters(original: Original) -> None:
    """With those of normalisation, which have no MACs."""
    changed = sum(row.params for row in original.rows) - sum(row.params for row in original.every_row if row.macs)
    assert cost(original.file, original.network).params == sum(row.params for row in original.every_row) + changed


def test_the_towers_add_up_to_caffes_groups() -> None:
    """BVLC's AlexNet is one tower whose conv2, conv4 and conv5 have two groups: the two towers side by side."""
    towers = rows("alexnet.arch", "AlexNet")
    halves = [
        [r for r in towers if label in r.name.split(".")] for label in ("conv1", "conv2", "conv3", "conv4", "conv5")
    ]
    halves += [[r for r in towers if r.name.startswith(label)] for label in ("fc6", "fc7", "fc8")]
    assert [len(pair) for pair in halves] == [2, 2, 2, 2, 2, 2, 2, 1]
    assert [facts(together(pair)) for pair in halves] == [facts(r) for r in Original("alexnet-caffe", "", "").rows]


def together(parts: Sequence[Row]) -> Row:
    channels = sum(part.output[0] for part in parts)
    return replace(
        parts[0],
        output=(channels, *parts[0].output[1:]),
        params=sum(p.params for p in parts),
        macs=sum(p.macs for p in parts),
    )


def facts(row: Row) -> tuple[tuple[int, ...], int, int]:
    return row.output, row.params, row.macs
