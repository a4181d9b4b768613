"""Colours. The families' are Paul Tol's "light" scheme (https://personal.sron.nl/~pault/), which readers with any kind
of colour vision tell apart, and on which black text is legible."""

from __future__ import annotations

from dataclasses import dataclass

FAMILIES = {
    "convolution": "#77AADD",
    "dense": "#EE8866",
    "pool": "#44BB99",
    "unpool": "#AAAA00",
    "activate": "#EEDD88",
    "normalise": "#BBCC33",
    "regularise": "#FFAABB",
    "resample": "#99DDFF",
}
OTHER = "#DDDDDD"  # what only moves numbers about, and families from other packages
INK = "#000000"  # on a family's colour


@dataclass(frozen=True)
class Theme:
    """`block` fills boxes that are no layer; `tints` are those of the devices, in turn."""

    paper: str
    ink: str
    faint: str
    block: str
    frame: str
    skip: str
    move: str
    tints: tuple[str, ...]

    def fill(self, family: str) -> tuple[str, str]:
        """The colours of a box and of the text on it."""
        if family in ("block", "join", "input", "output"):
            return self.block, self.ink
        return FAMILIES.get(family, OTHER), INK

    def tint(self, device: int) -> str:
        return self.tints[device % len(self.tints)]


THEMES = {
    "light": Theme(
        paper="#FFFFFF",
        ink="#000000",
        faint="#555555",
        block="#FFFFFF",
        frame="#F6F6F6",
        skip="#CC3311",
        move="#882255",
        tints=("#DCE9F7", "#FBE6D2", "#DDF0DF", "#F0E0EF"),
    ),
    "dark": Theme(
        paper="#1B1D21",
        ink="#F2F2F2",
        faint="#B4B4B4",
        block="#34373D",
        frame="#25282D",
        skip="#FF9977",
        move="#EE99CC",
        tints=("#20364D", "#4A3420", "#234028", "#432B42"),
    ),
}
