"""`archdsl explain`: the page of a diagnostic's code."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence

import click

from archdsl.cli import complete, output
from archdsl.cli.output import Failure
from archdsl.diagnostics import CODES, did_you_mean
from archdsl.diagnostics.page import Block, Page, page

HELP = """Explain the codes that messages begin with.

What an error means and why it is one, a smallest example with its message, and the example mended. Without a code, all
codes are listed.

\b
Examples:
  archdsl explain E0310
  archdsl explain e0201 e0202              several, in small letters too
  archdsl explain                          the list
  archdsl explain E0310 --json             for programs; without a code, all pages
"""

TEXT_WIDTH = 100  # columns of a paragraph, at most
_INDENT = "    "
_CODE = re.compile(r"`[^`]+`")
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


@click.command("explain", help=HELP, short_help="Explain a message by its code.")
@click.argument("codes", metavar="[CODE…]", nargs=-1, shell_complete=complete.codes)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, whose form `schema` names.")
def command(codes: tuple[str, ...], as_json: bool) -> None:
    asked = list(dict.fromkeys(map(_known, codes)))
    if as_json:
        from archdsl.cli.explain_schema import report

        output.write(report([page(code) for code in asked or CODES]).to_json())
    elif asked:
        output.write("\n\n".join("\n".join(_lines(page(code))) for code in asked))
    else:
        output.write("\n".join(f"{code}  {title}" for code, title in CODES.items()))


def _known(text: str) -> str:
    """The code that is meant. Raises Failure."""
    code = text.upper()
    if code not in CODES:
        near = did_you_mean(code, CODES)
        hint = f"did you mean `{near}`?" if near else "`archdsl explain` lists all codes"
        raise Failure(f"no message has the code `{text}`; {hint}")
    return code


def _lines(page: Page) -> Iterator[str]:
    """A page as it is read in a terminal: paragraphs fitted to its width, specs and messages indented."""
    yield _heading(f"{page.code}: {page.title}")
    for section in page.sections:
        yield from ("", _heading(section.title))
        for part in section.parts:
            yield from ("", *(_block(part) if isinstance(part, Block) else _paragraph(part)))


def _heading(text: str) -> str:
    return f"{_BOLD}{text}{_RESET}" if output.coloured(sys.stdout) else text


def _block(block: Block) -> Iterator[str]:
    if "file" in block.options:
        yield f"{block.options['file']}:"
    yield from textwrap.indent(block.text, _INDENT).splitlines()


def _paragraph(text: str) -> Iterator[str]:
    """A paragraph, or a list, each item of which hangs behind its dash."""
    for item in text.split("\n- "):
        words = " ".join(item.removeprefix("- ").split())
        yield from _filled(words, *(("- ", "  ") if text.startswith("- ") else ("", "")))


def _filled(words: str, first: str, then: str) -> Sequence[str]:
    """The lines of a paragraph. Code in backticks is not broken: its spaces are none while lines are filled."""
    width = min(output.width(sys.stdout), TEXT_WIDTH)
    whole = _CODE.sub(lambda match: match[0].replace(" ", "\xa0"), words)
    lines = textwrap.wrap(
        whole, width, initial_indent=first, subsequent_indent=then, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\xa0", " ") for line in lines]
