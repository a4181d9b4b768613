"""Kinds of arguments: what a layer's field accepts and how a value of the language becomes the field's value.

A kind's `convert` returns the value or raises `ArgumentError` with what was expected; the caller knows the place.
Ints are passed on as they are (not copied), since the emitter uses int subclasses that remember how they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


class ArgumentError(Exception):
    """A value that an argument does not take; the message says what it takes."""


class Kind:
    """Base of the kinds. `words` are the bare names that are accepted as strings."""

    words: tuple[str, ...] = ()
    is_value = False

    def convert(self, value: Any) -> Any:
        raise NotImplementedError

    def describe(self) -> str:
        """What is accepted, to follow "takes"."""
        raise NotImplementedError


def show(value: object) -> str:
    """A value of the language as its author would write it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple) and value and all(isinstance(v, int) for v in value):
        return "x".join(str(int(v)) for v in value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(v) for v in value) + "]"
    return str(value)


MOST_SHOWN = 60  # characters of a value in a message


def brief(value: object) -> str:
    """A value in a message: as `show` has it, cut where it is long."""
    text = show(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1].rstrip()}…"


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class Int(Kind):
    """An integer from `minimum` on. A float of integral value (`2.0`) is refused: it is usually a slip with `/`."""

    minimum: int | None = None

    def convert(self, value: Any) -> Any:
        if not _is_int(value) or (self.minimum is not None and value < self.minimum):
            whole = " (`//`, `round` and `floor` give integers)" if isinstance(value, float) else ""
            raise ArgumentError(f"takes {self.describe()}, not {brief(value)}{whole}")
        return value

    def describe(self) -> str:
        return "an integer" if self.minimum is None else f"an integer of at least {self.minimum}"


@dataclass(frozen=True)
class Float(Kind):
    """A number in `minimum` … `maximum`, both included."""

    minimum: float | None = None
    maximum: float | None = None

    def convert(self, value: Any) -> Any:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) != float("inf")
        if good and self.minimum is not None:
            good = value >= self.minimum
        if good and self.maximum is not None:
            good = value <= self.maximum
        if not good:
            raise ArgumentError(f"takes {self.describe()}, not {brief(value)}")
        return value

    def describe(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"a number from {self.minimum:g} to {self.maximum:g}"
        return "a number" if self.minimum is None else f"a number of at least {self.minimum:g}"


@dataclass(frozen=True)
class Bool(Kind):
    def convert(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ArgumentError(f"takes true or false, not {brief(value)}")
        return value

    def describe(self) -> str:
        return "true or false"


class Choice(Kind):
    """One of a few words, quoted or bare."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any) -> Any:
        if value not in self.words:
            raise ArgumentError(f"takes {self.describe()}, not {brief(value)}")
        return value

    def describe(self) -> str:
        return " or ".join(show(word) for word in self.words)


class Scale(Kind):
    """A positive factor for sizes, exact in binary: floor(size * scale) is then the same in floats and in fractions."""

    def convert(self, value: Any) -> Any:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1024
        if not good or Fraction(value).denominator > 64:
            raise ArgumentError(f"takes {self.describe()}, not {brief(value)}")
        return value

    def describe(self) -> str:
        return "a positive number, whole or a multiple of 1/64, of at most 1024"


class PerAxis(Kind):
    """An integer for all spatial axes, or one for each (`7x7`, `[1, 7]`); and the bare words given, `same` say."""

    def __init__(self, minimum: int = 1, *words: str) -> None:
        self.minimum = minimum
        self.words = words

    def convert(self, value: Any) -> Any:
        if isinstance(value, str) and value in self.words:
            return value
        each: Sequence[Any] = value if isinstance(value, (tuple, list)) else (value,)
        if not 1 <= len(each) <= 3 or not all(_is_int(v) and v >= self.minimum for v in each):
            raise ArgumentError(f"takes {self.describe()}, not {brief(value)}")
        return value if _is_int(value) else tuple(value)

    def describe(self) -> str:
        words = "".join(f", or {word}" for word in self.words)
        return f"an integer of at least {self.minimum}, or one for each axis (3x3){words}"


@dataclass(frozen=True)
class ListOf(Kind):
    """A list with at least one item, each of kind `item`."""

    item: Kind

    def convert(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or not value:
            raise ArgumentError(f"takes {self.describe()}, not {brief(value)}")
        return [self.item.convert(v) for v in value]

    def describe(self) -> str:
        return f"a list, each item {self.item.describe()}"


class Optional(Kind):
    """Another kind, or `none`."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.words = kind.words
        self.is_value = kind.is_value

    def convert(self, value: Any) -> Any:
        return None if value is None else self.kind.convert(value)

    def describe(self) -> str:
        return f"{self.kind.describe()}, or none"


class Value(Kind):
    """The name of a value (a tensor). It becomes a further input of the layer; the field holds that input's index."""

    is_value = True

    def convert(self, value: Any) -> Any:
        return value

    def describe(self) -> str:
        return "the name of a value"


class Pooling(Value):
    """The name of a value that a pooling made. It becomes two further inputs; the field holds a `Pooled`."""

    def describe(self) -> str:
        return "the name of a value that a pooling made"


class Anything(Kind):
    """What a block's parameter without a stated kind takes."""

    def convert(self, value: Any) -> Any:
        return value

    def describe(self) -> str:
        return "a number, a string, true or false, none, a size or a list"
