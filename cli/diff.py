"""`archdsl diff`: what sets two networks apart."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import click

from archdsl.cli import output
from archdsl.cli.complete import sides
from archdsl.cli.options import parsed_settings, requests, set_option
from archdsl.cli.output import Failure
from archdsl.cli.sides import Side, opened
from archdsl.compare import Difference, compare
from archdsl.diagnostics.textwidth import printable

HELP = """Compare two networks layer by layer.

BEFORE and AFTER are specs, written PATH, PATH:NETWORK or REVISION:PATH, where REVISION is one of Git's and PATH then
starts at the top of the repository, as in `git show`; imports are those of that revision. Without names, the networks
that both files have are compared, or if there are none the first of each.

Modules are matched by name, and where names differ by what they do. Compared are layers with all their arguments,
initial weights, devices and what they read; inputs, outputs and accepted sizes; and what all of it costs at the typical
input sizes. Comments and claims are not.

The exit status is 0 whether or not the networks differ; with --exit-code it is 1 if they do.

\b
Examples:
  archdsl diff specs/googlenet_2014.arch specs/googlenet.arch
  archdsl diff specs/vgg16.arch:VGG16 specs/vgg16.arch:VGG16BN
  archdsl diff specs/resnet50.arch specs/resnet101.arch --format markdown    for a pull request
"""

FORMATS = ("text", "markdown", "json")


@dataclass(frozen=True)
class Compared:
    """Two networks and what sets them apart. A side is shown as its user would ask for it."""

    before: str
    after: str
    difference: Difference


@click.command("diff", help=HELP, short_help="Compare two networks layer by layer.")
@click.argument("before", shell_complete=sides)
@click.argument("after", shell_complete=sides)
@set_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="The form of the output.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json, whose form `schema` names.")
@click.option("--exit-code", is_flag=True, help="End with status 1 if the networks differ.")
def command(before: str, after: str, settings: tuple[str, ...], form: str, as_json: bool, exit_code: bool) -> None:
    if as_json and form == "markdown":
        raise Failure("say either --json or --format markdown")
    given = parsed_settings(settings)
    if before == after == "-":
        raise Failure("standard input can be one side only")
    with requests(), ExitStack() as stack:
        old, new = (stack.enter_context(opened(text)) for text in (before, after))
        compared = []
        pairs = _names(old, new)
        for one, other in pairs:
            networks = (old.compilation.network(one, **given), new.compilation.network(other, **given))
            compared.append(Compared(f"{old.path}:{one}", f"{new.path}:{other}", compare(*networks)))
        alone = _alone(old, new, pairs)
    _print(compared, alone, "json" if as_json else form)
    if exit_code and (any(alone) or not all(each.difference.equal for each in compared)):
        raise click.exceptions.Exit(1)


def _alone(old: Side, new: Side, pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The networks of each side that are compared with none, where none was asked for by its name."""
    if old.network is not None or new.network is not None:
        return [], []
    sides = zip((old, new), zip(*pairs, strict=True), strict=True)
    removed, added = (
        [f"{side.path}:{each.node.name}" for each in side.compilation.definitions if each.node.name not in taken]
        for side, taken in sides
    )
    return removed, added


def _names(old: Side, new: Side) -> list[tuple[str, str]]:
    """Which networks are compared with which. Raises UsageError or SpecError."""
    for side in (old, new):
        side.compilation.network(side.network)
    names = [[each.node.name for each in side.compilation.definitions] for side in (old, new)]
    if old.network is None and new.network is None:
        both = [(name, name) for name in names[0] if name in names[1]]
        return both or [(names[0][0], names[1][0])]
    return [(old.network or names[0][0], new.network or names[1][0])]


def _print(compared: Sequence[Compared], alone: tuple[list[str], list[str]], form: str) -> None:
    if form == "json":
        from archdsl.cli.diff_schema import report

        output.write(report(compared, *alone).to_json())
        return
    from archdsl.cli import diff_text

    lines = diff_text.markdown if form == "markdown" else diff_text.text
    for i, each in enumerate(compared):
        for line in [""] * bool(i) + list(lines(each, output.coloured(sys.stdout))):
            output.write(line)
    for names, side in zip(alone, ("before", "after"), strict=True):
        if names:
            output.write(f"\n{printable(f'Only {side}: ' + ', '.join(names))}")
