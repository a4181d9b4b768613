"""A process that fuzzes: inputs of one source, in a new folder, under limits. `test_fuzz.py` starts it.

    python tests/fuzz/fuzz.py tokens --count 1000 --seed 7 --findings DIR
    python tests/fuzz/fuzz.py again FILE…                                   # what was found, without any limit

Standard output gets a report in JSON, standard error a line now and then.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watch import Watch

SOURCES = ("bytes", "tokens", "grammar", "guided")


def main() -> None:
    arguments = _arguments()
    if arguments.what == "again":
        _again([path.resolve() for path in arguments.files])
        return
    findings = arguments.findings.resolve()
    findings.mkdir(parents=True, exist_ok=True)
    source = _source(arguments.what, arguments.seed)  # first, as one of them has to load the parser itself
    from examine import all_wanted, examine, parse_only, wanted
    from watch import Watch

    if arguments.what == "guided":
        run, strict = parse_only, parse_only
    else:
        run, strict = (lambda content: examine(content, wanted(content))), partial(examine, wanted=all_wanted)
    watch = Watch(f"{arguments.what}/{arguments.seed}", arguments.count, findings, run, strict)
    with tempfile.TemporaryDirectory(prefix="archdsl-fuzz-") as folder:
        os.chdir(folder)
        source(watch)
        watch.end()
        os.chdir(findings)


def _source(name: str, seed: int) -> Callable[[Watch], None]:
    match name:
        case "grammar":
            from grammar_specs import grammar_specs

            return partial(grammar_specs, seed)
        case "guided":
            from guided import guided

            return partial(guided, seed)
        case "bytes":
            from byte_mutants import byte_mutants

            mutants = byte_mutants(f"{seed}")
        case _:
            from token_mutants import token_mutants

            mutants = token_mutants(f"{seed}")

    def feed(watch: Watch) -> None:
        for content in takewhile(lambda _: not watch.enough, mutants):
            watch(content)

    return feed


def _again(paths: list[Path]) -> None:
    from examine import all_wanted, examine

    with tempfile.TemporaryDirectory(prefix="archdsl-fuzz-") as folder:
        contents = [path.read_bytes() for path in paths]
        os.chdir(folder)
        for path, content in zip(paths, contents, strict=True):
            print(f"{path.name}: {examine(content, all_wanted)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*SOURCES, "again"])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path("findings"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
