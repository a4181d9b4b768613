"""What it costs to work out the accepted sizes: `check` with and without that, and networks with deep ladders."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import ROOT, Row, python

# The computing time of a check as it is, and of one in which no condition on sizes is kept or solved: the least of
# several rounds in turn, in one process, without its start.
MEASURE = """
import json, sys, time
from archdsl import compiler
from archdsl.passes.elaborate.patterns import Needs

def ignore(*arguments, **options):
    pass

def seconds(path):
    start = time.process_time()
    spec = compiler.Compilation.from_path(path)
    spec.diagnostics
    return time.process_time() - start

whole = {(compiler, "check_accepted"): compiler.check_accepted, (Needs, "_need"): Needs._need}
found = {}
for path in sys.argv[2:]:
    times = {True: [], False: []}
    for _ in range(int(sys.argv[1])):
        for solved in times:
            for (owner, name), kept in whole.items():
                setattr(owner, name, kept if solved else ignore)
            times[solved].append(seconds(path))
    found[path] = [min(times[True]), min(times[False])]
print(json.dumps(found))
"""


def rows(quick: bool) -> Iterator[Row]:
    rounds = 3 if quick else 25
    specs = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("specs/*.arch"))
    times = _measured(rounds, specs)
    ratios = {path: whole / without for path, (whole, without) in times.items()}
    worst = max(ratios, key=ratios.__getitem__)
    yield Row(
        f"a check over the same without the accepted sizes: the most of {len(specs)} specs (`{worst}`, "
        f"{times[worst][0] * 1e3:.0f} ms over {times[worst][1] * 1e3:.0f} ms)",
        f"{ratios[worst]:.2f}x", "at most 1.30x", ratios[worst] <= 1.3,
    )  # fmt: skip
    for what, body in LADDERS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.arch"
            path.write_text(f"network Net {{\n  input x: [8, H, W]\n{body}}}\n", encoding="utf-8")
            ((whole, _),) = _measured(1, [str(path)]).values()
        yield Row(f"a check of {what}", f"{whole:.2f} s", "below 1 s", whole < 1)


def _measured(rounds: int, paths: list[str]) -> dict[str, tuple[float, float]]:
    command = [*python("-c", MEASURE), str(rounds), *paths]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, tuple[float, float]] = json.loads(done.stdout)
    return found


def _hourglass(levels: int) -> str:
    """A stacked hourglass (Newell et al., 2016): at each level a branch as it is beside one at half the size."""
    if not levels:
        return "conv(8, 3, padding=1)"
    return f"add {{ conv(8, 3, padding=1); {{ maxpool(2); {_hourglass(levels - 1)}; upsample(2) }} }}"


LADDERS = {
    "eight four-level hourglasses": f"  {_hourglass(4)}\n" * 8,
    "a chain of twenty poolings of 2": "  maxpool(2)\n" * 20,
    "a chain of twenty poolings of 3 with `ceil`": "  maxpool(3, stride=2, ceil=true)\n" * 20,
    "ten poolings of 3, each doubled again": "  maxpool(3)\n  upsample(2)\n" * 10,
}
