"""The steps of an nn.Sequential as they are written: submodules, cases and loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.emit.torch.code import Doc, Stmt
from archdsl.graph.model import Apply, Call, Choice, Item, Loop, Value
from archdsl.graph.traced import Ref
from archdsl.syntax import tree


@dataclass
class One:
    """One submodule of a sequence. `name` is a Python string, a literal or an f-string; None for its position."""

    name: str | None
    attribute: str  # its name in a sequence whose submodules all have one
    before: tuple[Stmt, ...]
    doc: Doc


@dataclass
class Taken:
    """The case of an `if` that was taken; `after` carries a loop's channels on."""

    node: tree.If
    conditions: tuple[str | None, ...]
    case: int
    steps: tuple[Step, ...]
    after: tuple[Stmt, ...]
    depends: frozenset[Ref]
    otherwise: tuple[Stmt, ...] | None  # the code if its condition does not hold; None if that is not known


@dataclass
class Unrolled:
    """A loop whose turns differ."""

    turns: tuple[tuple[Step, ...], ...]


@dataclass
class Rolled:
    """A loop: the steps of each turn, which merge into one code. Without turns it has none yet."""

    header: str
    depends: frozenset[Ref]
    before: tuple[Stmt, ...]
    after: tuple[Stmt, ...]
    turns: tuple[tuple[Step, ...], ...]
    generator: Doc | None = None  # as an argument, if a turn is one expression


Step = One | Taken | Unrolled | Rolled


def flat_steps(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps with the cases that were taken in place of their `if`s, and the turns of unrolled loops."""
    for step in steps:
        if isinstance(step, Taken) and not step.after:
            yield from flat_steps(step.steps)
        elif isinstance(step, Unrolled):
            for turn in step.turns:
                yield from flat_steps(turn)
        elif not isinstance(step, Rolled) or step.turns:
            yield step


def decided(steps: Sequence[Step]) -> Iterator[frozenset[Ref]]:
    """What the cases that were taken depend on, and the loops without a turn."""
    for step in steps:
        if isinstance(step, Taken):
            yield step.depends
            yield from decided(step.steps)
        elif isinstance(step, (Unrolled, Rolled)):
            if isinstance(step, Rolled) and not step.turns:
                yield step.depends
            for turn in step.turns:
                yield from decided(turn)


def ends(items: Sequence[Item]) -> tuple[Value, Value] | None:
    """The values that enter and leave the items of a sequence; None if there are none."""
    found: list[tuple[Value, Value]] = []
    for item in items:
        if isinstance(item, (Apply, Call)):
            found.append((item.inputs[0], item.outputs[0]))
        else:
            assert isinstance(item, (Loop, Choice))  # it is a chain
            parts = [turn.items for turn in item.turns] if isinstance(item, Loop) else [item.items]
            found += [each for part in parts if (each := ends(part)) is not None]
    return (found[0][0], found[-1][1]) if found else None


def all_numbered(steps: Sequence[Step]) -> bool:
    """Whether all submodules go by their positions."""
    for step in steps:
        if isinstance(step, One):
            inner: Sequence[Step] = ()
            if step.name is not None:
                return False
        else:
            inner = step.steps if isinstance(step, Taken) else [s for turn in step.turns for s in turn]
        if not all_numbered(inner):
            return False
    return True
