"""A network: its parameters, inputs and claims, around a body like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from archdsl.diagnostics import Sink, did_you_mean
from archdsl.graph.model import Network, Scope, Value
from archdsl.graph.needs import Promise, Refused, Requirement
from archdsl.layers.args import ArgumentError
from archdsl.layers.signature import REQUIRED
from archdsl.passes.elaborate import blocks, statements
from archdsl.passes.elaborate.expressions import LARGEST
from archdsl.passes.elaborate.frame import Built, Context, Exhausted, Failed, Frame, Memo, Names, Reached, Read
from archdsl.passes.elaborate.initial import check_inits
from archdsl.passes.elaborate.labels import place_of
from archdsl.passes.elaborate.params import bind_parameters, parameters
from archdsl.passes.elaborate.patterns import input_shape
from archdsl.passes.elaborate.plain import labels_of
from archdsl.passes.elaborate.promise import promised
from archdsl.passes.elaborate.pythonic import bad_class_name, bad_variable_name
from archdsl.passes.load import Definition
from archdsl.sizes import Domain, SizeError
from archdsl.sizes import symbols as symbols_of
from archdsl.source import Span
from archdsl.syntax import tree

TYPICAL = 224  # where the author states no typical size


class SettingError(Exception):
    """A setting (`--set classes=10`) that the network does not take."""


@dataclass(frozen=True)
class Attempt:
    """What came of a network. One with errors is not `sound`, and of its graph only what it needs of sizes is of use.

    `refused` are the needs that failed, with what was told; `reads` says of each join to what it is applied; `steps`
    says how much work it was.
    """

    network: Network
    sound: bool
    refused: list[Refused]
    reads: Mapping[Span, Sequence[Read]]
    steps: int


def elaborate(
    definition: Definition,
    settings: Mapping[str, Any],
    sink: Sink,
    *,
    trace: bool = False,
    memo: Memo | None = None,
) -> Network | None:
    """The typed graph of a network with `settings` for its parameters; None if it has errors, which go into `sink`.

    `trace` keeps the author's arithmetic for the emitter; without it, elaborations that are given one `memo` share the
    blocks that are the same in them. Raises SettingError.
    """
    shared = memo.blocks if memo is not None else None
    try:
        tried = attempt(definition, settings, sink, trace=trace, shared=shared)
    except Reached:
        assert memo is not None
        memo.blocks = None
        tried = attempt(definition, settings, sink, trace=trace)
    return tried.network if tried.sound else None


def attempt(
    definition: Definition,
    settings: Mapping[str, Any],
    sink: Sink,
    *,
    trace: bool = False,
    shared: dict[Any, Built] | None = None,
) -> Attempt:
    """As `elaborate`, with what is known of a network that has errors. Raises SettingError, and Reached if it asks for
    what is in a block of `shared`."""
    node = definition.node
    context = Context(sink, trace, shared=shared)
    scope = Scope("network", node.name, node.name_span, node.body.doc, definition=node)
    names = Names(False, labels_of(node.body))
    frame = Frame(context, scope, definition.unit, names, scope.items, {}, {}, None, None)
    sizes: dict[str, int] = {}
    sound = True
    try:
        _run(frame, node, settings, sizes)
    except (Failed, Exhausted):
        sound = False
    symbols = tuple(dict.fromkeys(s for v in scope.inputs for d in v.shape for s in sorted(symbols_of(d))))
    needs, promises = list(context.needs.values()), context.promises
    typical = _typical(symbols, sizes, needs, promises)
    network = Network(node.name, scope, symbols, typical, needs, promises, context.stated, node, dict(settings))
    return Attempt(network, sound, context.refused, context.reads, context.steps)


def _typical(
    symbols: tuple[str, ...], stated: Mapping[str, int], needs: Sequence[Requirement], promises: Sequence[Promise]
) -> Mapping[str, int]:
    """The typical sizes: those stated, else 224, or the smallest accepted if none is stated and 224 is refused.

    What is accepted in training too comes first.
    """
    sizes = {name: stated.get(name, TYPICAL) for name in symbols}
    if stated:
        return sizes
    for wanted in (needs, [need for need in needs if not need.training]):
        conditions = [need.condition for need in wanted] + [promise.condition for promise in promises]
        if all(condition.holds(sizes) for condition in conditions):
            return sizes
        try:
            smallest = Domain.of(conditions, symbols).smallest()
        except SizeError:
            continue
        if smallest:
            return smallest
    return sizes


def _run(frame: Frame, node: tree.Definition, settings: Mapping[str, Any], sizes: dict[str, int]) -> None:
    """Fills the network's scope. Raises Failed or Exhausted, reported, if it has errors."""
    context = frame.context
    bad = bad_class_name(node.name)
    if bad is not None:
        raise context.fail("E0105", f"no network can be called `{node.name}`: {bad}", node.name_span)
    if node.signature is not None:
        raise context.fail(
            "E0504",
            "a network has no signature",
            node.signature.span,
            help=["its inputs and outputs state their shapes"],
        )
    _settings(frame, node, settings)
    body = [s for s in node.body.statements if not isinstance(s, tree.Expect)]
    head = list(takewhile(lambda s: isinstance(s, (tree.Let, tree.Input)), body))
    if not any(isinstance(s, tree.Input) for s in head):
        raise context.fail(
            "E0506",
            f"`{node.name}` does not begin with an input",
            node.name_span,
            help=["declare it before everything else: `input image: [3, H=224, W=224]`"],
        )
    for statement in head:
        try:
            if isinstance(statement, tree.Input):
                _input(frame, statement, sizes)
            elif isinstance(statement, tree.Let):
                statements.let(frame, statement)
        except Failed:
            statements.break_off(frame, statement)
        frame.entry = frame.current
    statements.run_body(frame, tree.Body(node.body.span, node.body.doc, tuple(body[len(head) :])))
    if context.errors:
        check_inits(frame)
        raise Failed
    blocks.finish(frame)


def _settings(frame: Frame, node: tree.Definition, settings: Mapping[str, Any]) -> None:
    fields = parameters(frame.context, node)
    known = {field.name for field in fields}
    for name in settings:
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"; did you mean `{near}`?" if near else ""
            takes = ", ".join(f"`{n}`" for n in known) or "none"
            raise SettingError(f"`{node.name}` has no parameter `{name}`{hint} (parameters: {takes})")
    arguments = {}
    for field in fields:
        if field.kind.is_value:
            raise frame.context.fail("E0504", "a network's tensors are its inputs, not parameters", node.name_span)
        if field.name in settings:
            try:
                arguments[field.name] = field.kind.convert(_constant(settings[field.name]))
            except ArgumentError as error:
                raise SettingError(f"`{field.name}` of `{node.name}` {error}") from None
        elif field.default is REQUIRED:
            raise frame.context.fail(
                "E0201",
                f"`{node.name}` has no default for `{field.name}`",
                node.name_span,
                help=[f"give it one, or set it: --set {field.name}=…"],
            )
    bind_parameters(frame, fields, arguments)


def _constant(value: Any) -> Any:
    """A setting's value, if it is a value of the language. Raises ArgumentError."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_constant, value))
    if value is None or isinstance(value, str) or (isinstance(value, (int, float)) and abs(value) <= LARGEST):
        return value
    raise ArgumentError(f"takes a number, true, false, none, a string, a size or a list, not {value!r}")


def _input(frame: Frame, statement: tree.Input, sizes: dict[str, int]) -> None:
    context = frame.context
    if statement.shape is None:
        raise context.fail("E0601", f"inputs of kind `{statement.kind}` are not supported yet", statement.span)
    shape = input_shape(frame, statement.shape, sizes)
    if statement.where is not None:
        conditions = promised(frame, statement.where)
        context.promises.extend(Promise(condition, statement.where.span) for condition in conditions)
    span = statement.span
    value = Value(shape, Span(span.source, span.start, statement.shape.span.end), None, None)
    bad = bad_variable_name(statement.name)
    if bad is not None:
        raise context.fail("E0105", f"no input can be called `{statement.name}`: {bad}", statement.name_span)
    if statement.name in frame.env or statement.name in frame.scope.labels:
        raise context.fail("E0103", f"`{statement.name}` already stands for something here", statement.name_span)
    value.label = statement.name
    frame.scope.labels[statement.name] = value
    frame.scope.inputs.append(value)
    frame.scope.input_names.append(statement.name)
    frame.scope.input_hints.append(place_of(frame, statement.place))
    frame.scope.hinted = frame.scope.hinted or statement.place is not None
    frame.current = value


def claims(definition: Definition) -> list[tree.Expect]:
    """The `expect` statements of a network."""
    return [s for s in definition.node.body.statements if isinstance(s, tree.Expect)]
