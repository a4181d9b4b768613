"""What a class is before it is written: its base, the parameters of its constructor, and the two bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from archdsl.emit.torch.code import Bracket, Differ, Stmt, merge
from archdsl.graph.model import Scope, Value
from archdsl.graph.traced import Ref
from archdsl.passes.place import Placed


@dataclass(frozen=True)
class Parameter:
    """A parameter of a constructor. `kind` says what its argument is: "dim", "param", "ref", "flag", "device(s)"."""

    kind: str
    name: str
    key: Any
    default: str | None = None


@dataclass(frozen=True)
class Style:
    """How the sequences of a class are written: what is shortest for one instance may not be one code for all."""

    compact: bool = True  # one call, where that can be; else statements wherever there is a loop or a case
    carried: frozenset[int] = frozenset()  # the `if`s that leave the channels in a variable, by the ids of their nodes
    branches: bool = False  # a `forward` decides its `if`s


@dataclass
class Code:
    """One class, before its name."""

    base: str
    parameters: tuple[Parameter, ...]
    constructor: tuple[Stmt, ...]
    arguments: tuple[str, ...]  # of the `forward`, with their types
    forward: tuple[Stmt, ...]
    fields: tuple[str, ...] | None  # of the named tuple it returns, with their types
    output: str  # the name of that tuple
    style: Style
    instances: list[Placed] = field(default_factory=list)
    name: str = ""
    of: str = ""  # where it is first used, if it is a further class of its block
    refs: dict[Placed, dict[str, Ref]] = field(default_factory=dict)  # of its parameters, in each instance
    baked: dict[Placed, frozenset[Ref]] = field(default_factory=dict)  # see `Variables`
    fixed: dict[Placed, frozenset[Ref]] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The first that it is the class of."""
        return self.instances[0].scope

    def merged(self, other: Code) -> Code:
        """One class for both. Raises Differ."""
        same = (self.base, self.arguments, self.fields) == (other.base, other.arguments, other.fields)
        if not same:
            raise Differ
        parameters = {p.name: p for p in (*self.parameters, *other.parameters)}
        return Code(
            self.base,
            tuple(parameters.values()),
            merge(self.constructor, other.constructor),
            self.arguments,
            merge(self.forward, other.forward),
            self.fields,
            self.output,
            self.style,
            [*self.instances, *other.instances],
            self.name,
            refs={**self.refs, **other.refs},
            baked={**self.baked, **other.baked},
            fixed={**self.fixed, **other.fixed},
        )


def signature(code: Code) -> Bracket:
    """`def __init__(self, …)`: required parameters, then keywords."""
    required = [p for p in code.parameters if p.default is None]
    optional = [p for p in code.parameters if p.default is not None]
    items = ["self", *(f"{p.name}: {_parameter_type(p, code)}" for p in required)]
    if optional:
        keyword = [] if code.scope.kind == "network" else ["*"]
        items += [*keyword, *(f"{p.name}: {_parameter_type(p, code)} = {p.default}" for p in optional)]
    return Bracket("def __init__(", tuple(items), ") -> None")


def _parameter_type(p: Parameter, code: Code) -> str:
    if p.kind == "device":
        return "Device"
    if p.kind == "devices":
        return "Sequence[Device] | None" if p.default == "None" else "tuple[Device, ...]"
    if p.kind == "flag":
        return "bool"
    if p.kind == "dim":
        return "int"
    if p.kind == "ref":
        return annotation([code.refs[placed][p.key].origin for placed in code.instances])
    values = [placed.scope.params[p.key] for placed in code.instances]
    return annotation([*values, None] if p.default == "None" else values)


def type_of(value: Value) -> str:
    """The type of a value in a `forward`."""
    return "torch.Size" if value.is_size else "Tensor"


def annotation(values: Sequence[Any]) -> str:
    """The type of a parameter that takes these values."""
    kinds = {_type_of(value): None for value in values}
    if "float" in kinds:
        kinds.pop("int", None)
    if "None" in kinds:
        kinds["None"] = kinds.pop("None")
    return " | ".join(kinds)


def _type_of(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, tuple):
        return f"tuple[{', '.join(map(_type_of, value))}]"
    if isinstance(value, (list, range)):
        return f"Sequence[{annotation(list(value)) or 'int'}]"  # of an empty one, whose items nobody knows
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind.__name__
    raise AssertionError(type(value))
