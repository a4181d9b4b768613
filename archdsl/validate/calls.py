"""Calls that a program makes beside the call that a layer is."""

from __future__ import annotations

from typing import Any

from archdsl.layers.call import Call
from archdsl.validate.standins import Tensor


class Label(int):
    """An operand in a call that is compared: the label of a tensor."""


ADDED = {"inplace", "return_indices", "device"}  # options that no layer asks for, but what stands around it


def is_call(have: Call, want: Call) -> bool:
    """Whether a call is the one of a layer."""
    return (
        have.func == want.func
        and _same(have.args, want.args)
        and have.kwargs.keys() == want.kwargs.keys()
        and all(_same(value, want.kwargs[key]) for key, value in have.kwargs.items())
    )


def is_longer_call(have: Call, least: Call, most: Call | None) -> bool:
    """Whether a call is the one of a layer with some options written out that have their defaults."""
    if most is None:
        return False
    given = {**most.kwargs, **{key: value for key, value in have.kwargs.items() if key in most.kwargs}}
    wanted = Call(most.func, most.args, most.kwargs)
    return least.kwargs.keys() <= have.kwargs.keys() <= most.kwargs.keys() and is_call(
        Call(have.func, have.args, given), wanted
    )


def _same(have: Any, want: Any) -> bool:
    """Whether two arguments are equal and alike: a bool is no int, a float is none, a list may be a tuple."""
    if isinstance(have, Tensor):
        return isinstance(want, Label) and have.label == want
    if isinstance(want, Label):
        return False
    if isinstance(have, (list, tuple)) and isinstance(want, (list, tuple)):
        return len(have) == len(want) and all(map(_same, have, want))
    if isinstance(have, bool) or isinstance(want, bool):
        return have is want
    return bool(have == want) and not (isinstance(have, float) and isinstance(want, int))


def shown(call: Call) -> str:
    parts = ["…" if isinstance(arg, (Tensor, Label)) else repr(arg) for arg in call.args]
    return f"{call.func}({', '.join([*parts, *(f'{key}={value!r}' for key, value in call.kwargs.items())])})"
