"""The values of a `forward` on other devices than their own: where the text has them, and what moves them.

It follows the placement's table to the letter: what is given, moved and handed back, and when, is decided there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from archdsl.emit.torch.code import Bracket, Doc, flat
from archdsl.emit.torch.expression import Expression, atom
from archdsl.graph.model import Call, Value
from archdsl.passes.place import Application, Copy, Leaf, Move, Placed

if TYPE_CHECKING:
    from archdsl.emit.torch.body import Body


class Copies:
    """The copies of one forward. `gpus` are the devices that it names."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.placed = body.placed
        self.gpus: set[int] = set()
        self.section: frozenset[Application] = frozenset()  # what the innermost training section around has in it
        self._at: dict[Copy, Expression] = {}

    def arguments(self, names: Sequence[str]) -> Iterator[tuple[str, Value]]:
        """The parameters of the forward: each input, called so, on each device on which it is given."""
        for name, value, devices in zip(names, self.placed.scope.inputs, self.placed.inputs, strict=True):
            yield name, value
            for device in devices[:1]:
                self._at[value, device] = self.body.values[value]
            for device in devices[1:]:
                copy = self._variable(name, value, device)
                self.body.annotated.add(copy)
                yield copy, value

    def operand(self, tensor: Value, item: Leaf, index: int) -> Expression:
        """A value for one that reads it, on the device of that; where only its size is read, wherever it is."""
        if (item, index) in self.placed.sizes:
            return self.body.values[tensor]
        return self._on(tensor, self.placed.device[item])

    def given(self, item: Call) -> Iterator[tuple[Value, tuple[int, ...]]]:
        """The inputs of a call with the devices on which it is given each, in variables where they are said twice."""
        inputs = self.placed.inner[item].inputs
        found = [(self.placed.tensor(value), on) for value, on in zip(item.inputs, inputs, strict=True)]
        for tensor, devices in found:
            moves = [self.placed.moves[tensor, d] for d in devices if (tensor, d) in self.placed.moves]
            if len(devices) > 1 or any(map(self._sometimes, moves)):
                self.body.settle(tensor)
        return iter(found)

    def each(self, tensor: Value, devices: Sequence[int]) -> list[Expression]:
        """A value on each of the devices; on whatever it is, if there are none."""
        return [self._on(tensor, device) for device in devices] or [self.body.values[tensor]]

    def handed(self, value: Value, inner: Value, callee: Placed, fields: str) -> None:
        """Notes the copies of a value that the call that made it hands back, as fields of its named tuple."""
        for (copied, device), attribute in self.body.classes.copies(callee).items():
            if copied is callee.tensor(inner):
                self._at[value, device] = Expression(f"{fields}.{attribute}", typed=False)

    def returned(self) -> Iterator[str]:
        """The fields of the copies that this forward hands back. In evaluation there is none of what is not made."""
        for (value, device), name in self.body.classes.copies(self.placed).items():
            late = value.training and not self.placed.scope.training
            yield f"{name}={flat(self._on(value, device).doc)}{' if self.training else None' * late}"

    def before(self, section: frozenset[Application]) -> None:
        """Moves what is needed on another device both in a training section and outside of it."""
        for copy, move in self.placed.moves.items():
            inside = [user in section for user in move.users]
            both = any(inside) and (not all(inside) or copy in self.placed.handed)
            if both and copy not in self._at and copy[0].producer not in section:
                self._move(move)

    # --- moves ------------------------------------------------------------------------------------------------------

    def _on(self, tensor: Value, device: int) -> Expression:
        """The expression of a value on a device."""
        if device == self.placed.of[tensor]:
            return self.body.values[tensor]
        if (tensor, device) in self._at:
            return self._at[tensor, device]
        move = self.placed.moves[tensor, device]
        if len(move.users) == 1 and not self._sometimes(move) and (tensor, device) not in self.placed.handed:
            return replace(self.body.values[tensor], doc=self._moved(move), op="")
        return self._move(move)

    def _moved(self, move: Move) -> Doc:
        self.gpus.add(move.target)
        return Bracket(flat(atom(self.body.values[move.value])) + ".to(", (f"device=gpu{move.target}",))

    def _sometimes(self, move: Move) -> bool:
        """Whether a value moves in training mode only, in code that runs in both modes."""
        return move.training and not self.section and not self.placed.scope.training

    def _move(self, move: Move) -> Expression:
        """A copy of a value in a variable, which has the value itself where no copy is needed, for type checkers."""
        self.body.settle(move.value)
        found = self.body.values[move.value]
        moved = self._moved(move)
        if self._sometimes(move):
            moved = f"{flat(moved)} if self.training else {flat(found.doc)}"
        name = self._variable(flat(found.doc), move.value, move.target)
        self.body.put(name, replace(found, doc=moved, typed=found.typed and flat(found.doc) not in self.body.untyped))
        self.body.holder[name] = move.value
        return self._at[move.value, move.target]

    def _variable(self, stem: str, tensor: Value, device: int) -> str:
        """A free variable for a copy of a value."""
        name = f"{stem if stem.isidentifier() else 'x'}_gpu{device}"
        while not self.body.free(name) or name in self.body.classes.reserved:
            name += "_"
        self.body.holder[name] = tensor
        self.body.declared.add(name)
        self._at[tensor, device] = Expression(name)
        return name
