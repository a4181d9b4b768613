"""What tests of elaboration ask of a spec."""

from __future__ import annotations

from archdsl.compiler import Compilation
from archdsl.graph.model import Apply, Call, Network, Scope, walk, weight_table
from archdsl.passes.accept import accepted

INPUT = "input x: [3, H=32, W=32]"


def spec(body: str, before: str = "", head: str = "Net", inputs: str = INPUT) -> Compilation:
    """A file with one network of this body, after `before`."""
    return Compilation.from_text(f"{before}\nnetwork {head} {{\n{inputs}\n{body}\n}}\n")


def net(body: str, before: str = "", head: str = "Net", inputs: str = INPUT) -> Network:
    return spec(body, before, head, inputs).network("Net")


def codes(body: str, before: str = "", head: str = "Net", inputs: str = INPUT) -> list[str]:
    """The codes of what is found, with the line (1 is the first of the body) of those in the body."""
    compilation = spec(body, before, head, inputs)
    return [each.code for each in compilation.diagnostics]


def keys(network: Network) -> list[str]:
    """The names of the weights, as in the `state_dict`; without biases."""
    return [name for name, _ in weight_table(network.scope) if not name.endswith("bias")]


def out(network: Network) -> str:
    """The shapes of the outputs, by name if there are several."""
    results = network.scope.results
    shown = [f"{r.name or ''}[{', '.join(map(str, r.value.shape))}]" for r in results]
    return " ".join(shown)


def domain(network: Network) -> str:
    return str(accepted(network))


def placed(scope: Scope) -> list[tuple[str, int | None]]:
    """Each layer or block applied, with its placement hint."""
    return [(item.module.name, item.hint) for item in walk(scope.items) if isinstance(item, (Apply, Call))]
