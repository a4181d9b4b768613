"""`archdsl new`: a spec to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from archdsl.cli import complete, output
from archdsl.cli.output import Failure
from archdsl.cli.starter import file_name, network_name, starter, starters

HELP = """Write a spec to start from: a small image classifier, or a copy of a spec that comes with archdsl.

NAME becomes the name of the network (my_net gives MyNet) and, with .arch, of the file. What is written checks, compiles
and trains as it is.

\b
Examples:
  archdsl new my_net                     my_net.arch with a network MyNet
  archdsl new my_resnet --like resnet50  a copy of ResNet-50
  archdsl new my_net -o -                standard output
  archdsl new --list                     what there is to be like
"""


@click.command("new", help=HELP, short_help="Write a spec to start from.")
@click.argument("name", metavar="NAME", required=False, shell_complete=complete.any_file)
@click.option(
    "--like", metavar="SPEC", shell_complete=complete.shipped_specs, help="Copy a spec that comes with archdsl."
)
@click.option("--list", "listed", is_flag=True, help="List the specs that --like can copy.")
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    shell_complete=complete.any_file,
    help="Where to write it, - for standard output.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(name: str | None, like: str | None, listed: bool, out: str | None, force: bool) -> None:
    if listed:
        output.write("\n".join(starters()))
        return
    if name is None:
        raise click.UsageError("a NAME is needed, as in `archdsl new my_net`")
    folder, stem = Path(name).parent, Path(name).name
    text = starter(network_name(stem), like)
    if out == "-":
        output.write_utf8(text)
        return
    target = Path(out) if out is not None else folder / file_name(stem)
    if target.exists() and not force:
        raise Failure(f"`{target}` is there already; --force writes over it")
    output.write_file(target, text)
    path = shlex.quote(str(target))
    output.say(f"{target} is written. To go on:\n  archdsl check {path}\n  archdsl summary {path}")
