"""The fully convolutional form starts as the dense network does, whichever rules by kind the spec has."""

from __future__ import annotations

import math

import pytest
import torch

from archdsl.compiler import Compilation
from archdsl.convert import fully_convolutional
from archdsl.runtime.load import load

HEAD = "block head(k) { linear(40); relu; linear(k); init linear.bias: constant(5) }\n"
CONVS = "block convs { conv(4, 3); conv(4, 3, padding=1); init conv.bias: constant(6) }\n"

CASES = {  # the body after the input, its rules included
    "both kinds": "convs; flatten; a = linear(30); linear(5); init conv: constant(2); init linear: constant(3)",
    "the other order": "init linear: constant(3); init conv: constant(2); convs; flatten; a = linear(30); linear(5)",
    "convolutions in a block only": "convs; flatten; a = linear(30); linear(5); init linear, linear.bias: constant(3)",
    "dense layers in a block": "conv(4, 3); flatten; head(5); init linear: constant(3); init conv.bias: constant(2)",
    "dense layers here and in a block": "conv(4, 3); flatten; a = linear(9); h = head(5); init linear: constant(3)",
    "dense layers only": "flatten; a = linear(30); linear(5); init linear: constant(3)",
    "in a group": "conv(4, 3); flatten; g = { linear(9); b = linear(5); init linear: zeros; init b: ones }",
    "by label": "conv(4, 3); flatten; h = head(5); init h.2: constant(4); init conv, conv.bias: constant(2)",
    "a label that is a kind": "conv(4, 3); flatten; linear = linear(9); relu; linear(5); init linear: constant(3)",
    "of convolutions": "conv(4, 3); flatten; a = linear(9); linear(5); init conv, conv.bias: constant(3)",
    "by a label and a kind": "conv(4, 3); flatten; a = linear(9); b = linear(5); init a, linear.bias: constant(3)",
    "by inputs": "conv(4, 3); flatten; a = linear(900); linear(50); init conv, linear: kaiming_normal",
    "by outputs": 'flatten; a = linear(900); linear(50); init linear: kaiming_uniform(a=0.2, mode="fan_out")',
    "by both": "flatten; a = linear(900); linear(50); init linear: xavier_normal(gain=2)",
    "by none": "conv(4, 3); flatten; a = linear(900); linear(50); init conv: uniform(a=-0.5, b=0.5)",
}


def spec(body: str) -> str:
    blocks = HEAD * ("head(" in body) + CONVS * ("convs" in body)
    return f"{blocks}network N {{\n  input x: [3, 8, 8]\n  " + body.replace("; ", "\n  ") + "\n}\n"


@pytest.mark.parametrize("case", CASES)
def test_it_starts_as_the_dense_network(case: str) -> None:
    text = spec(CASES[case])
    torch.manual_seed(0)
    dense, made = load(text), load(fully_convolutional(Compilation.from_text(text)))
    for (path, one), (name, other) in zip(dense.named_parameters(), made.named_parameters(), strict=True):
        assert path == name
        one, other = one.detach().flatten(), other.detach().flatten()
        if len(one.unique()) == 1:
            assert torch.equal(one, other), path
        else:
            near = 10 / math.sqrt(len(one))
            assert len(other.unique()) > 1 and abs(one.std() / other.std() - 1) < near, path


def test_rules_stay_where_they_do_it() -> None:
    made = fully_convolutional(Compilation.from_text(spec(CASES["dense layers only"])))
    assert "  init conv: constant(3)\n" in made
    made = fully_convolutional(Compilation.from_text(spec(CASES["both kinds"])))
    assert "  init conv: constant(2)\n" in made and "  init a, linear: constant(3)\n" in made
    assert not Compilation.from_text(made).diagnostics
