"""`--guard`: the check with which `forward` begins refuses exactly what the network does not accept, and says so."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from emitted import NETWORKS, SHALLOW, SPECS, compilation, execute, networks
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.compiler import Compilation, accepted
from archdsl.runtime.load import load
from archdsl.sizes import evaluate

Check = Callable[..., None]


def check_of(source: str) -> Check:
    found: Check = execute(source)["check_sizes"]
    return found


def refuses(check: Check, *shapes: tuple[int, ...]) -> bool:
    try:
        check(*(torch.empty(1, *shape, device="meta") for shape in shapes))
    except ValueError:
        return True
    return False


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "name" in metafunc.fixturenames:  # a deeper sibling has the same check
        metafunc.parametrize("name", NETWORKS if metafunc.config.getoption("--thorough") else SHALLOW)


def test_it_refuses_exactly_what_is_not_accepted(name: str) -> None:
    path, network = networks()[name]
    spec = compilation(path)
    checked = spec.network(network)
    domain = accepted(checked)
    check = check_of(spec.compile(network, guard=True))
    tried = [*range(1, 40), 63, 64, 187, 188, 189, 224, 225, 256]
    for size, other in [*zip(tried, tried, strict=True), *itertools.product(tried[::5], tried[::7])]:
        at = {symbol: (size, other)[i % 2] for i, symbol in enumerate(checked.symbols)}
        shapes = [tuple(evaluate(dim, at) for dim in value.shape) for value in checked.scope.inputs]
        assert refuses(check, *shapes) != domain.contains(at), at


STEPS = st.sampled_from(
    [
        "add { conv(4, 3, stride=2, padding=1); maxpool(2) }",
        "add { maxpool(3, padding=1); maxpool(3) }",
        "concat { crop(5); conv(4, 1, stride=3) -> crop(5) } -> conv(4, 1)",
        "pixel_unshuffle(2) -> conv(4, 1)",
        "conv(4, 5)",
        "maxpool(2, ceil=true)",
        "add { upsample(scale=1.5); deconv(4, 2, stride=2) -> maxpool(4, stride=3) }",
    ]
)


def test_it_reads_well(golden: Callable[[str, str], None]) -> None:
    text = (
        "network Net {\n  input image: [3, H, H]\n  input depth: [1, 2 * H, W]\n  small = depth -> maxpool(2)\n"
        "  add { image -> conv(1, 1); small }\n  conv(1, 7, stride=3)\n}\n"
    )
    spec = Compilation.from_text(text, "net.arch")
    assert spec.ok, [each.message for each in spec.diagnostics]
    golden(spec.compile(guard=True), "emit/guarded.Net.py.txt")
    golden(compilation(SPECS / "unet.arch").compile("UNetPadded", guard=True), "emit/guarded.UNetPadded.py.txt")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(STEPS, min_size=1, max_size=4),
    st.sampled_from([["[4, H, W]"], ["[4, H, H]"], ["[4, H, 60]"], ["[4, H, W]", "[4, W, K]"]]),
)
def test_random_networks(steps: list[str], shapes: list[str]) -> None:
    inputs = "\n".join(f"  input x{i}: {shape}" for i, shape in enumerate(shapes))
    join = "add { x0 -> global_avgpool; global_avgpool }" if len(shapes) > 1 else "relu"
    body = "\n".join(f"  {step}" for step in steps)
    spec = Compilation.from_text(f"network Net {{\n{inputs}\n{body}\n  {join}\n}}\n")
    if not spec.ok:
        return
    network = spec.network()
    domain = accepted(network)
    check = check_of(spec.compile(guard=True))
    for i, size in enumerate(range(1, 90)):
        at = {symbol: size if i % 3 else size + 7 * n for n, symbol in enumerate(network.symbols)}
        given_shapes = [tuple(evaluate(dim, at) for dim in value.shape) for value in network.scope.inputs]
        assert refuses(check, *given_shapes) != domain.contains(at), (at, str(domain))


def module(text: str, **options: Any) -> Any:
    return load(text, guard=True, **options)


TEXT = "network Net {\n  input image: [3, H, W]\n  conv(4, 3, stride=4) -> relu\n  pixel_unshuffle(2)\n}\n"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 8, 12), r"Net accepts H and W with H % 8 in 0..2 or 7 .*, at least 7, not H = 8, W = 12"),
        ((1, 4, 8, 8), r"Net takes image as \[N, 3, H, W\], not \[1, 4, 8, 8\]"),
        ((3, 8, 8), r"Net takes image as \[N, 3, H, W\], not \[3, 8, 8\]"),
    ],
)
def test_what_it_says(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        module(TEXT)(torch.zeros(shape))


def test_what_is_accepted_runs_as_without_it() -> None:
    guarded, plain = module(TEXT), load(TEXT)
    guarded.load_state_dict(plain.state_dict())
    x = torch.rand(2, 3, 15, 18)
    assert torch.equal(guarded(x), plain(x))


def test_a_size_of_nothing_is_no_multiple() -> None:
    check = check_of(compilation(SPECS / "unet.arch").compile("UNetPadded", guard=True))
    assert not refuses(check, (3, 16, 16))
    assert refuses(check, (3, 0, 16))


def test_it_is_exported() -> None:
    text = "network Net {\n  input x: [3, H, W]\n  conv(4, 3, stride=2, padding=1) -> relu\n  conv(4, 5)\n}\n"
    guarded = module(text)
    dims = {"x": {2: torch.export.Dim("h", min=11, max=99), 3: torch.export.Dim("w", min=11, max=99)}}
    exported = torch.export.export(guarded, (torch.zeros(1, 3, 20, 21),), dynamic_shapes=dims)
    x = torch.rand(1, 3, 33, 40)
    assert torch.allclose(exported.module()(x), guarded(x))
