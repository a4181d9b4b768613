"""What there is to say of a layer: its signature, doc and source as it states them, the rest from trying its examples.

Input: a layer's class. Output: an `Entry`. Each is as true as the checker, since the checker is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from inspect import cleandoc

from archdsl.graph.model import Apply
from archdsl.layers import registry
from archdsl.layers.args import show as show_value
from archdsl.layers.base import Layer
from archdsl.layers.call import Call
from archdsl.layers.signature import REQUIRED, Field, describe
from archdsl.reference.tried import AXES, RANKS, Tried, at_rank, attempt, made

_SENTENCE = re.compile(r"(?<=[.:!?])\s+(?=[A-Z`])")
_CITED = re.compile(r", (19|20)\d\d\b")

OWN = " (the emitted file's own)"


class Unusable(Exception):
    """A layer of another package that cannot be told of; the message says why."""


@dataclass(frozen=True)
class Becomes:
    """A name of PyTorch, or of a helper that the emitted file brings along (`helper`)."""

    name: str
    helper: bool

    def __str__(self) -> str:
        return self.name + OWN * self.helper


@dataclass(frozen=True)
class Entry:
    """A layer in the reference."""

    layer: type[Layer]

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def family(self) -> str:
        return self.layer.family

    @property
    def shipped(self) -> bool:
        """Whether it comes with archdsl, not with another package."""
        return registry.is_shipped(self.name)

    @property
    def signature(self) -> str:
        return describe(self.name, self.layer.fields)

    @property
    def summary(self) -> str:
        """What comes out, in a line."""
        return (*self.doc, self.source or "")[0]

    @property
    def doc(self) -> tuple[str, ...]:
        """The paragraphs of its doc without the source."""
        kept = (" ".join(s for s in _sentences(each) if not _CITED.search(s)) for each in self._paragraphs)
        return tuple(filter(None, kept))

    @property
    def source(self) -> str | None:
        """The papers that it cites: the sentences of its doc with a year in them."""
        return " ".join(s for each in self._paragraphs for s in _sentences(each) if _CITED.search(s)) or None

    @property
    def _paragraphs(self) -> list[str]:
        return cleandoc(self.layer.__doc__ or "").split("\n\n")

    @cached_property
    def examples(self) -> tuple[Tried, ...]:
        """Its examples, each tried; those that the checker refuses are left out. Raises Unusable if it refuses all."""
        with self._trying():
            found = tuple(filter(None, map(attempt, self.layer.examples)))
        if not found:
            raise Unusable(f"`{self.name}` refuses all of its own examples")
        return found

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """How many dims its input may have, with some arguments or others. Raises Unusable."""
        return tuple(self._at_ranks)

    @cached_property
    def becomes(self) -> tuple[Becomes, ...]:
        """What stands for it in the emitted code, the module before the function. Raises Unusable."""
        with self._trying():
            calls = [call for items in self._at_ranks.values() for item in items for call in made(item)]
        return tuple(sorted({_becomes(call) for call in calls}, key=_modules_first))

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of its parameters in its module's `state_dict`, with some arguments or others. Raises Unusable."""
        return tuple(dict.fromkeys(name for each in self.examples for name in each.weights))

    @property
    def buffers(self) -> tuple[str, ...]:
        """The names of its buffers there. Raises Unusable."""
        return tuple(dict.fromkeys(name for each in self.examples for name in each.buffers))

    @cached_property
    def _at_ranks(self) -> dict[int, list[Apply]]:
        """Its examples on inputs with other numbers of dims than they state, where they fit."""
        with self._trying():
            found = {rank: [at_rank(each, rank) for each in self.layer.examples] for rank in RANKS}
        own = [(len(each.inputs[0]), each.item) for each in self.examples]
        every = {rank: [i for r, i in own if r == rank] + list(filter(None, items)) for rank, items in found.items()}
        return {rank: items for rank, items in every.items() if items}

    @contextmanager
    def _trying(self) -> Iterator[None]:
        """Of a layer of another package a hook may fail in any of the ways that Python has."""
        try:
            yield
        except registry.FAULTS as error:
            if self.shipped:
                raise
            raise Unusable(f"`{self.name}` fails on its own example: {type(error).__name__}: {error}") from error


def entry(name: str) -> Entry | None:
    """The layer of that name, None if there is none. Raises Unusable."""
    try:
        found = registry.find(name)
    except registry.BrokenLayer as error:
        raise Unusable(f"the layer `{name}` cannot be used: {error}") from error
    return None if found is None else Entry(found)


def dims(rank: int) -> str:
    """`[C, H, W]`: how a shape with that many dims is written."""
    return f"[{', '.join(AXES[0][rank])}]"


def default(field: Field) -> str | None:
    """An argument's default as a spec's author would write it; None if it has to be given."""
    return None if field.default is REQUIRED else show_value(field.default)


def _sentences(text: str) -> list[str]:
    return _SENTENCE.split(" ".join(text.split()))


def _becomes(call: Call) -> Becomes:
    name = f"Tensor{call.func}" if call.func.startswith(".") else call.func
    return Becomes(name, bool(call.support))


def _modules_first(each: Becomes) -> tuple[bool, bool, str]:
    return not each.name.rpartition(".")[2][:1].isupper(), each.helper, each.name
