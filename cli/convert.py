"""`archdsl convert`: a spec from a spec."""

from __future__ import annotations

import os
from pathlib import Path

import click

from archdsl.cli import output
from archdsl.cli.files import SUFFIX, collect, specs
from archdsl.cli.options import network_option, requests
from archdsl.cli.output import Failure

HELP = """Rewrite a spec into another spec.

--fully-convolutional makes convolutions of a classifier's dense layers, so that it takes any input size and gives a map
of scores. The new spec has the same parameters by the same names, which it claims: the weights of the dense network fit
once each is reshaped. It is checked before it is written, and stands alone in one file. Of a spec with several networks
the first is converted, unless --network names another.

\b
Examples:
  archdsl convert --fully-convolutional specs/vgg16.arch                      show it
  archdsl convert --fully-convolutional specs/vgg16.arch -o vgg16_fcn.arch    write a file
  archdsl convert --fully-convolutional specs/vgg16.arch --network VGG16BN    another network of the file
"""


@click.command("convert", help=HELP, short_help="Rewrite into another spec.")
@click.argument("path", metavar="PATH", shell_complete=specs)
@click.option("--fully-convolutional", is_flag=True, help="Make convolutions of the dense layers.")
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    shell_complete=specs,
    help="The spec to write; without it, standard output.",
)
@network_option
def command(path: str, fully_convolutional: bool, out: str | None, network: str | None) -> None:
    if not fully_convolutional:
        raise Failure("say what to convert to: --fully-convolutional")
    (spec, *others) = collect([path])
    if others:
        raise Failure(f"one spec is converted at a time, and `{path}` holds several")
    from archdsl.convert import fully_convolutional as convert

    with requests():
        text = convert(spec.compilation, network)
    if out is None or out == "-":
        output.write_utf8(text)
        return
    target = Path(out)
    if target.suffix != SUFFIX:
        raise Failure(f"`{out}` is to be a spec; give it a name that ends in {SUFFIX}")
    if os.path.exists(target):
        raise Failure(f"`{out}` exists; a spec is not overwritten")
    output.write_file(target, text)
