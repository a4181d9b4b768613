"""Repetitions said once: blocks that came or went as a whole, what happened to many layers, names that differ alike.

Input: a `Difference` or parts of it. Output: groups in the order of their first member. Non-goals: sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from archdsl.compare.difference import Change, Fact
from archdsl.compare.leaves import Leaf

Path = tuple[str, ...]

MOST_WORDS = 6  # within braces


@dataclass(frozen=True)
class Parts:
    """Equal parts that were added or removed: single leaves, or blocks and groups with all that is inside.

    `behind` is the kind of leaf that each single one reads, `all` how many of that kind there are.
    """

    paths: tuple[Path, ...]
    inside: tuple[Leaf, ...]  # of the first
    behind: str | None
    all: int


@dataclass(frozen=True)
class Shared:
    """Facts that hold for the same leaves of one kind, of which the network has `all`."""

    kind: str
    facts: tuple[Fact, ...]
    changes: tuple[Change, ...]
    all: int


def parts(leaves: Sequence[Leaf], picked: Sequence[int]) -> list[Parts]:
    """The picked leaves (indices) of a network as few parts."""
    whole = Counter(prefix for leaf in leaves for prefix in _prefixes(leaf.path))
    own = Counter(prefix for index in picked for prefix in _prefixes(leaves[index].path))
    units: dict[tuple[Path, bool], list[int]] = {}
    for index in picked:
        prefix = next(p for p in (*_prefixes(leaves[index].path), ()) if not p or own[p] == whole[p])
        units.setdefault((prefix or leaves[index].path, bool(prefix)), []).append(index)
    groups: dict[object, list[tuple[Path, list[int]]]] = {}
    for (path, _), inside in units.items():
        behind = _behind(leaves, inside)
        groups.setdefault((tuple(leaves[i].what for i in inside), behind), []).append((path, inside))
    kinds = Counter(leaf.kind for leaf in leaves)
    return [
        Parts(
            paths=tuple(path for path, _ in members),
            inside=tuple(leaves[i] for i in members[0][1]),
            behind=(behind := _behind(leaves, members[0][1])),
            all=kinds[behind] if behind is not None else 0,
        )
        for members in groups.values()
    ]


def _prefixes(path: Path) -> list[Path]:
    return [path[:length] for length in range(1, len(path) + 1)]


def _behind(leaves: Sequence[Leaf], inside: Sequence[int]) -> str | None:
    """The kind of leaf that a single leaf reads; None for a block, and where it reads an input."""
    at = leaves[inside[0]].reads[0][0]
    return leaves[at].kind if len(inside) == 1 and isinstance(at, int) else None


def shared(changes: Sequence[Change], leaves: Sequence[Leaf]) -> list[Shared]:
    """The facts of all changes; those that hold for exactly the same leaves stand together. `leaves`: of `after`."""
    holders: dict[tuple[str, Fact], list[int]] = {}
    for index, change in enumerate(changes):
        for fact in change.facts:
            holders.setdefault((change.after.kind, fact), []).append(index)
    groups: dict[tuple[str, tuple[int, ...]], list[Fact]] = {}
    for (kind, fact), held in holders.items():
        groups.setdefault((kind, tuple(held)), []).append(fact)
    kinds = Counter(leaf.kind for leaf in leaves)
    return [
        Shared(kind, tuple(facts), tuple(changes[i] for i in held), kinds[kind])
        for (kind, held), facts in groups.items()
    ]


def renamed(changes: Sequence[Change]) -> list[tuple[str, str, int]]:
    """Names before and after, without what both share, and for how many layers this holds."""
    found: Counter[tuple[str, str]] = Counter()
    for change in changes:
        old, new = change.before.path, change.after.path
        shortest = min(len(old), len(new))
        lead = next((k for k in range(shortest) if old[k] != new[k]), shortest)
        trail = next((k for k in range(shortest - lead) if old[-1 - k] != new[-1 - k]), shortest - lead)
        sides = [_between(path, lead, len(path) - trail) for path in (old, new)]
        if lead + trail == shortest:  # nothing is left of one of them
            sides = [".".join(path) for path in (old, new)]
        if _numberless(old) == _numberless(new):
            sides = [".".join(_numberless(path)) for path in (old, new)]
        found[sides[0], sides[1]] += 1
    return [(old, new, count) for (old, new), count in found.items()]


def _between(path: Path, start: int, end: int) -> str:
    """The part of a path that differs, a `*` for what stands before and after it."""
    return ".".join(("*",) * (start > 0) + path[start:end] + ("*",) * (end < len(path)))


def _numberless(path: Path) -> Path:
    return tuple("N" if part.isdigit() else part for part in path)


def names(paths: Sequence[Path]) -> list[str]:
    """Paths as text; those that differ in one part only as one: `layer3.{6..22}`, `inception{3a,3b}.pool`."""
    left = dict.fromkeys(paths)
    families: dict[tuple[Path, Path], list[Path]] = {}  # by what stands before and after one part
    for path in left:
        for at in range(len(path)):
            families.setdefault((path[:at], path[at + 1 :]), []).append(path)
    said: list[str] = []
    while left:
        first = next(iter(left))
        own = [[p for p in families[first[:at], first[at + 1 :]] if p in left] for at in range(len(first))]
        at, family = max(enumerate(own), key=lambda each: len(each[1]))
        said.append(".".join((*first[:at], _braced([path[at] for path in family]), *first[at + 1 :])))
        for path in family:
            del left[path]
    return said


def _braced(words: Sequence[str]) -> str:
    """`3a`, `3b` as `{3a,3b}` behind the beginning that they share; numbers in a row as `{6..22}`."""
    if len(words) == 1:
        return words[0]
    lead = next(k for k in range(min(map(len, words)) + 1) if len({word[: k + 1] for word in words}) > 1)
    while lead and words[0][lead - 1].isdigit():
        lead -= 1  # numbers stay whole
    rest = [word[lead:] for word in words]
    numbers = [int(word) for word in rest if word.isdecimal()]
    if len(numbers) == len(rest) > 2 and all(b == a + 1 for a, b in pairwise(numbers)):
        return f"{words[0][:lead]}{{{numbers[0]}..{numbers[-1]}}}"
    if len(rest) > MOST_WORDS:
        rest = [*rest[: MOST_WORDS - 2], "…", rest[-1]]
    return f"{words[0][:lead]}{{{','.join(rest)}}}"
