"""`archdsl.load`: live networks that behave like those of an ordinary module."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl
from archdsl import UsageError

ROOT = Path(__file__).parents[2]
TEXT = """
block unit(width) { conv(width, 3, padding=1) -> batchnorm -> relu }
network Net(classes=4, width=8) {
  input image: [3, H=16, W=16]
  body = unit(width)
  global_avgpool -> flatten
  fc = linear(classes)
}
"""
IMAGE = torch.linspace(-1, 1, 2 * 3 * 12 * 10).reshape(2, 3, 12, 10)


def test_a_text_with_settings() -> None:
    net = archdsl.load(TEXT, classes=7)
    assert isinstance(net, nn.Module)
    assert type(net).__name__ == "Net"
    assert net(IMAGE).shape == (2, 7)
    assert set(net.state_dict()) >= {"body.0.weight", "body.1.running_mean", "fc.bias"}


NAMES = ("devices", "guard", "settings", "parameters", "spec", "self")


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_of_any_name_can_be_set(name: str) -> None:
    text = TEXT.replace("width", name)
    net = archdsl.load(text, classes=7, settings={name: 3})
    assert (net.fc.in_features, net.fc.out_features) == (3, 7)
    shown = archdsl.open(text, classes=7, settings={name: 3})
    assert shown.cost.shape(shown.network.scope.results[0].value.shape) == (7,)
    assert shown.params == sum(parameter.numel() for parameter in net.parameters())
    assert type(shown.load(guard=True)) is not None and shown.load().fc.in_features == 3


def test_settings_and_options_are_told_apart() -> None:
    text = TEXT.replace("width", "guard")
    with pytest.raises(ValueError, match="accepts any H, W"):
        archdsl.load(TEXT.replace("3, padding=1", "11"), guard=True)(IMAGE)
    with pytest.raises(UsageError, match=r"is set by settings=\{'guard': 5\}"):
        archdsl.load(text, guard=5)  # type: ignore[arg-type]  # a parameter's value
    with pytest.raises(UsageError, match=r"is set by settings=\{'devices': 2\}"):
        archdsl.load(TEXT.replace("width", "devices"), devices=2)  # type: ignore[arg-type]  # a parameter's value
    for call in (archdsl.load, archdsl.open):
        with pytest.raises(UsageError, match="`classes` is set twice"):
            call(TEXT, classes=2, settings={"classes": 2})
        with pytest.raises(UsageError, match="takes parameters by their names"):
            call(TEXT, settings=5)
        with pytest.raises(UsageError, match="no parameter `clases`; did you mean `classes`"):
            call(TEXT, settings={"clases": 2})


def test_a_path_as_text_or_path(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text(TEXT)
    braces = tmp_path / "{odd}.arch"
    braces.write_text(TEXT)
    for spec in (path, str(path), braces):
        assert archdsl.load(spec)(IMAGE).shape == (2, 4)


def test_one_of_several_networks() -> None:
    text = TEXT + TEXT.replace("block unit", "block other").replace("Net", "Twin")
    assert type(archdsl.load(text)).__name__ == "Net"
    assert type(archdsl.load(text, "Twin", width=2)).__name__ == "Twin"


def test_it_is_what_compile_writes(tmp_path: Path) -> None:
    spec = ROOT / "specs" / "resnet18.arch"
    own: dict[str, object] = {"__name__": "own"}
    exec(archdsl.Compilation.from_path(spec).compile(None, {"classes": 10}), own)
    torch.manual_seed(0)
    expected = own["ResNet18"]()  # type: ignore[operator]  # a class
    torch.manual_seed(0)
    loaded = archdsl.load(spec, classes=10)
    assert all(map(torch.equal, loaded.state_dict().values(), expected.state_dict().values()))
    assert loaded.state_dict().keys() == expected.state_dict().keys()
    image = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    assert torch.equal(loaded.eval()(image), expected.eval()(image))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: archdsl.load("nothere.arch"), archdsl.SpecError, "`nothere.arch` cannot be read"),
        (lambda: archdsl.load("network N { input x: [3]; linaer(1) }"), archdsl.SpecError, "did you mean `linear`?"),
        (lambda: archdsl.load(TEXT, "Nett"), archdsl.UsageError, "did you mean `Net`?"),
        (lambda: archdsl.load(TEXT, clases=3), archdsl.UsageError, "did you mean `classes`?"),
        (lambda: archdsl.load(TEXT, classes="x"), archdsl.SpecError, "integer"),
        (lambda: archdsl.load(TEXT, devices=["cpu"]), archdsl.UsageError, "takes no `devices`"),
    ],
)
def test_what_does_not_fit_is_said(call: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        call()  # type: ignore[operator]  # a lambda
    assert says in str(caught.value)


def test_a_parameter_may_have_any_name() -> None:
    net = archdsl.load("network N(name=2, spec=3, self_=1) { input x: [3]; linear(name * spec) }", name=4, spec=5)
    assert net(torch.zeros(1, 3)).shape == (1, 20)


def test_devices() -> None:
    net = archdsl.load(ROOT / "specs" / "alexnet.arch", devices=("cpu", "meta"))
    assert {str(parameter.device) for parameter in net.parameters()} == {"cpu", "meta"}
    assert {str(p.device) for p in archdsl.load(ROOT / "specs" / "alexnet.arch").parameters()} == {"cpu"}


def test_its_source_can_be_seen() -> None:
    ten, four = archdsl.load(TEXT, width=10), archdsl.load(TEXT, width=4)
    for net in (ten, four):
        assert inspect.getsource(type(net)).startswith("class Net(nn.Module):")
        assert "nn.Conv2d(" in inspect.getsource(sys.modules[type(net).__module__])
    with pytest.raises(RuntimeError) as caught:
        ten(torch.zeros(1, 4, 8, 8))
    told = "".join(traceback.format_exception(caught.value))
    assert "self.body(" in told
    assert "in forward" in told


def test_the_same_spec_has_the_same_class() -> None:
    assert type(archdsl.load(TEXT)) is type(archdsl.load(TEXT))
    assert type(archdsl.load(TEXT)) is not type(archdsl.load(TEXT, width=3))


def test_a_copy_is_equal_and_apart() -> None:
    net = archdsl.load(TEXT).eval()
    twin = copy.deepcopy(net)
    assert type(twin) is type(net)
    assert torch.equal(twin(IMAGE), net(IMAGE))
    with torch.no_grad():
        twin.get_parameter("fc.bias").add_(1)
    assert not torch.equal(twin(IMAGE), net(IMAGE))


@pytest.mark.parametrize("part", ["", "body"])
def test_another_process_can_unpickle_it(part: str, tmp_path: Path) -> None:
    """Whole or in part, and with nothing loaded there before."""
    net = archdsl.load(TEXT).eval()
    inside = net.get_submodule(part)
    (tmp_path / "net.pickle").write_bytes(pickle.dumps(inside))
    torch.save(inside(IMAGE), tmp_path / "expected.pt")
    code = (
        "import pickle, torch\n"
        "net = pickle.load(open('net.pickle', 'rb'))\n"
        "image = torch.linspace(-1, 1, 2 * 3 * 12 * 10).reshape(2, 3, 12, 10)\n"
        "assert torch.equal(net(image), torch.load('expected.pt'))\n"
        "print(type(net).__name__)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.strip() == type(inside).__name__, done.stderr


def test_torch_can_save_export_and_compile_it(tmp_path: Path) -> None:
    net = archdsl.load(TEXT).eval()
    expected = net(IMAGE)
    torch.save(net, tmp_path / "net.pt")
    assert torch.equal(torch.load(tmp_path / "net.pt", weights_only=False)(IMAGE), expected)
    assert torch.equal(torch.export.export(net, (IMAGE,)).module()(IMAGE), expected)
    assert torch.equal(torch.compile(net, fullgraph=True, backend="eager")(IMAGE), expected)


class _Unbiased(nn.Linear):
    def __init__(self, *args: int) -> None:
        super().__init__(*args, bias=False)


class _Wide(nn.Linear):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs + 1)


class _Counting(nn.Linear):
    def __init__(self, *args: int) -> None:
        super().__init__(*args)
        self.register_buffer("count", torch.zeros(()))


class _Backwards(nn.Linear):
    def __init__(self, *args: int) -> None:
        super().__init__(*args)
        weight = self.weight
        del self.weight, self.bias
        self.bias, self.weight = nn.Parameter(torch.zeros(args[1])), weight


@pytest.mark.parametrize(
    ("linear", "says"),
    [
        (_Unbiased, r"`fc.bias` is absent, where \[4\] was checked"),
        (_Wide, r"`fc.weight` is \[5, 8\], where \[4, 8\] was checked"),
        (_Counting, r"`fc.count` is \[\], where absent was checked"),
        (_Backwards, "its parameters come in another order"),
    ],
)
def test_a_live_module_is_held_against_the_graph(
    linear: type[nn.Module], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the validator cannot see: a torch in which a class has other parameters than its layer says."""
    monkeypatch.setattr(nn, "Linear", linear)
    with pytest.raises(archdsl.InternalError, match=says):
        archdsl.load(TEXT)
