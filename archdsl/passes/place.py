"""Placement: on which GPU each application runs, and which values move between GPUs.

Input: a network whose spec has `on gpu(n)` hints. Output: a `Placed` for each scope and the devices of its inputs.
The rule:

* an application with a hint runs there; the innermost hint wins;
* one without follows its first input; a join follows its first branch, a skip the value that it keeps;
* the network's inputs arrive on gpu(0);
* a value moves at most once to each device that needs it, in the scope that holds it. A block or group without hints
  inside gets all its inputs on its device; one with hints moves them itself.

Non-goals: choosing a placement, and overlapping transfers with computation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from archdsl.graph.model import Apply, Call, Join, Network, Scope, Skip, Value, walk
from archdsl.passes.cost import outputs
from archdsl.passes.inplace import operands

Application = Apply | Call | Join | Skip


@dataclass(eq=False)
class Move:
    """A value that goes to another device: once, for all that need it there."""

    value: Value
    source: int
    target: int
    users: list[Application] = field(default_factory=list)


@dataclass(eq=False)
class Placed:
    """The placement of one scope whose inputs stand on certain devices."""

    scope: Scope
    inputs: tuple[int, ...]
    device: dict[Application, int] = field(default_factory=dict)
    of: dict[Value, int] = field(default_factory=dict)
    moves: dict[tuple[Value, int], Move] = field(default_factory=dict)
    inner: dict[Call, Placed] = field(default_factory=dict)

    @property
    def results(self) -> tuple[int, ...]:
        return tuple(self.of[result.value.tensor] for result in self.scope.results)

    @cached_property
    def used(self) -> set[int]:
        """All devices that the scope computes on or gets values from, inner scopes included; once it is placed."""
        found = {*self.inputs, *self.device.values()}
        for placed in self.inner.values():
            found |= placed.used
        return found


def place(network: Network) -> Placed:
    """The placement of the network's scope, all of it on gpu(0) if the spec has no hints."""
    return _Placing().place(network.scope, (0,) * len(network.scope.inputs))


class _Placing:
    def __init__(self) -> None:
        self._done: dict[tuple[Scope, tuple[int, ...]], Placed] = {}

    def place(self, scope: Scope, inputs: tuple[int, ...]) -> Placed:
        key = (scope, inputs)
        if key not in self._done:
            self._done[key] = self._place(scope, inputs)
        return self._done[key]

    def _place(self, scope: Scope, inputs: tuple[int, ...]) -> Placed:
        placed = Placed(scope, inputs)
        placed.of.update(zip(scope.inputs, inputs, strict=True))
        for item in walk(scope.items):
            if isinstance(item, Join) and item.kind == "parallel":
                continue
            values = [value.tensor for value in operands(item)]
            device = placed.of[values[0]] if item.hint is None else item.hint
            placed.device[item] = device
            if isinstance(item, Call):
                moves = item.hint is not None or not item.scope.hinted
                entering = tuple(self._move(placed, item, v, device) if moves else placed.of[v] for v in values)
                inner = placed.inner[item] = self.place(item.scope, entering)
                placed.of.update(zip(item.outputs, inner.results, strict=True))
                for name, value in item.exports.items():
                    placed.of[value] = inner.of[item.scope.exports[name].tensor]
            else:
                for value in values:
                    self._move(placed, item, value, device)
                placed.of.update((value, device) for value in outputs(item))
        return placed

    def _move(self, placed: Placed, item: Application, value: Value, device: int) -> int:
        if placed.of[value] != device and not value.is_size:
            move = placed.moves.setdefault((value, device), Move(value, placed.of[value], device))
            move.users.append(item)
        return device


def all_moves(placed: Placed) -> Iterator[tuple[tuple[str, ...], Move]]:
    """Every move of a forward pass, with the names of the modules that it happens in."""
    yield from (((), move) for move in placed.moves.values())
    for call, inner in placed.inner.items():
        yield from (((call.module.name, *path), move) for path, move in all_moves(inner))
