"""The language page's examples must read the way they stand there."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.diagnostics import Sink
from archdsl.source import Source
from archdsl.syntax import parse

ALEXNET = """\
# AlexNet's two towers, each on its own GPU, meeting where the paper lets them meet.
network AlexNet(classes=1000) {
  input image: [3, 227, 227]
  stem = concat {
    for g in 0..1 {
      tower[g] = { conv(48, 11, stride=4) -> relu -> lrn(5, k=2) -> maxpool(3, stride=2)
                   conv(128, 5, padding=2) -> relu -> lrn(5, k=2) -> maxpool(3, stride=2) } on gpu(g)
    }
  }
  flatten
  fc6 = concat { for g in 0..1 { half[g] = dropout(0.5) -> linear(2048) -> relu on gpu(g) } }
  fc8 = linear(classes)
  expect params == 60_965_224
}
"""

RESNET = """\
block basic(width, stride=1) {
  residual {
    conv1 = conv(width, 3, stride=stride, padding=1, bias=false)
    bn1 = batchnorm
    relu
    conv2 = conv(width, 3, padding=1, bias=false)
    bn2 = batchnorm
  } project downsample = conv(width, 1, stride=stride, bias=false) -> batchnorm
  relu
}
"""

DENSENET = """\
network DenseNet(growth=32, depths=[6, 12, 24, 16], classes=1000) {
  input image: [3, H=224, W=224]
  features = {
    conv0 = conv(2 * growth, 7, stride=2, padding=3, bias=false)
    pool0 = maxpool(3, stride=2, padding=1)
    for i, depth in enumerate(depths, 1) {
      denseblock[i] = { for j in 1..depth { denselayer[j] = dense_layer(growth) } }
      if i < len(depths) { transition[i] = transition(in.channels // 2) }
    }
    norm5 = batchnorm
  }
  relu -> global_avgpool -> flatten
  classifier = linear(classes)
}
"""

GOOGLENET = '''\
block inception(c1, r3, c3, r5, c5, pool): [C, H, W] -> [c1 + c3 + c5 + pool, H, W] {
  concat {
    branch1 = conv_bn(c1, 1)
    branch2 = conv_bn(r3, 1) -> conv_bn(c3, 3, padding=1)
    branch4 = maxpool(3, stride=1, padding=1, ceil=true) -> conv_bn(pool, 1)
  }
}

network GoogLeNet(classes=1000) {
  """Going Deeper with Convolutions, Szegedy et al., 2014."""
  input image: [3, H=224, W=224]

  conv1 = conv_bn(64, 7, stride=2, padding=3)
  maxpool(3, stride=2, ceil=true)
  inception3b: [480, _, _] = inception(128, 128, 192, 32, 96, 64)
  training {
    output aux1 = inception4a -> aux_head(classes)
    output aux2 = inception4d -> aux_head(classes)
  }
  fc = linear(classes)

  expect params == 6_624_904
  expect macs at 224x224 <= 1.6G
}
'''


@pytest.mark.parametrize("text", [ALEXNET, RESNET, DENSENET, GOOGLENET])
def test_parses(text: str) -> None:
    sink = Sink()
    definitions = parse(Source("page.arch", text), sink).definitions
    assert list(sink) == []
    assert text.endswith(definitions[-1].span.text + "\n")


def test_two_lines_of_a_tower_are_two_statements() -> None:
    (network,) = parse(Source("page.arch", ALEXNET), Sink()).definitions
    stem: Any = network.body.statements[1]
    tower = stem.chain.steps[0].body.statements[0].body.statements[0]
    assert len(tower.chain.steps[0].body.statements) == 2
    assert tower.place.span.text == "on gpu(g)"
