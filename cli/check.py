"""`archdsl check`: shapes and claims."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from archdsl.cli import output
from archdsl.cli.files import Spec, collect, paths_argument
from archdsl.cli.options import count, rendered
from archdsl.diagnostics import Diagnostic, Severity
from archdsl.diagnostics.textwidth import printable
from archdsl.graph.model import Network
from archdsl.passes.accept import accepted
from archdsl.passes.shapes import show_shape

HELP = """Check the shapes and the claims of every network.

What there is to say of a spec goes to standard output, then the input sizes that each network accepts, one line with
the count, and where there are errors the command that explains them. The exit status is 0, or 1 if there are errors.

\b
Examples:
  archdsl check specs/                     every .arch file in a folder and below
  archdsl check a.arch b.arch              some files
  cat net.arch | archdsl check -           standard input
  archdsl check specs/ --json              for programs
"""


MOST_EXPLAINED = 3


@click.command("check", help=HELP, short_help="Check shapes and claims.")
@paths_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, whose form `schema` names.")
def command(paths: tuple[str, ...], as_json: bool) -> None:
    specs = collect(paths)
    if as_json:
        from archdsl.cli.schema import check_report  # pydantic takes longer to load than a check takes

        output.write(check_report(specs).to_json())
    else:
        _print(specs)
    if not all(spec.compilation.ok for spec in specs):
        raise click.exceptions.Exit(1)


def _print(specs: Sequence[Spec]) -> None:
    """Every finding once, though several specs import the file that it is in."""
    found: dict[tuple[str, str, int, int], Diagnostic] = {}
    networks = 0
    for spec in specs:
        for each in spec.compilation.diagnostics:
            found.setdefault((each.code, each.span.source.path, each.span.start, each.span.end), each)
        networks += len(spec.compilation.definitions)
    if found:
        output.write(rendered(list(found.values()), sys.stdout) + "\n")
    for spec in specs:
        for network in spec.compilation.networks:
            output.write(printable(f"{spec.path}: {network.name} {_takes(network)}"))
    errors = sum(each.severity is Severity.ERROR for each in found.values())
    said = [count(errors, "error") if errors else "no errors"]
    if len(found) > errors:
        said.append(count(len(found) - errors, "warning"))
    output.write(f"{count(len(specs), 'file')}, {count(networks, 'network')}: {', '.join(said)}")
    if errors:
        output.write(_more([each.code for each in found.values() if each.severity is Severity.ERROR]))


def _more(codes: Sequence[str]) -> str:
    """Where to read on, for the first few codes: more would not be read."""
    return f"`archdsl explain {' '.join(list(dict.fromkeys(codes))[:MOST_EXPLAINED])}` says more"


def _takes(network: Network) -> str:
    """The input sizes that a network accepts, or the input that it is fixed to."""
    if network.symbols:
        return f"accepts {accepted(network)}"
    return f"takes {', '.join(show_shape(value.shape) for value in network.scope.inputs)}"
