"""Placement: on which GPU each application runs, and which values move between GPUs.

Input: a network whose spec has `on gpu(n)` hints. Output: a `Placed` for each application of a scope, which the emitter
follows and decides nothing beside. A block or a group is no unit of its own: it is placed as if its statements stood
where it is applied. The rules:

* an application with a hint runs there, and so does everything inside of it; the innermost hint wins;
* one without follows its first input; a join follows its first branch, a skip the value that it keeps;
* the network's inputs arrive where their hints say, on gpu(0) without;
* a shared module lives where its declaration says, else where it is first applied, and runs there each time;
* a value moves at most once to each device that something needs it on, from where it was made. The scope that made it
  moves it; blocks inside are given the copies that they need and hand back those that others need too. A copy that
  only one block needs, beside the value itself, that block makes.

Non-goals: choosing a placement, and overlapping transfers with computation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from archdsl.diagnostics import Label, Sink
from archdsl.graph.model import Apply, Call, Join, Module, Network, Scope, Skip, Value, walk
from archdsl.layers.call import Operand
from archdsl.passes.cost import outputs, training_only
from archdsl.passes.inplace import operands, unread_joins

Leaf = Apply | Join | Skip
Application = Leaf | Call
Port = tuple[str, int | str]  # a value that leaves a scope: ("result", its index) or ("export", its path)
Copy = tuple[Value, int]  # a value on a device that is not its own
Given = tuple[tuple[int, ...], ...]  # of each input of a scope, the devices on which it is given
Wanted = frozenset[tuple[Port, int, bool]]  # copies to be handed back: port, device, in training mode only


@dataclass(eq=False)
class Move:
    """A value that goes to another device: once, for all that need it there.

    `users` are the applications in this scope that read it there, once for each operand; `training` says that all of
    them run in training mode only, so that it moves in training mode only.
    """

    value: Value
    source: int
    target: int
    users: list[Application]
    training: bool


@dataclass(eq=False)
class Placed:
    """The placement of one scope where it is applied.

    `device` is where each layer, join and skip of the scope runs; `inner` has a table for each call, of its own scope.
    `of` is the device that each value is made on (of an input: by the caller). `inputs` has, for each input of the
    scope, the devices on which it is given: `forward` takes an argument for each, in that order; () is one argument,
    on whatever device, of which at most the size is read. `results` are the devices that the results are made on.
    `moves` are the transfers that this scope makes, by value and target. `handed` are copies that it returns beside its
    results and exports, for callers that need them too; a caller has them without a move of its own. `late` are the
    copies, given, made or handed back, that are there in training mode only: in evaluation the value itself stands in.

    `same` maps what a call gives to the value that it is, where that is an input of the call, and a join of one branch
    to that branch; `tensor` applies it, and every table here is by such values. `first` has, for each shared module,
    the table where it was first applied: its code is what runs each time. `sizes` are the operands (application, index)
    of which at most the size is read, those of joins that nobody uses too.
    """

    scope: Scope
    inputs: tuple[tuple[int, ...], ...]
    device: dict[Leaf, int]
    of: dict[Value, int]
    same: dict[Value, Value]
    sizes: set[tuple[Leaf, int]]
    moves: dict[Copy, Move] = field(default_factory=dict)
    inner: dict[Call, Placed] = field(default_factory=dict)
    first: dict[Module, Placed] = field(default_factory=dict)
    handed: tuple[Copy, ...] = ()
    late: frozenset[Copy] = frozenset()

    def tensor(self, value: Value) -> Value:
        """The value of this scope that a value is another name of."""
        value = value.tensor
        return self.same.get(value, value)

    @property
    def results(self) -> tuple[int, ...]:
        """The device of each result."""
        return tuple(self.of[self.tensor(result.value)] for result in self.scope.results)

    @cached_property
    def used(self) -> set[int]:
        """All devices that the scope computes on, inner scopes included; of a network, those of its inputs too."""
        found = set(self.device.values())
        if self.scope.kind == "network":
            found.update(self.of[value] for value in self.scope.inputs)
        for placed in self.inner.values():
            found |= placed.used
        return found


def place(network: Network) -> Placed:
    """The placement of the network's scope, all of it on gpu(0) if the spec has no hints."""
    return _Placing(network.scope.hinted).network(network.scope)


def check_placement(network: Network, sink: Sink) -> None:
    """Reports the applications of shared modules whose hints cannot be followed."""
    if not network.scope.hinted:
        return
    placing = _Placing(True)
    placing.network(network.scope)
    for item, first, devices in placing.conflicts:
        name, lives = item.module.name, " and ".join(f"gpu({device})" for device in devices)
        sink.add(
            "E0507",
            f"the shared `{name}` lives on {lives}, where it is first applied, and cannot run on gpu({item.hint})",
            item.applied or item.span,
            labels=(Label(first.applied or first.span, "is first applied here"),),
            help=[f"say where it lives where it is declared: `shared {name} = … on gpu({devices[0]})`"],
        )


@dataclass
class _Need:
    """Those that read a value on a device; `training` if all of them run in training mode only."""

    users: list[Application]
    training: bool


@dataclass(eq=False)
class _Scan:
    """Where things run in a scope, before it is known who moves what."""

    scope: Scope
    hint: int | None  # of the calls around
    placed: Placed
    needs: dict[Value, dict[int, _Need]] = field(default_factory=dict)
    inner: dict[Call, _Scan] = field(default_factory=dict)
    first: dict[Module, tuple[Apply | Call, int | _Scan]] = field(default_factory=dict)
    ports: dict[Value, tuple[Call, Port]] = field(default_factory=dict)  # what calls make, and as which of their ports

    def need(self, value: Value, device: int, user: Application, training: bool) -> None:
        need = self.needs.setdefault(value, {}).setdefault(device, _Need([], True))
        need.users.append(user)
        need.training = need.training and training

    def at(self, port: Port) -> Value:
        """The value that leaves by a port."""
        kind, key = port
        if kind == "result":
            assert isinstance(key, int)
            return self.placed.tensor(self.scope.results[key].value)
        assert isinstance(key, str)
        return self.placed.tensor(self.scope.exports[key])

    def holds(self, value: Value, device: int) -> bool:
        """Whether a copy of a value is made on a device, here or in the call that makes the value."""
        if device in self.needs.get(value, {}):
            return True
        if value not in self.ports:
            return False
        call, port = self.ports[value]
        return self.inner[call].holds(self.inner[call].at(port), device)


class _Placing:
    def __init__(self, hinted: bool) -> None:
        self.hinted = hinted
        self.conflicts: list[tuple[Apply | Call, Apply | Call, tuple[int, ...]]] = []  # item, the first, its devices
        self._scans: dict[tuple[Scope, int | None, tuple[int, ...], _Scan | None], _Scan] = {}
        self._done: dict[tuple[_Scan, Wanted, Given], Placed] = {}

    def network(self, scope: Scope) -> Placed:
        homes = tuple(hint or 0 for hint in scope.input_hints)
        return self._placed(self._scan(scope, None, homes), frozenset(), tuple((home,) for home in homes))

    # --- where things run -------------------------------------------------------------------------------------------

    def _scan(self, scope: Scope, hint: int | None, homes: tuple[int, ...], twin: _Scan | None = None) -> _Scan:
        """Places what is in a scope. `twin` is where the same shared module was first applied: that decides."""
        key = (scope, hint, homes, twin)
        if key not in self._scans:
            home = dict(zip(scope.inputs, homes, strict=True))
            found = self._scans[key] = _Scan(scope, hint, Placed(scope, (), {}, home, {}, set()))
            unread = unread_joins(scope)
            found.placed.sizes.update((item, i) for item in unread for i in range(len(operands(item))))
            twins = walk(twin.scope.items) if twin is not None else iter(())
            for item in walk(scope.items):
                other = next(twins, None)
                if isinstance(item, Call):
                    self._call(found, item, twin.inner.get(other) if twin and isinstance(other, Call) else None)
                elif not isinstance(item, Join) or item.kind != "parallel":
                    decided = twin.placed.device.get(other) if twin and not isinstance(other, Call) and other else None
                    self._leaf(found, item, decided)
        return self._scans[key]

    def _leaf(self, scan: _Scan, item: Leaf, decided: int | None) -> None:
        placed = scan.placed
        values = [placed.tensor(value) for value in operands(item)]
        if self.hinted and isinstance(item, Join) and item.kind != "concat" and len(values) == 1:
            placed.same[item.output], placed.device[item] = values[0], placed.of[values[0]]
            return  # nothing is added up or multiplied
        hint = item.hint if item.hint is not None else scan.hint
        device = placed.of[values[0]] if hint is None else hint
        if decided is not None:
            device = decided
        elif isinstance(item, Apply) and not item.first:
            first, where = scan.first[item.module]
            assert isinstance(where, int)
            if item.hint not in (None, where):
                self.conflicts.append((item, first, (where,)))
            device = where
        if isinstance(item, Apply) and item.first:
            scan.first[item.module] = (item, device)
        placed.device[item] = device
        placed.sizes.update((item, i) for i in _sizes(item))
        for i, value in enumerate(values):
            if (item, i) not in placed.sizes:
                scan.need(value, device, item, training_only(item))
        placed.of.update((value, device) for value in outputs(item))

    def _call(self, scan: _Scan, item: Call, twin: _Scan | None) -> None:
        placed = scan.placed
        values = [placed.tensor(value) for value in item.inputs]
        if twin is None and not item.first:
            first, made = scan.first[item.module]
            assert isinstance(made, _Scan)
            twin = made
            used = tuple(sorted(_used(twin)))
            if item.hint not in (None, twin.hint) and used != (item.hint,):
                self.conflicts.append((item, first, used))
        if twin is None:
            homes = tuple(0 if value.is_size else placed.of[value] for value in values)
            inner = self._scan(item.scope, item.hint if item.hint is not None else scan.hint, homes)
        elif twin.scope is item.scope:
            inner = twin
        else:
            homes = tuple(twin.placed.of[value] for value in twin.scope.inputs)
            inner = self._scan(item.scope, twin.hint, homes, twin)
        scan.inner[item] = inner
        if item.first:
            scan.first[item.module] = (item, inner)
        own = {value: i for i, value in enumerate(item.scope.inputs)}
        for value, i in own.items():
            for device, need in inner.needs.get(value, {}).items():
                scan.need(values[i], device, item, need.training or training_only(item))
        made_here: list[tuple[Value, Port]] = [(value, ("result", i)) for i, value in enumerate(item.outputs)]
        made_here += [(value, ("export", name)) for name, value in item.exports.items()]
        for value, port in made_here:
            inside = inner.at(port)
            if inside in own and self.hinted:
                placed.same[value] = values[own[inside]]
            else:
                placed.of[value] = inner.placed.of[inside]
                scan.ports[value] = (item, port)

    # --- who moves what -----------------------------------------------------------------------------------------------

    def _placed(self, scan: _Scan, wanted: Wanted, given: Given) -> Placed:
        """The table of a scope that is given its inputs on these devices, and hands back the copies that are wanted."""
        key = (scan, wanted, given)
        if key in self._done:
            return self._done[key]
        draft = scan.placed
        placed = self._done[key] = Placed(scan.scope, given, draft.device, draft.of, draft.same, draft.sizes)
        arrive = dict(zip(scan.scope.inputs, given, strict=True))
        copies: dict[Copy, bool] = {}
        for value, by_device in scan.needs.items():
            there = arrive.get(value, (draft.of[value],))
            copies.update(((value, d), need.training) for d, need in by_device.items() if d not in there)
        handed = {(scan.at(port), device): True for port, device, _ in sorted(wanted, key=str)}
        for port, device, training in wanted:
            copy = (scan.at(port), device)
            copies[copy] = copies.get(copy, True) and training
        asked: dict[Module, dict[tuple[Port, int], bool]] = {}
        for (value, device), training in copies.items():
            made = scan.ports.get(value)
            if made is not None and scan.inner[made[0]].holds(scan.inner[made[0]].at(made[1]), device):
                call, port = made
                ports = asked.setdefault(call.module, {})
                ports[port, device] = ports.get((port, device), True) and training
            else:
                need = scan.needs[value][device]
                placed.moves[value, device] = Move(value, draft.of[value], device, need.users, training)
        placed.handed = tuple(handed)
        given_late = {(v, d): n.training for v in scan.scope.inputs for d, n in scan.needs.get(v, {}).items()}
        placed.late = frozenset(copy for copy, training in (given_late | copies).items() if training)
        applied = Counter(call.module for call in scan.inner)
        for call, inner in scan.inner.items():
            ports = asked.get(call.module, {})
            back = frozenset((port, device, only) for (port, device), only in ports.items())
            placed.inner[call] = self._placed(inner, back, _given(placed, call, inner, applied))
            placed.first.setdefault(call.module, placed.inner[call])
        return placed


def _used(scan: _Scan) -> set[int]:
    return set(scan.placed.device.values()).union(*map(_used, scan.inner.values()))


def _given(placed: Placed, call: Call, inner: _Scan, applied: Counter[Module]) -> Given:
    """The devices on which a call is given each input, the value's own first; drops the moves that are left to it.

    A shared module takes them in one order, that of where it was first applied.
    A copy that nobody else needs, of a value that it is given on its own device too, it makes itself.
    """
    found = []
    for value, own in zip(call.inputs, call.scope.inputs, strict=True):
        tensor = placed.tensor(value)
        needed = inner.needs.get(own, {})
        home = placed.of[tensor]
        first = inner.placed.of[own]
        devices = sorted(needed, key=lambda device: (device != first, device))
        if home in needed and applied[call.module] == 1:
            alone = [d for d in devices if (move := placed.moves.get((tensor, d))) and move.users == [call]]
            for device in alone:
                if (tensor, device) not in placed.handed:
                    del placed.moves[tensor, device]
                    devices.remove(device)
        found.append(tuple(devices))
    return tuple(found)


def _sizes(item: Leaf) -> set[int]:
    """The operands of which only the size is read, so that they may stay where they are."""
    found = {i for i, value in enumerate(operands(item)) if value.is_size}
    if isinstance(item, Apply) and len(item.inputs) > 1 and not item.module.weights:
        made = item.layer.function(*(value.shape for value in item.inputs))
        given = made.args if made is not None else ()
        read = {arg.index for arg in given if isinstance(arg, Operand) and not arg.attribute}
        found |= {arg.index for arg in given if isinstance(arg, Operand)} - read
    return found


def all_moves(placed: Placed) -> Iterator[tuple[tuple[str, ...], Move]]:
    """Every move of a forward pass, with the names of the modules that it happens in."""
    yield from (((), move) for move in placed.moves.values())
    for call, inner in placed.inner.items():
        yield from (((call.module.name, *path), move) for path, move in all_moves(inner))
