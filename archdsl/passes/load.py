"""Reading spec files and resolving their imports.

Input: paths or texts. Output: `Unit`s, a file's tree with every definition that its names reach. Non-goals: nothing is
elaborated here, and nothing but the imported names is looked at in an imported file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from os.path import exists, isdir, isfile  # False for a name that is too long, where those of Path raise
from pathlib import Path

from archdsl.diagnostics import Label, Sink, did_you_mean
from archdsl.source import Source, Span
from archdsl.syntax import parse, tree

_HEAD = re.compile(r"^[ \t]*(?:block|network)[ \t]+(\w+)", re.MULTILINE)
ROOT_MARKERS = (".git", "pyproject.toml", ".hg")


@dataclass(eq=False)
class Unit:
    """One file, parsed, with the definitions that its names stand for (its own and those it imports)."""

    path: Path | None
    tree: tree.File
    names: dict[str, Definition] = field(default_factory=dict)
    missing: set[str] = field(
        default_factory=set
    )  # imported or defined, but not found or read, which has been reported

    @property
    def networks(self) -> list[Definition]:
        """The networks that the file itself defines, in its order."""
        found = (self.names.get(d.name) for d in self.tree.definitions if d.kind == "network")
        return [each for each in dict.fromkeys(found) if each is not None and each.node.kind == "network"]


@dataclass(eq=False)
class Definition:
    """A block or a network and the file whose names it sees. One that is not `whole` has syntax errors: some of its
    statements are missing, and nothing is known of its shapes."""

    node: tree.Definition
    unit: Unit
    whole: bool = True


class Library:
    """Loads each file once. `sink` takes the diagnostics of the files that the user named and of all they import.

    `asked` are the files that were looked for, whether or not they are there.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.asked: set[Path] = set()
        self._units: dict[Path, Unit] = {}
        self._loading: list[Path] = []

    def load(self, path: Path) -> Unit | None:
        """The unit of a file; None, with a diagnostic, if it cannot be read."""
        self.asked.add(path)
        try:
            key = path.resolve()
            if key in self._units:
                return self._units[key]
            text = read(path)
        except UnicodeDecodeError as error:
            self._unreadable(path, f"it is not UTF-8 text (byte {error.start + 1})")
            return None
        except (OSError, ValueError, RuntimeError) as error:
            self._unreadable(path, getattr(error, "strerror", None) or str(error))
            return None
        return self.add(Source(str(path), text), path)

    def add(self, source: Source, path: Path | None) -> Unit:
        """The unit of a text; `path` is where its imports start from (the current folder without one)."""
        unit = Unit(path, parse(source, self.sink))
        if path is not None:
            self._units[path.resolve()] = unit
            self._loading.append(path.resolve())
        self._define(unit)
        for node in unit.tree.imports:
            self._import(unit, node)
        if path is not None:
            self._loading.pop()
        return unit

    def _unreadable(self, path: Path, why: str) -> None:
        self.sink.add("E0001", f"`{path}` cannot be read: {why}", Span(Source(str(path), ""), 0, 0))

    def _define(self, unit: Unit) -> None:
        for node in unit.tree.definitions:
            if node.name in unit.names:
                first = Label(unit.names[node.name].node.name_span, "is the first one")
                self.sink.add("E0103", f"`{node.name}` is defined twice in this file", node.name_span, labels=[first])
            else:
                whole = not any(node.span.start <= start <= node.span.end for start in unit.tree.broken)
                unit.names[node.name] = Definition(node, unit, whole)
        if unit.tree.broken:
            unit.missing.update(_HEAD.findall(unit.tree.source.text))
            unit.missing.difference_update(unit.names)

    def _import(self, unit: Unit, node: tree.Import) -> None:
        if not node.quoted:
            self._import_shipped(unit, node)
        else:
            self._import_file(unit, node)
        unit.missing.update(here for _, here, _ in node.names if here not in unit.names)

    def _import_file(self, unit: Unit, node: tree.Import) -> None:
        start = unit.path.parent if unit.path is not None else Path()
        target = start / node.path
        try:
            resolved = target.resolve()
            inside = resolved.is_relative_to(project_root(start))
        except (OSError, ValueError, RuntimeError):
            self.sink.add("E0004", f'"{node.path}" is no path of a file', node.path_span)
            return
        if Path(node.path).is_absolute() or not inside:
            self.sink.add("E0004", "an import cannot leave the project's folder", node.path_span, "is outside of it")
        elif resolved in self._loading:
            self.sink.add("E0004", "imports go in a circle", node.path_span, "imports this file in turn")
        elif (bad := unfit(resolved)) is not None:
            self.asked.add(target)
            self.sink.add("E0004", f'"{node.path}" cannot be read: {bad}', node.path_span)
        elif not exists(resolved):
            self.asked.add(target)
            near = did_you_mean(target.name, (each.name for each in target.parent.glob("*.arch")))
            hint = f'did you mean "{near}"?' if near else f"relative to {start}"
            self.sink.add("E0004", f'there is no file "{node.path}"', node.path_span, hint)
        else:
            other = self.load(target)
            if other is not None:
                self._bind(unit, node, other.names, f'"{node.path}"')

    def _import_shipped(self, unit: Unit, node: tree.Import) -> None:
        """`from zoo import x` finds the shipped spec that defines x; `from zoo.resnet import x` names it."""
        folder = shipped()
        head, _, stem = node.path.partition(".")
        if head == "torch":
            help = "leave it out: the layers are known here by their own names, as `conv` and `relu`"
            self.sink.add("E0004", "nothing of PyTorch is imported", node.path_span, help=[help])
            return
        if head != "zoo" or "." in stem:
            self.sink.add(
                "E0004",
                f"`{node.path}` is neither a quoted path nor `zoo`",
                node.path_span,
                help=[f'write the file\'s path in quotes: from "{node.path.removesuffix(".arch")}.arch" import …'],
            )
            return
        if stem:
            path = folder / f"{stem}.arch"
            if not isfile(path):
                near = did_you_mean(stem, (p.stem for p in folder.glob("*.arch")))
                hint = f"did you mean `zoo.{near}`?" if near else ""
                self.sink.add("E0004", f"no spec that comes with archdsl is called `{stem}`", node.path_span, hint)
                return
            other = self.load(path)
            if other is not None:
                self._bind(unit, node, other.names, f"`{node.path}`")
            return
        for there, here, span in node.names:
            self._import_from_zoo(unit, there, here, span)

    def _import_from_zoo(self, unit: Unit, there: str, here: str, span: Span) -> None:
        """The one shipped spec that defines the name; if several do, it is an error that names them."""
        paths = shipped_with(there)
        if len(paths) > 1:
            ways = [f"from zoo.{path.stem} import {there}" for path in paths]
            self.sink.add(
                "E0004",
                f"`{there}` is defined by several specs of the zoo",
                span,
                help=[f"say which: {'; '.join(ways)}"],
            )
            return
        other = self.load(paths[0]) if paths else None
        self._bind_one(unit, there, here, span, other.names if other else {}, "the zoo")

    def _bind(self, unit: Unit, node: tree.Import, names: Mapping[str, Definition], where: str) -> None:
        for there, here, span in node.names:
            self._bind_one(unit, there, here, span, names, where)

    def _bind_one(
        self, unit: Unit, there: str, here: str, span: Span, names: Mapping[str, Definition], where: str
    ) -> None:
        if there not in names:
            near = did_you_mean(there, names)
            self.sink.add("E0004", f"{where} has no `{there}`", span, f"did you mean `{near}`?" if near else "")
            unit.missing.update([near] if near else [])  # it may be written right where it is applied
        elif here in unit.names:
            self.sink.add("E0103", f"`{here}` is defined twice in this file", span)
        else:
            unit.names[here] = names[there]


def read(path: Path) -> str:
    """The text of a file. Raises OSError, UnicodeDecodeError, or what a path raises that is none."""
    bad = unfit(path)
    if bad is not None:
        raise OSError(bad)
    return path.read_text(encoding="utf-8-sig")


def unfit(path: Path) -> str | None:
    """Why what a path leads to is no file, or None. To read a pipe or a device may take for ever."""
    if isdir(path):
        return "it is a folder"
    return "it is a pipe or a device, not a file" if exists(path) and not isfile(path) else None


def shipped() -> Path:
    """The folder of the specs that come with archdsl."""
    package = import_module("archdsl.specs").__file__
    assert package is not None
    return Path(package).parent


@cache
def _shipped_texts() -> tuple[tuple[Path, str], ...]:
    return tuple((path, path.read_text(encoding="utf-8")) for path in sorted(shipped().glob("*.arch")))


def shipped_with(name: str, kinds: str = "block|network") -> list[Path]:
    """The shipped specs that define a block or a network of this name."""
    defines = re.compile(rf"^(?:{kinds})\s+{re.escape(name)}\b", re.MULTILINE)
    return [path for path, text in _shipped_texts() if defines.search(text)]


def project_root(folder: Path) -> Path:
    """The nearest folder upwards that holds a repository or a pyproject.toml; the folder itself if none does."""
    folder = folder.resolve()
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in ROOT_MARKERS):
            return candidate
    return folder
