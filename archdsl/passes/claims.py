"""Checking `expect` claims: what a network states of itself in numbers.

Input: an elaborated network and its claims. Output: diagnostics. `params`, `buffers`, `macs`, `flops`, `memory` (bytes,
one fp32 image) and `shape`, each of the network, of a labelled part (`params(layer3)`), with what trains only
(`params(training=true)`), or of another network (`VGG16(classes=10).params`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from archdsl.diagnostics import Sink, did_you_mean
from archdsl.graph.model import Call, Network, Scope, Value, walk
from archdsl.layers.args import show
from archdsl.passes.cost import Cost
from archdsl.passes.elaborate.network import SettingError, claims, elaborate
from archdsl.passes.load import Definition
from archdsl.sizes import Size
from archdsl.syntax import tree

METRICS = ("params", "buffers", "macs", "flops", "memory", "shape")
LATER = ("receptive_field",)
_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod,
}  # fmt: skip


class ClaimError(Exception):
    """A claim that has no value: a message and where."""

    def __init__(self, message: str, node: tree.Node, code: str = "E0402") -> None:
        super().__init__(message)
        self.message, self.node, self.code = message, node, code


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


class _Checker:
    def __init__(self, network: Network, definition: Definition, sink: Sink) -> None:
        self.network = network
        self.definition = definition
        self.sink = sink
        self._others: dict[Any, Network] = {}

    def check(self, claim: tree.Expect) -> None:
        try:
            left, right = self._side(claim.left, claim.right), self._side(claim.right, claim.left)
        except ClaimError as error:
            self.sink.add(error.code, error.message, error.node.span)
            return
        if isinstance(left, list) != isinstance(right, list) or (
            isinstance(left, list) and claim.op not in ("==", "!=")
        ):
            self.sink.add("E0402", f"{_show(left)} and {_show(right)} cannot be compared by {claim.op}", claim.span)
        elif not _OPS[claim.op](left, right):
            notes = []
            if not isinstance(left, list) and left != right:
                notes.append(f"the difference is {_show(left - right)}")
            self.sink.add(
                "E0401",
                f"the claim `{_text(claim)}` does not hold",
                claim.span,
                f"{_show(left)} {claim.op} {_show(right)} is false",
                notes=notes,
            )

    def _side(self, side: tree.Claim, other: tree.Claim) -> Any:
        return self._value(side.value, side.at or other.at)

    def _value(self, node: tree.Expr, at: tree.SizeLiteral | None) -> Any:
        if isinstance(node, tree.Arith):
            value = self._number(node.first, at)
            for op, operand in node.rest:
                right = self._number(operand, at)
                if op in ("/", "//", "%") and right == 0:
                    raise ClaimError("this divides by zero", operand)
                value = _OPS[op](value, right)
            return value
        if isinstance(node, tree.Unary) and node.op in "+-":
            value = self._number(node.operand, at)
            return -value if node.op == "-" else value
        if isinstance(node, tree.Literal) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return node.value
        if isinstance(node, tree.ListExpr):
            return [self._value(item, at) for item in node.items]
        return self._metric(node, at)

    def _number(self, node: tree.Expr, at: tree.SizeLiteral | None) -> Any:
        value = self._value(node, at)
        if isinstance(value, list):
            raise ClaimError("a shape is no number", node)
        return value

    def _metric(self, node: tree.Expr, at: tree.SizeLiteral | None) -> Any:
        """`params`, `params(layer3)`, `params(training=true)`, `Other.params`, `Other(classes=10).params`."""
        inner, args = (node.func, node.args) if isinstance(node, tree.Call) else (node, ())
        if isinstance(inner, tree.Name):
            if inner.name in self.network.scope.params and inner.name not in METRICS:
                return self.network.scope.params[inner.name]
            return self._of(self.network, inner.name, args, inner, at)
        if isinstance(inner, tree.Attr):
            return self._of(self._other(inner.base), inner.name, args, inner, at)
        raise ClaimError("a claim compares numbers such as `params`, `macs` or `Other.params`", node)

    def _other(self, node: tree.Expr) -> Network:
        """Another network, with settings if it is called."""
        inner, args = (node.func, node.args) if isinstance(node, tree.Call) else (node, ())
        known = {n: d for n, d in self.definition.unit.names.items() if d.node.kind == "network"}
        if not isinstance(inner, tree.Name) or inner.name not in known:
            near = did_you_mean(inner.name, known) if isinstance(inner, tree.Name) else None
            raise ClaimError(
                f"no network is called `{inner.span.text}`" + (f"; did you mean `{near}`?" if near else ""), inner
            )
        settings: dict[str, Any] = {}
        for arg in args:
            if arg.name is None:
                raise ClaimError("a network's parameters are given by name", arg)
            settings[arg.name] = self._value(arg.value, None)
        key = (inner.name, repr(sorted(settings.items())))
        if key not in self._others:
            quiet = Sink()
            try:
                found = elaborate(known[inner.name], settings, quiet)
            except SettingError as error:
                raise ClaimError(str(error), node) from None
            if found is None:
                raise ClaimError(f"`{inner.name}` has errors of its own", inner)
            self._others[key] = found
        return self._others[key]

    def _of(
        self, network: Network, name: str, args: tuple[tree.Arg, ...], node: tree.Expr, at: tree.SizeLiteral | None
    ) -> Any:
        if name in LATER:
            raise ClaimError(f"`{name}` is not supported yet", node, "E0601")
        if name not in METRICS:
            near = did_you_mean(name, METRICS)
            hint = f"; did you mean `{near}`?" if near else f" (claims are about {', '.join(METRICS)})"
            raise ClaimError(f"nothing to claim is called `{name}`{hint}", node)
        sizes: Mapping[str, int] = network.sizes
        if at is not None:
            try:
                sizes = sizes_at(network, at.parts)
            except SizeMismatch as error:
                raise ClaimError(str(error), at) from None
        training, part = False, None
        for arg in args:
            if arg.name == "training" and isinstance(arg.value, tree.Literal) and isinstance(arg.value.value, bool):
                training = arg.value.value
            elif arg.name is None and part is None:
                part = arg.value
            else:
                raise ClaimError(f"`{name}` takes a label, and `training=true`", arg)
        cost = Cost(network, sizes, training=training)
        if part is None:
            return _whole(cost, name)
        return _part(cost, name, part, network.scope)


def _whole(cost: Cost, name: str) -> Any:
    if name == "shape":
        results = [r for r in cost.network.scope.results if not r.training]
        shapes = [list(cost.shape(r.value.shape)) for r in results]
        return shapes[0] if len(shapes) == 1 else shapes
    value = getattr(cost, name)
    return value() if callable(value) else value


def _part(cost: Cost, name: str, node: tree.Expr, scope: Scope) -> Any:
    """A metric of what a label names: `layer3`, `layer3.conv`, `tower[0]`."""
    path = node.span.text.replace("[", "").replace("]", "").replace(" ", "").split(".")
    value: Any = None
    module = None
    for step in path:
        inner = module.what if module is not None else scope
        if not isinstance(inner, Scope) or (step not in inner.modules and step not in inner.labels):
            known = inner.labels if isinstance(inner, Scope) else ()
            near = did_you_mean(step, known)
            raise ClaimError(f"nothing is labelled `{step}`" + (f"; did you mean `{near}`?" if near else ""), node)
        holder, module, value = inner, inner.modules.get(step), inner.labels.get(step)
    if name == "shape" and isinstance(value, Value):
        return list(cost.shape(value.shape))
    if module is not None and name in ("params", "buffers"):
        return cost.module_elements(module, "weights" if name == "params" else "buffers")
    if module is not None and name in ("macs", "flops"):
        items = [i for i in walk(holder.items) if not isinstance(i, Value) and getattr(i, "module", None) is module]
        total = sum(cost.item_macs(item) for item in items if isinstance(item, Call) or hasattr(item, "layer"))
        return 2 * total if name == "flops" else total
    raise ClaimError(f"`{name}` of `{node.span.text}` is not counted", node)


def _text(claim: tree.Expect) -> str:
    return " ".join(claim.span.text.removeprefix("expect").split())


def _show(value: Any) -> str:
    return show(value) if isinstance(value, list) else f"{value:,}"
