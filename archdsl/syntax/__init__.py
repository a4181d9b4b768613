"""From text to tree."""

from archdsl.syntax.parse import parse

__all__ = ["parse"]
