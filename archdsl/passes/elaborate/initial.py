"""`init` statements: which parameters they mean, and with what they fill them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from archdsl.diagnostics import Label, did_you_mean
from archdsl.graph.model import Apply, Call, InitRule, Module, Scope, walk
from archdsl.graph.traced import refs
from archdsl.layers import registry
from archdsl.layers.args import ArgumentError
from archdsl.layers.base import Layer
from archdsl.layers.initialisers import INITIALISERS
from archdsl.layers.signature import CallError, Field, describe, match
from archdsl.passes.elaborate.expressions import depends_on, evaluate, evaluate_int
from archdsl.passes.elaborate.frame import Failed, Frame
from archdsl.passes.elaborate.known import layer_class
from archdsl.passes.shapes import show_shape
from archdsl.syntax import tree


def resolve_inits(frame: Frame) -> None:
    """Turns the `init` statements of a scope into its rules, in their order, once its modules are known."""
    for at, statement in frame.inits:
        with suppress(Failed):
            arguments = _arguments(at, statement)
            for selector in statement.selectors:
                with suppress(Failed):
                    kind, path, parameter = _selected(at, selector)
                    values = {field.name: value for field, _, value in arguments}
                    sources = {field.name: node for field, node, _ in arguments}
                    for part in (*selector.parts, *(node for _, node, value in arguments if _is_unsaid(node, value))):
                        frame.scope.decided |= frozenset() if isinstance(part, str) else depends_on(at, part)
                    frame.scope.inits.append(
                        InitRule(kind, path, parameter, statement.initialiser, values, sources, selector.span)
                    )
    if any(INITIALISERS[rule.initialiser].axes for rule in frame.scope.inits):
        _check_shapes(frame)


def check_inits(frame: Frame) -> None:
    """Reports what is wrong with the `init` statements of a scope with errors, of which some modules may be missing."""
    for at, statement in frame.inits:
        with suppress(Failed):
            _arguments(at, statement)
        for selector in statement.selectors:
            with suppress(Failed):
                _check_selector(at, selector)


def _check_selector(frame: Frame, selector: tree.Path) -> None:
    parts = _names(frame, selector)
    module = frame.scope.modules.get(parts[0])
    labelled = module is not None and module.labelled
    kind = None if labelled else layer_class(frame, parts[0], selector.span)
    if labelled:
        _parameter(frame, selector, parts)
    elif kind is not None and len(parts) <= 2:
        _check_parameter(frame, parts[0], parts[1] if len(parts) == 2 else "weight", selector)
    elif module is None and not _may_be_there(frame, selector.head):
        raise _unknown(frame, selector, parts[0])


def _may_be_there(frame: Frame, name: str) -> bool:
    """Whether a name is a kind of layer, or may be that of a module: by a label or, as in `conv2`, by itself."""
    labels = frame.names.labels
    if name in labels.names or name in labels.indexed or labels.may_be_indexed(name) or "self" in labels.indexed:
        return True
    known = {"", "project", *frame.unit.names, *frame.unit.missing, *registry.names()}
    return not known.isdisjoint((name, name.rstrip("0123456789_")))


def _is_unsaid(node: tree.Expr, value: Any) -> bool:
    """Whether what an argument depends on is lost in its value, and it is no name by itself."""
    return not refs(value) and not isinstance(node, tree.Name)


def _arguments(frame: Frame, statement: tree.Init) -> list[tuple[Field, tree.Expr, Any]]:
    """The arguments that a statement gives, with their values."""
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
    arguments = []
    for field, arg in zip(fields, statement.args, strict=True):
        try:
            arguments.append((field, arg.value, field.kind.convert(evaluate(frame, arg.value))))
        except ArgumentError as error:
            raise frame.context.fail("E0202", f"`{field.name}` of `{name}` {error}", arg.value.span) from None
    return arguments


def _names(frame: Frame, selector: tree.Path) -> list[str]:
    parts = [selector.head]
    for part in selector.parts:
        if isinstance(part, str):
            parts.append(part)
        else:
            parts[-1] += str(int(evaluate_int(frame, part, "the index of a label")))
    return parts


def _selected(frame: Frame, selector: tree.Path) -> tuple[str | None, str | None, str]:
    """What a selector means: a label of the author's, else a kind of layer, else the name that a module has by itself.

    The kind or the path, and the parameter's name. A label of what this use of a block does without is as a kind that
    no layer is of. Raises Failed, reported, if it is none of these.
    """
    parts = _names(frame, selector)
    module = frame.scope.modules.get(parts[0])
    kind = None if module is not None and module.labelled else layer_class(frame, parts[0], selector.span)
    if kind is not None and len(parts) <= 2:
        parameter = parts[1] if len(parts) == 2 else "weight"
        _check_parameter(frame, parts[0], parameter, selector)
        return parts[0], None, parameter
    if module is not None:
        path, parameter = _parameter(frame, selector, parts)
        return None, path, parameter
    if parts[0] in frame.names.labels.names:  # of a projection or a case that is not there in this use
        return parts[0], None, parts[-1]
    raise _unknown(frame, selector, parts[0])


def _unknown(frame: Frame, selector: tree.Path, name: str) -> Failed:
    near = did_you_mean(name, frame.scope.modules)
    return frame.context.fail(
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
    known = frame.context.starts.kinds(frame.scope).get(kind)
    if known is None or parameter in known or (known and parameter == "bias"):
        return
    near = did_you_mean(parameter, known)
    raise frame.context.fail(
        "E0508",
        f"`{kind}` has no `{parameter}`",
        selector.span,
        f"did you mean `{kind}.{near}`?" if near else "",
        help=[f"it has {', '.join(f'`{name}`' for name in sorted(known))}" if known else "it has nothing to learn"],
    )


def _check_shapes(frame: Frame) -> None:
    """Reports rules that fill what they cannot: a vector, or a kernel of a layer that changes the channels."""
    layers = dict(_applied(frame.scope, ""))
    for path, rule in frame.context.starts.own(frame.scope).items():
        item = layers.get(path.rpartition(".")[0])
        if item is None:  # it stands in a join that was given up, for an error that was told before
            continue
        weight = item.module.weights[rule.parameter]
        made = INITIALISERS[rule.initialiser]
        if len(weight) < made.axes:
            frame.context.report(
                "E0508",
                f"`{rule.initialiser}` fills {made.fills}, and `{rule.parameter}` of `{item.layer.name}` is none",
                rule.span,
                labels=(Label(item.span, f"its `{rule.parameter}` is {show_shape(weight)}"),),
            )
        elif made.keeps_channels and item.inputs[0].shape[0] != item.outputs[0].shape[0]:
            taken, given = item.inputs[0].shape[0], item.outputs[0].shape[0]
            frame.context.report(
                "E0508",
                f"`{rule.initialiser}` takes each channel to itself, so it fills layers that keep the channels",
                rule.span,
                labels=(Label(item.span, f"takes {taken} channels, gives {given}"),),
            )


def _applied(scope: Scope, prefix: str) -> Iterator[tuple[str, Apply]]:
    """The layers of a scope and of those inside, each with its path."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from _applied(item.scope, f"{prefix}{item.module.name}.")
        elif isinstance(item, Apply):
            yield f"{prefix}{item.module.name}", item


def _parameter(frame: Frame, selector: tree.Path, parts: Sequence[str]) -> tuple[str, str]:
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
