"""`init` statements: which parameters they mean, and with what they fill them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archdsl.diagnostics import Label, did_you_mean
from archdsl.graph.model import Apply, Call, InitRule, Module, Scope, walk
from archdsl.layers.args import ArgumentError
from archdsl.layers.base import Layer
from archdsl.layers.initialisers import INITIALISERS
from archdsl.layers.signature import CallError, describe, match
from archdsl.passes.elaborate.expressions import evaluate, evaluate_int
from archdsl.passes.elaborate.frame import Failed, Frame
from archdsl.passes.elaborate.known import layer_class
from archdsl.syntax import tree


def resolve_inits(frame: Frame) -> None:
    """Turns the `init` statements of a scope into its rules, in their order, once its modules are known."""
    for statement in frame.inits:
        try:
            arguments = _arguments(frame, statement)
            for selector in statement.selectors:
                rule = _rule(frame, statement, selector, arguments)
                if INITIALISERS[rule.initialiser].keeps_channels:
                    _check_channels(frame, rule, selector)
                frame.scope.inits.append(rule)
        except Failed:
            continue


def _arguments(frame: Frame, statement: tree.Init) -> dict[str, Any]:
    name = statement.initialiser
    initialiser = INITIALISERS.get(name)
    if initialiser is None:
        near = did_you_mean(name, INITIALISERS)
        raise frame.context.fail(
            "E0508",
            f"no initialiser is called `{name}`",
            statement.initialiser_span,
            f"did you mean `{near}`?" if near else "",
            help=["initialisers: " + ", ".join(sorted(INITIALISERS))],
        )
    try:
        fields = match(name, initialiser.fields, [arg.name for arg in statement.args])
    except CallError as error:
        span = statement.args[error.index].span if error.index is not None else statement.initialiser_span
        raise frame.context.fail(
            "E0201", error.message, span, help=[f"its signature is {describe(name, initialiser.fields)}"]
        ) from None
    arguments: dict[str, Any] = {}
    for field, arg in zip(fields, statement.args, strict=True):
        try:
            arguments[field.name] = field.kind.convert(evaluate(frame, arg.value))
        except ArgumentError as error:
            raise frame.context.fail("E0202", f"`{field.name}` of `{name}` {error}", arg.value.span) from None
    return arguments


def _rule(frame: Frame, statement: tree.Init, selector: tree.Path, arguments: dict[str, Any]) -> InitRule:
    parts = [selector.head]
    for part in selector.parts:
        if isinstance(part, str):
            parts.append(part)
        else:
            parts[-1] += str(int(evaluate_int(frame, part, "the index of a label")))
    name = statement.initialiser
    if parts[0] in frame.scope.modules:
        path, parameter = _parameter(frame, selector, parts)
        return InitRule(None, path, parameter, name, arguments, statement.span)
    cls = layer_class(frame, parts[0], selector.span)
    if cls is not None and len(parts) <= 2:
        parameter = parts[1] if len(parts) == 2 else "weight"
        _check_parameter(frame, parts[0], parameter, selector)
        return InitRule(parts[0], None, parameter, name, arguments, statement.span)
    near = did_you_mean(parts[0], frame.scope.modules)
    raise frame.context.fail(
        "E0508",
        f"`{selector.span.text}` is neither a kind of layer nor a label here",
        selector.span,
        f"did you mean `{near}`?" if near else "",
        help=["for example `conv`, `linear.bias`, `fc.weight`"],
    )


def _check_parameter(frame: Frame, kind: str, parameter: str, selector: tree.Path) -> None:
    """Raises Failed, reported, where layers of a kind are there and none can have the parameter.

    A bias that they only happen to be without is none of that.
    """
    layers = [item.module for _, item in _applied(frame.scope, "") if item.layer.name == kind]
    known = {name for module in layers for name in module.weights}
    if not layers or parameter in known or (known and parameter == "bias"):
        return
    near = did_you_mean(parameter, known)
    raise frame.context.fail(
        "E0508",
        f"`{kind}` has no `{parameter}`",
        selector.span,
        f"did you mean `{kind}.{near}`?" if near else "",
        help=[f"it has {', '.join(f'`{name}`' for name in sorted(known))}" if known else "it has nothing to learn"],
    )


def _check_channels(frame: Frame, rule: InitRule, selector: tree.Path) -> None:
    """Raises Failed, reported, where a rule would fill what is no kernel, or a layer's that changes the channels."""
    for path, item in _applied(frame.scope, ""):
        meant = rule.path == f"{path}.{rule.parameter}" if rule.path is not None else rule.kind == item.layer.name
        weight = item.module.weights.get(rule.parameter)
        if not meant or weight is None:
            continue
        taken, made = item.inputs[0].shape, item.outputs[0].shape
        if len(weight) < 3:
            what = f"`{rule.initialiser}` fills kernels, and `{rule.parameter}` of `{item.layer.name}` is none"
            raise frame.context.fail("E0508", what, selector.span, labels=(Label(item.span, "has it"),))
        if taken[0] != made[0]:
            raise frame.context.fail(
                "E0508",
                f"`{rule.initialiser}` takes each channel to itself, so it fills layers that keep the channels",
                selector.span,
                labels=(Label(item.span, f"takes {taken[0]} channels, gives {made[0]}"),),
            )


def _applied(scope: Scope, prefix: str) -> Iterator[tuple[str, Apply]]:
    """The layers of a scope and of those inside, each with its path."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from _applied(item.scope, f"{prefix}{item.module.name}.")
        elif isinstance(item, Apply):
            yield f"{prefix}{item.module.name}", item


def _parameter(frame: Frame, selector: tree.Path, parts: list[str]) -> tuple[str, str]:
    """The path of a parameter below this scope; `weight` if the path ends at a layer."""
    scope: Scope | Layer = frame.scope
    module: Module | None = None
    for i, part in enumerate(parts):
        if isinstance(scope, Scope) and part in scope.modules:
            module = scope.modules[part]
            scope = module.what
            continue
        if module is not None and not isinstance(scope, Scope) and part in module.weights and i == len(parts) - 1:
            return ".".join(parts), part
        raise frame.context.fail("E0508", f"there is no `{'.'.join(parts[: i + 1])}` here", selector.span)
    if module is not None and "weight" in module.weights:
        return ".".join([*parts, "weight"]), "weight"
    raise frame.context.fail("E0508", f"`{'.'.join(parts)}` has no weight", selector.span)
