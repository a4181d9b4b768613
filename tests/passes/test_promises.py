"""`where`: promises are proved exactly, held against trying every size."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.compiler import Compilation, accepted
from archdsl.diagnostics import Sink
from archdsl.graph.model import Network
from archdsl.passes.accept import promised
from archdsl.passes.elaborate import elaborate

BODIES = {
    "down = maxpool(2)\n  up = deconv(4, 2, stride=2)\n  concat(x, up)": lambda h: h % 2 == 0,
    "conv(4, 5) -> maxpool(3, stride=2)": lambda h: h >= 7,
    "pixel_unshuffle(3)": lambda h: h % 3 == 0,
    "add { conv(4, 3, stride=2, padding=1); maxpool(2) }\n  conv(4, 4)": lambda h: h % 2 == 0 and h >= 8,
}
PROMISES = {
    "H % {m} == 0": lambda h, m: h % m == 0,
    "H >= {m}": lambda h, m: h >= m,
    "H > {m}": lambda h, m: h > m,
    "{m} <= H < 40": lambda h, m: m <= h < 40,
    "H % 6 != {m}": lambda h, m: h % 6 != m,
    "H == {m}": lambda h, m: h == m,
    "H // 2 == {m}": lambda h, m: h // 2 == m,
    "(H % 4 == 0 or H == {m})": lambda h, m: h % 4 == 0 or h == m,
    "not (H % 3 == 1 or H < {m})": lambda h, m: not (h % 3 == 1 or h < m),
}
BOUND = 14 * 13 * 12


def spec(where: str, body: str) -> str:
    return f"network Net {{\n  input x: [4, H, 24] where {where}\n  {body}\n}}\n"


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(list(BODIES)),
    st.lists(st.tuples(st.sampled_from(list(PROMISES)), st.integers(1, 14)), min_size=1, max_size=3),
)
def test_a_promise_is_kept_or_the_smallest_size_that_breaks_it_is_named(
    body: str, parts: list[tuple[str, int]]
) -> None:
    where = " and ".join(text.format(m=m) for text, m in parts)
    meant = [h for h in range(1, BOUND) if all(PROMISES[text](h, m) for text, m in parts)]
    broken = [h for h in meant if not BODIES[body](h)]
    found = Compilation.from_text(spec(where, body)).diagnostics
    if not meant:
        assert ["promises no size" in each.message for each in found] == [True]
    elif broken:
        assert [each.code for each in found] == ["E0313"]
        (smallest,) = re.findall(r"refuses is H = (\d+)$", found[0].message)
        assert int(smallest) == broken[0]
    else:
        assert not found, [each.message for each in found]


def network(text: str) -> Network:
    sink = Sink()
    (definition,) = Compilation.from_text(text).definitions
    found = elaborate(definition, {}, sink)
    assert found is not None and not sink.found
    return found


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("H % 16 == 0 and H >= 32", "H a multiple of 16, at least 32; any W"),
        ("H == W and W % 4 == 0", "H and W multiples of 4 where H == W"),
        ("H < W", "any H, any W >= 2 where W >= H + 1"),
        ("classes > 2", "any H, W"),
        ("true", "any H, W"),
        ("W != W + 3", "any H, W"),
        ("not (H < H)", "any H, W"),
        ("not classes < 2", "any H, W"),
        ("not classes > 2", "no size"),
        ("H % classes == 0", "H even, any W"),
    ],
)
def test_what_is_promised_in_words(where: str, words: str) -> None:
    text = f"network Net(classes=10) {{\n  input x: [3, H, W] where {where}\n  conv(classes, 1)\n}}\n"
    assert str(promised(network(text.replace("% classes", "% (classes // 5)")))) == words


@pytest.mark.parametrize("where", ["true", "H != H + 3", "not (H < H)", "2 > 1", "H >= H", "true or H > 100"])
def test_what_is_always_true_promises_every_size(where: str) -> None:
    """Such a promise is proved like any other."""
    (found,) = Compilation.from_text(spec(where, "conv(4, 5)")).diagnostics
    assert found.code == "E0313"
    assert found.message.endswith("the smallest it refuses is H = 1")
    assert Compilation.from_text(spec(where, "conv(4, 5, padding=2)")).ok


def test_a_promise_narrows_no_domain_but_where_a_shape_is_stated() -> None:
    body = "y: [4, H // 2, 12] = conv(4, 3, stride=2, padding=1)"
    even = Compilation.from_text(spec("H % 2 == 0", body))
    assert even.ok, even.diagnostics
    assert str(accepted(even.network())) == "any H"
    (wrong,) = Compilation.from_text(spec("H >= 2", body)).diagnostics
    assert wrong.code == "E0304"
    assert "right for H even" in " ".join(wrong.notes)


def test_the_typical_size_without_one_stated_is_a_promised_one() -> None:
    assert network(spec("H % 9 == 0 and H > 50", "relu")).sizes == {"H": 54}


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ("H > W and W >= 3", "conv(4, 3)"),
        ("H == W + 2 and W >= 5", "conv(4, 7) -> crop(1)"),
        ("H == 2 * W and W >= 3", "maxpool(2) -> maxpool(3)"),
        ("H == 2 * W", "conv(4, 2x1, stride=2x1)\n  add(in, permute([0, 2, 1]))"),
    ],
)
def test_a_relation_carries_over_what_is_known_of_one_symbol(where: str, body: str) -> None:
    text = f"network Net {{\n  input x: [4, H, W] where {where}\n  {body}\n}}\n"
    messages = [each.message for each in Compilation.from_text(text).diagnostics]
    assert not any("not decided" in message for message in messages), messages


def test_promises_of_two_inputs_go_together() -> None:
    text = (
        "network Net {\n  input x: [4, H, 24] where H % 2 == 0\n  input y: [4, K, 12] where K == H // 2\n"
        "  low = x -> maxpool(2)\n  add(low, y)\n}\n"
    )
    assert Compilation.from_text(text).ok
    (broken,) = Compilation.from_text(text.replace("K == H // 2", "K <= H // 2")).diagnostics
    assert "refuses is H = 4, K = 1" in broken.message
