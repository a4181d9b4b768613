"""ARCHITECTURE.md speaks of the code as it is: what it names exists, and no package is missing from its map."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^### (?P<title>.+)\n(?P<text>(?:(?!^##).*\n)*)", re.MULTILINE)
_PATH = re.compile(r"(?<!\w)[\w./]+(?:\.(?:py|md|lark|arch)|/)$")
_PACKAGES = ("archdsl", "cli", "grammars", "specs")


def _paths(text: str) -> list[str]:
    """What stands in backticks, or behind a link, and looks like a file or a folder."""
    quoted = re.findall(r"`([^`\n]+)`|\]\(([^)#]+)\)", text)
    return [path for pair in quoted for path in pair if _PATH.fullmatch(path)]


def _sections() -> list[tuple[list[Path], str]]:
    """The sections of the code map: the folders that a title names, and the text."""
    return [([ROOT / path for path in _paths(m["title"])], m["text"]) for m in _SECTION.finditer(TEXT)]


def _found(path: str, folders: list[Path]) -> bool:
    return (ROOT / path).exists() or any(next(folder.rglob(path), None) for folder in folders)


@pytest.mark.parametrize("path", sorted(set(_paths(_SECTION.sub("", TEXT)))))
def test_a_path_outside_the_map_is_written_out_and_exists(path: str) -> None:
    assert (ROOT / path).exists() or any(ROOT.joinpath("archdsl").rglob(path)), path


def test_what_the_map_names_exists() -> None:
    for folders, text in _sections():
        assert folders
        assert all(folder.exists() for folder in folders)
        lost = [path for path in _paths(text) if not _found(path, folders)]
        assert not lost, f"not in {' or '.join(str(f.relative_to(ROOT)) for f in folders)}: {lost}"


def test_every_package_is_on_the_map() -> None:
    mapped = {folder / path for folders, text in _sections() for folder in folders for path in _paths(text)}
    mapped |= {folder for folders, _ in _sections() for folder in folders}
    packages = {init.parent for name in _PACKAGES for init in (ROOT / name).rglob("__init__.py")}
    assert packages - mapped == {ROOT / "archdsl"}


def test_each_invariant_names_a_test() -> None:
    invariants = re.split(r"^## ", TEXT.split("## Invariants\n")[1], flags=re.MULTILINE)[0]
    entries = re.split(r"^- ", invariants, flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        tests = re.findall(r"`(tests/[\w/]+\.py)`", entry)
        assert tests, entry
        assert all((ROOT / test).is_file() for test in tests), entry
