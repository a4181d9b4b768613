"""The form of the errors that people read."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from archdsl.diagnostics import Diagnostic, Label, in_order
from archdsl.diagnostics.render import render
from archdsl.source import Source, Span


def at(source: Source, text: str, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


def body(rendered: str) -> list[str]:
    """The lines under the place."""
    return rendered.split("\n")[3:]


UNET = Source("specs/unet.arch", "\n" * 10 + "  up = deconv(width, 2, stride=2)\n  concat(skip, up)\n")


def test_the_whole_form() -> None:
    found = Diagnostic(
        "E0310",
        "`concat` joins sizes that differ for some inputs",
        at(UNET, "skip"),
        "this is [64, H, W]   (enc1, line 20)",
        (Label(at(UNET, "deconv(width, 2, stride=2)"), "this is [64, 2*(H//2), 2*(W//2)]"),),
        ("the smallest input it fails for is 3x17x16, where 17 meets 16", "it accepts H and W\nthat are even"),
        ("each of these was checked to fit\n  up = deconv(2) -> pad(to=skip)\n  input image: [3, H, W]", "or\nelse"),
    )
    assert (
        render(found)
        == """\
error[E0310]: `concat` joins sizes that differ for some inputs
  --> specs/unet.arch:12:10
   |
11 |   up = deconv(width, 2, stride=2)
   |        -------------------------- this is [64, 2*(H//2), 2*(W//2)]
12 |   concat(skip, up)
   |          ^^^^ this is [64, H, W]   (enc1, line 20)
   |
   = the smallest input it fails for is 3x17x16, where 17 meets 16
   = it accepts H and W
     that are even
help: each of these was checked to fit
   |   up = deconv(2) -> pad(to=skip)
   |   input image: [3, H, W]
help: or
      else"""
    )


def test_the_least_there_is() -> None:
    net = Source("net.arch", "block a {\n\n  convv(8, 3)\n}")
    assert (
        render(Diagnostic("W0001", "odd", at(net, "convv")))
        == """\
warning[W0001]: odd
  --> net.arch:3:3
   |
 3 |   convv(8, 3)
   |   ^^^^^"""
    )


def test_lines_between_labels() -> None:
    source = Source("a", "".join(f"line{i}\n" for i in range(1, 1200)))
    labels = tuple(Label(at(source, f"line{i}\n"), f"at {i}") for i in (1003, 6, 1, 3))
    assert body(render(Diagnostic("E0002", "m", at(source, "line1000\n"), "here", labels))) == [
        "   1 | line1",
        "     | ----- at 1",
        "   2 | line2",
        "   3 | line3",
        "     | ----- at 3",
        "   4 | line4",
        "   5 | line5",
        "   6 | line6",
        "     | ----- at 6",
        "...",
        "1000 | line1000",
        "     | ^^^^^^^^ here",
        "1001 | line1001",
        "1002 | line1002",
        "1003 | line1003",
        "     | -------- at 1003",
    ]


def test_several_labels_on_one_line() -> None:
    source = Source("a", "add(left, right)")
    found = Diagnostic("E0002", "m", at(source, "right"), "one", (Label(at(source, "left"), "two\nlines"),))
    assert body(render(found)) == [
        " 1 | add(left, right)",
        "   |     ---- two",
        "   |          lines",
        "   |           ^^^^^ one",
    ]


def test_another_file_has_its_own_place() -> None:
    source, other = Source("a.arch", "one\n"), Source("b.arch", "\n\ntwo three\n")
    rendered = render(Diagnostic("E0002", "m", at(source, "one"), "here", (Label(at(other, "three"), "there"),)))
    assert rendered.split("\n")[1:] == [
        "  --> a.arch:1:1",
        "   |",
        " 1 | one",
        "   | ^^^ here",
        "  --> b.arch:3:5",
        "   |",
        " 3 | two three",
        "   |     ----- there",
    ]


def test_columns_are_those_of_the_terminal() -> None:
    source = Source("a", "\tx\t= 日本 + e\u0301 + bad")
    line, carets = body(render(Diagnostic("E0002", "m", at(source, "bad"))))
    assert line == " 1 |     x   = 日本 + e\u0301 + bad"
    assert carets == "   | " + " " * len("    x   = 1234 + e + ") + "^^^"
    wide = body(render(Diagnostic("E0002", "m", at(source, "日本"))))[1]
    assert wide.endswith("^^^^") and not wide.endswith("^^^^^")


def test_nothing_reaches_the_terminal_that_it_would_obey() -> None:
    source = Source("a\x1b[2J", "\x1b]0;title\x07 bad \u202e \x9b \ud800")
    found = Diagnostic("E0002", "m\x1b[31m", at(source, "bad"), "\r", (), ("\x00",), ("\x1b",))
    rendered = render(found)
    assert all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs") for char in rendered)
    line, carets = body(rendered)[:2]
    assert line.index("bad") == carets.index("^^^")
    assert "\\x1b]0;title\\x07" in line and "\\u202e" in line and "\\ud800" in line


def test_a_long_line_is_cut_around_the_caret() -> None:
    source = Source("a", "a" * 1000 + "bad" + "c" * 1000)
    line, carets = body(render(Diagnostic("E0002", "m", at(source, "bad"), "here"), width=60))
    assert len(line) == 65 and line[5] == "…" == line[-1]
    assert line[carets.index("^") :].startswith("bad") and carets.endswith("^^^ here")


def test_the_ends_of_a_long_line() -> None:
    source = Source("a", "bad" + "c" * 1000 + "end")
    first, carets = body(render(Diagnostic("E0002", "m", at(source, "bad")), width=60))
    assert first.startswith(" 1 | badccc") and first.endswith("c…") and carets == "   | ^^^"
    last, carets = body(render(Diagnostic("E0002", "m", at(source, "end")), width=60))
    assert last.startswith(" 1 | …ccc") and last.endswith("end") and carets.index("^") == last.index("end")
    huge = Source("a", "日" * 5_000_000)
    assert len(body(render(Diagnostic("E0002", "m", Span(huge, 2_500_000, 2_500_001)), width=60))[0]) < 60


def test_what_spans_lines_is_marked_on_the_first() -> None:
    source = Source("a", "block a {\r\n  relu\r\n}\r\n")
    assert body(render(Diagnostic("E0002", "m", Span(source, 6, 20), "this"))) == [
        " 1 | block a {",
        "   |       ^^^ this",
    ]


def test_the_end_of_the_file() -> None:
    source = Source("a", "block a {\n")
    assert body(render(Diagnostic("E0002", "m", Span(source, 10, 10), "here"))) == [" 2 |", "   | ^ here"]
    empty = Source("a", "")
    assert render(Diagnostic("E0001", "m", Span(empty, 0, 0))) == "error[E0001]: m\n  --> a"


def test_colour_changes_nothing_but_colour() -> None:
    found = Diagnostic(
        "E0310", "m", at(UNET, "skip"), "one", (Label(at(UNET, "deconv"), "two"),), ("note",), ("help\n  code",)
    )
    coloured = render(found, color=True)
    assert "\x1b[1;31merror[E0310]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(found)


def test_order() -> None:
    first, second = Source("b", "x y z"), Source("a", "x y z")
    found = [
        Diagnostic("E0002", name, at(source, name)) for source, name in [(first, "z"), (second, "y"), (first, "x")]
    ]
    assert [(each.span.source.path, each.message) for each in in_order(found)] == [("b", "x"), ("b", "z"), ("a", "y")]


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 300), st.integers(0, 300), st.integers(0, 200))
def test_any_text_and_place(text: str, start: int, length: int, width: int) -> None:
    source = Source("a", text)
    start = min(start, len(text))
    span = Span(source, start, min(start + length, len(text)))
    rendered = render(Diagnostic("E0002", text, span, text, (Label(span, text),), (text,), (text,)), width=width)
    assert ("^" in rendered) == bool(text)
