"""Chains and their steps: what takes the flowing value and gives the next."""

from __future__ import annotations

from functools import partial

from archdsl.diagnostics import did_you_mean
from archdsl.graph.model import BROKEN, Apply, Call, Flowing, Module
from archdsl.graph.needs import Caller
from archdsl.layers.registry import LATER, is_shipped, known_as
from archdsl.passes import pytorch
from archdsl.passes.combinators import COMBINATORS, VALUE_JOINS
from archdsl.passes.elaborate import blocks, combine, loops, meant, rewritten, statements
from archdsl.passes.elaborate.apply import apply_layer, report_habit
from archdsl.passes.elaborate.frame import Failed, Frame, Misread, SharedModule
from archdsl.passes.elaborate.known import layer_class
from archdsl.passes.elaborate.labels import place_of, shared_name
from archdsl.passes.elaborate.plain import is_plain, is_plain_chain
from archdsl.passes.elaborate.values import find as find_value
from archdsl.passes.elaborate.values import has
from archdsl.passes.names import imports, meant_by, suggestion
from archdsl.syntax import tree

Steps = tuple[tree.Step, ...]


def run_chain(frame: Frame, chain: tree.Chain, value: Flowing | None, label: str | None) -> Flowing:
    """Runs a chain on `value`, or on the value that its head names. A label on several steps makes a group of them."""
    steps = chain.steps
    try:
        head = _head(frame, steps[0])
    except Misread as misread:
        head = as_meant(frame, misread, value, steps[0])
    if head is not None:
        value, steps = head, steps[1:]
        if not steps:
            return value
    if label is not None:
        return _labelled(frame, chain, steps, value, label)
    for step in steps:
        value = _step(frame, step, value)
    assert value is not None
    return value


def as_meant(frame: Frame, misread: Misread, value: Flowing | None, step: tree.Step) -> Flowing:
    """What a step in PyTorch's manner gives. Raises Failed if that is not known."""
    return rewritten.given_by(frame, misread.text, value, step.span, partial(run_chain, label=None))


def _labelled(
    frame: Frame, chain: tree.Chain, steps: Steps, value: Flowing | None, label: str, module: Module | None = None
) -> Flowing:
    """Steps under a label; `module` is given where a shared one is applied again."""

    def run_steps(inner: Frame) -> None:
        for step in steps:
            inner.current = _step(inner, step, inner.current)

    if len(steps) > 1:
        return blocks.group(frame, chain, steps, is_plain_chain(steps), value, label, run_steps, module)
    step = steps[0]
    if step.body is None:
        return _apply(frame, step, value, label, module)
    _check_combinator(frame, step)
    plain = not isinstance(step, tree.Apply) and is_plain(step.body)
    return blocks.group(frame, step, steps, plain, value, label, lambda inner: _braces(inner, step), module)


def _head(frame: Frame, step: tree.Step) -> Flowing | None:
    """The value that a chain starts from, if its first step names one (or joins some, as `add(a, b)` does)."""
    if not isinstance(step, tree.Apply) or step.body is not None:
        return None
    path = step.path
    if step.args is not None:
        return combine.join_values(frame, step) if path.head in VALUE_JOINS and not path.parts else None
    if path.head in frame.shared:
        return None
    found = find_value(frame, path) if path.head == "in" or path.parts or has(frame, path.head) else None
    if found is None and path.parts and shared_name(frame, path) not in frame.shared:
        _refuse_habit(frame, step)
        near = did_you_mean(path.head, frame.scope.labels)
        raise frame.context.fail(
            "E0101",
            f"nothing here is called `{path.span.text}`",
            path.span,
            f"did you mean `{near}`?" if near and near != path.head else "",
        )
    if found is not None and not path.parts and _known(frame, path.head):
        raise frame.context.fail(
            "E0104",
            f"`{path.head}` is both a value and a {'block' if path.head in frame.unit.names else 'layer'}",
            path.span,
            help=[f"write `{path.head}()` to apply it, or give the value another label"],
        )
    return found


def _known(frame: Frame, name: str) -> bool:
    """Whether a block or a layer has that name. Other packages' layers do not count: to install one breaks no spec."""
    return name in frame.unit.names or is_shipped(name)


def _step(frame: Frame, step: tree.Step, value: Flowing | None) -> Flowing:
    """Applies one step without a label."""
    if step.body is None:
        return _apply(frame, step, value, None)
    _check_combinator(frame, step)
    inner = frame.inner(value, frame.items)
    _braces(inner, step)
    if inner.current is None:
        raise frame.context.fail(
            "E0501", "no value flows into these braces and none is made in them", step.span, help=["declare an input"]
        )
    return inner.current


def _check_combinator(frame: Frame, step: tree.Step) -> None:
    if not isinstance(step, tree.Apply) or step.path.span.text in COMBINATORS:
        return
    near = did_you_mean(step.path.head, COMBINATORS)
    raise frame.context.fail(
        "E0505",
        f"`{step.path.span.text}` takes no {{ … }}",
        step.path.span,
        f"did you mean `{near}`?" if near else "",
        help=["combinators: " + ", ".join(sorted(COMBINATORS))],
    )


def _braces(frame: Frame, step: tree.Step) -> None:
    """A step with braces, in a frame that it has to itself."""
    if isinstance(step, tree.Apply):
        frame.current = combine.run(frame, step, frame.current)
    elif isinstance(step, tree.Group):
        statements.run_body(frame, step.body)
    else:
        loops.repeat(frame, step)


def _apply(
    frame: Frame, step: tree.Apply, value: Flowing | None, label: str | None, module: Module | None = None
) -> Flowing:
    """Applies a layer, a block or a shared module; one in PyTorch's manner, which is reported, as it is meant."""
    try:
        return _applied(frame, step, value, label, module)
    except Misread as misread:
        return as_meant(frame, misread, value, step)


def _applied(
    frame: Frame, step: tree.Apply, value: Flowing | None, label: str | None, module: Module | None
) -> Flowing:
    path = step.path
    name = path.head
    shared = frame.shared.get(shared_name(frame, path) or "") if frame.shared else None
    if shared is not None:
        return _apply_shared(frame, shared, step, value)
    if path.parts or name == "in":
        _refuse_habit(frame, step)
        raise frame.context.fail(
            "E0504", f"`{path.span.text}` is a value; only the start of a chain may name one", path.span
        )
    definition = frame.unit.names.get(name)
    if definition is not None:
        return blocks.apply_block(frame, definition, step, value, label, module)
    cls = layer_class(frame, name, path.span)
    if cls is not None:
        return apply_layer(frame, cls, step, value, label, module)
    failed = _no_layer(frame, step)
    if isinstance(failed, Misread):
        raise failed
    likely = meant_by(frame.unit, name)
    if likely is not None and likely not in frame.unit.names and is_shipped(likely):
        cls = layer_class(frame, likely, path.span)
        if cls is not None:
            return meant.after_some(frame, cls, value, step.span)
    raise failed


def _no_layer(frame: Frame, step: tree.Apply) -> Failed:
    name, span = step.path.head, step.path.span
    context = frame.context
    if name in frame.unit.missing:
        context.errors += 1  # in the import
        return Failed()
    if frame.env.get(name) is BROKEN:
        return Failed()
    if name in LATER:
        return context.fail("E0601", f"`{name}` is not supported yet", span, f"one of the {LATER[name]} layers")
    if name in COMBINATORS:
        near = known_as(name)
        hint = f"did you mean `{near}`?" if near else ""
        return context.fail("E0505", f"`{name}` needs its body", span, hint, help=[f"write `{name} {{ … }}`"])
    if has(frame, name):
        return context.fail("E0504", f"`{name}` is a value; only the start of a chain may name one", span)
    if _shared_outside(frame, name):
        return context.fail(
            "E0504",
            f"`{name}` is shared by the scope around this one",
            span,
            "cannot be applied in a labelled group",
            help=["apply it outside of the group, or declare it inside"],
        )
    hint = suggestion(frame.unit, name)
    if not hint and name in frame.env:
        return context.fail("E0102", f"`{name}` is a number, not a layer or a block", span)
    habit = pytorch.unknown(step, lambda name: has(frame, name))
    if habit is not None:
        return report_habit(frame, "E0102", habit)
    fixes = imports(frame.unit, name)
    return context.fail("E0102", f"no layer or block is called `{name}`", span, "" if fixes else hint, fixes=fixes)


def _refuse_habit(frame: Frame, step: tree.Apply) -> None:
    """Raises Failed, reported, where a step that is none names what PyTorch has."""
    habit = pytorch.unknown(step, lambda name: has(frame, name))
    if habit is not None:
        raise report_habit(frame, "E0102", habit)


def _shared_outside(frame: Frame, name: str) -> bool:
    at = frame.parent
    while at is not None and name not in at.shared:
        at = at.parent
    return at is not None


def _apply_shared(frame: Frame, shared: SharedModule, step: tree.Apply, value: Flowing | None) -> Flowing:
    """Applies a shared module; the first application builds it. Its constants are those of its declaration."""
    if step.args is not None:
        raise frame.context.fail(
            "E0201",
            f"`{shared.name}` is a module already, it takes no arguments",
            step.span,
            help=[f"write `{shared.name}`"],
        )
    calls = frame.context.calls
    if any(call.node is shared.node for call in calls):
        raise frame.context.fail("E0502", f"the shared `{shared.name}` is applied inside itself", step.path.span)
    inner = frame.inner(frame.entry, frame.items)
    inner.env, inner.refs, inner.depends = shared.frame.env, shared.frame.refs, shared.frame.depends
    if _known(frame, shared.name):  # `shared head = head(8)`: in its own chain the name is the block's
        inner.shared = {name: other for name, other in frame.shared.items() if other is not shared}
    calls.append(Caller(shared.name, shared.node, step.span))
    try:
        with inner.placed(place_of(inner, shared.node.place)):
            chain = shared.node.chain
            out = _labelled(inner, chain, chain.steps, value, shared.name, shared.module)
    finally:
        calls.pop()
    shared.module = frame.scope.modules.get(shared.name)
    item = inner.items[-1] if inner.items else None
    if isinstance(item, (Apply, Call)) and item.module is shared.module:
        item.applied = step.span
    return out
