"""What each device holds and does: parameters, buffers, multiply-accumulates, activations in inference and in training.

Input: a network, its size, the batch. Output: totals for each device that its spec uses. A value that moved counts on
both devices, for as long as each of the two is needed. On one device the totals are those of `Cost`. Activations are
followed as `Cost` and `Tape` follow them; the gradients of a training step are not in them, there as here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass

from archdsl.graph.model import Apply, Call, Join, Network, Skip, Value
from archdsl.layers.strides import kept_order, packed
from archdsl.passes.cost import Cost, outputs
from archdsl.passes.inplace import inplace, operands
from archdsl.passes.place import Placed, place
from archdsl.passes.tape import Run, Storage, Tape, Tensor

On = tuple[Value, int]  # a value on a device


@dataclass(frozen=True)
class Totals:
    """One device. Elements; multiply-accumulates of one item; bytes of activations of the whole batch."""

    device: int
    params: int
    training_params: int
    buffers: int
    macs: int
    inference: int
    training: int


def devices(network: Network, sizes: Mapping[str, int] | None = None, batch: int = 1) -> tuple[Totals, ...]:
    """The totals of each device that the network uses, in the order of their numbers."""
    placed = place(network)
    cost, trained = Cost(network, sizes), Cost(network, sizes, training=True)
    params, training_params, buffers = (
        _elements(c, placed, what) for c, what in ((cost, "weights"), (trained, "weights"), (cost, "buffers"))
    )
    macs, peak = _macs(cost, placed), _Peaks(cost).of(placed)
    for value in network.scope.inputs:
        peak[placed.of[value]] += cost.size_of(value)
    kept = _kept(trained, placed, batch)
    return tuple(
        Totals(d, params[d], training_params[d], buffers[d], macs[d], batch * peak[d], kept[d])
        for d in sorted(placed.used)
    )


def _elements(cost: Cost, placed: Placed, what: str) -> Counter[int]:
    """Elements of the parameters ("weights") or buffers on each device."""
    found: Counter[int] = Counter()
    for item in cost.running(placed.scope):
        if isinstance(item, Apply) and item.first:
            found[placed.device[item]] += cost.module_elements(item.module, what)
        elif isinstance(item, Call) and item.first:
            found += _elements(cost, placed.inner[item], what)
    return found


def _macs(cost: Cost, placed: Placed) -> Counter[int]:
    found: Counter[int] = Counter()
    for item in cost.running(placed.scope):
        if isinstance(item, Call):
            found += _macs(cost, placed.inner[item])
        else:
            found[placed.device[item]] += cost.item_macs(item)
    return found


class _Peaks:
    """The most bytes that values made inside a scope take on each device at once, as `Cost.memory` counts them."""

    def __init__(self, cost: Cost) -> None:
        self.cost = cost
        self.inplace = inplace(cost.network.scope)
        self._done: dict[Placed, Counter[int]] = {}

    def of(self, placed: Placed) -> Counter[int]:
        if placed not in self._done:
            self._done[placed] = self._of(placed)
        return self._done[placed].copy()

    def _of(self, placed: Placed) -> Counter[int]:
        items = self.cost.running(placed.scope)
        last: dict[On, int] = {}
        for step, item in enumerate(items):
            last.update(dict.fromkeys((*self._read(placed, item), *self._made(placed, item)), step))
        leaving = [*(r.value for r in placed.scope.results), *placed.scope.exports.values()]
        for value in map(placed.tensor, leaving):
            last[self.memory(placed, value, placed.of[value])] = len(items)
        last.update(dict.fromkeys(placed.handed, len(items)))
        alive: set[On] = set()
        given = {(value, d) for value in placed.scope.inputs for d in (placed.of[value], *placed.of.values())}
        given -= placed.moves.keys()
        peak: Counter[int] = Counter()
        total: Counter[int] = Counter()
        for step, item in enumerate(items):
            read, made = set(self._read(placed, item)), set(self._made(placed, item))
            for copy in (read & placed.moves.keys()) - alive:
                alive.add(copy)
                total[copy[1]] += self.cost.size_of(copy[0])
            fresh: Counter[int] = Counter()
            new = made - alive - given
            for value, device in new:
                fresh[device] += self.cost.size_of(value)
            inside = self.of(placed.inner[item]) if isinstance(item, Call) else Counter()
            for device in {*fresh, *inside, *total}:
                peak[device] = max(peak[device], total[device] + max(inside[device], fresh[device]))
            alive |= new
            total += fresh
            for each in (read | made) & alive:
                if last[each] == step:
                    alive.discard(each)
                    total[each[1]] -= self.cost.size_of(each[0])
        return peak

    def _read(self, placed: Placed, item: Apply | Call | Join | Skip) -> Iterator[On]:
        if isinstance(item, Call):
            for value, on in zip(map(placed.tensor, item.inputs), placed.inner[item].inputs, strict=True):
                yield from (self.memory(placed, value, device) for device in on or (placed.of[value],))
            return
        for i, value in enumerate(map(placed.tensor, operands(item))):
            where = placed.of[value] if (item, i) in placed.sizes else placed.device[item]
            yield self.memory(placed, value, where)

    def _made(self, placed: Placed, item: Apply | Call | Join | Skip) -> Iterator[On]:
        """What an application makes: the memory of its values, and the copies that a call hands back."""
        made = [*outputs(item), *(item.exports.values() if isinstance(item, Call) else ())]
        for value in map(placed.tensor, made):
            yield self.memory(placed, value, placed.of[value])
        if isinstance(item, Call):
            inner = placed.inner[item]
            pairs = [(result.value, out) for result, out in zip(item.scope.results, item.outputs, strict=True)]
            pairs += [(item.scope.exports[name], out) for name, out in item.exports.items()]
            for own, outer in pairs:
                yield from ((outer, device) for value, device in inner.handed if value is inner.tensor(own))

    def memory(self, placed: Placed, value: Value, device: int) -> On:
        """The value on that device whose memory a value uses there."""
        value = placed.tensor(value)
        while device == placed.of[value]:
            maker = value.producer
            if isinstance(maker, Apply) and (maker.layer.view or maker in self.inplace):
                value = placed.tensor(maker.inputs[0])
            elif isinstance(maker, Call) and (passed := self._passed(placed, maker, value)) is not None:
                value = passed
            else:
                break
        return value, device

    def _passed(self, placed: Placed, call: Call, value: Value) -> Value | None:
        """The input of a call that one of its outputs is, or is a view of."""
        inner = placed.inner[call]
        for result, output in zip(call.scope.results, call.outputs, strict=True):
            if output is value:
                own = inner.tensor(result.value)
                root, _ = self.memory(inner, own, inner.of[own])
                if root in call.scope.inputs:
                    return placed.tensor(call.inputs[call.scope.inputs.index(root)])
        return None


# --- what a training step keeps ---------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Held:
    """A value with its copies: a tensor for each device, and the memory of each."""

    home: int
    on: dict[int, Tensor]
    size: int

    def at(self, device: int, made: list[tuple[int, Storage]]) -> Tensor:
        if device not in self.on:
            own = self.on[self.home]
            storage = Storage(self.size)
            made.append((device, storage))
            self.on[device] = Tensor(storage, own.shape, kept_order(own.shape, own.strides), own.learned)
        return self.on[device]


class _Here(MutableMapping[Value, Tensor]):
    """The values of a scope as an application on `device` sees them."""

    def __init__(self, run: _PlacedRun) -> None:
        self.run, self.held = run, dict[Value, _Held]()
        self.device = 0

    def __getitem__(self, value: Value) -> Tensor:
        return self.held[self.run.placed.tensor(value)].at(self.device, self.run.storages)

    def __setitem__(self, value: Value, tensor: Tensor) -> None:
        size = self.run.tape.batch * self.run.tape.cost.size_of(value)
        self.held[value] = _Held(self.device, {self.device: tensor}, size)

    def __delitem__(self, value: Value) -> None:
        del self.held[value]

    def __iter__(self) -> Iterator[Value]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


class _PlacedRun(Run):
    """One application of a scope, whose calls are followed one by one: what they keep is on several devices."""

    def __init__(
        self, tape: Tape, placed: Placed, storages: list[tuple[int, Storage]], loose: Counter[int], given: list[_Held]
    ) -> None:
        self.here = _Here(self)
        super().__init__(tape, placed.scope, self.here)
        self.placed, self.storages, self.loose = placed, storages, loose
        self.here.held.update(zip(placed.scope.inputs, given, strict=True))

    def follow(self) -> None:
        for item in self.tape.cost.running(self.scope):
            if isinstance(item, Call):
                self._follow(item)
                continue
            self.here.device = self.placed.device[item]
            if isinstance(item, Join) and item.output in self.placed.same:
                continue
            before = self.bytes
            self.run(item)
            self.loose[self.here.device] += self.bytes - before

    def _follow(self, call: Call) -> None:
        given = [self.here.held[self.placed.tensor(value)] for value in call.inputs]
        inner = _PlacedRun(self.tape, self.placed.inner[call], self.storages, self.loose, given)
        inner.follow()
        held, tensor = inner.here.held, inner.placed.tensor
        pairs = [(value, result.value) for value, result in zip(call.outputs, call.scope.results, strict=True)]
        pairs += [(value, call.scope.exports[name]) for name, value in call.exports.items()]
        self.here.held.update((value, held[tensor(own)]) for value, own in pairs if tensor(own) in held)

    def _new(self, size: int) -> Storage:
        self.storages.append((self.here.device, Storage(size)))
        return self.storages[-1][1]


def _kept(cost: Cost, placed: Placed, batch: int) -> Counter[int]:
    """Bytes that autograd keeps on each device."""
    tape, storages, loose = Tape(cost, batch), list[tuple[int, Storage]](), Counter[int]()
    given: list[_Held] = []
    for value in placed.scope.inputs:
        size, shape = batch * cost.size_of(value), tape.shape(value)
        storages.append((placed.of[value], Storage(size)))
        tensor = Tensor(storages[-1][1], shape, packed(shape), False)
        given.append(_Held(placed.of[value], {placed.of[value]: tensor}, size))
    _PlacedRun(tape, placed, storages, loose, given).follow()
    for device, storage in storages:
        loose[device] += storage.bytes * storage.kept
    return loose
