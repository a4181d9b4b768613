"""Counts against arithmetic by hand, and memory against a simulation of every value and against autograd."""

from __future__ import annotations

import types
from collections.abc import Callable

import pytest
import torch

from archdsl.compiler import Compilation
from archdsl.graph.model import Apply, Call, Join, Network, Scope, Value, scopes, walk
from archdsl.passes.cost import Cost
from archdsl.passes.inplace import inplace, operands

INPUT = "input x: [3, H=16, W=16]"


def compilation(body: str, before: str = "", inputs: str = INPUT) -> Compilation:
    return Compilation.from_text(f"{before}\nnetwork Net {{\n{inputs}\n{body}\n}}\n")


def cost(body: str, before: str = "", inputs: str = INPUT, training: bool = False) -> Cost:
    return Cost(compilation(body, before, inputs).network(), training=training)


# --- counts ---


def test_convolution() -> None:
    counted = cost("conv(8, 3, padding=1, stride=2)")
    assert counted.params == 8 * 3 * 9 + 8
    assert counted.macs == 8 * 8 * 8 * 3 * 9
    assert counted.flops == 2 * counted.macs
    assert counted.buffers == 0


def test_groups_see_fewer_channels() -> None:
    counted = cost("conv(6, 3, groups=3, bias=false, padding=1)")
    assert (counted.params, counted.macs) == (6 * 9, 16 * 16 * 6 * 9)


def test_dense_layers_and_norms() -> None:
    counted = cost("global_avgpool -> flatten -> linear(10)")
    assert (counted.params, counted.macs) == (3 * 10 + 10, 30)
    counted = cost("batchnorm")
    assert (counted.params, counted.buffers, counted.macs) == (6, 7, 0)


def test_a_block_counts_each_time_it_is_applied() -> None:
    once = cost("conv(4, 1)\nb", "block b { conv(4, 1) }")
    thrice = cost("conv(4, 1)\nb; b; b", "block b { conv(4, 1) }")
    assert thrice.params - cost("conv(4, 1)").params == 3 * (once.params - cost("conv(4, 1)").params)
    assert thrice.macs - cost("conv(4, 1)").macs == 3 * (once.macs - cost("conv(4, 1)").macs)


def test_shared_weights_count_once_and_their_work_each_time() -> None:
    counted = cost("shared head = conv(4, 1, bias=false)\na = x -> head\nb = x -> head\nadd(a, b)")
    assert (counted.params, counted.macs) == (12, 2 * 12 * 256)


def test_training_only_parts_count_when_asked_for() -> None:
    body = "training { output aux = conv(4, 1, bias=false) }\nconv(8, 1, bias=false)"
    assert (cost(body).params, cost(body).macs) == (24, 24 * 256)
    assert (cost(body, training=True).params, cost(body, training=True).macs) == (36, 36 * 256)


def test_counts_at_another_size() -> None:
    network = compilation("conv(8, 1, bias=false)").network()
    assert Cost(network, {"H": 5, "W": 7}).macs == 24 * 35


# --- memory of inference ---


class Simulation:
    """Runs every application and notes from when to when each tensor is there; a caller holds what it passes on."""

    def __init__(self, network: Network) -> None:
        self.cost = Cost(network)
        self.inplace: set[Apply] = set()
        for scope in scopes(network.scope):
            self.inplace |= inplace(scope)
        self.now = 0
        self.tensors: list[list[int]] = []  # bytes, first step, last step
        inputs = [self._new(value) for value in network.scope.inputs]
        results = self._run(network.scope, inputs, {})
        for number in (*inputs, *results):
            self.tensors[number][2] = self.now

    @property
    def peak(self) -> int:
        return max(sum(n for n, born, died in self.tensors if born <= t <= died) for t in range(self.now + 1))

    def _new(self, value: Value) -> int:
        self.tensors.append([self.cost.size_of(value), self.now, self.now])
        return len(self.tensors) - 1

    def _run(self, scope: Scope, inputs: list[int], exports: dict[str, int]) -> list[int]:
        at = dict(zip(scope.inputs, inputs, strict=True))
        for item in walk(scope.items):
            read = [at[value.tensor] for value in operands(item)]
            if isinstance(item, Join) and item.kind == "parallel":
                continue
            if isinstance(item, Call):
                inner: dict[str, int] = {}
                at.update(zip(item.outputs, self._run(item.scope, read, inner), strict=True))
                at.update((value, inner[name]) for name, value in item.exports.items())
                self.now -= 1
                made = [at[value] for value in (*item.outputs, *item.exports.values())]
            elif isinstance(item, Apply) and (item.layer.view or item in self.inplace):
                at[item.outputs[0]] = read[0]
                made = []
            else:
                outputs = item.outputs if isinstance(item, Apply) else [item.output]
                at.update((value, self._new(value)) for value in outputs)
                made = [at[value] for value in outputs]
            for number in (*read, *made):
                self.tensors[number][2] = self.now
            self.now += 1
        exports.update((name, at[value.tensor]) for name, value in scope.exports.items())
        return [at[result.value.tensor] for result in scope.results]


BODIES = {
    "chain": ("conv(8, 3) -> relu -> conv(4, 3) -> maxpool(2) -> flatten", ""),
    "skip": ("conv(8, 1)\nresidual { conv(8, 3, padding=1) -> relu -> conv(8, 3, padding=1) }\nrelu", ""),
    "wide": ("concat { conv(32, 1) -> conv(2, 1); conv(4, 1); conv(16, 1) -> relu } -> conv(1, 1)", ""),
    "long": ("a = conv(16, 1)\nb = a -> conv(2, 1)\nc = b -> conv(2, 1)\nd = c -> conv(32, 1)\nconcat(a, d)", ""),
    "blocks": ("b(4) -> b(16) -> b(2)", "block b(n) { dense { conv(n, 1) -> relu -> conv(n, 3, padding=1) } }"),
    "views": ("b -> linear(4)", "block b { global_avgpool; flatten }"),
    "unpooled": ("conv(8, 1)\np = maxpool(2)\nconv(8, 1) -> relu -> conv(8, 1)\nmax_unpool(p)\nconv(2, 1)", ""),
    "unpooled from a block": ("e = b\nconv(4, 1)\nmax_unpool(e)", "block b { conv(4, 1); maxpool(2) }"),
    "exports": ("s = b\nmaxpool(4) -> conv(2, 1)\ns.low -> conv(1, 1)", "block b { low = conv(9, 1); conv(2, 1) }"),
}


@pytest.mark.parametrize("name", BODIES)
def test_peak_memory_is_that_of_a_simulation(name: str) -> None:
    network = compilation(*BODIES[name]).network()
    assert Cost(network).memory() == Simulation(network).peak
    assert Cost(network).memory(batch=4) == 4 * Cost(network).memory()


def test_peak_memory_by_hand() -> None:
    """The input stays; at the second convolution its input and its output are there."""
    assert cost("conv(8, 1) -> conv(4, 1)").memory() == 4 * 256 * (3 + 8 + 4)


def test_indices_by_hand() -> None:
    """While it is unpooled, a value of 8x8 pixels stands beside its indices, of twice the bytes, input and result."""
    assert cost("pool = maxpool(2)\nmax_unpool(pool)").memory() == 4 * 3 * (256 + 64 + 2 * 64 + 256)
    assert cost("pool = maxpool(2)\nrelu").memory() == 4 * 3 * (256 + 64)  # nobody asks for them


# --- memory of training ---


@pytest.mark.parametrize(
    "body",
    [
        "conv(8, 3) -> conv(4, 3)",
        "conv(8, 3) -> relu -> conv(4, 3) -> relu",
        "conv(8, 3) -> maxpool(2) -> conv(4, 3) -> global_avgpool -> flatten -> linear(5)",
        "conv(8, 1)\nresidual { conv(8, 3, padding=1) -> relu -> conv(8, 3, padding=1) }\nrelu -> conv(2, 1)",
        "concat { conv(4, 1); conv(5, 1) -> relu } -> conv(2, 1)",
        "conv(8, 1)\ngate { conv(8, 1) -> relu } -> conv(2, 1)",
        "conv(8, 1)\npool = maxpool(2)\nconv(8, 1)\nmax_unpool(pool)\nconv(2, 1)",
        "conv(3, 1)\na = maxpool(2)\nconv(3, 1)\nb = maxpool(2)\nmax_unpool(b) -> conv(3, 1) -> max_unpool(a)",
        "relu -> maxpool(2) -> lrn(3) -> dropout",  # no gradient goes through
        "shared head = conv(3, 1)\nhead -> relu -> head -> batchnorm -> head",
        "a = conv(4, 1)\nb = a -> sigmoid\nc = a -> tanh\nmul(a, b, c)",  # so is the product of two
        "a = prelu\nx -> upsample(to=a) -> sigmoid",  # only a size is taken from what has a gradient
        "a = prelu\nmul(x, a)",  # what has no gradient needs the other for none
        "a = prelu\nb = mul(a, a)\nadd(a, b, x) -> lrn(3)",
        "conv(4, 1)\ngate { global_avgpool -> conv(4, 1) -> sigmoid }\ndense { conv(2, 1) -> relu6 } -> conv(3, 1)",
        "conv(4, 1)\na, b = split(2)\na -> conv(3, 1)",  # of a view, the whole
        "conv(4, 1)\na, b = halves\nc = a -> conv(3, 1)\nd = b -> conv(3, 1)\nadd(c, d)",
        "conv(4, 1)\na, b = halves\nb -> crop(5) -> relu -> flatten -> linear(3)",
        "conv(4, 1) -> relu -> dropout(0.0) -> conv(4, 1) -> dropout -> conv(4, 1) -> dropout2d(1.0)",
        "conv(4, 1) -> permute([1, 2, 0]) -> flatten -> linear(3)",  # a copy
        "conv(4, 1) -> permute([1, 0, 2]) -> gelu -> flatten -> linear(3)",
        "conv(4, 1) -> reshape([4, 256]) -> permute([1, 0]) -> linear(4) -> layernorm",
        "conv(4, 1) -> batchnorm -> elu -> conv(4, 1) -> relu6 -> conv(4, 1)",
        "conv(4, 1) -> elu -> elu\nadd { relu; sigmoid -> leaky_relu; identity }",
    ],
)
@pytest.mark.parametrize("batch", [1, 3])
def test_training_memory_is_what_autograd_keeps(body: str, batch: int, left_behind: Callable[..., int]) -> None:
    halves = "block halves { a, b = split([1, 3])\noutput a\noutput b }"
    spec = compilation(body, halves, inputs="input x: [3, 16, 16]")
    counted = Cost(spec.network(), training=True)
    module = types.ModuleType("emitted")
    exec(spec.compile(), module.__dict__)
    assert counted.training_memory(batch) == left_behind(module.Net(), torch.randn(batch, 3, 16, 16))


def test_ids_are_integers(left_behind: Callable[..., int]) -> None:
    """Eight bytes each, in inference too, also where only a part of them is looked up."""
    spec = compilation("slice(2, 7) -> embedding(10, 4) -> linear(2)", inputs="input ids: [9]")
    module = types.ModuleType("emitted")
    exec(spec.compile(), module.__dict__)
    counted = Cost(spec.network(), training=True)
    assert counted.training_memory(2) == left_behind(module.Net(), torch.zeros(2, 9, dtype=torch.long))
    assert counted.memory() == 8 * 9 + 4 * (5 * 4 + 5 * 2)
