"""A layer's example, tried: what it makes of shapes in symbols, its weights and its PyTorch code.

Input: an `Example`. Output: what the checker says of a network of that one call. Nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.diagnostics import Sink
from archdsl.emit.torch.say import literal
from archdsl.graph.model import Apply, Network, walk
from archdsl.layers.base import Example, Ints, Shape
from archdsl.layers.call import Call, Operand
from archdsl.passes.accept import accepted, check_accepted
from archdsl.passes.elaborate import elaborate
from archdsl.passes.load import Library
from archdsl.passes.shapes import show_shape
from archdsl.reference.formulas import Formula, formulas
from archdsl.source import Source

INPUTS = ("x", "other")
# The symbols of the dims of each input, by how many it has.
AXES = (
    {1: ("F",), 2: ("C", "L"), 3: ("C", "H", "W"), 4: ("C", "D", "H", "W")},
    {1: ("G",), 2: ("K", "M"), 3: ("K", "P", "Q"), 4: ("K", "O", "P", "Q")},
)
RANKS = tuple(AXES[0])
Places = frozenset[tuple[int, int]]  # dims of inputs: the input's index and the axis


@dataclass(frozen=True)
class Tried:
    """One example. `inputs` and `outputs` have a symbol for each dim that may have many sizes, a number for others.

    `accepts` says which sizes those are, and is empty where there is no symbol. `weights` and `buffers` are at the
    example's own sizes, under their names in the module's `state_dict`, and
    `formulas` says the same in arguments and dims. `spec` is a network of the one call, `item` the
    layer in it.
    """

    example: Example
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    accepts: str
    weights: Mapping[str, Ints]
    buffers: Mapping[str, Ints]
    formulas: Mapping[str, Formula]
    pytorch: str
    spec: str
    item: Apply

    @property
    def call(self) -> str:
        """The example as a spec has it, with the statement that it needs before it."""
        return f"{self.example.before}; {self.example.call}" if self.example.before else self.example.call


def attempt(example: Example) -> Tried | None:
    """The example in as many symbols as it can have; None if the checker refuses it."""
    inputs, outputs = shapes(example.input), len(shapes(example.output))
    every = frozenset((i, axis) for i, shape in enumerate(inputs) for axis in range(len(shape)))
    concrete = _network(example, inputs, outputs, every)
    if concrete is None:
        return None
    fixed, network = every, concrete
    for fewer in _candidates(every, inputs):
        freer = _network(example, inputs, outputs, fixed & fewer) if fixed - fewer else None
        if freer is not None and _unbounded(freer):
            fixed, network = fixed & fewer, freer
    return _told(example, concrete, network)


def _candidates(every: Places, inputs: Sequence[Ints]) -> Iterator[Places]:
    """What to leave fixed: nothing, the features, then all but one dim to see whether that one has to be.

    Several dims at once come first, since those of two inputs may have to agree.
    """
    yield frozenset()
    yield frozenset((i, len(shape) - 1) for i, shape in enumerate(inputs))
    yield from (every - {place} for place in sorted(every, key=lambda place: (place[0], -place[1])))


def at_rank(example: Example, rank: int) -> Apply | None:
    """The call on inputs with that many dims, sizes as the example's; None if the checker refuses that."""
    inputs = [(*shape[:1], *(shape[-1:] * max(RANKS)))[:rank] for shape in shapes(example.input)]
    every = frozenset((i, axis) for i in range(len(inputs)) for axis in range(rank))
    network = _network(example, inputs, len(shapes(example.output)), every)
    return None if network is None else applied(network)


def shapes(stated: Ints | tuple[Ints, ...]) -> tuple[Ints, ...]:
    """The shapes that an example states: it may state one without a tuple around it."""
    several = tuple(shape for shape in stated if isinstance(shape, tuple))
    return several or (tuple(dim for dim in stated if not isinstance(dim, tuple)),)


def _network(example: Example, inputs: Sequence[Ints], outputs: int, fixed: Places) -> Network | None:
    """The network of one call; a dim whose place is not `fixed` is a symbol. None if the checker refuses it.

    None too for more inputs, or other numbers of dims, than there are names for.
    """
    if not all(len(shape) in RANKS for shape in inputs) or len(inputs) > len(INPUTS):
        return None
    sink = Sink()
    unit = Library(sink).add(Source("<example>", "\n".join(_lines(example, inputs, outputs, fixed))), None)
    if sink.errors:
        return None
    network = elaborate(unit.networks[0], {}, sink)
    if network is not None:
        check_accepted(network, sink)
    return None if sink.errors else network


def _lines(example: Example, inputs: Sequence[Ints], outputs: int, fixed: Places) -> Iterator[str]:
    yield "network Example {"
    for i, shape in enumerate(inputs):
        named = zip(AXES[i][len(shape)], shape, strict=True)
        dims = [str(size) if (i, axis) in fixed else f"{name}={size}" for axis, (name, size) in enumerate(named)]
        yield f"input {INPUTS[i]}: [{', '.join(dims)}]"
    yield example.before
    labels = [f"out{i}" for i in range(outputs)]
    yield f"{', '.join(labels)} = x -> {example.call}"
    yield from (f"output {label}" for label in labels if outputs > 1)
    yield "}"


def _unbounded(network: Network) -> bool:
    """Whether each symbol has sizes without end: one with a few values is said better as a number."""
    sizes = accepted(network).to_json()["sizes"]
    return all(sizes[symbol]["maximum"] is None and sizes[symbol]["residues"] for symbol in network.symbols)


def _told(example: Example, concrete: Network, network: Network) -> Tried:
    module = applied(concrete).module
    inputs = shapes(example.input)
    return Tried(
        example,
        tuple(value.shape for value in network.scope.inputs),
        tuple(result.value.shape for result in network.scope.results),
        str(accepted(network)) if network.symbols else "",
        {name: numbers(shape) for name, shape in module.weights.items()},
        {name: numbers(shape) for name, shape in module.buffers.items()},
        formulas(applied(concrete), inputs, AXES),
        _python(made(applied(network))[0]),
        network.definition.span.source.text,
        applied(network),
    )


def numbers(shape: Shape) -> Ints:
    """A shape whose dims are numbers."""
    return tuple(int(dim) for dim in shape if isinstance(dim, int))


def made(item: Apply) -> list[Call]:
    """What a layer becomes in PyTorch: its module, its function, or both, the module first."""
    given = [value.shape for value in item.inputs]
    return [call for call in (item.layer.module(*given), item.layer.function(*given)) if call is not None]


def applied(network: Network) -> Apply:
    """The application of the example's layer: the last one."""
    *_, item = walk(network.scope.items)
    assert isinstance(item, Apply)
    return item


def _python(call: Call) -> str:
    """The call as the emitted code has it, with `x` for its input."""
    args = [_argument(arg) for arg in call.args]
    args += [f"{key}={_argument(value)}" for key, value in call.kwargs.items()]
    if call.func.startswith("."):
        return f"{args[0]}{call.func}({', '.join(args[1:])})"
    return f"{call.func}({', '.join(args)})"


def _argument(arg: object) -> str:
    if not isinstance(arg, Operand):
        return literal(arg)
    return f"{INPUTS[arg.index]}.{arg.attribute}" if arg.attribute else INPUTS[arg.index]


def show(all_of: Sequence[Shape]) -> str:
    """`[C, H, W], [K, P, Q]`."""
    return ", ".join(map(show_shape, all_of))
