"""`docs/adding-a-layer.md`, followed to the letter in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-layer.md").read_text(encoding="utf-8")
COPIED = ("archdsl", "cli", "grammars", "specs", "tests/layers", "tests/conftest.py", "pyproject.toml")
INSIDE = ("cli", "grammars", "specs")  # packages of archdsl that stand beside it in the project


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


COMMANDS = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the page's one file in it, and the page's spec."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for name in INSIDE:
        shutil.copytree(folder / name, folder / "archdsl" / name)
    (path,) = re.findall(r"^Write `(.*)`:$", PAGE, re.MULTILINE)
    assert not (folder / path).exists()
    (folder / path).write_text(blocks("python")[0], encoding="utf-8")
    (folder / "sparse.arch").write_text(blocks("arch")[0], encoding="utf-8")
    return folder


def run(command: str, folder: Path) -> str:
    """What a command of the page prints, in the copy; it has to succeed."""
    program, *arguments = command.split()
    words = {"python": [sys.executable], "archdsl": [sys.executable, "-m", "archdsl"]}[program]
    done = subprocess.run(
        [*words, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_contract(project: Path) -> None:
    """Both examples pass each of its tests, and the tests of the layer as a whole."""
    printed = run(COMMANDS[0] + " -p no:cacheprovider", project)
    passed = re.search(r"(\d+) passed, \d+ deselected", printed)
    assert passed is not None and int(passed[1]) >= 10


def test_the_spec(project: Path) -> None:
    """The commands of the page make a module whose activation is PyTorch's."""
    for command in COMMANDS[1:]:
        run(command, project)
    names: dict[str, object] = {"__name__": "sparse"}
    exec((project / "sparse.py").read_text(encoding="utf-8"), names)
    net = names["Sparse"]()  # type: ignore[operator]  # a class of the emitted file
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(net(x), nn.Hardshrink(0.1)(net.conv(x)))


def test_the_file_keeps_the_house_rules(project: Path) -> None:
    (path,) = re.findall(r"^Write `(.*)`:$", PAGE, re.MULTILINE)
    run(f"python -m ruff check {path}", project)
    run(f"python -m ruff format --check {path}", project)


def test_what_the_page_links_to_is_there() -> None:
    links = re.findall(r"\]\(\.\./(.*?)\)", PAGE)
    assert len(links) >= 9
    assert [link for link in links if not (ROOT / link).is_file()] == []
