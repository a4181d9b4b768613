"""`bed_of_nails`: pixels spread out, with zeros between them."""

from __future__ import annotations

from archdsl.layers.args import PerAxis
from archdsl.layers.base import Example, Ints, Need, Shape, Stateless, arg
from archdsl.layers.call import Call, X
from archdsl.layers.sight import Look, Sight, shifted, spread
from archdsl.layers.windows import axes, looks, spatial_rank

SUPPORT = '''
def bed_of_nails(x: Tensor, scale: Sequence[int]) -> Tensor:
    """Each pixel in the first corner of a block of zeros, of `scale` along each axis."""
    size = [length * step for length, step in zip(x.shape[2:], scale, strict=True)]
    nails = x.new_zeros(*x.shape[:2], *size)
    corners = [slice(None)] * 2 + [slice(None, None, step) for step in scale]
    nails[tuple(corners)] = x
    return nails
'''


class BedOfNails(Stateless):
    """Every pixel becomes the top left corner of a block of zeros: [C, H, W] -> [C, scale*H, scale*W].

    Likewise in 1 and 3 dimensions.
    """

    scale = arg(PerAxis(1), doc="the size of a block")

    name = "bed_of_nails"
    saves = ()
    examples = (
        Example("bed_of_nails(2)", (3, 5, 4), (3, 10, 8)),
        Example("bed_of_nails(3x1)", (3, 5, 4), (3, 15, 4)),
        Example("bed_of_nails(4)", (3, 5), (3, 20)),
        Example("bed_of_nails(2)", (3, 2, 5, 4), (3, 4, 10, 8)),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        x = inputs[0]
        scales = axes(self.name, "scale", self.scale, spatial_rank(self.name, x))
        return (x[0], *(size * scale for size, scale in zip(x[1:], scales, strict=True)))

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (looks(self, inputs[0], shifted(0), _nail, scale=self.scale),)

    def module(self, *inputs: Shape) -> Call | None:
        return None

    def function(self, *inputs: Shape) -> Call:
        return Call("bed_of_nails", (X, axes(self.name, "scale", self.scale, len(inputs[0]) - 1)), support=SUPPORT)


def _nail(axis: int, scale: int) -> Look:
    """Of a block, the first position sees the pixel, and the others nothing."""
    return spread(axis, 1, stride=scale)
