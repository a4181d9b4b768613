"""Says at the end how many inputs there were, also where the tests ran in processes of their own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

collect_ignore_glob = ["found/*.arch"]  # they need not be right, only be told of in an orderly way


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports: list[dict[str, Any]] = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "fuzzed"
    ]
    if not reports:
        return
    sources: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for report in reports:
        sources[report["source"]] += report["inputs"]
        outcomes.update(report["outcomes"])
    by_source = ", ".join(f"{source} {count:,}" for source, count in sorted(sources.items()))
    slowest = max(reports, key=lambda report: float(report["slowest"]))
    peak = max(int(report["peak"]) for report in reports) >> 20
    terminalreporter.write_line(
        f"fuzzed: {sources.total():,} inputs ({by_source}), {outcomes['sound']:,} of them sound; no traceback;"
        f" the slowest took {float(slowest['slowest']):.2f} s; peak memory {peak} MB"
    )
