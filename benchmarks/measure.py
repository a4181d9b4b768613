"""Whole processes, run side by side and measured by the operating system."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """One line of the results: what was compared, the figure, and what it should be."""

    what: str
    figure: str
    target: str
    met: bool


@dataclass(frozen=True)
class Run:
    """One process: seconds on the clock, seconds of computing, peak resident memory in MB."""

    wall: float
    cpu: float
    peak: float


def python(*arguments: str) -> list[str]:
    """The command that runs this Python with its usual start-up."""
    return [sys.executable, *arguments]


def run(command: Sequence[str]) -> Run:
    """Runs a command from the project's root. Raises CalledProcessError, with its output, if it fails.

    Bytecode is kept, as it is for an installed package, in a folder of its own. The peak that the kernel reports starts
    from that of this process, so this process stays small: what needs torch runs in processes of its own.
    """
    cache = Path(tempfile.gettempdir()) / "archdsl-benchmarks"
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache), "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as output:
        start = perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise subprocess.CalledProcessError(process.returncode, command, text)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def interleaved(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Run]]:
    """Runs every command once to warm up, then all of them in turn, so that a busy spell of the machine hits each."""
    for command in commands.values():
        run(command)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command))
    return runs


def ratio(over: Sequence[Run], under: Sequence[Run]) -> float:
    """How many times the computing time of `under` the runs of `over` took: the median over the rounds.

    Computing time and not the clock, since other programs on the machine lengthen the clock's.
    """
    return median(a.cpu / b.cpu for a, b in zip(over, under, strict=True))


def cpu(runs: Sequence[Run]) -> float:
    return median(run.cpu for run in runs)


def peak(runs: Sequence[Run]) -> float:
    return max(run.peak for run in runs)
