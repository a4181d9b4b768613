"""One model of `eager_cost`, in a process of its own: `python -m benchmarks.eager_pair resnet50 SPEC NETWORK ROUNDS`.

Prints, for a forward pass and for one with its backward pass, the seconds of both modules and their ratio. The two take
turns, and who begins alternates; times are of computing, on one thread, so that other programs count little.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from archdsl.compiler import Compilation

SHAPE = (2, 3, 224, 224)


def compiled(spec: str, network: str) -> nn.Module:
    """The module that archdsl writes for a network."""
    names: dict[str, Any] = {}
    exec(compile(Compilation.from_path(spec).compile(network), spec, "exec"), names)
    module: nn.Module = names[network]()
    return module


def forward(module: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        module(x)


def forward_and_backward(module: nn.Module, x: Tensor) -> None:
    out = module(x)
    total = sum(each.sum() for each in out) if isinstance(out, tuple) else out.sum()
    total.backward()


def seconds(task: Callable[[nn.Module, Tensor], None], module: nn.Module, x: Tensor) -> float:
    start = process_time()
    task(module, x)
    return process_time() - start


def compared(
    task: Callable[[nn.Module, Tensor], None], pair: tuple[nn.Module, nn.Module], rounds: int
) -> tuple[float, float, float]:
    """Median seconds of both, and the median over the rounds of the ratio within a round."""
    x = torch.randn(SHAPE)
    times: list[tuple[float, float]] = []
    for turn in range(rounds + 2):
        first = turn % 2
        one, other = seconds(task, pair[first], x), seconds(task, pair[1 - first], x)
        if turn >= 2:  # the first round of each order warms up
            times.append((one, other) if first == 0 else (other, one))
    ours, theirs = zip(*times, strict=True)
    return median(ours), median(theirs), median(a / b for a, b in times)


def main(name: str, spec: str, network: str, rounds: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    options = {"init_weights": False} if name == "googlenet" else {}
    theirs = torchvision.models.get_model(name, weights=None, **options)
    ours = compiled(spec, network)
    ours.load_state_dict(theirs.state_dict())
    for what, task, training in (
        ("forward", forward, False),
        ("forward and backward", forward_and_backward, True),
    ):
        pair = (ours.train(training), theirs.train(training))
        print(what, *compared(task, pair, rounds), sep="\t")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
