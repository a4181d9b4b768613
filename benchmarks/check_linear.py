"""`archdsl check` of ever larger specs: time and memory grow as the layers do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import Row, Run, cpu, interleaved, peak, python

UNIT = """block unit(width) {
  conv1 = conv(width, 3, padding=1, bias=false)
  batchnorm -> relu
  conv2 = conv(width, 1)
}
"""
PER_UNIT = 4


def flat(layers: int) -> str:
    """One line a layer, no two the same."""
    lines = (f"  layer{i} = conv({8 + i % 64}, {1 + 2 * (i % 3)}, padding={i % 3})" for i in range(layers))
    return "\n".join(["network Flat {", "  input x: [3, H, W]", *lines, "}", ""])


def repeated(layers: int) -> str:
    """One block over and over, each time a module of its own."""
    loop = f"  for i in 1..{layers // PER_UNIT} {{ unit[i] = unit(16) }}"
    return f"{UNIT}\nnetwork Repeated {{\n  input x: [16, H, W]\n{loop}\n}}\n"


def written(layers: int) -> str:
    """The same block over and over, each time on a line of its own."""
    lines = (f"  unit{i} = unit(16)" for i in range(layers // PER_UNIT))
    return "\n".join([UNIT, "network Written {", "  input x: [16, H, W]", *lines, "}", ""])


KINDS: dict[str, Callable[[int], str]] = {
    "distinct lines": flat,
    "a block in a loop": repeated,
    "a block, a line each": written,
}


def rows(quick: bool) -> Iterator[Row]:
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    with tempfile.TemporaryDirectory() as folder:
        for kind, text in KINDS.items():
            commands = {}
            for layers in (PER_UNIT, *sizes):
                path = Path(folder) / f"{text.__name__}_{layers}.arch"
                path.write_text(text(layers), encoding="utf-8")
                commands[str(layers)] = python("-m", "archdsl", "check", str(path))
            runs = {int(layers): found for layers, found in interleaved(commands, 1 if quick else 3).items()}
            yield from _compared(kind, runs, sizes)


def _compared(kind: str, runs: dict[int, list[Run]], sizes: tuple[int, ...]) -> Iterator[Row]:
    """Whole processes; and for the largest, where start-up is too small to hide anything, the time without it."""
    start = cpu(runs[PER_UNIT])
    whole = {layers: cpu(runs[layers]) for layers in sizes}
    spent = {layers: seconds - start for layers, seconds in whole.items()}
    for less, more in pairwise(sizes):
        times = whole[more] / whole[less]
        yield Row(
            f"{kind}: time of {more:,} layers ({whole[more]:.2f} s) over {less:,} ({whole[less]:.2f} s)",
            f"{times:.1f}x", "at most 12x", times <= 12,
        )  # fmt: skip
        times = peak(runs[more]) / peak(runs[less])
        yield Row(
            f"{kind}: memory of {more:,} layers ({peak(runs[more]):.0f} MB) over {less:,}",
            f"{times:.1f}x", "at most 12x", times <= 12,
        )  # fmt: skip
    less, last = sizes[-2:]
    times = spent[last] / spent[less]
    yield Row(
        f"{kind}: time without start-up of {last:,} layers ({spent[last]:.2f} s) over {less:,} ({spent[less]:.2f} s)",
        f"{times:.1f}x", "at most 12x", times <= 12,
    )  # fmt: skip
    each = spent[last] / last * 1e6
    if kind == "distinct lines":
        yield Row(f"{kind}: time of each of {last:,} layers", f"{each:.0f} us", "", True)
    else:
        yield Row(f"{kind}: time of each of {last:,} layers", f"{each:.0f} us", "at most 60 us", each <= 60)
    yield Row(
        f"{kind}: peak memory of {last:,} layers",
        f"{peak(runs[last]):.0f} MB",
        "below 1000 MB",
        peak(runs[last]) < 1000,
    )
