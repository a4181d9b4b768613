"""Scopes: applying a block, and the groups that labels make.

A block applied with equal arguments to equal shapes is elaborated once; its calls share the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from archdsl.diagnostics import Label
from archdsl.graph.model import (
    BROKEN,
    Broken,
    Bundle,
    Call,
    Flowing,
    Module,
    Pooling,
    Result,
    Scope,
    Value,
    weight_table,
)
from archdsl.graph.needs import Caller
from archdsl.layers.args import ArgumentError
from archdsl.layers.signature import Field
from archdsl.passes.elaborate import meant, poolings, statements
from archdsl.passes.elaborate.apply import add_module, argument, count, located, match_arguments, tensor
from archdsl.passes.elaborate.expressions import depends_on
from archdsl.passes.elaborate.frame import Failed, Frame, Lost, Names
from archdsl.passes.elaborate.initial import check_inits, resolve_inits
from archdsl.passes.elaborate.params import bind_parameters, parameters, trace_inputs
from archdsl.passes.elaborate.patterns import bind_or_check
from archdsl.passes.elaborate.plain import is_plain, labels_of, labels_of_steps
from archdsl.passes.elaborate.values import Located, entered, in_callers_terms
from archdsl.passes.load import Definition
from archdsl.passes.shapes import show_shape
from archdsl.syntax import tree

# What a scope takes beside its body, in steps of `Context.spend`.
STEPS_OF_A_BLOCK = 200  # each time that it is elaborated
STEPS_OF_A_GROUP = 100


def apply_block(
    frame: Frame,
    definition: Definition,
    step: tree.Apply,
    value: Flowing | None,
    label: str | None,
    module: Module | None = None,
) -> Flowing:
    """Applies a block to the flowing value; `module` is given where a shared one is applied again."""
    context = frame.context
    node = definition.node
    if node.kind == "network":
        raise context.fail(
            "E0102",
            f"`{node.name}` is a network, only layers and blocks can be applied",
            step.path.span,
            help=["make its body a block that both use"],
        )
    if not definition.whole:
        context.errors += 1  # in its text
        raise Failed
    main = tensor(frame, value, step)
    inputs: list[Flowing] = [main]
    places = [Located(frame, main)]
    arguments: dict[str, Any] = {}
    sources: dict[str, tree.Expr] = {}
    fields = parameters(context, node)
    for field, arg in match_arguments(frame, node.name, fields, step):
        if field.kind.is_value:
            arguments[field.name] = len(inputs)
            at = located(frame, arg.value)
            pooled = poolings.pooling_of(at) is not None  # then it may be that only its indices and size are used
            inputs.append(tensor(frame, at.value if pooled else at.reached(frame), arg.value))
            places.append(at)
        else:
            given = argument(frame, node.name, field, arg.value)
            try:
                arguments[field.name] = field.kind.convert(given)
            except ArgumentError as error:
                raise context.fail("E0202", f"`{field.name}` of `{node.name}` {error}", arg.value.span) from None
            sources[field.name] = arg.value
    values = [v for v in inputs if isinstance(v, Value)]
    if len(values) < len(inputs):
        return BROKEN
    shapes = tuple(v.shape for v in values)
    made_by = [poolings.pooling_of(at) for at in places]
    known = tuple(made and (freeze(poolings.arguments(made.layer)), made.source) for made in made_by)
    read = tuple(v.as_pytorch for v in values) if meant.misread(values) else None
    key = (id(node), frame.training, tuple((k, freeze(v)) for k, v in sorted(arguments.items())), shapes, known, read)
    scope = context.block(key, partial(_build, frame, definition, fields, arguments, values, made_by, step))
    if isinstance(scope, Lost):
        return meant.outside(frame, scope.gave, step.span)
    given = [poolings.given(frame, places[i], kind) for i, kind in scope.given]
    return place_scope(frame, scope, given, step, label, node.name, arguments, sources, module)


def freeze(value: Any) -> Any:
    """A hashable stand-in that tells 1 from 1.0 and true."""
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(freeze, value))
    return value if isinstance(value, (int, range)) and not isinstance(value, bool) else (type(value).__name__, value)


def _build(
    frame: Frame,
    definition: Definition,
    fields: Sequence[Field],
    arguments: dict[str, Any],
    inputs: Sequence[Value],
    made_by: Sequence[Pooling | None],
    step: tree.Apply,
) -> Scope | Lost:
    """Elaborates a block's body."""
    context = frame.context
    node = definition.node
    if any(call.node is node for call in context.calls):
        raise context.fail("E0502", f"`{node.name}` is applied inside itself", step.path.span, "applies it again")
    context.spend(STEPS_OF_A_BLOCK, step.span)
    value_params = [field.name for field in fields if field.kind.is_value and field.name in arguments]
    scope = Scope("block", node.name, node.name_span, node.body.doc, definition=node, training=frame.training)
    scope.plain = not value_params and is_plain(node.body)
    scope.input_names = ["in", *value_params]
    scope.inputs = [Value(value.shape, value.span, None, None, value.training) for value in inputs]
    scope.given = [(i, "") for i in range(len(inputs))]
    for value, outer, made in zip(scope.inputs, inputs, made_by, strict=True):
        value.outer, value.pooling, value.guessed, value.as_pytorch = outer, made, outer.guessed, outer.as_pytorch
    inner = Frame(
        context,
        scope,
        definition.unit,
        Names(scope.plain, labels_of(node.body)),
        scope.items,
        {},
        {},
        scope.inputs[0],
        scope.inputs[0],
        None,
        frame.training,
    )
    errors = context.errors
    context.calls.append(Caller(node.name, node, step.span))
    try:
        bind_parameters(inner, fields, arguments)
        for name, value in zip(value_params, scope.inputs[1:], strict=True):
            scope.labels[name] = value
            value.label = name
        trace_inputs(inner)
        _check_signature(inner, node.signature, before=True)
        statements.run_body(inner, node.body)
        if context.errors > errors:
            check_inits(inner)
            return Lost(_stated(inner, node.signature))
        finish(inner)
        poolings.drop_unused(scope)
        try:
            _check_signature(inner, node.signature, before=False)
        except Failed:
            return Lost(_stated(inner, node.signature))
    except Failed:
        return Lost(given_by(inner))
    finally:
        context.calls.pop()
    return scope


def _check_signature(frame: Frame, signature: tree.Signature | None, before: bool) -> None:
    if signature is None:
        return
    scope = frame.scope
    if before:
        patterns, values, what = signature.inputs, scope.inputs, "input"
    else:
        patterns, values, what = signature.outputs, [r.value for r in scope.results if not r.training], "output"
    if before and len(patterns) == 1:
        values = values[:1]  # tensors that are parameters need not be stated
    if len(patterns) != len(values):
        has = f"{len(values)} {what}{'s' * (len(values) != 1)}"
        raise frame.context.fail(
            "E0304", f"`{scope.name}` has {has}, its signature states {len(patterns)}", signature.span
        )
    for pattern, value in zip(patterns, values, strict=True):
        bind_or_check(frame, pattern, value, f"the {what} of `{scope.name}`")


def _stated(frame: Frame, signature: tree.Signature | None) -> Flowing | None:
    """What a body with errors gives by its signature, if that states one shape; else what it would give as it is."""
    given = given_by(frame)
    if signature is None or len(signature.outputs) != 1 or isinstance(given, Bundle):
        return given
    return meant.stated(frame, signature.outputs[0], given or BROKEN)


def finish(frame: Frame) -> None:
    """Settles a scope's outputs: those it states, else its last value; and its `init` rules."""
    scope = frame.scope
    if all(result.training for result in scope.results):
        last = frame.current
        if isinstance(last, Bundle):
            names = [name or f"output{i}" for i, name in enumerate(last.names)]
            scope.results[:0] = [Result(n, v, v.training) for n, v in zip(names, last.values, strict=True)]
        elif isinstance(last, Value):
            scope.results.insert(0, Result(last.label or "output", last))
        elif isinstance(last, Broken):
            raise Failed
        else:
            raise frame.context.fail("E0506", f"`{scope.name}` has no output", scope.span)
    if len(scope.results) == 1:
        scope.results[0].name = None
    resolve_inits(frame)


def given_by(frame: Frame) -> Flowing | None:
    """What a body with errors gives, or would give without them."""
    results = [result for result in frame.scope.results if not result.training]
    if len(results) > 1:
        return Bundle([each.value for each in results], [each.name for each in results], frame.scope.span)
    return results[0].value if results else frame.current


def group(
    frame: Frame,
    node: tree.Node,
    steps: Sequence[tree.Step],
    plain: bool,
    value: Flowing | None,
    label: str,
    run: Callable[[Frame], None],
    module: Module | None = None,
) -> Flowing:
    """A labelled group: a scope of its own over the constants in sight; values of outside become inputs of it.

    One step has braces. Several are a labelled chain: it has none, so `in` means what it means around the chain.
    """
    main = tensor(frame, value, node)
    if isinstance(main, Broken):
        return BROKEN
    frame.context.spend(STEPS_OF_A_GROUP, node.span)
    body = steps[0].body if len(steps) == 1 else None
    braces = body is not None or main is entered(frame).entry
    scope = Scope("group", label, node.span, body.doc if body is not None else None, training=frame.training)
    scope.plain = plain
    scope.input_names = ["in"]
    scope.inputs = [Value(main.shape, main.span, None, None, main.training)]
    scope.inputs[0].outer, scope.inputs[0].guessed, scope.inputs[0].as_pytorch = main, main.guessed, main.as_pytorch
    inner = Frame(
        frame.context,
        scope,
        frame.unit,
        Names(plain, labels_of_steps(steps)),
        scope.items,
        dict(frame.env),
        frame.refs,
        scope.inputs[0],
        scope.inputs[0] if braces else None,
        None,
        frame.training,
        frame,
        [],
        depends=dict(frame.depends),
    )
    errors = frame.context.errors
    run(inner)
    if frame.context.errors > errors:
        check_inits(inner)
        return meant.outside(frame, given_by(inner), node.span)
    finish(inner)
    return place_scope(frame, scope, [main, *inner.captured], node, label, label, {}, {}, module)


def place_scope(
    frame: Frame,
    scope: Scope,
    inputs: list[Value],
    step: tree.Node,
    label: str | None,
    kind: str,
    arguments: dict[str, Any],
    sources: dict[str, tree.Expr],
    module: Module | None,
) -> Flowing:
    """Adds the application of a scope, and gives its outputs."""
    first = module is None
    if module is None:
        module = add_module(frame, label, kind, scope)
    elif isinstance(module.what, Scope) and dict(weight_table(module.what)) != dict(weight_table(scope)):
        if frame.context.unknown:
            raise Failed
        raise frame.context.fail(
            "E0301",
            f"the shared `{module.name}` does not take this shape: it would need other weights than it has",
            step.span,
            labels=(Label(inputs[0].span, f"this is {show_shape(inputs[0].shape)}"),),
            notes=[f"where it was first applied it got {show_shape(module.what.inputs[0].shape)}"],
        )
    call = Call(module, scope, inputs, [], step.span, frame.hint, arguments, sources, first=first)
    if frame.context.trace:
        call.depends = {name: depends_on(frame, node) for name, node in sources.items()}
    call.outputs = [
        Value(in_callers_terms(call, result.value.shape), step.span, call, None, frame.training or result.training)
        for result in scope.results
    ]
    for value, result in zip(call.outputs, scope.results, strict=True):
        value.as_pytorch = result.value.as_pytorch
    frame.items.append(call)
    frame.scope.hinted = frame.scope.hinted or scope.hinted
    count(frame, scope.layers, step)
    if label is not None:
        frame.calls[label] = call
    if len(call.outputs) == 1:
        return call.outputs[0]
    return Bundle(call.outputs, [result.name for result in scope.results], step.span)
