"""A slip in a shipped spec is reported where it can be seen, or torch accepts it too.

The claims are taken out first: they would report nearly every slip, but at the claim. Each slip then is one of three:

- A wrong name or argument (E01, E02) is reported on the very line.
- Shapes that do not go together (E03) are reported at the first place after the slip that cannot be, with the places
  that its values come from: one of these is on the line of the slip or after it, in the same definition, or is the call
  of that definition.
- Nothing is reported. Then the compiled module runs in torch, on the meta device, at the typical size, and gives the
  shapes that were predicted.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import torch
from slips import SPECS, Slip, slips

from archdsl.compiler import Compilation
from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.render import render
from archdsl.passes.cost import Cost
from archdsl.runtime.module import module_of
from archdsl.sizes import evaluate

FILES = sorted(path.name for path in SPECS.glob("*.arch"))
CLAIMS = re.compile(r"^  expect .*(\n|\Z)", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped specs without their claims, each with as many lines as before."""
    (tmp_path / "pyproject.toml").touch()
    for path in SPECS.glob("*.arch"):
        text = CLAIMS.sub("\n", path.read_text(encoding="utf-8"))
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def user(folder: Path, file: str) -> Path:
    """A spec with a network that uses a file: the file itself if it has one."""
    if Compilation.from_path(folder / file).definitions:
        return folder / file
    users = (path for path in sorted(folder.glob("*.arch")) if f'"{file}"' in path.read_text(encoding="utf-8"))
    return next(path for path in users if Compilation.from_path(path).definitions)


@pytest.mark.parametrize("file", FILES)
def test_slips(file: str, folder: Path) -> None:
    spec = user(folder, file)
    assert Compilation.from_path(spec).ok, "what is not changed is sound"
    original = (folder / file).read_text(encoding="utf-8")
    for slip in slips(folder / file):
        (folder / file).write_text(slip.changed, encoding="utf-8")
        compilation = Compilation.from_path(spec)
        if compilation.ok:
            _runs(compilation, slip)
        else:
            assert _at_the_right_place(slip, compilation.diagnostics), f"{slip}\n{render(compilation.diagnostics[0])}"
    (folder / file).write_text(original, encoding="utf-8")


def _at_the_right_place(slip: Slip, found: list[Diagnostic]) -> bool:
    places = [found[0].span, *(label.span for label in found[0].labels)]
    lines = {span.line for span in places if Path(span.source.path).name == slip.file}
    if found[0].code < "E03":
        return slip.line in lines
    return any(slip.line <= line for line in lines)


def _runs(compilation: Compilation, slip: Slip) -> None:
    for network in compilation.networks[:2]:
        module = getattr(module_of(compilation.compile(network.name), f"slip:{network.name}"), network.name)
        with torch.device("meta"), torch.inference_mode():
            built = module().eval()
            shapes = [[evaluate(dim, network.sizes) for dim in value.shape] for value in network.scope.inputs]
            out = built(*(torch.zeros(2, *shape) for shape in shapes))
        values = [value for value in (out if isinstance(out, tuple) else (out,)) if value is not None]
        cost = Cost(network)
        predicted = [cost.shape(result.value.shape) for result in network.scope.results if not result.training]
        assert [tuple(value.shape[1:]) for value in values[: len(predicted)]] == predicted, str(slip)


def test_there_are_enough_and_of_every_kind() -> None:
    found = [slip for file in FILES for slip in slips(SPECS / file)]
    kinds = Counter(slip.kind for slip in found)
    assert len(found) >= 200
    assert {"stride", "channels", "padding", "kernel", "name", "operand", "without padding"} <= set(kinds)
