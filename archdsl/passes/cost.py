"""What a network costs: parameters, buffers, multiply-accumulates, activation memory.

Input: a network and the sizes of its input. Output: integers; a scope that is applied many times is counted once and
multiplied. Units: MACs (a convolution's and a dense layer's, one item of the batch; a FLOP count is twice that), bytes.
Training-only parts count where `training` is true. Non-goals: time, and the memory that a library's kernels take.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archdsl.graph.model import Apply, Call, Join, Module, Network, Scope, Skip, Value, walk
from archdsl.layers.base import Shape
from archdsl.passes.inplace import inplace, operands
from archdsl.passes.integers import integers
from archdsl.passes.tape import BYTES, INDEX_BYTES, Tape
from archdsl.sizes import Dim


class Cost:
    """The costs of one network at one input size. Everything is worked out when asked, each scope once."""

    def __init__(self, network: Network, sizes: Mapping[str, int] | None = None, *, training: bool = False) -> None:
        self.network = network
        self.sizes = dict(network.sizes if sizes is None else sizes)
        self.training = training
        self._dims: dict[Dim, int] = {}
        self._macs: dict[Scope, int] = {}
        self._made: dict[Scope, int] = {}
        self._peaks: dict[Scope, int] = {}
        self._counts: dict[tuple[Scope, str], int] = {}
        self._inplace: frozenset[Apply] | None = None
        self._integers: frozenset[Value] | None = None

    @property
    def params(self) -> int:
        """Elements of all parameters."""
        return self.elements(self.network.scope, "weights")

    @property
    def buffers(self) -> int:
        """Elements of all buffers in the `state_dict` (running statistics and batch counters)."""
        return self.elements(self.network.scope, "buffers")

    @property
    def macs(self) -> int:
        return self.scope_macs(self.network.scope)

    @property
    def flops(self) -> int:
        return 2 * self.macs

    def memory(self, batch: int = 1) -> int:
        """Bytes of the values alive at once, at the worst moment of a forward pass in the order of the spec."""
        inputs = sum(self.size_of(value) for value in self.network.scope.inputs)
        return batch * (inputs + self._peak(self.network.scope))

    def training_memory(self, batch: int = 1) -> int:
        """Bytes of the values that autograd keeps from the forward pass for the backward pass, each tensor once."""
        return Tape(self, batch).bytes()

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """A shape at the sizes of this cost."""
        return tuple(dim if isinstance(dim, int) else self._at(dim) for dim in shape)

    def size_of(self, value: Value) -> int:
        """Bytes of one item of a value. A size, which some layers hand on, takes none."""
        if self._integers is None:
            self._integers = integers(self.network.scope)
        kind = value.companion.kind if value.companion is not None else "tensor"
        width = INDEX_BYTES if value in self._integers else {"tensor": BYTES, "indices": INDEX_BYTES, "size": 0}[kind]
        return width * prod(self.shape(value.shape))

    def _at(self, dim: Dim) -> int:
        assert not isinstance(dim, int)
        if dim not in self._dims:
            self._dims[dim] = dim.at(self.sizes)
        return self._dims[dim]

    # --- counts ---------------------------------------------------------------------------------------------------

    def module_elements(self, module: Module, what: str) -> int:
        """Elements of a submodule's parameters (`what` is "weights") or buffers ("buffers")."""
        if module.training and not self.training:
            return 0
        if isinstance(module.what, Scope):
            return self.elements(module.what, what)
        return sum(map(_elements, (module.weights if what == "weights" else module.buffers).values()))

    def elements(self, scope: Scope, what: str) -> int:
        key = (scope, what)
        if key not in self._counts:
            self._counts[key] = sum(self.module_elements(module, what) for module in scope.modules.values())
        return self._counts[key]

    def scope_macs(self, scope: Scope) -> int:
        if scope not in self._macs:
            self._macs[scope] = sum(map(self.item_macs, self.running(scope)))
        return self._macs[scope]

    def item_macs(self, item: Apply | Call | Join | Skip) -> int:
        """Multiply-accumulates of one application."""
        if isinstance(item, Call):
            return self.scope_macs(item.scope)
        if isinstance(item, Apply):
            inputs = tuple(self.shape(value.shape) for value in item.inputs)
            return item.layer.macs(inputs, self.shape(item.outputs[0].shape))
        return 0

    def scope_bytes(self, scope: Scope) -> int:
        """Bytes of all values that a scope makes anew in a forward pass, however long each of them lives."""
        if scope not in self._made:
            self._made[scope] = sum(map(self.item_bytes, self.running(scope)))
        return self._made[scope]

    def item_bytes(self, item: Apply | Call | Join | Skip) -> int:
        """Bytes of the values that one application makes anew: none if it runs in place, or gives only a view."""
        if isinstance(item, Call):
            return self.scope_bytes(item.scope)
        storage = self._storage(self.network.scope)
        return sum(self.size_of(value) for value in outputs(item) if storage.of(value) is value)

    def running(self, scope: Scope) -> list[Apply | Call | Join | Skip]:
        """The applications that run: without training-only ones unless asked for."""
        items = [item for item in walk(scope.items) if not (isinstance(item, Join) and item.kind == "parallel")]
        return items if self.training else [item for item in items if not training_only(item)]

    # --- memory ---------------------------------------------------------------------------------------------------

    def _storage(self, scope: Scope) -> _Storage:
        if self._inplace is None:
            self._inplace = inplace(self.network.scope)
        return _Storage(self._inplace)

    def _peak(self, scope: Scope) -> int:
        """The most bytes that values made inside a scope take at once; its inputs are its caller's to count."""
        if scope in self._peaks:
            return self._peaks[scope]
        items = self.running(scope)
        storage = self._storage(scope)
        last: dict[Value, int] = {}
        for step, item in enumerate(items):
            exported = item.exports.values() if isinstance(item, Call) else ()
            for value in (*operands(item), *outputs(item), *exported):
                last[storage.of(value)] = step
        for value in (*(r.value for r in scope.results), *scope.exports.values()):
            last[storage.of(value)] = len(items)
        alive: dict[Value, int] = {}
        peak = total = 0
        for step, item in enumerate(items):
            exported = item.exports.values() if isinstance(item, Call) else ()
            made = {storage.of(v) for v in (*outputs(item), *exported)} - alive.keys() - set(scope.inputs)
            inside = self._peak(item.scope) if isinstance(item, Call) else 0
            fresh = {value: self.size_of(value) for value in made}
            peak = max(peak, total + max(inside, sum(fresh.values())))
            alive.update(fresh)
            total += sum(fresh.values())
            for value in {storage.of(v) for v in (*operands(item), *outputs(item), *exported)}:
                if last[value] == step and value in alive:
                    total -= alive.pop(value)
        self._peaks[scope] = peak
        return peak


class _Storage:
    """Which values share memory: aliases, views and what runs in place."""

    def __init__(self, inplace: frozenset[Apply]) -> None:
        self._inplace = inplace

    def of(self, value: Value) -> Value:
        """The value whose memory this one uses."""
        value = value.tensor
        while True:
            maker = value.producer
            if isinstance(maker, Apply) and (maker.layer.view or maker in self._inplace):
                value = maker.inputs[0].tensor
            elif isinstance(maker, Call) and (passed := self._passed(maker, value)) is not None:
                value = passed.tensor
            else:
                return value

    def _passed(self, call: Call, value: Value) -> Value | None:
        """The input of a call that one of its outputs is (a block that only flattens, say)."""
        for result, output in zip(call.scope.results, call.outputs, strict=True):
            if output is value:
                inner = self.of(result.value)
                found = (outer for own, outer in zip(call.scope.inputs, call.inputs, strict=True) if own is inner)
                return next(found, None)
        return None


def outputs(item: Apply | Call | Join | Skip) -> list[Value]:
    """The values that an application makes."""
    return item.outputs if isinstance(item, (Apply, Call)) else [item.output]


def training_only(item: Apply | Call | Join | Skip) -> bool:
    """Whether an application runs in training mode only. A block that runs in both may have outputs that do not."""
    return all(value.training for value in outputs(item))


def _elements(shape: Shape) -> int:
    return prod(int(dim) for dim in shape if isinstance(dim, int))
