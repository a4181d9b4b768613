"""`archdsl completion`: Tab completion for the shells."""

from __future__ import annotations

import click

from archdsl.cli import output
from archdsl.cli.shells import SHELLS, script

HELP = """Print a script that switches on Tab completion.

Completed are commands, options and what they take: specs and folders, the networks of the specs on the line, the
parameters of those networks, and the names of layers.

\b
Examples:
  archdsl completion bash     in ~/.bashrc: source <(archdsl completion bash)
  archdsl completion zsh      in ~/.zshrc: source <(archdsl completion zsh)
  archdsl completion fish     in ~/.config/fish/config.fish: archdsl completion fish | source
"""


@click.command("completion", help=HELP, short_help="Print a script for Tab completion.")
@click.argument("shell", metavar=f"[{'|'.join(SHELLS)}]", type=click.Choice(list(SHELLS)))
def command(shell: str) -> None:
    output.write_utf8(script(shell))
