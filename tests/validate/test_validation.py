"""The validation of emitted code: one change of a text that is right, and it says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from noticing import SPEC, assert_noticed, check, emitted

from archdsl.cli import main
from archdsl.compiler import Compilation, InternalError
from archdsl.emit import torch
from archdsl.layers.base import Need, Shape
from archdsl.layers.pool.maxpool import Maxpool
from archdsl.passes.elaborate import Memo
from archdsl.validate import Mismatch, Validation, wrong_block_parameters

DEVICES = """
network Net {
  input image: [3, H=8, W=8]
  first = conv(4, 1)
  second = conv(4, 1) -> relu on gpu(1)
  third = conv(4, 1) on gpu(1)
  add(first, third)
}
"""

# What is changed of the text, and what is said.
CHANGES = {
    "another number": ("self.one = nn.Conv2d(2 * width, 2, 1)", "self.one = nn.Conv2d(2 * width, 3, 1)", "`one` is"),
    "a float for an integer": (
        "self.one = nn.Conv2d(2 * width, 2, 1)",
        "self.one = nn.Conv2d(2 * width, 2, 1.0)",
        "`one` is",
    ),
    "an option is lost": ("stride=stride,\n            padding=1,", "padding=1,", "`conv1` is"),
    "an option too many": (
        "nn.BatchNorm2d(width)\n        self.conv2",
        "nn.BatchNorm2d(width, eps=0.1)\n        self.conv2",
        "`bn1` is",
    ),
    "another class of PyTorch": ("self.less = nn.MaxPool2d(2)", "self.less = nn.ReLU()", "`less` is"),
    "a submodule's name": ("self.bn1", "self.bn", "there is no submodule `bn1`"),
    "the order of submodules": (
        "self.one = nn.Conv2d(2 * width, 2, 1)\n        self.two = nn.Conv2d(2 * width, 3, 3, padding=1)",
        "self.two = nn.Conv2d(2 * width, 3, 3, padding=1)\n        self.one = nn.Conv2d(2 * width, 2, 1)",
        "in the order two, one",
    ),
    "a submodule too many": ("self.less = ", "self.more = nn.ReLU()\n        self.less = ", "`more` is built"),
    "a projection that is not there": (
        "if stride != 1 or in_channels != width:",
        "if stride != 1:\n            pass\n        if stride == 7:",
        "stage2",
    ),
    "a projection that should not be there": ("if stride != 1 or in_channels != width:", "if stride > 0:", "stage1"),
    "the order of branches": ("[self.one(x), self.two(x),", "[self.two(x), self.one(x),", "runs after"),
    "the order of what is joined": (
        "return torch.cat([self.one(x), self.two(x), self.maxpool(x)], dim=1)",
        "y = self.one(x)\n        z = self.two(x)\n        return torch.cat([z, y, self.maxpool(x)], dim=1)",
        "`torch.cat` is called on values",
    ),
    "another axis": ("self.maxpool(x)], dim=1)", "self.maxpool(x)], dim=2)", "joins along"),
    "a sum for a product": ("branches * x", "branches + x", "where the spec has `gate`"),
    "a value that was overwritten": (
        "again: Tensor = self.head(self.less(tail))",
        "small = self.head(self.less(tail))\n        again = small",
        "interpolate",
    ),
    "a layer is applied twice": (
        "y = F.relu(self.bn1(self.conv1(x)), inplace=True)",
        "y = F.relu(F.relu(self.bn1(self.conv1(x)), inplace=True))",
        "where the spec has `conv2`",
    ),
    "another module of the same shape": (
        "self.conv2(y) + self.down(x)",
        "self.conv2(self.conv2(y)) + self.down(x)",
        "conv2",
    ),
    "in place over what a layer keeps": (
        "torch.sigmoid(self.conv(self.global_avgpool(branches)))\n",
        "torch.sigmoid(self.conv(self.global_avgpool(branches)))\n        F.relu(x, inplace=True)\n",
        "F.relu",
    ),
    "what runs in training runs always": (
        "        if self.training:\n            aux = self.aux",
        "        aux = self.aux",
        "`aux`",
    ),
    "what runs in training never runs": ("if self.training:", "if not self.training:", "`aux` is applied in the spec"),
    "an output that is None": ("aux = self.aux(stage1)", "self.aux(stage1)", "`aux`"),
    "outputs that are exchanged": ("NetOutput(aux=aux, main=main)", "NetOutput(aux=main, main=main)", "`aux`"),
    "an output's name": ("main: Tensor\n", "out: Tensor\n", "fails"),
    "a size that is right at the typical size only": ("small.shape[2:]", "[8, 6]", "interpolate"),
    "the size of another value": ("small.shape[2:]", "again.shape[2:]", "interpolate"),
    "a pooling without indices": ("2, return_indices=True)", "2)", "lacks return_indices"),
    "a size that is not the pooling's": ("pool_size = x.shape[2:]", "pool_size = x.shape[1:3]", "is given the size"),
    "no initialiser": (
        '        nn.init.constant_(self.get_parameter("stem.bias"), val=0.5)\n',
        "",
        "`stem.bias` starts by",
    ),
    "an initialiser's argument": ("val=0.5", "val=0.25", "`stem.bias` starts by"),
    "a later initialiser": (
        'nn.init.constant_(self.get_parameter("stem.bias"), val=0.5)',
        'nn.init.constant_(self.get_parameter("stem.bias"), val=0.5)\n'
        '        nn.init.zeros_(self.get_parameter("stem.weight"))',
        "`stem.weight` starts by",
    ),
    "a variable that is not there": (
        "tail: Tensor = self.tail(branches * x)",
        "tail: Tensor = self.tail(branch * x)",
        "NameError",
    ),
    "the name of an input": ("image", "picture", "the inputs are called"),
    "no Python": ("return F.relu(", "return F.relu((", "no Python"),
    "an import": ("import torch\n", "import torch\nimport os\n", "imports `os`"),
    "a statement that no emitted code has": (
        "        self.stem = nn",
        "        while False:\n            pass\n        self.stem = nn",
        "While",
    ),
    "a name of Python's own": ("self.stem = nn.Conv2d(3,", "self.stem = nn.__class__.Conv2d(3,", "`__class__`"),
    "no class": ("class Net(nn.Module)", "class Met(nn.Module)", "no class `Net`"),
}

IN_PLACE = """
block act { relu -> conv(4, 1) }
network Net {
  input x: [4, H=8, W=8]
  act
  residual { relu -> conv(4, 1) }
  sigmoid -> relu
}
"""
OVERWRITING = {
    "what belongs to the caller": ("nn.ReLU()", "nn.ReLU(inplace=True)", "overwrites an input"),
    "the other side of a skip": ("F.relu(x)  #", "F.relu(x, inplace=True)  #", "overwritten in place"),
    "what a layer keeps": ("return F.relu(x)", "return F.relu(x, inplace=True)", "needs for the backward pass"),
}
PLACING = {
    "a value stays": ("self.second(first.to(device=gpu1))", "self.second(first)", "gets a value on gpu0"),
    "a value moves twice": ("x = first + x", "y = first.to(device=gpu1)\n        x = first + x", "moves to gpu1 twice"),
    "a value moves for nobody": ("x = first + x", "x = first.to(device=gpu0) + x", "does not move there"),
    "parameters elsewhere": (
        "self.third = nn.Conv2d(4, 4, 1, device=gpu1)",
        "self.third = nn.Conv2d(4, 4, 1, device=gpu0)",
        "is built on gpu0",
    ),
    "devices that are not given": ("[None] * 2)", "[None] * 3)", "cannot be built"),
    "devices that `to` does not move": ("class Net(OnDevices)", "class Net(nn.Module)", "keeps them"),
    "parameters nowhere": ("nn.Conv2d(3, 4, 1, device=gpu0)", "nn.Conv2d(3, 4, 1)", "is built on None"),
}

ITEMS = """
network Net {
  input image: [3, H=8, W=8]
  pool = maxpool(2)
  body = { conv(4, 1); relu; norm = batchnorm; conv(3, 1); max_unpool(pool) }
}
"""
REACHED = {
    "another item": ('self["0"](x)', 'self["3"](x)', "`3` is called where"),
    "an item that is not there": ('self["0"](x)', 'self["1"](x)', "KeyError"),
    "an item's name": ('self["3"] =', 'self["4"] =', "there is no submodule `3`"),
    "no class with items": ("class Body(nn.ModuleDict)", "class Body(nn.Module)", "cannot be built"),
    "by a method that no emitted code calls": ('self["0"](x)', 'self.get_submodule("0")(x)', "get_submodule"),
    "by a name that the class has for something else": ("self.norm", "self.keys", "would be hidden"),
    "by a name that every module has for something else": ("self.norm", "self.half", "would be hidden"),
}

GUARD = {
    "it lets a channel too many pass": ("image.shape[1] != 3", "image.shape[1] < 3"),
    "it lets a size pass": ("h < 3", "h < 2"),
    "it is not called": ("        check_sizes(image)\n", ""),
    "it is called later": ("        check_sizes(image)\n", "        self.conv\n        check_sizes(image)\n"),
    "it refuses a size": ("if h < 3", "if h == 100 or h < 3"),
    "it refuses all sizes from some on": ("if h < 3", "if h > 4000 or h < 3"),
    "it refuses a multiple": ("if h < 3", "if h % 50 == 0 or h < 3"),
    "it refuses a square": ("if h < 3", "if h == w == 17 or h < 3"),
}

# What is changed of the text, and is another way to write the same.
HARMLESS = {
    "a formula": ("nn.MaxPool2d(3, stride=1, padding=1)", "nn.MaxPool2d(7 - 4, stride=1, padding=1)"),
    "a default that is written out": ("self.head = nn.Conv2d(8, 2, 1)", "self.head = nn.Conv2d(8, 2, 1, stride=1)"),
    "a variable": ("again: Tensor = self.head(self.less(tail))", "y = self.less(tail)\n        again = self.head(y)"),
    "the sides of a sum": (
        "return F.relu(self.conv2(y) + self.down(x), inplace=True)",
        "y = self.conv2(y)\n        return F.relu(self.down(x) + y, inplace=True)",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed(name: str) -> None:
    assert_noticed(SPEC, *CHANGES[name])


@pytest.mark.parametrize("name", OVERWRITING)
def test_what_runs_in_place_overwrites_nothing_that_is_needed(name: str) -> None:
    assert_noticed(IN_PLACE, *OVERWRITING[name])


@pytest.mark.parametrize("name", PLACING)
def test_placement(name: str) -> None:
    assert_noticed(DEVICES, *PLACING[name])


@pytest.mark.parametrize("name", REACHED)
def test_submodules_that_go_by_their_positions(name: str) -> None:
    assert_noticed(ITEMS, *REACHED[name])


def test_without_devices_a_value_that_moves_is_the_same_memory() -> None:
    spec = "network Net { input x: [3, H=8, W=8]; a = conv(4, 1); b = relu on gpu(1); add(a, b) }"
    old, new = "F.relu(a.to(device=gpu1))", "F.relu(a.to(device=gpu1), inplace=True)"
    assert_noticed(spec, old, new, "overwritten in place")


@pytest.mark.parametrize("name", HARMLESS)
def test_other_words_for_the_same(name: str) -> None:
    old, new = HARMLESS[name]
    assert old in emitted(SPEC)
    check(emitted(SPEC).replace(old, new))


EQUAL = """
network Net {
  input x: [4, H=8, W=8]
  y = conv(4, 1) on gpu(1)
  add(x, y) on gpu(2)
  add(y, x)
}
"""


# Both copies of its input are given to the shared block, whose code takes them in one order.
SHARED = """
block b { add { relu -> sigmoid on gpu(0); conv(4, 1) on gpu(1) } }
network Net {
  input x: [4, H=8, W=8]
  shared h = b
  u = h
  y = conv(4, 1) on gpu(1)
  h
}
"""


OWN_NAMES = """
block b { origin = conv(4, 1); residual { conv(4, 1) } }
network Net { input x: [3, H=8, W=8]; world = b; h = { repeat 2 { relu }; world = conv(2, 1); observer = relu } }
"""


@pytest.mark.parametrize(
    "spec",
    [SPEC, DEVICES, IN_PLACE, ITEMS, OWN_NAMES, EQUAL, SHARED],
    ids=[
        "all",
        "devices",
        "in place",
        "positions",
        "labels",
        "equal sums, one unread",
        "shared, from values on two devices",
    ],
)
def test_the_text_as_it_is(spec: str) -> None:
    check(emitted(spec), spec)


def test_a_difference_is_an_internal_error_and_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    emit = torch.emit
    monkeypatch.setattr(torch, "emit", lambda *args, **kwargs: emit(*args, **kwargs).replace("self.bn1", "self.bn"))
    with pytest.raises(InternalError, match=r"in `stage1`: there is no submodule `bn1`[\s\S]*report it"):
        Compilation.from_text(SPEC, "net.arch").compile()


def test_the_command_line_writes_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emit = torch.emit
    monkeypatch.setattr(torch, "emit", lambda *args, **kwargs: emit(*args, **kwargs).replace("self.bn1", "self.bn"))
    spec = tmp_path / "net.arch"
    spec.write_text(SPEC)
    assert main(["compile", str(spec), "-o", str(tmp_path / "net.py")]) == 70
    assert capsys.readouterr().err.startswith("internal error: the code made for `Net` is not the network")
    assert [path.name for path in tmp_path.iterdir()] == ["net.arch"]


@pytest.mark.parametrize("name", GUARD)
def test_a_guard_refuses_what_is_not_accepted(name: str) -> None:
    old, new = GUARD[name]
    spec = Compilation.from_text("network Net { input image: [3, H=8, W=8]; conv(4, 3) }")
    text, network = spec.compile(guard=True), spec.network()
    Validation(text, network, guarded=True).check(network, {})
    assert old in text
    with pytest.raises(Mismatch):
        Validation(text.replace(old, new), network, guarded=True).check(network, {})


def test_a_guard_knows_the_last_size() -> None:
    spec = Compilation.from_text(
        "network Net { input x: [3, H=8, W=8]; input y: [3, 25, 25]; upsample(scale=2) -> crop(to=x) }"
    )
    text, network = spec.compile(guard=True), spec.network()
    Validation(text, network, guarded=True).check(network, {})
    assert "h >= 51" in text
    with pytest.raises(Mismatch, match=r"51, 8.* pass"):
        Validation(text.replace("h >= 51", "h >= 3 * 18"), network, guarded=True).check(network, {})


def test_a_guard_accepts_sizes_that_go_together() -> None:
    spec = Compilation.from_text(
        "network Net { input x: [3, H=8, W=8]; input y: [3, K=16, L=16]; small = y -> maxpool(2); add(small, x) }"
    )
    text, network = spec.compile(guard=True), spec.network()
    Validation(text, network, guarded=True).check(network, {})
    assert "h != k // 2" in text
    with pytest.raises(Mismatch, match=r"refuses inputs of .*64"):
        Validation(text.replace("h != k // 2", "h == 64 or h != k // 2"), network, guarded=True).check(network, {})


STARTS = "block b(w) { conv(w, 1); init conv: normal(std=1 / w) }\nnetwork Net { input x: [3, H=8, W=8]; b(4) }"


@pytest.mark.parametrize(("std", "wrong"), [("1 / w", set()), ("0.25", {"w"})])
def test_starting_weights_of_a_block_with_other_arguments(std: str, wrong: set[str]) -> None:
    spec = Compilation.from_text(STARTS)
    text, network = spec.compile(), spec.network()
    assert "std=1 / w" in text
    validation = Validation(text.replace("std=1 / w", f"std={std}"), network, torch.SUPPORTS)
    validation.check(network, {})
    assert {name for _, name in wrong_block_parameters(validation, spec.definition(), network, Memo())} == wrong


def test_a_shape_rule_that_is_another_for_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shapes that were checked are those that a layer gives at the very sizes."""
    shape = Maxpool.shape

    def wrong(self: Maxpool, need: Need, *inputs: Shape) -> Shape:
        channels, *sizes = shape(self, need, *inputs)
        return channels, *(size + isinstance(size, int) for size in sizes)

    spec = "network Net { input x: [3, H=8, W=8]; maxpool(2) }"
    text, network = emitted(spec), Compilation.from_text(spec).network()
    monkeypatch.setattr(Maxpool, "shape", wrong)
    with pytest.raises(Mismatch, match=r"`maxpool` gives .* where .* was checked"):
        Validation(text, network).check(network, {})


def test_the_defaults_are_the_settings() -> None:
    text = Compilation.from_text(SPEC).compile(settings={"width": 8})
    network = Compilation.from_text(SPEC).network(width=8)
    assert "width: int = 8" in text
    wrong = Validation(text.replace("width: int = 8", "width: int = 4"), network, torch.SUPPORTS)
    wrong.check(network, {"width": 8})
    with pytest.raises(Mismatch, match="`stem` is"):
        wrong.check(network, {})


def test_a_compilation_with_settings_checks_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    emit = torch.emit
    monkeypatch.setattr(
        torch, "emit", lambda *args, **kwargs: emit(*args, **kwargs).replace("width: int = 8", "width: int = 4")
    )
    with pytest.raises(InternalError, match="`stem` is"):
        Compilation.from_text(SPEC).compile(settings={"width": 8})
