"""What a network is run with, and its shape rules on numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archdsl.layers.base import Ints, Shape, ShapeError
from archdsl.sizes import Dim, evaluate


@dataclass(frozen=True)
class Setting:
    """What a network is run with: the sizes of the input's symbols, the batch and the mode."""

    sizes: Mapping[str, int]
    batch: int
    training: bool
    _dims: dict[Dim, int] = field(default_factory=dict, compare=False)

    def shape(self, shape: Shape) -> Ints:
        return tuple(dim if isinstance(dim, int) else self._at(dim) for dim in shape)

    def _at(self, dim: Dim) -> int:
        found = self._dims.get(dim)
        if found is None:
            found = self._dims[dim] = evaluate(dim, self.sizes)
        return found


class Fixed:
    """What a shape rule needs, at numbers. Raises ShapeError."""

    def at_least(self, size: Dim, minimum: int, why: Any, **_: Any) -> None:
        if evaluate(size, {}) < minimum:
            raise ShapeError(str(why))

    def equal(self, left: Dim, right: Dim, why: Any, **_: Any) -> None:
        if left != right:
            raise ShapeError(str(why))

    def divisible(self, size: Dim, by: int, why: Any, **_: Any) -> None:
        if evaluate(size, {}) % by:
            raise ShapeError(str(why))
