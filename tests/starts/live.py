"""Live modules of specs, and the constants that their parameters start at."""

from __future__ import annotations

from typing import Any

from archdsl.compiler import Compilation


def module(text: str, name: str = "N", **settings: Any) -> Any:
    """A network's module, as it is after its constructor."""
    names: dict[str, Any] = {"__name__": "emitted"}
    compilation = Compilation.from_text(text)
    assert compilation.ok, compilation.diagnostics
    exec(compile(compilation.compile(name, settings), "emitted.py", "exec"), names)
    return names[name]()


def constants(text: str) -> dict[str, float]:
    """By path, the parameters that start as a number of 2 or more: PyTorch starts none of those used here like that."""
    found = {}
    for path, parameter in module(text).named_parameters():
        values = set(parameter.detach().flatten().tolist())
        if max(values) >= 2:
            assert len(values) == 1, path
            found[path] = values.pop()
    return found
