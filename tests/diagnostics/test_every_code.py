"""What the compiler says of every mistake, to the letter, and that no code is without a case."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mistakes import FILES, MISTAKES

import archdsl
from archdsl.compiler import Compilation
from archdsl.diagnostics import CODES
from archdsl.diagnostics.render import render

SOURCES = Path(archdsl.__file__).parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, which is the current one, so that no message depends on where the tests run."""
    (tmp_path / "pyproject.toml").touch()
    for name, content in FILES.items():
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", MISTAKES)
def test_message(case: str, folder: Path, golden: Callable[[str, str], None]) -> None:
    """One mistake is told once, under its code."""
    Path("net.arch").write_text(MISTAKES[case], encoding="utf-8")
    found = Compilation.from_path("net.arch").diagnostics
    assert [each.code for each in found] == [case[:5]]
    golden(render(found[0]) + "\n", f"diagnostics/{case}.txt")


def test_a_file_that_is_not_there(folder: Path, golden: Callable[[str, str], None]) -> None:
    found = Compilation.from_path("nowhere.arch").diagnostics
    golden("".join(render(each) + "\n" for each in found), "diagnostics/E0001-no-file.txt")


def test_every_code_has_a_case() -> None:
    assert {case[:5] for case in MISTAKES} == set(CODES)


def test_every_code_in_the_source_is_declared_and_the_other_way_round() -> None:
    declared = SOURCES / "diagnostics" / "codes.py"
    used: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        if path != declared:
            used.update(re.findall(r'"([EW]\d{4})"', path.read_text(encoding="utf-8")))
    assert used == set(CODES)


def test_codes_are_sorted_and_described() -> None:
    assert list(CODES) == sorted(CODES)
    assert all(re.fullmatch(r"[a-z].*[a-z]", text, re.IGNORECASE) for text in CODES.values())
