"""`archdsl new`: what it writes is sound, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from processes import SPECS, Run

import archdsl
from archdsl.cli import starts
from archdsl.cli.output import Failure
from archdsl.compiler import Compilation
from archdsl.passes.cost import Cost
from archdsl.show.summary import summary, text_lines

FIRST = {None, *{re.sub(r"\d+$", "", name): name for name in reversed(starts.known())}.values()}


def test_it_writes_a_spec_and_says_what_to_do_next(run: Run, tmp_path: Path) -> None:
    done = run("new", "my_net")
    assert (done.code, done.out) == (0, "")
    assert done.err == "`my_net.arch` is written. Next:\n  archdsl check my_net.arch\n  archdsl summary my_net.arch\n"
    for line in done.err.splitlines()[1:]:
        assert run(*line.split()[1:]).code == 0
    assert run("new", "my-net", "-o", "-").out == (tmp_path / "my_net.arch").read_text()


def test_what_it_writes_by_default_learns(tmp_path: Path) -> None:
    """It loads, and a few steps bring its loss down."""
    (tmp_path / "my_net.arch").write_text(starts.start("MyNet", None))
    torch.manual_seed(0)
    net = archdsl.load(tmp_path / "my_net.arch", width=8, classes=2)
    images, answers = torch.rand(16, 3, 16, 16), torch.arange(16) % 2
    images[answers == 1] *= 0.5
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(8):
        loss = torch.nn.functional.cross_entropy(net(images), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("like", [None, *starts.known()])
def test_whatever_it_writes_is_sound(like: str | None, request: pytest.FixtureRequest) -> None:
    """Checked, summarised, compiled and loaded; on torch's device without memory, so that a VGG costs nothing.

    Of specs that differ only in their number, such as the four DenseNets, one is compiled unless the run is thorough.
    """
    spec = Compilation.from_text(starts.start("MyNet", like), "my_net.arch")
    assert spec.diagnostics == []
    network = spec.network()
    assert network.name == "MyNet"
    assert len(list(text_lines(summary("my_net.arch", network), 120))) > 5
    if like not in FIRST and not request.config.getoption("--thorough"):
        return
    with torch.device("meta"):
        net = archdsl.load(spec)
    assert sum(p.numel() for p in net.parameters()) == Cost(network, training=True).params


def test_a_copy_claims_what_the_original_claims() -> None:
    text, own = (SPECS / "vgg11.arch").read_text(), starts.start("Mine", "vgg11")
    assert "from zoo.vgg_blocks import vgg_features, vgg_classifier" in own
    assert "expect macs == Mine.macs" in own
    assert own.count("expect") == text.count("expect")
    assert Compilation.from_text(own).network("VGG11BN").name == "VGG11BN"


def test_the_list_has_every_spec_with_a_network(run: Run) -> None:
    lines = [line.split() for line in run("new", "--list").out.splitlines()]
    networks = {path.stem for path in SPECS.glob("*.arch") if Compilation.from_path(path).definitions}
    assert {words[0] for words in lines[1:]} == networks
    assert "ResNet-50, with the stride on the 3x3 convolutions" in run("new", "--list").out
    assert max(map(len, run("new", "--list", COLUMNS="60").out.splitlines())) <= 60


@pytest.mark.parametrize(
    ("name", "stem", "network"),
    [
        ("my_net", "my_net", "MyNet"),
        ("MyNet", "my_net", "MyNet"),
        ("my-net", "my_net", "MyNet"),
        ("UNet", "unet", "UNet"),
        ("net_3d", "net_3d", "Net3d"),
        ("a", "a", "A"),
    ],
)
def test_names(name: str, stem: str, network: str) -> None:
    assert starts.names(name) == (stem, network)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("3d_net", "net_3d"),
        ("models/net.arch", "net"),
        ("my.net", "my_net"),
        ("grün", "grun"),
        ("a b", "a_b"),
        ("größe", None),
        ("!!", None),
        ("", None),
        ("123", None),
    ],
)
def test_impossible_names(name: str, near: str | None) -> None:
    with pytest.raises(Failure) as caught:
        starts.names(name)
    said = caught.value.format_message()
    assert said.startswith(
        f"`{name}` cannot be the name of a network: it takes letters, digits, _ and -, a letter first"
    )
    assert said.endswith(f"; did you mean `{near}`?") if near else "did you mean" not in said
    if near is not None:
        starts.names(near)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "say what the new spec is called: archdsl new my_net"),
        (("none",), "no network can be called `None`: it is a keyword of Python; another name would do, such as"),
        (("tensor",), "no network can be called `Tensor`: the emitted file uses it for something else; another"),
        (("x", "--like", "resnet5"), "no spec that comes with archdsl is called `resnet5`; did you mean `resnet50`?"),
        (("x", "--like", "lenet"), "no spec that comes with archdsl is called `lenet`; there are alexnet, "),
        (("x", "--like", "../specs/unet"), "no spec that comes with archdsl is called `../specs/unet`; "),
        (("x", "--like", "resnet"), "`resnet` has blocks but no network; a spec uses them by `from zoo.resnet import"),
        (("x", "-o", "x.py"), "`x.py` is to be a spec; give it a name that ends in .arch"),
        (("x", "-o", "nowhere/x.arch"), "cannot write `nowhere/x.arch`: No such file or directory"),
    ],
)  # fmt: skip
def test_refusals(run: Run, tmp_path: Path, args: tuple[str, ...], says: str) -> None:
    done = run("new", *args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {says}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_stays_without_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    path = tmp_path / "specs" / "my_net.arch"
    path.write_text("mine")
    refused = run("new", "my_net", "-o", "specs")
    assert (refused.code, refused.err) == (2, "error: `specs/my_net.arch` exists; --force writes over it\n")
    assert path.read_text() == "mine"
    assert run("new", "my_net", "-o", "specs", "--force").code == 0
    assert Compilation.from_path(path).ok


def test_a_name_that_is_too_long(run: Run) -> None:
    done = run("new", "a" * 300)
    assert (done.code, done.err.startswith("error: cannot write `aaa")) == (2, True)
