"""What each device holds and does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from archdsl.compiler import Compilation
from archdsl.passes.cost import Cost
from archdsl.passes.devices import Totals, devices

ROOT = Path(__file__).parents[2]
SPECS = [
    *sorted((ROOT / "tests/emit/features").glob("*.arch")),
    *(ROOT / f"specs/{n}.arch" for n in ("alexnet", "googlenet")),
]


def sums(found: tuple[Totals, ...]) -> tuple[int, ...]:
    names = ("params", "training_params", "buffers", "macs", "inference", "training")
    return tuple(sum(getattr(each, name) for each in found) for name in names)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_one_device_is_the_network(path: Path) -> None:
    """Where there is one device it has all; where there are several, they have the parameters and MACs together."""
    for network in Compilation.from_path(path).networks:
        cost, trained = Cost(network), Cost(network, training=True)
        whole = (cost.params, trained.params, cost.buffers, cost.macs, cost.memory(3), trained.training_memory(3))
        found = devices(network, batch=3)
        if len(found) == 1:
            assert sums(found) == whole
        else:
            assert sums(found)[:4] == whole[:4]
            assert all(ours >= all_on_one for ours, all_on_one in zip(sums(found)[4:], whole[4:], strict=True))


def test_a_copy_counts_on_both_devices() -> None:
    spec = """network Net {
      input x: [2, H=4, W=4]                # 128 bytes
      a = conv(4, 1)                        # 256 bytes on gpu(0), 12 parameters
      b = conv(8, 1) on gpu(1)              # a copy of `a` and 512 bytes, 40 parameters
      batchnorm                             # 512 bytes
    }"""
    near, far = devices(Compilation.from_text(spec).network())
    assert near == Totals(0, 12, 12, 0, 2 * 4 * 16, inference=128 + 256, training=128)
    # Kept for training: the copy of `a`, the input of batchnorm, and its mean and deviation.
    assert far == Totals(1, 40 + 16, 56, 17, 4 * 8 * 16, inference=512 + 512, training=256 + 512 + 2 * 4 * 8)


def test_a_shared_module_counts_once_and_a_training_section_in_training() -> None:
    spec = """network Net {
      input x: [4, H=4, W=4]
      shared h = conv(4, 1) on gpu(1)
      h
      h
      training { output aux = conv(4, 1) on gpu(2) }
      relu on gpu(0)
    }"""
    found = devices(Compilation.from_text(spec).network())
    assert [(each.params, each.training_params) for each in found] == [(0, 0), (20, 20), (0, 20)]
    assert [each.macs for each in found] == [0, 2 * 4 * 4 * 16, 0]
    assert found[2].inference == 0


CUDA = ("cuda:0", "cuda:1")
KEPT = """
block towers {
  concat { for g in 0..1 { tower[g] = { conv(4, 3, padding=1) -> relu } on gpu(g) } } -> conv(4, 1) -> sigmoid
}
network Net {
  input x: [4, H=6, W=6]
  a = towers
  b = towers on gpu(1)
  gate { conv(4, 1) on gpu(0) }
  residual { maxpool(3, stride=1, padding=1) -> conv(4, 1) on gpu(1) }
  last = global_avgpool -> flatten -> linear(3) on gpu(0)
}
"""


def test_what_autograd_keeps_on_each_device() -> None:
    """Held against what PyTorch saves on fake devices, to the byte: each tensor once, and no parameters."""
    spec = Compilation.from_text(KEPT)
    names: dict[str, object] = {"__name__": "emitted"}
    exec(compile(spec.compile(), "emitted.py", "exec"), names)
    kept: dict[int, tuple[str, int]] = {}
    held: list[torch.Tensor] = []  # so that no memory is used again
    with FakeTensorMode(allow_non_fake_inputs=False):
        net = names["Net"](devices=CUDA)  # type: ignore[operator]  # a class
        own = {each.untyped_storage()._cdata for each in net.parameters()}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            held.append(tensor)
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                kept[storage._cdata] = (str(tensor.device), storage.nbytes())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            output = net(torch.empty(2, 4, 6, 6, device="cuda:0"))
        assert output.requires_grad
    found: Counter[str] = Counter()
    for device, size in kept.values():
        found[device] += size
    assert found == {f"cuda:{each.device}": each.training for each in devices(spec.network(), batch=2)}
