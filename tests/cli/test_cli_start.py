"""How long a command takes to start."""

from __future__ import annotations

import resource
import subprocess
import sys

from processes import ROOT, environment


def seconds(args: list[str]) -> float:
    """Processor time of a process that finds its modules compiled, as those of an installed package are."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-P", *args], check=True, capture_output=True, cwd=ROOT, env=environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_check_costs_less_than_three_imports_of_its_libraries() -> None:
    """Process against process, in turns, the best of each: what else the machine does tells little."""
    libraries = ["-c", "import lark, click"]
    check = ["-m", "archdsl", "check", "specs/googlenet.arch"]
    times = [(seconds(libraries), seconds(check)) for _ in range(6)][1:]
    least, checked = (min(column) for column in zip(*times, strict=True))
    assert checked < 3 * least
