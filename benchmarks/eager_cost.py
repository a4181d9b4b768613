"""Compiled modules in eager mode against torchvision's, with the same weights on the same input."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from benchmarks.measure import ROOT, Row, python

# torchvision's name → spec and network
MODELS = {
    "resnet50": ("specs/resnet50.arch", "ResNet50"),
    "googlenet": ("specs/googlenet.arch", "GoogLeNet"),
    "densenet121": ("specs/densenet121.arch", "DenseNet121"),
    "vgg11_bn": ("specs/vgg11.arch", "VGG11BN"),
    "alexnet": ("specs/alexnet.arch", "AlexNetTorchvision"),
}
BAND = 0.03


def rows(quick: bool) -> Iterator[Row]:
    for name, (spec, network) in MODELS.items():
        command = python("-m", "benchmarks.eager_pair", name, spec, network, "5" if quick else "25")
        output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for line in output.splitlines():
            what, ours, theirs, times = line.split("\t")
            both = f"compiled ({float(ours) * 1e3:.0f} ms) over torchvision's ({float(theirs) * 1e3:.0f} ms)"
            yield Row(
                f"{name}, {what}: {both}",
                f"{float(times):.3f}", f"1.00 +- {BAND}", abs(float(times) - 1) <= BAND,
            )  # fmt: skip
