"""Which leaf of one network is which of another.

Input: two lists of leaves. Output: pairs of indices; a leaf without a partner stands with None. First come names: a
module that has the same path and kind in both is the same. Between those, the alignment with the highest score is
taken: it keeps the order, pairs only equal kinds, and prefers equal arguments, shapes and parts of names. Non-goals:
what differs within a pair.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from archdsl.compare.leaves import Leaf

Pair = tuple[int | None, int | None]

MOST_CELLS = 400_000  # of the score table, about two seconds; longer runs are matched by equal calls alone

WEIGHTS, PLAIN = 6.0, 3.0  # what a pair is worth that has weights, and one that has none
CALL, ARGUMENTS, SHAPES, NAMES = 2.0, 2.0, 1.0, 3.0  # what agreement adds, in all or in part


def align(before: Sequence[Leaf], after: Sequence[Leaf]) -> list[Pair]:
    """Every leaf of both, once: in the order of `after`, what has gone where it stood in `before`."""
    pairs: list[Pair] = []
    start = (0, 0)
    for i, j in [*_in_order(_by_name(before, after)), (len(before), len(after))]:
        pairs += _between(before, after, range(start[0], i), range(start[1], j))
        if i < len(before):
            pairs.append((i, j))
        start = (i + 1, j + 1)
    return _with_moved(before, after, pairs)


def _by_name(before: Sequence[Leaf], after: Sequence[Leaf]) -> Iterator[tuple[int, int]]:
    """Pairs that their paths make certain."""
    ours, theirs = ({key for key, n in Counter(map(_key, side)).items() if n == 1} for side in (before, after))
    certain = ours & theirs
    places = {_key(leaf): j for j, leaf in enumerate(after) if _key(leaf) in certain}
    for i, leaf in enumerate(before):
        if _named(leaf) and _key(leaf) in places:
            yield i, places[_key(leaf)]


def _key(leaf: Leaf) -> tuple[tuple[str, ...], str]:
    return leaf.path, leaf.kind


def _named(leaf: Leaf) -> bool:
    """Whether somebody chose the name: a number is a position, and `relu2` too counts from the top."""
    return not re.fullmatch(rf"(?:{re.escape(leaf.kind)})?\d*", leaf.path[-1])


def _in_order(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs (sorted by their first) in which the second rises too."""
    found = list(pairs)
    ends: list[int] = []  # the smallest end of a rising run, by its length
    where: list[int] = []
    previous: list[int | None] = []
    for at, (_, j) in enumerate(found):
        length = bisect_left(ends, j)
        previous.append(where[length - 1] if length else None)
        ends[length : length + 1] = [j]
        where[length : length + 1] = [at]
    run: list[tuple[int, int]] = []
    at_last = where[-1] if where else None
    while at_last is not None:
        run.append(found[at_last])
        at_last = previous[at_last]
    return run[::-1]


def _between(before: Sequence[Leaf], after: Sequence[Leaf], rows: range, columns: range) -> list[Pair]:
    """The alignment of two runs of leaves. What is equal at their ends needs no search."""
    head = _alike_run(before, after, rows, columns)
    tail = _alike_run(before, after, rows[head:][::-1], columns[head:][::-1])
    inner = rows[head : len(rows) - tail], columns[head : len(columns) - tail]
    if len(inner[0]) * len(inner[1]) > MOST_CELLS:
        matched = list(_equal_calls(before, after, *inner))
    else:
        matched = _best(before, after, *inner)
    matched = [
        *zip(rows[:head], columns[:head], strict=True),
        *matched,
        *zip(rows[len(rows) - tail :], columns[len(columns) - tail :], strict=True),
    ]
    pairs: list[Pair] = []
    i, j = rows.start, columns.start
    for row, column in [*matched, (rows.stop, columns.stop)]:
        pairs += [(gone, None) for gone in range(i, row)]
        pairs += [(None, new) for new in range(j, column)]
        if row < rows.stop:
            pairs.append((row, column))
        i, j = row + 1, column + 1
    return pairs


def _alike_run(before: Sequence[Leaf], after: Sequence[Leaf], rows: range, columns: range) -> int:
    """How many leaves from the start of two runs are equal in all but the numbers in their names."""
    at = 0
    for i, j in zip(rows, columns, strict=False):
        one, other = before[i], after[j]
        if (one.what, one.shapes, one.params) != (other.what, other.shapes, other.params):
            break
        if _numberless(one) != _numberless(other):
            break
        at += 1
    return at


def _numberless(leaf: Leaf) -> tuple[str, ...]:
    return tuple(part.rstrip("0123456789") for part in leaf.path)


def _equal_calls(
    before: Sequence[Leaf], after: Sequence[Leaf], rows: range, columns: range
) -> Iterator[tuple[int, int]]:
    matcher = SequenceMatcher(None, [before[i].what for i in rows], [after[j].what for j in columns])
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            yield rows.start + block.a + step, columns.start + block.b + step


def _best(before: Sequence[Leaf], after: Sequence[Leaf], rows: range, columns: range) -> list[tuple[int, int]]:
    """The pairs with the highest sum of scores among all that keep both orders (Needleman and Wunsch, 1970)."""
    scores = _Scores()
    table = [[0.0] * (len(columns) + 1)]  # table[n][m]: the best of the last n rows and the last m columns
    for i in reversed(rows):
        below = table[-1]
        line = [0.0]
        for m, j in enumerate(reversed(columns), 1):
            best = max(below[m], line[m - 1])
            if before[i].kind == after[j].kind:
                best = max(best, below[m - 1] + scores.of(before[i], after[j]))
            line.append(best)
        table.append(line)
    pairs = []
    n, m = len(rows), len(columns)
    while n and m:
        i, j = rows.stop - n, columns.stop - m
        if table[n][m] == table[n - 1][m]:
            n -= 1
        elif table[n][m] == table[n][m - 1]:
            m -= 1
        else:
            pairs.append((i, j))
            n, m = n - 1, m - 1
    return pairs


class _Scores:
    """How alike two leaves of one kind are; what two calls share is worked out once."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, str], float] = {}

    def of(self, one: Leaf, other: Leaf) -> float:
        key = (one.what, other.what)
        if key not in self._shared:
            same = sum(value == other.arguments[name] for name, value in one.arguments.items())
            share = same / len(one.arguments) if one.arguments else 1.0
            self._shared[key] = ARGUMENTS * share + CALL * (share == 1.0)
        score = self._shared[key] + (WEIGHTS if one.params or one.again else PLAIN)
        score += SHAPES * (one.shapes == other.shapes) + SHAPES * (one.params == other.params)
        return score + NAMES * _alike(one.path, other.path)


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """How much of two paths is the same, from either end: 0 to 1."""
    longest, shortest = max(len(one), len(other)), min(len(one), len(other))
    lead = next((k for k in range(shortest) if one[k] != other[k]), shortest)
    trail = next((k for k in range(shortest - lead) if one[-1 - k] != other[-1 - k]), shortest - lead)
    return (lead + trail) / longest


def _with_moved(before: Sequence[Leaf], after: Sequence[Leaf], pairs: list[Pair]) -> list[Pair]:
    """Pairs what has its own name in both, but stands elsewhere."""
    gone = {_key(before[i]): i for i, j in pairs if i is not None and j is None and _named(before[i])}
    moved = {j: gone.pop(_key(after[j])) for i, j in pairs if i is None and j is not None and _key(after[j]) in gone}
    taken = set(moved.values())
    left = [(i, j) for i, j in pairs if j is not None or i not in taken]
    return [(moved[j], j) if i is None and j in moved else (i, j) for i, j in left]
