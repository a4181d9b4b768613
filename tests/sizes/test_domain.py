"""Domains against trying all inputs."""

from __future__ import annotations

import itertools
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.sizes import AtLeast, Condition, Dim, Divisible, Domain, Equal, SizeError, largest, smallest, symbol
from archdsl.sizes.conditions import Among, solved
from archdsl.sizes.naturals import Naturals

H, W = symbol("H"), symbol("W")
BOUND = 400

one_symbol = st.builds(
    lambda size, scale, offset, stride: (scale * size + offset) // stride,
    st.sampled_from(
        [H, H // 2, H // 7, H % 3, H // 2 + H // 3, smallest(H, 90), largest(H, 40), largest(H, 2 * (H // 3) + 20)]
    ),
    st.sampled_from([-2, -1, 1, 1, 1, 2, 3]),
    st.integers(-40, 80),
    st.integers(1, 4),
)
conditions = st.one_of(
    st.builds(AtLeast, one_symbol, st.integers(-20, 60)),
    st.builds(Equal, one_symbol, st.one_of(one_symbol, st.integers(0, 60))),
    st.builds(Divisible, one_symbol, st.integers(1, 8)),
    st.builds(lambda size, n: Equal(size, size // n * n), one_symbol, st.integers(2, 5)),
    st.builds(lambda size, n: AtLeast(size % n, 1), one_symbol, st.integers(2, 5)),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(conditions, max_size=3))
def test_one_symbol_is_exact(asked: list[Condition]) -> None:
    domain = Domain.of(asked, ["H"])
    accepted = [h for h in range(1, BOUND + 1) if all(condition.holds({"H": h}) for condition in asked)]
    assert [h for h in range(1, BOUND + 1) if domain.contains({"H": h})] == accepted
    assert not domain.relations
    first = domain.smallest()
    assert domain.is_empty == (first is None) == (str(domain) == "no size")
    if accepted:
        assert first == {"H": accepted[0]}
        gap = next((h for h in range(accepted[0], BOUND + 1) if h not in accepted), None)
        if gap is not None:
            assert domain.smallest_rejected() == {"H": gap}
    assert_json(domain, accepted)


def assert_json(domain: Domain, accepted: list[int]) -> None:
    """The data that other programs get means the same set."""
    form = json.loads(json.dumps(domain.to_json()))["sizes"]["H"]
    low = form["minimum"] or 1
    high = form["maximum"] or BOUND
    assert accepted == [
        h
        for h in range(1, BOUND + 1)
        if h in form["exceptions"] or (low <= h <= high and h % form["period"] in form["residues"])
    ]


sets = st.builds(
    Naturals.of,
    st.sets(st.integers(1, 30), max_size=5),
    st.integers(-5, 30),
    st.one_of(st.none(), st.integers(1, 60)),
    st.just(12),
    st.sets(st.integers(0, 11)),
)


@settings(deadline=None)
@given(sets, sets)
def test_sets_intersect(left: Naturals, right: Naturals) -> None:
    both = left & right
    assert [n for n in range(1, 200) if n in both] == [n for n in range(1, 200) if n in left and n in right]
    listed = list(itertools.takewhile(lambda n: n < 200, both.ascending()))
    assert listed == [n for n in range(1, 200) if n in both]
    assert both.first == (listed[0] if listed else None)
    for start in (1, 17):
        gaps = (n for n in range(start, 200) if n not in both)
        assert both.first_gap(start) == next(gaps, None)


@given(st.integers(1, 60), st.sets(st.integers(0, 11), min_size=1), st.integers(1, 4))
def test_sets_have_one_form(start: int, residues: set[int], times: int) -> None:
    """Listing the first numbers, or a longer period, changes nothing."""
    plain = Naturals.of((), start, None, 12, residues)
    longer = [r + 12 * k for r in residues for k in range(times)]
    listed = [n for n in range(start, start + 30) if n % 12 in residues]
    assert Naturals.of(listed, start + 30, None, 12 * times, longer) == plain


mixed = st.one_of(
    st.builds(lambda n, a, b: Equal(H // n + a, W // n + b), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3)),
    st.builds(lambda n: AtLeast(3 * (H // 2) * (W - 1), n), st.integers(-2, 30)),
    st.builds(lambda n: AtLeast((H - 4) * (W - 4), n), st.integers(-2, 3)),
    st.builds(lambda n: Divisible(H * W, n), st.integers(1, 4)),
    st.builds(lambda n: Equal(H * W, n), st.integers(1, 30)),
    st.builds(lambda n: AtLeast(H + W, n), st.integers(1, 20)),
    st.builds(lambda n: AtLeast(H, n), st.integers(1, 9)),
    st.builds(lambda n: Divisible(W, n), st.integers(1, 5)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(mixed, max_size=3))
def test_two_symbols(asked: list[Condition]) -> None:
    domain = Domain.of(asked, ["H", "W"])
    inputs = [{"H": h, "W": w} for h, w in itertools.product(range(1, 41), repeat=2)]
    accepted = [env for env in inputs if all(condition.holds(env) for condition in asked)]
    assert [env for env in inputs if domain.contains(env)] == accepted
    if accepted:
        assert rank(domain.smallest()) == min(map(rank, accepted))
        assert domain.contains(domain.smallest() or {})
        lower = {name: values.first or 1 for name, values in domain.values.items()}
        rejected = [env for env in inputs if env not in accepted and env["H"] >= lower["H"] and env["W"] >= lower["W"]]
        found = domain.smallest_rejected()
        if rejected:
            assert found is not None and not domain.contains(found)
            assert rank(found) == min(map(rank, rejected))
        else:
            assert found is None or max(found.values()) > 40


def rank(env: dict[str, int] | None) -> tuple[int, int]:
    assert env is not None
    return max(env.values()), sum(env.values())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([], "any H, W"),
        ([AtLeast(H - 14, 1), AtLeast((W + 1) // 2, 8)], "any H, W >= 15"),
        ([AtLeast(H, 15)], "any H >= 15, any W"),
        ([Divisible(H, 32), Divisible(W, 32), AtLeast(H, 40), AtLeast(W, 40)], "H and W multiples of 32, at least 64"),
        ([Divisible(H, 32)], "H a multiple of 32, any W"),
        ([Equal(2 * (H // 2) + 1, H), AtLeast(W, 7)], "H odd, any W >= 7"),
        ([Equal(2 * (H // 2), H), Equal(W % 2, 0)], "H and W even"),
        ([Equal(H % 4, 1)], "H = 4*k + 1, any W"),
        ([Equal(H, 224), Equal(W, 224)], "H and W = 224"),
        ([Equal(H // 2, 112)], "H = 224 or 225, any W"),
        ([AtLeast(512 - H, 0), AtLeast(H, 15)], "any H from 15 to 512, any W"),
        ([AtLeast(H % 3, 1)], "H not a multiple of 3, any W"),
        ([Divisible(H // 32, 2)], "H with H % 64 in 0..31, any W"),
        ([AtLeast(H // 2 + H % 7, 5)], "any H >= 4 except 7, any W"),
        ([Equal(H, W)], "any H, W where H == W"),
        ([Equal(H, W), Equal(H // 2, W // 2), Divisible(H, 2)], "H and W even where H == W"),
        ([Equal(H, W), Divisible(H, 2), Equal(W % 2, 1)], "no size"),
        ([Equal(3 * (H // 2) + 6, 3 * (W // 2) + 6)], "any H, W where H//2 == W//2"),
        ([Equal(2 * H, 2 * W + 1)], "no size"),
        ([AtLeast(512 * (H // 32) * (W // 32), 1)], "any H, W >= 32"),
        ([AtLeast(H * W, 0)], "any H, W"),
        ([Equal(512 * (H // 32) * (W // 32), 25088)], "any H, W where (H//32)*(W//32) == 49"),
        ([AtLeast(H * W, 10)], "any H, W where H*W >= 10"),
        ([Equal(H, H + 1)], "no size"),
        ([AtLeast(3, 5)], "no size"),
        ([AtLeast(5, 3), Divisible(6, 3), Equal(7, 7)], "any H, W"),
    ],
)
def test_reads_well(asked: list[Condition], words: str) -> None:
    assert str(Domain.of(asked, ["H", "W"])) == words


def test_without_symbols() -> None:
    assert not Domain.of([], []).is_empty
    assert Domain.of([AtLeast(3, 5)], []).is_empty
    assert not Domain.of([AtLeast(3, 5)], []).contains({})
    assert str(Domain.of([AtLeast(5, 3)], [])) == "any input"


def test_unet_fails_first_at_an_odd_size() -> None:
    asked = [Equal(2 * (x // 2), x) for x in (H, W)] + [AtLeast(x, 16) for x in (H, W)]
    assert Domain.of(asked, ["H", "W"]).smallest_rejected() == {"H": 17, "W": 16}


def test_relations_far_apart_are_found() -> None:
    for asked in [Equal(H, W + 5000)], [Equal(W, H + 5000)]:
        domain = Domain.of(asked, ["H", "W"])
        assert sorted((domain.smallest() or {}).values()) == [1, 5001]
    assert Domain.of([Equal(H, W + 2), Divisible(H, 2), Equal(W % 2, 1)], ["H", "W"]).is_empty


def test_equal_symbols_share_what_each_may_be() -> None:
    d = symbol("D")
    domain = Domain.of(
        [Equal(H, W), Equal(W, d), Equal(H // 3, d // 3), AtLeast(d, 5), Divisible(H, 4)], ["H", "W", "D"]
    )
    assert domain.smallest() == {"H": 8, "W": 8, "D": 8}
    assert domain.values["W"] == domain.values["H"] == domain.values["D"]


def test_large_periods_need_no_table() -> None:
    assert solved(Divisible(H, 2**40)) == Among("H", Naturals.of(period=2**40))
    assert str(Domain.of([Divisible(H, 2**40), Divisible(H, 3**9)], ["H"])) == f"H a multiple of {2**40 * 3**9}"


def test_many_conditions_are_cheap() -> None:
    size: Dim = H
    asked: list[Condition] = []
    begin = time.perf_counter()
    for i in range(20_000):
        size = (size + 2 - 3) // 1 + 1 if i % 2_000 else size // 2
        asked.append(AtLeast(size, 1))
    assert str(Domain.of(asked, ["H"])) == "any H >= 1024"
    assert time.perf_counter() - begin < 2  # measured: 0.15 s


naturals = st.builds(
    Naturals.of,
    st.lists(st.integers(1, 30), max_size=3),
    st.integers(1, 20),
    st.one_of(st.none(), st.integers(1, 40)),
    st.just(6),
    st.sets(st.integers(0, 5)),
)


@settings(max_examples=300, deadline=None)
@given(naturals, naturals)
def test_union_intersection_and_complement(a: Naturals, b: Naturals) -> None:
    for n in range(1, 120):
        assert (n in a | b) == (n in a or n in b)
        assert (n in a & b) == (n in a and n in b)
        assert (n in ~a) == (n not in a)


def test_the_complement_of_a_half_line_is_not_listed() -> None:
    assert ~Naturals.of(start=10**12) == Naturals.of(stop=10**12)
    assert ~Naturals.of(stop=10**12) == Naturals.of(start=10**12)


@settings(max_examples=400, deadline=None)
@given(st.lists(conditions, max_size=2), conditions)
def test_the_smallest_input_at_which_one_symbol_fails(asked: list[Condition], claim: Condition) -> None:
    domain = Domain.of(asked, ["H"])
    failing = domain.smallest_failing(claim)
    inside = [h for h in range(1, BOUND + 1) if domain.contains({"H": h})]
    first = next((h for h in inside if not claim.holds({"H": h})), None)
    if first is not None:
        assert failing == {"H": first}
    else:
        assert failing is None or (failing["H"] > BOUND and domain.contains(failing) and not claim.holds(failing))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([Equal(H, W), AtLeast(W - H, 3), Divisible(H, 2), AtLeast(30 - H, 0), AtLeast(20 - W, 0)])
    ),
    st.sampled_from(
        [Equal(H // 2, W // 2), Equal(H, W), AtLeast(H * W, 9), AtLeast(H - W, 0), Equal(H % 2 + W, W), Divisible(W, 4)]
    ),
)
def test_the_smallest_input_at_which_two_symbols_fail(asked: list[Condition], claim: Condition) -> None:
    domain = Domain.of(asked, ["H", "W"])
    try:
        failing = domain.smallest_failing(claim)
    except SizeError:
        assert domain.relations and claim == AtLeast(H * W, 9), "all others are decided"
        failing = None
    rows = ({"H": h, "W": w} for h, w in itertools.product(range(1, 40), repeat=2))
    first = min(
        (row for row in rows if domain.contains(row) and not claim.holds(row)),
        key=lambda row: (max(row.values()), sum(row.values())),
        default=None,
    )
    if first is None:
        assert failing is None
    else:
        assert failing is not None and domain.contains(failing) and not claim.holds(failing)
        assert (max(failing.values()), sum(failing.values())) == (max(first.values()), sum(first.values()))


def test_what_is_not_decided_is_an_error() -> None:
    with pytest.raises(SizeError, match="is not decided"):
        Domain.of([Equal(H * H, W)], ["H", "W"]).smallest_failing(AtLeast(5_000_000 - W, 0))


def test_independent_bounds_decide_a_sum() -> None:
    domain = Domain.of([AtLeast(H - 5000, 0), AtLeast(9000 - W, 0)], ["H", "W"])
    assert domain.smallest_failing(AtLeast(H * H - W, 0)) is None
    assert domain.smallest_failing(AtLeast(H - W, -4000)) is None
    assert domain.smallest_failing(AtLeast(H - W, -3999)) == {"H": 5000, "W": 9000}
