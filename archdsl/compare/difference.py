"""What sets two networks apart, as data.

Input: two networks. Output: a `Difference`, worked out at each network's typical input size. Not compared: comments,
descriptions, claims, and names that no weight carries (they show in no `state_dict`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.compare.align import Pair, align
from archdsl.compare.leaves import Leaf, Port, leaves
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted, promised
from archdsl.passes.cost import Cost


@dataclass(frozen=True)
class Fact:
    """One thing that is another now: an argument, a start of weights, the device, what is read."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """A leaf of one network and what it is in the other; `facts` are the reasons, not what merely follows."""

    before: Leaf
    after: Leaf
    facts: tuple[Fact, ...]

    @property
    def renamed(self) -> bool:
        return self.before.path != self.after.path and bool(self.before.params or self.before.buffers)

    @property
    def resized(self) -> bool:
        return self.before.shapes != self.after.shapes or self.before.params != self.after.params


@dataclass(frozen=True)
class Difference:
    """Two networks side by side. `pairs` are indices into `before` and `after`, all leaves once, in running order.

    `face` is what their users see: inputs, outputs, accepted and promised sizes; `totals` are counts and bytes.
    """

    before: tuple[Leaf, ...]
    after: tuple[Leaf, ...]
    pairs: tuple[Pair, ...]
    changes: tuple[Change, ...]
    face: tuple[Fact, ...]
    totals: Mapping[str, tuple[int, int]]

    @property
    def removed(self) -> list[int]:
        return [i for i, j in self.pairs if i is not None and j is None]

    @property
    def added(self) -> list[int]:
        return [j for i, j in self.pairs if i is None and j is not None]

    @property
    def changed(self) -> list[Change]:
        return [change for change in self.changes if change.facts]

    @property
    def renamed(self) -> list[Change]:
        return [change for change in self.changes if change.renamed]

    @property
    def resized(self) -> list[Change]:
        """Leaves that are written alike and have another shape or another count of parameters."""
        return [change for change in self.changes if change.resized and not change.facts]

    @property
    def equal(self) -> bool:
        found = self.removed or self.added or self.changed or self.renamed or self.resized or self.face
        return not found and all(before == after for before, after in self.totals.values())


def _typical(network: Network) -> str:
    return ", ".join(f"{name} = {size}" for name, size in network.sizes.items())


def compare(before: Network, after: Network) -> Difference:
    old, old_results = leaves(before)
    new, new_results = leaves(after)
    pairs = align(old, new)
    partners = {i: j for i, j in pairs if i is not None and j is not None}
    names = dict(zip(before.scope.input_names, after.scope.input_names, strict=False))
    wires = _Wires(old, new, partners, names)
    changes = [Change(old[i], new[j], tuple(_facts(old[i], new[j], wires))) for i, j in partners.items()]
    face = [
        Fact("inputs", _inputs(before), _inputs(after)),
        Fact("outputs", _outputs(before), _outputs(after)),
        Fact("accepts", _accepts(before), _accepts(after)),
        Fact("promises", str(promised(before) or "nothing"), str(promised(after) or "nothing")),
    ]
    if before.symbols and after.symbols:
        face.append(Fact("typical size", _typical(before), _typical(after)))
    if len(old_results) == len(new_results):
        face += [
            Fact(f"output {name or ''}".strip() + " is made by", *said)
            for name, one, other in zip(_result_names(after), old_results, new_results, strict=True)
            if (said := wires.differ((one,), (other,))) is not None
        ]
    return Difference(
        before=tuple(old),
        after=tuple(new),
        pairs=tuple(pairs),
        changes=tuple(changes),
        face=tuple(fact for fact in face if fact.before != fact.after),
        totals=_totals(before, len(old), after, len(new)),
    )


def _facts(old: Leaf, new: Leaf, wires: _Wires) -> list[Fact]:
    """What the author of one leaf wrote otherwise."""
    found = [
        Fact(name, value, new.arguments[name]) for name, value in old.arguments.items() if value != new.arguments[name]
    ]
    found += [
        Fact(f"start of {name}", start, new.starts[name])
        for name, start in old.starts.items()
        if start != new.starts.get(name, start)
    ]
    if old.training != new.training:
        found.append(Fact("runs", *("in training" if leaf.training else "always" for leaf in (old, new))))
    if old.device != new.device:
        found.append(Fact("device", *("any" if x.device is None else f"gpu {x.device}" for x in (old, new))))
    if old.again != new.again:
        found.append(Fact("weights", *("shared" if leaf.again else "its own" for leaf in (old, new))))
    if (said := wires.differ(old.reads, new.reads)) is not None:
        found.append(Fact("reads", *said))
    return found


class _Wires:
    """Tells whether two leaves read the same. What was added or removed between is looked through: it has been said."""

    def __init__(
        self, old: Sequence[Leaf], new: Sequence[Leaf], partners: Mapping[int, int], names: Mapping[str, str]
    ) -> None:
        self.leaves = (old, new)
        self.partners = partners
        self.names = names
        self.origins = (_origins(old, set(partners)), _origins(new, set(partners.values())))

    def differ(self, old: Sequence[Port], new: Sequence[Port]) -> tuple[str, str] | None:
        """What is read before and after, in words, where it is not the same."""
        alike = len(old) == len(new) and all(
            self._here(_seen(self.origins[0], one)) & _seen(self.origins[1], other)
            for one, other in zip(old, new, strict=True)
        )
        return None if alike else (self._words(0, old), self._words(1, new))

    def _here(self, ports: frozenset[Port]) -> frozenset[Port]:
        """Ports of the old network as those of the new one."""
        return frozenset(
            (self.names.get(at, at) if isinstance(at, str) else self.partners[at], index) for at, index in ports
        )

    def _words(self, side: int, ports: Sequence[Port]) -> str:
        return ", ".join(at if isinstance(at, str) else self.leaves[side][at].name for at, _ in ports)


def _origins(found: Sequence[Leaf], paired: set[int]) -> list[frozenset[Port] | None]:
    """For each leaf without a partner the nearest ports before it that have one; None for a leaf that has one."""
    origins: list[frozenset[Port] | None] = []
    for index, leaf in enumerate(found):
        own = None if index in paired else frozenset[Port]().union(*(_seen(origins, port) for port in leaf.reads))
        origins.append(own)
    return origins


def _seen(origins: Sequence[frozenset[Port] | None], port: Port) -> frozenset[Port]:
    own = origins[port[0]] if isinstance(port[0], int) else None
    return frozenset({port}) if own is None else own


def _inputs(network: Network) -> str:
    scope = network.scope
    named = zip(scope.input_names, scope.inputs, strict=True)
    return ", ".join(f"{name} [{', '.join(map(str, value.shape))}]" for name, value in named)


def _outputs(network: Network) -> str:
    return ", ".join(
        f"{result.name or ''} [{', '.join(map(str, result.value.shape))}]".strip() + " in training" * result.training
        for result in network.scope.results
    )


def _accepts(network: Network) -> str:
    return str(accepted(network)) if network.symbols else "its fixed size only"


def _result_names(network: Network) -> list[str | None]:
    return [result.name for result in network.scope.results]


def _totals(before: Network, old: int, after: Network, new: int) -> dict[str, tuple[int, int]]:
    """Counts for one item, bytes of activations for a batch of one."""
    costs = [(Cost(network), Cost(network, training=True)) for network in (before, after)]
    rows = {
        "layers": (old, new),
        "parameters": tuple(cost.params for cost, _ in costs),
        "parameters in training": tuple(trained.params for _, trained in costs),
        "buffers": tuple(cost.buffers for cost, _ in costs),
        "MACs": tuple(cost.macs for cost, _ in costs),
        "inference memory": tuple(cost.memory() for cost, _ in costs),
        "training memory": tuple(trained.training_memory() for _, trained in costs),
    }
    return {name: (values[0], values[1]) for name, values in rows.items()}
