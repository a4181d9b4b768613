"""PyTorch's manner of writing: the steps of the language that a call such as `F.relu(x)` stands for.

Read are constructors (`nn.Conv2d(3, 64, 3)`, also by our name: `conv(3, 64, 3)`), functions and methods (`F.relu(x)`,
`x.flatten(1)`), calls in calls (`relu(batchnorm(x))`), `nn.Sequential` and `torch.cat`.

Input: a call, and which names stand for values. Output: its text in the language, or None where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from archdsl.diagnostics import Edit, Fix
from archdsl.layers import registry
from archdsl.layers.args import ArgumentError, Kind
from archdsl.layers.base import Layer, Shape
from archdsl.layers.signature import REQUIRED, CallError, Field, match
from archdsl.source import Span
from archdsl.syntax import tree

IsValue = Callable[[str], bool]

MODULES = frozenset({"torch", "nn", "F", "functional"})
# PyTorch's functions and containers that join or chain, by the combinator that does so here; "" for a chain.
_JOINS = {"cat": "concat", "concat": "concat", "concatenate": "concat", "add": "add", "mul": "mul", "Sequential": ""}
_LABELS = "`name = conv(64, 3)` makes a layer, applies it to the value before, and labels both"
_CONSTANTS = {"True": "true", "False": "false", "None": "none"}
_VALUES = {"True": True, "False": False, "None": None}
# Arguments without a counterpart that change nothing here: the compiler finds what may overwrite its input.
_NEEDLESS = frozenset({"inplace", "training"})


@dataclass(frozen=True)
class Reading:
    """A constructor's call in the language, its arguments by our names, and those that are inferred there."""

    call: str
    given: Mapping[str, tree.Expr]
    inferred: tuple[tree.Arg, ...] = ()


@dataclass(frozen=True)
class Steps:
    """A chain: the value that it starts from (empty where that is the flowing one), and its steps."""

    start: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return " -> ".join((self.start, *self.steps) if self.start else self.steps)


@dataclass(frozen=True)
class Habit:
    """What is wrong with a step that is written in PyTorch's manner. `reading` is the call that it stands for, if its
    arguments are all that is wrong with it."""

    message: str
    span: Span
    label: str = ""
    help: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    reading: Reading | None = None


def called(name: str) -> str | None:
    """The layer or combinator that has this name here or in PyTorch; "" for a chain."""
    if registry.is_shipped(name):
        return name
    return _JOINS[name] if name in _JOINS else registry.known_as(name)


def constructor(layer: type[Layer], args: Sequence[tree.Arg], *, ours: bool) -> Reading | None:
    """A layer's arguments in PyTorch's order and by its names; with `ours` in our order and by either's names."""
    by_name = _by_name(layer)
    order = [field.name for field in layer.fields] if ours else list(by_name.values())
    given: dict[str, tree.Expr] = {}
    inferred: list[tree.Arg] = []
    for index, arg in enumerate(args):
        if arg.name in _NEEDLESS:
            continue
        positional = order[index] if index < len(order) else None
        field = positional if arg.name is None else by_name.get(arg.name, arg.name if ours else None)
        if field == "":
            inferred.append(arg)
        elif field is None or field in given:
            return None
        elif not field.startswith("="):
            given[field] = arg.value
        elif arg.value.span.text != field[1:]:
            return None
    texts, known = [], {}
    for each in layer.fields:
        if each.name in given:
            value = given.pop(each.name)
            text = _argument(each.kind, value)
            if text is None:
                return None
            known[each.name] = _constant(value)
            texts.append(text if each.default is REQUIRED else f"{each.name}={text}")
        elif each.default is REQUIRED:
            return None
    return None if given else Reading(_call(layer.name, texts), known, tuple(inferred))


def _by_name(layer: type[Layer]) -> dict[str, str | None]:
    """PyTorch's parameters in their order, with what each is here."""
    return dict(layer.constructor) or {field.name: field.name for field in layer.fields}


def _constant(node: tree.Expr) -> tree.Expr:
    """Python's `True` as our `true`, and so on; anything else as it is."""
    if isinstance(node, tree.Name) and node.name in _VALUES:
        return tree.Literal(node.span, _VALUES[node.name])
    return node


def _argument(kind: Kind, node: tree.Expr) -> str | None:
    """An argument's text, None if it is a constant that the argument does not take, or what PyTorch has."""
    if isinstance(node, tree.Name):
        return _CONSTANTS.get(node.name, node.name)
    if isinstance(node, tree.Call):
        name = _dotted(node.func)
        return node.span.text if name is not None and "." not in name and called(name) is None else None
    if isinstance(node, tree.Attr) and (_dotted(node) or "").startswith("self."):
        return None
    try:
        if isinstance(node, tree.Literal):
            kind.convert(node.value)
        elif isinstance(node, tree.SizeLiteral):
            kind.convert(node.parts)
    except ArgumentError:
        return None
    return node.span.text


def steps(name: str, args: Sequence[tree.Arg], is_value: IsValue) -> Steps | None:
    """A call of a dotted name: a constructor, or a function or method that is applied to a value."""
    *front, last = name.split(".")
    what = called(last)
    if what is None:
        return None
    method = bool(front) and is_value(front[0])
    if not method and not all(part in MODULES for part in front):
        return None
    start = Steps(".".join(front), ()) if method else None
    if last in _JOINS and not method:
        return _joined(what, args, is_value)
    layer = registry.find(what) if registry.is_shipped(what) else None
    if layer is None:
        return None
    if start is None and args and args[0].name is None:
        start = _applied_to(args[0].value, is_value)
        args = args[1:] if start is not None else args
    found = _read(layer, args, ours=last == what and not front)
    if found is None:
        return None
    return Steps(start.start if start else "", (*(start.steps if start else ()), found.call))


def _read(layer: type[Layer], args: Sequence[tree.Arg], *, ours: bool) -> Reading | None:
    if not ours:
        return constructor(layer, args, ours=False)
    try:
        match(layer.name, layer.fields, [arg.name for arg in args])
    except CallError:
        return constructor(layer, args, ours=True) or constructor(layer, args, ours=False)
    return Reading(_call(layer.name, [arg.span.text for arg in args]), {})


def _call(name: str, args: Sequence[str]) -> str:
    return f"{name}({', '.join(args)})" if args else name


def _applied_to(node: tree.Expr, is_value: IsValue) -> Steps | None:
    """A value, or calls of layers: `x`, `batchnorm(x)`, and `conv(64, 3)` for what it makes of the flowing value."""
    found = _chain(node, is_value)
    return found if found is not None and (found.start or isinstance(node, tree.Call)) else None


def _chain(node: tree.Expr, is_value: IsValue) -> Steps | None:
    """A value, a layer or a call of one as a chain."""
    if not isinstance(node, tree.Call):
        name = _dotted(node)
        if name is not None and is_value(name.split(".")[0]):
            return Steps(node.span.text, ())
        return steps(name, (), is_value) if name is not None else None
    if isinstance(node.func, tree.Call):  # `conv(64, 3)(x)`
        layer, value = _chain(node.func, is_value), [arg.value for arg in node.args]
        start = _chain(value[0], is_value) if len(value) == 1 else None
        return Steps(start.start, (*start.steps, *layer.steps)) if layer and start and not layer.start else None
    name = _dotted(node.func)
    return steps(name, node.args, is_value) if name is not None else None


def _dotted(node: tree.Expr) -> str | None:
    if isinstance(node, tree.Name):
        return node.name
    base = _dotted(node.base) if isinstance(node, tree.Attr) else None
    return f"{base}.{node.name}" if isinstance(node, tree.Attr) and base is not None else None


def _joined(what: str, args: Sequence[tree.Arg], is_value: IsValue) -> Steps | None:
    """`torch.cat([a, b], 1)` along the channels, `torch.add(a, b)`, `nn.Sequential(…)`."""
    parts: list[tree.Expr] = []
    for index, arg in enumerate(args):
        if arg.name in ("dim", "axis") or (
            index == 1 and arg.name is None and isinstance(args[0].value, tree.ListExpr)
        ):
            if arg.value.span.text != "1":
                return None
        elif arg.name is not None:
            return None
        else:
            parts += arg.value.items if isinstance(arg.value, tree.ListExpr) else [arg.value]
    read = [_chain(part, is_value) for part in parts]
    chains = [each for each in read if each is not None]
    if not chains or len(chains) < len(read):
        return None
    if not what:
        return (
            None if any(each.start for each in chains) else Steps("", tuple(s for each in chains for s in each.steps))
        )
    if not all(each.start for each in chains):
        return None
    if any(each.steps for each in chains):
        return Steps("", (f"{what} {{ {'; '.join(map(str, chains))} }}",))
    return Steps("", (f"{what}({', '.join(map(str, chains))})",))


# --- what is wrong with a step ----------------------------------------------------------------------------------


def fitting(layer: type[Layer], args: Sequence[tree.Arg], is_value: IsValue) -> list[Field] | None:
    """The field of each argument of a call that is right as it stands, as far as its text tells; else None."""
    try:
        fields = match(layer.name, layer.fields, [arg.name for arg in args])
    except CallError:
        return None
    for field, arg in zip(fields, args, strict=True):
        if _argument(field.kind, arg.value) is None:
            return None
        value = None if field.kind.is_value else _dotted(arg.value)
        if value is not None and is_value(value.split(".")[0]):
            return None
    return fields


def misread(layer: type[Layer], step: tree.Apply, is_value: IsValue) -> Habit | None:
    """A call of a layer by our name with arguments in PyTorch's manner: `linear(400, 120)`, `relu(x)`."""
    args = step.args or ()
    if fitting(layer, args, is_value) is not None:
        return None
    if args and args[0].name is None and _applied_to(args[0].value, is_value) is not None:
        found = steps(layer.name, args, is_value)
        message = f"`{layer.name}` is not called with what it is applied to"
        return Habit(message, args[0].span, "stands before the layer", *_ways_out(step, found)) if found else None
    read = constructor(layer, args, ours=False)
    if read is None or not read.inferred:
        return None
    theirs = _names(layer, args, read.inferred)
    return Habit(
        f"`{layer.name}` does not take {' or '.join(theirs)}: PyTorch's argument is inferred here",
        read.inferred[0].name_span or read.inferred[0].span,
        "",
        *_ways_out(step, Steps("", (read.call,))),
        read,
    )


def listed(step: tree.Apply, is_value: IsValue) -> Habit | None:
    """A join of a list, `concat([a, b], 1)`."""
    lists = [arg for arg in step.args or () if isinstance(arg.value, tree.ListExpr)]
    found = steps(step.path.head, step.args or (), is_value) if lists else None
    if found is None:
        return None
    return Habit(
        f"`{step.path.head}` joins values by their names, not a list", lists[0].span, "", *_ways_out(step, found)
    )


def renamed(layer: type[Layer], step: tree.Apply) -> tuple[Fix, ...]:
    """The call with our names for PyTorch's arguments (`kernel_size=3`), if that makes it right."""
    read = constructor(layer, step.args or (), ours=True)
    return _ways_out(step, Steps("", (read.call,)))[1] if read is not None and not read.inferred else ()


def suspicious(layer: Layer, step: tree.Apply, x: Shape, as_pytorch: Shape | None = None) -> Habit | None:
    """A legal call that only makes sense with PyTorch's arguments, as `conv(3, 64, 3)` on 3 channels does.

    `x` is the input's shape, and `as_pytorch` what it is if earlier calls that were suspicious are read as PyTorch's:
    `conv(3, 64, 3) -> relu -> conv(64, 128, 3)` has two.

    Read here it keeps the number of channels, and has a window that nobody means: one of 12 or more in two or three
    dimensions, at most a quarter of which is the stride and less than a quarter the padding; or an even one of 6 or
    more that an odd stride does not divide; after another such call, one of 8 or more. Three arguments without a name
    are needed: names say what is meant.
    """
    args = step.args or ()
    names = [field.name for field in layer.fields[:3]]
    if len(args) < 3 or any(arg.name is not None for arg in args[:3]) or names[1:] != ["kernel", "stride"]:
        return None
    channels, kernel, stride = (getattr(layer, name) for name in names)
    if not isinstance(kernel, int) or not isinstance(stride, int):
        return None
    again = as_pytorch is not None and channels == as_pytorch[0]
    if channels != x[0] and not again:
        return None
    padding = getattr(layer, "padding", 0)
    wide = len(x) > 2 and kernel >= max(12, 4 * stride) and isinstance(padding, int) and 4 * padding < kernel
    uneven = kernel >= 6 and kernel % 2 == 0 and stride % 2 == 1 and stride > 1 and kernel % stride != 0
    read = constructor(type(layer), args, ours=False) if wide or uneven or (again and kernel > 7) else None
    if read is None or not read.inferred:
        return None
    named = _named(layer, args)
    theirs = " and ".join(_names(type(layer), args, read.inferred))
    found = Habit(
        f"this has {channels} output channel{'s' * (channels != 1)}, a window of {kernel} and a stride of {stride}",
        step.span,
        "the input's channels are inferred, not stated",
        (),
        (
            Fix(f"if the first argument is PyTorch's {theirs}, write `{read.call}`", (Edit(step.span, read.call),)),
            Fix(f"if such a window is meant, name it: `{named}`", (Edit(step.span, named),)),
        ),
        read,
    )
    return without_edits(found) if "#" in step.span.text else found  # a comment in it would be lost


def without_edits(habit: Habit) -> Habit:
    """The same with its ways out in words, where the text of the step alone does not mend it."""
    return replace(habit, help=(*habit.help, *(fix.text for fix in habit.fixes)), fixes=())


def unknown(step: tree.Apply, is_value: IsValue) -> Habit | None:
    """A name of PyTorch's, as in `nn.Conv2d(3, 64, 3)`, `Conv2d(…)`, `F.relu(x)`, `self.conv1(x)`, or a method's."""
    path = step.path
    if not all(isinstance(part, str) for part in path.parts):
        return None
    name = ".".join((path.head, *map(str, path.parts)))
    found = steps(name, step.args or (), is_value)
    what = called(name.split(".")[-1])
    if is_value(path.head):
        if step.args is None or not path.parts:
            return None
        return Habit(f"`{path.head}` is a value, and has no methods", path.span, "", *_ways_out(step, found))
    if path.head == "self" and path.parts:
        return Habit("there is no `self`: a layer is applied where it is written", path.span, "", (_LABELS,))
    if path.parts and path.head not in MODULES:
        return None
    if not path.parts and found is None:
        return None
    if what is None or not path.parts:
        label = f"did you mean `{what}`?" if what else ""
        return Habit(f"no layer or block is called `{name}`", path.span, label, *_ways_out(step, found))
    label = f"is `{what}` here" if what else "is a chain here, `a -> b`"
    help, fixes = _ways_out(step, found)
    if found is None and "self." in step.span.text:
        help = (f"there is no `self`, and a layer is applied where it is written: {_LABELS}",)
    return Habit(f"`{name}` is PyTorch's name", path.span, label, help, fixes)


def _named(layer: Layer, args: Sequence[tree.Arg]) -> str:
    """The call with the names of all arguments after the first."""
    fields = match(layer.name, layer.fields, [arg.name for arg in args])
    rest = (f"{field.name}={arg.value.span.text}" for field, arg in zip(fields[1:], args[1:], strict=True))
    return _call(layer.name, [args[0].span.text, *rest])


def _names(layer: type[Layer], args: Sequence[tree.Arg], inferred: Sequence[tree.Arg]) -> list[str]:
    """PyTorch's names of arguments."""
    order = list(_by_name(layer))
    return [f"`{arg.name or order[list(args).index(arg)]}`" for arg in inferred]


def _ways_out(step: tree.Apply, found: Steps | None) -> tuple[tuple[str, ...], tuple[Fix, ...]]:
    """Advice and fixes: the text of a step that can take its place, or that has to begin a chain to do so."""
    if found is None:
        return (), ()
    text = str(found)
    before = step.span.source.text[: step.span.start].rstrip()
    if found.start and before.endswith("->"):
        return (f"a chain begins with what it is applied to: `{text}`",), ()
    if "#" in step.span.text:  # a comment in it would be lost
        return (f"write `{text}`",), ()
    return (), (Fix(f"write `{text}`", (Edit(step.span, text),)),)
