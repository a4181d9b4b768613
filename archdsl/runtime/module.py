"""Compiled source text as an imported Python module, so that everything that looks for source code finds it.

Tracebacks, `inspect.getsource`, debuggers and `torch.compile` read the text through `linecache`; `pickle` and
`copy.deepcopy` of a network (or a part of one) carry the text along, so that another process can load them.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from types import ModuleType
from typing import Any

from torch import nn

PREFIX = "archdsl.runtime.loaded_"


def module_of(source: str, title: str) -> ModuleType:
    """The module that `source` makes; the same text is the same module, and has the same classes.

    `title` is what tracebacks call it, beside a digest that tells two settings of one spec apart.
    """
    digest = hashlib.sha256(f"{title}\0{source}".encode(errors="backslashreplace")).hexdigest()[:16]
    name, filename = PREFIX + digest, f"<archdsl {title} {digest}>"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name, f"{title}, compiled by archdsl.")
    module.__file__ = filename
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    sys.modules[name] = module  # before it runs: dataclasses and annotations look their module up
    try:
        exec(compile(source, filename, "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    for value in list(vars(module).values()):
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == name:
            _make_portable(value, source, title)
    return module


def _make_portable(cls: type[nn.Module], source: str, title: str) -> None:
    """Lets instances be pickled with the text of their module, not just its name."""

    def reduce(self: nn.Module, protocol: int) -> tuple[Any, ...]:
        reduced = object.__reduce_ex__(self, protocol)
        assert isinstance(reduced, tuple)
        return _restore, (source, title, type(self).__qualname__), reduced[2]

    cls.__reduce_ex__ = reduce  # type: ignore[method-assign, assignment]  # added to a class that is made already


def _restore(source: str, title: str, name: str) -> nn.Module:
    cls = getattr(module_of(source, title), name)
    restored: nn.Module = cls.__new__(cls)
    return restored
