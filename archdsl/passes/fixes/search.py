"""Trying changes until a few of them help: the error that is looked at goes, and none comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from textwrap import dedent
from typing import Any

from archdsl.diagnostics import Diagnostic, Edit, Fix, Severity, Sink, edited, edited_lines
from archdsl.graph.model import Network
from archdsl.graph.needs import Refused
from archdsl.passes.accept import accepted, check_accepted
from archdsl.passes.claims import check_claims
from archdsl.passes.elaborate import Attempt, attempt, claims
from archdsl.passes.elaborate.reads import Source as ReadSource
from archdsl.passes.elaborate.reads import sources
from archdsl.passes.fixes import candidates
from archdsl.passes.fixes.candidates import Change
from archdsl.passes.fixes.clock import Clock
from archdsl.passes.load import Definition, Library, Unit
from archdsl.sizes import SizeError
from archdsl.source import Source, Span

TRIED = 24  # changes of each kind; each is elaborated anew
SHOWN = 2  # of each kind
MOST_LAYERS = 5_000  # of a network for which changes are tried at all
MOST_STEPS = 40_000  # of its elaboration

_LAST = "E0508"  # what `init` fills is looked at when all layers fit, so it may have been wrong before

_Place = tuple[str, str, int]  # a code, a path, an offset


@dataclass(frozen=True)
class _Tried:
    """A change that helps, and the network with it; the claims that do not hold then, if nothing else is wrong."""

    change: Change
    network: Network
    sound: bool
    failing: tuple[int, ...]


class Fixes:
    """Finds changes of a network's file after which one error is gone, and nothing is wrong that was not before.

    `told` is all that is known to be wrong with the file's text and with the network; `clock` bounds the search.
    """

    def __init__(
        self,
        definition: Definition,
        settings: Mapping[str, Any],
        tried: Attempt,
        told: Iterable[Diagnostic],
        clock: Clock,
    ) -> None:
        self.definition = definition
        self.settings = settings
        self.tried = tried
        told = tuple(told)
        self.told = [each for each in told if each.severity is Severity.ERROR]
        self.warned = {each.span: each.fixes[0].edits for each in told if each.code == "W0201" and each.fixes}
        self.clock = clock

    def added(self, found: Sequence[Diagnostic], refused: Sequence[Refused]) -> list[Diagnostic]:
        """The diagnostics with the ways out of those that tell of a refused need, in place of general advice."""
        ways = {}
        for i, each in enumerate(refused):
            with self.clock.share(len(refused) - i):
                ways[id(each.told)] = self._ways_out(each)
        return [replace(each, fixes=tuple(fixes), help=()) if (fixes := ways.get(id(each))) else each for each in found]

    def _ways_out(self, refused: Refused) -> list[Fix]:
        if self.tried.network.scope.layers > MOST_LAYERS or self.tried.steps > MOST_STEPS:
            return []
        need, network = refused.need, self.tried.network
        accepting = any(need is each for each in network.needs)  # the layers fit, and too few sizes are accepted
        found = self._of(refused, candidates.habits(need, self.warned))[:1] or [
            tried
            for kind in (
                candidates.broadcast(need),
                candidates.projected(need),
                candidates.mended(need),
                candidates.arguments(need),
                candidates.fitted(need),
            )
            for tried in self._of(refused, kind)
            if _takes_many(tried)
        ]
        if accepting and self.tried.sound:
            found += self._of(refused, ((edit,) for edit in candidates.promised_less(network)))
            found += self._of(refused, ((edit,) for edit in candidates.other_typical(network)))
        if not found and not accepting:
            found = self._of(refused, ((edit,) for edit in candidates.fixed_input(self.definition.node)))
        fewest = min((len(tried.failing) for tried in found), default=0)
        return [self._fix(tried) for tried in found if len(tried.failing) == fewest]

    def _of(self, refused: Refused, changes: Iterator[Change]) -> list[_Tried]:
        own = self.definition.node.span.source
        good = (change for change in changes if all(edit.span.source is own and _keeps(edit) for edit in change))
        soon = (change for change in islice(dict.fromkeys(good), TRIED) if self.clock.runs)
        tried = (self._tried(refused, change) for change in soon)
        return list(islice((each for each in tried if each is not None), SHOWN))

    @cached_property
    def _before(self) -> list[Diagnostic]:
        """What is wrong as it is: with the network, with the text, and with the file's other networks."""
        return [*self.told, *_faults(self.definition.unit, self.definition.node.name)]

    def _tried(self, refused: Refused, change: Change) -> _Tried | None:
        """The network after a change, if the error is gone, and nothing new is wrong with it and the file's others."""
        sink = Sink()
        source = change[0].span.source
        text = edited(Span(source, 0, len(source.text)), change)
        unit = Library(sink).add(Source(source.path, text), self.definition.unit.path)
        definition = unit.names.get(self.definition.node.name)
        if definition is None or not definition.whole:
            return None
        tried = attempt(definition, self.settings, sink)
        check_accepted(tried.network, sink, whole=tried.sound)
        now = [each for each in sink if each.severity is Severity.ERROR]
        if not self._mends(refused.told, now, change) or not self._adds_nothing(
            refused.told, [*now, *_faults(unit, definition.node.name)], change
        ):
            return None
        if not self._joins_the_same(refused, tried, change):
            return None
        sound = tried.sound and not now
        return _Tried(change, tried.network, sound, _failing(tried.network, definition) if sound else ())

    def _mends(self, aim: Diagnostic, now: Iterable[Diagnostic], change: Change) -> bool:
        """Whether a finding is gone with a change."""
        others = (each for each in self._before if (each.code, each.span) != (aim.code, aim.span))
        elsewhere = {place for each in others for place in _moved(each.code, each.span, change)}
        there = _moved(aim.code, aim.span, change) - elsewhere
        return not any(_place(each.code, each.span) in there and each.apart <= aim.apart for each in now)

    def _adds_nothing(self, aim: Diagnostic, now: Iterable[Diagnostic], change: Change) -> bool:
        """Whether all that is found with a change was known without it, the finding that it is to mend aside."""
        known: dict[_Place, list[frozenset[int]]] = {}
        open_axes = {id(each.told): _open_axes(each) for each in self.tried.refused}
        for each in self._before:
            if (each.code, each.span, each.apart) != (aim.code, aim.span, aim.apart):
                for place in _moved(each.code, each.span, change):
                    known.setdefault(place, []).append(each.apart | open_axes.get(id(each), frozenset()))
        unchecked = () if self.tried.sound else (_LAST,)
        return all(
            each.code in unchecked or any(each.apart <= apart for apart in known.get(_place(each.code, each.span), ()))
            for each in now
        )

    def _joins_the_same(self, refused: Refused, tried: Attempt, change: Change) -> bool:
        """Whether a join that was refused is applied to the same values as before, each time."""
        join = refused.need.node.path.span
        if join not in self.tried.reads:
            return True
        places = _moved("", join, change)
        after = next((reads for span, reads in tried.reads.items() if _place("", span) in places), ())
        pairs = zip(map(sources, self.tried.reads[join]), map(sources, after), strict=False)
        return bool(after) and all(
            len(old) == len(new) and all(_is_same(*each, change) for each in zip(old, new, strict=True))
            for old, new in pairs
        )

    def _fix(self, tried: _Tried) -> Fix:
        """What a change leads to, and the lines as they would be, without what they have in common on the left."""
        runs = edited_lines(tried.change[0].span.source, tried.change)
        changed = dedent("\n".join(line for _, lines in runs for line in lines))
        code = "".join(f"\n  {line}" for line in changed.split("\n"))
        changing = [number for numbers, _ in runs for number in numbers]
        return Fix(f"change {_lines(changing)}, and {self._outcome(tried)}:{code}", tried.change)

    def _outcome(self, tried: _Tried) -> str:
        name = tried.network.name
        if not tried.sound:
            return "this is mended"
        takes = f"`{name}` accepts {accepted(tried.network)}" if tried.network.symbols else f"`{name}` fits"
        wrong = [claims(self.definition)[i].span.line for i in tried.failing]
        return f"{takes}, and does not keep its claim{'s' * (len(wrong) > 1)} in {_lines(wrong)}" if wrong else takes


def _keeps(edit: Edit) -> bool:
    """Whether an edit keeps the comments of what it changes."""
    return edit.span.text.count("#") <= edit.text.count("#")


def _open_axes(refused: Refused) -> frozenset[int]:
    """The axes on which the values of a join may differ too, if an error before it is mended."""
    shapes = [value.shape for value in refused.need.values]
    return frozenset(i for i, (one, *others) in enumerate(zip(*shapes, strict=False)) if any(one != o for o in others))


def _lines(numbers: Sequence[int]) -> str:
    """`line 3`, `lines 3 and 5`."""
    *first, last = dict.fromkeys(numbers)
    return f"lines {', '.join(map(str, first))} and {last}" if first else f"line {last}"


def _faults(unit: Unit, but: str) -> list[Diagnostic]:
    """What is wrong with the networks of a file, but for one."""
    sink = Sink()
    for definition in unit.networks:
        if definition.node.name != but and definition.whole:
            tried = attempt(definition, {}, sink)
            check_accepted(tried.network, sink, whole=tried.sound)
            if tried.sound:
                check_claims(tried.network, definition, sink)
    return [each for each in sink if each.severity is Severity.ERROR]


def _place(code: str, span: Span) -> _Place:
    return code, span.source.path, span.start


def _moved(code: str, span: Span, change: Change) -> set[_Place]:
    """Where a finding may stand after a change: what is inserted right where it begins may stand before it or in it."""
    if span.source is not change[0].span.source:
        return {_place(code, span)}
    start = span.start + sum(_growth(edit) for edit in change if edit.span.end < span.start)
    near = [edit for edit in change if edit.span.start <= span.start <= edit.span.end]
    inside = start + sum(edit.span.start - span.start for edit in near)
    after = start + sum(_growth(edit) for edit in near)
    return {(code, span.source.path, at) for at in (start, inside, after)}


def _is_same(old: ReadSource, new: ReadSource, change: Change) -> bool:
    """Whether a join reads the same value after a change; not known is the same."""
    if not isinstance(old, Span) or not isinstance(new, Span):
        return old is None or new is None or old == new
    return _place("", new) in _moved("", old, change)


def _growth(edit: Edit) -> int:
    return len(edit.text) - (edit.span.end - edit.span.start)


def _failing(network: Network, definition: Definition) -> tuple[int, ...]:
    """Which of the network's claims do not hold, by their positions among them."""
    sink = Sink()
    check_claims(network, definition, sink)
    wrong = {each.span.start for each in sink}
    spans = [claim.span for claim in claims(definition)]
    return tuple(i for i, span in enumerate(spans) if any(span.start <= start < span.end for start in wrong))


def _takes_many(tried: _Tried) -> bool:
    """Whether more than a few sizes are accepted after a change."""
    try:
        return all(allowed.last is None for allowed in accepted(tried.network).values.values())
    except SizeError:
        return False
