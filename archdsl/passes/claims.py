"""Checking `expect` claims: what a network states of itself in numbers.

Input: an elaborated network and its claims. Output: diagnostics. A claim compares numbers with metrics of the network,
of a labelled part (`params(layer3)`), with what trains only (`params(training=true)`), or of another network
(`VGG16(classes=10).params`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import Sink, did_you_mean
from archdsl.graph.model import Network
from archdsl.layers.args import brief, show
from archdsl.passes.accept import accepted
from archdsl.passes.cost import Cost
from archdsl.passes.elaborate.expressions import LARGEST
from archdsl.passes.elaborate.network import SettingError, claims, elaborate
from archdsl.passes.load import Definition
from archdsl.passes.metrics import METRICS, ClaimError, options, part, receptive_field, whole
from archdsl.sizes import Size
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.passes.receptive import Receptive

_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod,
}  # fmt: skip


class SizeMismatch(Exception):
    """An input size that the network does not have."""


def sizes_at(network: Network, size: tuple[int, ...], index: int = 0) -> dict[str, int]:
    """The network's symbols where an input, the first unless `index` says another, has a size such as (224, 224) or
    (3, 224, 224); those that are not in it have their typical sizes.

    Raises SizeMismatch if the sizes do not fit the input's shape.
    """
    shape = network.scope.inputs[index].shape
    rank = len(shape)
    if len(size) not in (rank, rank - 1) or not size:
        raise SizeMismatch(f"the input has {rank} dims, {show(size)} states {len(size)}")
    sizes = dict(network.sizes)
    stated: dict[str, int] = {}
    for dim, actual in zip(shape[rank - len(size) :], size, strict=True):
        if isinstance(dim, Size) and str(dim) in network.symbols:
            if stated.setdefault(str(dim), actual) != actual or actual < 1:
                raise SizeMismatch(f"`{dim}` cannot be {stated[str(dim)]} and {actual}")
        elif dim != actual:
            raise SizeMismatch(f"the input's {dim} is not {actual}")
    return sizes | stated


def check_claims(network: Network, definition: Definition, sink: Sink) -> None:
    """Reports every claim of the network that does not hold (E0401) or says nothing (E0402)."""
    checker = _Checker(network, definition, sink)
    for claim in claims(definition):
        checker.check(claim)


def restated(network: Network, definition: Definition, claim: tree.Expect) -> str | None:
    """A claim as it is true of another network: as it stands, or with the value that is; None if it says nothing."""
    sink = Sink()
    checker = _Checker(network, definition, sink)
    checker.check(claim)
    if not sink.found:
        return claim.span.text
    if claim.op != "==":
        return None
    try:
        value = checker.value(claim.left.value, claim.left.at or claim.right.at)
    except ClaimError:
        return None
    return f"expect {claim.left.span.text} == {show(value) if isinstance(value, list) else f'{value:_}'}"


class _Checker:
    def __init__(self, network: Network, definition: Definition, sink: Sink) -> None:
        self.network = network
        self.definition = definition
        self.sink = sink
        self._others: dict[Any, Network] = {}
        self._seen: dict[Any, Receptive] = {}

    def check(self, claim: tree.Expect) -> None:
        try:
            left = self.value(claim.left.value, claim.left.at or claim.right.at)
            right = self.value(claim.right.value, claim.right.at or claim.left.at)
        except ClaimError as error:
            self.sink.add(error.code, error.message, error.node.span, help=error.help)
            return
        shapes = isinstance(left, list), isinstance(right, list)
        if shapes[0] != shapes[1] or (shapes[0] and claim.op not in ("==", "!=")):
            what = "shapes are compared by == and !=" if all(shapes) else "a shape and a number are not compared"
            self.sink.add("E0402", what, claim.span, f"{_show(left)} {claim.op} {_show(right)}")
        elif not _OPS[claim.op](left, right):
            self._report(claim, left, right)

    def _report(self, claim: tree.Expect, left: Any, right: Any) -> None:
        computed = [
            (" ".join(side.span.text.split()), value)
            for side, value in ((claim.left, left), (claim.right, right))
            if not isinstance(side.value, (tree.Literal, tree.ListExpr))
        ]
        notes = []
        if len(computed) > 1:
            notes += [f"{text} is {_show(value)}" for text, value in computed]
        if not isinstance(left, list) and left != right:
            notes.append(f"the difference is {_show(abs(left - right))}")
        label = f"{computed[0][0]} is {_show(computed[0][1])}" if len(computed) == 1 else "is false"
        self.sink.add("E0401", f"the claim `{_text(claim)}` does not hold", claim.span, label, notes=notes)

    def value(self, node: tree.Expr, at: tree.SizeLiteral | None) -> Any:
        value = self._unbounded(node, at)
        if isinstance(value, (int, float)) and not abs(value) <= LARGEST:
            raise ClaimError("the number is too large", node)
        return value

    def _unbounded(self, node: tree.Expr, at: tree.SizeLiteral | None) -> Any:
        if isinstance(node, tree.Arith):
            value = self._number(node.first, at)
            for op, operand in node.rest:
                right = self._number(operand, at)
                if op in ("/", "//", "%") and right == 0:
                    raise ClaimError("this divides by zero", operand)
                value = _OPS[op](value, right)
                if not abs(value) <= LARGEST:
                    raise ClaimError("the number is too large", node)
            return value
        if isinstance(node, tree.Unary) and node.op in "+-":
            value = self._number(node.operand, at)
            return -value if node.op == "-" else value
        if isinstance(node, tree.Literal) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return node.value
        if isinstance(node, tree.ListExpr):
            return [self.value(item, at) for item in node.items]
        return self._metric(node, at)

    def _number(self, node: tree.Expr, at: tree.SizeLiteral | None) -> Any:
        value = self.value(node, at)
        if isinstance(value, list):
            raise ClaimError("a shape is no number", node)
        return value

    def _metric(self, node: tree.Expr, at: tree.SizeLiteral | None) -> Any:
        """`params`, `params(layer3)`, `params(training=true)`, `Other.params`, `Other(classes=10).params`."""
        inner, args = (node.func, node.args) if isinstance(node, tree.Call) else (node, ())
        if isinstance(inner, tree.Name):
            if inner.name in self.network.scope.params and inner.name not in METRICS and inner is node:
                return self._parameter(inner)
            return self._of(self.network, inner.name, args, inner, at)
        if isinstance(inner, tree.Attr):
            return self._of(self._other(inner.base), inner.name, args, inner, at)
        raise ClaimError("a claim compares numbers such as `params`, `macs` or `Other.params`", node)

    def _parameter(self, node: tree.Name) -> Any:
        value = self.network.scope.params[node.name]
        if isinstance(value, (list, tuple)) and all(isinstance(v, int) for v in value):
            return list(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ClaimError(f"`{node.name}` is {brief(value)}, and a claim compares numbers and shapes", node)
        return value

    def _other(self, node: tree.Expr) -> Network:
        """Another network, with settings if it is called."""
        inner, args = (node.func, node.args) if isinstance(node, tree.Call) else (node, ())
        known = {n: d for n, d in self.definition.unit.names.items() if d.node.kind == "network"}
        if not isinstance(inner, tree.Name) or inner.name not in known:
            near = did_you_mean(inner.name, known) if isinstance(inner, tree.Name) else None
            hint = f"; did you mean `{near}`?" if near else ""
            raise ClaimError(f"no network is called `{inner.span.text}`{hint}", inner)
        settings: dict[str, Any] = {}
        for arg in args:
            if arg.name is None:
                raise ClaimError("a network's parameters are given by name", arg, help=["Other(classes=10).params"])
            settings[arg.name] = self.value(arg.value, None)
        key = (inner.name, repr(sorted(settings.items())))
        if key not in self._others:
            try:
                found = elaborate(known[inner.name], settings, Sink())
            except SettingError as error:
                raise ClaimError(str(error), node) from None
            if found is None:
                raise ClaimError(f"`{inner.name}` has errors of its own", inner)
            self._others[key] = found
        return self._others[key]

    def _of(
        self, network: Network, name: str, args: tuple[tree.Arg, ...], node: tree.Expr, at: tree.SizeLiteral | None
    ) -> Any:
        """A metric of a network, or of a part of it."""
        if name not in METRICS:
            near = did_you_mean(name, METRICS)
            hint = f"; did you mean `{near}`?" if near else ""
            raise ClaimError(
                f"nothing to claim is called `{name}`{hint}", node, help=[f"claims are about {', '.join(METRICS)}"]
            )
        metric = options(name, args)
        sizes = network.sizes if at is None else _sizes(network, at)
        if name == "receptive_field":
            return receptive_field(self._receptive(network, sizes), metric, node)
        cost = Cost(network, sizes, training=metric.training)
        return whole(cost, name) if metric.part is None else part(cost, name, metric.part)

    def _receptive(self, network: Network, sizes: Mapping[str, int]) -> Receptive:
        from archdsl.passes.receptive import Receptive  # not above: few specs ask for it

        key = (network, *sorted(sizes.items()))
        if key not in self._seen:
            self._seen[key] = Receptive(network, sizes)
        return self._seen[key]


def _sizes(network: Network, at: tree.SizeLiteral) -> Mapping[str, int]:
    """The sizes of `at 224x224`, which the network has to accept."""
    try:
        sizes = sizes_at(network, at.parts)
    except SizeMismatch as error:
        raise ClaimError(str(error), at) from None
    if not accepted(network).contains(sizes):
        raise ClaimError(f"`{network.name}` does not accept this size", at, help=[f"it accepts {accepted(network)}"])
    return sizes


def _text(claim: tree.Expect) -> str:
    return " ".join(claim.span.text.removeprefix("expect").split())


def _show(value: Any) -> str:
    return show(value) if isinstance(value, list) else f"{value:,}"
