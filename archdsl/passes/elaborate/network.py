"""A network: its parameters, inputs and claims, around a body like any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archdsl.diagnostics import Sink, did_you_mean
from archdsl.graph.model import Network, Scope, Value
from archdsl.layers.args import ArgumentError
from archdsl.layers.signature import REQUIRED
from archdsl.passes.elaborate import blocks, flows
from archdsl.passes.elaborate.frame import Context, Failed, Frame, Names
from archdsl.passes.elaborate.patterns import input_shape
from archdsl.passes.elaborate.plain import labels_of
from archdsl.passes.elaborate.pythonic import bad_class_name
from archdsl.passes.load import Definition
from archdsl.sizes import Size, symbols
from archdsl.syntax import tree

TYPICAL = 224  # where the author states no typical size


class SettingError(Exception):
    """A setting (`--set classes=10`) that the network does not take."""


def elaborate(
    definition: Definition, settings: Mapping[str, Any], sink: Sink, *, trace: bool = False
) -> Network | None:
    """The typed graph of a network with `settings` for its parameters; None, with diagnostics in `sink`, if it has errors.

    `trace` keeps the author's arithmetic for the emitter. Raises SettingError.
    """
    node = definition.node
    context = Context(sink, trace)
    errors = sink.errors
    scope = Scope("network", node.name, node.name_span, node.body.doc, definition=node)
    frame = Frame(context, scope, definition.unit, Names(False, labels_of(node.body)), scope.items, {}, {}, None, None)
    sizes: dict[str, int] = {}
    try:
        bad = bad_class_name(node.name)
        if bad is not None:
            raise context.fail("E0105", f"no network can be called `{node.name}`: {bad}", node.name_span)
        _settings(frame, node, settings)
        inputs = [s for s in node.body.statements if isinstance(s, tree.Input)]
        if not inputs:
            raise context.fail(
                "E0506", f"`{node.name}` has no input", node.name_span, help=["input image: [3, H=224, W=224]"]
            )
        for statement in inputs:
            _input(frame, statement, sizes)
        frame.entry = frame.current
        rest = [s for s in node.body.statements if not isinstance(s, (tree.Input, tree.Expect))]
        flows.run_body(frame, tree.Body(node.body.span, node.body.doc, tuple(rest)))
        if sink.errors == errors:
            blocks.finish(frame)
    except Failed:
        return None
    if sink.errors > errors:
        return None
    used = {name: size for name, size in frame.env.items() if isinstance(size, Size) and name == str(size)}
    names = tuple(dict.fromkeys(s for v in scope.inputs for d in v.shape for s in sorted(symbols(d))))
    typical = {name: sizes.get(name, TYPICAL) for name in names}
    assert set(names) <= set(used)
    return Network(node.name, scope, names, typical, list(context.needs.values()), node, dict(settings))


def _settings(frame: Frame, node: tree.Definition, settings: Mapping[str, Any]) -> None:
    fields = blocks.parameters(frame.context, node)
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
                arguments[field.name] = field.kind.convert(settings[field.name])
            except ArgumentError as error:
                raise SettingError(f"`{field.name}` of `{node.name}` {error}") from None
        elif field.default is REQUIRED:
            raise frame.context.fail(
                "E0201",
                f"`{node.name}` has no default for `{field.name}`",
                node.name_span,
                help=[f"give it one, or set it: --set {field.name}=…"],
            )
    blocks.bind_parameters(frame, fields, arguments)


def _input(frame: Frame, statement: tree.Input, sizes: dict[str, int]) -> None:
    context = frame.context
    if statement.shape is None:
        raise context.fail("E0601", f"inputs of kind `{statement.kind}` are not supported yet", statement.span)
    shape = input_shape(frame, statement.shape, sizes)
    if statement.where is not None:
        context.report("W0601", "`where` is not proved yet", statement.where.span, "is parsed and carried through only")
    value = Value(shape, statement.span, None, None)
    if statement.name in frame.env or statement.name in frame.scope.labels:
        raise context.fail("E0103", f"`{statement.name}` already stands for something here", statement.name_span)
    value.label = statement.name
    frame.scope.labels[statement.name] = value
    frame.scope.inputs.append(value)
    frame.scope.input_names.append(statement.name)
    frame.current = value


def claims(definition: Definition) -> list[tree.Expect]:
    """The `expect` statements of a network."""
    return [s for s in definition.node.body.statements if isinstance(s, tree.Expect)]
