"""`archdsl render` of ResNet-152, folded: the whole process, from the spec to the file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, cpu, interleaved, python

SPEC = "specs/resnet152.arch"


def rows(quick: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "x.svg")
        runs = interleaved(
            {"render": python("-m", "archdsl", "render", SPEC, "-o", out)}, rounds=3 if quick else 15
        )["render"]  # fmt: skip
    took = cpu(runs)
    yield Row(f"`render {SPEC} -o x.svg`", f"{took:.2f} s", "below 1 s", took < 1)
