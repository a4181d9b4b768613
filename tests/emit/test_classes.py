"""One class for several uses: each use gets its own numbers."""

from __future__ import annotations

import cProfile
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from emitted import execute
from torch import nn

import archdsl.layers
from archdsl.compiler import Compilation
from archdsl.diagnostics import Sink
from archdsl.emit import torch as torch_code
from archdsl.graph.model import Apply, Call, Scope, walk, weight_table
from archdsl.layers.helpers import HELPERS
from archdsl.layers.initialisers import INITIALISERS
from archdsl.passes.elaborate import elaborate


def built(text: str, **arguments: Any) -> nn.Module:
    """The module of the network `Net`; raises AssertionError unless its parameters are those that were checked."""
    spec = Compilation.from_text(text)
    assert spec.ok, spec.diagnostics
    module: nn.Module = execute(spec.compile("Net"))["Net"](**arguments)
    checked = dict(weight_table(spec.network("Net", **arguments).scope))
    assert {name: tuple(p.shape) for name, p in module.named_parameters()} == checked
    return module


GROUPS = [
    "body = concat { conv(w, 1); conv(w, 3, padding=1) }",
    "body = residual { conv(w, 1) -> conv(in.channels, 1) }",
    "body = { residual { conv(w, 1) } project }",
    "body = { conv(w, 1); a, b = chunk(2); concat(b, a) }",
    "body = { conv(w, 1) -> reshape([w // 2, 2, -1]) -> permute([1, 0, 2]); residual { tanh } }",
    "for i in 1..3 { stage[i] = { body = { residual { conv(i * w, 1) } project; conv(w, 1) } } }",
    "for i in 1..2 { for j in 1..2 { body[i][j] = gate { conv(i + j, 1) -> conv(1, 1) } } }",
    "for i in 1..3 { if i < 3 { conv(i * w, 1) } else { relu }; body[i] = { mul { tanh; conv(in.channels, 1) } } }",
]


@pytest.mark.parametrize("body", GROUPS)
def test_a_group_in_a_block_at_two_widths(body: str) -> None:
    again = "" if "reshape" in body else "output c = b -> cn(4)"
    module = built(
        f"block cn(w) {{ {body} }}\n"
        f"network Net {{ input x: [3, H=8, W=8]; a = cn(4); b = x -> cn(6); output a; output b; {again} }}"
    )
    with torch.no_grad():
        module(torch.zeros(1, 3, 8, 8))


MERGED = {
    "a loop without a turn": (
        "block c(i) { conv(in.channels, 1) -> dropout(0.1 * i) }\n"
        "block b(w, n) { conv(w, 1); for i in 1..n - 1 { c(i) } }",
        "b(4, 1); b(5, 3); b(6, 2)",
        2,
    ),
    "a loop in a group": (
        "block b(w, n) { body = { conv(w, 1); repeat n - 1 { conv(w, 1) -> relu } }; residual { conv(w, 1) } }",
        "b(4, 3); b(5, 1); b(6, 2)",
        1,
    ),
    "only such loops": ("block b(w, n) { conv(w, 1); repeat n - 1 { conv(w, 1) -> relu } }", "b(4, 1); b(5, 1)", 1),
    "cases of a group": (
        "block b(w, big=true) { body = { if big { conv(w, 3) } else { conv(w, 1) }; relu }; gate { conv(w, 1) } }",
        "b(4); b(5, big=false); b(6)",
        1,
    ),
    "a case that changes the channels": (
        "block b(w, e) { let n = e * in.channels; if e > 1 { conv(n, 1) }; conv(n, 1, groups=n); conv(w, 1) }",
        "b(4, 1); b(5, 2); b(6, 3)",
        1,
    ),
    "two of them, and a loop": (
        "block b(e, k, n) { if e > 1 { conv(e * in.channels, 1) }; if k > 1 { conv(k, 1) } else { relu }\n"
        "repeat n { conv(2 + in.channels, 1) }; batchnorm }",
        "b(1, 1, 2); b(3, 5, 1); b(2, 1, 3); b(1, 7, 2)",
        1,
    ),
    "a case in a case": (
        "block b(e, k) { if e > 1 { conv(e, 1); if k > 1 { conv(e * k, 1) } } else { relu }; conv(in.channels, 1) }",
        "b(1, 1); b(3, 1); b(2, 4)",
        1,
    ),
    "one case at several numbers": ("block b(w, s) { if s > 1 { maxpool(s) }; conv(w, 1) }", "b(4, s); b(8, 2)", 1),
    "one that changes the channels": (
        "block b(e) { if e > 1 { conv(e * in.channels, 1) }; batchnorm }",
        "b(4); b(3); b(2)",
        1,
    ),
    "two of them": (
        "block b(e, k) { if e > 1 { conv(e * in.channels, 1) }; if k > 1 { conv(k + in.channels, 1) -> relu }\n"
        "conv(2, 1) }",
        "b(s, 2); b(3, 5); b(2, s)",
        1,
    ),
    "a skip that some uses have": (
        "block b(w, stride=1) { if stride == 1 and in.channels == w { residual { body = conv(w, 3, padding=1) -> relu\n"
        "conv(w, 1) } } else { body = conv(w, 3, stride=stride, padding=1) -> relu } }\n"
        "block stage(w, n, stride) { b(w, stride=stride); repeat n - 1 { b(w) } }",
        "stage(4, 1, 1); stage(8, 3, 2); stage(8, 2, 1); stage(s, 2, s)",
        2,
    ),
    "a case in a skip": (
        "block b(w, norm=true) { residual { conv(w, 3, padding=1); if norm { batchnorm }; relu } project; tanh }",
        "b(4); b(4, norm=false); b(s)",
        1,
    ),
    "a labelled case": (
        "block b(w, norm=true) { conv = conv(w, 3); if norm { norm_ = batchnorm; relu } else { tanh }; gelu }",
        "b(4); b(4, norm=false); b(s)",
        1,
    ),
    "two cases in a forward": (
        "block b(w, big=true, act=false) { if big { a = conv(w, 3) } else { a = conv(w, 1) }\n"
        "gate { conv(w, 1) -> sigmoid }; if act { relu } }",
        "b(4); b(5, act=true); b(s, big=false)",
        1,
    ),
    "a case that asks for a further input": (
        "block b(w, skip: value) { if skip.channels > 4 { conv(w, 1) } else { conv(w, 3, padding=1) }\n"
        "y = residual { conv(w, 1) }; concat(y, skip) }",
        "u = conv(5, 1); v = conv(2, 1); conv(2, 1); b(2, v); b(4, u); b(s, u)",
        2,
    ),
    "a case in a group": (
        "block b(w, s) { body = { if s > 1 { maxpool(s) }; conv(w, 1) }; residual { conv(w, 1) } }",
        "b(4, s); b(8, 2)",
        1,
    ),
}


@pytest.mark.parametrize("name", MERGED)
def test_uses_of_one_block_are_one_class(name: str) -> None:
    blocks, body, classes = MERGED[name]
    text = f"{blocks}\nnetwork Net(s=4) {{ input x: [3, H=8, W=8]; {body} }}"
    assert Compilation.from_text(text).compile().count("\nclass ") == classes + 1
    for arguments in ({}, {"s": 2}, {"s": 1}) if re.search(r"\bs\b", body) else ({},):
        with torch.no_grad():
            built(text, **arguments)(torch.zeros(1, 3, 8, 8))


NAMES = [
    "network Net { input x: [4, H=8, W=8]; v1 = { one = conv(4, 1); v2 = { two = conv(5, 1); conv(6, 1) } } }",
    "block b(w=4) { conv(w, 1); conv(3, 1) on gpu(1) }\nnetwork Net { input x: [4, H=8, W=8]; b(w=3) }",
    "block blk(c) { conv(c, 1) }\nnetwork Net(Blk=8) { input x: [4, H=8, W=8]; blk(Blk); conv(Blk, 1) }",
    "block b(len, len_, i) { conv(len, 1); for i_ in 1..2 { conv(len_ * i_, 1) }; conv(i, 1) }\n"
    "network Net { input x: [4, H=8, W=8]; b(2, 3, 4); b(5, 6, 4) }",
    "block b(OrderedDict, crop_map) { g = { a = conv(OrderedDict, 1); b = relu }; h = conv(crop_map, 3)\n"
    "g -> crop(to=h) }\n"
    "network Net { input x: [4, H=8, W=8]; conv(4, 3); p = b(2, 3) }",
    "block b(n) { for in_channels in 1..n { conv(in_channels, 1) -> relu } }\n"
    "network Net { input x: [4, H=8, W=8]; b(2); b(3) }",
    "network Net { input x: [4, H=8, W=8]; NetOutput = conv(2, 1); output scores = relu\n"
    "output logits = NetOutput -> relu }",
    "block b { output first = selu }\n"
    "network Net { input x: [4, H=8, W=8]; NetOutput = { encoder = b; mish }; output scores = sigmoid\n"
    "output logits = NetOutput.encoder.first }",
    "network Net { input x0: [4, H=8, W=8]; g = { for channels in 1..2 { conv(in.channels + channels, 1) -> relu } } }",
    "network Net(Net=4) { input x: [4, H=8, W=8]; conv(Net, 1) }",
    "network Net { input F_: [4, H=8, W=8]; input F: [4, H, W]; relu = add(F, F_)\n"
    "conv(4, 1); x2 = tanh(); add(x2, relu) }",
    "network Net(n=6, k=1) { input x: [4, H=8, W=8]; out = residual {\n"
    "n59 = { conv(k + 2, k); block1 = conv(n, 1) -> relu }; conv(4, 1) } }",
]


@pytest.mark.parametrize("text", NAMES)
def test_names_that_meet(text: str) -> None:
    """Parameters, loops, labels, classes and the file's own names: none takes another's place."""
    module = built(text)
    images = [torch.zeros(1, 4, 8, 8)] * (2 if text.count("input ") == 2 else 1)
    with torch.no_grad():
        module(*images)


POSITIONS = [
    ("block b { conv(4, 1); relu; m = conv(5, 1); conv(6, 1) }", "g = b; concat(g.m, g)"),  # it gives two values
    ("block b { conv(4, 1); relu; m = conv(5, 1); conv(6, 1) on gpu(1) }", "b"),
    ("block b { conv(4, 1); relu; conv(5, 1); crop(to=in); conv(2, 1) }", "g = b; init g.4: zeros"),
    ("block c { conv(4, 1); repeat 2 { conv(4, 1); crop(to=in) } }\nblock b { c; dropout(0.1); batchnorm }", "b"),
    ("", "p = maxpool(2); g = { conv(3, 1); norm = batchnorm; conv(3, 1); max_unpool(p) }"),
]


@pytest.mark.parametrize(("blocks", "body"), POSITIONS)
def test_layers_that_go_by_their_positions_beside_a_forward(blocks: str, body: str) -> None:
    """They are items of their class, and in the `state_dict` as everywhere."""
    text = f"{blocks}\nnetwork Net {{ input x: [3, H=8, W=8]; {body} }}"
    made = Compilation.from_text(text).compile()
    assert 'self["0"](' in made
    assert "get_submodule" not in made
    with torch.no_grad():
        built(text)(torch.zeros(1, 3, 8, 8))


CONTAINERS = [
    "g = { append = conv(4, 1); relu; conv(5, 1) }",
    "g = { pop = conv(4, 1); insert = relu }",
    "g = { keys = conv(4, 1); relu; values = conv(5, 1); crop(to=in); conv(2, 1) }",
    "g = conv(3, 1) -> { items = conv(4, 1) } -> relu",
    "g = { _get_item_by_idx = conv(4, 1); relu; conv(5, 1) }",
    "for i in 1..2 { g[i] = { for j in 1..2 { update[j] = conv(3, 1) }; clear = conv(3, 1) } }",
]


@pytest.mark.parametrize("body", CONTAINERS)
def test_labels_that_containers_have_for_something_else(body: str) -> None:
    with torch.no_grad():
        built(f"network Net {{ input x: [3, H=8, W=8]; {body} }}")(torch.zeros(1, 3, 8, 8))


def test_an_input_that_python_keeps_is_refused() -> None:
    spec = Compilation.from_text("network Net { input __debug__: [4, H, W]; relu }")
    assert [each.code for each in spec.diagnostics] == ["E0105"]


@pytest.mark.parametrize("name", sorted(HELPERS))
def test_a_network_is_not_called_as_what_its_file_brings_along(name: str) -> None:
    spec = Compilation.from_text(f"network {name} {{ input x: [4, H, W]; relu }}")
    assert [each.code for each in spec.diagnostics] == ["E0105"]


def test_all_that_files_bring_along_is_known() -> None:
    sources = [path.read_text() for path in Path(archdsl.layers.__file__).parent.rglob("*.py")]
    brought = {name for text in sources for name in re.findall(r"SUPPORT = '''\s*(?:def|class) (\w+)\(", text)}
    assert brought | {made.function for made in INITIALISERS.values() if made.support} == HELPERS


def leaves(scope: Scope) -> Iterator[Any]:
    """The layers of a scope and of those inside."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from leaves(item.scope)
        elif isinstance(item, Apply):
            yield item


# Specs, and arguments for their networks: those that a class offers have to be right.
ARGUMENTS: list[tuple[str, dict[str, Any], bool]] = [
    ("network Net(w=4) { input x: [3, H=8, W=8]; conv(max(w, 8), 1); conv(min(w, 8) * 2, 1) }", {"w": 20}, True),
    ("network Net(w=4) { input x: [3, H=8, W=8]; conv(floor(w / 3) + 1, 1); conv(ceil(w * 1.4), 1) }", {"w": 7}, True),
    ("network Net(w=4) { input x: [3, H=8, W=8]; conv(round(w * 1.5) // 2 * 2, 1) -> dropout(1 / w) }", {"w": 9}, True),
    ("network Net(w=20) { input x: [3, H=8, W=8]; let d = w // 10; repeat d + 1 { conv(4, 1) } }", {"w": 30}, False),
    ("network Net(w=20) { input x: [3, H=8, W=8]; let big = w > 10; if big { conv(4, 1) } }", {"w": 3}, False),
    (
        'network Net(k="a") { input x: [3, H=8, W=8]; if k == "a" { conv(4, 1) } else { conv(5, 1) } }',
        {"k": "b"},
        False,
    ),
    (
        "network Net(w=[2]) { input x: [3, H=8, W=8]; residual { conv(len(w), 1) } project conv(len(w), 1) }",
        {"w": [1, 1, 1]},
        True,
    ),
    ("network Net(n=2) { input x: [4, H=8, W=8]; conv(4, 1) -> reshape([n, -1]) -> permute([1, 0]) }", {"n": 4}, False),
    ("network Net(w=[2, 4]) { input x: [3]; linear(w[-1], bias=len(w) % 2 == 1) }", {"w": [2, 4, 3]}, True),
    (
        "network Net(w=4) { input x: [3, H=8, W=8]; conv(2 * w, 1); a, b = chunk(2); mul(a, b); conv(in.channels, 1) }",
        {"w": 7},
        True,
    ),
    (
        "network Net(w=4) { input x: [3, H=8, W=8]; for i in 1..3 { conv(w * i, 1) -> dropout(0.1 * i / w) } }",
        {"w": 7},
        True,
    ),
    (
        "block b(w) { if w > 4 { conv(w, 1) } else { conv(w, 3, padding=1) } }\n"
        "network Net(w=8) { input x: [3, H=8, W=8]; b(w) }",
        {"w": 3},
        False,
    ),
    (
        "block b(w) { if w > 4 { conv(w, 1) } else { conv(w, 3, padding=1) } }\n"
        "network Net(w=8) { input x: [3, H=8, W=8]; b(2); b(w) }",
        {"w": 3},
        True,
    ),
    (
        "block stage(d) { repeat d { conv(in.channels + 2, 1) } }\n"
        "network Net(d=2) { input x: [3, H=8, W=8]; stage(d); conv(4, 1) }",
        {"d": 4},
        False,
    ),
    (
        "block stage(d) { repeat d { conv(in.channels, 1) } }\n"
        "network Net(d=2) { input x: [6, H=8, W=8]; stage(d); conv(4, 1) }",
        {"d": 4},
        True,
    ),
    (
        "block unit(s) { residual { conv(in.channels, 3, stride=s, padding=1) } project }\n"
        "network Net(s=2) { input x: [6, H=8, W=8]; unit(s) }",
        {"s": 1},
        True,
    ),
    (
        "block unit(w, s, k=3) { residual { conv(w, k, stride=s, padding=k // 2) -> conv(w, 1) } project }\n"
        "network Net(s=2, k=3, w=4) { input x: [6, H=8, W=8]; unit(w, s, k=k) }",
        {"s": 1, "k": 5, "w": 6},
        True,
    ),
    ("network Net(w=4) { input x: [6, H=8, W=8]; residual { conv(w, 1) } project }", {"w": 6}, True),
    (
        "block down(s) { maxpool(1, stride=s) -> conv(6, 1) }\n"
        "network Net(s=2) { input x: [6, H=8, W=8]; residual { down(s) -> conv(6, 3, stride=s, padding=1) } project }",
        {"s": 3},
        True,
    ),
    ("network Net(g=0) { input x: [6, H=8, W=8]; conv(4, 1) on gpu(g) }", {"g": 1}, False),
    (
        "network Net(n=2, w=2 * n, v=w + 1) { input x: [3, H=8, W=8]; conv(v, 1); init conv: normal(std=1 / w) }",
        {"n": 5},
        True,
    ),
    ("network Net(n=2, w=2 * n, v=w + 1) { input x: [3, H=8, W=8]; conv(v, 1) }", {"n": 5, "v": 3}, True),
    ("network Net(n=2, w=2 * n) { input x: [3, H=8, W=8]; if w > 2 { conv(n, 1) } }", {"n": 1}, False),
    ("network Net(i=1) { input x: [6, H=8, W=8]; a[i] = conv(4, 1) }", {"i": 3}, False),
    (
        "network Net(p=0.5) { input x: [6, H=8, W=8]; conv(4, 1) -> dropout(p); init conv: normal(std=p / 2) }",
        {"p": 0.25},
        True,
    ),
    (
        'network Net(m="reflect") { input x: [3, H=9, W=9]; pad(1, mode=m); conv(4, 3, padding_mode=m) }',
        {"m": "circular"},
        False,
    ),
    (
        "network Net(w=4) { input x: [3, 3, 3]; let b = w > 9; for i in 0..1 { conv(w + i, 1, bias=i == 1 and b) } }",
        {"w": 100},
        False,
    ),
    (
        "block b(v, w, u=v == w) { conv(v, 1, bias=u); conv(w, 1) }\n"
        "network Net(v=4, w=4) { input x: [3, 3, 3]; b(v, w) }",
        {"v": 3},
        True,
    ),
    (
        "block b(v, t: value, u=v > 3) { conv(v, 1, bias=u) }\nnetwork Net(v=4) { input x: [3, 3, 3]; b(v, x) }",
        {"v": 3},
        True,
    ),
    (
        "block b(z, y, x=y == true) { conv(z, 1, bias=x) }\nnetwork Net(z=4) { input x: [3, 3, 3]; b(z, z > 3) }",
        {"z": 2},
        True,
    ),
    (
        "block b(w) { conv(w, 1); linear: [_, _, _] = conv(2, 1, bias=w > 3) }\n"
        "network Net(w=4) { input x: [3, 3, 3]; g = { let c = true; conv(2, 1, bias=c); relu }; let c = w; b(c) }",
        {"w": 2},
        True,
    ),
    (
        "network Net(w=6) { input x: [2, 2, 2]; residual { conv(w, 1) } project conv(w, 1); conv(2, 1) }",
        {"w": 2},
        False,
    ),
    ("network Net(w=[]) { input x: [3]; linear(sum(w) + 1) }", {"w": [1, 2]}, True),
    (
        'block b(z, y=z == "zeros") { conv(3, 1, bias=y); conv(4, 3, padding=1, padding_mode=z) }\n'
        'network Net(z="zeros") { input x: [3, H=8, W=8]; b(z); b("reflect") }',
        {"z": "circular"},
        True,
    ),
    (
        "block b(z, y=z > 9, x=not y) { conv(z, 1, bias=x) }\nnetwork Net(z=4) { input x: [3, 3, 3]; b(z) }",
        {"z": 10},
        False,
    ),
    (
        "network Net(k=2) { input x: [3, 9]; maxpool(k, stride=2, ceil=true); conv(2, 1) -> flatten -> linear(2) }",
        {"k": 3},
        True,
    ),
    ("network Net(s=1) { input x: [4, 8, 8]; maxpool(2, stride=s); flatten; linear(3) }", {"s": 2}, True),
]


@pytest.mark.parametrize(("text", "arguments", "offered"), ARGUMENTS)
def test_a_class_offers_what_it_is_right_for(text: str, arguments: dict[str, Any], offered: bool) -> None:
    spec = Compilation.from_text(text)
    assert spec.ok, spec.diagnostics
    graph = elaborate(spec.definition("Net"), {}, Sink(), trace=True)
    assert graph is not None
    names = execute("import math\nimport torch\nfrom collections.abc import Sequence\nfrom torch import Tensor, nn\n")
    exec(torch_code.body(graph, torch_code.decided(graph)), names)
    made = names["Net"]
    assert (set(arguments) <= set(inspect.signature(made).parameters)) is offered
    if not offered:
        return
    module = made(**arguments)
    network = spec.network("Net", **arguments)
    assert {name: tuple(p.shape) for name, p in module.named_parameters()} == dict(weight_table(network.scope))
    rates = [each.p for each in module.modules() if isinstance(each, nn.Dropout)]
    assert rates == [item.layer.p for item in leaves(network.scope) if item.layer.name == "dropout"]


@pytest.mark.parametrize(
    "text",
    [
        "block b { relu; for j in 1..1 { if true { } else if false { } } }\nnetwork Net { input x: [4, H=8, W=8]; b }",
        "block b { conv(4, 3, padding=1); left, right = chunk(2); mul(right) }\n"
        "network Net { input x: [4, H=8, W=8]; net = { b }; again = b; again.right }",
    ],
    ids=["a loop over nothing", "a block in a sequence that gives several values elsewhere"],
)
def test_what_once_made_no_module(text: str) -> None:
    with torch.no_grad():
        built(text)(torch.zeros(1, 4, 8, 8))


def test_a_case_that_no_instance_takes_is_in_no_class_that_offers_what_decides_it() -> None:
    spec = Compilation.from_text(
        "block b(w) { if w > 4 { conv(w, 1) } else { conv(w, 3, padding=1) } }\n"
        "network Net { input x: [3, H=8, W=8]; b(8); b(16); b(8) }"
    )
    names = execute(spec.compile())
    assert [list(inspect.signature(names[name]).parameters) for name in ("B", "B2")] == [["in_channels"]] * 2
    assert "B3" not in names


def test_two_bodies_with_a_let_of_one_name() -> None:
    built(
        "network Net(k=4) { input x: [4, H=8, W=8]\n"
        "concat { { let q = k > 3; conv(k, 1, bias=q) }; { let q = k > 4; conv(k, 1, bias=q) } } }"
    )


def test_a_projection_is_not_tested_by_a_parameter_that_became_a_number() -> None:
    built(
        "block mix(window, k, wide=4) { residual { conv(k + 3, 5, padding=2) -> slice(3)\n"
        "conv((wide + 5) // 3 + 1, k, padding=k // 2) } project }\n"
        "network Net { input x: [2, L=8]; conv(4, 1); mix(1, k=1); mix(2, k=3, wide=2) }"
    )


def calls(parameters: int) -> int:
    """How many calls of functions the emission of a network with so many parameters takes."""
    names = [f"p{i}" for i in range(parameters)]
    spec = Compilation.from_text(
        f"network Net({', '.join(f'{name}=4' for name in names)}) {{ input x: [4, H=8, W=8]\n"
        + "\n".join(f"conv({name}, 1)" for name in names)
        + "\n}"
    )
    graph = elaborate(spec.definition("Net"), {}, Sink(), trace=True)
    assert graph is not None
    profile = cProfile.Profile()
    profile.runcall(torch_code.body, graph, frozenset())
    return sum(each.callcount for each in profile.getstats())


def test_emission_is_linear_in_parameters() -> None:
    assert calls(200) < 3 * calls(100)
