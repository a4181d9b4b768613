"""PyTorch's manner of writing: each habit is named, and what is offered in its place is right."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch.nn as nn

from archdsl.compiler import Compilation
from archdsl.diagnostics import Diagnostic, edited
from archdsl.graph.model import Apply
from archdsl.layers import registry
from archdsl.source import Span

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.arch"))


def spec(body: str, size: int = 32) -> str:
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    return f"network N {{\n  input a: [3, H={size}, W={size}]\n{lines}}}\n"


def found(text: str) -> list[Diagnostic]:
    return Compilation.from_text(text).diagnostics


def mended(text: str, each: Diagnostic, index: int = 0) -> str:
    source = each.span.source
    assert source.text == text
    return edited(Span(source, 0, len(text)), each.fixes[index].edits)


# What is written, the start of what is said, and what it becomes.
HABITS = [
    ("x = nn.Conv2d(3, 64, 3, padding=1)", "`nn.Conv2d` is PyTorch's name", "x = conv(64, 3, padding=1)"),
    ("torch.nn.Conv2d(3, 8, 3, 2, 1)", "`torch.nn.Conv2d` is PyTorch's", "conv(8, 3, stride=2, padding=1)"),
    ("Conv2d(3, 64, kernel_size=3)", "no layer or block is called `Conv2d`", "conv(64, 3)"),
    ("x = nn.Conv2d(3, 8, 3, bias=False)", "`nn.Conv2d` is PyTorch's name", "x = conv(8, 3, bias=false)"),
    ("nn.ReLU(inplace=True)", "`nn.ReLU` is PyTorch's name", "relu"),
    ("x = nn.ReLU", "`nn.ReLU` is PyTorch's name", "x = relu"),
    ("batchnorm(3)", "`batchnorm` does not take `num_features`", "batchnorm"),
    ("conv(8, 3) -> groupnorm(4, 8)", "`groupnorm` does not take `num_channels`", "conv(8, 3) -> groupnorm(4)"),
    ("global_avgpool -> flatten -> linear(3, 9)", "`linear` does not", "global_avgpool -> flatten -> linear(9)"),
    ("conv(3, 64, kernel_size=3)", "`conv` does not take `in_channels`", "conv(64, 3)"),
    ("deconv(3, 64, 2, stride=2)", "`deconv` does not take `in_channels`", "deconv(64, 2, stride=2)"),
    ("conv(16, kernel_size=3)", "`conv` has no argument `kernel_size`", "conv(16, 3)"),
    ("maxpool(2, ceil_mode=True)", "`maxpool` has no argument", "maxpool(2, ceil=true)"),
    ("relu(inplace=True)", "`relu` has no argument `inplace`", "relu"),
    ("x = F.relu(a)", "`F.relu` is PyTorch's name", "x = a -> relu"),
    ("x = F.max_pool2d(F.relu(a), 2)", "`F.max_pool2d` is PyTorch's name", "x = a -> relu -> maxpool(2)"),
    ("x = F.dropout(a, 0.5, training=self.training)", "`F.dropout` is PyTorch's", "x = a -> dropout(p=0.5)"),
    ("x = torch.flatten(a, 1)", "`torch.flatten` is PyTorch's name", "x = a -> flatten"),
    ("x = a.flatten(1)", "`a` is a value, and has no methods", "x = a -> flatten"),
    ("x = relu(a)", "`relu` is not called with what it is applied to", "x = a -> relu"),
    ("dropout(a, 0.5)", "`dropout` is not called with what it is applied to", "a -> dropout(0.5)"),
    ("softmax(a)", "`softmax` is not called with what it is applied to", "a -> softmax"),
    ("x = relu(conv(4, 3)(a))", "`relu` is not called with", "x = a -> conv(4, 3) -> relu"),
    ("relu(batchnorm(conv(4, 3)))", "`relu` is not called with", "conv(4, 3) -> batchnorm -> relu"),
    ("b = relu\ntorch.cat([a, b], 1)", "`torch.cat` is PyTorch's name", "b = relu\n  concat(a, b)"),
    ("b = relu\ntorch.cat([a, b], dim=1)", "`torch.cat` is PyTorch's name", "b = relu\n  concat(a, b)"),
    ("b = relu\ncat([a, F.relu(b)], 1)", "no layer or block is called `cat`", "b = relu\n  concat { a; b -> relu }"),
    ("b = relu\nconcat([a, b], 1)", "`concat` joins values by their names", "b = relu\n  concat(a, b)"),
    ("b = relu\ntorch.add(a, b)", "`torch.add` is PyTorch's name", "b = relu\n  add(a, b)"),
    ("nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())", "`nn.Sequential` is PyTorch's", "conv(8, 3) -> relu"),
    ("self.conv1 = conv(8, 3)", "a label is no attribute of `self`", "conv1 = conv(8, 3)"),
    ("x = conv(4, 3)\nx = relu(x)", "`relu` is not called with what it is applied to", "x = conv(4, 3) -> relu"),
    ("x = conv(4, 3)\nx = F.relu(x)", "`F.relu` is PyTorch's name", "x = conv(4, 3) -> relu"),
    ("x = conv(4, 3)\nx = x.flatten(1)", "`x` is a value, and has no methods", "x = conv(4, 3) -> flatten"),
]


@pytest.mark.parametrize(("body", "message", "form"), HABITS, ids=[body for body, *_ in HABITS])
def test_a_habit_is_told_once_and_its_form_is_right(body: str, message: str, form: str) -> None:
    (each,) = found(spec(body))
    assert each.message.startswith(message)
    assert mended(spec(body), each) == spec(form.replace("\n  ", "\n"))
    assert found(spec(form.replace("\n  ", "\n"))) == []


WITHOUT_A_FORM = [
    ("x = self.conv1(a)", "there is no `self`: a layer is applied where it is written"),
    ("x = nn.Foo(3)", "no layer or block is called `nn.Foo`"),
    ("x = a.view(-1, 400)", "`a` is a value, and has no methods"),
    ("x = torch.cat([a, a], 2)", "`torch.cat` is PyTorch's name"),
    ("x = F.softmax(a, dim=2)", "`F.softmax` is PyTorch's name"),
    ("relu -> F.relu(a)", "`F.relu` is PyTorch's name"),
    ("a = relu(a)", "`relu` is not called with what it is applied to"),
    ("a = F.max_pool2d(self.conv1(a), 2)", "`F.max_pool2d` is PyTorch's name"),
    ("conv(4, 3)(a)", "a layer is not called with what it is applied to"),
    ("import torch.nn as nn", "`import` means nothing here"),
    ("x = conv(4, 3)\nx += a", "`+=` is not an operator"),
    ("nn.Sequential(\n  conv(4, 3),  # first\n  relu)", "`nn.Sequential` is PyTorch's name"),
    ("x = conv(4, 3)\nx = relu(x) on gpu(1)", "`relu` is not called with what it is applied to"),
    ("x = conv(4, 3)\nx = relu(  # rectified\n  x)", "`relu` is not called with what it is applied to"),
    ("x = conv(4, 3)\nx: [4, _, _] = relu(x)", "`relu` is not called with what it is applied to"),
]


@pytest.mark.parametrize(("body", "message"), WITHOUT_A_FORM)
def test_what_has_no_form_here_is_told_without_one(body: str, message: str) -> None:
    (each,) = found(spec(body))
    assert (each.message, each.fixes) == (message, ())


def test_no_edit_gives_a_label_twice_where_statements_cannot_be_read() -> None:
    errors = found(spec("x = conv(4, 3)\nx = F.relu(x)\nx = relu(x)\nreturn x"))
    assert [(each.code, each.fixes) for each in errors if "relu" in each.message] == [("E0102", ()), ("E0201", ())]


def test_what_is_imported_of_pytorch() -> None:
    assert [each.message for each in found("from torch import nn\n" + spec("relu"))] == [
        "nothing of PyTorch is imported"
    ]


def test_in_a_block_that_nothing_applies_too() -> None:
    text = "block b(w) {\n  nn.Conv2d(3, w, 3)\n  linear(400, 9)\n}\n" + spec("relu")
    assert [each.fixes[0].text for each in found(text)] == ["write `conv(w, 3)`", "write `linear(9)`"]


def test_a_number_of_a_block_is_nothing_that_a_layer_is_applied_to() -> None:
    text = "block b(w, skip: value) {\n  let k = 4\n  conv(w, 3, 2) -> conv(k, 3, 2)\n  dropout(skip, 0.5)\n}\n"
    assert [each.span.line for each in found(text + spec("relu"))] == [4]


# --- the warning ---

WARNED = [
    ("conv(3, 64, 3, padding=1)", "conv(64, 3, padding=1)", "conv(3, kernel=64, stride=3, padding=1)"),
    ("conv(3, 64, 7, 2, 3)", "conv(64, 7, stride=2, padding=3)", "conv(3, kernel=64, stride=7, padding=2, dilation=3)"),
    ("conv(3, 6, 5)", "conv(6, 5)", "conv(3, kernel=6, stride=5)"),
    ("conv(3, 16, 1)", "conv(16, 1)", "conv(3, kernel=16, stride=1)"),
    ("deconv(3, 64, 4, 2)", "deconv(64, 4, stride=2)", "deconv(3, kernel=64, stride=4, padding=2)"),
]


@pytest.mark.parametrize(("call", "theirs", "named"), WARNED)
def test_a_window_that_nobody_means(call: str, theirs: str, named: str) -> None:
    """A warning has two ways out, after each of which there is none."""
    text = spec(call, 256)
    (each,) = found(text)
    assert (each.code, len(each.fixes), Compilation.from_text(text).ok) == ("W0201", 2, True)
    assert [mended(text, each, index) for index in (0, 1)] == [spec(theirs, 256), spec(named, 256)]
    assert found(spec(theirs, 256)) == found(spec(named, 256)) == []


@pytest.mark.parametrize(
    "call",
    [
        "conv(3, 3, 2)", "conv(3, 7, 2, 3)", "conv(3, 11, 4)", "conv(3, 31, 1, 15, 1, 3)", "conv(3, 16, 16)",
        "conv(3, 4, 4)", "conv(3, 4, 2, 1)", "conv(3, 8, 4)", "conv(3, 1, 1)", "conv(3, 5, 3)", "conv(3, 51, 1, 25)",
        "conv(64, 3, 1)", "conv(96, 11, 4)", "conv(768, 16, 16)", "conv(64, 64, 3)", "conv(3, 64, stride=3)",
        "deconv(3, 4, 2, 1)", "deconv(3, 64, 32)", "deconv(3, 16, 8)", "maxpool(3, 2)", "avgpool(16, 3, 1)",
    ],
)  # fmt: skip
def test_no_false_alarm(call: str) -> None:
    assert found(spec(call, 256)) == []


@pytest.mark.parametrize("call", ["conv(1, 80, 4)", "conv(1, 10, 5)", "conv(1, 41, 4, 20)", "conv(1, 16, 1)"])
def test_no_false_alarm_along_one_axis(call: str) -> None:
    assert found(f"network N {{ input a: [1, L=16000]; {call} }}") == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_shipped_spec_has_a_warning(path: Path) -> None:
    assert Compilation.from_path(path).diagnostics == []


def test_where_the_window_does_not_fit_the_form_is_a_way_out() -> None:
    text = spec("conv(3, 64, 3)")
    warning, error = found(text)
    assert (warning.code, error.code) == ("W0201", "E0312")
    assert mended(text, error) == spec("conv(64, 3)")


def codes(text: str) -> list[tuple[str, int]]:
    return [(each.code, each.span.line) for each in found(text)]


@pytest.mark.parametrize(
    "body",
    [
        "conv(3, 64, 3, padding=1)\nrelu\nconv(64, 128, 3, padding=1)",
        "conv(3, 32, 3, 1, 1) -> relu\nmaxpool(2)\nconv(32, 64, 3, 1, 1)",
        "conv(3, 64, 3)\nresidual { relu }\nconv(64, 10, 1)",
        "x = conv(3, 64, 3)\nb = relu\nconcat(x, b) -> conv(128, 64, 3)",
    ],
)
def test_each_call_after_the_first_is_warned_of(body: str) -> None:
    text = f"network N {{\n  input a: [3, H, W]\n  {body}\n}}\n"
    assert codes(text) == [("W0201", 3), ("W0201", 5)]


def test_a_call_in_a_block_after_the_first_is_warned_of() -> None:
    text = "block b(i, o) { conv(i, o, 3) -> relu }\nnetwork N { input a: [3, H, W]\n conv(3, 64, 3)\n b(64, 128) }"
    assert codes(text) == [("W0201", 1), ("W0201", 3)]


def test_what_is_right_after_a_warning_is_not_warned_of() -> None:
    assert codes(spec("conv(3, 64, 3, padding=1)\nconv(64, 3, 1)\nconv(3, 3, 1)", 256)) == [("W0201", 3)]


def test_a_call_after_one_that_is_refused_for_its_names_is_warned_of() -> None:
    assert codes(spec("conv(3, 64, kernel_size=3, bias=False)\nconv(64, 128, 3)", 256)) == [("E0201", 3), ("W0201", 4)]


PASTED = {
    "three": ("[3, 224, 224]", "conv(3, 64, 3, padding=1)\nrelu\nconv(64, 128, 3, padding=1)", [3, 5, 5]),
    "LeNet": ("[3, 32, 32]", "conv(3, 6, 5) -> maxpool(2)\nconv(6, 16, 5) -> maxpool(2)\nflatten", [3, 4, 4]),
    "MNIST": ("[1, 28, 28]", "conv(1, 32, 3)\nrelu\nconv(32, 64, 3)\nmaxpool(2)", [3, 3, 5, 5]),
    "residual": (
        "[3, 64, 64]",
        "conv(3, 64, 3, 1, 1)\nresidual { conv(64, 64, 3, 1, 1) }\nconv(64, 128, 3, 1, 1)",
        [3, 4, 4, 5, 5],
    ),
    "VGG": ("[3, 64, 64]", "conv(3, 64, 3, 1, 1)\nconv(64, 64, 3, 1, 1)\nmaxpool(2)\nmaxpool(2)", [3, 4, 4]),
}


@pytest.mark.parametrize(("shape", "body", "lines"), PASTED.values(), ids=PASTED)
def test_a_pasted_network_is_mended_by_any_of_its_ways_out(shape: str, body: str, lines: list[int]) -> None:
    """A window that does not fit is told beside the warnings, and nothing that follows from the readings is."""
    text = f"network N {{\n  input a: {shape}\n" + "".join(f"  {line}\n" for line in body.split("\n")) + "}\n"
    told = found(text)
    assert sorted(each.span.line for each in told) == lines
    for each in told:
        if each.code == "E0302":
            assert len(each.fixes) == 1
            assert found(mended(text, each)) == []


# --- PyTorch's own ---


@pytest.mark.parametrize("name", [name for name in registry.names() if registry.is_shipped(name)])
def test_the_parameters_are_those_of_pytorch_in_its_order(name: str) -> None:
    layer = registry.find(name)
    assert layer is not None
    example = layer.examples[0]
    shapes = example.input if isinstance(example.input[0], tuple) else (example.input,)
    inputs = "; ".join(f"input {x}: {list(shape)}" for x, shape in zip(("x", "other"), shapes, strict=False))
    network = Compilation.from_text(f"network N {{ {inputs}; {example.before}; x -> {example.call} }}").network()
    applied = [item for item in network.scope.items if isinstance(item, Apply)][-1]
    call = applied.layer.module(*(value.shape for value in applied.inputs))
    fields = {field.name for field in layer.fields}
    ours = [field for _, field in layer.constructor if field and not field.startswith("=")]
    assert set(ours) <= fields
    if call is None or not hasattr(nn, call.func.removeprefix("nn.")):
        return
    theirs = list(inspect.signature(getattr(nn, call.func.removeprefix("nn."))).parameters)
    named = [parameter for parameter, _ in layer.constructor]
    if named or registry.known_as(call.func.removeprefix("nn.")) == name:
        stated = named or [field.name for field in layer.fields]
        assert stated == theirs[: len(stated)]
