"""Layers of other packages: found through their entry points, and what a spec's author reads where one is broken."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from archdsl.compiler import Compilation
from archdsl.layers import registry

GOOD = '''
from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, arg
from archdsl.layers.call import Call


class Shrink(Elementwise):
    """Soft shrinkage."""

    name = "shrink"
    lambd = arg(Float(0), default=0.5)
    saves = ("input",)
    examples = (Example("shrink", (8, 4), (8, 4)),)

    def module(self, *inputs):
        return Call("nn.Softshrink", (self.lambd,))
'''
SPEC = "network N {\n  input x: [3, 8]\n  shrink(0.25)\n}\n"

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(source)` makes a package whose module `shrinking` has that source and offers `shrinking:Shrink`."""

    def forget() -> None:
        for cached in (registry.find, registry.names, registry._others):
            cached.cache_clear()
        sys.modules.pop("shrinking", None)

    def make(source: str) -> None:
        (tmp_path / "shrinking.py").write_text(source)
        info = tmp_path / "shrinking-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shrinking\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[archdsl.layers]\nshrink = shrinking:Shrink\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        forget()

    yield make
    monkeypatch.undo()
    forget()


def message(spec: str = SPEC) -> str:
    """The one error that a spec has."""
    (found,) = Compilation.from_text(spec).diagnostics
    assert found.code == "E0102" and found.span.text == "shrink"
    return found.message


def test_a_layer_of_another_package(install: Install) -> None:
    """It checks, compiles and runs as ours do."""
    install(GOOD)
    assert "shrink" in registry.names()
    names: dict[str, object] = {"__name__": "emitted"}
    exec(Compilation.from_text(SPEC).compile("N"), names)
    x = torch.randn(2, 3, 8)
    assert torch.equal(names["N"]()(x), nn.Softshrink(0.25)(x))  # type: ignore[operator]  # a class of the emitted file


def test_its_arguments_are_checked(install: Install) -> None:
    install(GOOD)
    (found,) = Compilation.from_text(SPEC.replace("0.25", "-1")).diagnostics
    assert found.message == "`lambd` of `shrink` takes a number of at least 0, not -1"


def test_without_the_package_there_is_no_such_layer() -> None:
    assert message() == "no layer or block is called `shrink`"


BROKEN = {
    "its module imports what is not there": (
        "import no_such_module",
        "loading `shrinking:Shrink` failed: ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "its module lacks the class": (
        "",
        "loading `shrinking:Shrink` failed: AttributeError: module 'shrinking' has no attribute 'Shrink'",
    ),
    "its module is no Python": (
        "class Shrink(:",
        "loading `shrinking:Shrink` failed: SyntaxError: invalid syntax (shrinking.py, line 1)",
    ),
    "it divides by zero": ("1 / 0", "loading `shrinking:Shrink` failed: ZeroDivisionError: division by zero"),
    "it is no layer": ("class Shrink: pass", "`shrinking:Shrink` is no layer class"),
    "it is no class": ("Shrink = 3", "`shrinking:Shrink` is no layer class"),
    "it is the base of layers": (
        "from archdsl.layers.base import Elementwise as Shrink",
        "`shrinking:Shrink` is no layer class",
    ),
    "it has another name": (
        GOOD.replace('name = "shrink"', 'name = "contract"'),
        "`shrinking:Shrink` is a layer by the name of `contract`",
    ),
    "it lacks a hook": (
        GOOD.replace("def module", "def _module"),
        "loading `shrinking:Shrink` failed: TypeError: layer Shrink lacks module",
    ),
    "a hook is misspelt": (
        GOOD.replace("def module", "def modul"),
        "loading `shrinking:Shrink` failed: TypeError: Shrink.modul is no hook of a layer; "
        "hooks are buffers, convolutional, function, kept, macs, module, sees, shape, takes, viewed, weights",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_layer_is_an_error_of_the_spec(fault: str, install: Install) -> None:
    source, expected = BROKEN[fault]
    install(source)
    assert message() == f"the layer `shrink` cannot be used: {expected}"


def test_also_where_an_initialiser_names_it(install: Install) -> None:
    install("import no_such_module")
    text = message("network N {\n  input x: [3, 8]\n  relu\n  init shrink: zeros\n}\n")
    assert text.startswith("the layer `shrink` cannot be used: ")


def test_a_broken_package_does_not_harm_specs_that_leave_it_alone(install: Install) -> None:
    install("import no_such_module")
    assert Compilation.from_text("network N {\n  input x: [3, 8]\n  relu\n}\n").ok


def test_our_layers_go_before_those_of_others(install: Install, tmp_path: Path) -> None:
    install(GOOD)
    entry_points = tmp_path / "shrinking-1.0.dist-info" / "entry_points.txt"
    entry_points.write_text(entry_points.read_text().replace("shrink =", "relu ="))
    assert registry.find("relu").__module__ == "archdsl.layers.activate.relu"
