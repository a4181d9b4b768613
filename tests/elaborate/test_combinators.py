"""Joins and skips: what they give, how they are named, and what they refuse."""

from __future__ import annotations

import pytest
from nets import codes, domain, keys, net, out


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("concat { conv(4, 1); conv(5, 1) }", "[9, H, W]"),
        ("concat(axis=1) { relu; relu }", "[3, 2*H, W]"),
        ("add { conv(4, 1); conv(4, 1) }", "[4, H, W]"),
        ("mul { conv(4, 1); global_avgpool -> conv(4, 1) }", "[4, H, W]"),
        ("a = conv(4, 1)\nconcat(a, x, a)", "[11, H, W]"),
        ("a = relu\nconcat(a, x, axis=2)", "[3, H, 2*W]"),
        ("a = relu\nadd(a, x) -> conv(2, 1)", "[2, H, W]"),
        ("p = parallel { q = conv(4, 1); conv(5, 1) }\nconcat(p.q, p[1])", "[9, H, W]"),
        ("residual { conv(3, 3, padding=1) }", "[3, H, W]"),
        ("dense { conv(4, 1) }", "[7, H, W]"),
        ("gate { global_avgpool -> conv(3, 1) }", "[3, H, W]"),
        ("concat { let n = 4\nif true { conv(n, 1) }\nfor i in 1..2 { conv(i, 1) } }", "[7, H, W]"),
    ],
)
def test_shapes(body: str, shape: str) -> None:
    assert out(net(body)) == shape


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("concat { conv(4, 3); conv(4, 1) }", "E0310"),
        ("add { conv(4, 1); conv(5, 1) }", "E0310"),
        ("add { relu; flatten }", "E0310"),
        ("concat(axis=3) { relu; relu }", "E0310"),
        ("residual { conv(4, 1) }", "E0310"),
        ("dense { conv(4, 3) }", "E0310"),
        ("gate { conv(4, 1) }", "E0310"),
        ("concat { }", "E0505"),
        ("concat { output a = relu }", "E0505"),
        ("concat", "E0505"),
        ("add(x, 3)", "E0202"),
        ("dense { relu } project", "E0505"),
        ("relu { relu }", "E0505"),
    ],
)
def test_refusals(body: str, code: str) -> None:
    assert codes(body) == [code]


def test_a_join_narrows_the_sizes() -> None:
    assert domain(net("a = conv(3, 1, stride=2)\nb = x -> maxpool(2)\nadd(a, b)")) == "H and W even"


def test_every_branch_starts_from_the_same_value() -> None:
    assert out(net("concat { conv(4, 1); conv(in.channels, 1) }")) == "[7, H, W]"


def test_a_broken_branch_is_told_once() -> None:
    assert codes("concat { conv(4); conv(5, 1) }\nconv(6, 1)\nlinear(10)") == ["E0201"]


def test_a_combinator_adds_no_scope_unless_labelled() -> None:
    assert keys(net("concat { a = conv(4, 1); b = conv(4, 1) }")) == ["a.weight", "b.weight"]
    assert keys(net("c = concat { a = conv(4, 1); b = conv(4, 1) }")) == ["c.a.weight", "c.b.weight"]


def test_branches_are_reached_by_their_labels() -> None:
    assert out(net("concat { a = conv(4, 1); b = conv(5, 1) }\na -> relu")) == "[4, H, W]"


PROJECTED = "residual { conv(%d, 1, stride=%d) } project down = conv(%d, 1, stride=%d) -> batchnorm"


def test_a_projection_is_there_where_shapes_differ() -> None:
    assert keys(net(PROJECTED % (8, 2, 8, 2))) == ["conv.weight", "down.0.weight", "down.1.weight"]
    assert keys(net(PROJECTED % (3, 1, 3, 1))) == ["conv.weight"]


def test_a_shortcut_is_always_there() -> None:
    assert keys(net("residual { conv(3, 1) } shortcut { s = conv(3, 1) }")) == ["conv.weight", "s.weight"]


def test_a_bare_projection_fits() -> None:
    network = net("residual { conv(8, 3, stride=2, padding=1) } project\nresidual { conv(9, 1) } project")
    assert keys(network) == ["conv.weight", "project.weight", "conv2.weight", "project2.weight"]
    assert out(network) == "[9, (H + 1)//2, (W + 1)//2]"
    assert codes("residual { conv(8, 3) } project") == ["E0310"]
