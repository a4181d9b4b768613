"""The time that the search for ways out may take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time


class Clock:
    """How long is searched, in seconds of the processor: a message is not worth waiting for longer."""

    def __init__(self, seconds: float = 1.5) -> None:
        self.left = seconds
        self._until = 0.0

    @contextmanager
    def share(self, parts: int) -> Iterator[None]:
        """The time of one of the searches that are left."""
        began = process_time()
        self._until = began + self.left / parts
        yield
        self.left -= process_time() - began

    @property
    def runs(self) -> bool:
        return process_time() < self._until
