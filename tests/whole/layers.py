"""What each layer computes, in PyTorch's functions.

A layer is its name and its arguments; nothing here asks it which PyTorch code stands for it, which is what the emitter
does. `dropout` and its kin keep what `kept` says, so that two runs agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]
Result = Tensor | Sequence[Tensor]


def compute(layer: Any, given: Sequence[Tensor], own: State, training: bool, indices: bool = False) -> Result:
    """The result of one application. `own` are the layer's parameters and buffers; training replaces buffers in it."""
    if indices:
        return _pool(layer, given[0], indices=True)
    return _BY_NAME[layer.name](layer, given, own, training)


def kept(x: Tensor, p: float) -> Tensor:
    """Which of `x` a dropout keeps: a pattern in the place of chance, which depends on its shape and p only."""
    pattern = torch.arange(x.numel(), dtype=torch.float64).mul(0.6180339887).frac().reshape(x.shape)
    return (pattern >= p).to(x.dtype)


@contextmanager
def without_chance() -> Iterator[None]:
    """Makes PyTorch's dropouts, and what else draws by `bernoulli_`, keep what `kept` says."""

    def by(axes: int | None) -> Callable[..., Tensor]:
        def dropped(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
            if not training or p == 0.0:
                return x
            own = x.dim() if axes is None else axes
            mask = kept(x.new_empty(*x.shape[:own], *[1] * (x.dim() - own)), p) / (1 - p if p < 1 else 1)
            return x.mul_(mask) if inplace else x * mask

        return dropped

    def drawn(x: Tensor, p: float = 0.5) -> Tensor:
        return x.copy_(kept(x, 1 - p))

    with ExitStack() as stack:
        for name, axes in (("dropout", None), ("dropout1d", 2), ("dropout2d", 2), ("dropout3d", 2)):
            stack.enter_context(mock.patch.object(F, name, by(axes)))
        stack.enter_context(mock.patch.object(Tensor, "bernoulli_", drawn))
        yield


def _spatial(x: Tensor) -> int:
    return x.dim() - 2


def _each(value: Any, rank: int) -> list[int]:
    return [int(v) for v in value] if isinstance(value, (tuple, list)) else [int(value)] * rank


def _bordered(x: Tensor, before: Sequence[int], after: Sequence[int], mode: str, value: float = 0.0) -> Tensor:
    """F.pad counts the axes from the last one."""
    widths = [side for pair in reversed(list(zip(before, after, strict=True))) for side in pair]
    if mode != "constant":
        return F.pad(x, widths, mode=mode)
    return F.pad(x, widths, value=value)


def _conv(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    x, weight = given[0], own["weight"]
    rank = _spatial(x)
    dilation = _each(layer.dilation, rank)
    padding: Any = "same" if layer.padding == "same" else _each(layer.padding, rank)
    if layer.padding_mode != "zeros":
        before = after = padding
        if padding == "same":
            total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
            before, after = [t // 2 for t in total], [t - t // 2 for t in total]
        x, padding = _bordered(x, before, after, layer.padding_mode), 0
    function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    return function(x, weight, own.get("bias"), _each(layer.stride, rank), padding, dilation, int(layer.groups))


def _deconv(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    rank = _spatial(given[0])
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
    stride, padding, extra, dilation = (
        _each(value, rank) for value in (layer.stride, layer.padding, layer.output_padding, layer.dilation)
    )
    return function(given[0], own["weight"], own.get("bias"), stride, padding, extra, int(layer.groups), dilation)


def _pool(layer: Any, x: Tensor, indices: bool) -> Any:
    rank = _spatial(x)
    stride = layer.kernel if layer.stride is None else layer.stride
    function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1]
    kernel, stride, padding, dilation = (
        _each(value, rank) for value in (layer.kernel, stride, layer.padding, layer.dilation)
    )
    return function(x, kernel, stride, padding, dilation, bool(layer.ceil), return_indices=indices)


def _avgpool(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    rank = _spatial(given[0])
    stride = layer.kernel if layer.stride is None else layer.stride
    function = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1]
    sizes = [_each(value, rank) for value in (layer.kernel, stride, layer.padding)]
    return function(given[0], *sizes, bool(layer.ceil), bool(layer.count_include_pad))


def _adaptive(functions: Sequence[Callable[..., Tensor]], x: Tensor, size: Any) -> Tensor:
    return functions[_spatial(x) - 1](x, _each(size, _spatial(x)))


_MAXIMA = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)
_MEANS = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)


def _spp(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return torch.cat([_adaptive(_MAXIMA, given[0], n).flatten(1) for n in layer.levels], 1)


def _normalised(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    """Over the batch too for `batchnorm`, each item by itself for `instancenorm`."""
    tracks = "running_mean" in own
    mean, variance = (own[name].clone() if tracks else None for name in ("running_mean", "running_var"))
    by_item = layer.name == "instancenorm"
    weight, bias = own.get("weight"), own.get("bias")
    momentum, eps = float(layer.momentum), float(layer.eps)
    function = F.instance_norm if by_item else F.batch_norm
    out = function(given[0], mean, variance, weight, bias, training or not tracks, momentum, eps)
    if tracks and training:
        assert mean is not None and variance is not None
        own["running_mean"], own["running_var"] = mean, variance
        if not by_item:  # nn.InstanceNorm2d leaves its counter at 0
            own["num_batches_tracked"] = own["num_batches_tracked"] + 1
    return out


def _groupnorm(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return F.group_norm(given[0], int(layer.groups), own.get("weight"), own.get("bias"), float(layer.eps))


def _layernorm(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    shape = list(given[0].shape[-int(layer.dims) :])
    return F.layer_norm(given[0], shape, own.get("weight"), own.get("bias"), float(layer.eps))


def _lrn(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return F.local_response_norm(
        given[0].contiguous(), int(layer.size), float(layer.alpha), float(layer.beta), float(layer.k)
    )


def _linear(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return F.linear(given[0], own["weight"], own.get("bias"))


def _bilinear(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return F.bilinear(given[0], given[layer.other], own["weight"], own.get("bias"))


def _crop(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    x = given[0]
    size = _each(layer.size, _spatial(x)) if layer.to is None else given[layer.to].shape[2:]
    for axis, length in enumerate(size):
        if layer.offset == "center":
            start = (x.shape[axis + 2] - length) // 2
        else:
            start = _each(layer.offset, _spatial(x))[axis]
        x = torch.index_select(x, axis + 2, torch.arange(start, start + length, device=x.device))
    return x


def _pad(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    x = given[0]
    if layer.to is None:
        before = _each(layer.before, _spatial(x))
        after = before if layer.after is None else _each(layer.after, _spatial(x))
        return _bordered(x, before, after, layer.mode, layer.value)
    missing = [size - have for size, have in zip(given[layer.to].shape[2:], x.shape[2:], strict=True)]
    before = [m // 2 for m in missing]
    return _bordered(x, before, [m - b for m, b in zip(missing, before, strict=True)], "constant", layer.value)


def _upsample(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    corners = layer.align_corners if "linear" in layer.mode or layer.mode == "bicubic" else None
    if layer.to is None:
        return F.interpolate(given[0], scale_factor=float(layer.scale), mode=layer.mode, align_corners=corners)
    size = tuple(given[layer.to].shape[2:])
    return F.interpolate(given[0], size, mode=layer.mode, align_corners=corners)


def _max_unpool(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    """Zeros, and each pixel where its index says in what was pooled."""
    x, indices, size = given[0], given[layer.pool.indices], given[layer.pool.size]
    area = 1
    for length in size:
        area *= int(length)
    flat = x.new_zeros(*x.shape[:2], area)
    return flat.scatter(2, indices.flatten(2), x.flatten(2)).reshape(*x.shape[:2], *size)


def _nearest(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    x = given[0]
    for axis, n in enumerate(_each(layer.scale, _spatial(x)), 2):
        x = x.repeat_interleave(n, axis)
    return x


def _nails(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    x = given[0]
    for axis, n in enumerate(_each(layer.scale, _spatial(x)), 2):
        zeros = torch.zeros_like(x)
        x = torch.stack([x, *[zeros] * (n - 1)], axis + 1).flatten(axis, axis + 1)
    return x


def _shuffle(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    x, r = given[0], int(layer.upscale_factor)
    n, c, h, w = x.shape
    return x.reshape(n, c // (r * r), r, r, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // (r * r), h * r, w * r)


def _unshuffle(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    x, r = given[0], int(layer.downscale_factor)
    n, c, h, w = x.shape
    return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, w // r)


def _split(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Result:
    x, axis = given[0], int(layer.axis) + 1
    if layer.name == "chunk":
        return torch.chunk(x, int(layer.chunks), axis)
    parts = layer.parts
    sizes = [int(p) for p in parts] if isinstance(parts, list) else [x.shape[axis] // int(parts)] * int(parts)
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [x.narrow(axis, start, size) for start, size in zip(starts, sizes, strict=True)]


def _slice(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    axis = int(layer.axis) + 1
    stop = given[0].shape[axis] if layer.stop is None else int(layer.stop)
    return given[0].narrow(axis, int(layer.start), stop - int(layer.start))


def _permute(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return given[0].permute(0, *(int(axis) + 1 for axis in layer.order))


def _reshape(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return given[0].reshape(given[0].shape[0], *map(int, layer.dims))


def _dropout(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    """By element, or by channel (`dropout2d`), or by item (`drop_path`)."""
    x, p = given[0], float(layer.p)
    if not training or p == 0.0:
        return x
    axes = {"dropout": x.dim(), "drop_path": 1}.get(layer.name, 2)
    mask = kept(x.new_empty(*x.shape[:axes], *[1] * (x.dim() - axes)), p)
    return x * mask / (1 - p) if p < 1 else x * 0


def _prelu(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return F.prelu(given[0], own["weight"])


def _embedding(layer: Any, given: Sequence[Tensor], own: State, training: bool) -> Tensor:
    return F.embedding(given[0], own["weight"], layer.padding_idx, layer.max_norm)


def _softplus(layer: Any, x: Tensor) -> Tensor:
    return F.softplus(x, float(layer.beta), float(layer.threshold))


def _activation(function: Callable[[Any, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda layer, given, own, training: function(layer, given[0])


_BY_NAME: Mapping[str, Callable[..., Result]] = {
    "elu": _activation(lambda a, x: F.elu(x, float(a.alpha))),
    "gelu": _activation(lambda a, x: F.gelu(x, approximate=a.approximate)),
    "hardsigmoid": _activation(lambda a, x: F.hardsigmoid(x)),
    "hardswish": _activation(lambda a, x: F.hardswish(x)),
    "identity": _activation(lambda a, x: x),
    "leaky_relu": _activation(lambda a, x: F.leaky_relu(x, float(a.negative_slope))),
    "log_softmax": _activation(lambda a, x: F.log_softmax(x, int(a.axis) + 1)),
    "mish": _activation(lambda a, x: F.mish(x)),
    "prelu": _prelu,
    "relu": _activation(lambda a, x: F.relu(x)),
    "relu6": _activation(lambda a, x: F.relu6(x)),
    "selu": _activation(lambda a, x: F.selu(x)),
    "sigmoid": _activation(lambda a, x: torch.sigmoid(x)),
    "silu": _activation(lambda a, x: F.silu(x)),
    "softmax": _activation(lambda a, x: F.softmax(x, int(a.axis) + 1)),
    "softplus": _activation(_softplus),
    "tanh": _activation(lambda a, x: torch.tanh(x)),
    "conv": _conv,
    "deconv": _deconv,
    "bilinear": _bilinear,
    "embedding": _embedding,
    "linear": _linear,
    "batchnorm": _normalised,
    "groupnorm": _groupnorm,
    "instancenorm": _normalised,
    "l2norm": _activation(lambda a, x: F.normalize(x, dim=1, eps=float(a.eps))),
    "layernorm": _layernorm,
    "lrn": _lrn,
    "adaptive_avgpool": _activation(lambda a, x: _adaptive(_MEANS, x, a.size)),
    "adaptive_maxpool": _activation(lambda a, x: _adaptive(_MAXIMA, x, a.size)),
    "avgpool": _avgpool,
    "global_avgpool": _activation(lambda a, x: _adaptive(_MEANS, x, 1)),
    "global_maxpool": _activation(lambda a, x: _adaptive(_MAXIMA, x, 1)),
    "maxpool": lambda layer, given, own, training: _pool(layer, given[0], indices=False),
    "spp": _spp,
    "drop_path": _dropout,
    "dropout": _dropout,
    "dropout1d": _dropout,
    "dropout2d": _dropout,
    "dropout3d": _dropout,
    "crop": _crop,
    "pad": _pad,
    "pixel_shuffle": _shuffle,
    "pixel_unshuffle": _unshuffle,
    "upsample": _upsample,
    "chunk": _split,
    "flatten": _activation(lambda a, x: x.reshape(x.shape[0], -1)),
    "permute": _permute,
    "reshape": _reshape,
    "slice": _slice,
    "split": _split,
    "bed_of_nails": _nails,
    "max_unpool": _max_unpool,
    "nearest_unpool": _nearest,
}
