"""Emitted modules under what PyTorch can do with a module."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest
import torch
from emitted import NETWORKS, load, shapes, small, tensors
from torch import Tensor, nn

# Every feature and a quick one of the shipped; `--thorough` takes all that are shipped, which have nothing but
# features, and the whole EfficientNet, of which a few blocks are a feature of their own.
CHOSEN = [name for name in NETWORKS if ("." in name and name != "efficientnet.EfficientNetB0") or name == "ResNet18"]
# PyTorch's CPU has no bfloat16 kernel for the three-dimensional average pooling that these use (`lrn` does): their
# types are followed on the meta device.
NO_KERNEL = ("AlexNet", "GoogLeNet2014", "SegNetBasic", "ranks.Volume3d")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = NETWORKS if metafunc.config.getoption("--thorough") else CHOSEN
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names)
    elif "names" in metafunc.fixturenames:
        groups = {"features": [name for name in names if "." in name]}
        groups |= {name: [name] for name in names if "." not in name}
        metafunc.parametrize("names", groups.values(), ids=groups)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)
    torch.compiler.reset()


def images(name: str, batch: int = 2) -> list[Tensor]:
    """At the typical sizes of the features, at small ones of the shipped networks."""
    return [torch.randn(batch, *shape) for shape in shapes(name, **({} if "." in name else small(name)))]


def close(left: Any, right: Any, tolerance: float = 1e-5) -> None:
    for a, b in zip(tensors(left), tensors(right), strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_export(name: str) -> None:
    """torch.export, at a batch size and image sizes that stay open."""
    net = load(name).eval()
    args = images(name)
    exported = torch.export.export(net, tuple(args), strict=True).module()
    close(exported(*args), net(*args))


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_compile_without_graph_breaks(name: str, training: bool) -> None:
    net = load(name).train(training)
    for module in net.modules():
        if hasattr(module, "p"):  # what draws random numbers
            module.p = 0.0
    compiled = torch.compile(copy.deepcopy(net), fullgraph=True, backend="eager")
    args = images(name)
    close(compiled(*args), net(*args))


class Together(nn.Module):
    """Several networks as one, whose inputs and outputs are those of all of them, in their order."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(load(name) for name in names)
        self.takes = [len(shapes(name)) for name in names]

    def forward(self, *args: Tensor) -> list[Tensor]:
        found: list[Tensor] = []
        for net, end, count in zip(self.nets, accumulate(self.takes), self.takes, strict=True):
            found += tensors(net(*args[end - count : end]))
        return found


def test_onnx(names: Sequence[str]) -> None:
    """ONNX export gives a model that the reference checker accepts, with the module's outputs.

    The features are exported as one module: to set the exporter up takes longer than most of them.
    """
    net = Together(names).eval()
    args = tuple(image for name in names for image in images(name, 1))
    program = torch.onnx.export(net, args, dynamo=True, verbose=False)
    assert program is not None
    assert len(program.model_proto.graph.output) == len(net(*args))


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_bfloat16(name: str, training: bool) -> None:
    device = "meta" if name in NO_KERNEL else "cpu"
    net = load(name).to(device, torch.bfloat16).train(training)
    for output in tensors(net(*(image.to(device, torch.bfloat16) for image in images(name)))):
        assert output.dtype == torch.bfloat16
        assert device == "meta" or output.isfinite().all()


def test_autocast(name: str) -> None:
    net = load(name).train()
    with torch.autocast("cpu", torch.bfloat16):
        outputs = tensors(net(*images(name)))
    torch.autograd.backward([output.float().sum() for output in outputs])
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())


def test_channels_last(name: str) -> None:
    """The same numbers, and the layout goes through the convolutions.

    In double precision: where two values are almost equal, a rounding decides where `max_unpool` puts the larger.
    """
    net = load(name).eval().double()
    args = [image.double() for image in images(name)]
    expected = net(*args)
    if all(arg.dim() == 4 for arg in args):
        net = net.to(memory_format=torch.channels_last)
        args = [arg.to(memory_format=torch.channels_last) for arg in args]
    close(net(*args), expected, 1e-9)


def test_every_parameter_learns(name: str) -> None:
    """Backward runs in training mode (nothing was overwritten that it needs) and reaches all that is not fixed."""
    net = load(name).train()
    torch.autograd.backward([output.square().sum() for output in tensors(net(*images(name)))])
    assert [key for key, value in net.named_parameters() if value.requires_grad and value.grad is None] == []


def test_inputs_stay_as_they_are(name: str) -> None:
    """Nothing that is given to a module is overwritten."""
    args = images(name)
    before = [arg.clone() for arg in args]
    net = load(name).eval()
    first = net(*args)
    close(args, before, 0.0)
    close(net(*args), first, 0.0)


def test_copies_and_pickles() -> None:
    from emitted import execute, text

    names = execute(text("ResNet18"))
    net = names["ResNet18"](classes=10).eval()
    image = torch.randn(1, 3, 64, 64)
    close(copy.deepcopy(net)(image), net(image), 0.0)
    state = pickle.loads(pickle.dumps(net.state_dict()))
    other = names["ResNet18"](classes=10).eval()
    other.load_state_dict(state)
    close(other(image), net(image), 0.0)
