"""`embedding`: nn.Embedding."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.layers.args import Float, Int, Optional
from archdsl.layers.base import Example, Ints, Layer, Need, Shape, ShapeError, arg
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, same
from archdsl.layers.strides import is_packed
from archdsl.layers.windows import given


class Embedding(Layer):
    """A learned vector for each of `num_embeddings` ids: [L] -> [L, embedding_dim], and so behind any other dims.

    The input is a tensor of integers (`torch.long`) in 0 … num_embeddings - 1; to a spec it is `input ids: [L]`.
    """

    num_embeddings = arg(Int(1), doc="how many ids there are")
    embedding_dim = arg(Int(1), doc="the length of a vector")
    padding_idx = arg(Optional(Int(0)), default=None, doc="an id whose vector is zero and does not learn")
    max_norm = arg(Optional(Float(0)), default=None, doc="vectors that are longer are scaled down to this length")

    saves = ("input",)
    ids = True
    examples = (
        Example("embedding(50, 8)", (5,), (5, 8), below=50),
        Example("embedding(50, 8, padding_idx=0, max_norm=2.0)", (5, 6), (5, 6, 8), below=50),
    )

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        if self.padding_idx is not None and self.padding_idx >= self.num_embeddings:
            raise ShapeError(f"the ids go to {self.num_embeddings - 1}", at="padding_idx", code="E0202")
        return (*inputs[0], self.embedding_dim)

    def takes(self, shape: Ints, strides: Ints) -> bool:
        return self.max_norm is None or is_packed(shape, strides)

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (same(inputs[0]),)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return 0

    def module(self, *inputs: Shape) -> Call:
        options = given(self, "padding_idx", "max_norm")
        return Call("nn.Embedding", (self.num_embeddings, self.embedding_dim), options, factory=True)

    def function(self, *inputs: Shape) -> Call | None:
        return None
