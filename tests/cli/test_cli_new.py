"""`archdsl new`: what it writes is sound, and nothing is written over."""

from __future__ import annotations

from pathlib import Path

import pytest
from processes import Run

from archdsl.cli.output import Failure
from archdsl.cli.starter import file_name, network_name, starter, starters
from archdsl.compiler import Compilation


@pytest.mark.parametrize("like", [None, *starters()])
def test_what_it_writes_is_sound(like: str | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.arch"
    path.write_text(starter("Mine", like), encoding="utf-8")
    spec = Compilation.from_path(path)
    assert spec.diagnostics == []
    assert spec.definitions[0].node.name == "Mine"
    assert "class Mine(nn.Module)" in spec.compile()


@pytest.mark.parametrize(
    ("name", "network", "file"),
    [
        ("my_net", "MyNet", "my_net.arch"),
        ("my-net", "MyNet", "my_net.arch"),
        ("MyNet", "MyNet", "my_net.arch"),
        ("UNet", "UNet", "unet.arch"),
        ("Odd Name.arch", "OddName", "Odd Name.arch"),
    ],
)
def test_names(name: str, network: str, file: str) -> None:
    assert (network_name(name), file_name(name)) == (network, file)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("3d", "begins with a letter from A to Z; `Net3d` would do"),
        ("сеть", "begins with a letter"),
        ("", "begins with a letter"),
        ("tensor", "no network can be called `Tensor`"),
    ],
)
def test_names_that_no_network_can_have(name: str, why: str) -> None:
    with pytest.raises(Failure, match=why):
        network_name(name)


def test_the_name_of_another_network_of_the_copy() -> None:
    with pytest.raises(Failure, match="has another network `AlexNetTorchvision`"):
        starter("AlexNetTorchvision", "alexnet")


def test_a_new_spec(run: Run, tmp_path: Path) -> None:
    made = run("new", "my_net", cwd=tmp_path)
    assert (made.code, made.out) == (0, "")
    assert made.err == "my_net.arch is written. To go on:\n  archdsl check my_net.arch\n  archdsl summary my_net.arch\n"
    assert run("check", "my_net.arch", cwd=tmp_path).code == 0
    again = run("new", "my_net", "--like", "resnet18", cwd=tmp_path)
    assert (again.code, again.err) == (2, "error: `my_net.arch` is there already; --force writes over it\n")
    assert run("new", "my_net", "--like", "resnet18", "--force", cwd=tmp_path).code == 0
    assert "from zoo.resnet import basic_stage" in (tmp_path / "my_net.arch").read_text()


def test_standard_output_and_the_list(run: Run, tmp_path: Path) -> None:
    shown = run("new", "my_net", "-o", "-", cwd=tmp_path)
    assert "network MyNet(classes=10) {" in shown.out
    assert list(tmp_path.iterdir()) == []
    assert run("new", "--list").out.split() == starters()
    unknown = run("new", "x", "--like", "resnet5")
    assert (unknown.code, "did you mean `resnet50`?" in unknown.err) == (2, True)
    assert run("new").code == 2
