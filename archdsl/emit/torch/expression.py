"""A value of a `forward` as Python text that is not written yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from archdsl.emit.torch.code import Doc, flat

# A string, or a name that is no attribute and no argument's.
_NAMES = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\w.])[A-Za-z_]\w*(?![\w])(?!=[^=])')


@dataclass(frozen=True, eq=False)
class Expression:
    """A value as Python text that is not written yet.

    `ran` are the numbers of the first and the last application in it, by their order in the spec; `typed` says that a
    type checker knows it as a tensor; `op` is "+" or "*" where it is a sum or a product, which take parentheses in some
    places.
    """

    doc: Doc
    depth: int = 0
    typed: bool = True
    op: str = ""
    ran: tuple[int, int] | None = None

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names in it: what is read is seen from the very text that will be written."""
        return frozenset(name for name in _NAMES.findall(flat(self.doc)) if not name.startswith('"'))


def atom(each: Expression) -> Doc:
    """An expression that a method call or a product can take as it is."""
    return f"({flat(each.doc)})" if each.op else each.doc
