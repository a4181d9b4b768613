"""What a module returns, as its caller sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archdsl.graph.model import Scope, Value
from archdsl.layers.base import Ints
from archdsl.validate.errors import Mismatch
from archdsl.validate.setting import Setting
from archdsl.validate.standins import Size, Storage, Tensor


@dataclass(frozen=True)
class Result:
    """One field of what a module returns: its label there, its shape and device, and what its memory is.

    `memory` is the position of the input whose memory it shares, or -1 - n for the n-th memory that the module made;
    `needed` says by what it is needed as it is, if it is. `size` is set for a torch.Size, and nothing else then.
    """

    name: str | None
    label: int = -1
    shape: Ints = ()
    device: object = None
    memory: int = -1
    needed: str = ""
    size: Size | None = None
    absent: bool = False  # None, as an output of training is in evaluation
    given: bool = False  # an input as it is


@dataclass(frozen=True)
class Returned:
    """What a module returns: its fields, in a named tuple of that type if they are several; whether another mode may
    change it."""

    made: type | None
    results: list[Result]
    mode_matters: bool


def results_of(returned: Any, inputs: Sequence[Tensor]) -> Iterator[Result]:
    """The fields of what a `forward` returned for these tensors."""
    fields = [(None, returned)] if isinstance(returned, Tensor) else _fields(returned)
    storages = {each.storage: i for i, each in enumerate(inputs)}
    made: dict[Storage, int] = {}
    for name, value in fields:
        if value is None:
            yield Result(name, absent=True)
        elif isinstance(value, Size):
            yield Result(name, size=value)
        elif isinstance(value, Tensor):
            value.check_intact()
            memory = storages.get(value.storage)
            if memory is None:
                memory = -1 - made.setdefault(value.storage, len(made))
            given = any(value is each for each in inputs)
            yield Result(name, value.label, value.shape, value.device, memory, value.storage.needed, given=given)
        else:
            raise Mismatch(f"it returns {value!r} as `{name}`")


def check_results(scope: Scope, labels: Mapping[Value, int], results: Sequence[Result], setting: Setting) -> None:
    """Each output of the scope is there; a network's under its name and in its place."""
    network = scope.kind == "network"
    for i, result in enumerate(scope.results):
        absent = result.training and not setting.training and not scope.inputs[0].training
        label = labels[result.value.tensor]
        shape = setting.shape(result.value.shape)
        candidates = [results[i]] if network and i < len(results) else results
        named = result.name or "its result"
        if network and (result.name or "").rstrip("_") != (candidates[0].name or "").rstrip("_"):
            raise Mismatch(f"output {i} is called `{candidates[0].name}`, not `{result.name}`")
        if result.value.is_size:
            if not any(each.size == shape[1:] for each in candidates):
                raise Mismatch(f"`{named}` is not the size {list(shape[1:])}")
        elif absent:
            if not any(each.absent for each in candidates):
                raise Mismatch(f"`{named}` is made in training only, and is no None in evaluation")
        elif not any(each.label == label for each in candidates):
            raise Mismatch(f"`{named}` is another value than in the spec")


def _fields(returned: Any) -> list[tuple[str, Any]]:
    names = getattr(returned, "_fields", None)
    if names is None:
        raise Mismatch(f"it returns {returned!r}")
    return list(zip(names, returned, strict=True))
