"""A layer that lacks a hook, or misspells one, is refused when it is defined."""

from __future__ import annotations

import pytest

from archdsl.layers.base import HOOKS, Elementwise, Example, Layer
from archdsl.layers.call import Call

WHOLE = {
    "__doc__": "max(x, 0).",
    "saves": ("output",),
    "examples": (Example("ramp", (8,), (8,)),),
    "module": lambda self, *inputs: Call("nn.ReLU"),
}


def define(**parts: object) -> type:
    return type("Ramp", (Elementwise,), {key: part for key, part in {**WHOLE, **parts}.items() if part is not None})


def test_a_whole_layer_is_taken() -> None:
    assert define().fields == ()


@pytest.mark.parametrize("part", WHOLE)
def test_what_is_missing_is_named(part: str) -> None:
    with pytest.raises(TypeError, match=rf"^layer Ramp lacks {part}$"):
        define(**{part: None})


def test_every_hook_is_asked_for() -> None:
    with pytest.raises(TypeError, match=f"lacks {', '.join(sorted(HOOKS))}"):
        type("Ramp", (Layer,), WHOLE | {"module": Layer.module})


def test_a_method_that_is_no_hook_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^Ramp\.modul is no hook of a layer; hooks are buffers, "):
        define(modul=WHOLE["module"])
