"""The specs of dense prediction against what their authors published: every layer, what it gives and what it costs.

`originals/*.tsv` were counted from the authors' own definitions by a counter that knows nothing of archdsl. Every layer
is compared, those without parameters too; and where a spec takes over the authors' names, they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from rows import Row, emitted, every_row, squeezed
from torch import Tensor, nn

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


# --- outputs --------------------------------------------------------------------------------------------------------

CHAINS = {"segnet": (45, 62), "segnet-basic": (45, 62), "deconvnet": (193, 200)}  # each layer takes the one before it


def by_hand(layers: list[Row], x: Tensor, weights: list[Tensor]) -> Tensor:
    """What the authors' list of layers computes, by functions of PyTorch; dropout does nothing in evaluation."""
    take = iter(weights)
    size = layers[0].output[1]  # at the size of the figures, to find each padding
    pooled: list[tuple[Tensor, torch.Size]] = []
    for layer in layers:
        out = layer.output[1] if len(layer.output) == 3 else 1
        match layer.kind:
            case "conv":
                weight, bias = next(take), next(take)
                x = F.conv2d(x, weight, bias, padding=(out - size + weight.shape[2] - 1) // 2)
            case "deconv":
                weight, bias = next(take), next(take)
                x = F.conv_transpose2d(x, weight, bias, padding=(size + weight.shape[2] - 1 - out) // 2)
            case "batchnorm":
                weight, bias, mean, var, _count = (next(take) for _ in range(5))
                x = F.batch_norm(x, mean, var, weight, bias)
            case "relu":
                x = F.relu(x)
            case "lrn":
                x = F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)
            case "maxpool":
                before = x.shape[2:]
                x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
                pooled.append((indices, before))
            case "max_unpool":
                indices, before = pooled.pop()
                x = F.max_unpool2d(x, indices, 2, output_size=before)
        size = out
    assert next(take, None) is None, "every weight is used"
    return x


@pytest.mark.parametrize("original", [o for o in ORIGINALS if o.name in CHAINS], ids=lambda original: original.name)
def test_outputs(original: Original) -> None:
    torch.manual_seed(0)
    module: nn.Module = emitted(original.file, original.network)().eval()
    state = module.state_dict()
    for key, value in state.items():
        if key.endswith((".running_mean", ".running_var", ".bias")):
            value.add_(0.2 * torch.rand_like(value))
    x = torch.randn(1, 3, *CHAINS[original.name])
    with torch.inference_mode():
        ours, theirs = module(x), by_hand(list(published(original)), x, list(state.values()))
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()
