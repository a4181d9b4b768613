"""`archdsl layers`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import ROOT, Run, in_terminal

from archdsl.cli import main
from archdsl.layers import registry

Golden = Callable[[str, str], None]
Shown = Callable[..., str]

SHRINK = '''
from archdsl.layers.args import Float
from archdsl.layers.base import Elementwise, Example, arg
from archdsl.layers.call import Call


class Shrink(Elementwise):
    """Soft shrinkage. Donoho, 1995."""

    name = "shrink"
    family = "activate"
    lambd = arg(Float(0), default=0.5)
    saves = ("input",)
    examples = (Example("shrink", (8, 4), (8, 4)),)

    def module(self, *inputs):
        return Call("nn.Softshrink", (self.lambd,))
'''


@pytest.fixture
def others(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """`others(source)` installs a package with that layer, for a process that gets the variables that it returns."""

    def install(source: str) -> dict[str, str]:
        packages = tmp_path / "packages"
        info = packages / "shrinking-1.0.dist-info"
        info.mkdir(parents=True)
        (packages / "shrinking.py").write_text(source)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shrinking\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[archdsl.layers]\nshrink = shrinking:Shrink\n")
        return {"PYTHONPATH": str(packages)}

    return install


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shown:
    """`shown(*args)` is what `archdsl layers ARGS` prints, in this process since there are many."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*args: str, code: int = 0) -> str:
        assert main(["layers", *args]) == code
        out, err = capsys.readouterr()
        assert (out if code else err) == ""
        return err if code else out

    return call


def test_a_real_process(run: Run, shown: Shown) -> None:
    done = run("layers", "conv")
    assert (done.code, done.out, done.err) == (0, shown("conv"), "")


def test_a_list_by_family(shown: Shown) -> None:
    _, *lines, empty, last = shown().splitlines()
    layers = [line.split("(")[0].strip() for line in lines if line.startswith("   ")]
    assert sorted(layers) == list(registry.names())
    assert [line.strip() for line in lines if not line.startswith("   ")] == list(registry.families())
    assert (empty, last) == ("", f" {len(layers)} layers; `archdsl layers NAME` shows one in full")


def test_one_family(shown: Shown, golden: Golden) -> None:
    golden(shown("--family", "pool"), "layers/pool.txt")


@pytest.mark.parametrize("name", ["conv", "batchnorm", "max_unpool", "relu", "crop"])
def test_a_layer_in_full(shown: Shown, golden: Golden, name: str) -> None:
    golden(shown(name), f"layers/{name}.txt")


def test_several_of_every_kind(shown: Shown, golden: Golden) -> None:
    """Layers first, then initialisers, then blocks; a name that is given twice is shown once."""
    golden(shown("inception", "kaiming_normal", "relu", "bilinear", "relu", "VGG16"), "layers/several.txt")


def test_a_narrow_terminal_wraps_and_loses_nothing(shown: Shown) -> None:
    narrow = in_terminal(["layers", "conv"], ROOT, 60)
    assert max(map(len, narrow.splitlines()[1:])) <= 60
    assert narrow.split() == shown("conv").split()
    assert max(map(len, in_terminal(["layers"], ROOT, 80).splitlines())) <= 80


def test_json(shown: Shown, golden: Golden) -> None:
    told = shown("conv", "bottleneck", "constant", "--json")
    golden(told, "layers/conv.json")
    assert told == shown("conv", "bottleneck", "constant", "--format", "json")


def test_json_of_all(shown: Shown) -> None:
    report = json.loads(shown("--json"))
    assert report["schema"] == "archdsl.layers/1"
    assert [layer["name"] for layer in report["layers"]] == list(registry.names())
    assert all(layer["examples"] and layer["ranks"] and layer["pytorch"] for layer in report["layers"])


def test_initialisers(shown: Shown, golden: Golden) -> None:
    golden(shown("--initialisers"), "layers/initialisers.txt")
    golden(shown("--initialisers", "--format", "markdown"), "layers/initialisers.md")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["convv"], "no layer is called `convv`; did you mean `conv`?"),
        (["conv", "reluu"], "no layer is called `reluu`; did you mean `relu`?"),
        (["transformer9"], "no layer is called `transformer9`; `archdsl layers` lists them"),
        (["roi_align"], "the layer `roi_align` is not supported yet; it will be one of the detect layers"),
        (["concat"], "`concat` is no layer but a combinator, which the manual of the language describes"),
        (["residual"], "`residual` is no layer but a combinator, which the manual of the language describes"),
        (["\x1b[31m"], "no layer is called `\\x1b[31m`; `archdsl layers` lists them"),
        ([""], "no layer is called ``; `archdsl layers` lists them"),
        (["--family", "pools"], "no family is called `pools`; did you mean `pool`?"),
        (["--family", "x"], f"no family is called `x`; there are {', '.join(registry.families())}"),
        (["conv", "--family", "pool"], "say either names, --family or --initialisers"),
        (["conv", "--initialisers"], "say either names, --family or --initialisers"),
        (["conv", "--json", "--format", "markdown"], "say either --json or --format markdown"),
    ],
)
def test_what_there_is_not(shown: Shown, args: list[str], says: str) -> None:
    assert shown(*args, code=2) == f"error: {says}\n"


def test_a_layer_of_another_package(run: Run, others: Callable[[str], dict[str, str]], golden: Golden) -> None:
    environment = others(SHRINK)
    assert "   shrink(lambd=0.5) " in run("layers", **environment).out
    golden(run("layers", "shrink", **environment).out, "layers/shrink.txt")
    (told,) = json.loads(run("layers", "shrink", "--json", **environment).out)["layers"]
    assert (told["shipped"], told["source"]) == (False, "Donoho, 1995.")


BROKEN = {
    "it cannot be imported": ("import no_such_module", "cannot be used: loading `shrinking:Shrink` failed"),
    "its code is wrong": (
        SHRINK.replace("(self.lambd,)", "(self.lambda_,)"),
        "fails on its own example: AttributeError",
    ),
    "it becomes nothing": (
        SHRINK.replace('Call("nn.Softshrink", (self.lambd,))', "None"),
        "fails on its own example: ",
    ),
    "its example is refused": (SHRINK.replace('"shrink", (8', '"shrink(-1)", (8'), "refuses all of its own examples"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_layer_of_another_package(run: Run, others: Callable[[str], dict[str, str]], fault: str) -> None:
    source, says = BROKEN[fault]
    environment = others(source)
    done = run("layers", "shrink", **environment)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_a_broken_layer_harms_no_other(run: Run, others: Callable[[str], dict[str, str]]) -> None:
    """The list is shown all the same, and a warning after it."""
    source, says = BROKEN["it cannot be imported"]
    environment = others(source)
    listed, told = run("layers", **environment), run("layers", "--family", "unpool", "--json", **environment)
    assert (listed.code, told.code) == (0, 0)
    assert "   relu() " in listed.out
    assert len(json.loads(told.out)["layers"]) == 3
    assert says in listed.err and listed.err == told.err
