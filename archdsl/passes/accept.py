"""Which input sizes a network accepts, and what follows from that for its typical size and for stated shapes.

Input: an elaborated network. Output: its `Domain`; diagnostics. Non-goals: `where` is not proved here.
"""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics import Label, Sink
from archdsl.graph.model import Network, Requirement, Stated
from archdsl.sizes import Domain, SizeError


def accepted(network: Network) -> Domain:
    """The input sizes that a network accepts, exactly: those at which every shape rule of evaluation holds.

    Raises SizeError where they cannot be written down.
    """
    return _domain(network, _needs(network))


def check_accepted(network: Network, sink: Sink) -> None:
    """Reports a network that accepts no input (E0311) or not its typical one (E0312), and wrong stated dims (E0304)."""
    try:
        domain = accepted(network)
        empty = domain.is_empty
    except SizeError as error:
        message = f"the input sizes that `{network.name}` accepts cannot be worked out: {error}"
        sink.add("E0311", message, network.definition.name_span)
        return
    if empty:
        _report_empty(network, sink)
    elif not domain.contains(network.sizes):
        _report_typical(network, domain, sink)
    else:
        for stated in network.stated:
            _check_stated(network, domain, stated, sink)


def _needs(network: Network) -> list[Requirement]:
    return [need for need in network.needs if not need.training]


def _domain(network: Network, needs: Sequence[Requirement]) -> Domain:
    return Domain.of((need.condition for need in needs), network.symbols)


def _report_empty(network: Network, sink: Sink) -> None:
    """Points at the first need that leaves no size to those before it."""
    needs = _needs(network)
    count = next(n for n in range(1, len(needs) + 1) if _domain(network, needs[:n]).is_empty)
    last = needs[count - 1]
    before = _domain(network, needs[: count - 1])
    sink.add(
        "E0311",
        f"`{network.name}` accepts no input size",
        last.span,
        last.why,
        labels=(Label(network.definition.name_span, "the network"),),
        notes=[f"what comes before it accepts {before}"],
    )


def _report_typical(network: Network, domain: Domain, sink: Sink) -> None:
    need = next(need for need in _needs(network) if not need.condition.holds(network.sizes))
    sizes = ", ".join(f"{name} = {size}" for name, size in network.sizes.items())
    sink.add(
        "E0312",
        f"the typical input size is not accepted: {need.why}",
        need.span,
        f"fails at {sizes}",
        labels=(Label(network.scope.inputs[0].span, "its typical size is stated here"),),
        notes=[f"`{network.name}` accepts {domain}"],
    )


def _check_stated(network: Network, domain: Domain, stated: Stated, sink: Sink) -> None:
    """A stated dim has to be right for every input that is accepted."""
    try:
        narrowed = Domain.of((*(need.condition for need in _needs(network)), stated.condition), network.symbols)
    except SizeError:
        narrowed = None
    if narrowed is not None and str(narrowed) == str(domain):
        return
    notes = [f"`{network.name}` accepts {domain}"]
    if narrowed is not None:
        notes.append(f"the stated dim is right for {narrowed} only" if not narrowed.is_empty else "it is never right")
    sink.add("E0304", stated.message, stated.span, labels=(Label(stated.origin, stated.shape),), notes=notes)
