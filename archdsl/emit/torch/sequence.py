"""nn.Sequential: its steps, with loops and cases kept where every turn comes out as the same code.

Input: a traced scope that is a chain. Output: the constructor of a class that derives from nn.Sequential, or the
expression of one inside another constructor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.chains import attribute_names
from archdsl.emit.torch.code import (
    INDENT,
    WIDTH,
    Bracket,
    Cases,
    Differ,
    Doc,
    Line,
    Looped,
    Prefixed,
    Stmt,
    call,
    flat,
    merge,
)
from archdsl.emit.torch.say import NotSayable, python_name
from archdsl.emit.torch.steps import One, Rolled, Step, Taken, Unrolled, all_numbered, decided, ends, flat_steps
from archdsl.graph.model import Apply, Call, Choice, Item, Loop, Module, Scope
from archdsl.graph.traced import IndexedName, Ref, Traced, expr_of
from archdsl.passes.place import Placed
from archdsl.sizes import Dim
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.emit.torch.construct import Constructor


# Of an argument of `nn.Sequential(` in a constructor. A longer one would be spread over lines, and how depends on the
# line length: it has no comma at its end.
LONGEST_GENERATOR = WIDTH - 3 * len(INDENT) - 1


@dataclass
class SequenceWriter:
    """Writes the sequences of one constructor."""

    constructor: Constructor
    carried: list[str] = field(default_factory=list)  # what carries the channels through the loops around
    eager: bool = False  # every `if` brings the innermost of them up to date
    _channels: str = ""  # the variable of `if`s outside of such loops, if there is one

    def __post_init__(self) -> None:
        self.variables = self.constructor.variables
        self.classes = self.constructor.classes
        self._names: dict[Module, str] = {}
        self._open: list[str] = []  # variables of the sequences and the loops that are being written

    def whole_class(self, scope: Scope) -> tuple[Stmt, ...]:
        """The constructor of a class that derives from nn.Sequential."""
        steps = self._steps_of(scope, self.constructor.placed)
        simple = self._simple(steps)
        if simple is not None:
            return (Line(Bracket("super().__init__(", simple)),)
        if all_numbered(steps):
            return (*self._listed(steps, "layers"), Line("super().__init__(*layers)"))
        return (Line("super().__init__()"), *self._filled(steps, "self", numbered=False))

    def inline(self, placed: Placed, label: str) -> tuple[tuple[Stmt, ...], Doc]:
        """An nn.Sequential as an expression, and the statements before it."""
        name = self.fresh(label.rstrip("0123456789") or "layers")
        self._open.append(name)
        outer, self.variables.lets = self.variables.lets, {**self.variables.lets, **placed.scope.lets}
        steps = self._steps_of(placed.scope, placed)
        self.variables.lets = outer
        self._open.pop()
        simple = self._simple(steps)
        if simple is not None:
            return (), Bracket("nn.Sequential(", simple)
        if all_numbered(steps):
            return self._listed(steps, name), f"nn.Sequential(*{name})"
        return (Line(f"{name} = nn.Sequential()"), *self._filled(steps, name, numbered=False)), name

    def fresh(self, base: str) -> str:
        """A variable of the constructor that means nothing else there."""
        taken = self._taken()
        base = python_name(base)
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}{count}"
        self.variables.local.add(name)
        return name

    def _taken(self) -> set[str]:
        asked = self.classes.asked if self.constructor.scope.kind == "group" else ()
        return {*self.classes.reserved, *asked, *self.variables.names.values(), *self.carried, *self._open}

    # --- steps ------------------------------------------------------------------------------------------------------

    def _steps_of(self, scope: Scope, placed: Placed) -> tuple[Step, ...]:
        self._names.update(attribute_names(scope))
        self.constructor.bake(*scope.decided)
        return self._steps(scope.items, placed)

    def _steps(self, items: Sequence[Item], placed: Placed) -> tuple[Step, ...]:
        return tuple(self._step(item, placed) for item in items)

    def _step(self, item: Item, placed: Placed) -> Step:
        if isinstance(item, (Apply, Call)):
            before, doc = self.constructor.module(item, placed)
            return One(self._name(item.module), self._names[item.module], before, doc)
        if isinstance(item, Loop):
            return self._loop(item, placed)
        assert isinstance(item, Choice)
        steps = self._steps(item.items, placed)
        conditions, style = self._conditions(item), self.constructor.style
        carries = id(item.node) in style.carried and not self.carried
        kept = self._kept(item)
        skipped = None if kept is None else (self.variables if carries else self.variables.copy()).say(kept)
        after = self._after(id(item.node), item.after, skipped) if item.after is not None else ()
        otherwise: tuple[Stmt, ...] | None = None
        if skipped is not None and item.after is not None and None not in conditions and not style.compact:
            if carries:
                otherwise = (Line(f"{self._channels} = {skipped}"),) if skipped != self._channels else ()
            elif skipped == self.variables.copy().say(Traced(0, item.after)):
                otherwise = ()
        return Taken(item.node, conditions, item.case, steps, after, item.depends, otherwise)

    def _kept(self, item: Choice) -> Dim | None:
        """The channels that an `if` without `else` leaves if it is passed over; None if more than those may differ."""
        around = ends(item.items)
        if len(item.node.cases) > 1 or item.node.otherwise is not None or item.case or around is None:
            return None
        entering, leaving = (value.shape for value in around)
        if len(entering) != len(leaving) or not isinstance(entering[0], int):
            return None
        # Of dims that depend on the input's size no constructor knows; a number may stand in what follows.
        if any(
            a != b for a, b in zip(entering[1:], leaving[1:], strict=True) if isinstance(a, int) or isinstance(b, int)
        ):
            return None
        return entering[0]

    def _after(self, key: int, after: Ref, skipped: str | None) -> tuple[Stmt, ...]:
        """What an `if` ends with, so that the channels can be said after it whichever case was taken."""
        if self.carried:
            return self._leave(self.carried[-1], after)
        said = self.variables.copy().say(Traced(0, expr_of(after.origin)))
        self.classes.left.setdefault(key, set()).update({said, said if skipped is None else skipped})
        if key not in self.constructor.style.carried:
            self.variables.alias[after] = expr_of(after.origin)
            return ()
        self._channels = self._channels or self.fresh("channels")
        statements = self._assign(self._channels, Traced(0, expr_of(after.origin)))
        self._now(self._channels, after)
        return statements

    def _leave(self, name: str, after: Ref) -> tuple[Stmt, ...]:
        """After an `if`, the variable of the channels is brought up to date, unless they can be said without it."""
        said = self.variables.copy().say(Traced(0, expr_of(after.origin)))
        if not self.eager and not re.search(rf"\b{name}\b", said) and not said.isdigit():
            self.variables.alias[after] = expr_of(after.origin)
            return ()
        statements = self._assign(name, Traced(0, expr_of(after.origin)))
        self._now(name, after)
        return statements

    def _name(self, module: Module) -> str | None:
        name = module.name
        if name.isdigit():
            return None
        if isinstance(name, IndexedName):
            said = [(part, part if isinstance(part, str) else self.variables.say(part)) for part in name.parts]
            if any(not isinstance(part, str) and not text.isdigit() for part, text in said):
                inner = "".join(text if isinstance(part, str) else f"{{{text}}}" for part, text in said)
                return f'f"{inner}"'
        return f'"{name}"'

    def _conditions(self, item: Choice) -> tuple[str | None, ...]:
        found: list[str | None] = []
        for condition, _ in item.node.cases:
            try:
                found.append(self.variables.translate(condition))
            except NotSayable:
                found.append(None)
        return tuple(found)

    # --- code -------------------------------------------------------------------------------------------------------

    def _simple(self, steps: Sequence[Step]) -> tuple[Doc, ...] | None:
        """The arguments of nn.Sequential, or None if it takes statements. Notes what was decided for it."""
        if not self.constructor.style.compact and not all(isinstance(step, One) for step in steps):
            return None
        simple = self._arguments(steps)
        if simple is not None:
            for depends in decided(steps):
                self.constructor.bake(*depends)
        return simple

    def _arguments(self, steps: Sequence[Step]) -> tuple[Doc, ...] | None:
        flattened = list(flat_steps(steps))
        if any(isinstance(step, Taken) or (isinstance(step, One) and step.before) for step in flattened):
            return None
        if all_numbered(steps):
            docs = [
                step.doc if isinstance(step, One) else step.generator
                for step in flattened
                if not isinstance(step, (Taken, Unrolled))
            ]
            return tuple(doc for doc in docs if doc is not None) if None not in docs else None
        named = [step for step in flattened if isinstance(step, One)]
        if len(named) < len(flattened) or not all(step.attribute.isidentifier() for step in named):
            return None
        if any(step.name is not None and step.name.startswith("f") for step in named):
            return None
        return (Bracket("OrderedDict(", tuple(Prefixed(f"{step.attribute}=", step.doc) for step in named)),)

    def _listed(self, steps: Sequence[Step], target: str) -> tuple[Stmt, ...]:
        """Statements that make a list of the steps, which starts with those that nothing comes before."""
        first = list(takewhile(lambda step: isinstance(step, One) and not step.before, steps))
        docs = tuple(step.doc for step in first if isinstance(step, One))
        start = Line(Prefixed(f"{target}: list[nn.Module] = ", Bracket("[", docs, "]")))
        return (start, *self._filled(steps[len(docs) :], target, numbered=True))

    def _filled(self, steps: Sequence[Step], target: str, numbered: bool) -> tuple[Stmt, ...]:
        """Statements that add the steps to a list (`numbered`) or, by name, to an nn.Sequential."""
        out: list[Stmt] = []
        run: list[Doc] = []

        def flush() -> None:
            if len(run) == 1:
                out.append(Line(call(f"{target}.append", run[0])))
            elif run:
                out.append(Line(Prefixed(f"{target} += ", Bracket("[", tuple(run), "]"))))
            run.clear()

        for step in steps:
            if isinstance(step, One):
                if step.before:
                    flush()
                    out += step.before
                if numbered:
                    run.append(step.doc)
                else:
                    out.append(_added(target, step))
                continue
            flush()
            if isinstance(step, Taken):
                body = (*self._filled(step.steps, target, numbered), *step.after)
                seen = ((step.case, body),) + (((1, step.otherwise),) if step.otherwise is not None else ())
                out.append(Cases(id(step.node), step.conditions, seen, step.depends))
            elif isinstance(step, Unrolled):
                for turn in step.turns:
                    out += self._filled(turn, target, numbered)
            else:
                out += step.before
                code = (*self._merged(step.turns, target, numbered), *step.after) if step.turns else None
                out.append(Looped(step.header, code, step.depends))
        flush()
        return tuple(out)

    def _merged(self, turns: Sequence[Sequence[Step]], target: str, numbered: bool) -> tuple[Stmt, ...]:
        """The code of a loop's turns. Raises Differ if they are not the same."""
        first, *others = (self._filled(turn, target, numbered) for turn in turns)
        for other in others:
            first = merge(first, other)
        return first

    # --- loops ------------------------------------------------------------------------------------------------------

    def _loop(self, item: Loop, placed: Placed) -> Step:
        """The loop as a loop if its turns are the same code, else its turns one by one."""
        names = self._loop_names(item)
        if not item.turns and self._varies(item):
            with suppress(NotSayable):
                return Rolled(self._header(item, names), item.depends, (), (), ())
        if len(item.turns) > 1 or (item.turns and self._varies(item)):
            for attempt, eager in (
                (self._rolled_still, False),
                (self._rolled_carrying, False),
                (self._rolled_carrying, True),
            ):
                outer, self.eager = self.eager, eager
                try:
                    with self._restoring(), self._within(names):
                        return attempt(item, placed, names)
                except (Differ, NotSayable):
                    continue
                finally:
                    self.eager = outer
        self.constructor.bake(*item.depends)
        return Unrolled(tuple(self._steps(turn.items, placed) for turn in item.turns))

    def _varies(self, item: Loop) -> bool:
        """Whether a loop of one turn may have more: its bounds are not numbers in the spec."""
        bounds = item.node.count if isinstance(item.node, tree.Repeat) else item.node.iterable
        return not isinstance(bounds, (tree.Literal, tree.ListExpr))

    @contextmanager
    def _restoring(self) -> Iterator[None]:
        """Forgets the variables of an attempt that failed."""
        variables = self.variables
        names, alias, used = dict(variables.names), dict(variables.alias), set(variables.used)
        baked, fixed = set(variables.baked), set(variables.fixed)
        try:
            yield
        except (Differ, NotSayable):
            variables.names.clear()
            variables.names.update(names)
            variables.alias, variables.used = alias, used
            variables.baked, variables.fixed = baked, fixed
            raise

    def _header(self, item: Loop, names: Mapping[str, str]) -> str:
        if isinstance(item.node, tree.Repeat):
            return f"for _ in range({self.variables.translate(item.node.count)})"
        return f"for {', '.join(names.values())} in {self.variables.translate(item.node.iterable)}"

    def _loop_names(self, item: Loop) -> dict[str, str]:
        """The variables of a loop by their names in the spec."""
        names: dict[str, str] = {}
        for name in item.node.names if isinstance(item.node, tree.For) else ():
            names[name] = python_name(name, {*self._taken(), *names.values()})
        self.variables.local.update(names.values())
        return names

    @contextmanager
    def _within(self, names: Mapping[str, str]) -> Iterator[None]:
        """Keeps the variables of a loop for it."""
        count = len(self._open)
        self._open += names.values()
        try:
            yield
        finally:
            del self._open[count:]

    def _turns(self, item: Loop, placed: Placed, names: Mapping[str, str], start: Any) -> tuple[tuple[Step, ...], ...]:
        turns = []
        for index, turn in enumerate(item.turns):
            own = {ref: names[name] for name, ref in item.variables[index].items()}
            if index < len(item.carried):
                start(index)
            self.variables.names.update(own)
            turns.append(self._steps(turn.items, placed))
            start(index, leaving=turn)
            for ref in own:
                del self.variables.names[ref]
        return tuple(turns)

    def _rolled_still(self, item: Loop, placed: Placed, names: Mapping[str, str]) -> Rolled:
        """A loop whose value keeps its channels: no variable is needed for them."""
        header = self._header(item, names)
        for ref in item.carried[1:]:
            if int(ref.origin) != int(item.carried[0].origin):
                raise Differ
            self.variables.alias[ref] = item.carried[0]
        entering = self.variables.copy().say(Traced(0, item.carried[0])) if item.carried else ""

        def check(index: int, leaving: Any = None) -> None:
            if leaving is not None and item.carried:
                out = item.carried[index + 1].origin
                if self.variables.copy().say(Traced(int(out), expr_of(out))) != entering:
                    raise Differ

        turns = self._turns(item, placed, names, check)
        step = Rolled(header, item.depends, (), (), turns)
        self._probe(turns)
        if len(turns[0]) == 1 and isinstance(turns[0][0], One) and not turns[0][0].before:
            generator = f"*({flat(turns[0][0].doc)} {header})"
            if len(generator) <= LONGEST_GENERATOR:
                step.generator = generator
        return step

    def _rolled_carrying(self, item: Loop, placed: Placed, names: Mapping[str, str]) -> Rolled:
        """A loop that changes the channels: a variable carries them from turn to turn."""
        if not item.carried:
            raise Differ
        first = item.carried[0].origin
        header = self._header(item, names)
        outer = self.carried[-1] if self.carried else None
        before: tuple[Stmt, ...] = ()
        if outer is not None and self.variables.copy().say(Traced(0, expr_of(first))) == outer:
            name = outer
        else:
            name = self.fresh("channels")
            before = (Line(f"{name} = {self.variables.say(first)}"),)
        self.carried.append(name)
        ends: list[tuple[Stmt, ...]] = []

        def carry(index: int, leaving: Any = None) -> None:
            if leaving is None:
                self._now(name, item.carried[index])
                return
            out = item.carried[index + 1].origin
            ends.append(self._assign(name, Traced(int(out), expr_of(out))))

        try:
            turns = self._turns(item, placed, names, carry)
            after = ends[0]
            for end in ends[1:]:
                after = merge(after, end)
            self._probe(turns)
        finally:
            self.carried.pop()
        self._now(name, item.carried[-1])
        return Rolled(header, item.depends, before, after, turns)

    def _probe(self, turns: Sequence[tuple[Step, ...]]) -> None:
        """Raises Differ if the turns are not the same code."""
        self._merged(turns, "probe", all_numbered([step for turn in turns for step in turn]))

    def _now(self, name: str, ref: Ref) -> None:
        """From here on the variable stands for `ref`, and for nothing it stood for before."""
        names = self.variables.names
        for stale in [r for r, text in names.items() if text == name]:
            del names[stale]
        names[ref] = name

    def _assign(self, name: str, value: Traced) -> tuple[Stmt, ...]:
        text = self.variables.say(value)
        if text == name:
            return ()
        for op in ("+", "-", "*", "//"):
            rest = text.removeprefix(f"{name} {op} ")
            if rest != text and (op in "+*" or " " not in rest) and not (op in "*" and "+" in rest):
                return (Line(f"{name} {op}= {rest}"),)
        return (Line(f"{name} = {text}"),)


def _added(target: str, step: One) -> Line:
    """The statement that adds a submodule to an nn.Sequential; one without a label is appended under its position."""
    if step.name is None:
        return Line(call(f"{target}.append", step.doc))
    if target == "self" and step.name.startswith('"'):
        return Line(Prefixed(f"self.{step.attribute} = ", step.doc))
    return Line(call(f"{target}.add_module", step.name, step.doc))
