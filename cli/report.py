"""`archdsl report`: a network as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.cli import complete, output
from archdsl.cli.files import collect, specs
from archdsl.cli.inputs import input_option, parsed_inputs, symbols_at
from archdsl.cli.options import network_option, parsed_settings, requests, set_option
from archdsl.cli.output import Failure
from archdsl.emit.report import document, page

HELP = """Write a network as one HTML page that can be opened, sent and kept anywhere: it loads nothing else.

The page has the diagram, whose blocks open and fold, and the layer table, which can be sorted and searched. A click on
a layer shows its lines in the spec, its shapes, its receptive field, and its share of parameters, MACs and memory.
Of a spec with several networks the first is shown, unless --network names another. With "-" for a name, the page goes
to standard output.

\b
Examples:
  archdsl report specs/googlenet.arch -o googlenet.html
  archdsl report specs/unet.arch -o unet.html --network UNetPadded --input 3x256x256
  archdsl report specs/resnet50.arch -o resnet50.html --set classes=10
"""

WRITTEN = (".html", ".htm")


@click.command("report", help=HELP, short_help="Write an HTML page.")
@click.argument("path", metavar="PATH", shell_complete=specs)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    required=True,
    shell_complete=complete.any_file,
    help="What to write (.html).",
)
@network_option
@set_option
@input_option
def command(path: str, out: str, network: str | None, settings: tuple[str, ...], inputs: tuple[str, ...]) -> None:
    target = Path(out)
    if out != "-" and target.suffix.lower() not in WRITTEN:
        raise Failure(f"`{out}` is to be a page; give it a name that ends in .html")
    given, at = parsed_settings(settings), parsed_inputs(inputs)
    (spec, *others) = collect([path])
    if others:
        raise Failure(f"a report is of one spec, and `{path}` holds several")
    with requests():
        shown = spec.compilation.network(network, **given)
    text = page(document(shown, spec.path, symbols_at(shown, at)))
    if out == "-":
        output.write_utf8(text)
    else:
        output.write_file(target, text)
