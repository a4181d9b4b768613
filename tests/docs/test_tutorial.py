"""The tutorial runs: docs/tutorial.md is read from top to bottom, and what it shows is what comes out, to the letter.

Blocks are marked as in the manual of the language, see `test_language.py`, and run in order in one folder:

    ```arch file=NAME               writes the file
    ```sh                           is run; ```text output after it has what it prints, complaints included
    ```sh setup                     is not run: the README's way of setting up, with other extras
    ```python                       is run, all in one session; ```text output has what it prints
    ```python part=FILE from="…"    a class of a file, from the line that starts so

`pytest --update-golden` writes the outputs and the parts.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(?P<info>[^\n]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r'(\w+)=(?:"([^"]*)"|(\S+))')


class Session:
    """The reader's folder, shell and Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {}

    def truth(self, info: str, body: str, said: str) -> tuple[str, str]:
        """What a block has to hold, and what is printed by it; `said` is what the block before it printed."""
        options = {name: quoted or bare for name, quoted, bare in OPTION.findall(info)}
        kind = OPTION.sub("", info).strip()
        if kind == "text output":
            return said, ""
        assert said == "", f"what is printed before this is not shown: {said}"
        if kind == "arch":
            (self.folder / options["file"]).write_text(body, encoding="utf-8")
        elif kind == "sh":
            return body, self.shell(body)
        elif kind == "python" and "part" in options:
            return part((self.folder / options["part"]).read_text(encoding="utf-8"), options["from"]), ""
        elif kind == "python":
            return body, self.python(body)
        else:
            assert kind == "sh setup", info
        return body, ""

    def shell(self, lines: str) -> str:
        env = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
        env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
        done = subprocess.run(
            ["bash", "-c", lines],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=env,
            check=False,
        )
        told = re.sub(r"^Fontconfig .*\n", "", done.stdout, flags=re.MULTILINE)  # Graphviz, of this machine's fonts
        assert "Traceback" not in told
        assert done.returncode == ("error[" in told), (lines, told)
        return told

    def python(self, code: str) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, PAGE.name, "exec"), self.names)
        return printed.getvalue()


def part(text: str, start: str) -> str:
    """The lines of a class, from the one that starts so."""
    found = re.search(rf"^{re.escape(start)}.*\n(?:[ \t].*\n|\n(?=[ \t]))*", text, re.MULTILINE)
    assert found is not None, start
    return found[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_it_does_what_it_shows(folder: Path, request: pytest.FixtureRequest) -> None:
    session, said = Session(folder), ""
    renew = request.config.getoption("--update-golden")

    def checked(match: re.Match[str]) -> str:
        nonlocal said
        body, said = session.truth(match["info"], match["body"], said)
        assert renew or body == match["body"], (
            f"line {PAGE.read_text(encoding='utf-8').count(chr(10), 0, match.start())}"
        )
        return f"```{match['info']}\n{body}```"

    renewed = BLOCK.sub(checked, PAGE.read_text(encoding="utf-8"))
    assert said == ""
    if renew:
        PAGE.write_text(renewed, encoding="utf-8")
    assert (folder / "shapes.svg").is_file()
    sys.modules.pop("shapes")


def test_its_setup_is_that_of_the_readme() -> None:
    (setup,) = [
        match["body"].splitlines() for match in BLOCK.finditer(PAGE.read_text("utf-8")) if "setup" in match["info"]
    ]
    readme = re.findall(r"<!-- setup: \w+ -->\n```sh\n(.*)\n(.*)\n", (ROOT / "README.md").read_text("utf-8"))
    extras = re.compile(r" -e '?\.(?:\[([\w,]+)\])?'?")
    assert {(make, extras.sub("", install)) for make, install in readme} == {(setup[0], extras.sub("", setup[1]))}
    found = extras.search(setup[1])
    assert found is not None
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(found[1].split(",")) <= set(declared)


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", PAGE.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
