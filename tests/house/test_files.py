"""What every file of the project keeps to."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from code_files import ROOT, files, python_files

CODE = ("archdsl", "cli", "grammars", "specs", "tests", "benchmarks")
TEXT = [
    path for path in files() if path.suffix in {".py", ".md", ".toml", ".arch", ".lark", ".yaml", ".yml", ".txt", ""}
]
MOST_LINES = 500


def places(pattern: str, paths: list[Path]) -> list[str]:
    """`file:line: text` of every match."""
    compiled = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if compiled.search(line)
    ]


def test_there_are_files() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in files()}
    assert {"README.md", "pyproject.toml", "archdsl/compiler.py", "cli/app.py", "grammars/arch.lark"} <= names


def test_no_file_is_long() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in python_files(*CODE) if (n := len(p.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


def test_no_path_of_a_machine() -> None:
    assert places(r"(?<![\w.])/(work|tmp|home|root|Users)/\w", TEXT) == []


def test_nothing_is_left_for_later() -> None:
    assert places(r"\b(TODO|FIXME|XXX|HACK)\b", TEXT) == []


def test_no_test_is_skipped() -> None:
    assert (
        places(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|skipif|xfail)|unittest\.skip", python_files("tests"))
        == []
    )


@pytest.mark.parametrize("mark", [r"#\s*noqa", r"#\s*type:\s*ignore", r"#\s*pragma"])
def test_whoever_silences_a_tool_says_why(mark: str) -> None:
    """`# noqa: CODE  # the reason`."""
    wrong = [
        line
        for line in places(mark, python_files(*CODE))
        if not re.search(mark + r"(: ?|\[)[\w, \-]+\]?\s+# \S+", line)
    ]
    assert wrong == []


def test_every_ignored_lint_rule_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)["tool"]["ruff"]["lint"]
    for rule in (
        *settings.get("ignore", ()),
        *(r for rules in settings.get("per-file-ignores", {}).values() for r in rules),
    ):
        assert re.search(rf'"{rule}".*# \S+', text), rule


def test_no_error_is_caught_unseen() -> None:
    """`except Exception` hides faults; `except BaseException` may only clean up and raise again."""
    wrong = []
    for path in python_files("archdsl", "cli"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = "BaseException" if node.type is None else ast.unparse(node.type)
            again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if "BaseException" in caught and again:
                continue
            if re.search(r"\b(Exception|BaseException)\b", caught):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_no_test_imports_from_a_conftest() -> None:
    """There are several of them, and which one answers to the name depends on what else runs."""
    assert places(r"^\s*(from|import) conftest\b", python_files("tests")) == []


def test_test_files_have_names_of_their_own() -> None:
    """pytest imports them by their base name."""
    names = [path.name for path in python_files("tests") if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))
