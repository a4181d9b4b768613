"""Comparing two networks: what was added, removed and changed, layer by layer, and what that costs."""

from __future__ import annotations

from archdsl.compare.difference import Difference, compare

__all__ = ["Difference", "compare"]
