"""What autograd keeps from the forward pass of a training step for the backward pass.

Input: a network, its costs, the batch. Output: bytes, each tensor once, however many layers keep it and whatever views
of it there are; neither parameters nor buffers. Tensors are followed through the network as PyTorch makes them on a
CPU: which share their memory, how their elements lie in it, and through which a gradient goes. Non-goals: workspace of
kernels, copies to other devices. What it does not follow: a convolution or a pooling of a map that `permute` has left
with its channels last lays its output out likewise, so that a `flatten` behind it makes a copy.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from archdsl.graph.model import Apply, Call, Join, Scope, Skip, Value
from archdsl.layers.base import Ints
from archdsl.layers.strides import kept_order, packed
from archdsl.passes.inplace import inplace, operands

if TYPE_CHECKING:
    from archdsl.passes.cost import Cost

BYTES = 4  # of a float32
INDEX_BYTES = 8  # of an index


@dataclass(eq=False)
class Storage:
    """Memory that tensors lie in, in bytes. `counted` if the scope that made it has counted it."""

    bytes: int
    kept: bool = False
    counted: bool = False


@dataclass(frozen=True, eq=False)
class Tensor:
    """`shape` and `strides` with the batch axis. `learned` if a gradient goes through it."""

    storage: Storage
    shape: Ints
    strides: Ints
    learned: bool


@dataclass(frozen=True)
class _Given:
    """What one application of a scope knows of an input."""

    strides: Ints
    learned: bool


@dataclass(frozen=True, eq=False)
class _Summary:
    """What one application of a scope keeps: bytes of its own, and which inputs; and the tensors that it hands out."""

    bytes: int
    given: list[Storage]
    results: list[Tensor | None]  # None for what is there in training only, where nobody trains
    exports: dict[str, Tensor]


class Tape:
    """Runs each scope once for each way in which its inputs lie in memory and need gradients."""

    def __init__(self, cost: Cost, batch: int) -> None:
        self.cost = cost
        self.batch = batch
        self.inplace = inplace(cost.network.scope)
        self._done: dict[tuple[Scope, tuple[_Given, ...]], _Summary] = {}

    def bytes(self) -> int:
        """Bytes that a forward pass of the network leaves behind."""
        inputs = self.cost.network.scope.inputs
        done = self.scope(self.cost.network.scope, tuple(_Given(packed(self.shape(v)), False) for v in inputs))
        given = zip(inputs, done.given, strict=True)
        return done.bytes + self.batch * sum(self.cost.size_of(value) for value, storage in given if storage.kept)

    def shape(self, value: Value) -> Ints:
        return (self.batch, *self.cost.shape(value.shape))

    def scope(self, scope: Scope, given: tuple[_Given, ...]) -> _Summary:
        """The summary of a scope that is applied to such inputs."""
        if (scope, given) not in self._done:
            storages = [Storage(0) for _ in given]
            at = {
                value: Tensor(storage, self.shape(value), known.strides, known.learned)
                for value, storage, known in zip(scope.inputs, storages, given, strict=True)
            }
            self._done[scope, given] = Run(self, scope, at).summary(storages)
        return self._done[scope, given]


class Run:
    """One run of one scope, `at` has its inputs."""

    def __init__(self, tape: Tape, scope: Scope, at: MutableMapping[Value, Tensor]) -> None:
        self.tape, self.scope, self.at = tape, scope, at
        self.bytes = 0  # of tensors that no value stands for
        self.made: list[Storage] = []

    def run(self, item: Apply | Call | Join | Skip) -> None:
        if isinstance(item, Apply):
            self._apply(item)
        elif isinstance(item, Call):
            self._call(item)
        else:
            self._combine(item)

    def summary(self, given: list[Storage]) -> _Summary:
        for item in self.tape.cost.running(self.scope):
            self.run(item)
        total = self.bytes + sum(storage.bytes for storage in self.made if storage.kept and not storage.counted)
        for storage in self.made:
            storage.counted = storage.kept
        results = [self.at.get(result.value.tensor) for result in self.scope.results]
        exports = {name: self.at[v.tensor] for name, v in self.scope.exports.items() if v.tensor in self.at}
        return _Summary(total, given, results, exports)

    def _new(self, size: int) -> Storage:
        self.made.append(Storage(size))
        return self.made[-1]

    # --- layers -------------------------------------------------------------------------------------------------------

    def _apply(self, item: Apply) -> None:
        layer, x = item.layer, self.at[item.inputs[0].tensor]
        inputs = [self.at[value.tensor] for value in item.inputs]
        shapes = tuple(tensor.shape[1:] for tensor in inputs)
        outputs = tuple(self.tape.shape(value)[1:] for value in item.outputs)
        output = outputs[0]
        learned = bool(item.module.weights) or x.learned
        if not learned and len(inputs) > 1:  # of some inputs only the size counts
            sight = layer.sees(shapes, outputs, 0)
            learned = any(tensor.learned for tensor, look in zip(inputs, sight, strict=False) if look is not None)
        kept = layer.kept(shapes, output)
        for value in item.outputs:
            self.at[value] = self._output(item, value, x, kept.same, learned)
        if not learned:
            return
        self.bytes += BYTES * (self.tape.batch * kept.elements + kept.fixed)
        for word in layer.overwriting if item in self.tape.inplace else kept.saves:
            if word == "copy" or (word == "input" and not layer.takes(x.shape, x.strides)):
                self.bytes += (INDEX_BYTES if layer.ids else BYTES) * prod(x.shape)
            elif word == "input":
                x.storage.kept = True
            elif word == "others":
                for tensor in inputs[1:]:
                    tensor.storage.kept = True
            elif word == "output":
                self.at[item.outputs[0]].storage.kept = True
            else:
                self._keep_indices(item, output)

    def _output(self, item: Apply, value: Value, x: Tensor, same: bool, learned: bool) -> Tensor:
        layer, shape = item.layer, self.tape.shape(value)
        if same or item in self.tape.inplace:
            return Tensor(x.storage, shape, x.strides, learned)
        if layer.view and (strides := layer.viewed(x.shape, x.strides, shape)) is not None:
            return Tensor(x.storage, shape, strides, learned)
        strides = kept_order(x.shape, x.strides) if layer.ordered else packed(shape)
        return Tensor(self._new(self.tape.batch * self.tape.cost.size_of(value)), shape, strides, learned)

    def _keep_indices(self, item: Apply, output: Ints) -> None:
        """Those of a value that somebody asks for, or others of the output's shape."""
        values = (*item.outputs, *item.inputs)
        found = [v for v in values if v.tensor.companion is not None and v.tensor.companion.kind == "indices"]
        for value in found:
            self.at[value.tensor].storage.kept = True
        self.bytes += 0 if found else INDEX_BYTES * self.tape.batch * prod(output)

    # --- what holds others --------------------------------------------------------------------------------------------

    def _call(self, call: Call) -> None:
        inputs = [self.at[value.tensor] for value in call.inputs]
        inner = self.tape.scope(call.scope, tuple(_Given(tensor.strides, tensor.learned) for tensor in inputs))
        self.bytes += inner.bytes
        outer = {own: tensor.storage for own, tensor in zip(inner.given, inputs, strict=True)}
        for own, storage in outer.items():
            storage.kept = storage.kept or own.kept
        pairs = list(zip(call.outputs, inner.results, strict=True))
        pairs += [(value, inner.exports.get(name)) for name, value in call.exports.items()]
        for value, tensor in pairs:
            if tensor is None:
                continue
            if tensor.storage not in outer:
                outer[tensor.storage] = storage = self._new(tensor.storage.bytes)
                storage.kept = storage.counted = tensor.storage.kept
            self.at[value] = Tensor(outer[tensor.storage], tensor.shape, tensor.strides, tensor.learned)

    def _combine(self, item: Join | Skip) -> None:
        parts = [self.at[value.tensor] for value in operands(item)]
        if item.kind == "residual":
            parts.reverse()  # the body comes first there
        if item.kind in ("mul", "gate"):
            self._multiply(parts)
        shape, first = self.tape.shape(item.output), parts[0]
        as_first = item.kind not in ("concat", "dense") and first.shape == shape
        strides = kept_order(shape, first.strides) if as_first else packed(shape)
        learned = any(tensor.learned for tensor in parts)
        self.at[item.output] = Tensor(self._new(BYTES * prod(shape)), shape, strides, learned)

    def _multiply(self, parts: list[Tensor]) -> None:
        """`a * b * c`: the product of the first two is a tensor too. A factor is kept for the gradient of the other."""
        product, *others = parts
        for i, tensor in enumerate(others):
            product.storage.kept = product.storage.kept or tensor.learned
            tensor.storage.kept = tensor.storage.kept or product.learned
            if i < len(others) - 1:
                shape = tuple(map(max, product.shape, tensor.shape))
                storage = self._new(BYTES * prod(shape))
                strides = kept_order(shape, product.strides) if product.shape == shape else packed(shape)
                product = Tensor(storage, shape, strides, product.learned or tensor.learned)
