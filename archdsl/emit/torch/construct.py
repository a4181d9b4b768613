"""The constructors: submodules of a scope, loops and cases kept where every turn comes out as the same code.

Input: one traced scope, with the classes of the blocks it applies. Output: statements for `__init__`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.code import Block, Bracket, Cases, Differ, Doc, Flagged, Line, Prefixed, Stmt, call, flat, mentions, merge
from archdsl.emit.torch.say import NotSayable, Variables, literal, python_name
from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Module, Scope, Skip, TrainingOnly, Value
from archdsl.graph.traced import IndexedName, Traced, expr_of
from archdsl.passes.place import Placed
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.emit.torch.classes import Classes

MANY = 8  # turns from which a loop over named submodules stays a loop


def is_chain(scope: Scope) -> bool:
    """Whether `nn.Sequential` can run the scope: one value through modules, nothing named twice, one device."""
    if len(scope.inputs) != 1 or len(scope.results) != 1 or scope.exports or scope.inits:
        return False
    end = _chain_end(scope.items, scope.inputs[0])
    return end is not None and end is scope.results[0].value.tensor and bool(scope.modules)


def _chain_end(items: Sequence[Item], value: Value) -> Value | None:
    for item in items:
        if isinstance(item, (Apply, Call)):
            single = len(item.inputs) == 1 and len(item.outputs) == 1 and item.first
            if not single or item.inputs[0].tensor is not value or item.outputs[0].training:
                return None
            if isinstance(item, Call) and (item.exports or item.hint is not None):
                return None
            if isinstance(item, Apply) and (item.hint is not None or item.layer.module(item.inputs[0].shape) is None):
                return None
            value = item.outputs[0].tensor
        elif isinstance(item, (Loop, Choice)):
            inner = [turn.items for turn in item.turns] if isinstance(item, Loop) else [item.items]
            for part in inner:
                end = _chain_end(part, value)
                if end is None:
                    return None
                value = end
        else:
            return None
    return value


@dataclass
class Constructor:
    """Writes the constructor of one class."""

    classes: Classes
    scope: Scope
    placed: Placed
    variables: Variables
    inplace: frozenset[Apply]
    flags: dict[int, str]  # the skips whose projection is optional in this class, and the flag of each
    gpus: set[int] | None = None  # the devices it names, None where placement plays no part
    uses_device: bool = False
    carried: list[str] = field(default_factory=list)  # variables of the loops around

    # --- a class with a forward -------------------------------------------------------------------------------------

    def attributes(self) -> tuple[Stmt, ...]:
        """`self.name = …` for each submodule, in the order of the spec."""
        return tuple(self._attributes(self.scope.items, self.placed))

    def _attributes(self, items: Sequence[Item], placed: Placed) -> Iterator[Stmt]:
        for item in items:
            if isinstance(item, (Apply, Call)):
                if item.first and (isinstance(item, Call) or not is_function(item)):
                    yield from self._attribute(item, placed)
            elif isinstance(item, Join):
                for branch in item.branches:
                    yield from self._attributes(branch.items, placed)
            elif isinstance(item, Skip):
                yield from self._attributes(item.items, placed)
                yield from self._projection(item, placed)
            elif isinstance(item, Loop):
                for turn in item.turns:
                    yield from self._attributes(turn.items, placed)
            elif isinstance(item, (Choice, TrainingOnly)):
                yield from self._attributes(item.items, placed)

    def _attribute(self, item: Apply | Call, placed: Placed) -> Iterator[Stmt]:
        before, doc = self.module(item, placed)
        yield from before
        yield Line(Prefixed(f"self.{item.module.name} = ", doc))

    def _projection(self, item: Skip, placed: Placed) -> Iterator[Stmt]:
        flag = self.flags.get(id(item.node))
        body = tuple(self._attributes(item.projection.items, placed)) if item.projection is not None else None
        if flag is None:
            yield from body or ()
            return
        if self.single_projection(item) is not None:
            yield Line(f"self.{flag}: nn.Module = nn.Identity()")
        else:
            yield Line(f"self.{flag} = {flag}")
        yield Flagged(flag, body)

    def single_projection(self, item: Skip) -> str | None:
        """The flag of an optional projection that is one submodule, which is an nn.Identity where it is not wanted."""
        flag = self.flags.get(id(item.node))
        return flag if flag is not None and flag in self.classes.single_flags else None

    # --- modules ----------------------------------------------------------------------------------------------------

    def module(self, item: Apply | Call, placed: Placed) -> tuple[tuple[Stmt, ...], Doc]:
        """The expression that builds a submodule, and the statements that have to come before it."""
        if isinstance(item, Apply):
            return (), self._layer(item, placed)
        if item.scope.kind == "group" and is_chain(item.scope) and self._one_device(placed.inner[item]):
            return self._sequential(item.scope, placed.inner[item], item.module.name)
        return (), self.classes.construct(item, self, placed)

    def _one_device(self, placed: Placed) -> bool:
        return len(placed.used) == 1

    def _layer(self, item: Apply, placed: Placed) -> Doc:
        made = item.layer.module(*(value.shape for value in item.inputs))
        assert made is not None
        self.classes.support(made)
        args: list[Doc] = [self.variables.say(arg) for arg in made.args]
        for key, value in made.kwargs.items():
            args.append(f"{key}={self._option(item, key, value)}")
        if item in self.inplace and made.func.startswith("nn."):
            args.append("inplace=True")
        if made.factory:
            args += self.device_argument(placed.device[item])
        return Bracket(f"{made.func}(", tuple(args))

    def _option(self, item: Apply, key: str, value: Any) -> str:
        """A value; one that is no int is said as the author wrote it, if that depends on a variable."""
        node = item.sources.get(key)
        if isinstance(value, int) and not isinstance(value, bool) or node is None or key not in item.layer.variable:
            return self.variables.say(value)
        try:
            return self.variables.translate(node) if getattr(item.layer, key, None) is value else self.variables.say(value)
        except NotSayable:
            return self.variables.say(value)

    def device_argument(self, device: int) -> list[Doc]:
        """`device=…` for what is built on a device."""
        if self.gpus is None:
            return []
        if len(self.placed.used) == 1:
            self.uses_device = True
            return ["device=device"]
        self.gpus.add(device)
        return [f"device=gpu{device}"]

    # --- nn.Sequential ----------------------------------------------------------------------------------------------

    def sequential_class(self) -> tuple[Stmt, ...]:
        """The constructor of a class that derives from nn.Sequential."""
        steps = self._steps(self.scope.items, self.placed)
        simple = self._simple(steps)
        if simple is not None:
            return (Line(Bracket("super().__init__(", simple)),)
        if self._numbered(steps):
            return (
                Line("layers: list[nn.Module] = []"),
                *self._filled(steps, "layers", numbered=True),
                Line("super().__init__(*layers)"),
            )
        return (Line("super().__init__()"), *self._filled(steps, "self", numbered=False))

    def _sequential(self, scope: Scope, placed: Placed, label: str) -> tuple[tuple[Stmt, ...], Doc]:
        outer, self.inplace = self.inplace, self.classes.inplace(scope)
        try:
            steps = self._steps(scope.items, placed)
            simple = self._simple(steps)
            if simple is not None:
                return (), Bracket("nn.Sequential(", simple)
            name = self.classes.fresh_local(label.rstrip("0123456789") or "layers", self)
            if self._numbered(steps):
                body = self._filled(steps, name, numbered=True)
                return (Line(f"{name}: list[nn.Module] = []"), *body), f"nn.Sequential(*{name})"
            return (Line(f"{name} = nn.Sequential()"), *self._filled(steps, name, numbered=False)), name
        finally:
            self.inplace = outer

    def _steps(self, items: Sequence[Item], placed: Placed) -> tuple[_Step, ...]:
        return tuple(self._step(item, placed) for item in items)

    def _step(self, item: Item, placed: Placed) -> _Step:
        if isinstance(item, (Apply, Call)):
            before, doc = self.module(item, placed)
            return _One(item.module, self._name(item.module), before, doc)
        if isinstance(item, Loop):
            return self._loop(item, placed)
        assert isinstance(item, Choice)
        steps = self._steps(item.items, placed)
        after: tuple[Stmt, ...] = ()
        if self.carried and item.after is not None:
            after = self._assign(self.carried[-1], Traced(0, expr_of(item.after.origin)))
            self._now(self.carried[-1], item.after)
        return _Many(self._conditions(item), item.case, steps, after, id(item.node))

    def _name(self, module: Module) -> str:
        """The submodule's name as a Python string: a literal or an f-string."""
        name = module.name
        if isinstance(name, IndexedName):
            said = [part if isinstance(part, str) else self.variables.say(part) for part in name.parts]
            if any(not isinstance(part, str) and not text.isdigit() for part, text in zip(name.parts, said, strict=True)):
                inner = "".join(
                    part if isinstance(part, str) else f"{{{text}}}" for part, text in zip(name.parts, said, strict=True)
                )
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

    def _simple(self, steps: Sequence[_Step]) -> tuple[Doc, ...] | None:
        """The arguments of nn.Sequential, if no statements are needed for them."""
        docs: list[Doc] = []
        numbered = self._numbered(steps)
        named: list[tuple[str, Doc]] = []
        for step in self._decided(steps):
            if isinstance(step, _One) and not step.before:
                docs.append(step.doc)
                named.append((step.name, step.doc))
            elif isinstance(step, _Rolled) and step.generator is not None and numbered:
                docs.append(step.generator)
            else:
                return None
        if numbered:
            return tuple(docs)
        keys = [name.strip('"') for name, _ in named]
        if any(name.startswith("f") for name, _ in named):
            return None
        self.classes.uses_ordered_dict = True
        if all(key.isidentifier() for key in keys):
            return (Bracket("OrderedDict(", tuple(Prefixed(f"{k}=", d) for k, (_, d) in zip(keys, named, strict=True))),)
        pairs = (Bracket(f"({name}, ", (doc,)) for name, doc in named)
        return (Bracket("OrderedDict([", tuple(pairs), "])"),)

    def _decided(self, steps: Sequence[_Step]) -> Iterator[_Step]:
        """The steps with the cases that were taken in place of their `if`s, and unrolled loops in place."""
        for step in steps:
            if isinstance(step, _Many):
                if step.after:
                    yield step
                else:
                    yield from self._decided(step.steps)
            elif isinstance(step, _Rolled) and step.turns is not None:
                for turn in step.turns:
                    yield from self._decided(turn)
            else:
                yield step

    def _numbered(self, steps: Sequence[_Step]) -> bool:
        return all(
            step.module.name.isdigit() if isinstance(step, _One) else self._numbered(step.all_steps) for step in steps
        )

    def _filled(self, steps: Sequence[_Step], target: str, numbered: bool) -> tuple[Stmt, ...]:
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
            if isinstance(step, _One):
                if step.before:
                    flush()
                    out += step.before
                if numbered:
                    run.append(step.doc)
                else:
                    out.append(Line(call(f"{target}.add_module", step.name, step.doc)))
                continue
            flush()
            if isinstance(step, _Many):
                body = (*self._filled(step.steps, target, numbered), *step.after)
                out.append(Cases(step.key, step.conditions, ((step.case, body),)))
            elif step.turns is not None:
                for turn in step.turns:
                    out += self._filled(turn, target, numbered)
            else:
                assert step.body is not None
                out += step.before
                out.append(Block(step.header, (*self._merged(step, target, numbered), *step.after)))
        flush()
        return tuple(out)

    def _merged(self, step: _Rolled, target: str, numbered: bool) -> tuple[Stmt, ...]:
        assert step.body is not None
        turns = [self._filled(turn, target, numbered) for turn in step.body]
        merged = turns[0]
        for turn in turns[1:]:
            merged = merge(merged, turn)
        return merged

    # --- loops ------------------------------------------------------------------------------------------------------

    def _loop(self, item: Loop, placed: Placed) -> _Rolled:
        """The loop as a loop if its turns are the same code, else its turns one by one."""
        if len(item.turns) > 1:
            for attempt in (self._rolled_still, self._rolled_carrying):
                with self._undoing():
                    try:
                        return attempt(item, placed)
                    except (Differ, NotSayable):
                        pass
                    self._undo = True
        turns = tuple(self._steps(turn.items, placed) for turn in item.turns)
        return _Rolled("", (), (), None, turns)

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        """Restores the variables if the attempt inside failed."""
        names, alias = dict(self.variables.names), dict(self.variables.alias)
        self._undo = False
        yield
        if self._undo:
            self.variables.names, self.variables.alias = names, alias

    def _header(self, item: Loop) -> str:
        if isinstance(item.node, tree.Repeat):
            return f"for _ in range({self.variables.translate(item.node.count)})"
        names = ", ".join(map(python_name, item.node.names))
        iterable = self.variables.translate(item.node.iterable)
        return f"for {names} in {iterable}"

    def _turns(self, item: Loop, placed: Placed, start: Any) -> tuple[tuple[_Step, ...], ...]:
        turns = []
        for index, turn in enumerate(item.turns):
            own = {ref: python_name(name) for name, ref in item.variables[index].items()}
            if index < len(item.carried):
                start(index)
            self.variables.names.update(own)
            turns.append(self._steps(turn.items, placed))
            start(index, leaving=turn)
            for ref in own:
                del self.variables.names[ref]
        return tuple(turns)

    def _rolled_still(self, item: Loop, placed: Placed) -> _Rolled:
        """A loop whose value keeps its channels: no variable is needed for them."""
        header = self._header(item)
        for ref in item.carried[1:]:
            if int(ref.origin) != int(item.carried[0].origin):
                raise Differ
            self.variables.alias[ref] = item.carried[0]
        entering = self.variables.say(Traced(0, item.carried[0])) if item.carried else ""

        def check(index: int, leaving: Any = None) -> None:
            if leaving is not None and item.carried:
                out = item.carried[index + 1].origin
                if self.variables.say(Traced(int(out), expr_of(out))) != entering:
                    raise Differ

        turns = self._turns(item, placed, check)
        step = _Rolled(header, (), (), turns, None)
        self._probe(step)
        if len(turns[0]) == 1 and isinstance(turns[0][0], _One) and not turns[0][0].before:
            step.generator = f"*({flat(turns[0][0].doc)} {header})"
        return step

    def _rolled_carrying(self, item: Loop, placed: Placed) -> _Rolled:
        """A loop that changes the channels: a variable carries them from turn to turn."""
        if not item.carried:
            raise Differ
        first = item.carried[0].origin
        expr = expr_of(first)
        header = self._header(item)
        outer = self.carried[-1] if self.carried else None
        before: tuple[Stmt, ...] = ()
        if outer is not None and self.variables.say(Traced(0, expr)) == outer:
            name = outer
        else:
            name = self.classes.fresh_local("channels", self)
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
            turns = self._turns(item, placed, carry)
            after = ends[0]
            for end in ends[1:]:
                after = merge(after, end)
            step = _Rolled(header, before, after, turns, None)
            self._probe(step)
        finally:
            self.carried.pop()
        self._now(name, item.carried[-1])
        return step

    def _probe(self, step: _Rolled) -> None:
        """Raises Differ if the turns are not the same code."""
        self._merged(step, "probe", self._numbered(step.all_steps))

    def _now(self, name: str, ref: Any) -> None:
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


@dataclass
class _One:
    """One submodule of a sequence."""

    module: Module
    name: str
    before: tuple[Stmt, ...]
    doc: Doc


@dataclass
class _Many:
    """The taken case of an `if`."""

    conditions: tuple[str | None, ...]
    case: int
    steps: tuple[_Step, ...]
    after: tuple[Stmt, ...]
    key: int

    @property
    def all_steps(self) -> tuple[_Step, ...]:
        return self.steps


@dataclass
class _Rolled:
    """A loop: kept (`body`, the steps of each turn, which merge) or unrolled (`turns`)."""

    header: str
    before: tuple[Stmt, ...]
    after: tuple[Stmt, ...]
    body: tuple[tuple[_Step, ...], ...] | None
    turns: tuple[tuple[_Step, ...], ...] | None
    generator: Doc | None = None

    @property
    def all_steps(self) -> tuple[_Step, ...]:
        return tuple(step for turn in self.body or self.turns or () for step in turn)


_Step = _One | _Many | _Rolled


def is_function(item: Apply) -> bool:
    """Whether an application needs no submodule: there is a function for it, and no state."""
    return not item.module.weights and item.layer.function(*(value.shape for value in item.inputs)) is not None
