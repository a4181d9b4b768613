"""Suggested changes: made as they are shown, the spec is sound and accepts what the suggestion says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.compiler import Compilation, accepted
from archdsl.diagnostics import Diagnostic

SHOWN = re.compile(r"change line (\d+), and `Net` accepts (.*):\n((?:  .*\n?)+)$")


def net(body: str, shape: str = "[8, H=64, 32]") -> str:
    lines = "\n".join(f"  {line}" for line in body.split("\n"))
    return f"network Net {{\n  input x: {shape}\n{lines}\n}}\n"


def finding(text: str) -> Diagnostic:
    (found,) = Compilation.from_text(text).diagnostics
    return found


def made(text: str, help: str) -> Compilation:
    """The spec with the suggested line in place of the one that it names."""
    shown = SHOWN.match(help)
    assert shown, help
    lines = text.split("\n")
    at = int(shown[1]) - 1
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines[at : at + 1] = [indent + line[2:] for line in shown[3].rstrip("\n").split("\n")]
    changed = Compilation.from_text("\n".join(lines))
    assert changed.ok, (help, changed.diagnostics)
    assert str(accepted(changed.network())) == shown[2]
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
    for found in Compilation.from_text(text).diagnostics:
        for help in found.advice:
            if help.startswith("change line"):
                made(text, help)


def test_nothing_is_suggested_that_other_errors_make_void() -> None:
    found = Compilation.from_text(net("a = conv(8, 3)\nadd(x, a)\nconvv(3)")).diagnostics
    assert [each.code for each in found] == ["E0310", "E0102"]
    assert not any("change line" in help for each in found for help in each.advice)


def test_an_imported_block_is_left_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("specs")
    (folder / "parts.arch").write_text("block half { conv(8, 3, stride=2, padding=1) }\n")
    path = folder / "net.arch"
    path.write_text('from "parts.arch" import half\n' + net("add { maxpool(2); half }", "[8, H=63, 32]"))
    (found,) = Compilation.from_path(path).diagnostics
    assert any("maxpool(2, ceil=true)" in help for help in found.advice)
    assert not any("half {" in help for help in found.advice)
