"""What it costs to validate emitted code: against the emission of the same code, and a class with many parameters."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

from benchmarks.measure import ROOT, Row, python

# The computing time of an emission (the traced elaboration and the text), of the validation of that text, and of the
# trials with other arguments: the least of several rounds in turn, in one process, without its start.
MEASURE = """
import json, sys, time
from archdsl.compiler import Compilation, accepted
from archdsl.diagnostics import Sink
from archdsl.emit import torch
from archdsl.passes.cost import Cost
from archdsl.passes.elaborate import Memo, elaborate
from archdsl.validate import Validation, wrong_block_parameters, wrong_parameters

def seconds(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result

found = {}
for path in sys.argv[2:]:
    spec = Compilation.from_path(path)
    if not spec.definitions:
        continue
    definition, network = spec.definition(), spec.network()
    accepted(network)

    def emission():
        traced = elaborate(definition, {}, Sink(), trace=True)
        frozen = torch.decided(traced)
        return torch.emit(traced, Cost(network), accepted(network), "0", frozen), frozen

    def validation():
        made = Validation(text, network, torch.SUPPORTS)
        made.check(network, {})
        return made

    def trials():
        free = {name: v for name, v in network.scope.params.items() if (definition.node, name) not in frozen}
        memo = Memo()
        wrong_parameters(made, definition, {}, free, memo)
        wrong_block_parameters(made, definition, network, memo)

    times = ([], [], [])
    for _ in range(int(sys.argv[1])):
        took, (text, frozen) = seconds(emission)
        times[0].append(took)
        took, made = seconds(validation)
        times[1].append(took)
        times[2].append(seconds(trials)[0])
    found[path] = list(map(min, times))
print(json.dumps(found))
"""

MANY = """
import sys, time
from archdsl.compiler import Compilation
names = [f"w{i}" for i in range(int(sys.argv[1]))]
layers = "\\n".join(f"  conv({name}, 1)" for name in names)
text = f"network Net({', '.join(f'{name}=4' for name in names)}) {{\\n  input x: [3, H, W]\\n{layers}\\n}}\\n"
spec = Compilation.from_text(text)
start = time.process_time()
assert spec.ok
checked = time.process_time()
spec.compile()
print((time.process_time() - checked) / (checked - start))
"""


def rows(quick: bool) -> Iterator[Row]:
    rounds = 2 if quick else 15
    specs = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("specs/*.arch"))
    times = measured(rounds, specs)
    ratios = {path: validation / emission for path, (emission, validation, _) in times.items()}
    worst = max(ratios, key=ratios.__getitem__)
    emission, validation, trials = map(sum, zip(*times.values(), strict=True))
    whole = validation / emission
    yield Row(f"validating over emitting, all {len(specs)} specs together", f"{whole:.2f}x", "at most 1x", whole <= 1)
    yield Row(
        f"the same, the most of them (`{worst}`, {times[worst][1] * 1e3:.0f} ms over {times[worst][0] * 1e3:.0f} ms)",
        f"{ratios[worst]:.2f}x", "at most 1.5x", ratios[worst] <= 1.5,
    )  # fmt: skip
    yield Row("trying other arguments of networks and blocks over emitting, all specs together",
              f"{trials / emission:.2f}x", "at most 4x", trials <= 4 * emission)  # fmt: skip
    count = 50 if quick else 500
    ratio = float(_printed(MANY, str(count)))
    yield Row(f"compiling over checking {count} layers, each with a parameter of its own", f"{ratio:.1f}x",
              "at most 150x", ratio <= 150)  # fmt: skip


def measured(rounds: int, specs: list[str]) -> dict[str, list[float]]:
    """The seconds that emission, validation and trials take, of each spec."""
    found: dict[str, list[float]] = json.loads(_printed(MEASURE, str(rounds), *specs))
    return found


def _printed(program: str, *arguments: str) -> str:
    """What a process of its own prints. Raises CalledProcessError if it fails."""
    command = python("-c", program, *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
