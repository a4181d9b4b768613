"""Specs with the mistakes that people make, each with all that the command line says of it.

The texts in `golden/broken` were read for four questions: what is wrong, where, why, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.compiler import Compilation
from archdsl.diagnostics.render import render

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.arch"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_what_is_said(path: Path, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    found = Compilation.from_path(path.name).diagnostics
    assert found
    golden("\n".join(f"{render(each)}\n" for each in found), f"broken/{path.stem}.txt")


def test_there_are_enough() -> None:
    assert len(BROKEN) >= 30
