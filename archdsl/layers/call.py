"""How a layer says what PyTorch code stands for it: names and values, never text from a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Operand:
    """Stands for the layer's i-th input in a `Call` of the function form, or for an attribute of it (`shape[2:]`)."""

    index: int
    attribute: str = ""


X = Operand(0)


@dataclass(frozen=True)
class Call:
    """A call such as `nn.Conv2d(64, 128, 3, padding=1)`.

    `func` is a dotted name of torch (`nn.Conv2d`, `F.relu`, `torch.flatten`), a method of the first operand
    (`.reshape`), or a name that `support` defines. Values are ints, floats, bools, strings, None, and tuples or lists
    of those; operands in the function form only. `factory` says that it takes `device=`.
    """

    func: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    support: str = ""
    factory: bool = False
