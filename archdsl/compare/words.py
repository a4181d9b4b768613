"""A difference in words, for a terminal and for Markdown alike.

Input: a `Difference`. Output: sections of lines, each line with its mark: `+` added, `-` removed, `~` changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.compare import fold
from archdsl.compare.difference import Difference, Fact
from archdsl.compare.leaves import Leaf

MOST_NAMES = 3  # that a line lists before it says how many more there are
MOST_STEPS = 6  # of a block that a line shows
MOST_LINES = 12  # of renamings
MOST_SIZES = 4  # of sizes that follow from changes elsewhere


@dataclass(frozen=True)
class Line:
    """What happened, and the names of those it happened to."""

    mark: str
    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    title: str
    lines: tuple[Line, ...]


def sections(difference: Difference) -> list[Section]:
    """What is to be said of the layers and of what the network's users see; without what is equal."""
    found = [
        Section("Inputs, outputs, sizes", tuple(Line("~", _fact(fact, ": ")) for fact in difference.face)),
        _parts("Removed", "-", difference.before, difference.removed),
        _parts("Added", "+", difference.after, difference.added),
        _changed(difference),
        _resized(difference),
        _renamed(difference),
    ]
    return [section for section in found if section.lines]


def _fact(fact: Fact, between: str = " ") -> str:
    return f"{fact.name}{between}{fact.before} -> {fact.after}"


def _parts(title: str, mark: str, leaves: Sequence[Leaf], picked: Sequence[int]) -> Section:
    lines = tuple(_part(mark, each) for each in fold.parts(leaves, picked))
    return Section(f"{title}: {_layers(len(picked))}", lines)


def _part(mark: str, part: fold.Parts) -> Line:
    times = len(part.paths)
    if len(part.inside) > 1:
        steps = [leaf.what for leaf in part.inside]
        block = " -> ".join(steps[:MOST_STEPS] + ["…"] * (len(steps) > MOST_STEPS))
        text = (f"{times} times " if times > 1 else "") + f"{{ {block} }}"
        return Line(mark, text, tuple(fold.names(part.paths)))
    text = part.inside[0].what
    if part.behind is not None and times == part.all > 1:
        text += f" after each of the {times} {part.behind}"
    elif part.behind is not None and times > 1:
        text += f" after {times} of the {part.all} {part.behind}"
    elif part.behind is not None:
        text += f" after {part.behind}"
    return Line(mark, text, tuple(fold.names(part.paths)))


def _changed(difference: Difference) -> Section:
    changed = difference.changed
    return Section(f"Changed: {_layers(len(changed))}", tuple(_lines_of_facts(fold.shared(changed, difference.after))))


def _lines_of_facts(groups: Sequence[fold.Shared]) -> Iterator[Line]:
    for group in groups:
        times = len(group.changes)
        subject = group.kind
        if times > 1:
            subject = f"each of the {times} {group.kind}" if times == group.all else f"{times} {group.kind}"
        facts = ", ".join(map(_fact, group.facts))
        yield Line("~", f"{subject}: {facts}", tuple(fold.names([change.after.path for change in group.changes])))


def _resized(difference: Difference) -> Section:
    """What the changes lead to in layers that are written alike."""
    resized = difference.resized
    groups: dict[str, list[tuple[str, ...]]] = {}
    for change in resized:
        sizes = f"{_shapes(change.before)} -> {_shapes(change.after)}"
        if change.before.params != change.after.params:
            sizes += f", {change.before.params:,} -> {change.after.params:,} parameters"
        groups.setdefault(f"{change.after.kind}: {sizes}", []).append(change.after.path)
    lines = [Line("~", text, tuple(fold.names(paths))) for text, paths in groups.items()]
    return Section(f"Other sizes in consequence: {_layers(len(resized))}", _shortened(lines, MOST_SIZES))


def _shapes(leaf: Leaf) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in leaf.shapes)


def _renamed(difference: Difference) -> Section:
    lines = []
    for old, new, times in fold.renamed(difference.renamed):
        text = f"{old}: other numbers" if old == new else f"{old} -> {new}"
        lines.append(Line("~", text + (f" ({times} layers)" if times > 1 else "")))
    return Section(
        f"Renamed, with other keys in the state_dict: {_layers(len(difference.renamed))}", _shortened(lines, MOST_LINES)
    )


def _shortened(lines: Sequence[Line], most: int) -> tuple[Line, ...]:
    if len(lines) <= most + 1:
        return tuple(lines)
    return (*lines[:most], Line(" ", f"and {len(lines) - most} more"))


def _layers(number: int) -> str:
    return "1 layer" if number == 1 else f"{number:,} layers"


def listed(names: Sequence[str]) -> str:
    """`a, b, c and 5 more`."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
