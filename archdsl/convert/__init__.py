"""Rewriting a spec into another spec: the fully convolutional form of a classifier."""

from __future__ import annotations

from archdsl.convert.fully_convolutional import fully_convolutional

__all__ = ["fully_convolutional"]
