"""Random programs that mean the same twice: as the text of a spec, and as calls of torch that know nothing of archdsl.

A program is a list of statements, each a chain of steps, from the value before or from a labelled one. Each step has
its text in a spec and a function on tensors. All values have four channels, so that nothing but sizes can disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import Tensor

CHANNELS = 4
LAYERS = 12  # of a program, at most


@dataclass
class State:
    """What a run of a program has named so far: values; and for each pooling its indices, arguments and input size."""

    values: dict[str, Tensor] = field(default_factory=dict)
    pooled: dict[str, tuple[Tensor, tuple[int, int, int], torch.Size]] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One layer or combinator. `run` raises RuntimeError or ValueError where torch does."""

    text: str
    run: Callable[[Tensor, State], Tensor]
    layers: int = 1

    def __call__(self, x: Tensor, state: State) -> Tensor:
        """Applies it. A map with nothing in it is refused: the CPU does so, the meta device does not always."""
        out = self.run(x, state)
        if 0 in out.shape:
            raise RuntimeError("nothing is left")
        return out


@dataclass(frozen=True)
class Statement:
    label: str
    start: str | None
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        parts = [*([self.start] if self.start else []), *(step.text for step in self.steps)]
        return f"{self.label} = {' -> '.join(parts)}"

    def run(self, x: Tensor, state: State) -> Tensor:
        x = state.values[self.start] if self.start else x
        for step in self.steps:
            x = step(x, state)
        state.values[self.label] = x
        return x


@dataclass(frozen=True)
class Program:
    statements: tuple[Statement, ...]
    square: bool

    @property
    def text(self) -> str:
        body = "\n".join(f"  {statement.text}" for statement in self.statements)
        outputs = "\n".join(f"  output {statement.label}" for statement in self.statements)
        return f"network Net {{\n  input x: [{CHANNELS}, H, {'H' if self.square else 'W'}]\n{body}\n{outputs}\n}}\n"

    def run(self, height: int, width: int, device: str) -> list[tuple[int, ...]] | None:
        """The shape of every labelled value, without the batch; None where torch refuses the size."""
        x = torch.zeros(1, CHANNELS, height, width, device=device)
        state = State({"x": x})
        try:
            with torch.inference_mode():
                for statement in self.statements:
                    x = statement.run(x, state)
        except (RuntimeError, ValueError):
            return None
        return [tuple(state.values[statement.label].shape[1:]) for statement in self.statements]

    def __repr__(self) -> str:
        return f"\n{self.text}"


@cache
def weight(kernel: int, channels: int, device: str) -> Tensor:
    return torch.zeros(CHANNELS, channels, kernel, kernel, device=device)


def _on(x: Tensor, kernel: int, channels: int = CHANNELS) -> Tensor:
    return weight(kernel, channels, x.device.type)


def joined(values: Sequence[Tensor]) -> Tensor:
    """In place of the sum of values of one shape; a spec's `add` does not broadcast, so what torch would is refused."""
    if len({value.shape for value in values}) > 1:
        raise RuntimeError("shapes differ")
    return values[0]


# --- one layer ----------------------------------------------------------------------------------------------------

kernels = st.integers(1, 5)
strides = st.sampled_from([1, 1, 2, 2, 3])


@st.composite
def convolutions(draw: Any) -> Step:
    k, s, p, d = draw(kernels), draw(strides), draw(st.integers(0, 3)), draw(st.sampled_from([1, 1, 1, 2, 3]))
    options = f"stride={s}, padding={p}, dilation={d}"
    return Step(
        f"conv({CHANNELS}, {k}, {options})",
        lambda x, state: F.conv2d(x, _on(x, k), stride=s, padding=p, dilation=d),
    )


@st.composite
def deconvolutions(draw: Any) -> Step:
    k, s, p, d = draw(kernels), draw(strides), draw(st.integers(0, 2)), draw(st.sampled_from([1, 1, 2]))
    extra = draw(st.integers(0, max(s, d) - 1))
    return Step(
        f"deconv({CHANNELS}, {k}, stride={s}, padding={p}, output_padding={extra}, dilation={d})",
        lambda x, state: F.conv_transpose2d(x, _on(x, k), stride=s, padding=p, output_padding=extra, dilation=d),
    )


@st.composite
def poolings(draw: Any) -> Step:
    k, s = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    p, ceil = draw(st.integers(0, k // 2)), draw(st.booleans())
    text = f"({k}, stride={s}, padding={p}, ceil={str(ceil).lower()})"
    if draw(st.booleans()):
        return Step("avgpool" + text, lambda x, state: F.avg_pool2d(x, k, s, p, ceil))
    d = draw(st.sampled_from([1, 1, 2]))
    return Step(f"maxpool{text[:-1]}, dilation={d})", lambda x, state: _dilated_pool(x, k, s, p, d, ceil))


def _dilated_pool(x: Tensor, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> Tensor:
    """Raises RuntimeError where a window steps over a small map, of which torch makes -inf without a word."""
    if min(x.shape[-2:]) < dilation:
        small = torch.zeros(1, 1, *(min(size, 4 * dilation) for size in x.shape[-2:]))
        if not F.max_pool2d(small, kernel, stride, padding, dilation, ceil).isfinite().all():
            raise RuntimeError("a window without an element")
    return F.max_pool2d(x, kernel, stride, padding, dilation, ceil)


@st.composite
def resamplings(draw: Any) -> Step:
    scale = draw(st.sampled_from([2, 3, 1.5, 0.5, 2.25]))
    mode = draw(st.sampled_from(["nearest", "bilinear"]))

    def run(x: Tensor, state: State) -> Tensor:
        # On the meta device, bilinear interpolation takes 13 ms; its rule of sizes is the same.
        return F.interpolate(x, scale_factor=scale, mode="nearest" if x.is_meta else mode)

    return Step(f'upsample({scale}, mode="{mode}")', run)


def _nailed(x: Tensor, n: int) -> Tensor:
    out = x.new_zeros(*x.shape[:2], x.shape[2] * n, x.shape[3] * n)
    out[:, :, ::n, ::n] = x
    return out


def _cropped(x: Tensor, size: Sequence[int], offset: int | None) -> Tensor:
    for axis, length in enumerate(size, 2):
        start = (x.shape[axis] - length) // 2 if offset is None else offset
        if start < 0 or start + length > x.shape[axis]:
            raise RuntimeError("the part lies outside")
        x = x.narrow(axis, start, length)
    return x


def _padded(x: Tensor, size: Sequence[int]) -> Tensor:
    missing = [length - have for length, have in zip(size, x.shape[2:], strict=True)]
    if min(missing) < 0:
        raise RuntimeError("too small")
    (top, left) = (each // 2 for each in missing)
    return F.pad(x, (left, missing[1] - left, top, missing[0] - top))


RELU = Step("relu", lambda x, state: x)  # the meta device takes its time for what changes no size
DOUBLED = Step("nearest_unpool(2)", lambda x, state: x.repeat_interleave(2, 2).repeat_interleave(2, 3))
NAILED = Step("bed_of_nails(2)", lambda x, state: _nailed(x, 2))
simple = st.one_of(
    convolutions(),
    convolutions(),
    deconvolutions(),
    poolings(),
    poolings(),
    resamplings(),
    st.sampled_from(
        [
            RELU,
            DOUBLED,
            NAILED,
            Step("crop(5)", lambda x, state: _cropped(x, (5, 5), None)),
            Step("crop(3, offset=2)", lambda x, state: _cropped(x, (3, 3), 2)),
            Step("pad(2)", lambda x, state: F.pad(x, (2, 2, 2, 2))),
            Step('pad(1, mode="reflect")', lambda x, state: F.pad(x, (1, 1, 1, 1), mode="reflect")),
            Step('pad(2, mode="circular")', lambda x, state: F.pad(x, (2, 2, 2, 2), mode="circular")),
            Step("pixel_unshuffle(2) -> conv(4, 1)", lambda x, state: F.pixel_unshuffle(x, 2)[:, :CHANNELS], 2),
            Step("conv(16, 1) -> pixel_shuffle(2)", lambda x, state: F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2), 2),
            Step("groupnorm(4)", lambda x, state: F.group_norm(x, 4)),
            Step("instancenorm", lambda x, state: F.instance_norm(x)),
            Step("gate { global_avgpool }", lambda x, state: x * x.mean((2, 3), keepdim=True)),
            Step("conv(4, 4, padding=same)", lambda x, state: F.conv2d(x, _on(x, 4), padding="same")),
        ]
    ),
)


# --- several ------------------------------------------------------------------------------------------------------


def conv(k: int, s: int = 1, p: int = 0, d: int = 1) -> Step:
    return Step(
        f"conv({CHANNELS}, {k}, stride={s}, padding={p}, dilation={d})",
        lambda x, state: F.conv2d(x, _on(x, k), stride=s, padding=p, dilation=d),
    )


def deconv(k: int, s: int, p: int = 0, extra: int = 0) -> Step:
    return Step(
        f"deconv({CHANNELS}, {k}, stride={s}, padding={p}, output_padding={extra})",
        lambda x, state: F.conv_transpose2d(x, _on(x, k), stride=s, padding=p, output_padding=extra),
    )


def maxpool(k: int, s: int, p: int = 0, ceil: bool = False) -> Step:
    return Step(
        f"maxpool({k}, stride={s}, padding={p}, ceil={str(ceil).lower()})",
        lambda x, state: F.max_pool2d(x, k, s, p, ceil_mode=ceil),
    )


# Steps that change sizes in nearly the same way, so that a join of any two is accepted for many sizes, or for all.
ALIKE = [
    [conv(3, p=1), conv(5, p=2), conv(3, p=2, d=2), conv(1), maxpool(3, 1, 1), deconv(3, 1, 1), RELU],
    [conv(3, 2, 1), conv(5, 2, 2), conv(2, 2), conv(1, 2), maxpool(2, 2), maxpool(2, 2, ceil=True), maxpool(3, 2, 1),
     maxpool(3, 2, ceil=True), maxpool(2, 2, 1), conv(4, 2, 1), conv(3, 2, 2, 2)],
    [deconv(2, 2), deconv(4, 2, 1), deconv(3, 2, 1, 1), deconv(3, 2, 1), DOUBLED, NAILED],
    [conv(3, 3, 1), maxpool(3, 3), maxpool(3, 3, ceil=True), conv(5, 3, 1), conv(1, 3)],
]  # fmt: skip
there_and_back = st.builds(
    lambda down, middle, up: (down, *middle, up),
    st.sampled_from(ALIKE[1]),
    st.lists(st.sampled_from(ALIKE[0]), max_size=1),
    st.sampled_from(ALIKE[2]),
)
keeping = st.one_of(st.lists(st.sampled_from(ALIKE[0]), min_size=1, max_size=2).map(tuple), there_and_back)


@st.composite
def alike(draw: Any, count: int) -> list[tuple[Step, ...]]:
    """Branches that end in nearly the same size."""
    family = draw(st.sampled_from([None, *ALIKE[1:]]))
    if family is None:
        return [draw(keeping) for _ in range(count)]
    return [
        (*draw(st.lists(st.sampled_from(ALIKE[0]), max_size=1)), draw(st.sampled_from(family))) for _ in range(count)
    ]


def _chained(steps: Sequence[Step], x: Tensor, state: State) -> Tensor:
    for step in steps:
        x = step(x, state)
    return x


def _text(steps: Sequence[Step]) -> str:
    return " -> ".join(step.text for step in steps)


@st.composite
def joins(draw: Any, inner: st.SearchStrategy[Step]) -> Step:
    count = draw(st.integers(2, 3))
    wild = draw(st.integers(0, 4)) == 0
    branches: list[Sequence[Step]] = (
        [draw(st.lists(inner, min_size=1, max_size=3)) for _ in range(count)] if wild else list(draw(alike(count)))
    )
    layers = sum(step.layers for branch in branches for step in branch)
    body = "; ".join(map(_text, branches))
    if draw(st.booleans()):
        return Step(
            f"add {{ {body} }}", lambda x, state: joined([_chained(branch, x, state) for branch in branches]), layers
        )

    def concat(x: Tensor, state: State) -> Tensor:
        return torch.cat([_chained(branch, x, state) for branch in branches], 1)[:, :CHANNELS]

    return Step(f"concat {{ {body} }} -> conv({CHANNELS}, 1)", concat, layers + 1)


@st.composite
def skips(draw: Any, inner: st.SearchStrategy[Step]) -> Step:
    body = draw(st.lists(inner, min_size=1, max_size=3) if draw(st.integers(0, 4)) == 0 else keeping)
    layers = sum(step.layers for step in body)
    if draw(st.booleans()):
        return Step(f"residual {{ {_text(body)} }}", lambda x, state: joined([x, _chained(body, x, state)]), layers)

    def dense(x: Tensor, state: State) -> Tensor:
        return torch.cat([x, _chained(body, x, state)], 1)[:, :CHANNELS]

    return Step(f"dense {{ {_text(body)} }} -> conv({CHANNELS}, 1)", dense, layers + 1)


@st.composite
def repeated(draw: Any, inner: st.SearchStrategy[Step]) -> Step:
    body, times = draw(st.lists(inner, min_size=1, max_size=2)), draw(st.integers(1, 3))
    layers = times * sum(step.layers for step in body)
    return Step(f"repeat {times} {{ {_text(body)} }}", lambda x, state: _chained(body * times, x, state), layers)


steps = st.recursive(simple, lambda inner: st.one_of(joins(inner), skips(inner), repeated(inner)), max_leaves=6)


def towards(label: str) -> st.SearchStrategy[Step]:
    """A layer that gives its input the size of a labelled value, or joins it with that value."""
    return st.sampled_from(
        [
            Step(f"crop(to={label})", lambda x, state: _cropped(x, state.values[label].shape[2:], None)),
            Step(f"crop(to={label}, offset=1)", lambda x, state: _cropped(x, state.values[label].shape[2:], 1)),
            Step(f"pad(to={label})", lambda x, state: _padded(x, state.values[label].shape[2:])),
            Step(f"upsample(to={label})", lambda x, state: F.interpolate(x, state.values[label].shape[2:])),
            Step(f"add {{ identity; {label} }}", lambda x, state: joined([x, state.values[label]])),
        ]
    )


def unpooling(label: str) -> Step:
    def run(x: Tensor, state: State) -> Tensor:
        indices, (k, s, p), size = state.pooled[label]
        if x.shape != indices.shape:
            raise RuntimeError("shapes differ")
        return F.max_unpool2d(x, indices, k, s, p, output_size=size[2:])

    return Step(f"max_unpool({label})", run)


@st.composite
def undone(draw: Any, label: str) -> Step:
    """A max pooling whose indices a later unpooling takes."""
    k = draw(st.integers(1, 4))
    s, p, ceil = draw(st.integers(1, 3)), draw(st.integers(0, k // 2)), draw(st.booleans())

    def run(x: Tensor, state: State) -> Tensor:
        out, indices = F.max_pool2d(x, k, s, p, ceil_mode=ceil, return_indices=True)
        state.pooled[label] = (indices, (k, s, p), x.shape)
        return out

    return Step(f"maxpool({k}, stride={s}, padding={p}, ceil={str(ceil).lower()})", run)


@st.composite
def programs(draw: Any) -> Program:
    statements: list[Statement] = []
    pools: list[str] = []
    left = LAYERS
    for i in range(draw(st.integers(1, 5))):
        label = f"v{i}"
        known = ["x", *(statement.label for statement in statements)]
        start = draw(st.one_of(st.none(), st.sampled_from(known)))
        kind = draw(st.sampled_from(["steps", "steps", "towards", "pool", "unpool"]))
        found: list[Step] = []
        if kind == "pool":
            found = [draw(undone(label))]
            pools.append(label)
        elif kind == "unpool" and pools:
            found = [*draw(st.lists(simple, max_size=1)), unpooling(draw(st.sampled_from(pools)))]
        elif kind == "towards" and statements:
            found = [*draw(st.lists(steps, max_size=2)), draw(towards(draw(st.sampled_from(known[:-1]))))]
        else:
            found = draw(st.lists(steps, min_size=1, max_size=3))
        count = sum(step.layers for step in found)
        if count > left:
            break
        left -= count
        statements.append(Statement(label, start, tuple(found)))
    if not statements:
        statements.append(Statement("v0", None, (draw(simple),)))
    return Program(tuple(statements), draw(st.sampled_from([False, False, False, True])))
