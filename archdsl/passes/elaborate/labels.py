"""What stands around a chain: its label, which is the name of a module or a value, and its placement."""

from __future__ import annotations

from archdsl.diagnostics import Edit, Fix, Label
from archdsl.graph.model import Bundle, Flowing, Value
from archdsl.graph.traced import IndexedName
from archdsl.passes.elaborate.expressions import depends_on, evaluate_int
from archdsl.passes.elaborate.frame import Frame
from archdsl.passes.elaborate.pythonic import bad_module_name, bad_variable_name
from archdsl.source import Span
from archdsl.syntax import tree

MAX_GPU = 1023
_ENTRY = "it is a keyword, the value that enters the braces around it"


def label_of(frame: Frame, target: tree.Path) -> str:
    """The module's name of a label: `layer[2]` is `layer2`. Raises Failed, reported, if it has a dot."""
    parts: list[str | int] = [target.head]
    for part in target.parts:
        if isinstance(part, str) and target.head == "self" and len(target.parts) == 1:
            fix = Fix(f"write `{part} = …`", (Edit(target.span, part),))
            raise frame.context.fail(
                "E0504", "a label is no attribute of `self`: it is a name alone", target.span, fixes=[fix]
            )
        if isinstance(part, str):
            raise frame.context.fail(
                "E0504",
                "a label has no dots",
                target.span,
                "is the path of a value inside",
                help=["give the label inside the block or group: it is reached from here as `block.label`"],
            )
        parts.append(evaluate_int(frame, part, "the index of a label"))
    return IndexedName(parts) if len(parts) > 1 else target.head


def free_label(frame: Frame, target: tree.Path, statement: Span) -> str:
    """The name of a label, which nothing in the scope has yet. Raises Failed, reported, if it cannot be one."""
    name = label_of(frame, target)
    bad = _ENTRY if target.head == "in" else bad_module_name(name)
    if bad is not None:
        raise frame.context.fail("E0105", f"nothing can be labelled `{target.span.text}`: {bad}", target.span)
    if name in frame.env:
        raise frame.context.fail(
            "E0103", f"`{name}` is a parameter or a constant here, and cannot be a label too", target.span
        )
    if name in frame.scope.labels or name in frame.scope.modules or name in frame.shared:
        earlier = frame.scope.labels.get(name)
        before = earlier.span if isinstance(earlier, (Value, Bundle)) else None
        again = (
            before is not None and before.source is statement.source and statement.start <= before.start < statement.end
        )
        raise frame.context.fail(
            "E0103",
            f"`{name}` is the label of two things",
            target.span,
            "is used by each turn" if again else "is the second one",
            labels=() if before is None or again else (Label(before, "is the first one"),),
            help=["number the label: `layer[i] = …`"] if again else [],
        )
    return name


def bind(frame: Frame, name: str, value: Flowing) -> None:
    """Gives a value its label."""
    frame.scope.labels[name] = value
    if isinstance(value, (Value, Bundle)) and value.label is None:
        value.label = name


def shared_name(frame: Frame, path: tree.Path) -> str | None:
    """The label that a path would be, if it has no dots: what `shared` modules go by."""
    return None if any(isinstance(part, str) for part in path.parts) else label_of(frame, path)


def check_variable(frame: Frame, name: str, span: Span) -> None:
    """Raises Failed, reported, if a parameter, constant or loop variable cannot have this name."""
    bad = bad_variable_name(name)
    if bad is not None:
        raise frame.context.fail("E0105", f"no parameter or constant can be called `{name}`: {bad}", span)


def place_of(frame: Frame, place: tree.Place | None) -> int | None:
    """The device number of `on gpu(n)`. Raises Failed, reported."""
    if place is None:
        return None
    if place.kind != "gpu":
        raise frame.context.fail(
            "E0507",
            f"a layer is placed on `gpu(n)`, not on `{place.kind}(…)`",
            place.span,
            help=[f"on gpu({place.index.span.text})"],
        )
    number = int(evaluate_int(frame, place.index, "the number of a GPU"))
    frame.scope.decided |= depends_on(frame, place.index)
    if number > MAX_GPU:
        raise frame.context.fail("E0507", f"a GPU's number is at most {MAX_GPU}, not {number}", place.index.span)
    return number
