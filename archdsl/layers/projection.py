"""The 1x1 convolution that a bare `project` stands for."""

from __future__ import annotations

from archdsl.layers.base import Layer, Shape
from archdsl.layers.convolution.conv import Conv

MAX_STRIDE = 64


def projection(source: Shape, target: Shape, said: int | None = None) -> Layer | None:
    """The bias-free 1x1 convolution, strided if need be, that takes `source` to `target` for every size, or None.

    `said` is the stride as a traced number, where it is known.

    Option B of He et al., Deep Residual Learning, 2015, §3.3.
    """
    if len(source) != len(target) or not 2 <= len(source) <= 4 or not isinstance(target[0], int):
        return None
    for stride in range(1, MAX_STRIDE + 1):
        if all((x - 1) // stride + 1 == y for x, y in zip(source[1:], target[1:], strict=True)):
            if said is None:
                said = stride
            # One that is said stays, though it is 1 here: it may be another elsewhere.
            options = {"stride": said} if stride > 1 or type(said) is not int else {}
            return Conv({"channels": target[0], "kernel": 1, "bias": False, **options})
    return None
