"""What each shipped network keeps for the backward pass, against what autograd keeps, to the byte.

They run on the meta device, at the size of their papers; under `--thorough` all of them, and on the CPU at the
smallest sizes that they accept, which shows that the meta device keeps the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from rows import SPECS, compilation, emitted

from archdsl.compiler import accepted
from archdsl.passes.cost import Cost

FILES = [path.name for path in sorted(SPECS.glob("*.arch"))]
NETWORKS = [(file, each.node.name) for file in FILES for each in compilation(file).definitions]
# The quick ones: a joint at least of every family.
QUICK = {
    "AlexNet", "AlexNetTorchvision", "Bottleneck", "DeconvNet", "FCN8s", "GoogLeNet2014", "ResNet18", "SegNet",
    "SegNetBasic", "UNet", "UNetPadded", "VGG11", "VGG16BN",
}  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    thorough = metafunc.config.getoption("--thorough")
    devices = ("meta", "cpu") if thorough else ("meta",)
    cases = [(*case, device) for case in NETWORKS for device in devices if thorough or case[1] in QUICK]
    metafunc.parametrize(("file", "name", "device"), cases, ids=[f"{name}-{device}" for _, name, device in cases])


def test_training_memory(file: str, name: str, device: str, left_behind: Callable[..., int]) -> None:
    network = compilation(file).network(name)
    sizes = accepted(network).smallest() if device == "cpu" else None
    cost = Cost(network, sizes, training=True)
    with torch.device(device), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = [torch.zeros(2, *cost.shape(value.shape)) for value in network.scope.inputs]
        found = left_behind(emitted(file, name)(), *inputs)
    assert cost.training_memory(2) == found
