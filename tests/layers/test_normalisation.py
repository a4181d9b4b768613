"""Which maps and batches torch normalises, in evaluation and in training, is what the manual says of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from archdsl.compiler import Compilation
from archdsl.runtime.load import load

SHAPES = [(4,), (4, 1), (4, 3), (4, 1, 1), (4, 1, 2), (4, 1, 1, 1), (4, 1, 2, 1)]
# A call → whether evaluation takes a map of some channels and positions; whether training takes a batch of it.
CALLS = {
    "batchnorm": (lambda c, n: True, lambda c, n, batch: batch * n > 1),
    "batchnorm(track_running_stats=false)": (lambda c, n: n > 1, lambda c, n, batch: True),
    "instancenorm": (lambda c, n: n > 1, lambda c, n, batch: True),
    "instancenorm(track_running_stats=true)": (lambda c, n: True, lambda c, n, batch: n > 1),
    "groupnorm(1)": (lambda c, n: c * n > 1, lambda c, n, batch: True),
    "groupnorm(2)": (lambda c, n: c * n > 2, lambda c, n, batch: True),
    "groupnorm(4)": (lambda c, n: c * n > 4, lambda c, n, batch: True),
    "layernorm": (lambda c, n: True, lambda c, n, batch: True),
}


def takes(module: nn.Module, batch: int, shape: tuple[int, ...], *, training: bool) -> bool:
    try:
        module.train(training)(torch.zeros(batch, *shape))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("call", CALLS)
def test_a_size_is_accepted_if_evaluation_takes_it_in_every_batch(call: str) -> None:
    evaluation, training = CALLS[call]
    for shape in SHAPES:
        if call.startswith("instancenorm") and len(shape) == 1:
            continue
        spec = Compilation.from_text(f"network Net {{\n  input x: {list(shape)}\n  {call}\n}}\n")
        positions = torch.Size(shape[1:]).numel()
        assert spec.ok == evaluation(shape[0], positions), shape
        module = load(spec) if spec.ok else built(call, shape)
        found = [takes(module, batch, shape, training=False) for batch in (1, 2, 3)]
        assert all(found) == spec.ok, (shape, found)
        for batch in (1, 2) if spec.ok else ():
            assert takes(module, batch, shape, training=True) == training(shape[0], positions, batch), (shape, batch)


def built(call: str, shape: tuple[int, ...]) -> nn.Module:
    """What a refused call would become."""
    rank = max(1, len(shape) - 1)
    if call.startswith("groupnorm"):
        return nn.GroupNorm(int(call[-2]), shape[0])
    if call.startswith("batchnorm"):
        made: nn.Module = getattr(nn, f"BatchNorm{rank}d")(shape[0], track_running_stats=False)
    else:
        made = getattr(nn, f"InstanceNorm{rank}d")(shape[0])
    return made
