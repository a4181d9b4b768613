"""What the generator knows of what it has written: values, blocks, and the scope that a statement stands in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

# The lists of a scope that have names of numbers and the like.
KINDS = ("ints", "counters", "kernels", "strides", "floats", "flags", "lists", "sizes", "texts", "optional")


@dataclass(frozen=True)
class Value:
    """What is known of a value: how to name it, its channels and its size, each as something that can be compared."""

    name: str | None
    channels: str  # an expression of the spec, or "?n" where there is none
    size: tuple[str, ...]  # what it started from, and what has changed it since
    vector: bool = False
    pooled: tuple[str, ...] | None = None  # the size before the max pooling that made it
    device: int | None = None


@dataclass
class Parameter:
    name: str
    kind: str  # width, kernel, stride, float, flag, list, size, text, optional, value, pooled
    default: str | None


@dataclass
class Block:
    """A block as those who apply it see it."""

    name: str
    parameters: list[Parameter]
    vector: bool
    size: tuple[str, ...] | None  # what it does to the size
    channels: str  # "in", the name of a parameter, or "?"
    labels: list[Value]  # of values inside that may be asked for
    outputs: list[str]
    trained: list[str]  # outputs that are there in training only
    pools: bool = False
    named: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Scope:
    """Where a statement stands. Inner braces have a copy whose lists are their own."""

    ints: list[str]
    counters: list[str]  # integers from 0 on
    kernels: list[str]
    strides: list[str]
    floats: list[str]
    flags: list[str]
    lists: list[str]
    sizes: list[str]
    values: list[Value]
    taken: set[str]  # labels of the module, shared by its braces
    index: list[str] | None  # of the loops around, None where no label may stand
    shared: list[tuple[str, Value, Value]]
    depth: int = 0
    keeps: bool = False  # nothing may change the size
    quiet: bool = False  # in training or a case: labels stay inside
    projects: list[bool] = field(default_factory=lambda: [False])  # whether the module has its bare `project`
    vector: bool = False  # whether `in` is one
    named: list[tuple[str, str]] = field(default_factory=list)  # labels of layers with weights, and which they have
    trained: list[str] = field(default_factory=list)  # what blocks give in training only
    own: bool = True  # directly in a network, a block: where `shared` may be applied
    texts: list[str] = field(default_factory=list)  # modes of padding
    optional: list[str] = field(default_factory=list)  # numbers from 1 on, or none

    def inner(self, **changes: object) -> Scope:
        lists = {name: list(getattr(self, name)) for name in (*KINDS, "values")}
        found: dict[str, Any] = {**lists, "depth": self.depth + 1, **changes}
        return replace(self, **found)

    def module(self) -> Scope:
        """The scope of a labelled group."""
        names = {name for kind in KINDS for name in getattr(self, kind)} | {name for name, _, _ in self.shared}
        return self.inner(taken=names, index=[], projects=[False], own=False, named=[])
