"""Placement: AlexNet's two towers on two GPUs, which nobody needs to have: fake CUDA tensors refuse to mix devices."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from emitted import compilation, execute, load, networks, tensors, text
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from archdsl.compiler import Compilation
from archdsl.passes.cost import Cost
from archdsl.passes.place import all_moves, place

CUDA = ("cuda:0", "cuda:1")


class Transfers(TorchDispatchMode):
    """Counts what moves between devices: the bytes of each transfer, with its direction."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, int]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default and args[0].device != result.device:
            self.seen.append((str(args[0].device), str(result.device), result.numel() * result.element_size()))
        return result


@contextmanager
def fake() -> Iterator[None]:
    with FakeTensorMode(allow_non_fake_inputs=False):
        yield


def gradients(outputs: Sequence[Tensor]) -> dict[Tensor, Tensor]:
    """The gradient of the outputs' sum with respect to each leaf.

    PyTorch's own engine asks the CUDA driver for its streams, and there is none. This runs the same nodes of the same
    autograd graph, each after all that feed it.
    """
    waiting: Counter[Any] = Counter()
    roots = [output.grad_fn for output in outputs]
    stack, seen = list(roots), set(roots)
    while stack:
        for node, _ in stack.pop().next_functions:
            if node is not None:
                waiting[node] += 1
                if node not in seen:
                    seen.add(node)
                    stack.append(node)
    arrived: dict[Any, dict[int, Tensor]] = {}
    for output in outputs:
        arrived.setdefault(output.grad_fn, {})[output.output_nr] = torch.ones_like(output)
    ready = [node for node in seen if not waiting[node]]
    leaves: dict[Tensor, Tensor] = {}
    while ready:
        node = ready.pop()
        given = arrived.pop(node)
        if hasattr(node, "variable"):
            leaves[node.variable] = given[0]
            continue
        result = node(*(given.get(i) for i in range(max(given) + 1)))
        for (target, index), gradient in zip(
            node.next_functions, result if isinstance(result, tuple) else (result,), strict=True
        ):
            if target is None:
                continue
            slots = arrived.setdefault(target, {})
            slots[index] = slots[index] + gradient if index in slots else gradient
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return leaves


def listed(network: str, spec: Compilation) -> list[tuple[str, str, int]]:
    """The transfers of a forward pass as the placement has them, for one image in single precision."""
    found = spec.network(network)
    cost = Cost(found)
    moves = []
    for _, move in all_moves(place(found)):
        size = 1
        for dim in cost.shape(move.value.shape):
            size *= dim
        moves.append((f"cuda:{move.source}", f"cuda:{move.target}", 4 * size))
    return moves


@pytest.mark.parametrize("name", ["AlexNet", "devices.Devices"])
def test_two_fake_gpus(name: str) -> None:
    """Forward and backward run, with the transfers that the placement lists and their mirror images."""
    path, network = networks()[name]
    found = compilation(path).network(network)
    shape = Cost(found).shape(found.scope.inputs[0].shape)
    with fake():
        net = load(name, devices=CUDA).eval()
        image = torch.empty(1, *shape, device="cuda:0", requires_grad=True)
        with Transfers() as forward:
            output = tensors(net(image))
        with Transfers() as backward:
            leaves = gradients(output)
    expected = listed(network, compilation(path))
    assert Counter(forward.seen) == Counter(expected)
    assert expected, "nothing moves: the test shows nothing"
    assert Counter(backward.seen) == Counter((target, source, size) for source, target, size in expected)
    assert set(leaves) == {image, *net.parameters()}
    assert all(leaf.device == gradient.device for leaf, gradient in leaves.items())


@pytest.mark.parametrize("name", ["AlexNet", "devices.Devices"])
def test_every_parameter_is_built_where_it_belongs(name: str) -> None:
    """No parameter is made on another device first, and the `state_dict` does not depend on the devices."""
    with fake():
        placed = load(name, devices=CUDA)
        devices = {key: str(value.device) for key, value in placed.state_dict().items()}
        plain = load(name)
        keys = {key: tuple(value.shape) for key, value in plain.state_dict().items()}
        assert {key: tuple(value.shape) for key, value in placed.state_dict().items()} == keys
        assert {str(value.device) for value in plain.state_dict().values()} == {"cpu"}
    assert set(devices.values()) == set(CUDA)
    if name == "AlexNet":
        towers = {key: device for key, device in devices.items() if key.split(".")[1].startswith(("tower", "half"))}
        assert all(device == f"cuda:{key.split('.')[1][-1]}" for key, device in towers.items())
        assert devices["fc8.weight"] == "cuda:0"


def test_one_fake_gpu_for_all() -> None:
    """One file runs anywhere: without `devices`, the module goes where `to` sends it."""
    assert load("AlexNet").to("meta")(torch.empty(1, 3, 227, 227, device="meta")).device.type == "meta"
    with fake():
        with torch.device("cuda:1"):
            net = load("AlexNet")
        assert str(net(torch.empty(1, 3, 227, 227, device="cuda:1")).device) == "cuda:1"
        net = load("AlexNet", devices=("cuda:1", "cuda:1"))
        with Transfers() as transfers:
            net(torch.empty(1, 3, 227, 227, device="cuda:1"))
    assert transfers.seen == []


def test_mixed_devices_raise() -> None:
    """The fake devices would notice a transfer that is missing."""
    with fake(), pytest.raises(RuntimeError, match=r"cuda:1|same device"):
        load("AlexNet", devices=CUDA)(torch.empty(1, 3, 227, 227, device="cuda:1"))


def test_wrong_number_of_devices() -> None:
    with pytest.raises(ValueError, match=r"AlexNet takes 2 devices, for gpu\(0\) and gpu\(1\), not 1"):
        load("AlexNet", devices=("cpu",))


class Grouped(nn.Module):
    """AlexNet as one tower whose convolutions have two groups where the paper's two GPUs do not meet."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = nn.Linear(9216, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 1000)

    def norm(self, x: Tensor) -> Tensor:
        """Each GPU's channels have their own normalisation."""
        halves = (F.local_response_norm(half, 5, alpha=0.0005, beta=0.75, k=2.0) for half in x.chunk(2, dim=1))
        return F.max_pool2d(torch.cat(tuple(halves), dim=1), 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(F.relu(self.conv1(x)))
        x = self.norm(F.relu(self.conv2(x)))
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        x = F.max_pool2d(F.relu(self.conv5(x)), 3, 2).flatten(1)
        x = F.relu(self.fc7(F.relu(self.fc6(x))))
        return self.fc8(x)


PLACES = {
    "conv1": "lower.tower{}.conv1", "conv2": "lower.tower{}.conv2",
    "conv3": "upper.tower{}.conv3", "conv4": "upper.tower{}.conv4", "conv5": "upper.tower{}.conv5",
    "fc6": "fc6.half{}.0", "fc7": "fc7.half{}.0",
}  # fmt: skip


def halves(ours: nn.Module, module: str, parameter: str) -> list[Tensor]:
    """A parameter of the grouped network as the two that the towers have."""
    return [ours.get_parameter(f"{PLACES[module].format(g)}.{parameter}") for g in range(2)]


def test_equals_the_grouped_network() -> None:
    """On the CPU, outputs and gradients are those of one tower with grouped convolutions and the same weights."""
    torch.manual_seed(0)
    ours, theirs = load("AlexNet").double().eval(), Grouped().double().eval()
    with torch.no_grad():
        for name, value in theirs.named_parameters():
            module, parameter = name.split(".")
            value.normal_(std=0.02)
            parts = halves(ours, module, parameter) if module in PLACES else [ours.get_parameter(name)]
            for part, half in zip(parts, value.chunk(len(parts)), strict=True):
                part.copy_(half)
    image = torch.randn(1, 3, 227, 227, dtype=torch.float64)
    our, their = ours(image), theirs(image)
    torch.testing.assert_close(our, their, rtol=1e-9, atol=1e-12)
    weights = torch.linspace(-1, 1, 1000, dtype=torch.float64)
    (our * weights).sum().backward()
    (their * weights).sum().backward()
    for name, value in theirs.named_parameters():
        module, parameter = name.split(".")
        parts = halves(ours, module, parameter) if module in PLACES else [ours.get_parameter(name)]
        gradient = torch.cat([part.grad for part in parts if part.grad is not None])
        torch.testing.assert_close(gradient, value.grad, rtol=1e-7, atol=1e-10)


def test_three_levels_of_hints() -> None:
    """A hint on a statement wins over its group's, and so outwards; what has none follows its input."""
    source = text("devices.Devices")
    names = execute(source)
    with fake():
        net = names["Devices"](devices=CUDA)
        devices = {key.removesuffix(".weight"): str(value.device) for key, value in net.state_dict().items()}
    assert devices["inner.first"] == "cuda:1"
    assert devices["inner.second"] == "cuda:0"
    assert devices["turn0.0"] == "cuda:0"
    assert devices["turn1.0"] == "cuda:1"
    assert devices["follows"] == "cuda:1"


FAR = "network Far { input x: [3, H=8, W=8]\n near = conv(4, 1)\n far = conv(4, 3, padding=1) on gpu(7) }"


def test_a_device_for_each_gpu_that_is_used() -> None:
    """gpu(7) alone makes no eight devices: there is one for it and one for where the input arrives, in order."""
    with fake():
        net = execute(Compilation.from_text(FAR).compile())["Far"](devices=CUDA)
        assert str(net.far.weight.device) == "cuda:1"
        assert str(net(torch.empty(1, 3, 8, 8, device="cuda:0")).device) == "cuda:1"
        alone = FAR.replace("W=8]", "W=8] on gpu(7)")
        net = execute(Compilation.from_text(alone).compile())["Far"](devices=["cuda:3"])
        assert {str(value.device) for value in net.state_dict().values()} == {"cuda:3"}
        assert str(net(torch.empty(1, 3, 8, 8, device="cuda:3")).device) == "cuda:3"
    with pytest.raises(ValueError, match=r"Far takes 2 devices, for gpu\(0\) and gpu\(7\), not 8"):
        execute(Compilation.from_text(FAR).compile())["Far"](devices=["cpu"] * 8)


@pytest.mark.parametrize(
    ("move", "device", "dtype"),
    [
        (lambda net: net.to("meta"), "meta", torch.float32),
        (lambda net: net.to_empty(device="cpu"), "cpu", torch.float32),
        (lambda net: net.half(), None, torch.float16),
        (lambda net: net.to(torch.float64), None, torch.float64),
        (copy.deepcopy, None, torch.float32),
    ],
)
def test_to_takes_the_devices_along(move: Callable[[nn.Module], nn.Module], device: str | None, dtype: Any) -> None:
    """After `to(device)` all of a network is there; a change of dtype leaves everything where it is."""
    block = "block b { near = conv(4, 1)\n far = conv(4, 1) on gpu(1) }"
    text = f"{block}\nnetwork Net {{ input x: [4, H=8, W=8]\n b\n last = conv(4, 1) on gpu(1) }}"
    net = move(execute(Compilation.from_text(text).compile())["Net"](devices=("cpu", "meta")))
    near, far = (device, device) if device is not None else ("cpu", "meta")
    assert {key: each.device.type for key, each in net.named_parameters() if key.endswith("weight")} == {
        "b.near.weight": near,
        "b.far.weight": far,
        "last.weight": far,
    }
    assert {each.dtype for each in net.parameters()} == {dtype}
    assert list(net.state_dict()) == [
        f"{name}.{key}" for name in ("b.near", "b.far", "last") for key in ("weight", "bias")
    ]
    with Transfers() as transfers:
        output = net(torch.empty(1, 4, 8, 8, device=near, dtype=dtype))
    assert output.device.type == far
    assert len(transfers.seen) == (device is None)


def test_what_moves_in_training_is_there_after_it() -> None:
    spec = """network Aux {
      input x: [3, H=8, W=8]
      a = conv(4, 1)
      training { output aux = a -> conv(2, 1) on gpu(1) }
      b = a -> conv(3, 1) on gpu(1)
    }"""
    with fake():
        net = execute(Compilation.from_text(spec).compile())["Aux"](devices=CUDA)
        for training in (False, True):
            with Transfers() as transfers:
                net.train(training)(torch.empty(1, 3, 8, 8, device="cuda:0"))
            assert transfers.seen == [("cuda:0", "cuda:1", 4 * 4 * 64)]
