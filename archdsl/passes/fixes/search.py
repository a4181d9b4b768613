"""Trying changes until a few of them make the checker accept the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, takewhile
from textwrap import dedent
from time import process_time
from typing import Any

from archdsl.diagnostics import Edit, Fix, Sink, edited, edited_lines
from archdsl.graph.model import Network
from archdsl.graph.needs import Requirement
from archdsl.passes.accept import accepted, check_accepted
from archdsl.passes.claims import check_claims
from archdsl.passes.elaborate import elaborate
from archdsl.passes.fixes import candidates
from archdsl.passes.load import Definition, Library, Unit
from archdsl.source import Source, Span

TRIED = 24  # changes of each kind; each is elaborated anew
SHOWN = 2  # of each kind
MOST_LAYERS = 5_000  # of a network for which changes are tried at all
MOST_SECONDS = 1.5  # of the processor: a message is not worth waiting for longer


@dataclass(frozen=True)
class Fixes:
    """Finds changes of a network's file after which nothing is wrong with the sizes that it accepts."""

    definition: Definition
    settings: Mapping[str, Any]
    began: float = field(default_factory=process_time)

    def ways_out(self, need: Requirement, network: Network | None = None) -> list[Fix]:
        """The changes that help."""
        if network is not None and network.scope.layers > MOST_LAYERS:
            return []
        found = [
            (edit, other)
            for kind in (
                candidates.habit(need),
                candidates.projected(need),
                candidates.mended(need),
                candidates.arguments(need),
                candidates.fitted(need),
            )
            for edit, other in self._of(kind)
            if all(allowed.last is None for allowed in accepted(other).values.values())  # more than a few sizes
        ]
        if network is not None:
            found += [*self._of(candidates.promised_less(network)), *self._of(candidates.other_typical(network))]
        if not found and network is None:
            found = self._of(candidates.fixed_input(self.definition.node))
        return [_fix(edit, other) for edit, other in found]

    def _of(self, edits: Iterator[Edit]) -> list[tuple[Edit, Network]]:
        own = (edit for edit in edits if edit.span.source is self.definition.node.span.source)
        soon = takewhile(lambda _: process_time() - self.began < MOST_SECONDS, islice(dict.fromkeys(own), TRIED))
        tried = ((edit, self._tried(edit)) for edit in soon)
        return list(islice(((edit, network) for edit, network in tried if network is not None), SHOWN))

    @cached_property
    def _elsewhere(self) -> set[tuple[str, str]]:
        """What is wrong with the file's other networks as it is."""
        return _faults(self.definition.unit, self.definition.node.name)

    def _tried(self, edit: Edit) -> Network | None:
        """The network after a change, if nothing is wrong with it, and nothing new with the file's others."""
        sink = Sink()
        source = edit.span.source
        unit = Library(sink).add(
            Source(source.path, edited(Span(source, 0, len(source.text)), [edit])), self.definition.unit.path
        )
        definition = unit.names.get(self.definition.node.name)
        if definition is None or sink.errors:
            return None
        network = elaborate(definition, self.settings, sink)
        if network is not None:
            check_accepted(network, sink)
        if network is not None and not sink.errors and not self.settings:
            check_claims(network, definition, sink)
        if network is None or sink.errors or _faults(unit, definition.node.name) - self._elsewhere:
            return None
        return network


def _faults(unit: Unit, but: str) -> set[tuple[str, str]]:
    """The codes and messages of what is wrong with the networks of a file, but for one."""
    sink = Sink()
    for definition in unit.networks:
        if definition.node.name != but:
            network = elaborate(definition, {}, sink)
            if network is not None:
                check_accepted(network, sink)
                check_claims(network, definition, sink)
    return {(each.code, each.message) for each in sink}


def _fix(edit: Edit, network: Network) -> Fix:
    """What a change leads to, and the lines as they would be, without what they have in common on the left."""
    takes = f"accepts {accepted(network)}" if network.symbols else "fits"
    changed = "\n".join(line for _, lines in edited_lines(edit.span.source, [edit]) for line in lines)
    code = "".join(f"\n  {line}" for line in dedent(changed).split("\n"))
    return Fix(f"change line {edit.span.line}, and `{network.name}` {takes}:{code}", (edit,))
