"""Sets of sizes as the condition that a `where` would state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archdsl.sizes.conditions import Condition, Divisible
from archdsl.sizes.naturals import Naturals

MOST = 8  # numbers that are listed one by one


def clause(values: Mapping[str, Naturals], relations: Iterable[Condition]) -> str | None:
    """An expression that holds for exactly these sizes, empty if it is all; None if it would be too long to read."""
    parts: list[str] = []
    for name, allowed in values.items():
        part = _one(name, allowed)
        if part is None:
            return None
        parts += [part] if part else []
    parts += [f"{each.size} % {each.by} == 0" if isinstance(each, Divisible) else str(each) for each in relations]
    return " and ".join(parts)


def _one(name: str, allowed: Naturals) -> str | None:
    if len(allowed.members) > MOST:
        return None
    listed = [f"{name} == {n}" for n in sorted(allowed.members)]
    if not allowed.residues:
        low, high = min(allowed.members, default=0), max(allowed.members, default=0)
        run = len(listed) > 2 and high - low == len(listed) - 1
        return f"{low} <= {name} <= {high}" if run else _either(listed) if listed else None
    stretch = _stretch(name, allowed)
    if stretch is None:
        return None
    if not stretch:
        return ""
    return _either([*listed, stretch if not listed or " and " not in stretch else f"({stretch})"])


def _stretch(name: str, allowed: Naturals) -> str | None:
    start, period, residues = allowed.start, allowed.period, sorted(allowed.residues)
    missing = [r for r in range(period) if r not in allowed.residues]
    parts = []
    if len(missing) == 1 and len(residues) > 1:
        parts.append(f"{name} % {period} != {missing[0]}")
    elif missing and len(residues) <= MOST:
        parts.append(_either([f"{name} % {period} == {r}" for r in residues]))
    elif missing:
        return None
    if start > min(r or period for r in residues):
        parts.append(f"{name} >= {start}")
    if allowed.stop is not None:
        parts.append(f"{name} <= {allowed.stop - 1}")
    return " and ".join(parts)


def _either(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
