"""What there is to name in a spec: layers, initialisers and the blocks that come with archdsl, told by themselves."""

from archdsl.reference.blocks import ShippedBlock, blocks_called
from archdsl.reference.entry import OWN, Entry, Unusable, default, dims, entry
from archdsl.reference.tried import Tried, shapes, show

__all__ = [
    "OWN",
    "Entry",
    "ShippedBlock",
    "Tried",
    "Unusable",
    "blocks_called",
    "default",
    "dims",
    "entry",
    "shapes",
    "show",
]
