"""A text that is right, and what is said of it with one change."""

from __future__ import annotations

from functools import cache

import pytest

from archdsl.compiler import Compilation
from archdsl.emit import torch
from archdsl.validate import Mismatch, Validation

SPEC = """
block unit(width, stride=1) {
  residual {
    conv1 = conv(width, 3, stride=stride, padding=1, bias=false)
    bn1 = batchnorm
    relu
    conv2 = conv(width, 3, padding=1, bias=false)
  } project down = conv(width, 1, stride=stride, bias=false) -> batchnorm
  relu
}
network Net(classes=3, width=4) {
  input image: [3, H=16, W=12]
  stem = conv(width, 3, padding=1)
  stage1 = unit(width)
  stage2 = unit(2 * width, stride=2)
  branches = concat { one = conv(2, 1); two = conv(3, 3, padding=1); maxpool(3, stride=1, padding=1) }
  gate { global_avgpool -> conv(in.channels, 1) -> sigmoid }
  training { output aux = stage1 -> global_avgpool -> flatten -> linear(classes) }
  tail = { a = conv(8, 1) -> relu; pool = maxpool(2); b = conv(8, 3, padding=1); max_unpool(pool) }
  shared head = conv(2, 1)
  small = head
  less = tail -> maxpool(2)
  again = less -> head
  residual { conv(2, 3, padding=1) -> dropout(0.5) }
  add { upsample(to=small); small }
  output main = global_avgpool -> flatten -> linear(classes)
  init conv: kaiming_normal(mode="fan_out")
  init stem.bias: constant(0.5)
  init linear: normal(std=0.01)
}
"""


@cache
def emitted(text: str) -> str:
    return Compilation.from_text(text, "net.arch").compile()


def check(text: str, spec: str = SPEC) -> None:
    network = Compilation.from_text(spec, "net.arch").network()
    Validation(text, network, torch.SUPPORTS).check(network, {})


def assert_noticed(spec: str, old: str, new: str, said: str) -> None:
    text = emitted(spec)
    assert old in text
    with pytest.raises(Mismatch) as error:
        check(text.replace(old, new), spec)
    assert said in str(error.value)
