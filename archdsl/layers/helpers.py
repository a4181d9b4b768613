"""The functions and classes that layers and initialisers bring along, since PyTorch does not have them."""

from __future__ import annotations

from archdsl.layers.initialisers import INITIALISERS

HELPERS = frozenset(
    {"DropPath", "LocalResponseNorm3d", "SpatialPyramidPool", "bed_of_nails", "crop_map", "pad_map"}
    | {made.function for made in INITIALISERS.values() if made.support}
)
