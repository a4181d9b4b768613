"""The fully convolutional form of classifiers, with the weights of torchvision's: equal scores, and maps of them.

`--thorough` takes the VGGs and DenseNet too, which compute for long.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from archdsl.compiler import Compilation, UsageError, accepted
from archdsl.convert import fully_convolutional
from archdsl.layers import registry
from archdsl.passes.cost import Cost
from archdsl.runtime.load import load

SPECS = Path(__file__).parents[2] / "specs"
# A model of torchvision, its spec and network, and the smallest input that the convolutional form takes.
MODELS = {
    "vgg16": ("vgg16", "VGG16", 224),
    "vgg11_bn": ("vgg11", "VGG11BN", 224),
    "alexnet": ("alexnet", "AlexNetTorchvision", 223),
    "resnet18": ("resnet18", "ResNet18", 193),
    "densenet121": ("densenet121", "DenseNet121", 221),
    "googlenet": ("googlenet", "GoogLeNet", 207),
}
QUICK = ("alexnet", "resnet18", "googlenet")


def converted(spec: str, network: str | None = None) -> str:
    return fully_convolutional(Compilation.from_path(SPECS / f"{spec}.arch"), network)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pair" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        metafunc.parametrize("pair", MODELS if thorough else QUICK, indirect=True, scope="module")


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """Random weights by the names of a model, such that neither signals nor statistics vanish."""
    made = {}
    for name, like in model.state_dict().items():
        if like.dim() > 1:
            made[name] = torch.randn(like.shape) * (2 / like[0].numel()) ** 0.5
        elif name.endswith("num_batches_tracked"):
            made[name] = torch.zeros((), dtype=like.dtype)
        else:
            made[name] = torch.rand(like.shape) + 0.5 if name.endswith(("weight", "var")) else torch.randn(like.shape)
    return made


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest) -> tuple[str, nn.Module, nn.Module]:
    """A dense model of torchvision's, and the convolutional form of its spec with the same weights, reshaped."""
    spec, network, _ = MODELS[request.param]
    torch.manual_seed(0)
    options = {"init_weights": False} if request.param == "googlenet" else {}
    with torch.device("meta"):  # neither starts with weights of its own
        dense = getattr(torchvision.models, request.param)(weights=None, **options).eval()
        module = load(converted(spec, network)).eval()
    weights, own = weights_of(dense), module.state_dict()
    dense.load_state_dict(weights, assign=True)
    module.load_state_dict({name: value.reshape(own[name].shape) for name, value in weights.items()}, assign=True)
    return request.param, dense, module


def scores(out: object) -> Tensor:
    found = out[0] if isinstance(out, tuple) else out
    assert isinstance(found, Tensor)
    return found


def assert_equal(found: Tensor, expected: Tensor) -> None:
    """Up to rounding, whose measure is the largest of the scores."""
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@torch.inference_mode()
def test_equal_scores_at_the_typical_size(pair: tuple[str, nn.Module, nn.Module]) -> None:
    _, dense, module = pair
    x = torch.rand(2, 3, 224, 224)
    expected, found = dense(x), scores(module(x))
    assert found.shape == (2, 1000, 1, 1)
    assert_equal(found.flatten(1), expected)


@torch.inference_mode()
def test_a_map_of_scores_at_a_larger_size(pair: tuple[str, nn.Module, nn.Module]) -> None:
    """Each position is what the dense head says of its window of features."""
    name, dense, module = pair
    x = torch.rand(1, 3, 256, 320)
    found = scores(module(x))
    network = Compilation.from_text(converted(*MODELS[name][:2])).network()
    assert found.shape[1:] == Cost(network, {"H": 256, "W": 320}).shape(network.scope.results[0].value.shape)
    if name == "alexnet" or name.startswith("vgg"):
        features, size = dense.features(x), 6 if name == "alexnet" else 7
        for row, column in ((0, 0), (1, 2)):
            window = features[:, :, row : row + size, column : column + size]
            assert_equal(found[:, :, row, column], dense.classifier(window.flatten(1)))
    if name == "resnet18":
        features = nn.Sequential(*list(dense.children())[:-2])(x)
        window = features[:, :, 1:8, 2:9].mean((2, 3))
        assert_equal(found[:, :, 1, 2], dense.fc(window))


@pytest.mark.parametrize("name", MODELS)
def test_the_new_spec_is_sound_and_claims_the_parameters(name: str) -> None:
    spec, network, smallest = MODELS[name]
    text = converted(spec, network)
    made = Compilation.from_text(text)
    assert made.diagnostics == []
    dense = Compilation.from_path(SPECS / f"{spec}.arch").network(network)
    assert Cost(made.network()).params == Cost(dense).params
    assert f"expect params == {Cost(dense).params:_}" in text
    assert str(accepted(made.network())) == f"any H, W >= {smallest}"
    assert "import" not in text


def small(body: str, shape: str = "[3, 8, 8]", before: str = "", claims: str = "") -> str:
    return f"{before}network Net(classes=10) {{\n  input x: {shape}\n{body}\n{claims}}}\n"


def test_the_authors_words_stay() -> None:
    text = small(
        "  conv(4, 3)  # sharp\n  flatten\n  hidden: [20] = linear(2 * classes, bias=false)\n"
        "  relu -> dropout\n  # the end\n  scores = linear(classes)\n",
        before="# What it is for.\n",
        claims="  expect shape == [10]\n  expect params < 10_000\n",
    )
    assert fully_convolutional(Compilation.from_text(text)) == (
        "# Net in its fully convolutional form, by `archdsl convert --fully-convolutional`.\n\n# What it is for.\n"
        "network Net(classes=10) {\n  input x: [3, H=8, W=8]\n  conv(4, 3)  # sharp\n"
        "  hidden: [20, _, _] = conv(2 * classes, 6, bias=false)\n  relu -> dropout\n  # the end\n"
        "  scores = conv(classes, 1)\n\n  expect params == 3_202\n  expect shape == [10, 1, 1]\n"
        "  expect params < 10_000\n}\n"
    )


def test_comments_and_lines_of_a_chain_stay() -> None:
    text = small(
        "  conv(4, 3) -> relu  # a -> b\n    -> flatten  # a row\n    -> dropout  # drop\n    -> linear(20) -> relu\n"
        "    -> linear(classes)  # the end\n"
    )
    made = fully_convolutional(Compilation.from_text(text))
    assert made.split("H=8, W=8]\n")[1].startswith(
        "  conv(4, 3) -> relu  # a -> b\n      # a row\n    -> dropout  # drop\n    linear = conv(20, 6); relu\n"
        "    linear2 = conv(classes, 1)  # the end\n"
    )


def test_towers_that_are_joined_as_vectors() -> None:
    text = small("  flatten\n  concat { linear(8); b = linear(4) }\n  linear(classes)")
    made = fully_convolutional(Compilation.from_text(text))
    assert "concat { linear = conv(8, 8); b = conv(4, 8) }\n  linear2 = conv(classes, 1)" in made


def test_modules_keep_their_names_and_initial_weights() -> None:
    text = small(
        "  conv(4, 3)\n  flatten -> linear(30) -> relu -> linear(20)\n  fc = linear(classes)\n"
        "  init linear: normal(std=0.5)\n  init linear.bias: ones\n  init conv: zeros\n"
    )
    made = fully_convolutional(Compilation.from_text(text))
    assert "  linear = conv(30, 6); relu; linear2 = conv(20, 1)\n  fc = conv(classes, 1)\n" in made
    module = load(made)
    assert [name for name, _ in module.named_parameters()] == [
        f"{layer}.{kind}" for layer in ("conv", "linear", "linear2", "fc") for kind in ("weight", "bias")
    ]
    assert 0.4 < module.fc.weight.std() < 0.6
    assert module.linear.bias.min() == module.linear2.bias.min() == 1
    assert module.conv.weight.abs().max() == 0


@pytest.mark.parametrize(
    ("shape", "becomes"),
    [
        ("[3, 8, 8]", "[3, H=8, W=8]"),
        ("[3, classes, 10]", "[3, H=classes, W=10]"),
        ("[3, H=8, 8]", "[3, H=8, W=8]"),
        ("[3, W=8, 8]", "[3, W=8, X=8]"),
        ("[3, S=8, S]", "[3, S=8, S]"),
    ],
)
def test_sizes_that_are_fixed_become_symbols(shape: str, becomes: str) -> None:
    text = small("  adaptive_avgpool(3)\n  conv(2, 3)\n  flatten\n  fc = linear(classes)\n", shape=shape)
    made = fully_convolutional(Compilation.from_text(text))
    assert f"input x: {becomes}" in made


def test_a_squeeze_stays() -> None:
    """A pooling that leads to no dense layer is none of the classifier's."""
    text = small("  gate { global_avgpool -> conv(3, 1) -> sigmoid }\n  global_avgpool\n  flatten\n  linear(classes)")
    made = fully_convolutional(Compilation.from_text(text))
    assert "gate { global_avgpool -> conv(3, 1) -> sigmoid }" in made
    assert "avgpool(8, stride=1)\n  linear = conv(classes, 1)" in made


LIBRARY = "# The dense layers.\nblock head(n) { flatten; linear(6) -> relu; linear(n) }\n"


def test_a_block_that_is_imported_under_another_name_has_its_own(tmp_path: Path) -> None:
    """The name of its module, and so of its weights, is the block's own."""
    (tmp_path / "library.arch").write_text(LIBRARY)
    spec = tmp_path / "net.arch"
    spec.write_text('from "library.arch" import head as top\n' + small("  conv(4, 3) -> top(classes) -> linear(5)"))
    made = fully_convolutional(Compilation.from_path(spec))
    assert "# The dense layers.\nblock head(n) { identity; conv(6, 6) -> relu; conv(n, 1) }\n" in made
    assert "  conv(4, 3) -> head(classes); linear = conv(5, 1)\n" in made
    weights = load(made).state_dict()
    assert {name for name in weights if "weight" in name} == {
        name for name in load(spec).state_dict() if "weight" in name
    }


def test_two_blocks_of_one_name_do_not_fit_into_one_file(tmp_path: Path) -> None:
    (tmp_path / "library.arch").write_text(LIBRARY)
    spec = tmp_path / "net.arch"
    own = "block head(n) { conv(n, 1) }\n"
    spec.write_text('from "library.arch" import head as top\n' + small("  head(2)\n  top(classes)", before=own))
    with pytest.raises(UsageError, match="several blocks are called `head`"):
        fully_convolutional(Compilation.from_path(spec))


@pytest.mark.parametrize(
    ("where", "becomes"),
    [
        ("H >= 32 and W >= 32", "H >= 57 and W >= 57"),
        ("H % 32 == 0 and W == H", "H % 32 == 0 and H >= 64 and W % 32 == 0 and W >= 64 and H == W"),
        ("H >= 60 and W >= 64", "H >= 60 and W >= 64"),
    ],
)
def test_a_promise_is_cut_down_to_what_the_convolutions_accept(where: str, becomes: str) -> None:
    """The pooling made 8 x 8 of any size; a convolution of 8 x 8 needs as much. Claims at smaller sizes go."""
    text = small(
        "  conv(4, 3, stride=8, padding=1)\n  adaptive_avgpool(8)\n  flatten\n  linear(classes)",
        shape=f"[3, H=64, W=64] where {where}",
        claims="  expect shape at 32x32 == [10]\n  expect shape at 128x128 == [10]\n",
    )
    made = fully_convolutional(Compilation.from_text(text))
    assert f"  input x: [3, H=64, W=64] where {becomes}\n" in made
    assert "at 32x32" not in made
    assert "  expect shape at 128x128 == [10, 9, 9]\n" in made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (small("  conv(4, 3)"), "no dense layer after a `flatten`"),
        (small("  flatten"), "no dense layer after a `flatten`"),
        (small("  flatten\n  linear(12)\n  reshape([3, 2, 2])"), ":5:3: `reshape` has no fully convolutional form"),
        (small("  flatten\n  layernorm\n  linear(12)"), "has no fully convolutional form"),
        (small("  flatten\n  batchnorm\n  linear(12)"), "has no fully convolutional form"),
        (small("  flatten\n  l2norm\n  linear(12)"), "`l2norm` has no fully convolutional form"),
        (small("  adaptive_avgpool(3)\n  flatten\n  linear(12)"), "changes the size of what is flattened"),
        (small("  flatten\n  concat { relu -> linear(3); a = linear(4) }"), "the weights of `linear.weight` would"),
        (
            small(
                "  a = { head(classes) }\n  b = x -> maxpool(2) -> head(classes)\n  add(a, b)",
                before="block head(classes) { flatten; linear(classes) }\n",
            ),
            ":1:32: this would become something else in each place",
        ),
    ],
)
def test_what_cannot_be_converted(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fully_convolutional(Compilation.from_text(text))


def single(name: str) -> str:
    """A call of a layer that may stand between a `flatten` and a dense layer."""
    layer = registry.find(name)
    assert layer is not None
    return next(example.call for example in layer.examples if isinstance(example.input[0], int))


@pytest.mark.parametrize("size", [1, 2])
@torch.inference_mode()
def test_what_stands_between_a_flatten_and_a_dense_layer_means_the_same_or_is_refused(size: int) -> None:
    """Every layer that keeps a vector a vector, after a `flatten` of one position and of several."""
    torch.manual_seed(0)
    x = torch.randn(2, 6, size, size)
    kept = []
    for name in registry.names():
        layer = registry.find(name)
        if layer is None or layer.family not in ("activate", "normalise", "regularise"):
            continue
        dense = Compilation.from_text(small(f"  flatten\n  {single(name)}\n  linear(5)", f"[6, {size}, {size}]"))
        if not dense.ok:
            continue
        try:
            text = fully_convolutional(dense)
        except UsageError:
            continue
        before, after = load(dense).eval(), load(text).eval()
        own = after.state_dict()
        after.load_state_dict({key: value.reshape(own[key].shape) for key, value in before.state_dict().items()})
        torch.testing.assert_close(after(x).flatten(1), before(x), msg=name)
        kept.append(name)
    assert {"relu", "dropout", "drop_path"} <= set(kept)
    assert ("l2norm" in kept) == (size == 1)
