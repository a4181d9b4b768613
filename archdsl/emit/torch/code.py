"""Python code as documents, and their layout as `ruff format` leaves it.

A document is a string that stays on one line, or a `Bracket` that may be spread over lines, one item a line with a
trailing comma. That form is stable under every formatter's line length from `WIDTH` on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import takewhile

from archdsl.graph.traced import Ref

WIDTH = 88
INDENT = "    "


@dataclass(frozen=True)
class Bracket:
    """`prefix item, item suffix`; the prefix ends with a bracket, the suffix starts with one."""

    prefix: str
    items: tuple[Doc, ...]
    suffix: str = ")"


@dataclass(frozen=True)
class Prefixed:
    """A document behind a text that sticks to it: `stride=2`, `*(…)`."""

    text: str
    doc: Doc


Doc = str | Bracket | Prefixed


def call(func: str, *items: Doc) -> Bracket:
    return Bracket(f"{func}(", items)


def flat(doc: Doc) -> str:
    """The document on one line."""
    if isinstance(doc, str):
        return doc
    if isinstance(doc, Prefixed):
        return doc.text + flat(doc.doc)
    return doc.prefix + ", ".join(map(flat, doc.items)) + doc.suffix


def suffixed(doc: Doc, text: str) -> Doc:
    """The document with a text that sticks to its end."""
    if isinstance(doc, str):
        return doc + text
    if isinstance(doc, Prefixed):
        return Prefixed(doc.text, suffixed(doc.doc, text))
    return Bracket(doc.prefix, doc.items, doc.suffix + text)


@dataclass(frozen=True)
class Line:
    """A statement: a text (`x = `) and a document; `comment` goes behind it if there is room."""

    doc: Doc
    comment: str = ""


@dataclass(frozen=True)
class Block:
    """`header:` and the statements under it."""

    header: Doc
    body: tuple[Stmt, ...]


@dataclass(frozen=True)
class Looped:
    """A loop of the spec: its header and the code of a turn; None if it had no turn, which goes with any."""

    header: str
    body: tuple[Stmt, ...] | None
    depends: frozenset[Ref] = field(default=frozenset(), compare=False)  # what it goes over


@dataclass(frozen=True)
class Cases:
    """An `if` of the spec: the statements of each case that was seen, by its index, and the conditions.

    One case seen: it was decided at compile time. Several: the code decides, and notes the only condition as `flag`.
    """

    key: int
    conditions: tuple[str | None, ...]
    seen: tuple[tuple[int, tuple[Stmt, ...]], ...]
    depends: frozenset[Ref] = field(default=frozenset(), compare=False)  # what the conditions ask for
    flag: str = ""


@dataclass(frozen=True)
class Flagged:
    """Statements that some users of a class want and others do not, by the flag of that name."""

    flag: str
    body: tuple[Stmt, ...] | None


Stmt = Line | Block | Looped | Cases | Flagged


class Differ(Exception):
    """Two pieces of code are not the same up to cases, flags and loops without a turn."""


def merge(left: Sequence[Stmt], right: Sequence[Stmt]) -> tuple[Stmt, ...]:
    """One code for two that differ only in which cases, flags and loops were seen. Raises Differ."""
    if len(left) != len(right):
        raise Differ
    return tuple(_merge(a, b) for a, b in zip(left, right, strict=True))


def _merge(a: Stmt, b: Stmt) -> Stmt:
    if isinstance(a, Line) and a == b:
        return a
    if isinstance(a, Block) and isinstance(b, Block) and a.header == b.header:
        return Block(a.header, merge(a.body, b.body))
    if isinstance(a, Looped) and isinstance(b, Looped) and a.header == b.header:
        if a.body is None or b.body is None:
            return a if b.body is None else b
        return Looped(a.header, merge(a.body, b.body), a.depends | b.depends)
    if isinstance(a, Cases) and isinstance(b, Cases) and a.key == b.key:
        seen = dict(a.seen)
        for case, body in b.seen:
            seen[case] = merge(seen[case], body) if case in seen else body
        if len(seen) > 1 and None in a.conditions:
            raise Differ
        found = tuple(sorted(seen.items(), key=lambda pair: pair[0]))
        return Cases(a.key, a.conditions, found, a.depends | b.depends, a.flag)
    if isinstance(a, Flagged) and isinstance(b, Flagged) and a.flag == b.flag:
        if a.body is None or b.body is None:
            return a if b.body is None else b
        return Flagged(a.flag, merge(a.body, b.body))
    raise Differ


def lines(stmts: Sequence[Stmt], depth: int = 0) -> Iterator[str]:
    """The code, laid out."""
    for stmt in stmts:
        if isinstance(stmt, Line):
            yield from _line(stmt, depth)
        elif isinstance(stmt, Block):
            yield from _spread(suffixed(stmt.header, ":"), depth)
            yield from list(lines(stmt.body, depth + 1)) or [INDENT * (depth + 1) + "pass"]
        elif isinstance(stmt, Looped):
            yield from lines((Block(stmt.header, stmt.body),) if stmt.body is not None else (), depth)
        elif isinstance(stmt, Cases):
            yield from _cases(stmt, depth)
        elif stmt.body:
            yield f"{INDENT * depth}if {stmt.flag}:"
            yield from lines(stmt.body, depth + 1)


def _cases(stmt: Cases, depth: int) -> Iterator[str]:
    if len(stmt.seen) == 1:
        yield from lines(stmt.seen[0][1], depth)
        return
    word = "if"
    seen = dict(stmt.seen)
    if len(seen) > len(stmt.conditions) and len(set(seen.values())) == 1 and not stmt.flag:
        yield from lines(stmt.seen[0][1], depth)  # the cases are one
        return
    if stmt.flag:
        yield f"{INDENT * depth}{stmt.flag} = {stmt.conditions[0]}"
        pairs = zip(seen[0], seen[1], strict=False)  # what both begin with stands before them
        same = [a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        yield from lines(same, depth)
        seen = {case: body[len(same) :] for case, body in seen.items()}
        stmt = Cases(stmt.key, (stmt.flag,), tuple(seen.items()))
    for case, condition in enumerate(stmt.conditions):
        if seen.get(case):
            yield f"{INDENT * depth}{word} {condition}:"
            yield from lines(seen[case], depth + 1)
            word = "elif"
        elif case in seen or word == "elif":
            yield f"{INDENT * depth}{word} {condition}:"
            yield f"{INDENT * (depth + 1)}pass"
            word = "elif"
    if seen.get(len(stmt.conditions)):
        yield f"{INDENT * depth}else:"
        yield from lines(seen[len(stmt.conditions)], depth + 1)


def _line(stmt: Line, depth: int) -> Iterator[str]:
    rows = list(_spread(stmt.doc, depth))
    if stmt.comment and len(rows) == 1 and len(rows[0]) + 2 + len(stmt.comment) <= WIDTH:
        rows[0] += "  " + stmt.comment
    yield from rows


def _spread(doc: Doc, depth: int, before: str = "", after: str = "") -> Iterator[str]:
    """The document on one line if it fits, else its outermost bracket spread."""
    pad = INDENT * depth
    if isinstance(doc, Prefixed):
        yield from _spread(doc.doc, depth, before + doc.text, after)
        return
    one = pad + before + flat(doc) + after
    if isinstance(doc, str) or len(one) <= WIDTH or not doc.items:
        yield one
        return
    yield pad + before + doc.prefix
    for item in doc.items:
        yield from _spread(item, depth + 1, "", ",")
    yield pad + doc.suffix + after


def unflagged(stmts: Sequence[Stmt], used: Set[str]) -> Iterator[Stmt]:
    """The code without the attributes of cases that are none of those `used`."""
    for stmt in stmts:
        if isinstance(stmt, Cases):
            seen = tuple((case, tuple(unflagged(body, used))) for case, body in stmt.seen)
            flag = stmt.flag if stmt.flag.removeprefix("self.") in used else ""
            yield Cases(stmt.key, stmt.conditions, seen, stmt.depends, flag)
        else:
            yield stmt


def words(stmts: Sequence[Stmt]) -> set[str]:
    """The words that the code has in it: names, keywords, and those of its texts."""
    return {word for line in lines(stmts) for word in re.findall(r"\w+", line)}


def decided(stmts: Sequence[Stmt]) -> Iterator[int]:
    """The keys of the `if`s of which the code has all cases."""
    for stmt in stmts:
        if isinstance(stmt, (Block, Looped, Flagged)):
            yield from decided(stmt.body or ())
        elif isinstance(stmt, Cases):
            if len(stmt.seen) > len(stmt.conditions):
                yield stmt.key
            for _, body in stmt.seen:
                yield from decided(body)
