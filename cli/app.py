"""The `archdsl` command: its subcommands, each loaded when it is asked for, and how a run ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click
from click.shell_completion import CompletionItem

import archdsl
from archdsl.cli import output
from archdsl.diagnostics.suggest import did_you_mean

COMMANDS = (
    "new",
    "check",
    "summary",
    "compile",
    "render",
    "report",
    "convert",
    "diff",
    "layers",
    "explain",
    "completion",
)

COMPLETE = "_ARCHDSL_COMPLETE"  # the variable by which a shell asks for completions

EPILOG = """\b
Examples:
  archdsl check specs/
  archdsl summary specs/googlenet.arch --input 3x256x320
  archdsl compile specs/googlenet.arch -o googlenet.py

`archdsl COMMAND --help` has more for each command."""


class Commands(click.Group):
    """Finds the command NAME in the module `archdsl.cli.NAME`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"archdsl.cli.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands by name alone: to load them all for their help would take longer than anyone waits."""
        named = [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = did_you_mean(name, COMMANDS)
            hint = f"did you mean `{near}`?" if near else f"there are {', '.join(COMMANDS)}"
            ctx.fail(f"no command is called `{name}`; {hint}")
        return super().resolve_command(ctx, args)


@click.command(
    cls=Commands,
    epilog=EPILOG,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(archdsl.__version__, prog_name="archdsl", message="%(prog)s %(version)s")
def app() -> None:
    """Check, count and compile neural-network architectures written in the .arch language.

    PATH is a spec, a folder (every .arch file in it and below) or - for standard input. The exit status is 0, 1 if a
    spec has errors, and 2 if the request cannot be met.
    """


def run(args: Sequence[str] | None) -> int:
    """Runs the command line and returns the exit status."""
    output.prepare()
    if COMPLETE in os.environ:
        from archdsl.cli.shells import answer

        return answer(app, os.environ[COMPLETE])
    try:
        with app.make_context("archdsl", list(sys.argv[1:] if args is None else args)) as context:
            app.invoke(context)
        output.flush()
        return 0
    except click.exceptions.NoArgsIsHelpError as error:
        output.say(error.format_message())
        return error.exit_code
    except click.exceptions.Exit as ending:
        return output.ended(ending.exit_code)
    except click.ClickException as error:
        _explain(error)
        return error.exit_code


def _explain(error: click.ClickException) -> None:
    """What was wrong with the request; where the command line itself was, also how it is used."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        output.say(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n")
    output.say(f"error: {error.format_message()}")
