"""What a broken text is told, and where; and that nothing a file can hold breaks the parser."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.diagnostics import Sink
from archdsl.source import Source
from archdsl.syntax import parse, tree
from archdsl.syntax.layout import MAX_DEPTH


def read(text: str) -> tuple[list[tuple[str, str, str]], tree.File]:
    """Each finding as (line:column, what is underlined, message), and the file."""
    sink = Sink()
    file = parse(Source("broken.arch", text), sink)
    found = []
    for each in sink:
        line, column = each.span.source.position(each.span.start)
        found.append((f"{line}:{column}", each.span.text, each.message))
    return found, file


IN_A_BODY = [
    ("conv(64, 3", "2:5", "(", "this `(` is never closed"),
    ("let n = [1, 2", "2:9", "[", "this `[` is never closed"),
    ("conv(64, 3))", "2:12", ")", "this `)` closes nothing"),
    ("conv(64, 3]", "2:11", "]", "`]` does not close `(`"),
    ("conv(64 3)", "2:9", "3", "a `,` is missing before `3`"),
    ("conv(\n  3\n  stride=2)", "4:3", "stride", "a `,` is missing before `stride`"),
    ("conv(,3)", "2:6", ",", "a value is expected after `(`, not `,`"),
    ("conv(kernel=)", "2:13", ")", "a value is expected after `=`, not `)`"),
    ("let n =", "2:7", "=", "a value is expected after `=`, not the end of the line"),
    ("let n = 3 + # more", "2:11", "+", "a value is expected after `+`, not the end of the line"),
    ("a =", "2:3", "=", "a layer, a block or `{ … }` is expected after `=`, not the end of the line"),
    ("a -> ; b", "2:3", "->", "a layer, a block or `{ … }` is expected after `->`, not `;`"),
    ("a.3 = relu", "2:3", "3", "a name is expected after `.`, not `3`"),
    ("-> relu", "2:1", "->", "a statement cannot start with `->`"),
    ("conv(3) relu", "2:9", "relu", "the statement should end before `relu`"),
    ("input = conv(3)", "2:1", "input", "`input` is a keyword and cannot be a name"),
    ("block = conv(3)", "2:1", "block", "`block` is a keyword and cannot be a name"),
    ("block[0] = conv(3)", "2:1", "block", "`block` is a keyword and cannot be a name"),
    ("output[0] = conv(3)", "2:1", "output", "`output` is a keyword and cannot be a name"),
    ("shared[0] = conv(3)", "2:1", "shared", "`shared` is a keyword and cannot be a name"),
    ("input[0] = conv(3)", "2:1", "input", "`input` is a keyword and cannot be a name"),
    ("let[0] = conv(3)", "2:1", "let", "`let` is a keyword and cannot be a name"),
    ("for[0] = conv(3)", "2:1", "for", "`for` is a keyword and cannot be a name"),
    ("init[0] = conv(3)", "2:1", "init", "`init` is a keyword and cannot be a name"),
    ("training[0] = conv(3)", "2:1", "training", "`training` is a keyword and cannot be a name"),
    ("repeat[0] = conv(3)", "2:1", "repeat", "`repeat` is a keyword and cannot be a name"),
    ("if[0] = conv(3)", "2:1", "if", "`if` is a keyword and cannot be a name"),
    ("expect[0] = conv(3)", "2:1", "expect", "`expect` is a keyword and cannot be a name"),
    (
        "for i in 1..2 { shared[i][0]: [3, H, W] = relu }",
        "2:17",
        "shared",
        "`shared` is a keyword and cannot be a name",
    ),
    ("x -> relu; output[0] -> relu", "2:12", "output", "`output` is a keyword and cannot be a name"),
    ("network: [3, H, W] = conv(3)", "2:1", "network", "`network` is a keyword and cannot be a name"),
    ("from, x = chunk(2)", "2:1", "from", "`from` is a keyword and cannot be a name"),
    ("from.a -> relu", "2:1", "from", "`from` is a keyword and cannot be a name"),
    ("concat {\n  from -> conv(3)\n  conv(3)\n}", "3:3", "from", "`from` is a keyword and cannot be a name"),
    ("as = conv(3)", "2:1", "as", "`as` is a keyword and cannot be a name"),
    ("else = conv(3)", "2:1", "else", "`else` is a keyword and cannot be a name"),
    ("import = conv(3)", "2:1", "import", "`import` is a keyword and cannot be a name"),
    ("block = conv(3)\nblock -> relu\nconcat(block, x)", "2:1", "block", "`block` is a keyword and cannot be a name"),
    ("x -> output", "2:6", "output", "`output` is a keyword and cannot be a name"),
    ("conv(input)", "2:6", "input", "`input` is a keyword and cannot be a name"),
    ("let shared = 1", "2:5", "shared", "`shared` is a keyword and cannot be a name"),
    ("input x [3]", "2:9", "[", "`:` is expected after `x`, not `[`"),
    ("let n 4", "2:7", "4", "`=` is expected after `n`, not `4`"),
    ("let n == 4", "2:7", "==", "`==` compares; a name is given with `=`"),
    ("if x = 3 { relu }", "2:6", "=", "`=` gives a name; two values are compared with `==`"),
    ("if x: relu", "2:5", ":", "a body stands in `{ … }`, not after a `:`"),
    ("if x relu", "2:6", "relu", "a body in `{ … }` is expected after `x`, not `relu`"),
    ("elif x { relu }", "2:1", "elif", "`elif` means nothing here"),
    ("for i of 1..3 { relu }", "2:7", "of", "`,` or `in` is expected after `i`, not `of`"),
    ("for i in 1...3 { }", "2:11", "...", "`...` is not an operator"),
    ("a => relu", "2:3", "=>", "`=>` is not an operator"),
    ("let n = 2 ** 3", "2:11", "**", "`**` is not an operator"),
    ("conv(3), relu", "2:8", ",", "no `,` stands after a statement"),
    ("x = y + conv(3)", "2:7", "+", "`+` computes with numbers, not with layers"),
    ("conv(3) if deep else relu", "2:9", "if", "`if` begins a statement"),
    ("conv(8, (3, 3))", "2:11", ",", "parentheses hold one value"),
    ("expect layer4 is 3", "2:15", "is", "a comparison is expected after `layer4`, not `is`"),
    ("expect params", "2:8", "params", "a comparison is expected after `params`, not the end of the line"),
    ("expect params == 3 at big", "2:20", "at", "`at` means nothing here"),
    ("conv(3abc)", "2:6", "3abc", "`3abc` is not a number"),
    ('let s = "abc', "2:9", '"', "a string is not closed"),
    ('let s = "a\\qb"', "2:11", "\\q", "this escape is not known"),
    ('let s = "\\ud800"', "2:10", "\\ud800", "this escape is not known"),
    ("let s = “abc”", "2:9", "“", "`“` means nothing here"),
    ("a\0b", "2:2", "\0", "the character U+0000 means nothing here"),
    ("let n = " + "9" * 31, "2:9", "9" * 31, "this number is too large"),
    ("let n = 1e999", "2:9", "1e999", "this number is too large"),
    ("let n = 1.5e999", "2:9", "1.5e999", "this number is too large"),
    ("let n = 1e99999999999", "2:9", "1e99999999999", "this number is too large"),
    ("conv(0x" + "9" * 5000 + ")", "2:6", "0x" + "9" * 5000, "this number is too large"),
]


@pytest.mark.parametrize(
    ("text", "place", "underlined", "message"), IN_A_BODY, ids=[text[:20] for text, *_ in IN_A_BODY]
)
def test_one_mistake_in_a_body(text: str, place: str, underlined: str, message: str) -> None:
    """It is told once, in the author's terms, and what stands around it is still read."""
    found, file = read(f"block a {{\n{text}\n  tanh\n}}\nblock b {{ relu }}\n")
    assert found == [(place, underlined, message)]
    first, second = file.definitions
    assert first.body.statements[-1].span.text == "tanh"
    assert second.name == "b"


AT_THE_TOP = [
    ("block f(x):\n  relu\n", "1:11", ":", "a body stands in `{ … }`, not after a `:`"),
    ("def f(x) { relu }\n", "1:1", "def", "`def` means nothing here"),
    ("class N:\n  relu\n", "1:1", "class", "`class` means nothing here"),
    ("import zoo\n", "1:1", "import", "`import` means nothing here"),
    ("from zoo import\n", "1:10", "import", "a name is expected after `import`, not the end of the line"),
    ("relu\nconv\n", "1:1", "relu", "`relu` stands outside every block and network"),
    ("block { relu }\n", "1:7", "{", "a name is expected after `block`, not `{`"),
    ("block block { relu }\n", "1:7", "block", "`block` is a keyword and cannot be a name"),
    ("block f { relu } }\n", "1:18", "}", "this `}` closes nothing"),
    ("block f {\n  relu\n", "1:9", "{", "this `{` is never closed"),
    ("block f {\n  residual {\n    relu\n  tanh\n}\n", "2:12", "{", "this `{` is never closed"),
    ("block f {\n  conv(3,\n\n", "2:7", "(", "this `(` is never closed"),
    ("block f(x, { relu }\n", "1:8", "(", "this `(` is never closed"),
]


@pytest.mark.parametrize(("text", "place", "underlined", "message"), AT_THE_TOP)
def test_one_mistake_at_the_top(text: str, place: str, underlined: str, message: str) -> None:
    found, file = read(text + "\nblock b { relu }\n")
    assert found == [(place, underlined, message)]
    assert file.definitions[-1].name == "b"


def test_a_doc_that_is_not_closed() -> None:
    assert read('block a {\n  """doc\n  relu\n}\n')[0] == [("2:3", '"""', "a string is not closed")]


def test_every_mistake_is_told_in_order() -> None:
    found, file = read(
        "block a { conv(1 2)\n relu\n x = }\nblock b(: { relu }\n"
        "network N {\n let\n {\n 3 }\n relu )\n}\nblock c { relu }"
    )
    assert [place for place, *_ in found] == ["1:18", "3:6", "4:9", "6:2", "8:2", "9:7"]
    assert [definition.name for definition in file.definitions] == ["a", "N", "c"]


def test_a_label_points_at_the_bracket_that_was_meant() -> None:
    sink = Sink()
    parse(Source("x", "block a { conv(64, 3] }"), sink)
    (found,) = sink
    assert [(label.span.text, label.text) for label in found.labels] == [("(", "this is closed by `)`")]


# --- limits ---

N = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "block a " + "{" * N,
        "block a { let x = " + "(" * N,
        "block a { let x = " + "[" * N + "]" * N + "}",
        "block a { let x = " + "-" * N + "1 }",
        "block a { let x = " + "not " * N + "b }",
        "block a { let x = a" + ".b" * N + " }",
        "block a { let x = a" + "[0]" * N + " }",
        "block a { let x = a" + "()" * N + " }",
        "block a { a" + ".b" * N + " }",
        "block a { let x = " + "f(-a.b[" * N,
        "block a { let x = " + "1 + 2 * (" * N,
    ],
    ids=lambda text: text[:30],
)
def test_what_nests_too_deeply_is_refused_at_once(text: str) -> None:
    sink = Sink()
    before = time.perf_counter()
    parse(Source("deep", text + "\nblock b { conv(1 2) }"), sink)
    assert [found.code for found in sink] == ["E0003", "E0002"]
    assert time.perf_counter() - before < 2


def test_what_is_within_the_limit() -> None:
    brackets = MAX_DEPTH - 1  # the block's own brace is one
    found, file = read("block a { let x = " + "(" * brackets + "1" + ")" * brackets + " }")
    assert found == [] and len(file.definitions) == 1
    long = " + ".join(["-(a.b)[0]"] * 1000)
    assert read(f"block a {{ let x = {long}\n{'a -> ' * 1000} b\nconv({'1, ' * 1000}) }}")[0] == []


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("network N(shared=3) { input x: [3, H, W]; relu }", "write `shared_`, or another name"),
        ("block b(w, from) { relu }", "write `from_`, or another name"),
        ("network N { input x: [3, H, W]; output[0] = relu }", "write `output_`, or another name"),
        ("block b { conv(block, 1) }", "write `block_` here and where it is named, or another name"),
        ("block b { add(x, from) }", "write `from_` here and where it is named, or another name"),
    ],
)
def test_a_keyword_as_a_name_has_a_way_out(text: str, help: str) -> None:
    sink = Sink()
    parse(Source("broken.arch", text), sink)
    assert [each.help for each in sink] == [(help,)]


def test_a_keyword_as_the_name_of_a_block_is_told_once() -> None:
    found, file = read("block shortcut(n) { relu }\nblock stage { shortcut(8); tanh }\n")
    assert found == [("1:7", "shortcut", "`shortcut` is a keyword and cannot be a name")]
    assert len(file.broken) == 2


def test_nothing_is_told_of_what_follows_a_doc_that_is_not_closed() -> None:
    found, _ = read('block a {\n  """A doc that\n  goes on { ( and on\n}\nblock b { relu }\n')
    assert found == [("2:3", '"""', "a string is not closed")]


@pytest.mark.parametrize(
    "unit", ["(", "@", "@\n", '"', '"""', "{", "}\n", ")\n", "block ", "block\n", "block a { conv(\n"]
)
def test_a_long_broken_text_ends_soon(unit: str) -> None:
    before = time.perf_counter()
    found, _ = read("block a {\n" + unit * N)
    assert 0 < len(found) <= 100
    assert time.perf_counter() - before < 2


# --- anything at all ---

_WORDS = """
    from import as block network input output training shared let for in if else repeat expect init where on project
    shortcut and or not true false none at a b conv ( ) [ ] { } , : = -> . .. + - * / // % == < >= 1 2.5 3x3 1.6G "s"
    \"\"\"doc\"\"\" ; # é @ “ " \"\"\" 3abc
"""
WORDS = [*_WORDS.split(), "\n", "\n", "\n"]


def survives(text: str) -> None:
    source, sink = Source("any", text), Sink()
    file = parse(source, sink)
    assert file.source is source
    for found in sink:
        assert 0 <= found.span.start <= found.span.end <= len(text)
        assert found.message


@given(st.text(st.characters(exclude_categories=())))
def test_any_text(text: str) -> None:
    survives(text)
    survives(f"block a {{ {text} }}")


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
@settings(max_examples=300)
def test_any_words(text: str) -> None:
    survives(text)
    survives(f"block a {{\n{text}\n}}\nblock b {{ relu }}")
