"""Which leaf is which."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.compare import align as module
from archdsl.compare.align import align
from archdsl.compare.leaves import Leaf


def leaf(path: str, what: str) -> Leaf:
    return Leaf(
        path=tuple(path.split(".")),
        kind=what.split("(")[0],
        what=what,
        arguments={"all": what},
        starts={},
        shapes=((8,),),
        reads=(),
        params=0,
        buffers=0,
        macs=0,
        device=None,
        training=False,
        again=False,
    )


PATHS = st.sampled_from(["a", "b", "s.0", "s.1", "t.relu", "relu2"])
LEAVES = st.lists(st.builds(leaf, PATHS, st.sampled_from(["relu", "c(1)", "c(2)"])), max_size=12)


@given(LEAVES, LEAVES)
def test_every_leaf_is_there_once_and_pairs_are_of_one_kind(before: list[Leaf], after: list[Leaf]) -> None:
    pairs = align(before, after)
    assert sorted(i for i, _ in pairs if i is not None) == list(range(len(before)))
    assert [j for _, j in pairs if j is not None] == list(range(len(after)))
    assert (None, None) not in pairs
    assert all(before[i].kind == after[j].kind for i, j in pairs if i is not None and j is not None)


@given(LEAVES)
def test_a_list_is_aligned_with_itself(leaves: list[Leaf]) -> None:
    assert align(leaves, leaves) == [(i, i) for i in range(len(leaves))]


def test_what_is_new_in_the_middle() -> None:
    before = [leaf("s.0", "c(1)"), leaf("s.1", "relu"), leaf("s.2", "c(2)")]
    after = [leaf("s.0", "c(1)"), leaf("s.1", "bn"), leaf("s.2", "relu"), leaf("s.3", "c(2)")]
    assert align(before, after) == [(0, 0), (None, 1), (1, 2), (2, 3)]


def test_names_come_before_what_layers_do() -> None:
    before, after = [leaf("a", "c(1)"), leaf("b", "c(2)")], [leaf("a", "c(2)"), leaf("b", "c(1)")]
    assert align(before, after) == [(0, 0), (1, 1)]


def test_a_number_is_no_name() -> None:
    after = [leaf("0", "c(2)"), leaf("1", "c(1)"), leaf("2", "c(3)")]
    assert align([leaf("0", "c(1)")], after) == [(None, 0), (0, 1), (None, 2)]


@pytest.mark.parametrize("most", [module.MOST_CELLS, 0])
def test_long_lists_are_quick(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """With the score table, and with the equal calls that take its place for more."""
    monkeypatch.setattr(module, "MOST_CELLS", most)
    before = [leaf(f"s.{i}", f"c({i})") for i in range(400)]
    after = [leaf(f"t.{i}", f"c({i})") for i in range(400) if i % 50]
    started = time.process_time()
    pairs = [(i, j) for i, j in align(before, after) if i is not None and j is not None]
    assert time.process_time() - started < 5
    assert all(before[i].what == after[j].what for i, j in pairs)
    assert len(pairs) == len(after)
    assert all(i < k for (i, _), (k, _) in pairwise(pairs))
