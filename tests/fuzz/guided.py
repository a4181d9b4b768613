"""Inputs for the parser that a coverage-guided fuzzer finds: libFuzzer, by way of Atheris.

It keeps what reaches code of `archdsl.syntax` that nothing before has reached, and goes on from there. This module is
to be imported before the parser is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["archdsl.syntax", "archdsl.diagnostics"]):
    import archdsl.diagnostics.render
    import archdsl.syntax.build
    import archdsl.syntax.errors
    import archdsl.syntax.habits
    import archdsl.syntax.literals
    import archdsl.syntax.parse
    import archdsl.syntax.reader
    import archdsl.syntax.unclosed  # noqa: F401  # all of them for the coverage

from seeds import small, specs

if TYPE_CHECKING:
    from watch import Watch

_WORDS = """
    block network input output training shared let for in if else expect init on from import as at where repeat
    project shortcut true false none and or not conv relu concat residual -> .. // == != <= >= { } ( ) [ ] = , :
    ; . + - * / % 64 3 1.5 1e-3 3x3 1K x Net
"""
WORDS = _WORDS.split()


def guided(seed: int, watch: Watch) -> None:
    """Never returns, since libFuzzer does not: at the end it says what there was and ends the process."""
    corpus = Path("corpus")
    corpus.mkdir()
    for i, text in enumerate((*specs(), *small())):
        corpus.joinpath(str(i)).write_text(text, encoding="utf-8")
    Path("words").write_text("".join(f'"{word}"\n' for word in [*WORDS, r"\"\"\"", r"\x0a  "]), encoding="utf-8")

    def take(content: bytes) -> None:
        watch(content)
        if watch.enough:
            watch.end()
            os._exit(0)

    options = {
        "seed": seed + 1,  # 0 stands for a seed of the day
        "dict": "words",
        "max_len": 3000,
        "timeout": 0,  # `watch` has the clock
        "rss_limit_mb": 0,  # and the limit
        "verbosity": 0,
    }
    atheris.Setup([sys.argv[0], "corpus", *(f"-{key}={value}" for key, value in options.items())], take)
    atheris.Fuzz()
