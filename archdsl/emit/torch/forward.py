"""The `forward` of a class: calls nested as one would write them, names where a value is used again.

Input: one traced scope. Output: statements. The flowing value is `x`; where it has to wait (a residual's other side)
what flows beside it is `y`, then `z`. A value that is used more than once has its author's label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, count, pairwise
from typing import TYPE_CHECKING

from archdsl.emit.torch.chains import is_function
from archdsl.emit.torch.code import WIDTH, Block, Bracket, Doc, Flagged, Line, Prefixed, Stmt, call, flat
from archdsl.emit.torch.construct import Constructor
from archdsl.emit.torch.say import Variables, literal, python_name
from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Result, Scope, Skip, TrainingOnly, Value, walk
from archdsl.layers.call import Call as TorchCall
from archdsl.layers.call import Operand
from archdsl.passes.cost import outputs
from archdsl.passes.inplace import use_counts
from archdsl.passes.place import Application, Placed

if TYPE_CHECKING:
    from archdsl.emit.torch.classes import Classes

FLOW = ("x", "y", "z", "u", "v", "w")
LONGEST = 56  # of an expression that is nested into another
DEEPEST = 3
# A string, or a name that is no attribute and no argument's.
_NAMES = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\w.])[A-Za-z_]\w*(?![\w])(?!=[^=])')


@dataclass(frozen=True, eq=False)
class _Expression:
    """A value as Python text that is not written yet.

    `ran` are the numbers of the first and the last application in it, by their order in the spec; `typed` says that a
    type checker knows it as a tensor, `sum` that it needs parentheses in some places.
    """

    doc: Doc
    depth: int = 0
    typed: bool = True
    sum: bool = False
    ran: tuple[int, int] | None = None

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names in it: what is read is seen from the very text that will be written."""
        return frozenset(name for name in _NAMES.findall(flat(self.doc)) if not name.startswith('"'))


_NOTHING = _Expression("")


@dataclass
class Forward:
    """Writes the forward of one class.

    A value stands in a variable, or waits as an expression until its only user is written. Two rules make the text mean
    what the graph says, whatever is nested into what:

    * A variable is assigned only if nothing needs what it holds: no value in it has uses left, no expression that
      waits, and none that is at hand for the application being written, reads it.
    * Before a line is written, whatever waits and runs earlier in the spec gets lines of its own. So the order of
      applications is the spec's: of random draws, of running statistics.
    """

    classes: Classes
    scope: Scope
    placed: Placed
    constructor: Constructor
    shapes: bool  # comments with shapes
    out: list[Stmt] = field(default_factory=list)
    values: dict[Value, _Expression] = field(default_factory=dict)
    waiting: dict[Value, _Expression] = field(default_factory=dict)  # values without a variable
    hands: list[_Expression] = field(default_factory=list)  # operands of the application being written
    around: list[_Expression] = field(default_factory=list)  # what is read after the items that are being written
    holder: dict[str, Value] = field(default_factory=dict)  # variable → value
    given: dict[Value, str] = field(
        default_factory=dict
    )  # the variables of values that are declared before they are made
    moved: dict[tuple[Value, int], str] = field(default_factory=dict)  # variables of values on another device
    gpus: set[int] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)  # variables that have been assigned
    annotated: set[str] = field(default_factory=set)  # those declared as tensors
    untyped: set[str] = field(default_factory=set)  # those that a type checker takes for Any, as a submodule returns
    applications: int = 0

    def __post_init__(self) -> None:
        self.left = use_counts(self.scope)
        self.results = {result.value.tensor: result for result in self.scope.results}
        several = len(self.scope.results) + len(self.scope.exports) > 1
        self.kept = {r.value.tensor for r in self.scope.results if several}
        self.kept |= {value.tensor for value in self.scope.exports.values()}

    def arguments(self) -> list[tuple[str, Value]]:
        """The parameters of `forward`: the author's names of a network's inputs, `x` for a block's own."""
        names: list[str] = []
        for name, value in zip(self.scope.input_names, self.scope.inputs, strict=True):
            wanted = "x" if name == "in" else python_name(name)
            while wanted in names or wanted in self.classes.reserved:
                wanted += "_"
            names.append(wanted)
            self.declared.add(wanted)
            self.annotated.add(wanted)
            self._hold(wanted, value)
        return list(zip(names, self.scope.inputs, strict=True))

    def write(self) -> tuple[Stmt, ...]:
        """The body."""
        self._items(self.scope.items)
        self._return()
        head: list[Stmt] = []
        if self.gpus:
            count = self.classes.devices
            names = [f"gpu{i}" if i in self.gpus else "_" for i in range(count)]
            head.append(Line(f"{', '.join(names)}{',' * (count == 1)} = self.devices"))
        return (*head, *self.out)

    # --- values -----------------------------------------------------------------------------------------------------

    def _hold(self, name: str, value: Value) -> None:
        self.holder[name] = value
        self.values[value] = _Expression(name)

    def _take(self, values: Sequence[Value], item: Application) -> list[_Expression]:
        """The operands of an application, at hand until it is made."""
        self.hands = []
        for value in values:
            self.hands.append(self._use(value, item))
        self._settle_order()
        return self.hands

    def _use(self, value: Value, item: Application | None = None) -> _Expression:
        """The expression of a value for one of its users, on the user's device."""
        tensor = value.tensor
        self._leave(tensor)
        found = self.values[tensor]
        move = self.placed.moves.get((tensor, self.placed.device[item])) if item is not None else None
        if move is None or (isinstance(item, Call) and item.hint is None and item.scope.hinted):
            return found
        self.gpus.add(move.target)
        moved = replace(found, doc=Bracket(flat(_atom(found)) + ".to(", (f"device=gpu{move.target}",)), sum=False)
        return moved if len(move.users) == 1 else self._moved(tensor, found, move.target, moved)

    def _moved(self, tensor: Value, found: _Expression, target: int, moved: _Expression) -> _Expression:
        """The variable of a value that moved, made when the first user asks."""
        if (tensor, target) not in self.moved:
            stem = found.doc if isinstance(found.doc, str) and found.doc.isidentifier() else "x"
            name = f"{stem}_gpu{target}"
            while not self._free(name):
                name += "_"
            self._write(name, moved)
            self.moved[tensor, target] = name
            self.holder[name] = tensor
        return _Expression(self.moved[tensor, target])

    def _leave(self, tensor: Value) -> None:
        """One use of a value less."""
        self.left[tensor] -= 1
        if not self.left[tensor]:
            self.waiting.pop(tensor, None)

    def _made(self, doc: Doc, typed: bool, *, infix: bool = False, applied: bool = False) -> _Expression:
        """What is made of the operands at hand, which it takes out of them."""
        ran = [each.ran for each in self.hands if each.ran is not None]
        if applied:
            ran.append((self.applications, self.applications))
            self.applications += 1
        depth = 1 + max((each.depth for each in self.hands), default=0)
        self.hands = []
        return _Expression(doc, depth, typed, infix, (ran[0][0], ran[-1][1]) if ran else None)

    def _make(self, value: Value, made: _Expression, flush: bool = False) -> None:
        """A new value: assigned now, or nested into its only user; if it has none, it is only run."""
        if value in self.given or self.left[value] > 1 or value in self.kept:
            self._assign(value, made)
        elif not self.left[value]:
            self._run(made)
        elif value in self.results and made.typed:
            self._keep(value, made)  # `return F.relu(x)`
        elif flush or made.depth >= DEEPEST or len(flat(made.doc)) > LONGEST:
            self._assign(value, made)
        else:
            self._keep(value, made)

    def _keep(self, value: Value, made: _Expression) -> None:
        """A value that has no variable (yet)."""
        self.values[value] = self.waiting[value] = made

    def _assign(self, value: Value, made: _Expression) -> None:
        self.waiting.pop(value, None)
        self._before(made)
        name = self._label(value) if self.left[value] > 1 or value in self.kept else self._flow()
        self._write(name, made, value)
        self._hold(name, value)

    def _write(self, name: str, made: _Expression, value: Value | None = None) -> None:
        """An assignment; that of a value of the spec has its shape and, the first time, a type if none is known."""
        doc = self._shortened(f"{name}: Tensor = ", made)
        new = value is not None and name not in self.declared and not made.typed
        comment = f"# {self._shape(value)}" if self.shapes and value is not None else ""
        self.out.append(Line(Prefixed(f"{name}: Tensor = " if new else f"{name} = ", doc), comment))
        self.holder.pop(name, None)
        self.declared.add(name)
        if new:
            self.annotated.add(name)
        if made.typed or name in self.annotated:
            self.untyped.discard(name)
        else:
            self.untyped.add(name)

    def _run(self, made: _Expression) -> None:
        """A line for what nobody uses: it may draw random numbers or count statistics."""
        self._before(made)
        if not made.sum:
            self.out.append(Line(made.doc))

    # --- order ------------------------------------------------------------------------------------------------------

    def _settle_order(self) -> None:
        """Gives the operands at hand variables if, nested as they are, something would not run in its turn."""
        ran = [each for each in self.hands if each.ran is not None]
        if not ran:
            return
        first = min(_first(each) for each in ran)
        between = [value for value, each in self.waiting.items() if each.ran is not None and each.ran[0] > first]
        if not between and all(_last(a) < _first(b) for a, b in pairwise(ran)):
            return
        for each in sorted([*ran, *(self.waiting[value] for value in between)], key=_first):
            if each in self.hands:
                self._hoist(self.hands.index(each))
            else:
                self._assign(next(value for value in between if self.values[value] is each), each)

    def _before(self, made: _Expression) -> None:
        """Lines for what waits and comes before the last application of an expression that is about to be written."""
        if made.ran is None:
            return
        self.hands.append(made)
        earlier = [value for value, each in self.waiting.items() if each.ran is not None and each.ran[0] < made.ran[1]]
        for value in sorted(earlier, key=lambda value: _first(self.values[value])):
            if value in self.waiting:
                self._assign(value, self.waiting[value])
        self.hands.pop()

    def _hoist(self, index: int, value: Value | None = None) -> None:
        """Gives an operand at hand a variable; `value` if it is one of the spec as it stands."""
        each = self.hands[index]
        self._before(each)
        self.hands[index] = _NOTHING
        name = self._flow()
        self._write(name, each, value)
        self.hands[index] = _Expression(name)

    # --- names ------------------------------------------------------------------------------------------------------

    def _shortened(self, target: str, made: _Expression) -> Doc:
        """The expression; of a call of a call that is too long for a line, the inner one gets a line of its own."""
        doc = made.doc
        if not isinstance(doc, Bracket) or len(doc.items) != 1 or not isinstance(doc.items[0], Bracket):
            return doc
        if len(target) + len(flat(doc)) + 8 <= WIDTH:
            return doc
        self.hands.append(_Expression(doc.prefix + doc.suffix))
        name = self._flow()
        self.hands.pop()
        self._write(name, _Expression(doc.items[0], typed=False))
        return Bracket(doc.prefix, (name,), doc.suffix)

    def _annotate(self, name: str) -> None:
        """Declares a variable where it is first assigned."""

        def first(stmts: list[Stmt]) -> bool:
            for i, stmt in enumerate(stmts):
                if isinstance(stmt, Line) and isinstance(stmt.doc, Prefixed):
                    if stmt.doc.text == f"{name} = ":
                        stmts[i] = Line(Prefixed(f"{name}: Tensor = ", stmt.doc.doc), stmt.comment)
                        return True
                    if stmt.doc.text.startswith(f"{name}, "):  # one of several
                        stmts.insert(i, Line(f"{name}: Tensor"))
                        return True
                if isinstance(stmt, Block):
                    inner = list(stmt.body)
                    if first(inner):
                        stmts[i] = Block(stmt.header, tuple(inner))
                        return True
            return False

        first(self.out)
        self.annotated.add(name)
        self.untyped.discard(name)

    def _shape(self, value: Value) -> str:
        say = self.constructor.variables.say
        return f"[{', '.join(say(dim) if isinstance(dim, int) else str(dim) for dim in value.shape)}]"

    def _free(self, name: str) -> bool:
        """Whether nobody needs what a variable holds."""
        holder = self.holder.get(name)
        if holder is not None and (self.left[holder] > 0 or holder in self.kept):
            return False
        return not any(name in each.reads for each in (*self.waiting.values(), *self.hands, *self.around))

    def _flow(self) -> str:
        return next(name for name in chain(FLOW, (f"x{i}" for i in count(2))) if self._free(name))

    def _label(self, value: Value) -> str:
        """The variable of a value that is kept: the author's label, or a flow name."""
        if value in self.given:
            return self.given[value]
        result = self.results.get(value)
        wanted = (result.name if result is not None else None) or value.label
        return self._flow() if wanted is None else self._named(wanted)

    def _named(self, wanted: str) -> str:
        """A variable that may be assigned, by a name of the spec."""
        name = python_name(wanted)
        while not self._free(name) or name in self.classes.reserved:
            name += "_"
        return name

    # --- items ------------------------------------------------------------------------------------------------------

    def _items(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, Apply):
                self._apply(item)
            elif isinstance(item, Call):
                self._call(item)
            elif isinstance(item, Join):
                for branch in item.branches:
                    self._items(branch.items)
                if item.kind != "parallel":
                    self._join(item)
            elif isinstance(item, Skip):
                self._skip(item)
            elif isinstance(item, Loop):
                for turn in item.turns:
                    self._items(turn.items)
            elif isinstance(item, Choice):
                self._items(item.items)
            else:
                self._training(item)

    def _apply(self, item: Apply) -> None:
        self._take(item.inputs, item)
        made = item.layer.function(*(value.shape for value in item.inputs)) if is_function(item) else None
        if made is not None:
            self.classes.support(made)
            self._once(made)
            docs = [self._argument(arg) for arg in made.args]
            docs += [f"{key}={literal(value)}" for key, value in made.kwargs.items()]
            if item in self.classes.inplace:
                docs.append("inplace=True")
            if made.func.startswith("."):
                doc: Doc = Bracket(flat(_atom(self.hands[0])) + made.func + "(", tuple(docs[1:]))
            else:
                doc = Bracket(f"{made.func}(", tuple(docs))
        elif item.module.indices:
            self._pool(item)
            return
        else:
            pairs = zip(self.hands, item.inputs, strict=True)
            docs = [Prefixed("output_size=", o.doc) if value.is_size else o.doc for o, value in pairs]
            doc = Bracket(f"{self.constructor.attribute(item.module)}(", tuple(docs))
        if len(item.outputs) == 1:
            flush = made is not None and item.layer.family == "activate"
            self._make(item.outputs[0], self._made(doc, made is not None, applied=True), flush)
        else:
            self._unpack(item.outputs, doc)

    def _pool(self, item: Apply) -> None:
        """A pooling that gives its indices too; the size of what it pools gets a variable before it."""
        pooled, *companions = item.outputs
        used = [value for value in companions if self.left[value]]
        if used and self.hands[0].depth:
            tensor = item.inputs[0].tensor
            self._hoist(0, tensor if self.hands[0] is self.values[tensor] else None)
        names = {"indices": "_"}
        for value in used:
            assert value.companion is not None
            name = names[value.companion.kind] = self._label(value)
            self._hold(name, value)
            if value.is_size:
                self.out.append(Line(f"{name} = {flat(self.hands[0].doc)}.shape[2:]"))
        doc = Bracket(f"{self.constructor.attribute(item.module)}(", (self.hands[0].doc,))
        self._before(self._made(doc, False, applied=True))
        name = "_"
        if self.left[pooled]:
            name = self._label(pooled) if self.left[pooled] > 1 or pooled in self.kept else self._flow()
            self.declared.add(name)
            if name not in self.annotated:
                self.untyped.add(name)
            self._hold(name, pooled)
        comment = f"# {self._shape(pooled)}" if self.shapes else ""
        self.out.append(Line(Prefixed(f"{name}, {names['indices']} = ", doc), comment))

    def _once(self, made: TorchCall) -> None:
        """Gives an operand that a call names more than once a variable."""
        for index, operand in enumerate(self.hands):
            times = sum(isinstance(arg, Operand) and arg.index == index for arg in made.args)
            if times > 1 and not isinstance(operand.doc, str):
                self._hoist(index)

    def _argument(self, arg: object) -> Doc:
        if isinstance(arg, Operand):
            operand = self.hands[arg.index]
            return f"{flat(_atom(operand))}.{arg.attribute}" if arg.attribute else operand.doc
        return Variables().say(arg)  # the constructor's variables are gone

    def _unpack(self, outputs: Sequence[Value], doc: Doc) -> None:
        """Several outputs of a layer, each in a variable of its own."""
        self._before(self._made(doc, False, applied=True))
        names: list[str] = []
        for i, value in enumerate(outputs):
            name = "_"
            if self.left[value]:
                name = self.given.get(value) or self._named(value.label or f"part{i}")
                while name in names:
                    name = self._named(name + "_")
            names.append(name)
        self.out.append(Line(Prefixed(f"{', '.join(names)} = ", doc)))
        for name, value in zip(names, outputs, strict=True):
            if name != "_":
                self.declared.add(name)
                self._hold(name, value)

    def _call(self, item: Call) -> None:
        operands = self._take(item.inputs, item)
        doc = Bracket(f"{self.constructor.attribute(item.module)}(", tuple(operand.doc for operand in operands))
        made = self._made(doc, False, applied=True)
        what = item.module.what  # of a shared module, where it was first applied
        assert isinstance(what, Scope)
        fields = self.classes.fields(what)
        if fields is None:
            self._make(item.outputs[0], made)
            return
        self._before(made)
        name = self._named(item.module.name if not item.module.name.isdigit() else "outputs")
        self.out.append(Line(Prefixed(f"{name} = ", doc)))
        self.holder.pop(name, None)
        self.declared.add(name)
        exported = {what.exports[k].tensor: v for k, v in item.exports.items()}
        for inner, attribute in fields.items():
            outer = [o for r, o in zip(what.results, item.outputs, strict=True) if r.value.tensor is inner]
            for value in (*outer, *([exported[inner]] if inner in exported else [])):
                self._field(value, f"{name}.{attribute}")

    def _field(self, value: Value, text: str) -> None:
        """An output of a call with several: it needs no variable, as the tuple has one."""
        if value in self.given:
            self._assign(value, _Expression(text, typed=False))
        elif self.left[value]:
            self._keep(value, _Expression(text, typed=False))

    def _join(self, item: Join) -> None:
        self._take([branch.value for branch in item.branches], item)
        if not self._is_used(item.output):
            return
        doc: Doc
        if item.kind == "concat":
            doc = call("torch.cat", Bracket("[", tuple(o.doc for o in self.hands), "]"), f"dim={item.axis + 1}")
        else:
            doc = self._infix(" + " if item.kind == "add" else " * ")
        typed = item.kind == "concat" or self._all_typed()
        self._make(item.output, self._made(doc, typed, infix=item.kind != "concat"))

    def _is_used(self, joined: Value) -> bool:
        """Whether anybody uses what operands are joined to. If not, they are only run."""
        if self.left[joined] or joined in self.kept:
            return True
        operands, self.hands = self.hands, []
        for each in operands:
            if each.ran is not None:
                self._run(each)
        return False

    def _all_typed(self) -> bool:
        """Whether a type checker knows an operator's result."""
        return all(o.typed and not (isinstance(o.doc, str) and o.doc in self.untyped) for o in self.hands)

    def _infix(self, op: str) -> str:
        """`a + b` of what is at hand; operands that are too long for one line get variables."""
        while sum(len(flat(o.doc)) for o in self.hands) > LONGEST + 8:
            longest = max(self.hands, key=lambda o: len(flat(o.doc)))
            if not longest.depth:
                break
            for each in self.hands:  # in their order, those before it too
                if each.depth and each.ran is not None and longest.ran is not None and each.ran[0] <= longest.ran[0]:
                    self._hoist(self.hands.index(each))
            if longest in self.hands:
                self._hoist(self.hands.index(longest))
        return op.join(flat(_atom(o) if op == " * " else o.doc) for o in self.hands)

    def _skip(self, item: Skip) -> None:
        self._items(item.items)
        optional = self.constructor.optional.get(id(item.node))
        if optional is None:
            self._items(item.projection.items if item.projection is not None else ())
            side = item.projection.value if item.projection is not None else item.source
            body, source = self._take([item.body, side], item)
        else:
            source = self._side(item, optional.name) if optional.single else self._chosen(item, optional.name)
            self.hands = [source]
            body = self._use(item.body, item)
        if not self._is_used(item.output):
            return
        self.hands = [body, source] if item.kind == "residual" else [source, body]
        self._settle_order()
        if item.kind == "dense":
            doc: Doc = call("torch.cat", Bracket("[", tuple(o.doc for o in self.hands), "]"), f"dim={item.axis + 1}")
        else:
            doc = self._infix(" * " if item.kind == "gate" else " + ")
        typed = item.kind == "dense" or self._all_typed()
        self._make(item.output, self._made(doc, typed, infix=item.kind != "dense"))

    def _side(self, item: Skip, name: str) -> _Expression:
        """The other side through a projection that is one submodule, or the identity."""
        if item.projection is not None:
            self._leave(item.projection.value.tensor)
        source = self._use(item.source, item)
        self.applications += 1
        number = self.applications - 1
        ran = (number if source.ran is None else source.ran[0], number)
        return _Expression(call(f"self.{name}", source.doc), source.depth + 1, False, ran=ran)

    def _chosen(self, item: Skip, flag: str) -> _Expression:
        """The other side through several submodules, if the flag is up."""
        self._run_all()
        plain = self.values[item.source.tensor]
        name = self._flow()
        self._write(name, plain)
        body: tuple[Stmt, ...] | None = None
        if item.projection is None:
            self._use(item.source, item)
        else:
            self.around.append(_Expression(name))
            outer, self.out = self.out, []
            self._items(item.projection.items)
            side = self._use(item.projection.value, item)
            self._before(side)
            self._write(name, side)
            body, self.out = tuple(self.out), outer
            self.around.pop()
        self.out.append(Flagged(f"self.{flag}", body))
        return _Expression(name, typed=False)

    def _training(self, item: TrainingOnly) -> None:
        """`if self.training:` around what runs in training mode only; its outputs are None otherwise."""
        self._run_all()
        for result in self._outputs_of(item):
            assert result.name is not None
            value = result.value.tensor
            name = self.given[value] = self._named(result.name)
            self.out.append(Line(f"{name}: Tensor | None = None"))
            self.holder[name] = value
            self.declared.add(name)
            self.annotated.add(name)
        outer, self.out = self.out, []
        self._items(item.items)
        self._run_all()
        body, self.out = tuple(self.out), outer
        if body:
            self.out.append(Block("if self.training", body))

    def _outputs_of(self, item: TrainingOnly) -> Iterator[Result]:
        """The outputs that are made in a training section, each value once."""
        seen: set[Value] = set()
        for result in self.scope.results:
            value = result.value.tensor
            if result.training and value not in seen and any(value in outputs(each) for each in walk(item.items)):
                seen.add(value)
                yield result

    def _run_all(self) -> None:
        """Gives all that waits to be run a line: what follows stands in another block."""
        for value, each in list(self.waiting.items()):
            if each.ran is not None and value in self.waiting:
                self._assign(value, each)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _return(self) -> None:
        fields = self.classes.fields(self.scope)
        if fields is not None:
            made = [f"{name}={flat(self._use(value).doc)}" for value, name in fields.items()]
            self.out.append(
                Line(Prefixed("return ", Bracket(f"{self.classes.output_class(self.scope)}(", tuple(made))))
            )
            return
        value = self.scope.results[0].value.tensor
        result = self._use(value)
        if not result.typed:
            name = self._flow()
            self._write(name, result, value)
            result = _Expression(name)
        if isinstance(result.doc, str) and result.doc in self.untyped:
            self._annotate(result.doc)
        self.out.append(Line(Prefixed("return ", self._shortened("return ", result))))


def _first(each: _Expression) -> int:
    return each.ran[0] if each.ran is not None else -1


def _last(each: _Expression) -> int:
    return each.ran[1] if each.ran is not None else -1


def _atom(each: _Expression) -> Doc:
    """An expression that a method call or a product can take as it is."""
    return f"({flat(each.doc)})" if each.sum else each.doc
