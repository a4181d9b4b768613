"""Shape patterns: an input's shape, a block's signature, a stated shape; and what sizes have to meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archdsl.diagnostics import Label
from archdsl.graph.model import BROKEN, Value
from archdsl.graph.needs import Requirement, Stated
from archdsl.layers.args import brief
from archdsl.layers.base import Layer, Shape, ShapeError, Why
from archdsl.passes.elaborate import readings, values
from archdsl.passes.elaborate.expressions import evaluate
from archdsl.passes.elaborate.frame import Context, Failed, Frame, Unknown
from archdsl.passes.shapes import show_shape
from archdsl.sizes import AtLeast, Condition, Dim, Divisible, Equal, Poly, Size, SizeError, symbol
from archdsl.sizes.conditions import Among, solved
from archdsl.sizes.naturals import NONE
from archdsl.source import Span
from archdsl.syntax import tree


class Needs:
    """Takes what shape rules need of sizes: fixed ones are decided here, symbolic ones become the network's needs.

    With `asking` nothing becomes one: it is only asked whether some input would do.
    """

    def __init__(
        self,
        context: Context,
        node: tree.Apply,
        training: bool,
        values: Sequence[Value],
        layer: Layer | None = None,
        *,
        asking: bool = False,
    ) -> None:
        self.context = context
        self.node = node
        self.layer = layer
        self.training = training
        self.values = tuple(values)
        self.asking = asking
        self._added: list[tuple[Condition, bool]] = []

    def at_least(self, size: Dim, minimum: int, why: Why, *, at: str | None = None, code: str = "E0302") -> None:
        self._need(AtLeast(size, minimum), why, at, code)

    def equal(self, left: Dim, right: Dim, why: Why, *, at: str | None = None, code: str = "E0310") -> None:
        self._need(Equal(left, right), why, at, code)

    def divisible(self, size: Dim, by: int, why: Why, *, at: str | None = None, code: str = "E0303") -> None:
        try:
            self._need(Divisible(size, by), why, at, code)
        except ShapeError as error:
            error.help = error.help or self._divisors(size)
            raise

    def _divisors(self, size: Dim) -> tuple[str, ...]:
        """What fixed channels divide into, those of the input and of the output together."""
        sizes = {size, self.values[0].shape[0], getattr(self.layer, "channels", size)}
        fixed = [int(each) for each in sizes if isinstance(each, int)]
        if len(fixed) < len(sizes) or not all(0 < each < 10_000 for each in fixed):
            return ()
        found = [str(n) for n in range(1, min(fixed) + 1) if all(each % n == 0 for each in fixed)]
        both = " and ".join(map(str, sorted(fixed)))
        return (f"{both} divide{'s' * (len(fixed) == 1)} into {', '.join(found)}",) if len(found) <= 12 else ()

    def refused(self, why: str) -> Requirement:
        """The need of values that do not fit at any size; what else they need has no weight then."""
        for key in self._added:
            del self.context.needs[key]
        return Requirement(Equal(0, 1), why, self.node, self.training, self.values, self.layer)

    def _need(self, condition: Condition, why: Why, at: str | None, code: str) -> None:
        """Raises ShapeError if no input meets the condition, SizeError if that cannot be worked out."""
        if (condition, self.training) in self.context.needs:
            return
        known = self.context.unknown.keys().isdisjoint(condition.symbols)
        possible, always = _solved(condition) if known else (self._possible(condition), False)
        if not possible:
            raise ShapeError(why if isinstance(why, str) else why(), at=at, code=code)
        if known and not always and not self.asking:
            self._added.append((condition, self.training))
            needed = Requirement(
                condition, why, self.node, self.training, self.values, self.layer, self.context.innermost
            )
            self.context.needs[condition, self.training] = needed

    def _possible(self, condition: Condition) -> bool:
        """Whether some input meets a condition on sizes that an error leaves open, whichever they are."""
        try:
            several = readings.of_condition(condition, self.context.unknown)
            return any(_solved(each)[0] for each in ([condition] if several is None else several))
        except SizeError:
            return True


def _solved(condition: Condition) -> tuple[bool, bool]:
    """Whether some input meets a condition, and whether each does. Raises SizeError if that cannot be worked out."""
    if not condition.symbols:
        holds = condition.holds({})
        return holds, holds
    found = solved(condition)
    return found.values != NONE if isinstance(found, Among) else found is not False, found is True


def input_shape(frame: Frame, pattern: tree.ShapePattern, sizes: dict[str, int]) -> Shape:
    """The shape of a network's input. `H=224` and new names become symbols; typical sizes go into `sizes`."""
    if not 1 <= len(pattern.dims) <= 4:
        raise frame.context.fail("E0506", f"an input has one to four dims, not {len(pattern.dims)}", pattern.span)
    return tuple(_input_dim(frame, dim, sizes) for dim in pattern.dims)


def _input_dim(frame: Frame, dim: tree.DimPattern, sizes: dict[str, int]) -> Dim:
    name = dim.name
    value = dim.value
    if name is None and isinstance(value, tree.Name) and value.name not in frame.env:
        name, value = value.name, None
    if name is not None and name != "_":
        if frame.env.get(name) is BROKEN:
            raise Failed
        if value is not None:
            _check_is_free(frame, name, dim)
            typical = evaluate(frame, value)
            if not isinstance(typical, int) or isinstance(typical, bool) or typical < 1:
                raise frame.context.fail("E0506", f"the typical size of `{name}` is a positive integer", value.span)
            if name in sizes and sizes[name] != typical:
                raise frame.context.fail("E0506", f"`{name}` has two typical sizes", dim.span)
            sizes[name] = int(typical)
        if name not in frame.env:
            frame.env[name] = symbol(name)
        found = frame.env[name]
    elif value is not None and name is None:
        found = evaluate(frame, value)
    else:
        found = None
    if isinstance(found, (Size, Poly)) or (isinstance(found, int) and not isinstance(found, bool) and found >= 1):
        return found
    raise frame.context.fail(
        "E0506",
        "a dim of an input is a positive number, a name, or a name with its typical size",
        dim.span,
        help=["for example [3, H=224, W=224]"],
    )


def _check_is_free(frame: Frame, name: str, dim: tree.DimPattern) -> None:
    """Raises Failed, reported, if what is given a typical size is no size that the input decides."""
    known = frame.env.get(name)
    if known is None or known == symbol(name):
        return
    raise frame.context.fail(
        "E0506",
        f"`{name}` is {known if isinstance(known, (Size, Poly)) else brief(known)} here, so it takes no typical size",
        dim.span,
        "is a parameter or a constant",
        help=[f"write `{name}` alone for a dim of that size, or give the dim another name"],
    )


def bind_or_check(frame: Frame, pattern: tree.ShapePattern, value: Value, what: str) -> None:
    """Holds a value against a pattern; a name that stands for nothing yet is bound to its dim.

    Raises Failed, reported with code E0304, where they differ for every input. Where they may differ for some, that is
    left to `Network.stated`: it depends on the sizes that the network accepts.
    """
    if len(pattern.dims) != len(value.shape):
        raise _differs(frame, pattern, value, what, pattern.span)
    for dim, actual in zip(pattern.dims, value.shape, strict=True):
        if isinstance(dim.value, tree.Name) and dim.name is None and dim.value.name not in frame.env:
            if values.has(frame, dim.value.name):
                raise frame.context.fail("E0103", f"`{dim.value.name}` is a value here, not a size", dim.span)
            frame.env[dim.value.name] = actual
        elif dim.name is not None:
            raise frame.context.fail(
                "E0504", "only an input has typical sizes", dim.span, help=[f"write `{dim.name}` alone"]
            )
        elif dim.value is not None:
            _check_dim(frame, pattern, dim, dim.value, actual, value, what)


def _check_dim(
    frame: Frame,
    pattern: tree.ShapePattern,
    dim: tree.DimPattern,
    node: tree.Expr,
    actual: Dim,
    value: Value,
    what: str,
) -> None:
    try:
        stated = evaluate(frame, node)
    except Unknown:
        return
    if frame.context.is_unknown(actual):
        return
    if not isinstance(stated, (int, Size, Poly)) or isinstance(stated, bool):
        raise frame.context.fail("E0203", f"a dim is a number, not {brief(stated)}", dim.span)
    if stated == actual:
        return
    condition = Equal(stated, actual)
    try:
        found = condition.symbols and solved(condition)
    except SizeError:
        found = False
    if not found or (isinstance(found, Among) and found.values == NONE):
        raise _differs(frame, pattern, value, what, dim.span)
    text = f"{what} is {_dim(actual)} here for some inputs, stated is {node.span.text}"
    frame.context.stated.append(Stated(condition, text, dim.span, value.span, f"this gives {show_shape(value.shape)}"))


def _dim(dim: Dim) -> str:
    return str(int(dim)) if isinstance(dim, int) else str(dim)


def _differs(frame: Frame, pattern: tree.ShapePattern, value: Value, what: str, span: Span) -> Failed:
    text = f"{what} is {show_shape(value.shape)}, stated is {pattern.span.text}"
    here = tree.Apply(pattern.span, tree.Path(pattern.span, "", ()), None)
    return frame.context.fail(
        "E0304",
        text,
        span,
        labels=(Label(value.span, f"this gives {show_shape(value.shape)}"),),
        need=Needs(frame.context, here, frame.training, (value,)).refused(text),
    )


def fits(left: Any, right: Any) -> bool:
    """Whether two shapes are equal for every input size."""
    return len(left) == len(right) and all(a == b for a, b in zip(left, right, strict=True))
