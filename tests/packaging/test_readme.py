"""The README does what it shows: its commands run, its output is their output to the letter.

A comment before a block of code says what the block is. `pytest --update-golden` writes the outputs anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.cli.app import COMMANDS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^<!-- (?P<what>.+?) -->\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """What each block is, and its text."""
    return [(match["what"], match["text"]) for match in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def block(what: str) -> str:
    (found,) = [text for each, text in blocks() if each == what]
    return found


def archdsl(line: str, folder: Path) -> str:
    """What a command line prints, run in `folder`. Only `check` may find errors; no other command may fail."""
    program, *args = shlex.split(line, comments=True)
    assert program == "archdsl"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "archdsl", *args],
        capture_output=True,
        text=True,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "COLUMNS"},
        check=False,
    )
    assert done.returncode in ((0, 1) if args[0] == "check" else (0,)), done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def part(text: str, start: str) -> str:
    """The lines of a text from the one that starts so to the end of that block or class."""
    lines = text.splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if line.startswith(start))
    size = next((i for i, line in enumerate(lines[first + 1 :], 1) if line.strip() and line[0] not in " \t})"), None)
    return "".join(lines[first : first + size if size else None]).rstrip() + "\n"


def run_python(code: str) -> str:
    """What a block of Python prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "__readme__"})
    return printed.getvalue()


def truth(what: str, folder: Path) -> str | None:
    """What a block must say; None for one that is not an output."""
    kind, _, rest = what.partition(": ")
    if kind.startswith("part of the file "):
        return part((ROOT / kind.split()[4].rstrip(",")).read_text(encoding="utf-8"), rest)
    if kind == "part of":
        line, _, start = rest.partition(", from: ")
        return part(archdsl(line, folder), start)
    if kind == "output of":
        return archdsl(rest, folder)
    if kind == "what it prints":
        return run_python(block(what.replace(kind, "Python")))
    return None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the README's reader stands, as far as the examples can tell; what they write does not stay."""
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    for what, text in blocks():
        if what.startswith("the file "):
            (tmp_path / what.removeprefix("the file ")).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_it_shows_is_what_comes_out(folder: Path, request: pytest.FixtureRequest) -> None:
    outputs = {what: truth(what, folder) for what, _ in blocks()}
    assert sum(text is not None for text in outputs.values()) >= 5

    def renewed(match: re.Match[str]) -> str:
        text = outputs[match["what"]]
        start, end = (place - match.start() for place in match.span("text"))
        return match[0] if text is None else match[0][:start] + text + match[0][end:]

    written = README.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        README.write_text(BLOCK.sub(renewed, written), encoding="utf-8")
        return
    for what, text in blocks():
        if outputs[what] is not None:
            assert text == outputs[what], what


def test_its_commands_run(folder: Path) -> None:
    lines = block("commands").splitlines()
    assert {line.split()[1] for line in lines} == set(COMMANDS) - {"completion"}  # which has a block of its own
    for line in lines:
        archdsl(line, folder)
    assert (folder / "resnet50.py").is_file()


def test_completion_is_switched_on_as_it_says() -> None:
    """The line for bash in a real one; those for other shells print what `archdsl completion` prints for them."""
    lines = [line.partition("#")[0].strip() for line in block("completion").splitlines()]
    assert [re.findall(r"archdsl completion (\w+)", line) for line in lines] == [["bash"], ["zsh"], ["fish"]]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{lines[0]}; complete -p archdsl"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
        check=True,
    )
    assert (done.stdout, done.stderr) == ("complete -F _archdsl_completion archdsl\n", "")


def test_every_block_of_code_is_checked() -> None:
    """A block without a comment before it would not be run by anything."""
    fences = re.findall(r"^```", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * len(blocks())


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def commands(what: str) -> Iterator[list[str]]:
    yield from (shlex.split(line) for line in block(what).splitlines())


def test_its_setup_stands_alone_and_is_what_ci_runs(folder: Path) -> None:
    """Both start from a fresh clone: an environment, an installation, the command. CI runs the second as it is."""
    for what, last in (("setup: compile", "archdsl"), ("setup: tests", "pytest")):
        make, install, run = commands(what)
        assert make == ["python3", "-m", "venv", ".venv"]
        assert install[:3] == [".venv/bin/pip", "install", "-e"]
        assert run[0] == f".venv/bin/{last}"
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "'/^<!-- setup: tests -->$/,/^```$/p' README.md" in script
    assert 'eval "$tests"' in script
    archdsl(block("setup: compile").splitlines()[-1].removeprefix(".venv/bin/"), folder)
    assert (folder / "googlenet.py").is_file()
