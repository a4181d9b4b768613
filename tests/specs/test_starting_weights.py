"""How the parameters of every shipped network start, in live modules, against what its source says.

Constants are held exactly, random numbers by their mean and spread, as far from what is stated as chance allows in so
many numbers. torchvision's models are held beside their twins. Most networks are as large as they were published, and
the largest are taken with `--thorough` only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
import torch
import torchvision
from rows import SPECS, compilation, emitted
from torch import Tensor, nn

LARGE = re.compile(r"VGG|FCN\d|DeconvNet|ResNet(34|101|152)|DenseNet(161|169|201)|FCNResNet101")
SAMPLE = 100_000  # numbers of each parameter that are looked at
CHANCE = 6  # standard deviations


@dataclass(frozen=True)
class Spread:
    """Numbers around 0 with this standard deviation; `uniform` ones are all within √3 of it."""

    std: float
    uniform: bool = False


Start = float | Spread
Rule = Callable[[nn.Module, str], Start]


# --- what PyTorch does, and the fillers that the sources name -------------------------------------------------------


def fan(module: nn.Module, mode: str) -> int:
    """The inputs of an output of a layer (or its outputs), as torch counts them."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight.shape[mode == "in"] * math.prod(weight.shape[2:])


def torchs(module: nn.Module, name: str) -> Start:
    """Dense layers and convolutions: U(±1/√inputs), the bias too. Normalisation: 1 and 0."""
    if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.GroupNorm)):
        return 1.0 if name == "weight" else 0.0
    return Spread(1 / math.sqrt(3 * fan(module, "in")), uniform=True)


def constant(value: float) -> Rule:
    return lambda module, name: value


def normal(std: float) -> Rule:
    return lambda module, name: Spread(std)


def he(mode: str) -> Rule:
    """He et al., 2015: a variance of 2 over the inputs (or outputs)."""
    return lambda module, name: Spread(math.sqrt(2 / fan(module, mode)))


def caffe_xavier(module: nn.Module, name: str) -> Start:
    """Caffe's filler counts a weight's inputs only: U(±√(3/inputs))."""
    return Spread(1 / math.sqrt(fan(module, "in")), uniform=True)


def interpolating(module: nn.Module, name: str) -> Start:
    """Checked by itself: it is not one number, and not random."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    assert not weight.requires_grad
    assert weight[0, 1].abs().max() == 0
    size, step = weight.shape[-1], weight.shape[-1] // 2
    # The weights that a position of the enlarged map is made of add up to one.
    assert weight[0, 0].reshape(2, step, 2, step).sum((0, 2)).allclose(torch.ones(step, step)), size
    return math.nan


# --- what the sources say -------------------------------------------------------------------------------------------

# By class and parameter of the layer (`Conv2d.weight`), or by the end of its path; the first that fits counts, else
# PyTorch's own start.
ALEXNET = {  # section 5
    r"(conv[245]|fc[67]\.half\d\.0)\.bias": constant(1),
    r"(Conv2d|Linear)\.weight": normal(0.01),
    r"(Conv2d|Linear)\.bias": constant(0),
}
RESNET = {r"Conv2d\.weight": he("out")}
FCN_RESNET = {r"backbone\..*Conv2d\.weight": he("out")}  # the heads as PyTorch starts them, in torchvision too
DENSENET = {r"Conv2d\.weight": he("in"), r"Linear\.bias": constant(0)}
VGG = {
    r"Conv2d\.weight": he("out"),
    r"Conv2d\.bias": constant(0),
    r"Linear\.weight": normal(0.01),
    r"Linear\.bias": constant(0),
}
GOOGLENET = {r"(Conv2d|Linear)\.weight": normal(0.01)}
GOOGLENET_2014 = {  # BVLC's train_val.prototxt
    r"(loss3|loss\d\.classifier)\.bias": constant(0),
    r"(Conv2d|Linear)\.weight": caffe_xavier,
    r"(Conv2d|Linear)\.bias": constant(0.2),
}
FCN = {r"score_\w+\.(weight|bias)": constant(0), r"ConvTranspose2d\.weight": interpolating}
DECONVNET = {r"ConvTranspose2d\.weight": normal(0.01), r"ConvTranspose2d\.bias": constant(0)}
SEGNET = {r"Conv2d\.weight": he("in"), r"Conv2d\.bias": constant(0)}  # Caffe's "msra"
UNET = {r"(Conv2d|ConvTranspose2d)\.weight": he("in")}  # section 3

SOURCES: Mapping[str, Mapping[str, Rule]] = {
    "alexnet.arch AlexNet ": ALEXNET,
    "alexnet.arch AlexNetTorchvision": {},
    "bottleneck_1x1.arch": {},
    "deconvnet.arch": DECONVNET,
    "densenet": DENSENET,
    "fcn.arch": FCN,
    "fcn_resnet": FCN_RESNET,
    "googlenet.arch": GOOGLENET,
    "googlenet_2014.arch": GOOGLENET_2014,
    "resnet": RESNET,
    "segnet.arch": SEGNET,
    "two_3x3_against_5x5.arch": {},
    "unet.arch": UNET,
    "vgg": VGG,
}

NETWORKS = [
    (path.name, definition.node.name)
    for path in sorted(SPECS.glob("*.arch"))
    for definition in compilation(path.name).definitions
]
TWINS = {
    "resnet18": ("resnet18.arch", "ResNet18"),
    "alexnet": ("alexnet.arch", "AlexNetTorchvision"),
    "densenet121": ("densenet121.arch", "DenseNet121"),
    "resnet50": ("resnet50.arch", "ResNet50"),
    "vgg11_bn": ("vgg11.arch", "VGG11BN"),
    "vgg16": ("vgg16.arch", "VGG16"),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    thorough = metafunc.config.getoption("--thorough")
    if "network" in metafunc.fixturenames:
        taken = [each for each in NETWORKS if thorough or not LARGE.match(each[1])]
        metafunc.parametrize(("file", "network"), taken)
    elif "theirs" in metafunc.fixturenames:
        metafunc.parametrize("theirs", list(TWINS) if thorough else list(TWINS)[:1])


def source(file: str, network: str) -> Mapping[str, Rule]:
    (found,) = [rules for start, rules in SOURCES.items() if f"{file} {network} ".startswith(start)]
    return found


def parameters(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, Tensor]]:
    """The path of each parameter, the layer that has it, its name there and its numbers, a sample of them."""
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            yield path, module, name, parameter.detach().flatten()[:SAMPLE]


def stated(rules: Mapping[str, Rule], path: str, module: nn.Module, name: str) -> Start:
    for pattern, rule in rules.items():
        kind = f"{path}.{type(module).__name__}.{name}"
        if re.search(rf"(^|\.)({pattern})$", f"{path}.{name}") or re.search(rf"(^|\.)({pattern})$", kind):
            return rule(module, name)
    return torchs(module, name)


def live(file: str, network: str) -> nn.Module:
    torch.manual_seed(0)
    made: nn.Module = emitted(file, network)()
    return made


def test_it_starts_as_its_source_says(file: str, network: str) -> None:
    rules = source(file, network)
    wrong = [
        f"{path}.{name}: {start}, and it is {numbers.mean():.3g} ± {numbers.std():.3g}"
        for path, module, name, numbers in parameters(live(file, network))
        if not _starts_as(numbers, start := stated(rules, path, module, name))
    ]
    assert wrong == []


def _starts_as(numbers: Tensor, start: Start) -> bool:
    if not isinstance(start, Spread):
        return math.isnan(start) or bool((numbers == start).all())
    count = len(numbers)
    near = abs(numbers.mean().item()) < CHANCE * start.std / math.sqrt(count)
    if start.uniform and numbers.abs().max() > 1.7321 * start.std:
        return False
    if count < 20:
        return near and len(numbers.unique()) == count
    return near and abs(numbers.std().item() / start.std - 1) < CHANCE / math.sqrt(2 * count) + 1e-3


def test_it_starts_as_its_twin_does(theirs: str) -> None:
    """Number for number where torchvision has one number, and as far spread where it has many."""
    file, network = TWINS[theirs]
    twin = getattr(torchvision.models, theirs)(weights=None)
    for ours, other in zip(parameters(live(file, network)), parameters(twin), strict=True):
        assert (ours[0], ours[2]) == (other[0], other[2])
        mine, its = ours[3], other[3]
        if len(its.unique()) == 1:
            assert torch.equal(mine, its), ours[0]
        else:
            assert abs(mine.std() / its.std() - 1) < 2 * CHANCE / math.sqrt(2 * len(its)), ours[0]
