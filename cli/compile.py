"""`archdsl compile`: PyTorch source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from archdsl.cli import output
from archdsl.cli.complete import any_file
from archdsl.cli.files import STDIN, SUFFIX, Spec, collect, paths_argument
from archdsl.cli.options import count, network_option, parsed_settings, requests, set_option
from archdsl.cli.output import Failure

HELP = """Compile a network to PyTorch source that imports nothing but torch.

Without -o it goes to standard output. Of a file with several networks the first is compiled, unless --network names
another. Nothing is written if any spec has errors, and each file is replaced as a whole.

\b
Examples:
  archdsl compile specs/googlenet.arch                           show it
  archdsl compile specs/googlenet.arch -o googlenet.py           write a file
  archdsl compile specs/vgg16.arch --network VGG16BN --set classes=10 -o vgg.py
  archdsl compile specs/ -o models/                              one file for each spec
  archdsl compile specs/unet.arch --guard                        refuse inputs of other sizes with a clear message
"""


@click.command("compile", help=HELP, short_help="Compile to PyTorch source.")
@paths_argument
@click.option(
    "-o",
    "--output",
    "out",
    metavar="OUT",
    shell_complete=any_file,
    help="The file to write; for several specs a folder.",
)
@network_option
@set_option
@click.option("--guard", is_flag=True, help="Let `forward` check that the network accepts the sizes of its input.")
def command(
    paths: tuple[str, ...], out: str | None, network: str | None, settings: tuple[str, ...], guard: bool
) -> None:
    given = parsed_settings(settings)
    specs = collect(paths)
    several = len(specs) > 1 or any(os.path.isdir(path) for path in paths)
    if several and out in (None, "-"):
        raise Failure("several specs need a folder to write to: -o DIR")
    into_folder = out is not None and out != "-" and (several or out.endswith(os.sep) or os.path.isdir(out))
    with requests():
        compiled = _compiled(specs, network, given, guard)
    if out is None or out == "-":
        output.write_utf8(compiled[0][1])
        return
    targets = _targets(compiled, Path(out)) if into_folder else [(Path(out), compiled[0][1])]
    for target, _ in targets:
        _keep_specs(target, specs)
    if into_folder:
        _make_folders(Path(out), [target.parent for target, _ in targets])
    for target, text in targets:
        output.write_file(target, text)


def _compiled(
    specs: Sequence[Spec], network: str | None, settings: dict[str, Any], guard: bool
) -> list[tuple[Spec, str]]:
    """The source of each spec. Files of blocks alone, found in a folder, have none."""
    found = []
    for spec in specs:
        definitions = spec.compilation.definitions
        if not definitions and not spec.named and spec.compilation.ok:
            continue
        if len(definitions) > 1 and network is None and spec.named:
            _say_which(spec)
        found.append((spec, spec.compilation.compile(network, settings, guard=guard)))
    if not found:
        raise Failure("none of these files defines a network")
    return found


def _say_which(spec: Spec) -> None:
    first, *others = [each.node.name for each in spec.compilation.definitions]
    names = ", ".join(others)
    output.say(f"note: compiling `{first}`, the first of {count(1 + len(others), 'network')}; --network picks {names}")


def _targets(compiled: Sequence[tuple[Spec, str]], folder: Path) -> list[tuple[Path, str]]:
    """The file of each spec in a folder. Raises Failure where two would be the same."""
    targets: dict[Path, tuple[Spec, str]] = {}
    for spec, text in compiled:
        if spec.path == STDIN:
            raise Failure("what comes from standard input has no name in a folder; give -o a file")
        target = folder / spec.inside.with_suffix(".py")
        if target in targets:
            raise Failure(f"`{targets[target][0].path}` and `{spec.path}` would both be `{target}`")
        targets[target] = spec, text
    return [(target, text) for target, (_, text) in targets.items()]


def _keep_specs(target: Path, specs: Sequence[Spec]) -> None:
    """Refuses to write over a spec, be it one of these or one that they import."""
    read = [spec.path for spec in specs if os.path.exists(spec.path)]
    if target.suffix == SUFFIX or (os.path.exists(target) and any(os.path.samefile(target, path) for path in read)):
        raise Failure(f"`{target}` is a spec; the compiled file needs another name, such as `{target.stem}.py`")


def _make_folders(root: Path, folders: Sequence[Path]) -> None:
    try:
        for folder in (root, *folders):
            folder.mkdir(parents=folder != root, exist_ok=True)
    except OSError as error:
        raise Failure(f"cannot make the folder `{error.filename}`: {error.strerror}") from None
