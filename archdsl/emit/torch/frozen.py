"""What a class is made for: which variables its text depends on without saying so.

A number in the text that came from a variable, a case that was taken, a loop that was unrolled: the class is right only
for the values of these variables that the spec gives. So it does not offer them as parameters: where its instances have
several values for one, they are several classes; and who builds it passes no variable of its own for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from archdsl.emit.torch.code import Block, Cases, Flagged, Looped, Stmt
from archdsl.graph.model import Call, Scope, input_dims
from archdsl.graph.traced import Ref, refs


def reached(found: Collection[Ref], own: Collection[Ref] = ()) -> frozenset[Ref]:
    """The variables that `found` come down to, themselves included; what those in `own` stand for is not followed.

    Only of a parameter's default, which other parameters of its block are in, that is followed too.
    """
    out = set(found)
    stack = list(found)
    while stack:
        ref = stack.pop()
        more = refs(ref.origin) | ref.depends
        if ref in own:
            more = frozenset(each for each in more if each in own)
        stack.extend(more - out)
        out |= more
    return frozenset(out)


def in_caller(call: Call, found: Collection[Ref]) -> frozenset[Ref]:
    """Variables of a block or group that is applied, as those of its caller."""
    scope: Scope = call.scope
    if scope.kind == "group":  # it shares them
        return frozenset(found)
    out: frozenset[Ref] = frozenset()
    dims = {name: (i, axis) for name, i, axis in input_dims(scope)}
    for name, ref in scope.refs.items():
        if ref not in found:
            continue
        if name in dims:
            i, axis = dims[name]
            out |= refs(call.inputs[i].shape[axis])
        out |= refs(call.arguments.get(name)) | call.depends.get(name, frozenset())
    return out


def decided(stmts: Sequence[Stmt]) -> Iterator[tuple[frozenset[Ref], bool]]:
    """For each `if` of the spec of which the code lacks cases: what it asks for, and whether the code has but one.

    A loop without a turn is an `if` that skips it.
    """
    for stmt in stmts:
        if isinstance(stmt, Block):
            yield from decided(stmt.body)
        elif isinstance(stmt, Flagged):
            yield from decided(stmt.body or ())
        elif isinstance(stmt, Looped):
            if stmt.body is None:
                yield stmt.depends, True
            yield from decided(stmt.body or ())
        elif isinstance(stmt, Cases):
            if len(stmt.seen) <= len(stmt.conditions):
                yield stmt.depends, len(stmt.seen) == 1
            for _, body in stmt.seen:
                yield from decided(body)
