"""Specs as tests: what pytest finds under the entry point `archdsl`, and `-p no:archdsl` switches off.

Every .arch file gives a test for the shapes of each of its networks and one for each claim. A file that cannot be read
to its end, or defines no network, is one test. Wrong names of layers and
arguments in its blocks are another.

pytest imports this file whatever it is to run, so the compiler is imported only where there is a spec.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from archdsl.compiler import Compilation
    from archdsl.diagnostics import Diagnostic
    from archdsl.passes.load import Definition
    from archdsl.syntax import tree

_REPORTED = "archdsl"  # the attribute of a report that holds what a `_Rendered` is made of


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    """Hidden files are often an editor's own, and are taken only where they are named, as `archdsl check` does."""
    if file_path.suffix != ".arch" or (file_path.name[0] == "." and not parent.session.isinitpath(file_path)):
        return None
    return SpecFile.from_parent(parent, path=file_path)


class SpecFile(pytest.File):
    """A spec, read once. Its networks are checked when their tests run."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        from archdsl.compiler import Compilation

        compilation = Compilation.from_path(_shown(self.path))
        if compilation.sink.errors or not compilation.definitions:
            yield Loads.from_parent(self, name="loads", line=1, check=lambda: compilation.diagnostics)
            return
        if compilation.names():
            yield Loads.from_parent(self, name="names", line=1, check=compilation.names)
        for definition in compilation.definitions:
            name = definition.node.name
            yield NetworkTests.from_parent(self, name=name, compilation=compilation, definition=definition)


class NetworkTests(pytest.Collector):
    """The tests of one network."""

    def __init__(self, *, compilation: Compilation, definition: Definition, **others: Any) -> None:
        super().__init__(**others)
        self.compilation = compilation
        self.definition = definition

    def collect(self) -> Iterator[pytest.Item]:
        from archdsl.diagnostics.textwidth import printable
        from archdsl.passes.elaborate.network import claims

        line = self.definition.node.name_span.line
        yield Shapes.from_parent(self, name="shapes", line=line, check=lambda: self.shapes)
        names: dict[str, int] = {}
        for claim in claims(self.definition):
            name = printable(" ".join(claim.span.text.split()))
            names[name] = again = names.get(name, 0) + 1
            name += f" ({again})" if again > 1 else ""
            yield Claim.from_parent(self, name=name, line=claim.span.line, check=self._check_of(claim))

    @property
    def shapes(self) -> list[Diagnostic]:
        return self.compilation.shapes(self.definition)

    @cached_property
    def claims(self) -> list[Diagnostic]:
        return self.compilation.claims(self.definition)

    def _check_of(self, claim: tree.Expect) -> Callable[[], list[Diagnostic]]:
        """What there is to say of one claim. Raises NotChecked if the network has no shapes to hold it against."""

        def check() -> list[Diagnostic]:
            from archdsl.compiler import errors_of

            if errors_of(self.shapes):
                raise NotChecked(f"not checked: the shapes of `{self.name}` have errors")
            start, end = claim.span.start, claim.span.end
            return [each for each in self.claims if start <= each.span.start and each.span.end <= end]

        return check


class NotChecked(Exception):
    """Another test of the network says why. The claim fails all the same: it may be all that was asked to run."""


class SpecTest(pytest.Item):
    """One thing that is tested of a spec. `check` gives what there is to say of it, and `line` is where it stands."""

    def __init__(self, *, line: int, check: Callable[[], list[Diagnostic]], **others: Any) -> None:
        super().__init__(**others)
        self.line = line
        self.check = check

    def runtest(self) -> None:
        """Raises SpecError with the errors."""
        from archdsl.compiler import SpecError, errors_of

        if errors := errors_of(self.check()):
            raise SpecError(errors)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, self.nodeid.partition("::")[2]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message alone; the traceback is that of the checker. A fault of the checker keeps its own."""
        told = self.told(excinfo.value)
        return super().repr_failure(excinfo, style) if told is None else told.plain

    def told(self, error: BaseException) -> _Rendered | None:
        from archdsl.compiler import SpecError
        from archdsl.diagnostics.render import render

        if isinstance(error, NotChecked):
            return _Rendered(str(error), str(error), str(error))
        if not isinstance(error, SpecError):
            return None
        plain, coloured = ("\n\n".join(render(e, color=color) for e in error.diagnostics) for color in (False, True))
        return _Rendered(plain, coloured, plain.split("\n", 1)[0])


class Loads(SpecTest):
    """That a file can be read, with what it imports, and that its blocks name layers and arguments that exist."""


class Shapes(SpecTest):
    """That the shapes of a network fit."""


class Claim(SpecTest):
    """That an `expect` holds."""


@dataclass(frozen=True)
class _Crash:
    """What pytest prints of a failure in one line: in its summary, under `--tb=line` and as the message in XML."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class _Rendered:
    """A failure as pytest shows it: in colour if its terminal has colour, and plain in files."""

    plain: str
    coloured: str
    message: str

    @property
    def reprcrash(self) -> _Crash:
        return _Crash(self.message)

    def toterminal(self, tw: Any) -> None:
        tw.line(self.coloured if tw.hasmarkup else self.plain)

    def __str__(self) -> str:
        return self.plain


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leaves with the report what it takes to show it: under xdist another process does that, and gets plain data."""
    report = yield
    if isinstance(item, SpecTest) and call.excinfo is not None and (told := item.told(call.excinfo.value)):
        vars(report)[_REPORTED] = vars(told)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    told = vars(report).get(_REPORTED)
    if told is not None:
        shown: Any = _Rendered(**told)
        report.longrepr = shown


def _shown(path: Path) -> Path:
    """A file as the command line would be told of it."""
    folder = Path.cwd()
    return path.relative_to(folder) if path.is_relative_to(folder) else path
