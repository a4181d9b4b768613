"""`archdsl new`: a spec to start from."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from archdsl.cli import complete, output, starts
from archdsl.cli.files import SUFFIX
from archdsl.cli.output import Failure

HELP = """Write a spec to start from.

`archdsl new my_net` writes my_net.arch with the network MyNet: a small image classifier with a block, a repetition and
claims, which checks, compiles and trains as it stands. With --like it is a copy of a spec that comes with archdsl, with
its parts imported from the zoo; --list names them.

\b
Examples:
  archdsl new my_net                      my_net.arch
  archdsl new my_net -o -                 standard output
  archdsl new my_resnet --like resnet50   from ResNet-50
  archdsl new --list                      what --like takes
"""


@click.command("new", help=HELP, short_help="Write a spec to start from.")
@click.argument("name", metavar="NAME", required=False, shell_complete=complete.any_file)
@click.option("--like", metavar="SPEC", shell_complete=complete.shipped_specs, help="A shipped spec to copy.")
@click.option("--list", "listing", is_flag=True, help="List the specs that --like takes.")
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    shell_complete=complete.any_file,
    help="The spec or the folder to write (NAME.arch by default).",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def command(name: str | None, like: str | None, listing: bool, out: str | None, force: bool) -> None:
    if listing:
        output.write(starts.listed(output.width(sys.stdout)))
        return
    if name is None:
        raise Failure("say what the new spec is called: archdsl new my_net")
    stem, network = starts.names(name)
    text = starts.start(network, like)
    if out == "-":
        output.write_utf8(text)
        return
    target = _target(out, stem)
    if os.path.exists(target) and not force:  # False for a name that is too long, which writing refuses
        raise Failure(f"`{target}` exists; --force writes over it")
    output.write_file(target, text)
    quoted = shlex.quote(str(target))
    output.say(f"`{target}` is written. Next:\n  archdsl check {quoted}\n  archdsl summary {quoted}")


def _target(out: str | None, stem: str) -> Path:
    """The file to write: the one that is named, or one in the folder that is."""
    target = Path(out) if out is not None else Path(stem + SUFFIX)
    if os.path.isdir(target):
        return target / (stem + SUFFIX)
    if target.suffix != SUFFIX:
        raise Failure(f"`{out}` is to be a spec; give it a name that ends in {SUFFIX}")
    return target
