"""What the arithmetic of sizes refuses."""

from __future__ import annotations

# The longest table that is written out: the period of a size, or the number of sizes before its period begins.
LONGEST_TABLE = 100_000


class SizeError(Exception):
    """An operation has no exact result in the forms that sizes are kept in, or one that is too large to write out."""
