"""What any emitted file is as a text: formatted, typed, importing nothing but torch, the same each time.

Read are the golden files, which `test_golden.py` holds to the letter against what is emitted.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from emitted import NETWORKS, compilation, networks, text

# What `.ci/types` leaves: torch's types are read once, not by every run.
MYPY_CACHE = Path(__file__).parents[2] / ".mypy_cache" / "whole"

STANDARD = {"collections", "collections.abc", "math", "typing"}


GOLDEN = Path(__file__).parents[1] / "golden" / "emit"


def golden_text(name: str) -> str:
    return (GOLDEN / f"{name}.py.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every emitted file, each under a module's name."""
    found = tmp_path_factory.mktemp("emitted")
    for name in NETWORKS:
        (found / f"{name.replace('.', '_').lower()}.py").write_text(golden_text(name), encoding="utf-8")
    return found


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("width", [88, 100, 120])
def test_formatted(folder: Path, width: int) -> None:
    """The layout is ruff's own, whatever the line length of the project that it goes into."""
    run("ruff", "format", "--check", "--isolated", f"--line-length={width}", str(folder))


def test_linted(folder: Path) -> None:
    """No unused import, no undefined name, imports in order; long lines are the author's docs."""
    run(
        "ruff",
        "check",
        "--isolated",
        "--select=E4,E7,E9,F,I,UP,B,C4,PIE",
        "--ignore=B905,UP007",
        "--no-cache",
        str(folder),
    )


def test_typed(folder: Path) -> None:
    """Under mypy's strict rules, each file on its own."""
    run("mypy", "--strict", "--config-file=", f"--cache-dir={MYPY_CACHE}", *map(str, sorted(folder.glob("*.py"))))


@pytest.mark.parametrize("name", NETWORKS)
def test_imports_only_torch(name: str) -> None:
    for node in ast.walk(ast.parse(golden_text(name))):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] in {"torch", *STANDARD} for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module == "torch" or node.module in STANDARD


@pytest.mark.parametrize("name", [name for name in NETWORKS if "." in name])
def test_the_same_each_time(name: str) -> None:
    """From a second compilation in one process; the golden files are for processes with any hash seed."""
    path, network = networks()[name]
    assert type(compilation(path)).from_path(path).compile(network) == text(name)
