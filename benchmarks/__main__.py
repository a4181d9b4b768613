"""Runs the benchmarks and prints their results as one Markdown table each."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from benchmarks import check_domain, check_linear, check_startup, check_validation, eager_cost, render_folded
from benchmarks.measure import Row

BENCHMARKS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "check_startup": check_startup.rows,
    "check_linear": check_linear.rows,
    "check_domain": check_domain.rows,
    "check_validation": check_validation.rows,
    "eager_cost": eager_cost.rows,
    "render_folded": render_folded.rows,
}
RESULTS = Path(__file__).with_name("results.md")


def main() -> int:
    """Returns 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all without any")
    parser.add_argument("--quick", action="store_true", help="few rounds and small sizes, to see that all of it runs")
    parser.add_argument("--write", action="store_true", help=f"also write the tables to {RESULTS.name}")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    tables: dict[str, str] = {}
    missed = False
    for name in options.names or BENCHMARKS:
        said = [f"## {name}", "", "| compared | measured | target | |", "|---|---|---|---|"]
        print("\n".join(said), flush=True)
        for row in BENCHMARKS[name](options.quick):
            said.append(f"| {row.what} | {row.figure} | {row.target} | {'' if row.met else '**missed**'} |")
            print(said[-1], flush=True)
            missed = missed or not row.met
        print()
        tables[name] = "\n".join([*said, "", f"Python {platform.python_version()}, {date.today():%d %B %Y}."])
    if options.write:
        _write(tables)
    return 1 if missed else 0


def _write(tables: dict[str, str]) -> None:
    """Puts tables in the place of those that the results have; the others stay."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    kept = {part.partition("\n")[0]: f"## {part.strip()}" for part in text.split("\n## ")[1:]}
    found = kept | tables
    parts = ["# Results", *(found[name] for name in BENCHMARKS if name in found)]
    RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
