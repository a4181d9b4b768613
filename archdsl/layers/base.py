"""What a layer is: one class whose fields are its arguments and whose hooks are all that the compiler asks of it.

    class Hardshrink(Elementwise):
        \"\"\"Zero where |x| <= lambd, else x.\"\"\"
        lambd = arg(Float(minimum=0), default=0.5, doc="the threshold")
        saves = ("input",)
        examples = (Example("hardshrink", (8, 4, 4), (8, 4, 4)),)

        def module(self, x):
            return Call("nn.Hardshrink", (self.lambd,))

The file's name is the layer's name in a spec, its folder the family. A class that lacks a hook, or has a method that is
no hook, is refused when it is defined. Shapes leave out the batch axis: [C, H, W], [C, L], [C, D, H, W] or [F].
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from archdsl.layers.args import ArgumentError, Kind, show
from archdsl.layers.call import Call
from archdsl.layers.sight import Sight, same
from archdsl.layers.signature import REQUIRED, Field
from archdsl.sizes import Dim

Shape = tuple[Dim, ...]
Ints = tuple[int, ...]
Why = str | Callable[[], str]


class ShapeError(Exception):
    """A layer refuses its input: what it says, the argument at fault (`at`), facts and ways out."""

    def __init__(self, message: str, *, at: str | None = None, code: str = "E0301", help: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message, self.at, self.code, self.help = message, at, code, tuple(help)


class Need(Protocol):
    """Where a shape rule states what it needs of sizes.

    On fixed sizes a need that fails raises ShapeError with `why`; on symbolic ones it narrows the sizes that the
    network accepts. `why` may be a function, called only when the text is wanted.
    """

    def at_least(self, size: Dim, minimum: int, why: Why, *, at: str | None = None, code: str = "E0302") -> None: ...
    def equal(self, left: Dim, right: Dim, why: Why, *, at: str | None = None, code: str = "E0310") -> None: ...
    def divisible(self, size: Dim, by: int, why: Why, *, at: str | None = None, code: str = "E0303") -> None: ...


@dataclass(frozen=True)
class Example:
    """One call with the shape(s) of its input(s) and of what comes out; the contract test runs each against torch.

    The inputs hold numbers, or integers in 0 … `below` - 1. A call that takes a further value names it `other`.
    `before` is a statement that the call needs before it.
    """

    call: str
    input: Ints | tuple[Ints, ...]
    output: Ints | tuple[Ints, ...]
    below: int | None = None
    before: str = ""


@dataclass(frozen=True)
class Argument:
    """A field in the making: what `arg` returns until the class knows its name."""

    kind: Kind
    default: Any
    doc: str


def arg(kind: Kind, *, default: Any = REQUIRED, doc: str = "") -> Any:
    """Declares an argument of a layer; its position in the class is its position in a call."""
    return Argument(kind, default, doc)


@dataclass(frozen=True)
class Pooled:
    """What an argument of kind `Pooling` becomes: the pooling, the name of what it made, and which inputs it became.

    The input `indices` is where each maximum was, its shape that of what the pooling made. The input `size` stands for
    the size before the pooling, its shape is that of what was pooled.
    """

    layer: Layer
    name: str
    indices: int
    size: int

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Form:
    """What becomes of a layer in the fully convolutional form of a network.

    `call` is the text that takes its place: None if it stays as it is, empty if it is left out (`NOTHING` where a place
    has to be kept). `flat` is the map that its output, now a vector, stands for at the typical size: [C, k, l] after
    `flatten`, [F, 1, 1] after a dense layer.
    """

    call: str | None = None
    flat: Ints | None = None


NOTHING = "identity"

# What autograd may keep for the backward pass of a layer: the value that it is applied to, or a copy of it; the others
# that it is given; what comes out; or where each maximum was (8 bytes an output element, where no value is that).
SAVED = frozenset({"input", "copy", "others", "output", "indices"})


@dataclass(frozen=True)
class Kept:
    """What autograd keeps of one application for the backward pass, where a gradient goes through it.

    `saves` are words of SAVED. `elements` are the float32 that it keeps of tensors which the layer makes for itself
    (a mask, a mean, a square), for one item of the batch; `fixed` those that there are once, however large the batch.
    """

    saves: tuple[str, ...]
    elements: int = 0
    fixed: int = 0
    same: bool = False  # The output is the input itself, in training too.


def one_position(flat: Ints | None) -> bool:
    """Whether each feature of a vector is a channel, so that what is done by channel is done by feature."""
    return flat is None or all(size == 1 for size in flat[1:])


HOOKS = frozenset({"shape", "weights", "buffers", "macs", "sees", "module", "function"})
OPTIONAL = frozenset({"convolutional", "kept", "takes", "viewed"})  # hooks with an answer that is right for most layers


class Layer:
    """Base of all layers; see the module's doc. Instances are immutable and hold the fields' values."""

    name: ClassVar[str]
    family: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})  # of the fields, by their names
    examples: ClassVar[tuple[Example, ...]] = ()
    # What autograd keeps for the backward pass, in the words of SAVED: all of it, unless `kept` says more.
    saves: ClassVar[tuple[str, ...]]
    # The function or module takes `inplace=True`; then autograd keeps `overwriting` instead of `saves`.
    inplace: ClassVar[bool] = False
    overwriting: ClassVar[tuple[str, ...]] = ("output",)
    # Works element by element: where `permute` has left the input's elements in another order, the output has it too.
    ordered: ClassVar[bool] = False
    # The value that it is applied to holds integers (`torch.long`).
    ids: ClassVar[bool] = False
    # The output is a view of the input (flatten): it costs no memory of its own.
    view: ClassVar[bool] = False
    # The output may be the input itself (dropout, in evaluation), so that who overwrites the one overwrites the other.
    alias: ClassVar[bool] = False
    # What other frameworks call it, where the name alone does not tell: looked up only to suggest ours.
    aliases: ClassVar[tuple[str, ...]] = ()
    # The parameters of PyTorch's module in its order, each with our argument of that meaning: "" for what is inferred
    # here, "=1" for what has no argument and always is 1, None for what has none at all. Nothing where both agree.
    constructor: ClassVar[tuple[tuple[str, str | None], ...]] = ()
    # Other values of arguments that change the output's size a little, to be tried where sizes do not fit.
    tweaks: ClassVar[tuple[tuple[str, Any], ...]] = ()
    # Steps to try before it where it refuses its input.
    mends: ClassVar[tuple[str, ...]] = ()
    # A pooling: the module takes `return_indices=True`, and the layer has the arguments kernel, stride and padding.
    indices: ClassVar[bool] = False
    # `name(to=x)` gives its input the size of x.
    fits: ClassVar[bool] = False
    # Of an instance: the fields whose arguments depend on variables of the emitted code, which are written out even
    # where they equal the default.
    variable: frozenset[str] = frozenset()
    # A family's base (`Elementwise`) is abstract: it may leave hooks open.
    abstract: ClassVar[bool] = True

    def __init_subclass__(cls, abstract: bool = False) -> None:
        super().__init_subclass__()
        cls.abstract = abstract
        own = {key: value for key, value in vars(cls).items() if isinstance(value, Argument)}
        fields = {field.name: field for field in cls.fields}
        fields.update({key: Field(key, a.kind, a.default, a.doc) for key, a in own.items()})
        cls.fields = tuple(fields.values())
        cls.defaults = {field.name: field.default for field in cls.fields}
        for key in own:
            delattr(cls, key)
        for key, value in vars(cls).items():
            if inspect.isfunction(value) and not key.startswith("_") and key not in HOOKS | OPTIONAL:
                hooks = ", ".join(sorted(HOOKS | OPTIONAL))
                raise TypeError(f"{cls.__qualname__}.{key} is no hook of a layer; hooks are {hooks}")
        if abstract:
            return
        module = cls.__module__.split(".")
        if "name" not in vars(cls):
            cls.name = module[-1]
        if not hasattr(cls, "family"):
            cls.family = module[-2] if len(module) > 1 else "other"
        missing = [hook for hook in sorted(HOOKS) if getattr(cls, hook) is getattr(Layer, hook)]
        if not hasattr(cls, "saves"):
            missing.append("saves")
        elif unknown := sorted({*cls.saves, *cls.overwriting} - SAVED):
            raise TypeError(f"{cls.__qualname__}.saves knows no {unknown[0]!r}; it takes {', '.join(sorted(SAVED))}")
        if not cls.__doc__:
            missing.append("__doc__")
        if not cls.examples:
            missing.append("examples")
        if missing:
            raise TypeError(f"layer {cls.__qualname__} lacks {', '.join(missing)}")

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Converts and keeps the values given, by field; the others take their defaults. Raises ArgumentError."""
        keep = self.__dict__
        for field in self.fields:
            if field.name in values:
                try:
                    keep[field.name] = field.kind.convert(values[field.name])
                except ArgumentError as error:
                    error.args = (field.name, *error.args)
                    raise
            elif field.default is REQUIRED:
                raise ArgumentError(field.name, "is missing")
            else:
                keep[field.name] = field.default

    def __str__(self) -> str:
        """The call that makes it: what is required by position, and what is not the default by name."""
        given = [
            show(getattr(self, field.name)) if field.default is REQUIRED else f"{field.name}={show(value)}"
            for field in self.fields
            if (value := getattr(self, field.name)) != field.default
        ]
        return f"{self.name}({', '.join(given)})" if given else self.name

    # --- hooks ----------------------------------------------------------------------------------------------------
    # `inputs` is the value it is applied to, then the values that its `Value` arguments name.

    def shape(self, need: Need, *inputs: Shape) -> Shape | tuple[Shape, ...]:
        """The output's shape (a tuple of shapes for a layer with several outputs). Raises ShapeError."""
        raise NotImplementedError

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Parameters by the names that the PyTorch module gives them, with their shapes."""
        raise NotImplementedError

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Buffers of the PyTorch module that are in its `state_dict`, with their shapes."""
        raise NotImplementedError

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        """Multiply-accumulates for one item of the batch, at fixed sizes. A bias, a comparison or a sum is none."""
        raise NotImplementedError

    def kept(self, inputs: tuple[Ints, ...], output: Ints) -> Kept:
        """What autograd keeps where a gradient goes through, at fixed sizes. PyTorch's own operations, on a CPU."""
        return Kept(self.saves)

    def takes(self, shape: Ints, strides: Ints) -> bool:
        """Whether it takes an input that lies so in memory as it is, or keeps a copy instead. With the batch axis."""
        return True

    def viewed(self, shape: Ints, strides: Ints, output: Ints) -> Ints | None:
        """Of a view, the strides of its output; None where it is a copy instead. All with the batch axis."""
        return strides

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        """Which positions of each input one position of an output depends on, in evaluation, at fixed sizes.

        For each axis of an input a `Window` or WHOLE; None, or no entry, for an input of which only the size counts.
        `index` is the output that is asked of.
        """
        raise NotImplementedError

    def module(self, *inputs: Shape) -> Call | None:
        """The constructor of the PyTorch module, or None if there is only a function."""
        raise NotImplementedError

    def function(self, *inputs: Shape) -> Call | None:
        """The call that a `forward` would make where there is no state to keep (`F.relu(x)`), with `X` for the input.

        None for layers with parameters or buffers, and where a module says better what depends on a block's parameters
        (`variable`): a `forward` has numbers only.
        """
        raise NotImplementedError

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        """Its fully convolutional form, None if it has none. Long et al., 2015, section 3.1.

        `x` is its input's shape at the typical size; `flat` the map that the input stands for, if it is a vector;
        `given` the author's text of each argument.
        """
        return Form() if flat is None else None


class Stateless(Layer, abstract=True):
    """A layer with no parameters, buffers or multiply-accumulates."""

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def buffers(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {}

    def macs(self, inputs: tuple[Ints, ...], output: Ints) -> int:
        return 0


class Elementwise(Stateless, abstract=True):
    """A stateless layer whose output has its input's shape, whatever that is."""

    ordered = True

    def shape(self, need: Need, *inputs: Shape) -> Shape:
        return inputs[0]

    def sees(self, inputs: tuple[Ints, ...], outputs: tuple[Ints, ...], index: int) -> Sight:
        return (same(inputs[0]),)

    def convolutional(self, x: Ints, flat: Ints | None, given: Mapping[str, str]) -> Form | None:
        return Form(flat=flat)

    def function(self, *inputs: Shape) -> Call | None:
        return None
