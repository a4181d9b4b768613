"""Options that several commands share, and requests turned into networks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click

from archdsl.cli import output
from archdsl.cli.complete import networks, settings
from archdsl.cli.output import Failure
from archdsl.compiler import InternalError, SpecError, UsageError, parse_setting
from archdsl.diagnostics import Diagnostic, in_order

INTERNAL = 70  # the exit status after an internal error, as EX_SOFTWARE of sysexits.h
SOURCE_WIDTH = 120  # columns of a spec's line that a message shows, at most

network_option = click.option("--network", metavar="NAME", shell_complete=networks, help="One of the file's networks.")
set_option = click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    shell_complete=settings,
    help="A parameter of the network, such as classes=10 or depths=[3,4,6,3]. May be repeated.",
)


def parsed_settings(texts: Sequence[str]) -> dict[str, Any]:
    """The settings as names and values. Raises Failure."""
    settings: dict[str, Any] = {}
    for text in texts:
        try:
            name, value = parse_setting(text)
        except UsageError as error:
            raise Failure(str(error)) from None
        if name in settings:
            raise Failure(f"`{name}` is set twice")
        settings[name] = value
    return settings


MOST_ALIKE = 5  # findings of one file that say the same, shown one by one


def rendered(diagnostics: Sequence[Diagnostic], stream: TextIO) -> str:
    """Diagnostics as text for a stream, with an empty line between two. What says the same very often is cut short."""
    from archdsl.diagnostics.render import render  # a clean check pays nothing for it

    color, width = output.coloured(stream), min(output.width(stream), SOURCE_WIDTH)
    alike: dict[tuple[str, str, str], list[Diagnostic]] = {}
    for each in in_order(diagnostics):
        alike.setdefault((each.span.source.path, each.code, each.message), []).append(each)
    kept = [each for found in alike.values() for each in found[:MOST_ALIKE]]
    more = {id(found[MOST_ALIKE - 1]): found[MOST_ALIKE:] for found in alike.values() if len(found) > MOST_ALIKE}
    parts: list[str] = []
    for each in in_order(kept):
        parts.append(render(each, color=color, width=width))
        if rest := more.get(id(each)):
            parts.append(f"… and {len(rest):,} more of these, the last in line {rest[-1].span.line}")
    return "\n\n".join(parts)


def complain(diagnostics: Sequence[Diagnostic]) -> None:
    """Prints to standard error what is wrong with a spec that a result was asked of."""
    output.say_rendered(rendered(diagnostics, sys.stderr))


@contextmanager
def requests() -> Iterator[None]:
    """Ends the command where a spec has errors (status 1), does not have what was asked for (status 2), or archdsl has
    found itself at fault (status 70)."""
    try:
        yield
    except UsageError as error:
        raise Failure(str(error)) from None
    except SpecError as error:
        complain(error.diagnostics)
        raise click.exceptions.Exit(1) from None
    except InternalError as error:
        output.say(f"internal error: {error}")
        raise click.exceptions.Exit(INTERNAL) from None


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
