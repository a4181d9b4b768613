"""Attempts to get code out of a spec into what is made of it: `injection/attempts.json` has them.

Each is refused, or the emitted file is the one that a harmless spec gives but for the names and texts, and it works.
"""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from same_code import same

from archdsl import load
from archdsl.compiler import Compilation, SpecError, UsageError, parse_setting
from archdsl.diagnostics.render import render
from archdsl.runtime.module import module_of

ATTEMPTS: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("injection").joinpath("attempts.json").read_text(encoding="utf-8")
)
SPEC = """
block {block}({parameter}=4, mode="linear") {{
  let {constant} = 2 * {parameter}
  {inner} = conv({constant}, 3, padding=1)
  conv({parameter}, 1)
  init conv: kaiming_normal(nonlinearity=mode)
}}

network {network}({size}=4) {{
  input {input}: [3, {height}=8, {width}=16]
  {label} = conv({size}, 3, padding=1)
  for {variable}, depth in enumerate([1, 2], 1) {{
    stage[{variable}] = {{ repeat depth {{ {block}({size} * {variable}) }} }}
  }}
  {kept} = relu
  {group} = {{ {deep} = conv({size}, 1) -> {block} }}
  add({group}.{deep}, {group})
  output {first} = conv(2, 1)
  output {second} = {kept} -> conv(3, 1)
  init {label}: zeros
}}
"""
PARAMETERS = 2 * (1 + 3 * 2 + 1 + 2 + 2)  # a weight and a bias for each convolution
HARMLESS = {
    "block": "harmless_block",
    "parameter": "parameter",
    "constant": "constant",
    "inner": "inner_label",
    "network": "Harmless",
    "size": "amount",
    "input": "picture",
    "height": "Height",
    "width": "Width",
    "label": "first_label",
    "variable": "turn",
    "kept": "kept_value",
    "group": "group_label",
    "deep": "deep_label",
    "first": "first_output",
    "second": "second_output",
}


@pytest.fixture(autouse=True)
def nothing_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The payloads write a file `canary` where they run."""
    monkeypatch.chdir(tmp_path)
    before = set(vars(builtins))
    yield
    assert not Path("canary").exists()
    assert set(vars(builtins)) == before


def compiled(text: str, path: str = "harmless.arch", settings: dict[str, Any] | None = None) -> list[str] | None:
    """The file without and with a check of sizes; None, with a diagnostic that can be shown, if it is refused."""
    spec = Compilation.from_text(text, path)
    try:
        return [spec.compile(None, settings, guard=guard) for guard in (False, True)]
    except UsageError:
        return None
    except SpecError as error:
        for found in error.diagnostics:
            assert harmless_in_a_terminal(render(found))
        return None


def harmless_in_a_terminal(text: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in text)


def run(source: str, name: str) -> None:
    """The class is what it says and takes the sizes that it should."""
    cls = getattr(module_of(source, "attempt"), name)
    with torch.device("meta"):
        network = cls()
        assert issubclass(cls, torch.nn.Module)
        assert len(network.state_dict()) == PARAMETERS
        assert [out.shape for out in network(torch.empty(1, 3, 8, 16))] == [(1, 2, 8, 16), (1, 3, 8, 16)]
        if "check_sizes" in source:
            with pytest.raises(ValueError, match=r"takes|accepts"):
                network(torch.empty(1, 4, 8, 16))


@pytest.mark.parametrize("slot", HARMLESS)
def test_names(slot: str) -> None:
    plain = compiled(SPEC.format(**HARMLESS))
    assert plain is not None
    accepted = 0
    for name in ATTEMPTS["names"] + ATTEMPTS["wild"]:
        names = {**HARMLESS, slot: name}
        found = compiled(SPEC.format(**names))
        if found is None:
            continue
        accepted += 1
        for source, other in zip(found, plain, strict=True):
            try:
                same(source, other)
                run(source, names["network"])
            except BaseException as error:
                print("BAD", slot, repr(name), type(error).__name__, str(error)[:150]); print(source) if 0 else 0
    assert accepted >= 20, "hardly a name was taken, so hardly one was tested"
