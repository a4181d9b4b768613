"""What a scope of the checked graph asks of the `forward` that was emitted for it: its applications over labels.

A label is a small number for a value. Values that cannot differ have one label: those that the same function without
state gives for the same values. A sum is taken two values at a time, from the left, as Python takes `a + b + c`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Scope, Skip, TrainingOnly, Value
from archdsl.layers.base import Layer, Pooled, Shape
from archdsl.layers.call import Call as TorchCall
from archdsl.passes.combinators import SKIPS
from archdsl.passes.inplace import unread_joins
from archdsl.passes.place import Application

OPERATORS = {"add": "+", "mul": "*"}


@dataclass(eq=False)
class Op:
    """One application: of a submodule (`module`), of a layer's function, of an operator or of torch.cat.

    `inputs` and `outputs` are labels; a pair that `+` or `*` takes is in ascending order. The sizes that a pooling
    hands on are `sizes`.
    """

    item: Application
    position: int
    training: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    func: str = ""
    args: tuple[Any, ...] = ()
    sizes: tuple[Value, ...] = ()
    idle: bool = False  # nobody uses what a join gives, so it need not run

    @property
    def title(self) -> str:
        """What messages call it."""
        item = self.item
        return f"`{item.module.name}`" if isinstance(item, (Apply, Call)) else f"`{item.kind}`"

    @property
    def stateful(self) -> bool:
        item = self.item
        if isinstance(item, Apply):
            return bool(item.module.weights or item.module.buffers)
        return isinstance(item, Call)

    @cached_property
    def module_call(self) -> TorchCall | None:
        """The constructor of the layer's module, with the options that differ from their defaults."""
        return self.item.layer.module(*self._shapes) if isinstance(self.item, Apply) else None

    @cached_property
    def module_call_spelt_out(self) -> TorchCall | None:
        """The same with all options."""
        return _spelt_out(self.item.layer).module(*self._shapes) if isinstance(self.item, Apply) else None

    @cached_property
    def function_call(self) -> TorchCall | None:
        """The function of a layer without state."""
        if not isinstance(self.item, Apply) or self.stateful:
            return None
        return self.item.layer.function(*self._shapes)

    @property
    def _shapes(self) -> Iterator[Shape]:
        assert isinstance(self.item, Apply)
        return (value.shape for value in self.item.inputs)


def _spelt_out(layer: Layer) -> Layer:
    """The layer with all its arguments written out, as one whose arguments depend on variables has them."""
    found = copy.copy(layer)
    for name, value in vars(layer).items():
        if isinstance(value, Pooled):
            setattr(found, name, replace(value, layer=_spelt_out(value.layer)))
    found.variable = frozenset(field.name for field in layer.fields)
    return found


class Plans:
    """The plans of the scopes of a network, each made once."""

    def __init__(self) -> None:
        self._done: dict[Scope, Plan] = {}

    def of(self, scope: Scope) -> Plan:
        if scope not in self._done:
            self._done[scope] = Plan(scope, self)
        return self._done[scope]


class Plan:
    """The applications of a scope, in its order."""

    def __init__(self, scope: Scope, plans: Plans) -> None:
        self.scope = scope
        self._plans = plans
        self.ops: list[Op] = []
        self.labels: dict[Value, int] = {}
        self.values: dict[int, Value] = {}  # one that has the label; a partial sum has none
        self._known: dict[Any, int] = {}
        for i, value in enumerate(scope.inputs):
            self._name(value, ("input", i))
        for item, training in _running(scope.items, False):
            self._add(item, training)
        self.has_training = any(op.training for op in self.ops)
        unread = unread_joins(scope)
        for op in self.ops:
            op.idle = op.item in unread

    def after_call(self, item: Call, inputs: tuple[int, ...], inner: int) -> int:
        """The label of what a submodule hands on that is `inner` inside of it; an input of it is what it was."""
        tensors = [i for i, value in enumerate(item.scope.inputs) if not value.is_size]
        if inner in tensors:
            return inputs[tensors.index(inner)]
        return self._label(("call", item.module.name, inputs, inner))

    def _label(self, key: Any) -> int:
        return self._known.setdefault(key, len(self._known))

    def _name(self, value: Value, key: Any) -> int:
        label = self.labels[value.tensor] = self._label(key)
        self.values.setdefault(label, value.tensor)
        return label

    def _add(self, item: Application, training: bool) -> None:
        if isinstance(item, Apply):
            self._apply(item, training)
        elif isinstance(item, Call):
            self._call(item, training)
        elif isinstance(item, Join):
            if item.kind != "parallel":
                self._join(
                    item, item.kind, [branch.value for branch in item.branches], item.axis, item.output, training
                )
        else:
            side = item.projection.value if item.projection is not None else item.source
            kind = SKIPS[item.kind]
            sides = [item.body, side] if kind == "add" else [side, item.body]
            self._join(item, kind, sides, item.axis, item.output, training)

    def _apply(self, item: Apply, training: bool) -> None:
        inputs = tuple(self.labels[value.tensor] for value in item.inputs if not value.is_size)
        everything = tuple(self.labels[value.tensor] for value in item.inputs)
        stateful = bool(item.module.weights or item.module.buffers)
        key = ("module", item.module.name) if stateful else ("layer", type(item.layer), repr(vars(item.layer)))
        outputs = tuple(self._name(value, (*key, everything, i)) for i, value in enumerate(item.outputs))
        sizes = tuple(value for value in item.inputs if value.is_size)
        self._op(item, training, inputs, outputs, sizes=sizes)

    def _call(self, item: Call, training: bool) -> None:
        inner = self._plans.of(item.scope)
        inputs = tuple(self.labels[value.tensor] for value in item.inputs if not value.is_size)
        pairs = [
            *((result.value, output) for result, output in zip(item.scope.results, item.outputs, strict=True)),
            *((item.scope.exports[key], output) for key, output in item.exports.items()),
        ]
        outputs = []
        for inside, output in pairs:
            label = self.after_call(item, inputs, inner.labels[inside.tensor])
            self.labels[output.tensor] = label
            self.values.setdefault(label, output.tensor)
            outputs.append(label)
        sizes = tuple(value for value in item.inputs if value.is_size)
        self._op(item, training, inputs, tuple(outputs), sizes=sizes)

    def _join(
        self, item: Join | Skip, kind: str, values: Sequence[Value], axis: int, output: Value, training: bool
    ) -> None:
        labels = [self.labels[value.tensor] for value in values]
        if kind == "concat":
            label = self._label((kind, axis, tuple(labels)))
            self._op(item, training, tuple(labels), (label,), "torch.cat", (axis + 1,))
        else:
            label = labels[0]
            for other in labels[1:]:
                pair = (min(label, other), max(label, other))
                label = self._label((kind, pair))
                self._op(item, training, pair, (label,), OPERATORS[kind])
        self.labels[output.tensor] = label
        self.values.setdefault(label, output.tensor)

    def _op(
        self,
        item: Application,
        training: bool,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        func: str = "",
        args: tuple[Any, ...] = (),
        sizes: tuple[Value, ...] = (),
    ) -> None:
        self.ops.append(Op(item, len(self.ops), training, inputs, outputs, func, args, sizes))


def _running(items: Sequence[Item], training: bool) -> Iterator[tuple[Application, bool]]:
    """The applications of a scope in order, and whether each runs in training only."""
    for item in items:
        if isinstance(item, Loop):
            for turn in item.turns:
                yield from _running(turn.items, training)
        elif isinstance(item, Choice):
            yield from _running(item.items, training)
        elif isinstance(item, TrainingOnly):
            yield from _running(item.items, True)
        else:
            if isinstance(item, Join):
                for branch in item.branches:
                    yield from _running(branch.items, training)
            elif isinstance(item, Skip):
                yield from _running(item.items, training)
                if item.projection is not None:
                    yield from _running(item.projection.items, training)
            yield item, training
