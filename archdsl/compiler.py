"""One compilation: a spec file, its networks, and every stage's result when it is first asked for.

    spec = Compilation.from_path("specs/resnet50.arch")
    spec.diagnostics            # all findings, in order of position
    net = spec.network()        # the typed graph of its first network
    text = spec.compile()       # PyTorch source

The command line and the Python API are thin faces on it. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import Diagnostic, Severity, Sink, did_you_mean, in_order
from archdsl.graph.model import Network
from archdsl.graph.needs import Refused
from archdsl.passes.accept import accepted, check_accepted
from archdsl.passes.claims import check_claims
from archdsl.passes.cost import Cost
from archdsl.passes.elaborate import Attempt, Memo, SettingError, attempt, elaborate
from archdsl.passes.idle import check_inits
from archdsl.passes.load import Definition, Library, Unit
from archdsl.passes.names import check_names
from archdsl.passes.place import check_placement
from archdsl.source import Source
from archdsl.syntax import parse, tree
from archdsl.syntax.defaults import derived

if TYPE_CHECKING:
    from archdsl.passes.fixes import Clock


class SpecError(Exception):
    """A spec with errors; `diagnostics` says which."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        from archdsl.diagnostics.render import render

        super().__init__("\n".join(render(d) for d in diagnostics))
        self.diagnostics = diagnostics


class UsageError(Exception):
    """A request that does not fit the spec: an unknown network, setting or size."""


class InternalError(Exception):
    """The code that was made for a network is not the network that was checked: a fault of archdsl, not of the spec."""

    def __init__(self, network: str, difference: object) -> None:
        super().__init__(
            f"the code made for `{network}` is not the network that was checked: {difference}\n"
            "This is a fault in archdsl, not in your spec, and no code was handed out.\n"
            "Please report it, with the spec."
        )


# What is wrong whatever the statements hold that could not be read. (`check_names` finds wrong names there.)
_INDEPENDENT = frozenset({"E0103", "E0104", "E0105", "E0201", "E0202"})

_Found = tuple[Network | None, list[Diagnostic]]


class Compilation:
    """A spec and what follows from it."""

    def __init__(self, unit: Unit | None, sink: Sink, files: Collection[Path] = ()) -> None:
        self.unit = unit
        self.sink = sink
        self.files = files  # what the result depends on: its own file and those that imports lead to, there or not
        self._unread = list(sink)  # what is wrong with its text and its imports
        self._networks: dict[Any, _Found] = {}
        self._clock: Clock | None = None

    @classmethod
    def from_path(cls, path: str | Path, text: str | None = None) -> Compilation:
        """Reads a file, or takes `text` for its content. A file that cannot be read is a diagnostic, no exception."""
        library = Library(Sink())
        unit = library.load(Path(path)) if text is None else library.add(Source(str(path), text), Path(path))
        return cls(unit, library.sink, library.asked)

    @classmethod
    def from_text(cls, text: str, path: str = "<text>") -> Compilation:
        """Takes a text; imports start from the current folder."""
        library = Library(Sink())
        return cls(library.add(Source(path, text), None), library.sink, library.asked)

    @classmethod
    def of(cls, spec: str | PathLike[str]) -> Compilation:
        """Takes a path, or the text of a spec: a string with a `{` in it."""
        return cls.from_text(spec) if isinstance(spec, str) and "{" in spec else cls.from_path(fspath(spec))

    @cached_property
    def diagnostics(self) -> list[Diagnostic]:
        """Everything there is to say: syntax, imports, every network's shapes and claims. Of blocks that no network
        of the file reaches, only the names are checked."""
        for definition in self.definitions:
            for each in (*self.shapes(definition), *self.claims(definition)):
                self.sink.take(each)
        if self.unit is not None:
            check_names(self.unit, self.sink)
            if len(self.networks) == len(self.definitions):
                check_inits(self.networks, self.unit.tree.span.source, self.sink)
        return in_order(self.sink)

    def shapes(self, definition: Definition) -> list[Diagnostic]:
        """What there is to say of the shapes of one of the file's networks."""
        found = self._elaborated(definition, {})[1]
        return [each for each in found if definition.whole or each.code in _INDEPENDENT]

    def claims(self, definition: Definition) -> list[Diagnostic]:
        """What there is to say of the claims of one of the file's networks; nothing where its shapes have errors."""
        network, _ = self._elaborated(definition, {})
        sink = Sink()
        if network is not None and definition.whole:
            check_claims(network, definition, sink)
        return sink.found

    def names(self) -> list[Diagnostic]:
        """What there is to say of names in the file's blocks, those included that no network applies."""
        sink = Sink()
        if self.unit is not None:
            check_names(self.unit, sink)
        return sink.found

    @property
    def ok(self) -> bool:
        """Whether there are no errors; only then is there anything to compile."""
        return not errors_of(self.diagnostics)

    @property
    def definitions(self) -> list[Definition]:
        """The networks that the file defines, in its order."""
        return self.unit.networks if self.unit is not None else []

    def definition(self, name: str | None = None) -> Definition:
        """A network by its name; without one the file's first. Raises UsageError."""
        known = {d.node.name: d for d in self.definitions}
        if name is None and known:
            return next(iter(known.values()))
        if name is not None and name in known:
            return known[name]
        if name is None:
            raise UsageError("the file defines no network")
        near = did_you_mean(name, known)
        raise UsageError(
            f"no network is called `{name}`"
            + (f"; did you mean `{near}`?" if near else "")
            + (f" (networks: {', '.join(known)})" if known else " (the file defines none)")
        )

    @property
    def networks(self) -> list[Network]:
        """The networks of the file whose shapes are sound, in its order, each with its defaults; claims may fail."""
        found = (self._elaborated(definition, {})[0] for definition in self.definitions if definition.whole)
        return [network for network in found if network is not None]

    def network(self, name: str | None = None, /, **settings: Any) -> Network:
        """The typed graph of a network. Raises UsageError, or SpecError with its diagnostics.

        One that is asked for by its name may have neighbours with errors; else all of the file has to be sound.
        """
        if not self.ok and not self._sound(name):
            raise SpecError(errors_of(self.diagnostics))
        definition = self.definition(name)
        try:
            network, found = self._elaborated(definition, settings)
        except SettingError as error:
            raise UsageError(str(error)) from None
        if network is None:
            raise SpecError(errors_of(found))
        return network

    def compile(
        self, network: str | None = None, settings: Mapping[str, Any] | None = None, *, guard: bool = False
    ) -> str:
        """PyTorch source of a network; with `guard`, its `forward` first checks the sizes of its input.

        What is emitted is validated before it is handed out. A parameter of the network stays one of the class only if
        the class is right for other values of it. Raises UsageError, SpecError with its diagnostics, or InternalError.
        """
        from archdsl import __version__
        from archdsl.emit import torch
        from archdsl.validate import Mismatch, Validation, wrong_block_parameters, wrong_parameters

        settings = settings or {}
        checked = self.network(network, **settings)
        definition = self.definition(network)
        traced = elaborate(definition, settings, Sink(), trace=True)
        assert traced is not None, "what was checked elaborates again"
        frozen = torch.decided(traced)
        calculated = derived(definition.node).keys() - settings.keys()
        memo = Memo()
        while True:
            text = torch.emit(traced, Cost(checked), accepted(checked), __version__, frozen, guarded=guard)
            try:
                validation = Validation(text, checked, torch.SUPPORTS, guarded=guard)
                validation.check(checked, {})  # the settings are the class's defaults
            except Mismatch as error:
                raise InternalError(checked.name, error) from error
            free = {name: v for name, v in checked.scope.params.items() if (definition.node, name) not in frozen}
            found = wrong_parameters(validation, definition, settings, free, memo)
            if not found and calculated:
                given = {name: value for name, value in free.items() if name not in calculated}
                found = wrong_parameters(validation, definition, settings, given, memo)
            wrong = {(definition.node, name) for name in found}
            wrong |= wrong_block_parameters(validation, definition, checked, memo)
            if wrong <= frozen:
                return text
            frozen |= wrong

    def _sound(self, name: str | None) -> bool:
        """Whether a network that is named has no errors, and the file none that is in no network."""
        found = [definition for definition in self.definitions if definition.node.name == name]
        return bool(found) and not errors_of([*self._unread, *self.shapes(found[0]), *self.claims(found[0])])

    def _with_ways_out(
        self,
        definition: Definition,
        settings: Mapping[str, Any],
        tried: Attempt,
        found: list[Diagnostic],
        refused: list[Refused],
    ) -> list[Diagnostic]:
        """What there is to say of a network, with the changes that were found to help. Their search is for specs with
        errors only, so it is not imported above; its time is that of the whole file."""
        from archdsl.passes.fixes import Clock, Fixes

        if self._clock is None:
            self._clock = Clock()
        return Fixes(definition, settings, tried, [*self._unread, *found], self._clock).added(found, refused)

    def _elaborated(self, definition: Definition, settings: Mapping[str, Any]) -> _Found:
        """A network whose shapes are sound, and what there is to say of it. Raises SettingError."""
        key = (id(definition), repr(sorted(settings.items())))
        if key not in self._networks:
            sink = Sink()
            tried = attempt(definition, settings, sink)
            refused = [*tried.refused, *check_accepted(tried.network, sink, whole=tried.sound)]
            if tried.sound:
                check_placement(tried.network, sink)
            found = sink.found
            if refused and definition.whole:
                found = self._with_ways_out(definition, settings, tried, found, refused)
            self._networks[key] = (None if sink.errors else tried.network, in_order(found))
        return self._networks[key]


def together(settings: Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a caller sets, by a mapping and by keywords. Raises UsageError for one that is set twice."""
    if settings is not None and not isinstance(settings, Mapping):
        raise UsageError(f"`settings` takes parameters by their names, as {{'settings': {settings!r}}}")
    twice = next((name for name in settings or () if name in keywords), None)
    if twice is not None:
        raise UsageError(f"`{twice}` is set twice, in `settings` and beside it")
    return {**(settings or {}), **keywords}


def errors_of(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The errors among findings, without the warnings."""
    return [each for each in diagnostics if each.severity is Severity.ERROR]


def parse_setting(text: str) -> tuple[str, Any]:
    """`classes=10`, `depths=[3, 4]` as a name and a value of the language. Raises UsageError."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name.isidentifier():
        raise UsageError(f"a setting is NAME=VALUE, not `{text}`")
    sink = Sink()
    unit = parse(Source("--set", f"block setting(value={value}) {{ }}"), sink)
    blocks = unit.definitions
    if sink.found or len(blocks) != 1 or len(blocks[0].params) != 1 or blocks[0].params[0].default is None:
        raise UsageError(f"`{value}` in `{text}` is no value of the language; strings are quoted")
    return name, _constant(blocks[0].params[0].default, text)


def _constant(node: tree.Expr, text: str) -> Any:
    if isinstance(node, tree.Literal):
        return node.value
    if isinstance(node, tree.SizeLiteral):
        return node.parts
    if isinstance(node, tree.ListExpr):
        return [_constant(item, text) for item in node.items]
    if isinstance(node, tree.Unary) and node.op == "-":
        value = _constant(node.operand, text)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return -value
    raise UsageError(f"a setting's value is a number, true, false, none, a string, a size or a list, not `{text}`")
