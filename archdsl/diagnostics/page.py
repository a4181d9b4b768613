"""The page that explains a code, and its parts.

Input: a code of `CODES`. Output: a `Page`, read from the Markdown file `pages/<code>.md`. A page has the sections of
`SECTIONS`, in their order, and may end with one of `MORE`. A fenced block is one of three:

    ```arch             a spec, `net.arch`; if a message follows at once, it has errors, and if none does it has none
    ```arch file=NAME   a file beside the specs that follow; `encoding=NAME` if it is not in UTF-8
    ```text             all that is said of the spec before it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from archdsl.diagnostics.codes import CODES

SECTIONS = ("What it means", "Example", "The way out")
MORE = "Other cases"

_FENCE = re.compile(r"^```(?P<info>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block. Its kind is `arch` or `text`; its text ends with a newline."""

    kind: str
    options: dict[str, str]
    text: str


@dataclass(frozen=True)
class Section:
    """A heading, and the paragraphs and blocks below it in their order. A list is one paragraph."""

    title: str
    parts: list[str | Block] = field(default_factory=list)


@dataclass(frozen=True)
class Example:
    """A spec, the files beside it by their names, and all that is said of it: nothing, if it has no errors."""

    section: str
    spec: str
    beside: dict[str, Block]
    said: str


@dataclass(frozen=True)
class Page:
    """`markdown` is the whole of it, `title` what `CODES` calls the code."""

    code: str
    title: str
    sections: list[Section]
    markdown: str

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(str(_file(self.code)))

    @property
    def meaning(self) -> str:
        """The first section's paragraphs."""
        return "\n\n".join(part for part in self.sections[0].parts if isinstance(part, str))

    @property
    def examples(self) -> list[Example]:
        """Every spec of the page. A file beside stays until another of its name takes its place."""
        found = []
        beside: dict[str, Block] = {}
        for section in self.sections:
            for part, after in zip(section.parts, [*section.parts[1:], ""], strict=True):
                if not isinstance(part, Block) or part.kind != "arch":
                    continue
                if "file" in part.options:
                    beside[part.options["file"]] = part
                    continue
                said = after.text if isinstance(after, Block) and after.kind == "text" else ""
                found.append(Example(section.title, part.text, dict(beside), said))
        return found


def page(code: str) -> Page:
    """The page of a code, read now. Raises KeyError for what is no code."""
    title = CODES[code]
    markdown = _file(code).read_text(encoding="utf-8")
    sections: list[Section] = []
    for part in _parts(markdown.removeprefix(f"# {code}: {title}\n")):
        if isinstance(part, str) and part.startswith("## "):
            sections.append(Section(part.removeprefix("## ")))
        else:
            sections[-1].parts.append(part)
    return Page(code, title, sections, markdown)


def _file(code: str) -> Traversable:
    return files("archdsl.diagnostics").joinpath("pages", f"{code}.md")


def _parts(text: str) -> Iterator[str | Block]:
    """Paragraphs (headings are such) and blocks, in their order."""
    start = 0
    for match in _FENCE.finditer(text):
        yield from _paragraphs(text[start : match.start()])
        kind, *options = match["info"].split()
        yield Block(kind, dict(option.split("=", 1) for option in options), match["text"])
        start = match.end()
    yield from _paragraphs(text[start:])


def _paragraphs(text: str) -> list[str]:
    return [paragraph.strip("\n") for paragraph in text.split("\n\n") if paragraph.strip()]
