"""Receptive fields: which part of the network's input a position of a value depends on.

Input: a network, the sizes of its inputs, and which of them is meant. Output: an `Extent` for each spatial axis of that
input, for any value. The rules:

* Maps are taken to go on for ever, so padding is part of a field, and a field may be larger than the input. What sees
  all positions of a map (after `flatten`, a global pooling) sees no more than the input has.
* Where paths meet, the largest field reaches from the first to the last position that any of them sees; the smallest is
  that of the path which sees least.
* Normalisation by running statistics is as in evaluation: a position sees itself.
* A value that only lends its size is not seen.

Non-goals: which of the channels are seen, and how much a position counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from archdsl.graph.model import Apply, Call, Join, Network, Scope, Skip, Value, walk
from archdsl.layers.sight import Looks
from archdsl.passes.field import Field, hull, itself
from archdsl.passes.inplace import operands
from archdsl.sizes import evaluate

Ints = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Paths:
    """The fields of a value along one axis of the input: through all paths together, and through the narrowest."""

    largest: Field
    smallest: Field


# One for each spatial axis of the input; None for a value that does not depend on it.
Fields: TypeAlias = tuple[Paths, ...] | None


@dataclass(frozen=True, slots=True)
class Extent:
    """A receptive field along one axis of the input, in its positions.

    `size` is the largest, over all paths and positions, `smallest` the smallest. `stride` is how far the field moves
    from one position to the next, 0 if it does not; `offset` the first position that position 0 sees, negative in
    padding, None if it sees nothing. `whole`: every position sees all of the axis.
    """

    size: int
    smallest: int
    stride: Fraction
    offset: int | None
    whole: bool


@dataclass(eq=False)
class Seen:
    """The fields in one scope, as it is called in one place, and in those scopes inside that were asked for."""

    of: dict[Value, Fields] = field(default_factory=dict)
    inner: dict[Call, Seen] = field(default_factory=dict)


class Receptive:
    """The receptive fields of one network at one size of its inputs, with respect to one of them."""

    def __init__(self, network: Network, sizes: Mapping[str, int] | None = None, source: int = 0) -> None:
        self.network = network
        self.sizes = dict(network.sizes if sizes is None else sizes)
        self._shapes: dict[Value, Ints] = {}
        self._relative: dict[tuple[Scope, int], Seen] = {}
        scope = network.scope
        shape = self._shape(scope.inputs[source])
        axes = range(1, len(shape)) if len(shape) > 1 else range(1)  # without the channels, of what has any
        self._input = [shape[axis] for axis in axes]
        given: list[Fields] = [None] * len(scope.inputs)
        given[source] = tuple(Paths(f, f) for f in map(itself, axes))
        self.seen = self._scope(scope, given)

    def inside(self, seen: Seen, call: Call) -> Seen:
        """The fields in the scope of a call that stands in a scope."""
        if call not in seen.inner:
            seen.inner[call] = self._scope(call.scope, [seen.of[value.tensor] for value in call.inputs])
        return seen.inner[call]

    def extents(self, seen: Seen, value: Value) -> tuple[Extent, ...] | None:
        """The field of a value of a scope along each spatial axis; None if it does not depend on the input."""
        fields = seen.of[value.tensor]
        if fields is None:
            return None
        return tuple(self._extent(*each, value) for each in zip(fields, self._input, strict=True))

    def _extent(self, paths: Paths, size: int, value: Value) -> Extent:
        largest, smallest = (f.within(size) if f.axis is None else f for f in (paths.largest, paths.smallest))
        shape = self._shape(value.tensor)
        positions, fewest = (1 if f.axis is None else shape[f.axis] for f in (largest, smallest))
        first = largest.spans[0]
        return Extent(
            size=max(largest.extents(positions)),
            smallest=min(smallest.extents(fewest)),
            stride=largest.stride,
            offset=None if first is None else first[0],
            whole=largest.axis is None and first == (0, size - 1),
        )

    def _shape(self, value: Value) -> Ints:
        if value not in self._shapes:
            self._shapes[value] = tuple(evaluate(dim, self.sizes) for dim in value.shape)
        return self._shapes[value]

    # --- one scope ------------------------------------------------------------------------------------------------

    def _scope(self, scope: Scope, given: Sequence[Fields]) -> Seen:
        """Follows the fields through a scope, and past the scopes inside. Recursion is as deep as modules nest."""
        seen = Seen(dict(zip(scope.inputs, given, strict=True)))
        for item in walk(scope.items):
            if isinstance(item, Call):
                self._call(seen, item)
            elif isinstance(item, Apply):
                self._apply(seen, item)
            elif not (isinstance(item, Join) and item.kind == "parallel"):  # which makes no tensor
                seen.of[item.output] = self._joined(seen, item)
        return seen

    def _call(self, seen: Seen, call: Call) -> None:
        made = [(result.value, value) for result, value in zip(call.scope.results, call.outputs, strict=True)]
        made += [(call.scope.exports[name], value) for name, value in call.exports.items()]
        given = {i: fields for i, v in enumerate(call.inputs) if (fields := seen.of[v.tensor]) is not None}
        if len(given) == 1 and all(_even(fields) for fields in given.values()):
            ((index, fields),) = given.items()
            relative = self._from_input(call.scope, index)
            seen.of.update((value, _behind(fields, relative.of[inner.tensor])) for inner, value in made)
        else:
            found = self.inside(seen, call)
            seen.of.update((value, found.of[inner.tensor]) for inner, value in made)

    def _from_input(self, scope: Scope, index: int) -> Seen:
        """The fields in a scope along each axis of one of its own inputs, worked out once for all calls."""
        if (scope, index) not in self._relative:
            given: list[Fields] = [None] * len(scope.inputs)
            given[index] = tuple(Paths(f, f) for f in map(itself, range(len(scope.inputs[index].shape))))
            self._relative[scope, index] = self._scope(scope, given)
        return self._relative[scope, index]

    def _apply(self, seen: Seen, item: Apply) -> None:
        fields = [seen.of[value.tensor] for value in item.inputs]
        inputs = tuple(map(self._shape, item.inputs))
        made = tuple(map(self._shape, item.outputs))
        for index, value in enumerate(item.outputs):
            looks = item.layer.sees(inputs, made, index)
            through = [
                (_through(given, looked, shape), made[index])
                for given, looked, shape in zip(fields, looks, inputs, strict=False)
                if given is not None and looked is not None
            ]
            seen.of[value] = _together(through)

    def _joined(self, seen: Seen, item: Join | Skip) -> Fields:
        """`add`, `mul`, `concat`: a position of the result sees what the same position of each part does."""
        out = self._shape(item.output)
        concat = item.axis if item.kind in ("concat", "dense") and len(operands(item)) > 1 else None
        parts: list[tuple[tuple[Paths, ...], Ints]] = []
        for value in operands(item):
            fields, shape = seen.of[value.tensor], self._shape(value)
            if fields is not None:
                moved = {axis for axis, dim in enumerate(shape) if axis == concat or dim != out[axis]}
                parts.append((tuple(_standing(paths, moved, shape) for paths in fields), shape))
        return _together(parts)


def _even(fields: tuple[Paths, ...]) -> bool:
    return all(paths.largest.even and paths.smallest.even for paths in fields)


def _behind(fields: tuple[Paths, ...], inner: Fields) -> Fields:
    """The fields of a value in a scope, given those of the scope's input, and the value's along each axis of that."""
    if inner is None:
        return None
    largest, smallest = [paths.largest for paths in inner], [paths.smallest for paths in inner]
    return tuple(Paths(paths.largest.behind(largest), paths.smallest.behind(smallest)) for paths in fields)


def _through(fields: tuple[Paths, ...], looks: Looks, shape: Ints) -> tuple[Paths, ...]:
    return tuple(_each(p, p.largest.through(looks, shape), looks, shape) for p in fields)


def _each(paths: Paths, largest: Field, looks: Looks, shape: Ints) -> Paths:
    same = paths.smallest is paths.largest  # before the first branch
    return Paths(largest, largest if same else paths.smallest.through(looks, shape))


def _standing(paths: Paths, axes: set[int], shape: Ints) -> Paths:
    """The fields of a part whose position along one of `axes` is another one in the whole: what all positions see."""
    if paths.largest.axis not in axes and paths.smallest.axis not in axes:
        return paths
    return Paths(*(f.everywhere(shape) if f.axis in axes else f for f in (paths.largest, paths.smallest)))


def _together(parts: Sequence[tuple[tuple[Paths, ...], Ints]]) -> Fields:
    """The fields of what is made of several values, each with its shape."""
    if len(parts) < 2:
        return parts[0][0] if parts else None
    shapes = [shape for _, shape in parts]
    joined = []
    for along in zip(*(fields for fields, _ in parts), strict=True):
        largest = hull([(paths.largest, shape) for paths, shape in zip(along, shapes, strict=True)])
        narrowest = min(zip(along, shapes, strict=True), key=lambda part: _width(part[0].smallest, part[1]))
        joined.append(Paths(largest, narrowest[0].smallest))
    return tuple(joined)


def _width(f: Field, shape: Ints) -> tuple[int, int]:
    """What the paths are compared by: the least and the most that a position sees."""
    extents = f.extents(1 if f.axis is None else shape[f.axis])
    return min(extents), max(extents)
