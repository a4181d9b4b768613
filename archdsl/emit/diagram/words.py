"""What a picture says: shapes, tooltips and the caption."""

from __future__ import annotations

import os

from archdsl.graph.model import Apply, Call, Network
from archdsl.layers.args import show
from archdsl.passes.cost import Cost, outputs
from archdsl.passes.place import Application
from archdsl.passes.table import what_of

_POWERS = ((10**12, "T"), (10**9, "G"), (10**6, "M"))


def shape_text(shape: tuple[int, ...]) -> str:
    """`64×112×112`."""
    return "×".join(map(str, shape))


def short(number: int) -> str:
    """`9,536`, `118.0 M`: in full below a million."""
    for power, suffix in _POWERS:
        if number >= power:
            return f"{number / power:,.1f} {suffix}"
    return f"{number:,}"


def tooltip(item: Application, path: str, cost: Cost, device: int | None) -> str:
    """A layer's path and arguments, shapes, parameters, MACs, and its line in the spec."""
    if isinstance(item, (Apply, Call)):
        entering = item.inputs
        params = cost.module_elements(item.module, "weights") if item.first else 0
    else:
        entering, params = [], 0
    lines = [f"{path}: {what_of(item)}" if path else what_of(item)]
    made = ", ".join(shape_text(cost.shape(value.shape)) for value in outputs(item))
    given = ", ".join(shape_text(cost.shape(value.shape)) for value in entering)
    lines.append(f"{given} → {made}" if given else f"→ {made}")
    if isinstance(item, Apply):
        lines += [
            f"{f.name} = {show(getattr(item.layer, f.name))}" for f in item.layer.fields if f.name not in item.sources
        ]
    lines += [f"parameters {params:,}"] * bool(params)
    macs = cost.item_macs(item)
    lines += [f"MACs {macs:,}"] * bool(macs)
    lines += [f"gpu {device}"] * (device is not None)
    lines.append(f"{os.path.basename(item.span.source.path)}:{item.span.line}")
    return "\n".join(lines)


def caption(network: Network, cost: Cost, trained: Cost) -> list[str]:
    """The name, and the totals at the size that is drawn."""
    scope = network.scope
    inputs = ", ".join(
        f"{name} {shape_text(cost.shape(value.shape))}"
        for name, value in zip(scope.input_names, scope.inputs, strict=True)
    )
    params = f"{cost.params:,} parameters"
    if trained.params != cost.params:
        params += f" ({trained.params:,} in training)"
    return [network.name, f"{inputs}   ·   {params}   ·   {short(cost.macs)} MACs"]
