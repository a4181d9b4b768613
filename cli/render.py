"""`archdsl render`: a network as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.cli import output
from archdsl.cli.complete import any_file, modules
from archdsl.cli.files import collect, specs
from archdsl.cli.inputs import input_option, parsed_inputs, symbols_at
from archdsl.cli.options import network_option, parsed_settings, requests, set_option
from archdsl.cli.output import Failure
from archdsl.diagnostics.suggest import did_you_mean
from archdsl.emit.diagram import Diagram, View, build, dot, mermaid
from archdsl.emit.diagram.layout import FORMATS, NoPicture, picture, titled
from archdsl.graph.model import Call, Network, walk
from archdsl.passes.cost import Cost

HELP = """Draw a network.

The name of the file says what is written: .svg (with a tooltip for each layer), .png and .pdf need Graphviz, which
`pip install "archdsl[render]"` brings; .dot is its language, and .mmd is Mermaid, which code hosts draw in Markdown.
With "-" for a name, DOT goes to standard output.

A block is a box until it is opened. Without --depth as much is opened as stays readable, and each block once, where it
first stands. What is repeated is drawn once, with "× n". Of a spec with several networks the first is drawn, unless
--network names another.

\b
Examples:
  archdsl render specs/googlenet.arch -o googlenet.dot
  archdsl render specs/resnet152.arch -o resnet152.mmd --open layer3 --direction LR
  archdsl render specs/unet.arch -o unet.dot --network UNetPadded --input 3x256x256 --depth 1 --theme dark
"""

TEXTS = {".dot": dot, ".mmd": mermaid}
WRITTEN = (*(f".{form}" for form in FORMATS), *TEXTS)


@click.command("render", help=HELP, short_help="Draw a picture.")
@click.argument("path", metavar="PATH", shell_complete=specs)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    shell_complete=any_file,
    required=True,
    help=f"What to write ({', '.join(WRITTEN)}).",
)
@network_option
@set_option
@input_option
@click.option("--depth", type=click.IntRange(min=1), help="Levels of blocks to show (what is readable by default).")
@click.option(
    "--open",
    "opened",
    metavar="NAME",
    multiple=True,
    shell_complete=modules,
    help="A module to open (layer3.5). May be repeated.",
)
@click.option("--direction", type=click.Choice(["TB", "LR"]), default="TB", help="Downwards (TB) or to the right.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="Colours (light by default).")
def command(
    path: str,
    out: str,
    network: str | None,
    settings: tuple[str, ...],
    inputs: tuple[str, ...],
    depth: int | None,
    opened: tuple[str, ...],
    direction: str,
    theme: str,
) -> None:
    target = Path(out)
    if out != "-" and target.suffix.lower() not in WRITTEN:
        raise Failure(f"`{out}` is to be a picture; give it a name that ends in {', '.join(WRITTEN)}")
    given, at = parsed_settings(settings), parsed_inputs(inputs)
    (spec, *others) = collect([path])
    if others:
        raise Failure(f"one spec is drawn at a time, and `{path}` holds several")
    with requests():
        drawn = spec.compilation.network(network, **given)
    cost = Cost(drawn, symbols_at(drawn, at))
    diagram = build(drawn, cost, View(depth, tuple(_module(drawn, name) for name in opened)))
    if out == "-":
        output.write_utf8(dot(diagram, direction=direction, theme=theme))
    elif target.suffix.lower() in TEXTS:
        output.write_file(target, TEXTS[target.suffix.lower()](diagram, direction=direction, theme=theme))
    else:
        _draw(diagram, target, dot(diagram, direction=direction, theme=theme))


def _draw(diagram: Diagram, target: Path, text: str) -> None:
    """Writes a picture; where it cannot be made, at least its source, so that another machine can make it."""
    try:
        content = picture(text, target.suffix.lower()[1:])
    except NoPicture as error:
        beside = target.with_suffix(".dot")
        output.write_file(beside, text)
        raise Failure(f"{error}\n`{beside}` is written; `dot` makes `{target}` of it") from None
    output.write_file(target, titled(content, diagram) if target.suffix.lower() == ".svg" else content)


def _module(network: Network, name: str) -> tuple[str, ...]:
    """The path of a block or group. Raises Failure if there is none by that name."""
    scope, path = network.scope, tuple(name.split("."))
    for i, part in enumerate(path):
        inner = {item.module.name: item.scope for item in walk(scope.items) if isinstance(item, Call)}
        if part not in inner:
            near = did_you_mean(part, inner)
            where = f"`{'.'.join(path[:i])}`" if i else f"`{network.name}`"
            hint = f"; did you mean `{'.'.join((*path[:i], near))}`?" if near else ""
            raise Failure(f"{where} has no block or group `{part}` to open{hint}")
        scope = inner[part]
    return path
