"""`archdsl layers`: the reference of layers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archdsl.cli import complete, output
from archdsl.cli.output import Failure
from archdsl.diagnostics.suggest import did_you_mean
from archdsl.layers import registry
from archdsl.layers.initialisers import INITIALISERS

if TYPE_CHECKING:  # the reference brings the whole checker along, for which names that are completed have no time
    from archdsl.reference import Entry, ShippedBlock

HELP = """Show the layers of the language.

Without names all are listed, by family. With names, each is shown in full: its arguments, the shapes that it takes and
gives, the PyTorch that it becomes, its weights and examples. What is said of shapes and weights is what the checker
makes of the examples, with a symbol for each size that may be any.

A name may also be that of an initialiser, or of a block or network that comes with archdsl.

\b
Examples:
  archdsl layers
  archdsl layers conv batchnorm
  archdsl layers --family pool
  archdsl layers bottleneck                    a block that comes with archdsl
  archdsl layers --initialisers                what `init` statements may name
  archdsl layers --format markdown             as docs/layers.md is made
"""

FORMATS = ("text", "markdown", "json")


@click.command("layers", help=HELP, short_help="Show the layers of the language.")
@click.argument("names", metavar="[NAME]…", nargs=-1, shell_complete=complete.layers)
@click.option(
    "--family",
    metavar="FAMILY",
    shell_complete=complete.families,
    help=f"The layers of one family ({', '.join(registry.families())}).",
)
@click.option("--initialisers", is_flag=True, help="The initialisers instead of the layers.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="The form of the output.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json, whose form `schema` names.")
def command(names: tuple[str, ...], family: str | None, initialisers: bool, form: str, as_json: bool) -> None:
    if as_json and form == "markdown":
        raise Failure("say either --json or --format markdown")
    if bool(names) + (family is not None) + initialisers > 1:
        raise Failure("say either names, --family or --initialisers")
    form = "json" if as_json else form
    if initialisers:
        _show([], sorted(INITIALISERS), [], form)
    elif names:
        _show(*_named(names), form)
    else:
        _list(family, form)


def _named(names: Sequence[str]) -> tuple[list[Entry], list[str], list[ShippedBlock]]:
    """The layers, initialisers and shipped blocks of these names. Raises Failure for one that nothing has."""
    from archdsl.reference import Unusable, blocks_called, entry

    layers: list[Entry] = []
    initialisers: list[str] = []
    blocks: list[ShippedBlock] = []
    for name in dict.fromkeys(names):
        try:
            layer = entry(name)
        except Unusable as error:
            raise Failure(str(error)) from None
        found = blocks_called(name)
        if layer is None and name not in INITIALISERS and not found:
            raise Failure(_unknown(name))
        layers += [layer] if layer is not None else []
        initialisers += [name] if name in INITIALISERS else []
        blocks += found
    return layers, initialisers, blocks


def _unknown(name: str) -> str:
    from archdsl.passes.combinators import COMBINATORS

    if name in registry.LATER:
        return f"the layer `{name}` is not supported yet; it will be one of the {registry.LATER[name]} layers"
    if name in COMBINATORS:
        return f"`{name}` is no layer but a combinator, which the manual of the language describes"
    near = registry.known_as(name) or did_you_mean(name, (*registry.names(), *INITIALISERS, *COMBINATORS))
    hint = f"did you mean `{near}`?" if near else "`archdsl layers` lists them"
    return f"no layer is called `{name}`; {hint}"


def _list(family: str | None, form: str) -> None:
    """All layers, or those of a family. What cannot be loaded is said, and the others are shown all the same."""
    from archdsl.reference import Unusable, entry

    layers: list[Entry] = []
    broken: list[str] = []
    for name in registry.names():
        try:
            found = entry(name)
            if found is not None and form != "text":
                _ = found.becomes  # which is where a layer of another package may still fail
        except Unusable as error:
            broken.append(str(error))
        else:
            layers += [found] if found is not None else []
    known = sorted({each.family for each in layers})
    if family is not None and family not in known:
        near = did_you_mean(family, known)
        raise Failure(f"no family is called `{family}`; " + (f"did you mean `{near}`?" if near else _are(known)))
    layers = [each for each in layers if family in (None, each.family)]
    if form == "text":
        from archdsl.cli.layers_text import overview

        for line in overview(layers, output.width(sys.stdout)):
            output.write(line)
    elif form == "markdown" and family is None:
        from archdsl.cli.layers_markdown import page

        output.write_utf8(page(layers))
    else:
        _show(layers, [], [], form)
    for why in broken:
        output.say(f"warning: {why}")


def _are(known: Sequence[str]) -> str:
    return f"there are {', '.join(known)}"


def _show(layers: list[Entry], initialisers: list[str], blocks: list[ShippedBlock], form: str) -> None:
    """Each in full. Raises Failure where a layer of another package fails on its own examples."""
    from archdsl.reference import Unusable

    try:
        if form == "json":
            from archdsl.cli.layers_schema import report

            output.write(report(layers, initialisers, blocks).to_json())
        elif form == "markdown":
            from archdsl.cli.layers_markdown import part

            output.write_utf8(part(layers, initialisers, blocks))
        else:
            from archdsl.cli.layers_text import in_full

            output.write("\n".join(in_full(layers, initialisers, blocks, output.width(sys.stdout))))
    except Unusable as error:
        raise Failure(str(error)) from None
