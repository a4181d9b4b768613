"""Runs a typed graph application by application, with an emitted module's weights: what the emitted code must equal.

It shares nothing with the emitter: no text, no grouping into classes, no loops, nothing in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archdsl.graph.model import Apply, Call, Join, Network, Scope, Skip, Value, walk
from archdsl.layers.call import Call as TorchCall
from archdsl.layers.call import Operand
from archdsl.passes.cost import outputs

State = Mapping[str, Tensor]


def interpret(
    network: Network, inputs: Sequence[Tensor], state: State, training: bool = False
) -> dict[str | None, Tensor | None]:
    """The outputs by name."""
    values = _run(network.scope, inputs, "", state, training)
    return {result.name: values.get(result.value.tensor) for result in network.scope.results}


def _run(scope: Scope, inputs: Sequence[Tensor], prefix: str, state: State, training: bool) -> dict[Value, Tensor]:
    values = dict(zip(scope.inputs, inputs, strict=True))
    for item in walk(scope.items):
        if (
            not training
            and all(value.training for value in outputs(item))
            and not all(v.training for v in scope.inputs)
        ):
            continue
        if isinstance(item, Apply):
            given = [values[value.tensor] for value in item.inputs]
            result = _apply(item, given, f"{prefix}{item.module.name}.", state, training)
            made = result if isinstance(result, tuple) else (result,)
            if item.module.indices:
                made = (*made, given[0].shape[2:])[: len(item.outputs)]
            values.update(zip(item.outputs, made, strict=True))
        elif isinstance(item, Call):
            given = [values[value.tensor] for value in item.inputs]
            inner = _run(item.scope, given, f"{prefix}{item.module.name}.", state, training)
            for result, output in zip(item.scope.results, item.outputs, strict=True):
                if result.value.tensor in inner:
                    values[output] = inner[result.value.tensor]
            for name, value in item.exports.items():
                values[value] = inner[item.scope.exports[name].tensor]
        elif isinstance(item, Join):
            if item.kind != "parallel":
                values[item.output] = _join(item.kind, [values[b.value.tensor] for b in item.branches], item.axis)
        else:
            assert isinstance(item, Skip)
            side = values[(item.source if item.projection is None else item.projection.value).tensor]
            kind = {"residual": "add", "dense": "concat", "gate": "mul"}[item.kind]
            values[item.output] = _join(kind, [side, values[item.body.tensor]], item.axis)
    return values


def _join(kind: str, given: list[Tensor], axis: int) -> Tensor:
    if kind == "concat":
        return torch.cat(given, dim=axis + 1)
    return reduce(torch.add if kind == "add" else torch.mul, given)


def _apply(item: Apply, given: list[Tensor], prefix: str, state: State, training: bool) -> Any:
    shapes = [value.shape for value in item.inputs]
    made = item.layer.module(*shapes)
    if made is not None:
        options = {key: _plain(value) for key, value in made.kwargs.items()}
        if item.module.indices:
            options["return_indices"] = True
        module = _resolve(made)(*map(_plain, made.args), **options)
        own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        module.load_state_dict({key: value.clone() for key, value in own.items()})
        return module.to(given[0].dtype if given[0].is_floating_point() else torch.float64).train(training)(*given)
    made = item.layer.function(*shapes)
    assert made is not None
    args = [_operand(arg, given) if isinstance(arg, Operand) else _plain(arg) for arg in made.args]
    if made.func.startswith("."):
        return getattr(args[0], made.func[1:])(*args[1:], **made.kwargs)
    return _resolve(made)(*args, **made.kwargs)


def _operand(arg: Operand, given: list[Tensor]) -> Any:
    value = given[arg.index]
    return eval(f"value.{arg.attribute}", {"value": value}) if arg.attribute else value


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _resolve(made: TorchCall) -> Any:
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "Tensor": Tensor}
    if made.support:
        exec(made.support, names)
    head, *rest = made.func.split(".")
    return reduce(getattr, rest, names[head])
