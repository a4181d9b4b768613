"""Training memory of random networks against what autograd keeps, to the byte.

They hold what shares memory, and what does not: views, copies of views, overwritten values, joins of values that are
used elsewhere, blocks that hand on what they are given; but no convolution of a map whose channels come last in memory,
which `tape.py` does not follow. 2,000 of them by `--thorough`, others with `--seed N`.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

from archdsl.compiler import Compilation
from archdsl.passes.cost import Cost

PARTS, PROGRAMS, THOROUGH = 4, 10, 500  # programs of each part

SIMPLE = [
    *("relu", "sigmoid", "tanh", "elu", "selu", "leaky_relu", "relu6", "gelu", "silu", "mish", "softplus", "hardswish"),
    *("hardsigmoid", "prelu", "softmax", "l2norm", "identity", "batchnorm", "instancenorm"),
    *("dropout", "dropout(0.0)", "dropout(1.0)", "dropout2d", "drop_path(0.2)", "drop_path(0.0)"),
]
# Each takes a [4, 6, 6] and gives one. `S` is one of the simple ones, `V` an earlier value.
LAYERS = (
    "conv(4, 3, padding=1)",
    "conv(4, 2, padding=same)",
    'conv(4, 3, padding=1, padding_mode="circular")',
    "deconv(4, 3, padding=1)",
    "batchnorm(affine=false)",
    "groupnorm(2)",
    "instancenorm(affine=true, track_running_stats=true)",
    "layernorm(dims=3)",
    "lrn(3)",
    "avgpool(3, stride=1, padding=1)",
    "adaptive_maxpool(6)",
    'upsample(1, mode="area")',
    'pad(1, mode="reflect") -> crop(6)',
    "crop(3) -> S -> upsample(2)",
    "slice(1, 3) -> S -> conv(4, 1)",
    "slice(2, 5, axis=1) -> upsample(to=V)",
    "permute([0, 2, 1]) -> S",
    "permute([2, 1, 0]) -> layernorm -> permute([2, 1, 0])",
    "permute([0, 2, 1]) -> S -> flatten -> linear(144) -> reshape([4, 6, 6])",
    "crop(5) -> flatten -> linear(144) -> dropout -> reshape([4, 6, 6])",
    "reshape([4, 36]) -> permute([1, 0]) -> gelu -> linear(4) -> relu -> permute([1, 0]) -> relu -> conv(4, 1) -> "
    "reshape([4, 6, 6])",
    "reshape([4, 36]) -> dropout1d -> conv(4, 3, padding=1) -> reshape([4, 6, 6])",
    "spp([1, 2]) -> linear(144) -> reshape([4, 6, 6])",
    "maxpool(2) -> S -> nearest_unpool(2)",
    "gate { global_avgpool -> conv(4, 1) -> sigmoid }",
)


class Program:
    """A spec of random statements; every value is an output, so that nothing is thrown away."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._labels = 0
        self._blocks: list[str] = []
        blocks = ""
        for i in range(self._random.randint(0, 2)):
            lines, labels = self._body(["x0"], 2)
            blocks += "\n".join(
                [f"block b{i} {{", "x0 = identity", *lines, f"add({', '.join(['x0', *labels])})", "}\n"]
            )
            self._blocks.append(f"b{i}")
        lines, labels = self._body(["x"], 4)
        outputs = [f"output {label}" for label in labels]
        self.text = "\n".join([f"{blocks}network Net {{", "input x: [4, 6, 6]", *lines, *outputs, "}\n"])

    def _body(self, known: list[str], most: int) -> tuple[list[str], list[str]]:
        pick, lines, labels = self._random.choice, [], []
        for _ in range(self._random.randint(1, most)):
            self._labels += 1
            label, values = f"v{self._labels}", [*known, *labels]
            x = pick(values)
            lines += pick(
                [
                    [f"{label} = {pick(['add', 'mul'])}({', '.join(pick(values) for _ in range(pick([2, 3])))})"],
                    [f"{label}a, {label}b = {x} -> split(2)", f"{label} = concat({label}b, {label}a)"],
                    [f"{label}a, {label}b = {x} -> chunk(2)", f"{label} = {label}a -> conv(4, 1)"],
                    [f"p{label} = {x} -> maxpool(2)", f"{label} = p{label} -> conv(4, 1) -> max_unpool(p{label})"],
                    [
                        f"shared s{label} = {pick(['conv(4, 1)', 'batchnorm', 'relu'])}",
                        f"{label}a = {x} -> s{label}",
                        f"{label} = {label}a -> s{label}",
                    ],
                    [f"{label} = {{ {self._chain(values, 1)}; {self._chain(values, 1)} }}"],
                    *([f"{label} = {x} -> {self._chain(values, 2)}"] for _ in range(5)),
                ]
            )
            labels.append(label)
        return lines, labels

    def _chain(self, values: list[str], depth: int) -> str:
        return " -> ".join(self._step(values, depth) for _ in range(self._random.randint(1, 3)))

    def _step(self, values: list[str], depth: int) -> str:
        pick = self._random.choice
        if not depth or self._random.random() < 0.5:
            layer = pick([pick(LAYERS), pick(SIMPLE), *self._blocks])
            return layer.replace("S", pick(SIMPLE)).replace("V", pick(values))
        kind = pick(["residual", "gate", "dense", "add", "mul", "concat", "repeat 2"])
        branches = [self._chain(values, depth - 1) for _ in range({"add": 2, "mul": 3, "concat": 2}.get(kind, 1))]
        return f"{kind} {{ {'; '.join(branches)} }}{' -> conv(4, 1)' * (kind in ('dense', 'concat'))}"


@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks(part: int, request: pytest.FixtureRequest, left_behind: Callable[..., int]) -> None:
    many = THOROUGH if request.config.getoption("--thorough") else PROGRAMS
    first = (part + PARTS * int(request.config.getoption("--seed"))) * THOROUGH
    for seed in range(first, first + many):
        program = Program(seed)
        spec = Compilation.from_text(program.text)
        assert spec.ok, f"{spec.diagnostics} {program.text}"
        names: dict[str, Any] = {"__name__": "emitted"}
        exec(spec.compile(), names)
        batch = 1 + seed % 3
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on even kernels with `padding=same`
            found = left_behind(names["Net"](), torch.randn(batch, 4, 6, 6))
        stated = Cost(spec.network(), training=True).training_memory(batch)
        assert stated == found, f"seed {seed}, batch {batch}: {program.text}"
