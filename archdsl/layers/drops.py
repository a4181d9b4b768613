"""What autograd keeps where something is dropped at random."""

from __future__ import annotations

from archdsl.layers.base import Kept


def dropped(p: float, factors: int) -> Kept:
    """The factors by which is multiplied: `factors` of them for one item.

    At p = 0 PyTorch hands its input on, and at 1 it multiplies by one zero. A GPU keeps a byte for a factor instead.
    """
    if p == 0:
        return Kept((), same=True)
    return Kept((), fixed=1) if p == 1 else Kept((), factors)
