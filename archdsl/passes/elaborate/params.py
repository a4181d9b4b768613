"""The parameters of blocks and networks: their kinds and defaults, and the variables that they are when traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archdsl.diagnostics import did_you_mean
from archdsl.graph.model import DIMS, input_dims
from archdsl.graph.traced import Ref, Traced, plain, traceable, traced
from archdsl.layers.args import Anything, ArgumentError, Bool, Float, Int, Kind
from archdsl.layers.args import Value as ValueKind
from archdsl.layers.signature import REQUIRED, Field
from archdsl.passes.elaborate.expressions import depends_on, evaluate
from archdsl.passes.elaborate.frame import Context, Frame
from archdsl.passes.elaborate.pythonic import bad_variable_name
from archdsl.syntax import tree

PARAM_KINDS: dict[str, Kind] = {"value": ValueKind(), "int": Int(), "float": Float(), "bool": Bool(), "any": Anything()}


class Default:
    """A parameter's default as written; it is evaluated in the block, where earlier parameters are in sight."""

    def __init__(self, node: tree.Expr) -> None:
        self.node = node

    def __str__(self) -> str:
        return self.node.span.text


def parameters(context: Context, node: tree.Definition) -> list[Field]:
    """A definition's parameters as fields. Raises Failed, reported, on an unknown kind or a name that cannot be."""
    fields: dict[str, Field] = {}
    for param in node.params:
        if param.kind is not None and param.kind not in PARAM_KINDS:
            near = did_you_mean(param.kind, PARAM_KINDS)
            raise context.fail(
                "E0202",
                f"there is no kind `{param.kind}` of parameters",
                param.span,
                f"did you mean `{near}`?" if near else "",
                help=["kinds: " + ", ".join(PARAM_KINDS)],
            )
        bad = _bad_name(node, param.name)
        if bad is not None:
            raise context.fail("E0105", f"no parameter can be called `{param.name}`: {bad}", param.span)
        if param.name in fields:
            raise context.fail("E0103", f"`{param.name}` is a parameter twice", param.span)
        default = REQUIRED if param.default is None else Default(param.default)
        fields[param.name] = Field(param.name, PARAM_KINDS[param.kind or "any"], default)
    return list(fields.values())


def _bad_name(node: tree.Definition, name: str) -> str | None:
    """Why a parameter cannot have a name, or None. The class of a block has parameters for the dims of its inputs."""
    if node.kind == "block":
        for tensor in ("in", *(param.name for param in node.params if param.kind == "value")):
            for dim in dict.fromkeys(dim for dims in DIMS.values() for dim in dims):
                if name == f"{tensor}_{dim}":
                    return f"the size `{tensor}.{dim}` goes by it in the emitted class"
    return bad_variable_name(name)


def bind_parameters(frame: Frame, fields: Sequence[Field], arguments: dict[str, Any]) -> None:
    """Puts the parameters into sight, defaults evaluated; traced if the emitter asks."""
    for field in fields:
        if field.kind.is_value:
            continue
        given = field.name in arguments
        value = arguments[field.name] if given else _default(frame, field)
        depends = frozenset() if given or traceable(value) else depends_on(frame, field.default.node)
        frame.scope.params[field.name] = value
        frame.env[field.name] = _variable(frame, field.name, value, depends)


def _default(frame: Frame, field: Field) -> Any:
    node = field.default.node
    try:
        return field.kind.convert(evaluate(frame, node))
    except ArgumentError as error:
        raise frame.context.fail(
            "E0202", f"the default of `{field.name}` in `{frame.scope.name}` is wrong: it {error}", node.span
        ) from None


def _variable(frame: Frame, name: str, value: Any, depends: frozenset[Ref]) -> Any:
    if not frame.context.trace:
        return value
    ref = frame.scope.refs[name] = frame.refs[name] = Ref(name, value, depends)
    return traced(plain(value), ref)


def trace_inputs(frame: Frame) -> None:
    """Says the fixed dims of a block's inputs in variables of its own (`in_channels`)."""
    if not frame.context.trace:
        return
    scope = frame.scope
    for name, i, axis in input_dims(scope):
        value = scope.inputs[i]
        dims = list(value.shape)
        ref = scope.refs[name] = Ref(name, dims[axis])
        dims[axis] = Traced(int(ref.origin), ref)
        value.shape = tuple(dims)
