"""Sizes of tensors as exact functions of the input's size, each in one normal form."""

from __future__ import annotations

from archdsl.sizes.arithmetic import ceil_div, evaluate, is_fixed, largest, product, smallest, symbols
from archdsl.sizes.conditions import Among, AtLeast, Condition, Divisible, Equal
from archdsl.sizes.domain import Domain
from archdsl.sizes.errors import SizeError
from archdsl.sizes.poly import Poly
from archdsl.sizes.size import Dim, Size, symbol

__all__ = [
    "Among",
    "AtLeast",
    "Condition",
    "Dim",
    "Divisible",
    "Domain",
    "Equal",
    "Poly",
    "Size",
    "SizeError",
    "ceil_div",
    "evaluate",
    "is_fixed",
    "largest",
    "product",
    "smallest",
    "symbol",
    "symbols",
]
