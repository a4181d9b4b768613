"""With which other arguments a class is tried: a class that is wrong for some of them alone is seen to be."""

import pytest

from archdsl.compiler import Compilation
from archdsl.emit import torch
from archdsl.passes.elaborate import Memo
from archdsl.validate import Validation, wrong_block_parameters, wrong_parameters

NETWORK = "network Net({}) {{ input x: [3, 8, 8]\n conv(n, 1)\n {} }}"
BLOCK = "block unit({}) {{ conv(w, 1)\n {} }}\nnetwork Net {{ input x: [3, 8, 8]\n unit(8)\n unit(8) }}"


def wrong(text: str, emitted: str) -> set[str]:
    """The parameters that are found to be wrong, where the code of one spec is taken for that of another."""
    spec = Compilation.from_text(text)
    network, definition = spec.network(), spec.definition()
    validation = Validation(Compilation.from_text(emitted).compile(), network, torch.SUPPORTS)
    validation.check(network, {})
    found = wrong_parameters(validation, definition, {}, network.scope.params, Memo())
    return found | {name for _, name in wrong_block_parameters(validation, definition, network, Memo())}


@pytest.mark.parametrize(
    ("parameters", "more"),
    [
        ("n=8", "if n == 64 { relu }"),
        ("n=8", "if n == 63 { relu }"),
        ("n=8", "if n > 40 and n < 42 { relu }"),
        ("n=8", "let m = n + 1; if m == 301 { relu }"),
        ("n=8", "if max(n, 300) - 300 == 1 { relu }"),
        ("n=8, m=8", "if n != m { relu }"),
        ("n=8, m=2 * n", "if m != 2 * n { relu }"),
        ("n=8, m=2 * n", "if m == 64 { relu }"),
        ("n=8, a=8, b=8, c=8", "if b == 9 and c == 8 { relu }"),
        ('n=8, m="zeros"', 'if m == "other" { relu }'),
    ],
)
def test_a_network_that_changes_at_one_number(parameters: str, more: str) -> None:
    assert wrong(NETWORK.format(parameters, more), NETWORK.format(parameters, ""))


@pytest.mark.parametrize(("default", "mode"), [('"reflect"', "m"), ('["reflect", "zeros"]', "m[0]")])
def test_a_word_that_decides_which_module_a_layer_is(default: str, mode: str) -> None:
    text = f"network Net(m={default}) {{{{ input x: [3, 8, 8]; pad(1, mode={{}}) }}}}"
    assert wrong(text.format(mode), text.format('"reflect"')) == {"m"}


def test_an_argument_of_a_block_is_compared_in_the_block() -> None:
    text = "block unit(w, more) {{ conv(w, 1)\n {} }}\nnetwork Net(n=8) {{ input x: [3, 8, 8]\n unit(4, more=n) }}"
    assert wrong(text.format("if more == 77 { relu }"), text.format("")) == {"n"}


@pytest.mark.parametrize(
    ("parameters", "more", "which"),
    [
        ("w", "if w == 64 { relu }", {"w"}),
        ("w", "if in.channels == 77 { relu }", {"in_channels"}),
        ("w, a=8", "if w == 9 and a == 8 { relu }", {"w"}),
    ],
)
def test_a_block_that_changes_at_one_number(parameters: str, more: str, which: set[str]) -> None:
    assert wrong(BLOCK.format(parameters, more), BLOCK.format(parameters, "")) == which


@pytest.mark.parametrize("sizes", ["H, W", "8, 8"])
def test_a_block_whose_skip_needs_no_projection_for_some_numbers(sizes: str) -> None:
    """Then the layers after it have other names, so the class is made for its numbers."""
    text = f"""block unit(n) {{ residual {{ conv(n, 1) }} project conv(n, 1) -> batchnorm
        conv(2, 1) }}
        network Net {{ input x: [3, {sizes}]; a = unit(4); b = unit(4); b2 = unit(5) }}"""
    assert "in_channels" not in Compilation.from_text(text).compile()
    named = text.replace("\n        conv(2, 1) }", "\n        last = conv(2, 1) }")
    assert "in_channels != n" in Compilation.from_text(named).compile()


def test_a_block_whose_pooling_is_undone() -> None:
    text = """block encode(w) {{ conv(w, 3, padding=1)
        {}
        maxpool(2) }}
        network Net {{ input x: [3, H, W]; pool = encode(8); conv(8, 1); max_unpool(pool) }}"""
    assert wrong(text.format("if w == 64 { relu }"), text.format("")) == {"w"}


def test_a_block_on_several_devices() -> None:
    text = """block unit(w) {{ conv(w, 1) on gpu(1)
        {}
        conv(w, 1) on gpu(0) }}
        network Net {{ input x: [3, H, W]; unit(8); unit(9) }}"""
    assert wrong(text.format("if w == 64 { relu }"), text.format("")) == {"w"}
    assert Compilation.from_text(text.format("")).compile().count("class Unit") == 1


def test_a_gate_that_is_projected_for_some_channels() -> None:
    """Of one channel it needs no projection: that is multiplied with each."""
    text = "block unit(s) { gate { conv(2, 1) } project conv(1, 1) }\nnetwork Net { input x: [2, 2, 2]; unit(2) }"
    assert "in_channels" not in Compilation.from_text(text).compile()


def test_a_block_that_needs_no_projection_by_chance() -> None:
    """Its body gives 4 channels of 4, and 9 of 12: the class says nothing of a projection, so it is made for 4."""
    text = """block unit: [C, H, W] -> [_, H, W] { residual { conv((C * 2 + 2) // 3 + 1, 1) } project }
        network Net { input x: [4, H, W]; unit }"""
    assert "in_channels" not in Compilation.from_text(text).compile()
