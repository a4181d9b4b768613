"""Suggested changes: made as they are shown, the spec is sound and accepts what the suggestion says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.compiler import Compilation, accepted
from archdsl.diagnostics import Diagnostic, Edit, Fix, edited
from archdsl.passes.fixes import candidates
from archdsl.source import Span
from archdsl.syntax import tree

SHOWN = re.compile(
    r"change lines? [^`]*(?:`Net` accepts (.*?)(?:, and does not keep .*)?|this is mended):\n((?:  .*\n?)+)$"
)


def net(body: str, shape: str = "[8, H=64, 32]") -> str:
    lines = "\n".join(f"  {line}" for line in body.split("\n"))
    return f"network Net {{\n  input x: {shape}\n{lines}\n}}\n"


def finding(text: str) -> Diagnostic:
    (found,) = Compilation.from_text(text).diagnostics
    return found


def made(fix: Fix) -> Compilation:
    """The spec with a change made; what is shown of it stands in the text and is true."""
    shown = SHOWN.match(fix.text)
    assert shown, fix.text
    source = fix.edits[0].span.source
    text = edited(Span(source, 0, len(source.text)), fix.edits)
    changed = Compilation.from_text(text)
    lines = [line.strip() for line in text.split("\n")]
    assert all(line.strip() in lines for line in shown[2].rstrip("\n").split("\n"))
    if shown[1] is not None:
        assert str(accepted(changed.networks[0])) == shown[1]
    return changed


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (
            net("low = maxpool(2)\nup = deconv(8, 2, stride=2)\nadd(x, up)", "[8, H, 33] where H % 2 == 1 and H > 2"),
            ["up = deconv(8, 2, stride=2, output_padding=1)", "add { x; up -> pad(to=x) }"],
        ),
        (
            net("add { maxpool(2); conv(8, 3, stride=2, padding=1) }", "[8, H=63, 32]"),
            ["add { maxpool(2, ceil=true); conv(8, 3, stride=2, padding=1) }", "input x: [8, H=64, 32]"],
        ),
        (
            net("s = global_avgpool\nadd(x, s)"),
            ["mul(x, s)", "add { x -> crop(to=s); s }", "add { x; s -> pad(to=x) }"],
        ),
        (
            net("residual { global_avgpool -> conv(8, 1) }"),
            ["gate { global_avgpool -> conv(8, 1) }", "residual { global_avgpool -> conv(8, 1); pad(to=in) }"],
        ),
        (net("a: [4, H, 32] = conv(4, 3)"), ["a: [4, H, 32] = conv(4, 3, padding=1)"]),
        (
            net("a: [4, H, 32] = conv(4, 3) -> relu -> conv(4, 5)"),
            ["a: [4, H, 32] = conv(4, 3, padding=1) -> relu -> conv(4, 5, padding=2)"],
        ),
        (
            net("output a: [8, 32, 16] = maxpool(3, stride=2)", "[8, 64, 32]"),
            ["output a: [8, 32, 16] = maxpool(3, stride=2, ceil=true)"],
        ),
        (
            net("c(4)") + "block c(n): [_, H, W] -> [n, H, W] { conv(n, 3) }\n",
            ["block c(n): [_, H, W] -> [n, H, W] { conv(n, 3, padding=1) }"],
        ),
        (net("residual {\n  conv(8, 3)\n}"), ["conv(8, 3, padding=1)", "conv(8, 3)\n  pad(to=in)"]),
        (net("residual { conv(8, 3) -> relu }"), ["residual { conv(8, 3) -> relu; pad(to=in) }"]),
        (
            net("concat { a = conv(4, 3); b = maxpool(3) -> upsample(3) }", "[8, H, 32] where H % 3 == 0"),
            ["concat { a = conv(4, 3); b = maxpool(3) -> upsample(3) -> crop(to=a) }"],
        ),
        (
            net("conv(8, 9, stride=4)", "[8, H, 32] where H % 4 == 0"),
            ["input x: [8, H, 32] where H % 4 == 0 and H >= 12"],
        ),
        (net("maxpool(2)\nrelu", "[8, H=1, 32]"), ["maxpool(2, ceil=true)"]),
    ],
)
def test_what_is_suggested(text: str, changes: list[str]) -> None:
    shown = "\n".join(finding(text).advice)
    for change in changes:
        assert change in shown, shown


STEPS = st.sampled_from(
    [
        "conv(8, 3)",
        "conv(8, 3, stride=2, padding=1)",
        "maxpool(2)",
        "maxpool(3, stride=2, ceil=true)",
        "deconv(8, 2, stride=2)",
        "upsample(2)",
        "residual { conv(8, 3, padding=1) }",
        "relu",
    ]
)
JOINS = st.sampled_from(
    [
        "add(a, b)",
        "concat {{ a; b }}",
        "add {{\n  a -> {}\n  b\n}}",
        "concat {{ c = a -> {}; d = b -> {} }}",
        "residual {{ {} }}",
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(STEPS, min_size=1, max_size=3),
    st.lists(STEPS, min_size=1, max_size=3),
    JOINS,
    STEPS,
    STEPS,
    st.sampled_from(["[8, H, 32]", "[8, H=65, 40] where H % 2 == 1", "[8, H, W] where H == W and H >= 16"]),
)
def test_every_suggestion_is_right(
    first: list[str], second: list[str], join: str, one: str, two: str, shape: str
) -> None:
    body = f"a = {' -> '.join(first)}\nb = x -> {' -> '.join(second)}\n{join.format(one, two)}"
    text = net(body, shape)
    told = Compilation.from_text(text).diagnostics
    for found in told:
        for fix in found.fixes:
            left = [each.code for each in made(fix).diagnostics]
            assert set(left) <= {each.code for each in told if each is not found}, fix


def test_each_of_two_mistakes_has_its_ways_out() -> None:
    """A change helps if one error goes, whatever else is wrong."""
    found = Compilation.from_text(net("a = conv(8, 3)\nb = add(x, a)\nresidual { conv(8, 3) }\nconvv(3)")).diagnostics
    assert [each.code for each in found] == ["E0310", "E0310", "E0102"]
    assert "change line 3, and this is mended:\n  a = conv(8, 3, padding=1)" in found[0].advice
    assert "change line 5, and this is mended:\n  residual { conv(8, 3, padding=1) }" in found[1].advice
    for at in (0, 1):
        for fix in found[at].fixes:
            left = made(fix).diagnostics
            assert [each.code for each in left] == ["E0310", "E0102"]
            assert left[0].span.text == found[1 - at].span.text


def test_a_claim_that_fails_hides_no_way_out() -> None:
    text = net("residual { conv(8, 3) }\nexpect params == 1")
    found = finding(text)
    assert "change line 3, and `Net` accepts any H, and does not keep its claim in line 4:\n" in found.advice[0]
    assert [each.code for each in made(found.fixes[0]).diagnostics] == ["E0401"]


def test_a_change_that_keeps_the_claims_comes_before_one_that_does_not() -> None:
    found = finding(net("residual { conv(8, 3) }\nexpect macs == 1_179_648"))
    assert [fix.text.split("\n")[1].strip() for fix in found.fixes] == ["residual { conv(8, 3, padding=1) }"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("init convv: zeros", ["E0508"]),
        ("init conv.wait: zeros", ["E0508"]),
        ("a = conv(8, 1)\ninit conv.wait, a.wait: zeros", ["E0508", "E0508"]),
        ("init conv: zerros", ["E0508"]),
        ("init conv: constant(vlue=1)", ["E0201"]),
        ("conv(4, 1)\ninit conv: dirac", []),
        ("output a = relu\noutput a = tanh\ninit convv: zeros", ["E0103", "E0508"]),
        ("g = { fc = conv(8, 1) -> convv\n  init fd: zeros\n}", ["E0102", "E0508"]),
        # These may be of layers that are not there, as they are refused.
        ("fc = convv(9)\nconvv(8)\ninit fc, fc.bias, conv2, conv_3.bias: zeros", ["E0102", "E0102"]),
        ("for i in 1..2 { fc[i] = convv(9) }\ninit fc[1], fc2: zeros", ["E0102"]),
    ],
)
def test_what_is_wrong_with_an_init_is_told_and_hides_no_way_out(more: str, told: list[str]) -> None:
    first, *others = Compilation.from_text(net(f"residual {{ conv(8, 3) }}\n{more}")).diagnostics
    assert [each.code for each in others] == told
    assert "residual { conv(8, 3, padding=1) }" in first.fixes[0].text


def test_a_syntax_error_in_another_network_hides_no_way_out() -> None:
    text = "network Other { input x: [3, H, W]; conv(4 }\n" + net("residual { conv(8, 3) }")
    syntax, shape = Compilation.from_text(text).diagnostics
    assert syntax.code == "E0002"
    assert [each.code for each in made(shape.fixes[0]).diagnostics] == ["E0002"]


def test_two_layers_that_lost_their_padding_get_it_together() -> None:
    found = finding(net("a = conv(8, 3) -> batchnorm -> relu\nb = conv(8, 5) -> batchnorm\nadd(b, x)"))
    assert found.advice[0].startswith("change lines 3 and 4, and `Net` accepts")
    assert "a = conv(8, 3, padding=1) -> batchnorm -> relu\n  b = conv(8, 5, padding=2) -> batchnorm" in found.advice[0]
    assert len(found.fixes[0].edits) == 2
    for fix in found.fixes:
        assert made(fix).ok
    within = finding(net("residual { conv(8, 3) -> relu -> conv(8, 3) }"))
    assert "residual { conv(8, 3, padding=1) -> relu -> conv(8, 3, padding=1) }" in within.advice[0]


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ("a = conv(16, 3, padding=1)\nadd(a, x)", "add { a; x -> conv(16, 1, bias=false) }"),
        ("a = conv(16, 3, padding=1, stride=2)\nadd(x, a)", "add { x -> conv(16, 1, stride=2, bias=false); a }"),
        ("add { x; conv(16, 3, padding=1) }", "add { x -> conv(16, 1, bias=false); conv(16, 3, padding=1) }"),
    ],
)
def test_other_channels_are_projected(body: str, change: str) -> None:
    found = finding(net(body))
    assert change in found.advice[0]
    for fix in found.fixes:
        assert made(fix).ok


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (
            "block b { relu; h = conv(8, 3, padding=1); add(in, h) }\nnetwork Net { input x: [3, 32, 32]; b }\n",
            ["in -> add { in -> conv(8, 1, bias=false); h }", "in -> add { in; h -> conv(3, 1, bias=false) }"],
        ),
        (
            net("for i in 0..1 {\n  h[i] = conv(16, 3, padding=1)\n  mul(h[i], in)\n}"),
            ["in -> mul { h[i]; in -> conv(16, 1, bias=false) }", "in -> mul { h[i] -> conv(8, 1, bias=false); in }"],
        ),
        (
            net("g = {\n  h = conv(8, 3)\n  concat(in, h)\n}"),
            [
                "h = conv(8, 3, padding=1)",
                "in -> concat { in -> crop(to=h); h }",
                "in -> concat { in; h -> pad(to=in) }",
            ],
        ),
        (
            net("repeat 1 {\n  h = conv(8, 3)\n  add(x, h)\n}"),
            ["h = conv(8, 3, padding=1)", "add { x -> crop(to=h); h }", "add { x; h -> pad(to=x) }"],
        ),
    ],
)
def test_in_is_the_same_value_after_a_change(text: str, changes: list[str]) -> None:
    found = finding(text)
    assert len(found.fixes) >= len(changes)
    for change in changes:
        assert any(change in fix.text for fix in found.fixes), found.advice


@pytest.mark.parametrize(
    "text",
    [
        "block b { relu; h = conv(8, 3, padding=1); add(in, h) }\nnetwork Net { input x: [3, 32, 32]; b; b }\n",
        net("conv(8, 1)\n{\n  h = conv(16, 3, padding=1)\n  add(in, h)\n}"),
        net("conv(8, 1)\ng = {\n  h = conv(16, 3, padding=1)\n  add(in, h)\n}"),
        net("for i in 0..1 {\n  h[i] = conv(16, 3, padding=1)\n  add(in, h[i])\n}"),
    ],
)
def test_a_change_after_which_a_join_reads_other_values_is_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the braces of a join `in` is what enters them: here the convolution's result, which fits with itself."""
    made_of: list[str] = []

    def careless(step: tree.Apply, branches: Sequence[str]) -> tuple[Edit, ...]:
        made_of.append(f"add {{ {'; '.join(branches)} }}")
        return (Edit(Span(step.span.source, step.path.span.end, step.span.end), made_of[-1][3:]),)

    monkeypatch.setattr(candidates, "_in_braces", careless)
    first = Compilation.from_text(text).diagnostics[0]
    assert made_of
    assert not any(change in fix.text for fix in first.fixes for change in made_of)


def test_the_search_is_bounded_for_all_errors_together() -> None:
    body = "\n".join(f"residual {{ conv(8, {3 + i % 3}) -> relu -> conv(8, 3) }}" for i in range(60))
    text = net(body)
    began = process_time()
    assert len(Compilation.from_text(text).diagnostics) == 60
    assert process_time() - began < 3


def test_an_imported_block_is_left_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("specs")
    (folder / "parts.arch").write_text("block half { conv(8, 3, stride=2, padding=1) }\n")
    path = folder / "net.arch"
    path.write_text('from "parts.arch" import half\n' + net("add { maxpool(2); half }", "[8, H=63, 32]"))
    (found,) = Compilation.from_path(path).diagnostics
    assert any("maxpool(2, ceil=true)" in help for help in found.advice)
    assert not any("half {" in help for help in found.advice)


def test_all_lines_of_a_change_are_named_and_no_comment_is_lost() -> None:
    body = "a = maxpool(2)\nadd(x,\n  a)"
    assert finding(net(body)).fixes[0].text.startswith("change lines 4 and 5, and `Net` ")
    commented = finding(net(body.replace("x,", "x,  # the input")))
    assert [fix.edits for fix in commented.fixes if any("#" in edit.span.text for edit in fix.edits)] == []


def test_a_comment_in_a_call_in_pytorchs_manner_is_not_lost() -> None:
    warning, error = Compilation.from_text(net("conv(8, 64,  # wide\n  3)")).diagnostics
    assert (warning.code, warning.fixes, len(warning.help)) == ("W0201", (), 2)
    assert not any("#" in edit.span.text for fix in error.fixes for edit in fix.edits)
