"""From the grammar's rules to the tree: one method for each rule, called by Lark as the rule is reduced.

So the tree is built while the text is read, and no parse tree of Lark's is ever kept. A method takes the rule's
children in order: tokens that the grammar names, nodes that other methods returned, None for a `[part]` left out.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import Sink
from archdsl.source import Source, Span
from archdsl.syntax import tree
from archdsl.syntax.literals import number, positions, size, string

if TYPE_CHECKING:
    from lark import Token

Items = Sequence[Any]


class Builder:
    """Makes nodes. `imports` and `definitions` fill up as they are read, so an error later in the file loses none."""

    def __init__(self) -> None:
        self.begin(Source("", ""), Sink())

    def begin(self, source: Source, sink: Sink) -> None:
        """Turn to another file."""
        self.source = source
        self.sink = sink
        self.imports: list[tree.Import] = []
        self.definitions: list[tree.Definition] = []

    def _span(self, first: Token, last: Token | tree.Node) -> Span:
        return Span(self.source, first.start_pos or 0, _end(last))

    def _at(self, token: Token) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    # --- files ---

    def start(self, items: Items) -> None:
        """The parts of the file are in `imports` and `definitions` already."""

    def module(self, items: Items) -> tuple[str, bool, Span]:
        return ".".join(items), False, self._span(items[0], items[-1])

    def imported(self, items: Items) -> tuple[str, str, Span]:
        there, here = items
        return str(there), str(here or there), self._span(there, here or there)

    def import_(self, items: Items) -> None:
        first, path, *names = items
        if not isinstance(path, tuple):
            span = self._at(path)
            path = (string(path, span, self.sink), True, span)
        text, quoted, path_span = path
        span = Span(self.source, first.start_pos, names[-1][2].end)
        self.imports.append(tree.Import(span, text, quoted, path_span, tuple(names)))

    def definition(self, items: Items) -> None:
        kind, name, params, signature, body = items
        span = self._span(kind, body)
        self.definitions.append(
            tree.Definition(span, str(kind), str(name), self._at(name), params or (), signature, body)
        )

    def params(self, items: Items) -> tuple[tree.Param, ...]:
        return tuple(items)

    def param(self, items: Items) -> tree.Param:
        name, kind, default = items
        return tree.Param(
            self._span(name, default or kind or name), str(name), None if kind is None else str(kind), default
        )

    def signature(self, items: Items) -> tree.Signature:
        colon, inputs, outputs = items
        return tree.Signature(self._span(colon, outputs[-1]), inputs, outputs)

    def shapes(self, items: Items) -> tuple[tree.ShapePattern, ...]:
        return tuple(items)

    def shape(self, items: Items) -> tree.ShapePattern:
        return tree.ShapePattern(self._span(items[0], items[-1]), tuple(items[1:-1]))

    def dim(self, items: Items) -> tree.DimPattern:
        name, value = items
        if name is not None:
            return tree.DimPattern(self._span(name, value), str(name), value)
        wildcard = isinstance(value, tree.Name) and value.name == "_"
        return tree.DimPattern(value.span, None, None if wildcard else value)

    # --- statements ---

    def body(self, items: Items) -> tree.Body:
        span = self._span(items[0], items[-1])
        first = items[1]
        if isinstance(first, tree.Node) or len(items) == 2:
            return tree.Body(span, None, tuple(items[1:-1]))
        doc = inspect.cleandoc(string(first, self._at(first), self.sink))
        return tree.Body(span, doc, tuple(items[2:-1]))

    def targets(self, items: Items) -> tuple[tree.Path, ...]:
        return tuple(items)

    def flow(self, items: Items) -> tree.Flow:
        targets, shape, chain, place = items
        if targets is None and place is None:
            return tree.Flow(chain.span, (), None, chain, None)
        first = targets[0] if targets else chain
        return tree.Flow(first.span.to((place or chain).span), targets or (), shape, chain, place)

    def place(self, items: Items) -> tree.Place:
        on, kind, index, close = items
        return tree.Place(self._span(on, close), str(kind), index)

    def input(self, items: Items) -> tree.Input:
        first, name, shape, where, place = items
        span = self._span(first, place or where or shape)
        if isinstance(shape, tree.ShapePattern):
            return tree.Input(span, str(name), self._at(name), shape, None, where, place)
        return tree.Input(span, str(name), self._at(name), None, str(shape), where, place)

    def output(self, items: Items) -> tree.Output:
        first, target, shape, chain, place = items
        return tree.Output(self._span(first, place or chain or shape or target), target, shape, chain, place)

    def training(self, items: Items) -> tree.Training:
        first, body, place = items
        return tree.Training(self._span(first, place or body), body, place)

    def shared(self, items: Items) -> tree.Shared:
        first, target, chain, place = items
        return tree.Shared(self._span(first, place or chain), target, chain, place)

    def let(self, items: Items) -> tree.Let:
        first, name, value = items
        return tree.Let(self._span(first, value), str(name), self._at(name), value)

    def names(self, items: Items) -> tuple[tuple[str, ...], Span]:
        return tuple(map(str, items)), self._span(items[0], items[-1])

    def for_(self, items: Items) -> tree.For:
        first, (names, names_span), iterable, body, place = items
        return tree.For(self._span(first, place or body), names, names_span, iterable, body, place)

    def if_(self, items: Items) -> tree.If:
        *cases, otherwise, place = items
        parts = [item for item in cases if isinstance(item, tree.Node)]
        span = self._span(cases[0], place or otherwise or parts[-1])
        pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
        return tree.If(span, pairs, otherwise, place)  # type: ignore[arg-type]  # expressions and bodies in turn

    def claim(self, items: Items) -> tree.Claim:
        value, *at = items
        if at[-1] is None:
            return tree.Claim(value.span, value, None)
        where = self.size(at[-1:])
        return tree.Claim(value.span.to(where.span), value, where)

    def expect(self, items: Items) -> tree.Expect:
        first, left, op, right = items
        return tree.Expect(self._span(first, right), left, str(op), right)

    def init(self, items: Items) -> tree.Init:
        first, *selectors, name, args = items
        values, end = args or ((), name.end_pos)
        span = Span(self.source, first.start_pos, end)
        return tree.Init(span, tuple(selectors), str(name), self._at(name), values)

    # --- chains ---

    def chain(self, items: Items) -> tree.Chain:
        steps = tuple(items)
        return tree.Chain(steps[0].span.to(steps[-1].span) if len(steps) > 1 else steps[0].span, steps)

    def apply(self, items: Items) -> tree.Apply:
        path, args, body = items[:3]
        tail = items[3] if len(items) > 3 else None
        values, end = args or (None, path.span.end)
        if body is not None:
            end = (tail or body).span.end
        return tree.Apply(Span(self.source, path.span.start, end), path, values, body, tail)

    def bare(self, items: Items) -> tree.Tail:
        return tree.Tail(self._at(items[0]), str(items[0]), None, None)

    def tail(self, items: Items) -> tree.Tail:
        kind, label, chain = items
        return tree.Tail(self._span(kind, chain), str(kind), label, chain)

    def group(self, items: Items) -> tree.Group:
        return tree.Group(items[0].span, items[0])

    def repeat(self, items: Items) -> tree.Repeat:
        first, count, body = items
        return tree.Repeat(self._span(first, body), count, body)

    def path(self, items: Items) -> tree.Path:
        head, *rest = items
        if not rest:
            return tree.Path(self._at(head), str(head), ())
        parts: list[str | tree.Expr] = []
        for item in rest:
            if isinstance(item, tree.Node):
                parts.append(item)  # type: ignore[arg-type]  # in brackets stands an expression
            elif item.type == "NUMBER":
                parts += positions(item, self._at(item), self.sink)
            elif item.type != "RSQB":
                parts.append(str(item))
        return tree.Path(self._span(head, rest[-1]), str(head), tuple(parts))

    def selector(self, items: Items) -> tree.Path:
        return self.path(items)

    def args(self, items: Items) -> tuple[tuple[tree.Arg, ...], int]:
        """The arguments, and where their parenthesis closes."""
        return tuple(items[1:-1]), items[-1].end_pos

    def arg(self, items: Items) -> tree.Arg:
        name, value = items
        if name is None:
            return tree.Arg(value.span, None, None, value)
        return tree.Arg(self._span(name, value), str(name), self._at(name), value)

    # --- expressions ---

    def expr(self, items: Items) -> tree.Logic:
        return tree.Logic(items[0].span.to(items[-1].span), "or", tuple(items))

    def conjunction(self, items: Items) -> tree.Logic:
        return tree.Logic(items[0].span.to(items[-1].span), "and", tuple(items))

    def comparison(self, items: Items) -> tree.Compare:
        return tree.Compare(items[0].span.to(items[-1].span), items[0], _pairs(items))

    def range(self, items: Items) -> tree.Range:
        first, last = items
        return tree.Range(first.span.to(last.span), first, last)

    def product(self, items: Items) -> tree.Arith:
        return tree.Arith(items[0].span.to(items[-1].span), items[0], _pairs(items))

    def sum(self, items: Items) -> tree.Arith:
        return self.product(items)

    def unary(self, items: Items) -> tree.Unary:
        op, operand = items
        return tree.Unary(self._span(op, operand), str(op), operand)

    def attr(self, items: Items) -> tree.Expr:
        base: tree.Expr = items[0]
        name = items[1]
        span, at = Span(self.source, base.span.start, name.end_pos), self._at(name)
        for each in positions(name, at, self.sink) if name.type == "NUMBER" else (str(name),):
            base = tree.Attr(span, base, each, at)
        return base

    def index(self, items: Items) -> tree.Index:
        base, index, close = items
        return tree.Index(Span(self.source, base.span.start, close.end_pos), base, index)

    def call(self, items: Items) -> tree.Call:
        func, (args, end) = items
        return tree.Call(Span(self.source, func.span.start, end), func, args)

    def name(self, items: Items) -> tree.Name:
        return tree.Name(self._at(items[0]), str(items[0]))

    def literal(self, items: Items) -> tree.Literal:
        token = items[0]
        span = self._at(token)
        if token.type == "NUMBER":
            return tree.Literal(span, number(token, span, self.sink))
        if token.type == "STRING":
            return tree.Literal(span, string(token, span, self.sink))
        return tree.Literal(span, _CONSTANTS[token.type])

    def size(self, items: Items) -> tree.SizeLiteral:
        span = self._at(items[0])
        return tree.SizeLiteral(span, size(items[0], span, self.sink))

    def list(self, items: Items) -> tree.ListExpr:
        return tree.ListExpr(self._span(items[0], items[-1]), tuple(items[1:-1]))

    def parens(self, items: Items) -> tree.Expr:
        """The expression inside. Its span takes in the parentheses, or the span of what surrounds it would cut them."""
        opening, inner, closing = items
        return _respanned(inner, self._span(opening, closing))


_CONSTANTS = {"TRUE": True, "FALSE": False, "NONE": None}


def _end(last: Any) -> int:
    return last.span.end if isinstance(last, tree.Node) else last.end_pos or 0


def _pairs(items: Items) -> tuple[tuple[str, tree.Expr], ...]:
    return tuple((str(op), operand) for op, operand in zip(items[1::2], items[2::2], strict=True))


def _respanned(node: tree.Expr, span: Span) -> tree.Expr:
    fields = (getattr(node, name) for name in type(node).__match_args__[1:])
    return type(node)(span, *fields)
