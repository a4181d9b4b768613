"""Which input sizes a network accepts, and what follows: for what its author promises, for its typical size, for
stated shapes.

Input: an elaborated network. Output: its `Domain`; diagnostics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from weakref import WeakKeyDictionary

from archdsl.diagnostics import Diagnostic, Label, Sink
from archdsl.graph.model import Network
from archdsl.graph.needs import Promise, Refused, Requirement, Stated
from archdsl.passes.shapes import origins, ways
from archdsl.sizes import AtLeast, Condition, Dim, Divisible, Domain, Equal, SizeError, evaluate
from archdsl.sizes.search import rank

_ACCEPTED: WeakKeyDictionary[Network, Domain] = WeakKeyDictionary()  # worked out once for each network


def accepted(network: Network, *, promised: bool = False) -> Domain:
    """The input sizes that a network accepts, exactly: those at which every shape rule of evaluation holds.

    With `promised`, those of them that its author promises. Raises SizeError where they cannot be written down.
    """
    if promised:
        return _domain(network, [*_needs(network), *network.promises])
    if network not in _ACCEPTED:
        _ACCEPTED[network] = _domain(network, _needs(network))
    return _ACCEPTED[network]


def promised(network: Network) -> Domain | None:
    """The input sizes that the author promises by `where`; None if there is no promise. Raises SizeError."""
    return _domain(network, network.promises) if network.promises else None


def check_accepted(network: Network, sink: Sink, *, whole: bool = True) -> list[Refused]:
    """Reports a network that accepts no input (E0311), not every promised one (E0313) or not its typical one (E0312),
    and stated dims that are wrong for some (E0304). Returns the needs that fail.

    Of a network that is not `whole`, because some of it was refused, only some needs are known: what they refuse is
    refused in any case.
    """
    refused: list[Refused] = []
    try:
        domain = accepted(network)
        promise = promised(network)
        accepts = [f"`{network.name}` accepts {domain}"] if whole else []
        if domain.is_empty:
            refused += _report_empty(network, sink)
        elif promise is not None and (failing := _check_promise(network, promise, domain, accepts, sink)) is not None:
            refused += failing
        elif not all(need.condition.holds(network.sizes) for need in network.needs):
            refused += _report_typical(network, accepts, sink)
        elif whole:
            meant = accepted(network, promised=True) if promise is not None else domain
            for stated in network.stated:
                _check_stated(network, domain, meant, stated, sink)
    except SizeError as error:
        message = f"the input sizes that `{network.name}` accepts cannot be worked out: {error}"
        sink.add("E0311", message, network.definition.name_span)
    return refused


def _refused(sink: Sink, need: Requirement, told: Diagnostic) -> list[Refused]:
    """Reports a need that fails."""
    return [Refused(told, need)] if sink.take(told) else []


def _needs(network: Network) -> list[Requirement]:
    return [need for need in network.needs if not need.training]


def _domain(network: Network, needs: Sequence[Requirement | Promise | Stated]) -> Domain:
    return Domain.of((need.condition for need in needs), network.symbols)


def _report_empty(network: Network, sink: Sink) -> list[Refused]:
    """Points at the first need that leaves no size to those before it."""
    needs = _needs(network)
    count = next(n for n in range(1, len(needs) + 1) if _domain(network, needs[:n]).is_empty)
    last = needs[count - 1]
    before = _domain(network, needs[: count - 1])
    told = Diagnostic(
        "E0311",
        f"`{network.name}` accepts no input size",
        last.span,
        last.why,
        labels=(*origins(last.values), *_calls(last), Label(network.definition.name_span, "the network")),
        notes=(*ways(last.values), f"what comes before it accepts {before}"),
    )
    return _refused(sink, last, told)


def _check_promise(
    network: Network, promise: Domain, domain: Domain, accepts: Sequence[str], sink: Sink
) -> list[Refused] | None:
    """None if every promised size is accepted, and the typical one is promised; else reports the smallest to fail."""
    where = Label(network.promises[0].span, "promised here")
    if promise.is_empty:
        sink.add("E0313", "`where` promises no size at all", where.span)
        return []
    needs = [] if domain.includes(promise) else _needs(network)
    try:
        failing = [(sizes, need) for need in needs if (sizes := promise.smallest_failing(need.condition))]
    except SizeError as error:
        sink.add("E0313", f"it is not proved that `{network.name}` accepts every promised size: {error}", where.span)
        return []
    if failing:
        sizes, need = min(failing, key=lambda each: rank(each[0]))
        numbers = _numbers(need.condition, sizes)
        told = Diagnostic(
            "E0313",
            f"`{network.name}` does not accept every size that is promised; the smallest it refuses is {_show(sizes)}",
            need.span,
            numbers or need.why,
            labels=(where, *origins(need.values, sizes), *_calls(need)),
            notes=(
                *([need.why] if numbers else []),
                *ways(need.values),
                *_others(failing, need),
                *accepts,
            ),
        )
        return _refused(sink, need, told)
    if not promise.contains(network.sizes):
        sink.add(
            "E0312",
            "the typical input size is not among those promised",
            where.span,
            f"fails at {_show(network.sizes)}",
            labels=(Label(network.scope.inputs[0].span, "its typical size is stated here"),),
        )
        return []
    return None


def _report_typical(network: Network, accepts: Sequence[str], sink: Sink) -> list[Refused]:
    failing = [need for need in network.needs if not need.condition.holds(network.sizes)]
    need = min(failing, key=lambda need: need.training)  # what evaluation refuses, training does too
    at = ": ".join(filter(None, (f"fails at {_show(network.sizes)}", _numbers(need.condition, network.sizes))))
    stated = Label(network.scope.inputs[0].span, "its typical size is stated here")
    told = Diagnostic(
        "E0312",
        f"the typical input size is not accepted{' in training' * need.training}: {need.why}",
        need.span,
        at,
        labels=(
            stated,
            *(each for each in origins(need.values, network.sizes) if each.span != stated.span),
            *_calls(need),
        ),
        notes=(*ways(need.values), *accepts),
    )
    return _refused(sink, need, told)


def _others(failing: Sequence[tuple[Mapping[str, int], Requirement]], first: Requirement) -> list[str]:
    """What else refuses promised sizes, if it is another layer: no one change will help then."""
    others = {need.span: (sizes, need) for sizes, need in reversed(failing) if need.span != first.span}
    return [
        f"line {need.span.line} refuses some too, the smallest {_show(sizes)}: {need.why}"
        for sizes, need in list(others.values())[:2]
    ]


def _calls(need: Requirement) -> Iterator[Label]:
    """The calls that lead to where a need stands."""
    return (call.label for call in need.calls)


def _show(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def _numbers(condition: Condition, sizes: Mapping[str, int]) -> str:
    """What a condition comes to where it fails: `W is 17, 2*(W//2) is 16`; nothing where the sizes say it already."""
    dims: list[Dim] = []
    match condition:
        case Equal(left, right):
            dims = [left, right]
        case AtLeast(size) | Divisible(size) if str(size) not in sizes:
            dims = [size]
    return ", ".join(f"{dim} is {evaluate(dim, sizes)}" for dim in dims if not isinstance(dim, int))


def _check_stated(network: Network, domain: Domain, meant: Domain, stated: Stated, sink: Sink) -> None:
    """A stated dim has to be right for every input that is accepted and, if sizes are promised, promised."""
    try:
        if meant.smallest_failing(stated.condition) is None:
            return
        right = _domain(network, [*_needs(network), *network.promises, stated])
        note = "it is never right" if right.is_empty else f"the stated dim is right for {right} only"
    except SizeError as error:
        note = str(error)
    notes = [f"`{network.name}` accepts {domain}", note]
    sink.add("E0304", stated.message, stated.span, labels=(Label(stated.origin, stated.shape),), notes=notes)
