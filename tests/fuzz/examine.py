"""What an input of the fuzzer goes through: the check, and a share of the inputs every command too.

An input is the content of a file. Nothing may come of it but diagnostics and results; whatever is raised here is a
finding. Which commands an input goes through depends on its content, so that a file is enough to repeat a run.
"""

from __future__ import annotations

import ast
import contextlib
import io
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from watch import next_command

from archdsl.cli import main
from archdsl.compiler import Compilation
from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.render import render

NAME = "fuzzed.arch"  # in the current folder
OTHER = ("other.arch", "network Other {\n  input x: [3, H=64, W=64]\n  conv(8, 3) -> relu\n}\n")
WIDTHS = (None, 1, 40, 80, 1000)
COMMANDS = (
    ("check", NAME, "--json"),
    ("summary", NAME),
    ("summary", NAME, "--json", "--input", "3x64x64"),
    ("compile", NAME, "--set", "classes=3"),
    ("compile", NAME, "--guard"),
    ("render", NAME, "-o", "-"),
    ("render", NAME, "-o", "drawn.mmd", "--depth", "9"),
    ("convert", NAME, "--fully-convolutional"),
    ("diff", NAME, OTHER[0]),
    ("diff", OTHER[0], NAME, "--json"),
)

Wanted = Callable[[float], bool]  # whether a step is taken that this share of the inputs takes


def wanted(content: bytes) -> Wanted:
    """The steps that fall to an input."""
    chance = random.Random(content)
    return lambda share: chance.random() < share


def all_wanted(share: float) -> bool:
    """Every step."""
    return True


def examine(content: bytes, wanted: Wanted) -> str:
    """Says how far an input came: `refused`, or `sound` if its networks may be compiled."""
    Path(NAME).write_bytes(content)
    spec = Compilation.from_path(NAME)
    for each in spec.diagnostics:
        _show(each, wanted)
    sound = spec.ok and bool(spec.definitions)
    if sound and wanted(0.25):
        for definition in spec.definitions:
            next_command()
            ast.parse(spec.compile(definition.node.name, guard=wanted(0.5)))
    for arguments in COMMANDS:
        if wanted(0.03 if sound else 0.001):
            _command(arguments)
    return "sound" if sound else "refused"


def parse_only(content: bytes) -> str:
    """The front of the compiler alone: from a file to a tree, and what there is to say of it."""
    Path(NAME).write_bytes(content)
    found = Compilation.from_path(NAME).sink.found
    for each in found:
        _show(each, wanted(content))
    return "refused" if found else "sound"


def _show(found: Diagnostic, wanted: Wanted) -> None:
    for span in (found.span, *(label.span for label in found.labels)):
        assert 0 <= span.start <= span.end <= len(span.source.text), f"{found.code} is at a place outside of the text"
    for width in WIDTHS:
        if wanted(0.2):
            assert render(found, color=wanted(0.5), width=width)


def _command(arguments: Sequence[str]) -> None:
    """Runs a command as the shell would, but in this process."""
    Path(OTHER[0]).write_text(OTHER[1], encoding="utf-8")
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    next_command()
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        status = main(arguments)
        sys.stdout.flush()
    assert status in (0, 1, 2), f"`archdsl {' '.join(arguments)}` ended with {status}"
