"""Matching the arguments of a call to the fields of a layer, the parameters of a block or of an initialiser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from archdsl.diagnostics import did_you_mean
from archdsl.layers.args import Kind, show

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()


@dataclass(frozen=True)
class Field:
    """One argument that may be given: its name, kind, default (or `REQUIRED`) and what it is."""

    name: str
    kind: Kind
    default: Any = REQUIRED
    doc: str = ""

    def __str__(self) -> str:
        return self.name if self.default is REQUIRED else f"{self.name}={show(self.default)}"


_INFERRED = frozenset({"in_channels", "in_features", "num_features", "num_channels", "input_size", "in1_features"})


class CallError(Exception):
    """A call whose arguments do not fit; `index` is the argument at fault, None where the call as a whole is."""

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.index = index


def describe(name: str, fields: Sequence[Field]) -> str:
    """`conv(channels, kernel, stride=1, …)`."""
    return f"{name}({', '.join(map(str, fields))})"


def match(name: str, fields: Sequence[Field], given: Sequence[str | None]) -> list[Field]:
    """The field of each argument given (its name, or None for a positional one), in the order given.

    Raises CallError on too many, unknown, doubled or missing arguments.
    """
    by_name = {field.name: field for field in fields}
    matched: list[Field] = []
    seen: set[str] = set()
    for index, key in enumerate(given):
        if key is None:
            if index and given[index - 1] is not None:
                raise CallError("a positional argument follows a named one", index)
            if index >= len(fields):
                takes = f"at most {len(fields)} argument{'s' * (len(fields) != 1)}" if fields else "no arguments"
                raise CallError(f"`{name}` takes {takes}", index)
            field = fields[index]
        elif key in by_name:
            field = by_name[key]
        else:
            raise CallError(f"`{name}` has no argument `{key}`{_hint(key, by_name)}", index)
        if field.name in seen:
            raise CallError(f"`{field.name}` is given twice", index)
        seen.add(field.name)
        matched.append(field)
    missing = [f"`{f.name}`" for f in fields if f.default is REQUIRED and f.name not in seen]
    if missing:
        raise CallError(f"`{name}` needs {' and '.join(missing)}")
    return matched


def _hint(key: str, known: Iterable[str]) -> str:
    """What was meant by a wrong argument: a similar one, or one that it begins or is part of (`pad`, `kernel_size`)."""
    if key in _INFERRED:
        return ": it is inferred from what the layer is applied to"
    words = key.split("_")
    near = did_you_mean(key, known) or next((each for each in known if each in words or each.startswith(key)), None)
    return f"; did you mean `{near}`?" if near else ""
