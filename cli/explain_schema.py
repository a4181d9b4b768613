"""The JSON that `explain` prints, versioned as that of `check` and `summary` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from archdsl.cli.schema import Model
from archdsl.diagnostics.page import MORE, SECTIONS, Example, Page

EXPLAIN_SCHEMA: Literal["archdsl.explain/1"] = "archdsl.explain/1"


class ExampleModel(Model):
    spec: str
    files: dict[str, str] = Field(description="beside the spec, by name: what it imports")
    message: str = Field(description="all that is said of the spec; nothing, if it has no errors")


class PageModel(Model):
    """`markdown` is the whole page, of which the other keys are parts."""

    code: str
    title: str
    meaning: str = Field(description="what it means and why it is an error; paragraphs in Markdown")
    example: ExampleModel
    mended: list[ExampleModel] = Field(description="the example without the error, in one way or several")
    more: list[ExampleModel] = Field(description="further examples")
    markdown: str


class ExplainReport(Model):
    schema_: Literal["archdsl.explain/1"] = Field(default=EXPLAIN_SCHEMA, alias="schema")
    pages: list[PageModel]


def report(pages: Sequence[Page]) -> ExplainReport:
    """What `explain --json` prints."""
    return ExplainReport(pages=list(map(_page, pages)))


def _page(page: Page) -> PageModel:
    _, example, mended = SECTIONS
    (first,) = _examples(page, example)
    return PageModel(
        code=page.code,
        title=page.title,
        meaning=page.meaning,
        example=first,
        mended=_examples(page, mended),
        more=_examples(page, MORE),
        markdown=page.markdown,
    )


def _examples(page: Page, section: str) -> list[ExampleModel]:
    return [_example(example) for example in page.examples if example.section == section]


def _example(example: Example) -> ExampleModel:
    files = {name: block.text for name, block in example.beside.items()}
    return ExampleModel(spec=example.spec, files=files, message=example.said)
