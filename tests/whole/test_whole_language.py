"""Random specs in the whole language: the emitted module is what was checked.

Each program (`generator.py`) is compiled and run, and held against an interpretation of its checked graph
(`interpreter.py`) that shares no code with the emitter: parameters and buffers by name, shape and order, starting
weights, outputs, gradients and running statistics in evaluation and training, and what moves between devices; some of
them also with other arguments of the network's class and of its blocks' (`arguments.py`). A fault is shown with the
smallest spec that still has it.

    python -m pytest tests/whole --thorough -n 2              20,000 programs instead of 300
    python -m pytest tests/whole --thorough -n 2 --seed 1     others
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from whole.arguments import same_arguments
from whole.comparison import Refused, live, same_program
from whole.generator import MAIN, program
from whole.minimal import shrunken

PROGRAMS = 20  # of one part
PARTS, THOROUGH = 15, 1000  # parts; small ones, so that a fault hides few other programs
EVERY = 5  # of how many programs one is built with other arguments too
SECONDS = 30.0  # for making a spec with a fault smaller


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    option = metafunc.config.getoption
    count = THOROUGH if option("--thorough") else PARTS
    first = count * int(option("--seed"))
    metafunc.parametrize("part", range(first, first + count))


def test_emitted_is_interpreted(part: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    number = part * 1_000_000
    counts: Counter[str] = Counter()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, on even kernels with `padding=same`
        while counts["programs"] < PROGRAMS:
            counts += _examined(number, tmp_path)
            number += 1
    assert counts["refused"] <= PROGRAMS, "the generator makes too much that the checker refuses"
    record_property("examined", dict(counts))


def _examined(number: int, folder: Path) -> Counter[str]:
    """What was compared of one program. Raises AssertionError with a small spec where something differs."""
    files = program(number)
    try:
        return _compared(files, folder, number)
    except Refused:
        return Counter(refused=1)
    except Exception as error:  # whatever went wrong is shown with a spec that is small enough to read
        kind = _kind(error)
        spec = shrunken(files, lambda text: _kind(_wrong({MAIN: text}, folder, number)) == kind, SECONDS)
        raise AssertionError(f"program {number}: {error}\n\n{spec}") from error


def _compared(files: dict[str, str], folder: Path, number: int, every: bool = False) -> Counter[str]:
    with live(files, folder, number) as (spec, module):
        counts = same_program(spec, module, number, every)
        if number % EVERY == 0:
            counts += same_arguments(spec, module, files, folder, number)
        return counts


def _wrong(files: dict[str, str], folder: Path, number: int) -> Exception | None:
    try:
        _compared(files, folder, number, every=True)
    except Refused:
        return None
    except Exception as error:
        return error
    return None


def _kind(error: Exception | None) -> str | None:
    """What kind of fault it is, without its names and numbers."""
    if error is None:
        return None
    said = re.sub(r"'[^']*'|\{[^}]*\}|\([^)]*\)|[\d.]+", "…", str(error))
    return f"{type(error).__name__}: {said[:24]}"
