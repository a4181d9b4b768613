"""Two mistakes in a row: both are told, and nothing that only follows from the first."""

from __future__ import annotations

from itertools import product

import pytest
from stretches import DARK, LAST, OPEN, PIECES, SIZED, STRAIGHT, network, straight

from archdsl.compiler import Compilation
from archdsl.diagnostics import edited
from archdsl.source import Span

PAIRS = [(first, second) for first, second in product(PIECES, PIECES) if first != second]
STEP = 11  # each piece comes first and second in some pair
OF_SHAPES = ("E03", "E0501", "E0506")


def test_both_are_told(request: pytest.FixtureRequest) -> None:
    wrong = []
    for first, second in PAIRS if request.config.getoption("--thorough") else PAIRS[::STEP]:
        told = [each.code for each in Compilation.from_text(network(first, second)).diagnostics]
        silent = (first in DARK and second.startswith(OF_SHAPES)) or (first in OPEN and second in SIZED)
        if told != ([first[:5]] if silent else [first[:5], second[:5]]):
            wrong.append((first, second, told))
    assert not wrong


def test_both_are_told_right_after_one_another_and_keep_their_ways_out(request: pytest.FixtureRequest) -> None:
    helped = {piece for piece in STRAIGHT if Compilation.from_text(straight(piece)).diagnostics[0].advice}
    assert len(helped) == len(STRAIGHT)
    pairs = [pair for pair in product(STRAIGHT, STRAIGHT) if pair[0] not in LAST]
    wrong = []
    for pair in pairs if request.config.getoption("--thorough") else pairs[::11]:
        told = Compilation.from_text(straight(*pair)).diagnostics
        if [each.code for each in told] != [piece[:5] for piece in pair] or not all(each.advice for each in told):
            wrong.append((pair, [(each.code, each.advice) for each in told]))
    assert not wrong


def test_the_sample_has_every_piece_in_both_places() -> None:
    sample = PAIRS[::STEP]
    assert {first for first, _ in sample} == {second for _, second in sample} == set(PIECES)


def test_what_is_not_known_is_a_question_mark() -> None:
    found = Compilation.from_text(network("E0102-layer", "E0310-residual-padding")).diagnostics[1]
    assert found.message == "`residual` joins its input, [8, ?, ?], with its body's result, [8, ? - 4, ? - 4]"


def test_a_projection_to_channels_that_are_not_known() -> None:
    text = "network Net { input x: [3, H, W]; residual { mul { conv(2, 1); conv(5, 1) } } project; linear(2) }"
    assert [each.code for each in Compilation.from_text(text).diagnostics] == ["E0310", "E0301"]


def test_a_block_with_a_mistake_gives_what_it_would_give() -> None:
    text = """
block stem(width) { conv(width, 3, padding=1); residual { conv(width, 3) }; relu }
network Net {
  input x: [3, H, W]
  stem(8)
  stem(16)
  a = conv(4, 1)
  b = conv(8, 1)
  add(a, b)
}
"""
    assert [each.span.line for each in Compilation.from_text(text).diagnostics] == [2, 9]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a: [64, 224, 224] = conv(64, 3)", "`b` is [4, 224, 224], stated is [4, 56, 56]"),
        ("a: [64, 224, 224] = c(64)", "`b` is [4, 224, 224], stated is [4, 56, 56]"),
        ("a: [64, h, w] = conv(32, 3)", "`b` is [4, 222, 222], stated is [4, 56, 56]"),
        ("a: [64, _, 224] = conv(32, 3)", "`b` is [4, 222, 224], stated is [4, 56, 56]"),
        ("a: [64, h, h] = flatten", "`b` is [4, ?, ?], stated is [4]"),
    ],
)
def test_a_stated_shape_is_what_was_meant(body: str, message: str) -> None:
    shape = message.rsplit(" is ", 1)[1]
    text = f"""
block c(n): [_, h, w] -> [n, h, w] {{ conv(n, 3) }}
network Net {{
  input x: [3, 224, 224]
  {body}
  b: {shape} = conv(4, 1)
  relu
}}
"""
    found = Compilation.from_text(text).diagnostics
    assert [each.code for each in found] == ["E0304", "E0304"]
    assert found[1].message == message


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        ("b(8)\nb(16)", ["[8, 28, 28]", "[16, 28, 28]"]),
        ("b(8)\nb(16)\nb(32)", ["[8, 28, 28]", "[16, 28, 28]"]),
        ("b(8)\nb(8)", ["[8, 28, 28]"]),
        ("b(16)\nb(16)", ["[16, 28, 28]"]),
    ],
)
def test_a_block_that_is_wrong_in_two_ways_is_told_of_twice(calls: str, told: list[str]) -> None:
    block = "block b(w) { residual { conv(w, 3) -> relu -> conv(w, 3) } }\n"
    lines = "".join(f"  {call}\n" for call in calls.split("\n"))
    found = Compilation.from_text(f"{block}network Net {{\n  input x: [8, 32, 32]\n{lines}}}\n").diagnostics
    assert [each.message.rsplit("result, ")[1] for each in found] == told
    padded = "residual { conv(w, 3, padding=1) -> relu -> conv(w, 3, padding=1) }"
    assert any(padded in advice for advice in found[0].advice) == (told[0] == "[8, 28, 28]")


def test_a_way_out_of_one_call_leaves_the_other_as_it_was() -> None:
    text = """
block b(w) { residual { conv(w, 3) } }
network Net {
  input x: [8, 32, 32]
  b(8)
  b(16)
}
"""
    first = Compilation.from_text(text).diagnostics[0]
    for fix in first.fixes:
        (left,) = Compilation.from_text(edited(Span(first.span.source, 0, len(text)), fix.edits)).diagnostics
        assert left.code == "E0310"
        assert "[16, 32, 32]" in left.message


def test_a_promise_that_fails_is_told_beside_a_refused_layer() -> None:
    text = "network Net {\n  input x: [3, H, W] where H >= 4\n  conv(8, 9)\n  residual { conv(8, 3) }\n}\n"
    found = Compilation.from_text(text).diagnostics
    assert [each.code for each in found] == ["E0313", "E0310"]
    assert not any("accepts" in note for each in found for note in each.notes)  # that is not known of it


def test_a_join_that_is_refused_asks_nothing_of_sizes() -> None:
    text = """
network Net {
  input x: [8, H, 32] where H >= 2
  a = maxpool(2) -> upsample(2) -> conv(8, 1x3)
  add(x, a)
}
"""
    assert [each.code for each in Compilation.from_text(text).diagnostics] == ["E0310"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("a = conv(16, 1)\nadd(a, x)\nresidual { conv(32, 1) }", [4, 5]),
        ("a = conv(16, 1)\nadd(a, x)\nresidual { conv(16, 1) }", [4]),  # it may have been meant to give 16
        ("a = conv(16, 1)\nadd(a, x)\nresidual { conv(8, 1) }", [4]),
        ("residual { conv(16, 1) }\nadd(x, in)", [3]),
        ("residual { maxpool(2) }\nconv(8, 40)\nconv(8, 20)", [3]),  # a map of 64 or of 32
        ("residual { maxpool(2) }\nconv(8, 65)", [3, 4]),
        ("residual { conv(16, 1) }\nresidual { conv(24, 1) }\nconv(8, 1, groups=5)", [3, 4, 5]),
        ("residual { conv(16, 1) }\nresidual { conv(24, 1) }\nconv(24, 1, groups=3)", [3, 4]),
    ],
)
def test_what_one_of_the_meanings_allows_is_no_mistake(body: str, told: list[int]) -> None:
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    text = f"network Net {{\n  input x: [8, 64, 64]\n{lines}}}\n"
    assert [each.span.line for each in Compilation.from_text(text).diagnostics] == told


@pytest.mark.parametrize(
    "body",
    [
        "h = conv(64, 7)\ny = relu(h)\nadd(x, y)",
        "h = conv(64, 7)\nh = relu(h)\nadd(x, h)",
        "h = conv(64, 7)\nh = batchnorm(conv(64, 3)(h))\nadd(x, h)",
        "y = relu(x)\nz = tanh\nresidual { conv(16, 3, padding=1) }",
        "z = tanh\ny = nn.Conv2d(3, 64, 3, padding=1)\nresidual { conv(64, 3) }",
        "g = { y = nn.Conv2d(3, 64, 3) }\nz = F.relu(g)\nresidual { conv(64, 3) }",
        "z = tanh\ny = torch.cat([x, z], 1)\nresidual { conv(64, 1) }",
        "z = tanh\ny = x.flatten(1)\nresidual { linear(8) }",
    ],
)
def test_what_is_in_pytorch_manner_gives_what_it_means(body: str) -> None:
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    found = Compilation.from_text(f"network Net {{\n  input x: [3, 32, 32]\n{lines}}}\n").diagnostics
    assert (found[-1].code, found[-1].span.line) == ("E0310", 5)
    assert "?" not in found[-1].message
    assert all(each.code != "E0310" for each in found[:-1])


def test_what_is_wrong_in_a_text_that_nobody_wrote_is_not_told() -> None:
    text = "network Net {\n  input x: [3, 32, 32]\n  nn.Conv2d(3, 8, 99)\n  y = F.max_pool2d(x, 50)\n  relu\n}\n"
    assert [each.code for each in Compilation.from_text(text).diagnostics] == ["E0102", "E0102"]


def test_a_mistake_that_grows_as_another_is_mended_hides_no_way_out() -> None:
    found = Compilation.from_text(straight("E0310-residual-channels", "E0310-residual-stride")).diagnostics
    assert ["project" in each.advice[0] for each in found] == [True, True]


def test_a_projection_to_channels_that_are_open_is_none() -> None:
    body = "  residual { conv(16, 1) }\n  residual { relu -> upsample(2) } project\n  residual { conv(40, 1) }\n"
    text = f"network Net {{\n  input x: [8, 32, 32]\n{body}}}\n"
    assert [each.span.line for each in Compilation.from_text(text).diagnostics] == [3, 5]
    (found,) = Compilation.from_text("network N { input x: [C, 8, 8]; residual { maxpool(2) } project }").diagnostics
    assert found.message == "no 1x1 convolution takes [C, 8, 8] to [C, 4, 4] for every size"


def test_many_mistakes_are_told_up_to_a_limit() -> None:
    body = "\n".join("  residual { conv(8, 3) }" for _ in range(500))
    text = f"network Net {{\n  input x: [8, H, W]\n{body}\n}}\n"
    assert len(Compilation.from_text(text).diagnostics) == 101


def test_a_typical_size_is_not_put_into_a_shape_that_is_not_known() -> None:
    text = "network N {\n  input a: [3, H=64, W=64]\n  nothing(8)\n  b = relu\n  concat(a, b)\n  conv(3, 190)\n}\n"
    assert [each.code for each in Compilation.from_text(text).diagnostics] == ["E0102", "E0312"]
