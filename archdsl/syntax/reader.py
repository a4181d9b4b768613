"""The parser that Lark makes of the grammar, once a process.

Reading the grammar and working out its tables takes some 150 ms, loading them a tenth of that. So Lark keeps them in
a cache file, which it checks against the grammar, its own version and Python's. The file stands in the `__pycache__`
beside the grammar, where Python keeps compiled files of its own, or, where that cannot be written, in the user's cache
directory. Lark rebuilds what is missing, stale or corrupt and goes on without a file that it cannot write, so that the
cache can only save time.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import RLock

from archdsl.syntax.build import Builder
from archdsl.syntax.layout import Layout
from archdsl.syntax.machine import Machine


class Reader:
    """Lexer, layout, machine and builder, tied together. `lock` keeps the files of two threads apart."""

    def __init__(self, grammar: Path, cache_file: Path | None) -> None:
        from lark import Lark  # here, not above: who only imports archdsl does not wait for it

        self.lock = RLock()
        self.builder = Builder()
        self.layout = Layout()
        self.lark = Lark(
            grammar.read_text(encoding="utf-8"),
            parser="lalr",
            lexer="basic",
            transformer=self.builder,
            postlex=self.layout,
            cache=str(cache_file) if cache_file else False,
        )
        self.machine = Machine(self.lark)


@cache
def reader() -> Reader:
    """The process's one reader."""
    folder = import_module("archdsl.grammars").__file__
    assert folder is not None
    grammar = Path(folder).with_name("arch.lark")
    return Reader(grammar, _cache_file(grammar.parent))


def _cache_file(beside: Path) -> Path | None:
    own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    for folder in (beside / "__pycache__", own / "archdsl"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder / f"arch.{sys.implementation.cache_tag}.lark"
    return None
