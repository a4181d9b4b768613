"""Emitted code to the letter: the shipped networks, and each feature by itself.

Read a change here as a reviewer would.
"""

from collections.abc import Callable

import pytest
from emitted import NETWORKS, text


@pytest.mark.parametrize("name", NETWORKS)
def test_text(name: str, golden: Callable[[str, str], None]) -> None:
    golden(text(name), f"emit/{name}.py.txt")


def test_resnet152_is_short() -> None:
    """The loops of the spec are loops in the code."""
    assert len(text("ResNet152").splitlines()) < 130
    assert len(text("ResNet152").splitlines()) == len(text("ResNet50").splitlines())
