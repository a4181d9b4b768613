"""What a size may be that an error leaves open, where it is one of a few: `[16, H, W]` and `[8, H, W]` added give 16 or
8 channels. What is refused with each of them is a mistake of its own; what only one of them meets may be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archdsl.sizes import Condition, Dim, Equal, Size, SizeError
from archdsl.sizes.substitution import Solved, substituted

MOST = 16  # of one condition; past them the sizes may be anything

Unknown = Mapping[str, Sequence[Dim]]  # the symbols that stand for open sizes, with what each may be; nothing: any


def of_condition(condition: Condition, unknown: Unknown) -> list[Condition] | None:
    """The condition for each of what its open sizes may be; None if that is anything."""
    found = [condition]
    for name in sorted(condition.symbols & unknown.keys()):
        found = [_with(each, name, size) for each in found for size in unknown[name]]
        if not 0 < len(found) <= MOST:
            return None
    return found


def of_dim(dim: Dim, unknown: Unknown) -> list[Dim] | None:
    """What a dim may be; None if that is anything."""
    try:
        found = of_condition(Equal(dim, 0), unknown)
    except SizeError:
        return None
    return None if found is None else [each.left for each in found if isinstance(each, Equal)]


def of_some(dims: Iterable[Dim], unknown: Unknown) -> list[Dim]:
    """What one of several dims may be; nothing if that is anything."""
    found = [of_dim(dim, unknown) for dim in dims]
    if any(each is None for each in found):
        return []
    several = list(dict.fromkeys(dim for each in found for dim in each or ()))
    return several if len(several) <= MOST else []


def _with(condition: Condition, name: str, size: Dim) -> Condition:
    """The condition with a size in the place of a symbol. Raises SizeError if that has no form."""
    if isinstance(size, int):
        return condition.given({name: int(size)})
    if not isinstance(size, Size):
        raise SizeError(f"{size} is a product of sizes")
    return substituted(condition, Solved(name, size))
