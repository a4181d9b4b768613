"""What an argument or an option may be completed with; `shells.py` asks, when a shell's user presses Tab.

Most look at names only: a spec is parsed, not checked, and one with errors offers what can be read of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from archdsl.cli.files import SUFFIX, specs

if TYPE_CHECKING:
    from archdsl.compiler import Compilation
    from archdsl.graph.model import Network, Scope
    from archdsl.passes.load import Definition

LARGEST = 1_000_000  # bytes of a spec that is read while someone waits for the answer
_PLAIN = re.compile(r"[\w.,+\[\]-]+")  # what no shell takes for anything else


def any_file(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file", suffix="")]


def sides(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Specs, and behind `PATH:` the networks of one."""
    path, colon, _ = incomplete.rpartition(":")
    if not colon:
        return specs(ctx, param, incomplete)
    return _starting(incomplete, (f"{path}:{each.node.name}" for each in _definitions(path)))


def networks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The networks of the specs that stand on the line."""
    return _starting(incomplete, (each.node.name for each in _on_line(ctx)))


def settings(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=` for each parameter of the network that is named on the line, or else of any; then its default."""
    given = {word.partition("=")[0] for word in _words(ctx) if "=" in word and word != incomplete}
    found: list[str] = []
    for definition in _chosen(ctx):
        for each in definition.node.params:
            default = each.default.span.text if each.default is not None else ""
            if incomplete.startswith(f"{each.name}="):
                found += [f"{each.name}={default}"] if _PLAIN.fullmatch(default) else []
            elif each.name not in given:
                found.append(f"{each.name}=")
    return _starting(incomplete, found)


def inputs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=` for each input of the network."""
    from archdsl.syntax import tree

    statements = (each for definition in _chosen(ctx) for each in definition.node.body.statements)
    return _starting(incomplete, (f"{each.name}=" for each in statements if isinstance(each, tree.Input)))


def modules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The blocks and groups of the network, and behind `NAME.` those inside of one."""
    parent, dot, _ = incomplete.rpartition(".")
    scopes = [network.scope for network in _networks(ctx)]
    for part in parent.split(".") if dot else ():
        scopes = [inner for scope in scopes for name, inner in _blocks(scope) if name == part]
    return _starting(incomplete, (f"{parent}{dot}{name}" for scope in scopes for name, _ in _blocks(scope)))


def layers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Layers and initialisers, but for those that the line has already."""
    from archdsl.layers.initialisers import INITIALISERS
    from archdsl.layers.registry import names

    return _starting(incomplete, (n for n in sorted({*names(), *INITIALISERS}) if n not in _words(ctx)[:-1]))


def families(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from archdsl.layers.registry import families as known

    return _starting(incomplete, known())


def codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from archdsl.diagnostics import CODES

    return _starting(incomplete.upper(), CODES)


def shipped_specs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from archdsl.cli.starts import known

    return _starting(incomplete, known())


def _starting(incomplete: str, values: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(value) for value in dict.fromkeys(values) if value.startswith(incomplete)]


def _words(ctx: click.Context) -> list[str]:
    """All words of the line, those behind the cursor too: what `shells.py` starts the context with."""
    words = ctx.find_root().obj
    return words if isinstance(words, list) else []


def _on_line(ctx: click.Context) -> Iterator[Definition]:
    for word in _words(ctx):
        yield from _definitions(word)


def _chosen(ctx: click.Context) -> list[Definition]:
    """The network that `--network` names, or all."""
    words = _words(ctx)
    named = {words[i + 1] for i, word in enumerate(words[:-1]) if word == "--network"}
    named |= {word.removeprefix("--network=") for word in words if word.startswith("--network=")}
    found = list(_on_line(ctx))
    return [each for each in found if each.node.name in named] or found


def _networks(ctx: click.Context) -> Iterator[Network]:
    """The networks on the line whose shapes are sound, the chosen one if there is one."""
    chosen = {each.node.name for each in _chosen(ctx)}
    for spec in filter(None, map(_compilation, _words(ctx))):
        yield from (network for network in spec.networks if network.name in chosen)


def _blocks(scope: Scope) -> Iterator[tuple[str, Scope]]:
    from archdsl.graph.model import Call, walk

    yield from ((item.module.name, item.scope) for item in walk(scope.items) if isinstance(item, Call))


def _definitions(word: str) -> list[Definition]:
    """The networks of the spec that a word names, as far as it can be read."""
    spec = _compilation(word)
    return spec.definitions if spec is not None else []


def _compilation(word: str) -> Compilation | None:
    """The spec that a word names, PATH or PATH:NETWORK; None if it names none, or one that takes long to read."""
    path, ending, _ = word.partition(SUFFIX)
    place = os.path.expanduser(path + ending)
    if not ending or not os.path.isfile(place) or os.path.getsize(place) > LARGEST:
        return None
    from archdsl.compiler import Compilation  # here, since commands and options are completed without it

    return Compilation.from_path(place)
