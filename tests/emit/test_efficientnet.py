"""EfficientNet-B0 written by hand in the language: torchvision's network, and code that a person would write."""

from __future__ import annotations

import torch
import torchvision
from emitted import load, text

NAME = "efficientnet.EfficientNetB0"


def test_it_is_short() -> None:
    """One class for each block: rates that differ are arguments, and so are loops without a turn and cases."""
    made = text(NAME)
    assert made.count("\nclass ") == 1 + 6  # DropPath, and one for each block and the network
    assert len(made.splitlines()) < 150


def test_it_is_torchvisions() -> None:
    """The same parameters and buffers in the same order; with the same weights, equal outputs."""
    torch.manual_seed(0)
    theirs = torchvision.models.efficientnet_b0()
    for value in theirs.state_dict().values():
        if value.dim() == 1:  # of a batch norm, or a bias
            value.uniform_(0.5, 1.5)
    ours = load(NAME)
    assert sum(p.numel() for p in ours.parameters()) == 5_288_548
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = theirs.eval()(image)
        assert expected.std() > 0.01
        torch.testing.assert_close(ours.eval()(image), expected, rtol=1e-4, atol=1e-5)


def test_each_block_is_dropped_at_its_own_rate() -> None:
    theirs = torchvision.models.efficientnet_b0()
    skipped = [each for each in theirs.modules() if getattr(each, "use_res_connect", False)]
    expected = [each.stochastic_depth.p for each in skipped]
    for drop in (0.2, 0.4):
        rates = [each.p for each in load(NAME, drop=drop).modules() if type(each).__name__ == "DropPath"]
        torch.testing.assert_close(rates, [rate * drop / 0.2 for rate in expected])
