"""The benchmarks measure what they say they do. (How fast it is, they say themselves.)"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.compiler import Compilation
from benchmarks import check_domain, check_linear, check_validation, eager_cost, measure

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", check_linear.KINDS)
@pytest.mark.parametrize("layers", [4, 1_000])
def test_generated_specs_have_as_many_layers_as_they_say(kind: str, layers: int) -> None:
    spec = Compilation.from_text(check_linear.KINDS[kind](layers))
    assert spec.diagnostics == []
    assert spec.network().scope.layers == layers


def test_no_two_lines_are_the_same() -> None:
    lines = check_linear.flat(1_000).splitlines()
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(("what", "layers"), [("eight four-level", 8 * 13), ("twenty", 20), ("ten poolings", 20)])
def test_ladders_are_sound(what: str, layers: int) -> None:
    bodies = [body for name, body in check_domain.LADDERS.items() if what in name]
    assert bodies
    for body in bodies:
        spec = Compilation.from_text(f"network Net {{\n  input x: [8, H, W]\n{body}}}\n")
        assert spec.diagnostics == []
        assert spec.network().scope.layers == layers


@pytest.mark.parametrize("name", eager_cost.MODELS)
def test_the_models_are_specs(name: str) -> None:
    spec, network = eager_cost.MODELS[name]
    assert Compilation.from_path(ROOT / spec).network(network).name == network


def test_emission_and_validation_are_timed() -> None:
    """Of a spec on several devices, whose file defines more than its classes."""
    (times,) = check_validation.measured(1, ["specs/alexnet.arch"]).values()
    assert min(times) > 0


MEASURED = """
from benchmarks import measure
for size in (1, 400 * 2**20):
    run = measure.run(measure.python("-c", f"b'x' * {size}"))
    print(run.peak, run.cpu, run.wall)
"""


def test_a_process_is_measured() -> None:
    """By a small process, as in the benchmarks: what a large one forks starts with its memory."""
    done = subprocess.run([sys.executable, "-c", MEASURED], cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [map(float, row.split()) for row in done.stdout.splitlines()]
    small, large = (measure.Run(wall, cpu, peak) for peak, cpu, wall in rows)
    assert small.peak < 400 < large.peak < 450
    assert 0 < small.cpu <= small.wall * 1.5


def test_a_process_that_fails_is_no_result() -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        measure.run(measure.python("-c", "print('why'); raise SystemExit(3)"))
    assert (failed.value.returncode, failed.value.output) == (3, "why\n")


def test_ratios_are_taken_round_by_round() -> None:
    over = [measure.Run(0, cpu, 0) for cpu in (2.0, 30.0, 4.0)]
    under = [measure.Run(0, cpu, 0) for cpu in (1.0, 10.0, 2.0)]
    assert measure.ratio(over, under) == 2.0


def test_an_unknown_name_is_refused() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks", "nothing"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.search(r"no benchmark is called nothing; there are check_startup, ", done.stderr)
