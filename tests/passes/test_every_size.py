"""What is found for every size at once is what is found at each size: shapes, and whether a network takes it at all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.compiler import Compilation, accepted
from archdsl.passes.cost import Cost

STEPS = st.sampled_from(
    [
        "relu",
        "conv(4, 3)",
        "conv(4, 3, padding=1)",
        "conv(4, 5, stride=2, padding=1)",
        "conv(4, 3, dilation=2)",
        "maxpool(2)",
        "maxpool(3, stride=2, ceil=true)",
        "maxpool(2, stride=3, padding=1, ceil=true)",
        "avgpool(3, stride=2, padding=1)",
        "deconv(4, 4, stride=2, padding=1)",
        "upsample(2)",
        "pixel_unshuffle(2) -> conv(4, 1)",
        "crop(3)",
        'pad(1, mode="reflect")',
        "residual { conv(4, 3, padding=1) -> relu }",
        "concat { maxpool(2); conv(4, 3, stride=2, padding=1) }\nconv(4, 1)",
        "add { maxpool(2); conv(4, 2, stride=2) }",
    ]
)


def spec(steps: list[str], height: str) -> Compilation:
    body = "\n  ".join(steps)
    return Compilation.from_text(f"network Net {{\n  input x: [4, {height}, 64]\n  {body}\n}}\n")


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=6), st.integers(1, 80))
def test_shapes_and_accepted_sizes(steps: list[str], height: int) -> None:
    fixed = spec(steps, str(height))
    symbolic = spec(steps, "H")
    if not symbolic.ok:
        assert not fixed.ok, "what fits no size does not fit this one"
        return
    network = symbolic.network()
    assert accepted(network).contains({"H": height}) == fixed.ok
    if fixed.ok:
        at_height = Cost(network, {"H": height})
        there = fixed.network().scope.results[0].value.shape
        assert at_height.shape(network.scope.results[0].value.shape) == there
        assert at_height.macs == Cost(fixed.network()).macs
