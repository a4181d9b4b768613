"""The specs that carry torchvision's names against torchvision itself: the same weights give the same numbers.

In evaluation the outputs are compared; in training the outputs, the buffers and every gradient.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import attrgetter
from typing import Any

import pytest
import torch
import torchvision
from rows import emitted
from torch import Tensor, nn

CLOSE = 1e-5


@dataclass(frozen=True)
class Model:
    """A model of torchvision, and the network that is to equal it."""

    theirs: str
    file: str
    network: str
    arguments: dict[str, Any] = field(default_factory=dict)  # torchvision's
    settings: dict[str, Any] = field(default_factory=dict)  # the spec's
    training: tuple[int, int] = (33, 49)  # the size of its training step, small: its weights take time enough

    def __str__(self) -> str:
        return "-".join([self.theirs, *(f"{name}={value}" for name, value in self.settings.items())])


FULL = (224, 224)
SIZES = [FULL, (257, 193)]
ODD = (97, 65)  # where the test is to be quick
LARGER = (65, 97)  # what the windows of AlexNet need, and the last normalisations of DenseNet
NO_INIT = {"init_weights": False}
HEADS = {"init_weights": False, "transform_input": False}
FRESH = {"weights": None, "weights_backbone": None}

MODELS = [
    Model("alexnet", "alexnet.arch", "AlexNetTorchvision", training=LARGER),
    Model("vgg11", "vgg11.arch", "VGG11", NO_INIT),
    Model("vgg11_bn", "vgg11.arch", "VGG11BN", NO_INIT),
    Model("vgg13", "vgg13.arch", "VGG13", NO_INIT),
    Model("vgg13_bn", "vgg13.arch", "VGG13BN", NO_INIT),
    Model("vgg16", "vgg16.arch", "VGG16", NO_INIT),
    Model("vgg16_bn", "vgg16.arch", "VGG16BN", NO_INIT),
    Model("vgg19", "vgg19.arch", "VGG19", NO_INIT),
    Model("vgg19_bn", "vgg19.arch", "VGG19BN", NO_INIT),
    Model("googlenet", "googlenet.arch", "GoogLeNet", {"aux_logits": True, **HEADS}),
    Model("googlenet", "googlenet.arch", "GoogLeNet", {"aux_logits": False, **HEADS}, {"aux": False}),
    Model("resnet18", "resnet18.arch", "ResNet18"),
    Model("resnet34", "resnet34.arch", "ResNet34"),
    Model("resnet50", "resnet50.arch", "ResNet50"),
    Model("resnet101", "resnet101.arch", "ResNet101"),
    Model("resnet152", "resnet152.arch", "ResNet152"),
    Model("densenet121", "densenet121.arch", "DenseNet121", training=LARGER),
    Model("densenet161", "densenet161.arch", "DenseNet161"),
    Model("densenet169", "densenet169.arch", "DenseNet169"),
    Model("densenet201", "densenet201.arch", "DenseNet201"),
    Model("segmentation.fcn_resnet50", "fcn_resnet50.arch", "FCNResNet50", {"aux_loss": True, **FRESH}),
    Model("segmentation.fcn_resnet50", "fcn_resnet50.arch", "FCNResNet50", FRESH, {"aux_head": False}),
    Model("segmentation.fcn_resnet101", "fcn_resnet101.arch", "FCNResNet101", {"aux_loss": True, **FRESH}),
]


# Those that train in the suite, at one small size: of each family the classes are the same, only the depths differ.
TRAINED = (
    "alexnet",
    "vgg11",
    "vgg16_bn",
    "googlenet",
    "resnet18",
    "resnet50",
    "densenet121",
    "segmentation.fcn_resnet50",
)


@dataclass
class Pair:
    model: Model
    ours: nn.Module
    theirs: nn.Module


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Both networks with the same weights, and normalisation that does something."""
    model: Model = request.param
    torch.manual_seed(0)
    theirs = attrgetter(model.theirs)(torchvision.models)(**model.arguments)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.add_(0.2 * torch.rand_like(tensor))
    with torch.device("meta"):  # its weights are torchvision's, so it need not make any
        ours = network(model)
    copy = {key: value.clone() for key, value in theirs.state_dict().items()}
    ours.load_state_dict(copy, strict=True, assign=True)
    yield Pair(model, ours, theirs)
    gc.collect()


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_names(model: Model) -> None:
    """The same keys and shapes, and the same order of parameters, so that an optimiser's state fits too."""
    with torch.device("meta"):
        ours, theirs = network(model), attrgetter(model.theirs)(torchvision.models)(**model.arguments)
    shapes = [[(key, value.shape) for key, value in each.state_dict().items()] for each in (ours, theirs)]
    assert shapes[0] == shapes[1]


def network(model: Model) -> nn.Module:
    made: nn.Module = emitted(model.file, model.network, **model.settings)()
    return made


def test_evaluation(pair: Pair, size: tuple[int, int]) -> None:
    x = image(1, size)
    with torch.inference_mode():
        ours, theirs = outputs(pair.ours.eval()(x)), outputs(pair.theirs.eval()(x))
    for our, their in zip_longest(ours, theirs):
        if their is None:
            assert our is None, "a classifier's heads run in training only"
        else:
            assert distance(our, their) <= CLOSE


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All are evaluated at the odd size, and of each family some at the full size; some train, at one size. Under
    `--thorough` all of them do all of it."""
    thorough, trains = metafunc.config.getoption("--thorough"), "step" in metafunc.fixturenames
    some = [model for model in MODELS if thorough or str(model) in TRAINED]
    if "size" in metafunc.fixturenames:
        sizes = SIZES if thorough else [FULL, ODD]
        cases = [(model, size) for model in MODELS for size in sizes if size != FULL or model in some]
        ids = [f"{model}-{size[0]}x{size[1]}" for model, size in cases]
        metafunc.parametrize(("pair", "size"), cases, ids=ids, indirect=["pair"], scope="module")
    elif "pair" in metafunc.fixturenames:
        metafunc.parametrize("pair", some, ids=str, indirect=True, scope="module")
    if trains:
        sizes = [None, *SIZES] if thorough else [None]
        metafunc.parametrize("step", sizes, ids=lambda size: f"{size[0]}x{size[1]}" if size else "quick")


def test_training(pair: Pair, step: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step without dropout: outputs, running statistics, gradients.

    Where gradients meet, single precision depends on the order in which they are added, so it is double then.
    """
    monkeypatch.setattr(nn.functional, "dropout", lambda x, *args, **more: x)
    plain = pair.model.theirs.startswith(("alexnet", "vgg"))
    dtype = torch.float32 if plain else torch.float64
    for network in (pair.ours, pair.theirs):
        network.zero_grad()
    x = image(2, step or pair.model.training).to(dtype)
    ours, theirs = outputs(pair.ours.train().to(dtype)(x)), outputs(pair.theirs.train().to(dtype)(x))
    if len(theirs) == 3:
        theirs = [theirs[0], theirs[2], theirs[1]]  # torchvision returns the second head before the first
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert distance(our, their) <= CLOSE
    for results in (ours, theirs):
        sum(weighted(result) for result in results).backward()  # type: ignore[union-attr]  # a sum of tensors
    buffers = dict(pair.theirs.named_buffers())
    for name, buffer in pair.ours.named_buffers():
        assert distance(buffer, buffers[name]) <= CLOSE, name
    grads = {name: parameter.grad for name, parameter in pair.theirs.named_parameters()}
    for name, parameter in pair.ours.named_parameters():
        assert distance(parameter.grad, grads[name]) <= CLOSE, name


def image(batch: int, size: tuple[int, int]) -> Tensor:
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(1))


def outputs(result: Any) -> list[Any]:
    if isinstance(result, Tensor):
        return [result]
    return list(result.values() if isinstance(result, dict) else result)


def weighted(result: Tensor) -> Tensor:
    """A loss that leaves out no class and no position."""
    weights = torch.linspace(-1, 1, result[0].numel()).view(result.shape[1:])
    return (result * weights).mean()


def distance(our: Tensor, their: Tensor) -> float:
    """The largest difference, relative to the largest value."""
    assert our.shape == their.shape
    scale = their.abs().max().item()
    return (our - their).abs().max().item() / scale if scale else our.abs().max().item()
