"""Maxima of nothing: a window that dilation lets step over the whole map."""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F

from archdsl.compiler import Compilation, accepted


def finite(length: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> bool:
    """Whether PyTorch pools a map of this length, and each window has an element."""
    try:
        found = F.max_pool1d(torch.zeros(1, 1, length), kernel, stride, padding, dilation, ceil)
    except RuntimeError:
        return False
    return found.numel() > 0 and bool(torch.isfinite(found).all())


def test_every_window_has_an_element() -> None:
    refused = 0
    for kernel, stride, padding, dilation, ceil in product((2, 3, 4), (1, 2), (1, 2), (1, 2, 3, 5), (False, True)):
        if padding > kernel // 2:
            continue
        call = f"maxpool({kernel}, stride={stride}, padding={padding}, dilation={dilation}, ceil={str(ceil).lower()})"
        domain = accepted(Compilation.from_text(f"network Net {{ input x: [1, L]; {call} }}").network())
        for length in range(1, 21):
            expected = finite(length, kernel, stride, padding, dilation, ceil)
            assert domain.contains({"L": length}) is expected, f"{call} at {length}"
            refused += not expected
    assert refused
