"""PyTorch source for a checked network: what a careful person would write by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from archdsl.emit.torch.classes import Classes, Frozen
from archdsl.emit.torch.code import Line
from archdsl.emit.torch.devices import MIXIN, SOURCE
from archdsl.emit.torch.guard import NAME as GUARD
from archdsl.emit.torch.guard import guard
from archdsl.emit.torch.render import docstring, render
from archdsl.emit.torch.signature import Code
from archdsl.graph.model import Network
from archdsl.passes.cost import Cost
from archdsl.passes.place import place
from archdsl.sizes import Domain

SUPPORTS = {MIXIN: SOURCE}  # what files define besides what layers and initialisers bring along


def emit(
    network: Network,
    cost: Cost,
    domain: Domain,
    version: str,
    frozen: Frozen = frozenset(),
    *,
    guarded: bool = False,
) -> str:
    """The module's text.

    `network` is elaborated with `trace`, `cost` counts the same network; `domain` are the input sizes that it accepts,
    which a `guarded` one checks; `frozen` are parameters that become numbers.
    """
    code = body(network, frozen, domain if guarded else None)
    accepts = f"Accepts {domain}." if network.symbols else ""
    space = [""] if code.startswith("Device") else ["", ""]  # a class stands further from the imports
    return "\n".join([*_head(network, cost, accepts, version), "", *_imports(code), *space, code, ""])


def body(network: Network, frozen: Frozen, domain: Domain | None = None) -> str:
    """The functions and classes alone; with a `domain`, the network checks its input against that."""
    return "\n".join(_body(network, frozen, domain))


def _body(network: Network, frozen: Frozen, domain: Domain | None) -> Iterator[str]:
    classes = Classes(network, place(network), frozen)
    supports = dict(classes.supports)
    if domain is not None:
        supports[GUARD] = _guard(network, classes.done[-1], domain)
    tuples: set[str] = set()
    rendered = ["\n".join(render(code, tuples)) for code in classes.done]
    parts = [*(source.strip("\n") for _, source in sorted(supports.items())), *rendered]
    if classes.hinted:
        yield f"{SOURCE.strip()}\n\n"
    yield "\n\n\n".join(parts)


def _guard(network: Network, code: Code, domain: Domain) -> str:
    """The check of sizes, which the network's forward is made to begin with."""
    if not code.forward:  # an nn.Sequential
        code.arguments = ("x: Tensor",)
        code.forward = (Line("result: Tensor = super().forward(x)"), Line("return result"))
    names = [argument.partition(":")[0] for argument in code.arguments]
    code.forward = (Line(f"{GUARD}({', '.join(names)})"), *code.forward)
    return guard(network, names, domain)


def _head(network: Network, cost: Cost, accepts: str, version: str) -> list[str]:
    path = PurePath(network.scope.span.source.path).name
    sizes = "x".join(map(str, cost.shape(network.scope.inputs[0].shape)))
    trained = Cost(cost.network, cost.sizes, training=True).params
    heads = f" ({trained:,} with what runs in training only)" if trained != cost.params else ""
    text = (
        f"{network.name}, compiled by archdsl {version} from {path}. Change the spec, not this file.\n\n"
        f"Parameters {cost.params:,}{heads}.  MACs {human(cost.macs)} at {sizes}.{f'  {accepts}' * bool(accepts)}\n"
    )
    rows = docstring(text, "")
    return [rows[0], *rows[1:]]


# Comments, docs and strings. Messages, f"…", stay: they hold code.
_WORDS = re.compile(r'#.*|"""[\s\S]*?(?<!\\)"""|(?<![f"])"(?:[^"\\\n]|\\.)*"')


def _imports(code: str) -> list[str]:
    body = _WORDS.sub("", code)  # what a doc says needs no import
    found = []
    abstract = [name for name in ("Callable", "Sequence") if f"{name}[" in body]
    if abstract:
        found.append(f"from collections.abc import {', '.join(abstract)}")
    if "OrderedDict(" in body:
        found.insert(0, "from collections import OrderedDict")
    typed = [name for name, use in (("NamedTuple", "(NamedTuple)"), ("Self", "-> Self")) if use in body]
    if typed:
        found.append(f"from typing import {', '.join(typed)}")
    if found:
        found.append("")
    if "math." in body:
        found.insert(0, "import math")
    if "torch." in body:
        found.append("import torch")
    if "F." in body:
        found.append("import torch.nn.functional as F")
    names = "Tensor, nn" if "Tensor" in body else "nn"
    return [*found, f"from torch import {names}"]


def human(number: int) -> str:
    """`1.50 G`, `118.0 M`, `9,536`."""
    for power, suffix in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if number >= power:
            return f"{number / power:.2f} {suffix}"
    return f"{number:,}"


def decided(network: Network) -> Frozen:
    """The network's parameters that the code is made for: no class offers them."""
    return Classes(network, place(network), frozenset()).decided


__all__ = ["SUPPORTS", "body", "decided", "emit", "human"]
