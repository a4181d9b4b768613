"""Joins and skips: what they give, how they are named, and what they refuse."""

from __future__ import annotations

import itertools

import pytest
import torch
from nets import codes, domain, keys, net, out, spec

from archdsl.passes.accept import accepted
from archdsl.sizes import evaluate


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


@pytest.mark.parametrize("body", ["mul(x, %s)", "gate { %s }", "add(x, %s)", "residual { %s }"])
@pytest.mark.parametrize(
    "other", ["global_avgpool", "conv(1, 1)", "maxpool(2x1) -> conv(1, 1)", "maxpool(1x3, stride=1x1)", "conv(3, 4x1)"]
)
def test_what_is_1_for_every_input_broadcasts_and_nothing_else(body: str, other: str) -> None:
    """A size is accepted where torch takes it, unless a dim that depends on the size would have to broadcast."""
    adds = body.startswith(("add", "residual"))
    text = body % ("b" if "x" in body else other)
    compilation = spec(f"b = {other}\n{text}" if "x" in body else text, inputs="input x: [3, H, W]")
    side = spec(other, inputs="input x: [3, H, W]").network("Net").scope.results[0].value.shape
    domain = accepted(compilation.network("Net")) if compilation.ok else None
    for h, w in itertools.product(range(1, 9), range(1, 9)):
        at = {"H": h, "W": w}
        left, right = (3, h, w), tuple(evaluate(dim, at) for dim in side)
        if min(right) < 1:
            continue
        try:
            taken = tuple(torch.broadcast_shapes(left, right)) == left
        except RuntimeError:
            taken = False
        fixed = all(a == b or (a == 1 and not adds) for a, b in zip(side, left, strict=True) if isinstance(a, int))
        symbolic = all(a == b for a, b, dim in zip(right, left, side, strict=True) if not isinstance(dim, int))
        accepts = domain is not None and domain.contains(at)
        assert accepts == (fixed and symbolic), at
        assert taken or not accepts, at


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("s = global_avgpool\nadd(x, s)", "only `mul` broadcasts dims of 1"),
        ("residual { global_avgpool }", "only `gate` broadcasts dims of 1"),
        ("add { maxpool(2); identity }", None),
        ("s = global_avgpool -> conv(4, 1)\nadd(x, s)", None),
    ],
)
@pytest.mark.parametrize("inputs", ["input x: [3, 32, 32]", "input x: [3, H=32, W=32]"])
def test_an_error_names_the_join_that_broadcasts(body: str, text: str | None, inputs: str) -> None:
    (found,) = spec(body, inputs=inputs).diagnostics
    said = " ".join([found.message, *found.notes])
    assert (text in said) if text is not None else ("broadcasts" not in said)


def test_a_join_narrows_the_sizes() -> None:
    assert domain(net("a = conv(3, 1, stride=2)\nb = x -> maxpool(2)\nadd(a, b)")) == "H and W even"


def test_every_branch_starts_from_the_same_value() -> None:
    assert out(net("concat { conv(4, 1); conv(in.channels, 1) }")) == "[7, H, W]"


def test_a_broken_branch_is_told_once() -> None:
    assert codes("concat { conv(4); conv(5, 1) }\nconv(6, 1)\nadd(in, x)") == ["E0201"]


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
