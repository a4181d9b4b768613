"""Numbers as people read them."""

from __future__ import annotations

_POWERS = ((10**12, "T"), (10**9, "G"), (10**6, "M"))
_BYTES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "KB"))


def counted(number: int, digits: int = 1) -> str:
    """`9,536`, `118.0 M`, `1.5 G`: in full below a million."""
    for power, suffix in _POWERS:
        if number >= power:
            return f"{number / power:,.{digits}f} {suffix}"
    return f"{number:,}"


def in_bytes(number: int) -> str:
    """`26.5 MB`: decimal units."""
    for power, suffix in _BYTES:
        if number >= power:
            return f"{number / power:,.1f} {suffix}"
    return f"{number:,} B"


def by(shape: tuple[int, ...]) -> str:
    """`3x224x224`."""
    return "x".join(map(str, shape))
