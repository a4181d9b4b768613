"""Hinted programs on two GPUs that nobody has: what moves, and that nothing else is mixed."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest import mock

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from archdsl.graph.model import Network
from archdsl.passes.cost import Cost
from archdsl.passes.integers import integers
from archdsl.passes.place import all_moves, place


class _Transfers(TorchDispatchMode):
    """What moves between devices, with its bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[tuple[str, str, int]] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default and args[0].device != result.device:
            self.seen[(str(args[0].device), str(result.device), result.numel() * result.element_size())] += 1
        return result


def transfers(cls: Any, network: Network) -> Counter[tuple[str, str, int]]:
    """What a forward pass moves in training, for two images.

    Raises RuntimeError where devices are mixed, in evaluation too.
    """
    cost, placed, ids = Cost(network), place(network), integers(network.scope)
    names = tuple(f"cuda:{i}" for i in sorted(placed.used))
    with FakeTensorMode(allow_non_fake_inputs=False), torch.no_grad():
        with mock.patch.object(nn.init, "trunc_normal_"):  # it asks for numbers, which fake tensors do not have
            module: Any = cls(devices=names)
        inputs = [
            torch.zeros(
                2, *cost.shape(value.shape),
                dtype=torch.long if value in ids else None, device=f"cuda:{placed.of[value]}",
            )
            for value in network.scope.inputs
        ]  # fmt: skip
        module.eval()(*inputs)
        with _Transfers() as seen:
            module.train()(*inputs)
    return seen.seen


def listed(network: Network) -> Counter[tuple[str, str, int]]:
    """What the placement lists, floats in float32 and for two images."""
    cost = Cost(network)
    return Counter(
        (f"cuda:{move.source}", f"cuda:{move.target}", 2 * cost.size_of(move.value))
        for _, move in all_moves(place(network))
    )
