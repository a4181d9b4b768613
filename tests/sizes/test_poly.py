"""Products of sizes and their sums against plain integers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.sizes import Dim, Poly, Size, SizeError, evaluate, product, smallest, symbol, symbols

H, W = symbol("H"), symbol("W")

# With periods up to 6, two first values and three factors, 2 + 6 * 4 values of each symbol tell any two apart.
ENVS = [{"H": h, "W": w} for h, w in itertools.product(range(1, 27), repeat=2)]

atoms = st.sampled_from(
    [H, W, H // 2, (H + 1) // 2, W // 3, 2 * W - 3, H % 2, W % 2, smallest(W, 2), H // 2 + H // 3, 3 - H, 1, 2, -3]
)
factors = st.lists(atoms, min_size=1, max_size=3)
sums = st.lists(factors, min_size=1, max_size=4)


def total(sum_of: list[list[Dim]]) -> Dim:
    result: Dim = 0
    for each in sum_of:
        result = result + product(each)
    return result


def values(dim: Dim) -> list[int]:
    return [evaluate(dim, env) for env in ENVS]


@settings(max_examples=100, deadline=None)
@given(sums)
def test_has_the_values_and_says_them(sum_of: list[list[Dim]]) -> None:
    dim = total(sum_of)
    said = compile(str(dim), "dim", "eval")
    for env in ENVS[::7]:
        value = 0
        for each in sum_of:
            term = 1
            for atom in each:
                term *= evaluate(atom, env)
            value += term
        assert evaluate(dim, env) == value
        assert eval(said, {**env, "min": min}) == value


@settings(max_examples=100, deadline=None)
@given(sums, sums)
def test_equal_exactly_if_all_values_are(left_sum: list[list[Dim]], right_sum: list[list[Dim]]) -> None:
    left, right = total(left_sum), total(right_sum)
    assert (left == right) == (values(left) == values(right))


@settings(max_examples=100, deadline=None)
@given(sums, sums)
def test_equal_however_it_came_about(left_sum: list[list[Dim]], right_sum: list[list[Dim]]) -> None:
    left, right = total(left_sum), total(right_sum)
    for one, other in [
        (left + right - right, left),
        (left - left, 0),
        (left + right, right + left),
        ((left + 1) * W - W, left * W),
        (left * (H // 2) + left * ((H + 1) // 2), left * H),
        (total([*right_sum, *left_sum]), left + right),
        ((6 * left + 5) // 3, 2 * left + 1),
    ]:
        assert one == other and type(one) is type(other)
        assert hash(one) == hash(other)


@settings(max_examples=100, deadline=None)
@given(sums)
def test_is_never_a_number_or_a_size_in_disguise(sum_of: list[list[Dim]]) -> None:
    dim = total(sum_of)
    if isinstance(dim, Poly):
        for name in dim.symbols:
            assert any(evaluate(dim, env) != evaluate(dim, {**env, name: 1}) for env in ENVS)
        if len(dim.symbols) == 1:
            (name,) = dim.symbols
            assert len({dim.at({name: h + 6}) - dim.at({name: h}) for h in range(3, 20)}) > 1


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (product([512, H // 32, W // 32]), "512*(H//32)*(W//32)"),
        ((H + 6) * (W + 6), "(H + 6)*(W + 6)"),
        (W * H * 3 - 7, "3*H*W - 7"),
        (5 - H * W, "5 - H*W"),
        (H * W // 1 + H + W + 3, "H*W + H + W + 3"),
        ((2 * H) * (2 * W), "4*H*W"),
        ((H // 2 + H // 3) * W, "(H // 2 + H // 3)*W".replace(" // ", "//")),
        ((H + 1) * W - H * W, "W"),
        (H - W, "H - W"),
    ],
)
def test_reads_well(dim: Dim, text: str) -> None:
    assert str(dim) == text


def test_written_differently_but_equal() -> None:
    left, right = 2 * (H // 2) * W + (H % 2) * W, H * W
    assert isinstance(left, Poly) and isinstance(right, Poly)
    assert left.terms != right.terms  # so that the comparison has something to decide
    assert left == right and hash(left) == hash(right)
    assert left != H * W + 1 and left != H * W * 2


def test_comes_down_to_a_size() -> None:
    assert isinstance((H - W) + W, Size)
    assert (H % 2) * (H % 2) == H % 2
    assert (H % 2) * (1 - H % 2) == 0
    assert symbols(H * W) == {"H", "W"}


def test_differs_only_far_out() -> None:
    """A size that has not settled yet may look like another for as long as that takes."""
    apart = H * smallest(W, 50) - H * W
    assert isinstance(apart, Poly) and apart.at({"H": 1, "W": 51}) == -1


def test_divides_where_it_comes_out() -> None:
    assert (6 * H * W + 5) // 3 == 2 * H * W + 1
    assert (6 * H * W + 5) % 3 == 2
    with pytest.raises(SizeError, match="not a multiple of 4"):
        (6 * H * W) // 4
    with pytest.raises(SizeError, match="not a multiple of 4"):
        (6 * H * W) % 4
    with pytest.raises(SizeError, match="positive"):
        H * W // 0
    with pytest.raises(SizeError, match="min"):
        smallest(H * W, W)
    assert smallest(H * W, H * W + 1) == H * W
