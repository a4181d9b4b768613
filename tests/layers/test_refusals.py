"""Calls that a layer refuses: the code, the text and the very argument that the caret is under."""

from __future__ import annotations

import pytest

from archdsl.compiler import Compilation
from archdsl.layers import registry

# A chain on `input x: [4, 8, 8]` → code, what the caret is under, message.
REFUSED = {
    # convolution
    "conv(8, 3, groups=3)": ("E0303", "3", "4 input channels do not divide into 3 groups"),
    "conv(9, 3, groups=2)": ("E0303", "2", "9 output channels do not divide into 2 groups"),
    "conv(8, 11)": ("E0302", "11", "a window of 11 does not fit into 8"),
    "conv(8, 13, padding=2)": ("E0302", "13", "a window of 13 does not fit into 8, padded by 2 on both sides"),
    "conv(8, 3x3x3)": ("E0301", "3x3x3", "`conv` has 2 spatial axes here, `kernel` states 3"),
    "conv(8, 3, stride=[2, 2, 1])": ("E0301", "[2, 2, 1]", "`conv` has 2 spatial axes here, `stride` states 3"),
    "conv(8, 3, padding=same, stride=2)": ("E0202", "same", "`padding=same` needs stride 1"),
    "conv(8, 3, padding=8, padding_mode=reflect)": ("E0302", "8", "a reflected border of 8 needs more than 8"),
    "conv(8, 3, padding=9, padding_mode=circular)": ("E0302", "9", "a circular border of 9 needs as much, not 8"),
    "conv(0, 3)": ("E0202", "0", "`channels` of `conv` takes an integer of at least 1, not 0"),
    "conv(8.5, 3)": (
        "E0202",
        "8.5",
        "`channels` of `conv` takes an integer of at least 1, not 8.5 (`//`, `round` and `floor` give integers)",
    ),
    "flatten -> conv(8, 3)": ("E0301", "conv", "`conv` takes [C, L], [C, H, W] or [C, D, H, W], not a vector"),
    "deconv(8, 3, output_padding=1)": ("E0202", "1", "`output_padding` is less than the stride or the dilation"),
    "deconv(8, 3, stride=2, output_padding=2)": (
        "E0202",
        "2",
        "`output_padding` is less than the stride or the dilation",
    ),
    "deconv(8, 3, padding=6)": ("E0302", "6", "a padding of 6 leaves nothing of what 8 gives"),
    "deconv(8, 2, groups=3)": ("E0303", "3", "4 input channels do not divide into 3 groups"),
    # dense
    "linear(10)": ("E0301", "linear", "`linear` takes [F] or [L, D], not a map"),
    "embedding(10, 4, padding_idx=10)": ("E0202", "10", "the ids go to 9"),
    "bilinear(3, x)": ("E0301", "bilinear", "`bilinear` takes [F] and [G], or [L, F] and [L, G]"),
    "bilinear(3, nowhere)": ("E0101", "nowhere", "no value is called `nowhere`"),
    # normalise
    "batchnorm(momentum=2)": ("E0202", "2", "`momentum` of `batchnorm` takes a number from 0 to 1, not 2"),
    "layernorm(dims=4)": ("E0202", "4", "`layernorm` has 3 dims here, not 4"),
    "groupnorm(3)": ("E0303", "3", "4 channels do not divide into 3 groups"),
    "flatten -> lrn(5)": ("E0301", "lrn", "`lrn` takes [C, L], [C, H, W] or [C, D, H, W], not a vector"),
    "global_avgpool -> instancenorm": (
        "E0302",
        "instancenorm",
        "`instancenorm` needs more than one position to normalise over",
    ),
    "global_avgpool -> groupnorm(4)": (
        "E0302",
        "groupnorm",
        "`groupnorm` needs more than one value in each group to normalise over",
    ),
    "global_avgpool -> flatten -> groupnorm(4)": (
        "E0302",
        "groupnorm",
        "`groupnorm` needs more than one value in each group to normalise over",
    ),
    "global_avgpool -> batchnorm(track_running_stats=false)": (
        "E0302",
        "batchnorm",
        "`batchnorm` without running statistics needs more than one position: a batch may be of one item",
    ),
    # activate
    "softmax(axis=3)": ("E0202", "3", "`softmax` has 3 dims here, so its axis is at most 2"),
    "flatten -> log_softmax(1)": ("E0202", "1", "`log_softmax` has 1 dim here, so its axis is at most 0"),
    "leaky_relu(-0.1)": ("E0202", "-0.1", "`negative_slope` of `leaky_relu` takes a number of at least 0, not -0.1"),
    "gelu(approximate=exact)": ("E0202", "exact", '`approximate` of `gelu` takes "none" or "tanh", not `exact`'),
    "relu(1)": ("E0201", "1", "`relu` takes no arguments"),
    # pool
    "maxpool(2, padding=2)": ("E0202", "2", "the padding is at most half of the kernel, so 1 here, not 2"),
    "maxpool(2, padding=2, dilation=3)": ("E0202", "2", "the padding is at most half of the kernel, so 1 here, not 2"),
    "avgpool(3, padding=2)": ("E0202", "2", "the padding is at most half of the kernel, so 1 here, not 2"),
    "maxpool(3, dilation=5)": ("E0302", "3", "a window of 11 does not fit into 8"),
    "adaptive_maxpool(2x2x2)": ("E0301", "2x2x2", "`adaptive_maxpool` has 2 spatial axes here, `size` states 3"),
    "spp([])": ("E0202", "[]", "`levels` of `spp` takes a list, each item an integer of at least 1, not []"),
    "flatten -> spp([1])": ("E0301", "spp", "`spp` takes [C, H, W], not 1 dim"),
    # regularise
    "dropout(1.5)": ("E0202", "1.5", "`p` of `dropout` takes a number from 0 to 1, not 1.5"),
    "dropout1d": ("E0301", "dropout1d", "`dropout1d` takes [C, L]"),
    "drop_path": ("E0201", "drop_path", "`drop_path` needs `p`"),
    # resample
    "upsample": ("E0301", "upsample", "`upsample` takes either `scale` or `to`"),
    "upsample(2, to=x)": ("E0301", "upsample", "`upsample` takes either `scale` or `to`"),
    "upsample(2, mode=linear)": (
        "E0202",
        "linear",
        "for 2 spatial axes `mode` is one of nearest, nearest-exact, area, bilinear, bicubic",
    ),
    "upsample(2, align_corners=true)": (
        "E0202",
        "true",
        "`align_corners` is for linear, bilinear, bicubic, trilinear",
    ),
    "upsample(0.3)": (
        "E0202",
        "0.3",
        "`scale` of `upsample` takes a positive number, whole or a multiple of 1/64, of at most 1024, not 0.3",
    ),
    "upsample(0.0625)": ("E0302", "0.0625", "0.0625 times 8 is less than one"),
    "pixel_shuffle(3)": ("E0303", "3", "4 channels do not divide into groups of 3x3"),
    "pixel_unshuffle(3)": ("E0303", "3", "8 is no multiple of 3"),
    "crop(9)": ("E0302", "9", "a part of 9 does not lie within 8"),
    "crop(4, offset=5)": ("E0302", "4", "a part of 4 from 5 on does not lie within 8"),
    "pad(8, mode=reflect)": ("E0302", "8", "a reflected border of 8 needs more than 8"),
    "pad(1, to=x)": ("E0301", "pad", "`pad` takes either a border or `to`"),
    # reshape
    "reshape([3, 5])": ("E0310", "[3, 5]", "`reshape` to 15 elements of 256"),
    "reshape([-1, -1])": ("E0202", "[-1, -1]", "`reshape` takes positive dims, and -1 once at most"),
    "reshape([3, -1])": ("E0310", "[3, -1]", "256 elements do not divide into rows of 3"),
    "permute([0, 1, 1])": ("E0202", "[0, 1, 1]", "`permute` names each of the axes 0, 1, 2 once"),
    "split(3)": ("E0303", "3", "4 does not divide into 3 equal parts"),
    "split([1, 2])": ("E0310", "[1, 2]", "the parts add up to 3, not 4"),
    "slice(3, 2)": ("E0202", "2", "`stop` comes after `start`"),
    "slice(0, 5)": ("E0302", "5", "there is no position 4 in 4, counted from 0"),
}


@pytest.mark.parametrize("chain", REFUSED)
def test_refused(chain: str) -> None:
    (found,) = Compilation.from_text(f"network N {{\n  input x: [4, 8, 8]\n  {chain}\n}}\n").diagnostics
    assert (found.code, found.span.text, found.message) == REFUSED[chain]


# A chain on `input x: [4, H, W]`, all of whose sizes it refuses or needs to know → the same.
UNKNOWN = {
    "flatten -> linear(10)": (
        "E0305",
        "linear",
        "`linear` needs a fixed number of features, but this depends on the input's size",
    ),
    "layernorm": ("E0305", "layernorm", "`layernorm` needs a fixed size, but this is W"),
    "chunk(3, axis=1)": ("E0305", "chunk", "`chunk` needs a fixed size, but this is H"),
}


@pytest.mark.parametrize("chain", UNKNOWN)
def test_a_size_has_to_be_known(chain: str) -> None:
    (found,) = Compilation.from_text(f"network N {{\n  input x: [4, H, W]\n  {chain}\n}}\n").diagnostics
    assert (found.code, found.span.text, found.message) == UNKNOWN[chain]


@pytest.mark.parametrize("name", registry.LATER)
def test_not_yet(name: str) -> None:
    """A layer of the language that is not built yet says so, and of which family it is."""
    (found,) = Compilation.from_text(f"network N {{\n  input x: [4, 8, 8]\n  {name}\n}}\n").diagnostics
    assert (found.code, found.span.text, found.message) == ("E0601", name, f"`{name}` is not supported yet")
    assert registry.find(name) is None
