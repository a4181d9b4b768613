"""The page of every code: it is there, it is whole, and its examples say what it shows.

`pytest --update-golden` writes the messages anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from archdsl.compiler import Compilation
from archdsl.diagnostics import CODES
from archdsl.diagnostics.page import MORE, SECTIONS, Block, Example, Page, page
from archdsl.diagnostics.render import render

FOLDER = Path(str(files("archdsl.diagnostics").joinpath("pages")))
INDEX = Path(__file__).parents[2] / "docs" / "errors.md"


@dataclass(frozen=True)
class Found:
    """What is said of an example now."""

    codes: list[str]
    text: str


def check(example: Example, folder: Path) -> Found:
    """Checks an example in a folder that is a project of its own, so that no message depends on where tests run."""
    (folder / "pyproject.toml").touch()
    for name, block in example.beside.items():
        (folder / name).write_text(block.text, encoding=block.options.get("encoding", "utf-8"))
    (folder / "net.arch").write_text(example.spec, encoding="utf-8")
    found = Compilation.from_path("net.arch").diagnostics
    return Found([each.code for each in found], "\n\n".join(map(render, found)) + "\n" if found else "")


def test_every_code_has_one_page_and_every_page_a_code() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"{code}.md" for code in sorted(CODES)]


@pytest.mark.parametrize("code", CODES)
def test_a_page_is_whole(code: str) -> None:
    found = page(code)
    assert found.markdown.startswith(f"# {code}: {CODES[code]}\n\n## ")
    assert tuple(section.title for section in found.sections) in (SECTIONS, (*SECTIONS, MORE))
    assert all(section.parts for section in found.sections)
    assert len(found.meaning.split(". ")) > 1
    assert all(block.kind in ("arch", "text") for block in blocks(found))
    by_section = {title: [each for each in found.examples if each.section == title] for title in (*SECTIONS, MORE)}
    meaning, example, mended, more = (by_section[title] for title in (*SECTIONS, MORE))
    assert meaning == []
    assert len(example) == 1 and example[0].said
    assert mended and not any(each.said for each in mended)
    assert all(each.spec and each.spec.endswith("\n") for each in (*example, *mended, *more))


def blocks(found: Page) -> list[Block]:
    return [part for section in found.sections for part in section.parts if isinstance(part, Block)]


@pytest.mark.parametrize("code", CODES)
def test_what_it_shows_is_what_is_said(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    for example in page(code).examples:
        found = check(example, tmp_path)
        assert set(found.codes) == ({code} if example.said else set()), found.text
        if request.config.getoption("--update-golden"):
            renew(FOLDER / f"{code}.md", example, found.text)
        else:
            assert example.said == found.text


def renew(path: Path, example: Example, text: str) -> None:
    """Writes the message that stands after an example's spec."""
    markdown = path.read_text(encoding="utf-8")
    shown = f"{example.spec}```\n\n```text\n{example.said}```"
    assert not example.said or markdown.count(shown) == 1
    path.write_text(markdown.replace(shown, f"{example.spec}```\n\n```text\n{text}```"), encoding="utf-8", newline="")


def test_every_message_stands_after_a_spec() -> None:
    for code in CODES:
        said = [block.text for block in blocks(page(code)) if block.kind == "text"]
        assert said == [example.said for example in page(code).examples if example.said], code


def test_a_code_that_is_none_has_no_page() -> None:
    with pytest.raises(KeyError):
        page("E9999")


GROUPS = {
    "E00": "Files and syntax",
    "E01": "Names",
    "E02": "Arguments and expressions",
    "E03": "Shapes and sizes",
    "E04": "Claims",
    "E05": "Structure and limits",
    "E06": "What is not there yet",
    "W": "Warnings",
}


def index() -> str:
    """The tables of docs/errors.md: a heading for each hundred, and a link from each code to its page."""
    lines = []
    for prefix, heading in GROUPS.items():
        lines += ["", f"## {heading}", "", "| code | |", "|---|---|"]
        lines += [
            f"| [{code}](../archdsl/diagnostics/pages/{code}.md) | {title} |"
            for code, title in CODES.items()
            if code.startswith(prefix)
        ]
    return "\n".join(lines) + "\n\n"


def test_the_index_has_every_page(request: pytest.FixtureRequest) -> None:
    text = INDEX.read_text(encoding="utf-8")
    begin, end = "<!-- codes -->\n", "<!-- /codes -->"
    stated = text[text.index(begin) + len(begin) : text.index(end)]
    if request.config.getoption("--update-golden"):
        INDEX.write_text(text.replace(begin + stated + end, begin + index() + end), encoding="utf-8", newline="")
        return
    assert stated == index()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert sorted((INDEX.parent / link).resolve() for link in links) == sorted(FOLDER.iterdir())
