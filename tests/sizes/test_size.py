"""Sizes against plain integers: PyTorch's rules, chained at random, for every input up to some bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archdsl.sizes import (
    Dim,
    Size,
    SizeError,
    ceil_div,
    evaluate,
    is_fixed,
    largest,
    product,
    smallest,
    symbol,
    symbols,
)
from archdsl.sizes.floor import Floor
from archdsl.sizes.periodic import Periodic

H = symbol("H")
BOUND = 600


class Exact:
    """The rules on sizes, as the layers state them."""

    ceil_div = staticmethod(ceil_div)
    smallest = staticmethod(smallest)
    largest = staticmethod(largest)

    @staticmethod
    def ceil_pool(x: Dim, kernel: int, stride: int, padding: int) -> Dim:
        return smallest(ceil_div(x + 2 * padding - kernel, stride) + 1, ceil_div(x + padding, stride))


class Plain:
    """The rules on integers, as PyTorch's code has them."""

    smallest = min
    largest = max

    @staticmethod
    def ceil_div(x: int, n: int) -> int:
        return math.ceil(x / n)

    @staticmethod
    def ceil_pool(x: int, kernel: int, stride: int, padding: int) -> int:
        out = math.ceil((x + 2 * padding - kernel) / stride) + 1
        if (out - 1) * stride >= x + padding:  # the last window must start inside the input or the padding before it
            out -= 1
        return out


Rules = type[Exact] | type[Plain]
Step = Callable[[Rules, list], object]


def small(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """One layer, applied to the last value or joining two of the values so far."""
    kind = draw(st.sampled_from(["conv", "pool", "ceil", "deconv", "up", "shift", "over", "mod", "add", "min", "max"]))
    k, s, d = draw(small(1, 7)), draw(small(1, 4)), draw(small(1, 2))
    p = draw(small(0, k // 2))
    i = draw(small(0, 20))
    n = draw(small(-9, 9))
    return {
        "conv": lambda rules, v: (v[-1] + 2 * p - d * (k - 1) - 1) // s + 1,
        "pool": lambda rules, v: (v[-1] + 2 * p - k) // s + 1,
        "ceil": lambda rules, v: rules.ceil_pool(v[-1], k, s, p),
        "deconv": lambda rules, v: (v[-1] - 1) * s - 2 * p + d * (k - 1) + (s - 1) + 1,
        "up": lambda rules, v: d * v[-1],
        "shift": lambda rules, v: v[-1] - n,
        "over": lambda rules, v: rules.ceil_div(n - v[-1], s),
        "mod": lambda rules, v: v[-1] - 2 * (v[-1] % s),
        "add": lambda rules, v: v[-1] + v[i % len(v)],
        "min": lambda rules, v: rules.smallest(v[-1], v[i % len(v)] + n),
        "max": lambda rules, v: rules.largest(v[-1], 30 - n if d == 1 else v[i % len(v)]),
    }[kind]


chains = st.lists(steps(), min_size=1, max_size=7)


def run(chain: list[Step], x: Dim, rules: Rules) -> Dim:
    values = [x]
    for step in chain:
        values.append(step(rules, values))
    return values[-1]


def exact(chain: list[Step]) -> Dim:
    try:
        return run(chain, H, Exact)
    except SizeError:
        assume(False)
        raise


def settled(*dims: Dim) -> int:
    """From here back, if two of these sizes agree, they agree for good: two common periods after the first values."""
    tables = [Periodic.of(dim.form) for dim in dims if isinstance(dim, Size)]
    return max((len(t.first) for t in tables), default=0) + 2 * math.lcm(*(t.period for t in tables))


def values(dim: Dim, bound: int) -> list[int]:
    return [evaluate(dim, {"H": h}) for h in range(1, bound + 1)]


@settings(max_examples=300, deadline=None)
@given(chains)
def test_chains_have_the_values_that_integers_have(chain: list[Step]) -> None:
    size = exact(chain)
    assert values(size, BOUND) == [run(chain, h, Plain) for h in range(1, BOUND + 1)]


@settings(max_examples=200, deadline=None)
@given(chains)
def test_text_says_the_same_function(chain: list[Step]) -> None:
    size = exact(chain)
    said = compile(str(size), "size", "eval")
    assert [eval(said, {"H": h, "min": min, "max": max}) for h in range(1, 201)] == values(size, 200)


DETOURS: list[Callable[[Dim], Dim]] = [
    lambda x: (6 * x + 5) // 6,
    lambda x: x // 2 + (x + 1) // 2,
    lambda x: x - x % 3 + x % 3,
    lambda x: smallest(x, x + 1),
    lambda x: largest(x, x - 2),
    lambda x: 3 * x - x - x,
    lambda x: 0 - (0 - x),
    lambda x: x // 3 + (x + 1) // 3 + ceil_div(x, 3),
    lambda x: smallest(x, 50) + largest(x, 50) - 50,
]


@settings(max_examples=200, deadline=None)
@given(chains, st.lists(st.sampled_from(DETOURS), min_size=1, max_size=2), small(0, 7))
def test_equal_however_it_came_about(chain: list[Step], detours: list[Callable[[Dim], Dim]], at: int) -> None:
    def detour(rules: Rules, v: list[Dim]) -> Dim:
        x = v[-1]
        for way in detours:
            x = way(x)
        return x

    def same(rules: Rules, v: list[Dim]) -> Dim:
        return v[-1]  # steps that look back count the values from the first one, so both chains need as many

    straight, round_about = exact([*chain[:at], same, *chain[at:]]), exact([*chain[:at], detour, *chain[at:]])
    assert straight == round_about
    assert hash(straight) == hash(round_about)


@settings(max_examples=200, deadline=None)
@given(chains, chains)
def test_equal_exactly_if_all_values_are(left_chain: list[Step], right_chain: list[Step]) -> None:
    left, right = exact(left_chain), exact(right_chain)
    bound = settled(left, right)
    assume(bound < 20_000)
    assert (left == right) == (values(left, bound) == values(right, bound))


strides = st.lists(st.tuples(small(0, 3), small(1, 3)), max_size=4)


@given(strides, strides)
def test_floors_of_floors(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    """Strided chains are often equal by chance, which is where a wrong normal form would show."""
    left: Dim = H
    right: Dim = H
    for padding, stride in first:
        left = (left + padding) // stride
    for padding, stride in second:
        right = (right + padding) // stride
    assert (left == right) == (values(left, 300) == values(right, 300))


def test_strides_stay_one_floor_division() -> None:
    size: Dim = H
    for _ in range(5):
        size = (size + 2 * 1 - 3) // 2 + 1
    assert isinstance(size, Size) and isinstance(size.form, Floor)
    assert str(size) == "(H + 31)//32"
    for _ in range(200):
        size = smallest(ceil_div(size - 3, 2) + 1, ceil_div(size, 2))
        size = (2 * size + 1) // 2 * 3 // 3
    assert isinstance(size, Size) and isinstance(size.form, Floor)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H, "H"),
        (-H, "-H"),
        (H + 6, "H + 6"),
        (5 - H // 2, "5 - H//2"),
        (2 * H - 3, "2*H - 3"),
        (H // 2 // 2 // 8, "H//32"),
        ((H - 1) // 2 + 1, "(H + 1)//2"),
        ((H - 3) // 2 + 1, "(H - 1)//2"),
        (2 * (H // 2), "2*(H//2)"),
        (2 * (H // 2) + 1, "2*(H//2) + 1"),
        (-(H // 2), "-(H//2)"),
        (-(3 * (H // 2) // 2), "-((3*(H//2))//2)"),
        (H // 2 + H // 3, "H//2 + H//3"),
        (smallest(H, 14) // 3, "min(H, 14)//3"),
        (largest(H - 3, H // 2), "max(H - 3, H//2)"),
        (H % 2, "H % 2"),
        (H - 2 * (H // 2), "H % 2"),
        (H - H + 3, "3"),
    ],
)
def test_reads_well(size: Dim, text: str) -> None:
    assert str(size) == text


def test_long_texts_give_way_to_the_table() -> None:
    size: Dim = H
    for _ in range(40):
        size = smallest(size + size % 2, size % 3 + H // 2 + 7)
    assert len(str(size)) < 2_000
    assert [eval(str(size), {"H": h, "min": min}) for h in range(1, 90)] == values(size, 89)


def test_what_does_not_depend_on_the_input_is_a_number() -> None:
    for dim in [H - H, 0 * H, H // 2 + (H + 1) // 2 - H, smallest(H, 1), largest(smallest(H, 4), 4), H % 1]:
        assert type(dim) is int
    assert is_fixed(H - H) and not is_fixed(H)
    assert symbols(H // 2) == {"H"} and symbols(7) == frozenset()


class Noted(int):
    """As the emitter's numbers do, carry along how the author wrote it."""


def test_numbers_that_carry_something_are_left_alone() -> None:
    n = Noted(5)
    assert smallest(n, 7) is n and largest(3, n) is n and product([n]) is n and evaluate(n, {}) is n
    size = H * n + n
    assert isinstance(size, Size) and isinstance(size.form, Floor)
    assert type(size.form.scale) is int and type(size.form.offset) is int


def test_what_cannot_be_written_down_is_refused() -> None:
    with pytest.raises(SizeError, match="positive"):
        H // 0
    with pytest.raises(SizeError, match="H and W"):
        smallest(H, symbol("W"))
    with pytest.raises(SizeError, match="100,000"):
        H // 1009 + H // 997
    with pytest.raises(SizeError, match="100,000"):
        largest(H, 10**6)


def test_values_of_other_types_are_refused() -> None:
    for other in (1.5, "2", None):
        with pytest.raises(TypeError):
            H + other
        with pytest.raises(TypeError):
            H * other
        with pytest.raises(TypeError):
            H // other


def test_symbols_differ() -> None:
    assert symbol("H") == H and symbol("W") != H and H != 1
    assert len({H, symbol("H"), H + 1, 1 + H, symbol("W")}) == 3


def test_first_values_are_the_fewest() -> None:
    assert smallest(H, 14) + largest(H, 14) == H + 14
    for begin in range(2, 6):
        size = largest(H, begin)
        assert isinstance(size, Size) and isinstance(size.form, Periodic) and len(size.form.first) == begin - 1
