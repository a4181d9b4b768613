"""Repetition: steps of a scope that follow each other and are equal to their author are drawn once, as "× n".

Equal means the same calls with the same arguments in the same order, each applied to what the one before gives.
Channels may differ (a layer of a dense block sees more than the one before it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Skip, TrainingOnly, Value, walk
from archdsl.passes.cost import outputs
from archdsl.passes.inplace import operands
from archdsl.passes.table import what_of

Step = Apply | Call | Join | Skip | TrainingOnly

LONGEST = 12  # steps of what is repeated


@dataclass(frozen=True)
class Run:
    """`turns` of equal steps; one turn where nothing is repeated."""

    turns: list[list[Step]]


def steps(items: Sequence[Item]) -> Iterator[Step]:
    """The steps of a scope in the order they run, loops and cases unrolled."""
    for item in items:
        if isinstance(item, Loop):
            for turn in item.turns:
                yield from steps(turn.items)
        elif isinstance(item, Choice):
            yield from steps(item.items)
        else:
            yield item


def runs(items: Sequence[Item], uses: Mapping[Value, int], alone: Callable[[Step], bool]) -> Iterator[Run]:
    """The steps as runs. A step that is to stand `alone` is never folded.

    `uses` says how often each value of the scope is used: a turn that somebody else reads of is not folded either.
    """
    todo = list(steps(items))
    keys = [None if alone(step) else _key(step) for step in todo]
    at = 0
    while at < len(todo):
        length, count = _longest(todo, keys, uses, at)
        yield Run([todo[at + k * length : at + (k + 1) * length] for k in range(count)])
        at += length * count


def _longest(todo: Sequence[Step], keys: Sequence[object], uses: Mapping[Value, int], at: int) -> tuple[int, int]:
    """The length of the turn, and how many turns, of the run that starts at a step and covers most."""
    best = (1, 1)
    for length in range(1, min(LONGEST, (len(todo) - at) // 2) + 1):
        turn = keys[at : at + length]
        if None in turn:
            break
        count = 1
        while _follows(todo, keys, at, length, count) and _private(todo, uses, at + length * (count - 1), length):
            count += 1
        if count > 1 and length * count > best[0] * best[1]:
            best = (length, count)
    return best


def _follows(todo: Sequence[Step], keys: Sequence[object], at: int, length: int, count: int) -> bool:
    start = at + length * count
    if start + length > len(todo) or keys[start : start + length] != keys[at : at + length]:
        return False
    made = [value.tensor for value in _made(todo[start - 1])]
    return len(made) == 1 and _enters(todo[start]) == made


def _private(todo: Sequence[Step], uses: Mapping[Value, int], start: int, length: int) -> bool:
    """Whether nobody but a turn itself and the one after it reads what the two make, the last value excepted."""
    both = list(walk(list(todo[start : start + 2 * length])))
    read = Counter(value.tensor for item in both for value in operands(item))
    last = {value.tensor for value in _made(todo[start + 2 * length - 1])}
    made = {value.tensor for item in both for value in outputs(item)} - last
    return all(uses[value] == read[value] for value in made)


def _made(step: Step) -> list[Value]:
    return [] if isinstance(step, TrainingOnly) else outputs(step)


def _enters(step: Step) -> list[Value]:
    """What a step is applied to."""
    if isinstance(step, (Apply, Call)):
        return [value.tensor for value in step.inputs]
    return [step.source.tensor] if isinstance(step, Skip) else []


def _key(step: Step) -> object:
    """Equal for steps that their author would call equal; None for one that is never folded."""
    if isinstance(step, Apply):
        return ("layer", what_of(step), step.hint) if step.first and len(step.outputs) == 1 else None
    if isinstance(step, Call):
        whole = step.first and not step.exports and len(step.outputs) == 1
        inner = tuple(map(_key, steps(step.scope.items))) if step.scope.kind == "group" else ()
        return (what_of(step), step.hint, step.scope.layers, inner) if whole and None not in inner else None
    if isinstance(step, Skip):
        inner = tuple(_key(each) for each in steps(step.items))
        return None if None in inner or step.projection is not None else (step.kind, inner)
    return None
