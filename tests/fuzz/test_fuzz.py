"""No text whatever breaks the compiler or a command, takes it long or takes much memory; what is sound is Python.

Each part runs in a process of its own (`fuzz.py`), under limits. `--thorough` takes more than 200,000 inputs:

    python -m pytest tests/fuzz --thorough -n 2 --seed 1 --findings DIR
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from examine import all_wanted, examine
from seeds import EVERYTHING, small

from archdsl.compiler import Compilation

HERE = Path(__file__).parent
FEW = {"bytes": 50, "tokens": 50, "grammar": 15, "guided": 60}
MANY = {"bytes": 104_000, "tokens": 24_000, "grammar": 8_000, "guided": 72_000}
PARTS = 8  # of a source; each has a seed of its own


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "source" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        # Atheris is on Linux only; the few inputs of the suite do without it elsewhere, a thorough run does not.
        sources = [source for source in FEW if thorough or source != "guided" or find_spec("atheris")]
        parts = range(PARTS if thorough else 1)
        metafunc.parametrize(("source", "part"), [(source, part) for part in parts for source in sources])


def test_inputs(
    source: str,
    part: int,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    thorough = request.config.getoption("--thorough")
    findings = Path(request.config.getoption("--findings") or tmp_path / "findings").resolve()
    seed = part + PARTS * int(request.config.getoption("--seed"))
    count = MANY[source] // PARTS if thorough else FEW[source]
    with capfd.disabled() if thorough else contextlib.nullcontext():  # who waits for long sees how far it is
        done = subprocess.run(
            [sys.executable, HERE / "fuzz.py", source, f"--count={count}", f"--seed={seed}", f"--findings={findings}"],
            stdout=subprocess.PIPE,
            stderr=None if thorough else subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            check=False,
            text=True,
        )
    last = "".join(each.read_text(errors="replace") for each in tmp_path.glob("*/fuzzed.arch"))
    assert done.returncode == 0, f"the process ended with {done.returncode}, {done.stderr}\nits last input was\n{last}"
    report = json.loads(done.stdout)
    assert report["findings"] == [], f"see {findings}"
    assert report["inputs"] == count
    assert report["peak"] < 1 << 30
    assert report["outcomes"]["sound"] >= count / 100, "the inputs are too wild to test anything but the parser"
    record_property("fuzzed", {"source": source, **report})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("folder")
def test_the_originals_are_sound() -> None:
    assert examine(EVERYTHING.encode(), all_wanted) == "sound"
    assert {Compilation.from_text(text).ok for text in small()} == {True}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("path", sorted(HERE.glob("found/*.arch")), ids=lambda path: path.stem)
def test_what_was_found_before(path: Path) -> None:
    """Each broke something once."""
    start = time.process_time()
    examine(path.read_bytes(), all_wanted)
    assert time.process_time() - start < 5


def test_a_long_file_is_answered_soon() -> None:
    start = time.perf_counter()
    text = "network Net {\n  input x: [3, H, W]\n" + "  relu\n  # and again\n\n\n" * 25_000 + "}\n"
    assert Compilation.from_text(text).diagnostics == []
    assert time.perf_counter() - start < 60
