"""Comparing networks: which layer is which, and what is said to differ."""

from __future__ import annotations

import time

import pytest

from archdsl.compare import Difference, compare
from archdsl.compiler import Compilation

BASE = """network N {
  input x: [3, H=32, W=32]
  first = conv(8, 3, padding=1)
  relu
  second = conv(8, 3, padding=1)
  relu
  global_avgpool
  flatten
  fc = linear(10)
}
"""


def differ(before: str, after: str) -> Difference:
    one, other = Compilation.from_text(before), Compilation.from_text(after)
    return compare(one.network(), other.network())


def changed(before: str, after: str) -> dict[str, dict[str, tuple[str, str]]]:
    """The facts of every changed layer, where nothing was added, removed or renamed."""
    found = differ(before, after)
    assert not (found.added or found.removed or found.renamed)
    return {c.after.name: {fact.name: (fact.before, fact.after) for fact in c.facts} for c in found.changed}


def shipped(before: str, after: str) -> Difference:
    return compare(*(Compilation.from_path(f"specs/{name}.arch").network() for name in (before, after)))


@pytest.fixture(autouse=True)
def _at_root(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    monkeypatch.chdir(pytestconfig.rootpath)


def test_comments_descriptions_claims_and_plain_names_make_no_difference() -> None:
    other = BASE.replace("network N {", 'network Other {\n  """A description."""  # and a comment')
    other = other.replace("  relu\n  second", "  act = relu\n  second").replace("}", "  expect shape == [10]\n}")
    assert differ(BASE, other).equal
    assert differ(BASE, BASE.replace("input x", "input image")).face


@pytest.mark.parametrize(
    ("old", "new", "name", "facts"),
    [
        ("first = conv(8, 3, padding=1)", "first = conv(8, 5, padding=2)", "first",
         {"kernel": ("3x3", "5x5"), "padding": ("1x1", "2x2")}),
        ("first = conv(8, 3, padding=1)", "first = conv(8, 3x3, padding=1, bias=false)", "first",
         {"bias": ("true", "false")}),
        ("linear(10)", "linear(10)\n  init fc.bias: zeros", "fc", {"start of bias": ("PyTorch's own", "zeros")}),
        ("first = conv(8, 3, padding=1)", "first = conv(8, 3, padding=1) on gpu(1)", "first",
         {"device": ("any", "gpu 1")}),
    ],
)  # fmt: skip
def test_what_is_written_otherwise(old: str, new: str, name: str, facts: dict[str, tuple[str, str]]) -> None:
    assert changed(BASE, BASE.replace(old, new))[name] == facts


def test_what_runs_in_training_only() -> None:
    one = "network N { input x: [4, 8, 8]; a = conv(4, 1); training { output aux = a -> conv(2, 1) }; conv(4, 1) }"
    found = differ(one, one.replace("training { output aux = a -> conv(2, 1) }", "output aux = a -> conv(2, 1)"))
    facts = {c.after.name: [(f.name, f.before, f.after) for f in c.facts] for c in found.changed}
    assert facts == {"aux": [("runs", "in training", "always")], "conv": [("reads", "a", "aux")]}  # it flows on now


def test_the_init_rule_that_wins() -> None:
    """The outer one that names the layer; a rule that another overrules makes no difference."""
    text = "block b { conv(4, 1); init conv.weight: zeros }\nnetwork N { input x: [4, 8, 8]; body = b() }"
    assert differ(text, text.replace("b() }", "b(); init conv.weight: ones }")).equal
    outer = text.replace("b() }", "b(); init body.0.weight: ones }")
    assert changed(text, outer) == {"body.0": {"start of weight": ("zeros", "ones")}}
    assert differ(outer, outer.replace("zeros", "orthogonal")).equal


def test_a_kernel_written_for_each_axis_is_the_same_kernel() -> None:
    assert differ(BASE, BASE.replace("conv(8, 3, padding=1)", "conv(8, 3x3, padding=1x1)")).equal


def test_what_follows_from_a_change_is_told_from_the_change() -> None:
    found = differ(BASE, BASE.replace("first = conv(8", "first = conv(16"))
    assert [c.after.name for c in found.changed] == ["first"]
    assert [c.after.name for c in found.resized] == ["relu", "second"]
    first, second, fc = 3 * 9 * 8 + 8, 8 * 9 * 8 + 8, 8 * 10 + 10
    assert found.totals["parameters"] == (first + second + fc, 2 * first + (second + 8 * 9 * 8) + fc)


def test_a_renamed_module_is_the_same_module() -> None:
    found = differ(BASE, BASE.replace("second", "last"))
    assert [(c.before.name, c.after.name) for c in found.renamed] == [("second", "last")]
    assert not (found.added or found.removed or found.changed or found.resized)
    assert not found.equal


def test_a_block_around_layers_renames_them() -> None:
    block = "block body { first = conv(8, 3, padding=1); relu; second = conv(8, 3, padding=1); relu }\n"
    start, end = BASE.index("  first"), BASE.index("  global")
    found = differ(BASE, block + BASE[:start] + "  stem = body()\n" + BASE[end:])
    assert [(c.before.name, c.after.name) for c in found.renamed] == [
        ("first", "stem.first"),
        ("second", "stem.second"),
    ]
    assert not (found.added or found.removed or found.changed)


def test_layers_in_another_order() -> None:
    one = "network N { input x: [4, 8, 8]; a = conv(4, 3, padding=1); b = conv(4, 1) }"
    other = "network N { input x: [4, 8, 8]; b = conv(4, 1); a = conv(4, 3, padding=1) }"
    found = differ(one, other)
    assert not (found.added or found.removed)
    assert {c.after.name: [f.name for f in c.facts] for c in found.changed} == {"b": ["reads"], "a": ["reads"]}


def test_what_a_layer_reads() -> None:
    one = "network N { input x: [4, 8, 8]; a = conv(4, 1); b = conv(4, 1); c = conv(4, 1); add(a, c) }"
    facts = changed(one, one.replace("add(a, c)", "add(b, c)"))
    assert facts == {"add": {"reads": ("a, c", "b, c")}}


def test_a_skip_around_layers_is_one_addition() -> None:
    inner = "  second = conv(8, 3, padding=1)\n"
    found = differ(BASE, BASE.replace(inner, f"  residual {{\n  {inner}  }}\n"))
    assert [found.after[j].kind for j in found.added] == ["residual"]
    assert not (found.removed or found.changed)


def test_another_output_of_the_same_layers() -> None:
    one = "network N { input x: [4, 8, 8]; a = conv(4, 1); output p = a; b = conv(4, 1); output q = b }"
    found = differ(one, one.replace("p = a", "t = a").replace("output q = b", "output p = b").replace("t = a", "q = a"))
    assert [fact.name for fact in found.face] == ["outputs"]
    swapped = "network N { input x: [4, 8, 8]; a = conv(4, 1); b = conv(4, 1); output p = b; output q = a }"
    assert [fact.name for fact in differ(one, swapped).face] == ["output p is made by", "output q is made by"]


def test_shared_weights() -> None:
    one = "network N { input x: [4, 8, 8]; shared a = conv(4, 1); a; a }"
    found = differ("network N { input x: [4, 8, 8]; a = conv(4, 1); conv(4, 1) }", one)
    assert [[fact.name for fact in change.facts] for change in found.changed] == [["weights"]]
    assert differ(one, one).equal


def test_accepted_sizes() -> None:
    pooled = BASE.replace("W=32]", "W=32] where H >= 8 and W >= 4").replace(
        "  relu\n  second", "  maxpool(2)\n  second"
    )
    facts = {fact.name: (fact.before, fact.after) for fact in differ(BASE, pooled).face}
    assert facts == {"accepts": ("any H, W", "any H, W >= 2"), "promises": ("nothing", "any H >= 8, any W >= 4")}


def test_googlenet_has_a_3x3_where_the_paper_has_a_5x5() -> None:
    found = shipped("googlenet_2014", "googlenet")
    kernels = {c.before.name: (f.before, f.after) for c in found.changed for f in c.facts if f.name == "kernel"}
    assert {name for name, kernel in kernels.items() if kernel == ("5x5", "3x3")} == {
        f"inception{name}.five.2" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    }
    assert len(kernels) == 10  # the last maximum pooling too
    assert [found.after[j].kind for j in found.added].count("batchnorm") == 59


@pytest.mark.parametrize("name", ["alexnet", "densenet121", "fcn", "segnet", "unet", "two_3x3_against_5x5"])
def test_a_network_equals_itself(name: str) -> None:
    assert shipped(name, name).equal


def test_a_difference_seen_from_the_other_side() -> None:
    there, back = shipped("resnet18", "resnet34"), shipped("resnet34", "resnet18")
    assert [there.after[j].name for j in there.added] == [back.before[i].name for i in back.removed]
    assert {name: (b, a) for name, (a, b) in there.totals.items()} == back.totals


def test_large_networks_are_quick() -> None:
    """3,000 layers, one of them new: what is quadratic in the layers would take minutes."""
    body = "".join(f"  conv({8 + i % 7}, {1 + 2 * (i % 3)}, padding={i % 3})\n" for i in range(3000))
    head = "network N {\n  input x: [3, H=32, W=32]\n"
    one, other = (Compilation.from_text(text).network() for text in (f"{head}{body}}}", f"{head}  relu\n{body}}}"))
    started = time.process_time()
    found = compare(one, other)
    assert time.process_time() - started < 10
    assert [found.after[j].kind for j in found.added] == ["relu"]
    assert not (found.removed or found.changed or found.resized)


def test_another_typical_size() -> None:
    one, other = (f"network N {{ input x: [3, H={size}, W]; conv(8, 3) }}" for size in (32, 64))
    assert [(fact.name, fact.before, fact.after) for fact in differ(one, other).face] == [
        ("typical size", "H = 32, W = 224", "H = 64, W = 224")
    ]
