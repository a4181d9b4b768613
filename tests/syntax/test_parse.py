"""Every construct gives its tree, and every node knows exactly where it stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from archdsl.diagnostics import Sink
from archdsl.source import Source
from archdsl.syntax import parse, tree


def read(text: str) -> tree.File:
    sink = Sink()
    file = parse(Source("test.arch", text), sink)
    assert [found.message for found in sink] == []
    return file


def statements(text: str) -> tuple[tree.Statement, ...]:
    return read(f"block b {{\n{text}\n}}\n").definitions[0].body.statements


def statement(text: str) -> Any:
    (only,) = statements(text)
    return only


def expression(text: str) -> Any:
    return statement(f"let value_ = {text}").value


def apply_of(text: str) -> Any:
    (step,) = statement(text).chain.steps
    return step


def outline(node: object) -> object:
    """A tree without its spans, as nested tuples."""
    if isinstance(node, tree.Node):
        fields = [getattr(node, field.name) for field in dataclasses.fields(node) if "span" not in field.name]
        return (type(node).__name__, *map(outline, fields))
    if isinstance(node, tuple):
        return tuple(map(outline, node))
    return node


def nodes(node: object) -> Iterator[tree.Node]:
    if isinstance(node, tree.Node):
        yield node
        for field in dataclasses.fields(node):
            yield from nodes(getattr(node, field.name))
    elif isinstance(node, tuple):
        for each in node:
            yield from nodes(each)


# --- expressions ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64", 64),
        ("25_557_032", 25_557_032),
        ("0.5", 0.5),
        ("1.6G", 1_600_000_000),
        ("2K", 2000),
        ("1.2345K", 1234.5),
        ("1e9", 1_000_000_000),
        ("1.5e3", 1500.0),
        ("1e-3", 0.001),
        ("100e-2", 1),
        ("0e999999", 0),
        ("9" * 30, int("9" * 30)),
        ('"a\\n\\t\\"\\\\\\u00e9"', 'a\n\t"\\é'),
        ('""', ""),
        ("true", True),
        ("false", False),
        ("none", None),
    ],
)
def test_literals(text: str, value: object) -> None:
    literal = expression(text)
    assert literal.value == value and type(literal.value) is type(value)
    assert literal.span.text == text


@pytest.mark.parametrize(("text", "parts"), [("7x7", (7, 7)), ("3x224x224", (3, 224, 224)), ("0x99", (0, 99))])
def test_sizes(text: str, parts: tuple[int, ...]) -> None:
    assert expression(text).parts == parts


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", None),
        ("-a * b", "(-a) * b"),
        ("- -a", "-(-a)"),
        ("a % b // c / d", None),
        ("1..n + 1", "1..(n + 1)"),
        ("a + 1 < b", "(a + 1) < b"),
        ("1..2 == c", "(1..2) == c"),
        ("not a == b", "not (a == b)"),
        ("not a and b", "(not a) and b"),
        ("a and b or c and d", "(a and b) or (c and d)"),
        ("-a.b[0](1)", "-((a.b)[0])(1)"),
    ],
)
def test_precedence(text: str, same: str | None) -> None:
    tight = expression(text)
    assert tight.span.text == text
    if same is not None:
        assert outline(tight) == outline(expression(same))


def test_operators_of_one_precedence_are_flat() -> None:
    assert outline(expression("a + b - c")) == (
        "Arith",
        ("Name", "a"),
        (("+", ("Name", "b")), ("-", ("Name", "c"))),
    )
    assert [op for op, _ in expression("a <= b < c").rest] == ["<=", "<"]
    assert len(expression("a or b or c").operands) == 3


def test_range_needs_no_spaces() -> None:
    assert outline(expression("1..4")) == ("Range", ("Literal", 1), ("Literal", 4))


def test_postfix_and_lists() -> None:
    call = expression("VGG16(classes=10, deep=true,).params")
    assert (type(call), call.name, call.name_span.text) == (tree.Attr, "params", "params")
    assert [(arg.name, arg.span.text) for arg in call.base.args] == [("classes", "classes=10"), ("deep", "deep=true")]
    assert outline(expression("[1, [], x,]")) == (
        "ListExpr",
        (("Literal", 1), ("ListExpr", ()), ("Name", "x")),
    )
    assert outline(expression("in.channels // 2")) == (
        "Arith",
        ("Attr", ("Name", "in"), "channels"),
        (("//", ("Literal", 2)),),
    )


def test_a_span_takes_in_parentheses() -> None:
    product = expression("(a + b) * ((c))")
    assert product.span.text == "(a + b) * ((c))"
    assert product.first.span.text == "(a + b)"
    assert product.rest[0][1].span.text == "((c))"


@pytest.mark.parametrize("word", ["input", "output", "in", "from", "if", "shared", "not", "true", "value", "at", "gpu"])
def test_a_keyword_names_arguments_and_fields(word: str) -> None:
    assert apply_of(f"layer({word}=1)").args[0].name == word
    assert expression(f"f({word}=1)").args[0].name == word
    assert expression(f"a.{word}").name == word
    assert apply_of(f"a.{word}").path.parts == (word,)


# --- chains ---


def test_chain_and_path() -> None:
    flow = statement("a.b[i + 1].c -> conv(64, 3, padding=same) -> relu()\n  -> flatten")
    assert [step.span.text for step in flow.chain.steps] == [
        "a.b[i + 1].c",
        "conv(64, 3, padding=same)",
        "relu()",
        "flatten",
    ]
    path = flow.chain.steps[0].path
    assert (path.head, path.parts[0], path.parts[1].span.text, path.parts[2]) == ("a", "b", "i + 1", "c")
    assert [step.args is None for step in flow.chain.steps] == [True, False, False, True]
    assert flow.chain.steps[2].args == ()
    assert statement("in -> conv(3)").chain.steps[0].path.head == "in"


def test_bodies_groups_and_repeat() -> None:
    step = apply_of('concat(axis=2) { "joined"; a = relu; { conv(3) -> relu } }')
    assert step.args[0].name == "axis" and step.body.doc == "joined"
    assert isinstance(step.body.statements[1].chain.steps[0], tree.Group)
    repeat, after = statement("repeat n - 1 { relu } -> flatten").chain.steps
    assert (repeat.count.span.text, repeat.body.span.text) == ("n - 1", "{ relu }")
    assert after.path.head == "flatten"
    assert statement("x = { }").chain.steps[0].body.statements == ()


def test_tails() -> None:
    def tail(text: str) -> tree.Tail:
        found = statement(text).chain.steps[0].tail
        assert isinstance(found, tree.Tail)
        return found

    assert (tail("residual { relu } project").kind, tail("residual { relu } project").chain) == ("project", None)
    named = tail("residual {\n relu\n}\nproject downsample[0] = conv(8, 1) -> batchnorm")
    assert named.label is not None and named.label.span.text == "downsample[0]"
    assert named.chain is not None and named.chain.span.text == "conv(8, 1) -> batchnorm"
    plain = tail("residual { relu } shortcut { conv(8, 1) }")
    assert (plain.kind, plain.label) == ("shortcut", None)
    steps = statement("residual { relu } project -> flatten").chain.steps
    assert [step.span.text for step in steps] == ["residual { relu } project", "flatten"]


# --- statements ---


def test_flow_targets() -> None:
    flow = statement("left, block2.right[0]: [C, _, W] = split(2) on gpu(g + 1)")
    assert [target.span.text for target in flow.targets] == ["left", "block2.right[0]"]
    assert flow.shape.span.text == "[C, _, W]"
    assert (flow.place.kind, flow.place.index.span.text) == ("gpu", "g + 1")
    assert flow.span.text == "left, block2.right[0]: [C, _, W] = split(2) on gpu(g + 1)"
    assert statement("relu").targets == ()


def test_shapes() -> None:
    dims = statement("input x: [3, H=224, _, 2 * C, W,]").shape.dims
    assert outline(dims) == (
        ("DimPattern", None, ("Literal", 3)),
        ("DimPattern", "H", ("Literal", 224)),
        ("DimPattern", None, None),
        ("DimPattern", None, ("Arith", ("Literal", 2), (("*", ("Name", "C")),))),
        ("DimPattern", None, ("Name", "W")),
    )


def test_inputs() -> None:
    image, rois = statements("input image: [3, H, W] where H % 32 == 0 and W >= 32\ninput rois: boxes")
    assert isinstance(image, tree.Input) and image.where is not None and image.kind is None
    assert image.where.span.text == "H % 32 == 0 and W >= 32"
    assert isinstance(rois, tree.Input) and (rois.name, rois.kind, rois.shape) == ("rois", "boxes", None)
    assert image.name_span.text == "image"


def test_outputs() -> None:
    outputs = statements("output scores\noutput b = a -> c\noutput b: [4] = a on gpu(0)\noutput b: [4]")
    assert all(isinstance(each, tree.Output) for each in outputs)
    parts = [(each.chain, each.shape) for each in outputs if isinstance(each, tree.Output)]
    assert [(chain and chain.span.text, shape and shape.span.text) for chain, shape in parts] == [
        (None, None),
        ("a -> c", None),
        ("a", "[4]"),
        (None, "[4]"),
    ]


def test_control() -> None:
    loop = statement("for i, n in enumerate([6, 12], 1) { relu }")
    assert (loop.names, loop.names_span.text, loop.iterable.span.text) == (("i", "n"), "i, n", "enumerate([6, 12], 1)")
    choice = statement("if a > 1 { x } else if b { y }\nelse if c { z }\nelse { w }")
    assert [condition.span.text for condition, _ in choice.cases] == ["a > 1", "b", "c"]
    assert choice.otherwise.span.text == "{ w }"
    assert choice.span.text.startswith("if a") and choice.span.text.endswith("{ w }")
    assert statement("if a { x }").otherwise is None


def test_other_statements() -> None:
    training, shared, let = statements("training { relu }\nshared head.a = conv(3) on gpu(0)\nlet n = 4 * width")
    assert isinstance(training, tree.Training) and training.body.span.text == "{ relu }"
    assert isinstance(shared, tree.Shared) and shared.target.span.text == "head.a" and shared.place is not None
    assert isinstance(let, tree.Let) and (let.name, let.value.span.text) == ("n", "4 * width")


def test_claims() -> None:
    claim = statement("expect macs at 224x224 <= 1.6G")
    assert (claim.left.value.span.text, claim.left.at.parts, claim.op) == ("macs", (224, 224), "<=")
    assert claim.left.span.text == "macs at 224x224"
    assert statement("expect params * 25 == Five(a=1).params * 18").right.value.span.text == "Five(a=1).params * 18"
    assert statement("expect receptive_field(layer3) == 267").left.at is None


def test_init() -> None:
    init = statement('init conv, fc.weight: kaiming_normal(mode="fan_out")')
    assert [selector.span.text for selector in init.selectors] == ["conv", "fc.weight"]
    assert (init.initialiser, init.args[0].name) == ("kaiming_normal", "mode")
    assert init.span.text == 'init conv, fc.weight: kaiming_normal(mode="fan_out")'
    assert statement("init fc.bias: zeros").args == ()


def test_where_statements_end() -> None:
    assert len(statements("a; b;; c\n\n# comment\n  ; d # more\ne")) == 5
    assert len(statements("conv(\n  64, # channels\n\n  3,\n)\nrelu")) == 2
    assert len(statements("x = concat { a\nb }\n# be;tween\n\n  -> relu\nflatten")) == 2


# --- files ---


def test_imports() -> None:
    file = read('from "resnet.arch" import bottleneck, stage as s,\nfrom zoo.vgg import VGG\n')
    first, second = file.imports
    assert (first.path, first.quoted, first.path_span.text) == ("resnet.arch", True, '"resnet.arch"')
    assert [(there, here, span.text) for there, here, span in first.names] == [
        ("bottleneck", "bottleneck", "bottleneck"),
        ("stage", "s", "stage as s"),
    ]
    assert (second.path, second.quoted) == ("zoo.vgg", False)


def test_definitions() -> None:
    block, network = read(
        "block up(width, stride=1, skip: value, depth: int = 3,): [C, H, W], [D]\n  -> [4 * width, H, W], [4] { }"
        '\nnetwork N {\n  """First.\n\n    Second.\n  """\n  relu\n}'
    ).definitions
    assert [(p.name, p.kind, p.default and p.default.span.text) for p in block.params] == [
        ("width", None, None),
        ("stride", None, "1"),
        ("skip", "value", None),
        ("depth", "int", "3"),
    ]
    assert [param.span.text for param in block.params] == ["width", "stride=1", "skip: value", "depth: int = 3"]
    assert block.signature is not None
    assert [len(block.signature.inputs), len(block.signature.outputs)] == [2, 2]
    assert (network.kind, network.name, network.params) == ("network", "N", ())
    assert network.body.doc == "First.\n\nSecond."


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "# only a comment", "\r\n\r\n", "\t \f"])
def test_empty_files(text: str) -> None:
    assert read(text).definitions == ()


def test_line_ends_and_byte_order_mark() -> None:
    file = read("\ufeffblock a {\r\n  relu\r\n  conv(3)\r\n}\r\n")
    assert [each.span.text for each in file.definitions[0].body.statements] == ["relu", "conv(3)"]


def test_every_span_stands_inside_its_parent() -> None:
    file = read(ONE_OF_EACH)
    kinds = {kind for kind in vars(tree).values() if isinstance(kind, type) and issubclass(kind, tree.Node)}
    assert {type(node) for node in nodes(file)} == kinds - {tree.Node}
    for parent in nodes(file):
        assert parent.span.text == parent.span.text.strip() or parent is file
        for field in dataclasses.fields(parent):
            for child in nodes(getattr(parent, field.name)):
                assert parent.span.start <= child.span.start < child.span.end <= parent.span.end


ONE_OF_EACH = """\
from "other.arch" import a, b as c
block up(width, stride=1, skip: value): [C, H, W] -> [4 * width, H, W] {
  "Doc."
  residual {
    conv1 = conv(width, 3, stride=stride)
    norm[i + 1] = batchnorm(eps=-1e-3)
  } project downsample = conv(width, 1) -> batchnorm
  parallel { left: [C, _, W] = a.b[0] -> relu; { relu -> relu } on gpu(1) }
  if not (a or b) and c < 3 <= d { relu } else if f(1, x=2).y { } else { repeat 3 { relu } }
  for i, n in zip(d[0], [1], 1..3) { let m = (n + 1) * -2 // 3 }
  training { output aux = head(7x7) }
}
network N {
  input image: [3, H=224, W] where H % 2 == 0
  shared head = conv(1)
  output scores: [4] = head on gpu(0)
  init conv, fc.bias: normal(std=0.01)
  expect macs - 1 at 224x224 <= VGG.macs at 3x3
}
"""
