"""How the elements of a tensor lie in memory: its strides, in elements, with the batch axis first as in its shape."""

from __future__ import annotations

from math import prod

from archdsl.layers.base import Ints


def packed(shape: Ints) -> Ints:
    """The strides of a tensor that is made anew: row by row, without gaps."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def is_packed(shape: Ints, strides: Ints) -> bool:
    """Whether a tensor lies in memory as if it were made anew."""
    return all(size == 1 or stride == step for size, stride, step in zip(shape, strides, packed(shape), strict=True))


def in_rows(shape: Ints, strides: Ints) -> bool:
    """Whether all axes but the last lie in memory as one would."""
    rest = prod(shape[:-1])
    return viewed(shape, strides, (rest, shape[-1])) is not None


def kept_order(shape: Ints, strides: Ints) -> Ints:
    """The strides of what is computed element by element: without gaps, the axes in memory in the order they had."""
    order = sorted(range(len(shape)), key=lambda axis: strides[axis], reverse=True)
    found = [0] * len(shape)
    for axis, stride in zip(order, packed(tuple(shape[axis] for axis in order)), strict=True):
        found[axis] = stride
    return tuple(found)


def viewed(shape: Ints, strides: Ints, new: Ints) -> Ints | None:
    """The strides of a tensor seen in another shape of as many elements, None if it has to be copied for that."""
    runs: list[list[int]] = []  # size and smallest stride of axes that lie in memory as one would
    for size, stride in zip(shape, strides, strict=True):
        if size == 1:
            continue
        if runs and runs[-1][1] == size * stride:
            runs[-1] = [runs[-1][0] * size, stride]
        else:
            runs.append([size, stride])
    found: list[int] = []
    left, step = runs.pop() if runs else (1, 1)
    for size in reversed(new):
        if left == 1 and size != 1 and runs:
            left, step = runs.pop()
        if left % size:
            return None
        found.append(step)
        left, step = left // size, step * size
    return tuple(reversed(found))
