"""`archdsl check`: shapes and claims."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from archdsl.cli import output
from archdsl.cli.files import Spec, collect, paths_argument
from archdsl.cli.findings import findings
from archdsl.cli.options import count, rendered
from archdsl.cli.output import Failure
from archdsl.compiler import errors_of
from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.textwidth import printable
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.shapes import show_shape

HELP = """Check the shapes and the claims of every network.

What there is to say of a spec goes to standard output, then the input sizes that each network accepts, one line with
the count, and where there are errors the command that explains them. The exit status is 0, or 1 if there are errors.

--format github annotates lines in GitHub Actions, sarif is for code scanning, and json for other programs.

--fix changes the files that are named: it makes each fix that is the only one for its finding and that leaves no more
errors than before, and says which. What is left is then told as ever.

\b
Examples:
  archdsl check specs/                     every .arch file in a folder and below
  archdsl check a.arch b.arch              some files
  cat net.arch | archdsl check -           standard input
  archdsl check specs/ --json              for programs
  archdsl check specs/ --format sarif      for code scanning
  archdsl check a.arch --fix               mend what has one way out

`archdsl check specs/ --watch` checks again whenever a spec changes, or a file that one imports.
"""


FORMATS = ("text", "json", "github", "sarif")
MOST_EXPLAINED = 3


@click.command("check", help=HELP, short_help="Check shapes and claims.")
@paths_argument
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="The form of the output.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json, whose form `schema` names.")
@click.option("--watch", "watching", is_flag=True, help="Check again after every change, until Ctrl-C.")
@click.option("--fix", "fixing", is_flag=True, help="Make each fix that is the only one for its finding, then check.")
@click.option("--interactive", is_flag=True, help="With --fix: ask which to make, also where there are several.")
def command(paths: tuple[str, ...], form: str, as_json: bool, watching: bool, fixing: bool, interactive: bool) -> None:
    if as_json and form not in ("text", "json"):
        raise Failure(f"say either --json or --format {form}")
    form = "json" if as_json else form
    if interactive and not fixing:
        raise Failure("--interactive goes with --fix")
    if fixing:
        _fix(paths, form, watching, interactive)
    if watching:
        _watch(paths, form)
    specs = collect(paths)
    _print(specs, form)
    if not all(spec.compilation.ok for spec in specs):
        raise click.exceptions.Exit(1)


def _fix(paths: Sequence[str], form: str, watching: bool, interactive: bool) -> None:
    """Raises Failure where fixing makes no sense."""
    if watching:
        raise Failure("--fix changes files once, --watch never: say one of them")
    if form != "text":
        raise Failure(f"--fix tells people what it changes, not --format {form}, which has the fixes as edits")
    if "-" in paths:
        raise Failure("standard input cannot be fixed: name a file")
    from archdsl.cli.check_fix import fix

    fix(collect(paths), interactive)


def _watch(paths: Sequence[str], form: str) -> NoReturn:
    """Raises Failure where watching makes no sense."""
    if form != "text":
        raise Failure(f"--watch is for reading along, not for --format {form}, which is for machines")
    if "-" in paths:
        raise Failure("standard input cannot be watched")
    from archdsl.cli.check_watch import watch

    watch(paths, _print_text)


def _print(specs: Sequence[Spec], form: str) -> None:
    """Each form is loaded when it is asked for: a plain check takes less time than some of them take to load."""
    if form == "json":
        from archdsl.cli.schema import check_report

        output.write(check_report(specs).to_json())
    elif form == "sarif":
        from archdsl.cli.check_sarif import log

        output.write(log(findings(specs)))
    elif form == "github":
        from archdsl.cli.check_github import annotation

        found = findings(specs)
        for each in found:
            output.write(annotation(each))
        output.write(_totals(specs, found))
    else:
        _print_text(specs)


def _print_text(specs: Sequence[Spec]) -> None:
    found = findings(specs)
    if found:
        output.write(rendered(found, sys.stdout) + "\n")
    for spec in specs:
        for network in spec.compilation.networks:
            output.write(printable(f"{spec.path}: {network.name} {_takes(network)}"))
    output.write(_totals(specs, found))
    if errors := errors_of(found):
        output.write(_more(errors))


def _totals(specs: Sequence[Spec], found: Sequence[Diagnostic]) -> str:
    networks = sum(len(spec.compilation.definitions) for spec in specs)
    errors = len(errors_of(found))
    said = [count(errors, "error") if errors else "no errors"]
    if len(found) > errors:
        said.append(count(len(found) - errors, "warning"))
    return f"{count(len(specs), 'file')}, {count(networks, 'network')}: {', '.join(said)}"


def _more(errors: Sequence[Diagnostic]) -> str:
    """Where to read on, for the first few codes: more would not be read."""
    codes = list(dict.fromkeys(each.code for each in errors))
    return f"`archdsl explain {' '.join(codes[:MOST_EXPLAINED])}` says more"


def _takes(network: Network) -> str:
    """The input sizes that a network accepts, or the input that it is fixed to."""
    if network.symbols:
        return f"accepts {accepted(network)}"
    return f"takes {', '.join(show_shape(value.shape) for value in network.scope.inputs)}"
