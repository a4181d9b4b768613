"""Which `init` fills which parameter: the rules of the manual, one by one, on live modules."""

from typing import Any

import pytest
from live import constants, module

import archdsl
from archdsl.compiler import Compilation
from archdsl.passes.starts import starts


def network(body: str, blocks: str = "") -> str:
    return f"{blocks}\nnetwork N {{\n  input x: [4, 6, 6]\n  {body}\n}}"


def table(text: str) -> dict[str, object]:
    """The compiler's table of the network, each rule by its first argument."""
    found = starts(Compilation.from_text(text).network().scope)
    return {path: next(iter(rule.arguments.values())) for path, rule in found.items()}


CASES = {
    "a kind is no label, though a layer is called so": (
        network("conv(4, 1); q = { conv(5, 1) }; init conv: constant(2)"),
        {"conv.weight": 2, "q.0.weight": 2},
    ),
    "a label is no kind": (
        network("conv = conv(4, 1); q = { conv(5, 1) }; init conv: constant(2)"),
        {"conv.weight": 2},
    ),
    "what is called by itself has that name where no kind has": (
        network("conv(4, 1); conv(5, 1); init conv2: constant(2)"),
        {"conv2.weight": 2},
    ),
    "positions": (
        network("f = { conv(4, 1); relu; g = conv(5, 1) -> relu -> conv(6, 1) }; init f.0, f.g.2.bias: constant(2)"),
        {"f.0.weight": 2, "f.g.2.bias": 2},
    ),
    "positions in positions": (
        network("f = { inner(4) }; init f.0.1: constant(2)", "block inner(w) { relu; conv(w, 1) }"),
        {"f.0.1.weight": 2},
    ),
    "the last of a body wins, by kind or label": (
        network("a = conv(4, 1); b = conv(4, 1); init a, b: constant(2); init conv: constant(3); init b: constant(4)"),
        {"a.weight": 3, "b.weight": 4},
    ),
    "by kind, the inside wins": (
        network("a = b(4); conv(4, 1); init conv: constant(3)", "block b(w) { conv(w, 1); init conv: constant(2) }"),
        {"a.0.weight": 2, "conv.weight": 3},
    ),
    "wherever it stands": (
        network("init conv: constant(3); g = { init conv.bias: constant(2); conv(4, 1) }; init conv.bias: constant(4)"),
        {"g.0.weight": 3, "g.0.bias": 2},
    ),
    "of one parameter of the inside, the rest is the outside's": (
        network(
            "a = b(4); c = b(5); init conv: constant(3)",
            "block b(w) { conv(w, 1); u = conv(w, 1); init u: constant(2) }",
        ),
        {"a.0.weight": 3, "a.u.weight": 2, "c.0.weight": 3, "c.u.weight": 2},
    ),
    "by label, the outside wins, in the one place that it names": (
        network("a = b(4); c = b(5); init c.0: constant(3)", "block b(w) { conv(w, 1); init conv: constant(2) }"),
        {"a.0.weight": 2, "c.0.weight": 3},
    ),
    "by label, for one of two that share a class and a shape": (
        network("a = b(4); c = b(4); init c.0: constant(3)", "block b(w) { conv(w, 1); init conv: constant(2) }"),
        {"a.0.weight": 2, "c.0.weight": 3},
    ),
    "three deep": (
        network(
            "m = outer(4); init conv: constant(4); init m.0.1: constant(5)",
            "block inner(w) { conv(w, 1); conv(w, 1); conv(w, 1); init conv.bias: constant(2) }\n"
            "block outer(w) { inner(w); conv(w, 1); init conv, conv.bias: constant(3) }",
        ),
        {
            **{f"m.0.{i}.weight": 3 for i in (0, 2)},
            "m.0.1.weight": 5,
            **{f"m.0.{i}.bias": 2 for i in range(3)},
            "m.1.weight": 3,
            "m.1.bias": 3,
        },
    ),
    "loops and cases belong to the body around them": (
        network(
            "for i in 1..3 { c[i] = conv(4, 1); init c[i]: constant(i + 1) }; if true { init c2.bias: constant(9) }"
        ),
        {"c1.weight": 2, "c2.weight": 3, "c3.weight": 4, "c2.bias": 9},
    ),
    "kinds of one class, and those without the parameter": (
        network(
            "deconv(4, 1); residual { conv(5, 1, bias=false) } project; batchnorm(affine=false); batchnorm\n"
            "init conv, batchnorm: constant(2); init conv.bias, batchnorm.bias: constant(3)"
        ),
        {"conv.weight": 2, "project.weight": 2, "batchnorm2.weight": 2, "batchnorm2.bias": 3},
    ),
    "a shared module": (
        network("shared h = conv(4, 1) -> relu -> conv(4, 1); h -> h; init conv: constant(2); init h.2: constant(3)"),
        {"h.0.weight": 2, "h.2.weight": 3},
    ),
    "arguments of a block": (
        network("a = b(3); c = b(2.5); a -> c", "block b(k) { conv(4, 1); init conv: constant(2 * k) }").replace(
            "; a -> c", ""
        ),
        {"a.0.weight": 6, "c.0.weight": 5},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_filled_by(case: str) -> None:
    text, expected = CASES[case]
    assert table(text) == expected
    assert constants(text) == expected


def test_a_kernel_that_another_rule_fills_learns() -> None:
    """`fixed` belongs to the rule that is overruled."""
    block = "block up(w) { deconv(w, 4, bias=false); init deconv: bilinear(fixed=true) }"
    learns = module(network("a = up(4); b = up(4); init b.0: ones", block))
    assert [p.requires_grad for p in learns.parameters()] == [False, True]


def test_a_class_is_right_for_arguments_that_the_network_does_not_use() -> None:
    blocks = """block b(w, k, std=1) {
  let gain = 1 / w
  conv(w, 1)
  g = { conv(w, 1); batchnorm; init batchnorm: constant(2 * k) }
  init conv: constant(gain)
  init conv.bias: normal(mean=k, std=std)
}"""
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(Compilation.from_text(network("a = b(4, 3); c = b(8, 7, std=2)", blocks)).compile("N"), names)
    made = names["B"](4, 16, k=11, std=0.001)
    assert set(made.g[0].weight.flatten().tolist()) == {1 / 16}
    assert set(made.g[1].weight.tolist()) == {22}
    assert 0 < (made.g[0].bias - 11).abs().max() < 0.1
    assert "B2" not in names


def test_arguments_of_a_loops_turn_are_numbers_of_their_own() -> None:
    turns = (
        "for i in 1..2 { let k = i + 1; a[i] = conv(4, 1); init a[i]: constant(k) }",
        "for j in 1..1 { let s = 4.5; b = conv(4, 1); init b: constant(s) }",
        "for j in 1..1 { let s = 6.5; c = conv(4, 1); init c: constant(s) }",
    )
    expected = {"a1.weight": 2, "a2.weight": 3, "b.weight": 4.5, "c.weight": 6.5}
    assert constants(network("; ".join(turns))) == expected


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("init n: kaiming_normal", "`kaiming_normal` fills matrices and kernels, and `weight` of `batchnorm` is none"),
        ("init conv.bias: orthogonal", "`orthogonal` fills matrices and kernels, and `bias` of `conv` is none"),
        ("init fc: dirac", "`dirac` fills kernels, and `weight` of `linear` is none"),
        ("init fc.1: zeros", "there is no `fc.1` here"),
        ("init n.1e2: zeros", "`1e2` is no position of a layer"),
        ("init n.01: zeros", "`01` is no position of a layer"),
    ],
)
def test_refused(statement: str, what: str) -> None:
    body = f"conv(4, 1); n = batchnorm; flatten; fc = linear(2); {statement}"
    assert what in [each.message for each in Compilation.from_text(network(body)).diagnostics]


def test_a_layer_in_a_join_that_was_given_up() -> None:
    """`wrong` is complained of once, so the block that joins its result has no error of its own."""
    blocks = "block wrong { missing -> relu }\nblock unit { concat { conv(2, 1); wrong }; init conv: kaiming_normal }\n"
    text = network("wrong; x -> unit", blocks)
    assert [each.code for each in Compilation.from_text(text).diagnostics] == ["E0102"]


def warned(text: str) -> list[str]:
    """The selectors that are said to do nothing."""
    compilation = Compilation.from_text(text)
    assert compilation.ok and {each.code for each in compilation.diagnostics} <= {"W0508"}
    return [each.span.text for each in compilation.diagnostics]


def test_an_init_that_does_nothing_is_a_warning() -> None:
    assert warned(network("conv(4, 1, bias=false); init conv, conv.bias, linear: zeros")) == ["conv.bias", "linear"]
    assert warned(network("a = conv(4, 1); init a: zeros; init conv: ones")) == ["a"]
    assert warned(network("a = conv(4, 1); b = conv(4, 1); init conv: zeros; init b: ones")) == []


def test_a_blocks_init_may_do_nothing_in_some_of_its_uses() -> None:
    block = "block b(bias=true) { conv(4, 1, bias=bias); init conv.bias: zeros }"
    assert warned(network("b(bias=false)", block)) == ["conv.bias"]
    assert warned(network("b(bias=false); b()", block)) == []
    assert warned(network("b(bias=false)", block) + network("b()").replace("network N", "network M")) == []
    assert warned(network("a = b(); c = b(); init a.0.bias: ones", block)) == []
    assert warned(network("a = b(); c = b(); init a.0.bias, c.0.bias: ones", block)) == ["conv.bias"]


def test_an_imported_blocks_init_is_its_authors_affair() -> None:
    text = "from zoo import vgg_classifier\n" + network("flatten; a = vgg_classifier(3); init a.0, a.3, a.6: ones")
    assert warned(text) == []


def test_an_init_of_what_only_some_uses_have() -> None:
    """A projection that is there where the shapes differ: its start is set there, and one class does for all uses."""
    block = """block unit(w, s) {
      residual { conv(w, 3, stride=s, padding=1) } project down = conv(w, 1, stride=s) -> batchnorm
      init down.0: constant(0.5)
      init down.0.bias: zeros
    }
    """
    spec = Compilation.from_text(block + "network Net { input x: [4, H, W]; a = unit(4, 1); b = unit(8, 2) }")
    assert not spec.diagnostics
    text = spec.compile()
    assert text.count("class ") == 2
    assert text.count("if s != 1 or in_channels != w:") == 2
    state = archdsl.load(spec).state_dict()
    assert (state["b.down.0.weight"] == 0.5).all() and (state["b.down.0.bias"] == 0).all()
    assert "a.down.0.weight" not in state
    alone = Compilation.from_text(block + "network Net { input x: [4, H, W]; unit(4, 1) }")
    assert [each.message for each in alone.diagnostics] == [
        "this `init` fills nothing: there is no `down.0` here",
        "this `init` fills nothing: there is no `down.0.bias` here",
    ]
