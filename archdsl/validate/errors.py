"""What is raised where an emitted program is not the network that was checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Mismatch(Exception):
    """An emitted program differs from the checked graph: `path` is the module where, `what` the difference.

    It is a fault of the compiler, never of the spec.
    """

    def __init__(self, what: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.path = path

    def __str__(self) -> str:
        return f"in `{'.'.join(self.path)}`: {self.what}" if self.path else self.what


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Puts the name of a submodule before the path of a mismatch that is found in it."""
    try:
        yield
    except Mismatch as error:
        error.path = (name, *error.path)
        raise
