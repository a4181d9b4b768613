"""Random networks with hints: what is emitted runs on fake CUDA devices, with the transfers that are listed.

Fake CUDA tensors refuse to mix devices. Each network is held against the rules of the manual as `hinted.py` applies
them, in evaluation and in training; and on the CPU against the interpreted graph. The suite takes a few of them:

    python -m pytest tests/emit/test_hinted.py --thorough -n 2 --seed 1
"""

from __future__ import annotations

from collections import Counter
from math import prod
from random import Random
from typing import Any

import pytest
import torch
from emitted import execute, tensors
from hinted import SIZE, Expected, Writer, expected
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from whole.interpreter import interpret

from archdsl.compiler import Compilation
from archdsl.graph.model import Network
from archdsl.passes.place import place
from archdsl.passes.table import table

PARTS, NETWORKS, THOROUGH = 4, 15, 500  # networks of each part

Moved = tuple[str, str, int]  # from, to, bytes


class Transfers(TorchDispatchMode):
    """The transfers between devices. A tensor that arrives twice at one device is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[Moved] = Counter()
        self._moved: dict[tuple[int, str], torch.Tensor] = {}  # keeps what moved alive, so that no two have one id

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default and args[0].device != result.device:
            key = id(args[0]), str(result.device)
            assert key not in self._moved, "a value arrives twice"
            self._moved[key] = args[0]
            self.seen[str(args[0].device), str(result.device), result.numel() * result.element_size()] += 1
        return result


@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks(part: int, request: pytest.FixtureRequest) -> None:
    thorough = request.config.getoption("--thorough")
    start = 1_000_000 * int(request.config.getoption("--seed")) + 10_000 * part
    for number in range(start, start + (THOROUGH if thorough else NETWORKS)):
        text = Writer(Random(number)).spec()
        try:
            compared(text)
        except Exception as error:
            error.add_note(f"network {number}:\n{text}")
            raise


def compared(text: str) -> None:
    spec = Compilation.from_text(text)
    if {each.code for each in spec.diagnostics} == {"E0507"}:  # a shared module under two hints
        return
    network = spec.network()
    want = expected(network)
    listed_as_expected(network, want)
    cls = execute(spec.compile())["Net"]
    if network.scope.hinted:
        runs_as_expected(cls, network, want)
    means_the_same(cls, network)


def device(gpu: int) -> str:
    return f"cuda:{gpu}"


def size_of(value: Any) -> int:
    """Bytes at the typical size."""
    elements = prod(dim if isinstance(dim, int) else dim.at(dict.fromkeys("LDHW", SIZE)) for dim in value.shape)
    return elements * (8 if value.companion is not None else 4)


def sizes(value: Any) -> list[int]:
    """The shape of an input."""
    return [4, *[SIZE] * (len(value.shape) - 1)]


def moves(want: Expected, training: bool) -> Counter[Moved]:
    return Counter((device(a), device(b), size_of(value)) for value, a, b in want.moves(training))


def listed_as_expected(network: Network, want: Expected) -> None:
    """The transfers of the table are those that the rules ask for."""
    found = table(network).transfers
    for training in (False, True):
        rows = [row for row in found if training or not row.training]
        assert Counter((device(r.source), device(r.target), r.bytes) for r in rows) == moves(want, training)


def runs_as_expected(cls: Any, network: Network, want: Expected) -> None:
    """On fake devices the weights are where they belong, and a forward pass makes exactly the transfers listed."""
    placed = place(network)
    gpus = sorted(placed.used)
    with FakeTensorMode(allow_non_fake_inputs=False):
        net = cls(devices=[device(gpu) for gpu in gpus])
        assert {key: str(value.device) for key, value in net.named_parameters()} == {
            key: device(gpu) for key, gpu in want.weights.items()
        }
        inputs = [torch.empty(1, *sizes(value), device=device(placed.of[value])) for value in network.scope.inputs]
        for training in (False, True):
            with Transfers() as seen:
                net.train(training)(*inputs)
            assert seen.seen == moves(want, training)


def means_the_same(cls: Any, network: Network) -> None:
    """On one device the values are those of the graph, interpreted, in both modes."""
    torch.manual_seed(0)
    net = cls().double()
    inputs = [torch.randn(2, *sizes(value), dtype=torch.float64) for value in network.scope.inputs]
    for training in (False, True):
        state = {key: value.clone() for key, value in net.state_dict().items()}
        with torch.no_grad():
            ours = net.train(training)(*[each.clone() for each in inputs])
            theirs = [each for each in interpret(network, inputs, state, training)[0].values() if each is not None]
        for mine, its in zip(tensors(ours), theirs, strict=True):
            torch.testing.assert_close(mine, its)
