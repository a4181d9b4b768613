"""The check of its input's sizes with which a network's `forward` begins on request (`--guard`).

Input: a network and the sizes that it accepts. Output: the text of one function, made of numbers, checked names and
the texts of sizes, which are Python.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple, TypeGuard

from archdsl.emit.torch.code import Block, Line, Stmt, lines
from archdsl.graph.model import Network
from archdsl.layers.base import Shape
from archdsl.passes.elaborate.pythonic import BUILTINS
from archdsl.passes.shapes import show_shape
from archdsl.sizes import AtLeast, Condition, Dim, Divisible, Domain, Equal, Size
from archdsl.sizes.arithmetic import renamed
from archdsl.sizes.naturals import Naturals

NAME = "check_sizes"


class _Input(NamedTuple):
    """An input: the name of its argument and that of the spec, and its shape."""

    argument: str
    label: str
    shape: Shape


def guard(network: Network, arguments: list[str], domain: Domain) -> str:
    """A function that raises ValueError for inputs, the arguments of `forward`, that the network does not accept.

    Each symbol is a dim by itself where it first comes up, so it can be read off an input.
    """
    scope = network.scope
    inputs = [
        _Input(*each)
        for each in zip(arguments, scope.input_names, (value.shape for value in scope.inputs), strict=True)
    ]
    variables: dict[str, str] = {}
    for name in network.symbols:
        variables[name] = _variable(name, {*arguments, *variables.values(), "sizes"})
    bound: set[str] = set()
    body: list[Stmt] = []
    for each in inputs:
        body += [_stated(network, each), *_bindings(each, variables, bound)]
    for each in inputs:
        body += _repeated(network, each, variables)
    refused = " or ".join(_refused(domain, variables))
    if refused:
        got = ", ".join(f"{name} = {{{variable}}}" for name, variable in variables.items())
        message = f'raise ValueError(f"{network.name} accepts {_escaped(str(domain))}, not {{sizes}}")'
        body.append(Block(f"if {refused}", (Line(f'sizes = f"{got}"'), Line(message))))
    typed = ", ".join(f"{name}: Tensor" for name in arguments)
    doc = Line(f'"""Raises ValueError for inputs of other sizes than {network.name} accepts."""')
    return "\n".join(lines([Block(f"def {NAME}({typed}) -> None", (doc, *body))]))


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _is_symbol(dim: Dim) -> TypeGuard[Size]:
    return isinstance(dim, Size) and str(dim) == dim.symbol


def _variable(name: str, taken: Set[str]) -> str:
    found = name.lower()
    while found in taken or keyword.iskeyword(found) or found in BUILTINS:
        found += "_"
    return found


def _wrong_shape(network: Network, each: _Input) -> Line:
    wanted = _escaped(show_shape(each.shape).replace("[", "[N, ", 1))
    got = f"not {{list({each.argument}.shape)}}"
    return Line(f'raise ValueError(f"{network.name} takes {each.label} as {wanted}, {got}")')


def _stated(network: Network, each: _Input) -> Stmt:
    """Whether an input has as many dims as it should, and those that are numbers."""
    wrong = [f"{each.argument}.dim() != {len(each.shape) + 1}"]
    wrong += [f"{each.argument}.shape[{i}] != {dim}" for i, dim in enumerate(each.shape, 1) if isinstance(dim, int)]
    return Block(f"if {' or '.join(wrong)}", (_wrong_shape(network, each),))


def _bindings(each: _Input, variables: Mapping[str, str], bound: set[str]) -> Iterator[Stmt]:
    """What the symbols are that an input is the first to have."""
    found = {i: dim.symbol for i, dim in enumerate(each.shape, 1) if _is_symbol(dim) and dim.symbol not in bound}
    first = min(found, default=0)
    if len(found) > 1 and len(set(found.values())) == len(found) == len(each.shape) + 1 - first:
        yield Line(f"{', '.join(variables[name] for name in found.values())} = {each.argument}.shape[{first}:]")
    else:
        yield from (
            Line(f"{variables[name]} = {each.argument}.shape[{i}]")
            for name, i in {name: i for i, name in reversed(found.items())}.items()
        )
    bound.update(found.values())


def _repeated(network: Network, each: _Input, variables: Mapping[str, str]) -> Iterator[Stmt]:
    """Whether the dims that follow from others are what they should be."""
    wrong = [
        f"{each.argument}.shape[{i}] != {_python(renamed(dim, variables))}"
        for i, dim in enumerate(each.shape, 1)
        if not isinstance(dim, int) and (not _is_symbol(dim) or _where_bound(network, dim.symbol) != (each.label, i))
    ]
    if wrong:
        yield Block(f"if {' or '.join(wrong)}", (_wrong_shape(network, each),))


def _where_bound(network: Network, symbol: str) -> tuple[str, int]:
    """The first input and axis that a symbol is."""
    return next(
        (label, i)
        for label, value in zip(network.scope.input_names, network.scope.inputs, strict=True)
        for i, dim in enumerate(value.shape, 1)
        if _is_symbol(dim) and dim.symbol == symbol
    )


def _refused(domain: Domain, variables: Mapping[str, str]) -> Iterator[str]:
    """What must not be true of the sizes."""
    for name, allowed in domain.values.items():
        text = _outside(variables[name], allowed)
        if text:
            yield text
    for relation in domain.relations:
        yield _fails(relation.renamed(variables))


def _outside(variable: str, allowed: Naturals) -> str:
    stretch = " or ".join(_outside_stretch(variable, allowed)) if allowed.residues else "True"
    if not allowed.members:
        return stretch
    listed = sorted(allowed.members)
    others = f"{variable} != {listed[0]}" if len(listed) == 1 else f"{variable} not in {tuple(listed)}"
    if not allowed.residues:
        return others
    return f"({others} and ({stretch}))" if " or " in stretch else f"({others} and {stretch})"


def _outside_stretch(variable: str, allowed: Naturals) -> Iterator[str]:
    period, residues = allowed.period, sorted(allowed.residues)
    missing = [r for r in range(period) if r not in allowed.residues]
    if len(residues) == 1 and period > 1:
        yield f"{variable} % {period} != {residues[0]}"
    elif len(missing) == 1:
        yield f"{variable} % {period} == {missing[0]}"
    elif missing:
        fewer, word = (missing, "in") if len(missing) < len(residues) else (residues, "not in")
        yield f"{variable} % {period} {word} {tuple(fewer)}"
    if allowed.start > min(residues) and allowed.start > 1:  # a size of 0 is a multiple of everything
        yield f"{variable} < {allowed.start}"
    if allowed.stop is not None:
        yield f"{variable} >= {allowed.stop}"


def _fails(relation: Condition) -> str:
    match relation:
        case Equal(left, right):
            return f"{_python(left)} != {_python(right)}"
        case AtLeast(size, minimum):
            return f"{_python(size)} < {minimum}"
        case Divisible(size, by):
            return f"({_python(size)}) % {by} != 0"
    raise AssertionError(f"{relation} speaks of one symbol")


def _python(dim: Dim) -> str:
    """The text of a size, which is Python, as a formatter would space it."""
    return str(dim).replace("//", " // ").replace("*", " * ")
