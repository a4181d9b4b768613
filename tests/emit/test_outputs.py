"""The emitted code computes what the graph says: against the interpreter, on shipped and on random networks."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import pytest
import torch
from emitted import NETWORKS, compilation, execute, load, networks, shapes, small
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from whole.interpreter import interpret
from whole.layers import without_chance

from archdsl.compiler import Compilation
from archdsl.graph.model import Network

SHIPPED = ("GoogLeNet", "GoogLeNet2014", "ResNet18", "DenseNet121", "SegNetBasic")
QUICK = [name for name in NETWORKS if "." in name or name in SHIPPED]


def compare(network: Network, module: nn.Module, images: list[Tensor], training: bool) -> None:
    state = {key: value.clone() for key, value in module.state_dict().items()}
    expected, _ = interpret(network, [image.clone() for image in images], state, training)
    with without_chance():
        result = module.train(training)(*images)
    got = result._asdict() if hasattr(result, "_asdict") else {None: result}
    assert len(got) == len(expected)
    for ours, wanted in zip(got.values(), expected.values(), strict=True):
        assert (ours is None) == (wanted is None)
        if wanted is not None:
            torch.testing.assert_close(ours, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("name", QUICK)
def test_shipped(name: str, training: bool) -> None:
    torch.manual_seed(0)
    path, network = networks()[name]
    sizes = {} if "." in name else small(name)
    images = [torch.randn(2, *shape, dtype=torch.float64) for shape in shapes(name, **sizes)]
    compare(compilation(path).network(network), load(name).double(), images, training)


# --- random networks ------------------------------------------------------------------------------------------------

CHANNELS = st.sampled_from([2, 4, 6])


@st.composite
def steps(draw: Any, depth: int) -> str:
    """A statement that keeps the map's size, on one line or over several."""
    simple = st.sampled_from(
        [
            "relu",
            "batchnorm",
            "conv(4, 1)",
            "conv(6, 3, padding=1)",
            "dropout(0.0)",
            "unit(4)",
            "unit(6, 1)",
            "conv(4, 1) -> relu",
        ]
    )
    if depth == 0:
        return str(draw(simple))
    body = draw(st.lists(steps(depth - 1), min_size=1, max_size=3))
    inner = "\n".join(body)
    branches = "\n".join(f"{{ {step} }}" for step in body)
    return str(
        draw(
            st.sampled_from(
                [
                    body[0],
                    f"residual {{ {inner}\n }} project",
                    f"residual {{ {inner}\nconv(4, 1) }} project short = conv(4, 1) -> batchnorm\n",
                    f"dense {{ {inner}\n }}",
                    f"gate {{ {inner}\nconv(1, 1) }}",
                    f"concat {{ {branches}\n }}",
                    f"concat {{ in\n{branches}\n }}",
                    f"repeat 2 {{ {inner}\n }}" if "short" not in inner else inner,
                    f"{{ {inner}\n }}",
                    f"if in.channels > 4 {{ {inner}\n }} else {{ relu }}",
                    f"for i{depth} in 0..1 {{ {inner}\n }}" if "short" not in inner else inner,
                    f"other({draw(CHANNELS)})" if depth > 1 else "relu",
                ]
            )
        )
    )


@st.composite
def specs(draw: Any) -> str:
    """A network with blocks, groups, and values that are used again."""
    other = draw(st.lists(steps(1), min_size=1, max_size=3))
    lines = []
    labels: list[str] = []
    for i, step in enumerate(draw(st.lists(steps(2), min_size=1, max_size=6))):
        if draw(st.booleans()):
            lines.append(f"v{i} = {{ {step}\n }}")
            labels.append(f"v{i}")
        else:
            lines.append(step)
        if labels and draw(st.integers(0, 3)) == 0:
            lines.append(f"concat(in, {draw(st.sampled_from(labels))})".replace("in, ", "image, "))
    body = "\n  ".join(lines)
    text = (
        "block unit(width, kernel=3) { conv = conv(width, kernel, padding=kernel // 2)\nrelu }\n"
        f"block other(width, twice=false) {{ {chr(10).join(other)}\n conv(width, 1)\n if twice {{ relu }} }}\n"
        f"network N(classes=3) {{\n  input image: [4, H=8, W=8]\n  {body}\n  output scores = conv(classes, 1)\n}}\n"
    )
    numbers = count()
    return re.sub("short", lambda _: f"short{next(numbers)}", text)  # a label is given once


@settings(max_examples=60, deadline=None)
@given(specs())
def test_random(text: str) -> None:
    """Also: nothing that is emitted is overwritten, and every parameter gets its gradient."""
    spec = Compilation.from_text(text)
    assert spec.ok, text + "\n" + "\n".join(d.message for d in spec.diagnostics)
    torch.manual_seed(0)
    module = execute(spec.compile())["N"]().double()
    image = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    before = image.clone()
    for training in (False, True):
        compare(spec.network(), module, [image], training)
    assert torch.equal(image, before)
    module.train()(image).square().sum().backward()
