"""The `forward` of a class: calls nested as one would write them, names where a value is used again.

Input: one traced scope. Output: statements. The flowing value is `x`; where it has to wait (a residual's other side)
what flows beside it is `y`, then `z`. A value that is used more than once has its author's label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TYPE_CHECKING

from archdsl.emit.torch.chains import is_function
from archdsl.emit.torch.code import WIDTH, Block, Bracket, Doc, Line, Prefixed, Stmt, call, flat
from archdsl.emit.torch.construct import Constructor
from archdsl.emit.torch.say import Variables, literal, python_name
from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Scope, Skip, TrainingOnly, Value, walk
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


@dataclass
class _Pending:
    """An expression that has not been assigned: what it reads, whether mypy knows it is a tensor."""

    doc: Doc
    reads: frozenset[str]
    depth: int
    typed: bool
    sum: bool = False  # `a + b`: needs parentheses in some places


@dataclass
class Forward:
    """Writes the forward of one class."""

    classes: Classes
    scope: Scope
    placed: Placed
    constructor: Constructor
    shapes: bool  # comments with shapes
    out: list[Stmt] = field(default_factory=list)
    values: dict[Value, _Pending] = field(default_factory=dict)
    holder: dict[str, Value] = field(default_factory=dict)  # variable → value
    gpus: set[int] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)  # variables that have been assigned
    annotated: set[str] = field(default_factory=set)  # those declared as tensors
    untyped: set[str] = field(
        default_factory=set
    )  # those that a type checker takes for Any, as what a submodule returns
    open: dict[Value, frozenset[str]] = field(default_factory=dict)  # values without a variable → what they read

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
        self.values[value] = _Pending(name, frozenset({name}), 0, True)

    def _use(self, value: Value, item: Application | None = None) -> _Pending:
        """The expression of a value for one of its users, on the user's device."""
        tensor = value.tensor
        self._leave(tensor)
        pending = self.values[tensor]
        move = self.placed.moves.get((tensor, self.placed.device[item])) if item is not None else None
        if move is None or (isinstance(item, Call) and item.hint is None and item.scope.hinted):
            return pending
        self.gpus.add(move.target)
        moved = Bracket(flat(_atom(pending)) + ".to(", (f"device=gpu{move.target}",))
        if len(move.users) == 1:
            return _Pending(moved, pending.reads, pending.depth, pending.typed)
        name = self._moved_name(tensor, move.target, moved)
        return _Pending(name, frozenset({name}), 0, True)

    def _leave(self, tensor: Value) -> None:
        """One use of a value less."""
        self.left[tensor] -= 1
        if not self.left[tensor]:
            self.open.pop(tensor, None)

    def _moved_name(self, tensor: Value, target: int, moved: Doc) -> str:
        """The variable of a value that moved, made when the first user asks."""
        key = f"{flat(self.values[tensor].doc) if self.values[tensor].depth == 0 else 'x'}_gpu{target}"
        key = key if key.isidentifier() else f"x_gpu{target}"
        if self.holder.get(key) is not tensor:
            self.out.append(Line(Prefixed(f"{key} = ", moved)))
            self.holder[key] = tensor
        return key

    def _make(self, value: Value, pending: _Pending, item: Item | None, flush: bool) -> None:
        """A new value: assigned now or nested into its only user."""
        name = None
        if self.left[value] > 1 or value in self.kept:
            name = self._label(value)
        elif self.left[value] == 1 and value in self.results and pending.typed:
            name = None  # `return F.relu(x)`
        elif flush or pending.depth >= DEEPEST or len(flat(pending.doc)) > LONGEST:
            name = self._flow()
        if name is None:
            self._keep(value, pending)
        else:
            self._assign(name, value, pending)

    def _keep(self, value: Value, pending: _Pending) -> None:
        """A value that has no variable (yet)."""
        self.values[value] = pending
        self.open[value] = pending.reads

    def _assign(self, name: str, value: Value, pending: _Pending) -> None:
        comment = f"# {self._shape(value)}" if self.shapes else ""
        doc = self._shortened(f"{name}: Tensor = ", pending)
        new = name not in self.declared and not pending.typed
        self.out.append(Line(Prefixed(f"{name}: Tensor = " if new else f"{name} = ", doc), comment))
        self.declared.add(name)
        if new:
            self.annotated.add(name)
        if pending.typed or name in self.annotated:
            self.untyped.discard(name)
        else:
            self.untyped.add(name)
        self._hold(name, value)

    def _shortened(self, target: str, pending: _Pending) -> Doc:
        """The expression; of a call of a call that is too long for a line, the inner one gets a line of its own."""
        doc = pending.doc
        if not isinstance(doc, Bracket) or len(doc.items) != 1 or not isinstance(doc.items[0], Bracket):
            return doc
        if len(target) + len(flat(doc)) + 8 <= WIDTH:
            return doc
        name = self._flow()
        self.out.append(Line(Prefixed(f"{name} = ", doc.items[0])))
        self.declared.add(name)
        self.untyped.add(name)
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
        """Whether nobody needs what a variable holds: no use is left, no nested expression reads it."""
        holder = self.holder.get(name)
        if holder is not None and (self.left[holder] > 0 or holder in self.kept):
            return False
        return not any(name in reads for reads in self.open.values())

    def _flow(self) -> str:
        return next(name for name in _flow_names() if self._free(name))

    def _label(self, value: Value) -> str:
        """The variable of a value that is kept: the author's label, or a flow name."""
        result = self.results.get(value)
        wanted = (result.name if result is not None else None) or value.label
        if wanted is None:
            return self._flow()
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
        operands = [self._use(value, item) for value in item.inputs]
        made = item.layer.function(*(value.shape for value in item.inputs)) if is_function(item) else None
        if made is not None:
            self.classes.support(made)
            operands = [self._once(o, made, i, operands) for i, o in enumerate(operands)]
            docs = [self._argument(arg, operands) for arg in made.args]
            docs += [f"{key}={literal(value)}" for key, value in made.kwargs.items()]
            if item in self.classes.inplace:
                docs.append("inplace=True")
            if made.func.startswith("."):
                head = _atom(operands[0])
                doc: Doc = Bracket(flat(head) + made.func + "(", tuple(docs[1:]))
            else:
                doc = Bracket(f"{made.func}(", tuple(docs))
        else:
            pairs = zip(operands, item.inputs, strict=True)
            docs = [Prefixed("output_size=", o.doc) if value.is_size else o.doc for o, value in pairs]
            doc = Bracket(f"{self.constructor.attribute(item.module)}(", tuple(docs))
        reads = frozenset().union(*(operand.reads for operand in operands))
        depth = 1 + max(operand.depth for operand in operands)
        if item.module.indices:
            self._pool(item, operands[0])
        elif len(item.outputs) == 1:
            pending = _Pending(doc, reads, depth, made is not None)
            self._make(item.outputs[0], pending, item, flush=made is not None and item.layer.family == "activate")
        else:
            self._unpack(item.outputs, doc)

    def _pool(self, item: Apply, operand: _Pending) -> None:
        """A pooling that gives its indices too; the size of what it pools gets a variable before it."""
        pooled, *companions = item.outputs
        used = [value for value in companions if self.left[value]]
        if used and operand.depth:
            operand = self._settled(item.inputs[0].tensor, operand)
        names = {"indices": "_"}
        for value in used:
            assert value.companion is not None
            name = names[value.companion.kind] = self._label(value)
            self._hold(name, value)
            if value.is_size:
                self.out.append(Line(f"{name} = {flat(operand.doc)}.shape[2:]"))
        made = Bracket(f"{self.constructor.attribute(item.module)}(", (operand.doc,))
        name = "_"
        if self.left[pooled]:
            name = self._label(pooled) if self.left[pooled] > 1 or pooled in self.kept else self._flow()
            self.declared.add(name)
            if name not in self.annotated:
                self.untyped.add(name)
            self._hold(name, pooled)
        comment = f"# {self._shape(pooled)}" if self.shapes else ""
        self.out.append(Line(Prefixed(f"{name}, {names['indices']} = ", made), comment))

    def _settled(self, tensor: Value, operand: _Pending) -> _Pending:
        """An operand that is an expression, in a variable."""
        if not self.left[tensor]:
            self._assign(self._flow(), tensor, operand)
            return self.values[tensor]
        name = self._flow_beside([operand])  # moved to another device: the value itself is used again
        self.out.append(Line(Prefixed(f"{name} = ", operand.doc)))
        self.declared.add(name)
        self.untyped.add(name)
        return _Pending(name, frozenset({name}), 0, True)

    def _once(self, operand: _Pending, made: TorchCall, index: int, beside: Sequence[_Pending]) -> _Pending:
        """An operand that a call names more than once, in a variable."""
        times = sum(isinstance(arg, Operand) and arg.index == index for arg in made.args)
        if times < 2 or isinstance(operand.doc, str):
            return operand
        name = self._flow_beside(beside)
        self.out.append(Line(Prefixed(f"{name} = ", operand.doc)))
        self.declared.add(name)
        return _Pending(name, frozenset({name}), 0, True)

    def _argument(self, arg: object, operands: Sequence[_Pending]) -> Doc:
        if isinstance(arg, Operand):
            doc = operands[arg.index].doc
            return f"{flat(_atom(operands[arg.index]))}.{arg.attribute}" if arg.attribute else doc
        return Variables().say(arg)  # the constructor's variables are gone

    def _unpack(self, outputs: Sequence[Value], doc: Doc) -> None:
        """Several outputs of a layer, each in a variable of its own."""
        names: list[str] = []
        for i, value in enumerate(outputs):
            name = "_" if not self.left[value] else python_name(value.label or f"part{i}")
            while name != "_" and (name in names or not self._free(name) or name in self.classes.reserved):
                name += "_"
            names.append(name)
        self.out.append(Line(Prefixed(f"{', '.join(names)} = ", doc)))
        for name, value in zip(names, outputs, strict=True):
            if name != "_":
                self._hold(name, value)

    def _call(self, item: Call) -> None:
        operands = [self._use(value, item) for value in item.inputs]
        doc = Bracket(f"{self.constructor.attribute(item.module)}(", tuple(operand.doc for operand in operands))
        reads = frozenset().union(*(operand.reads for operand in operands))
        depth = 1 + max(operand.depth for operand in operands)
        made = item.module.what  # of a shared module, where it was first applied
        assert isinstance(made, Scope)
        fields = self.classes.fields(made)
        if fields is None:
            self._make(item.outputs[0], _Pending(doc, reads, depth, False), item, flush=False)
            return
        name = python_name(item.module.name if not item.module.name.isdigit() else "outputs")
        while not self._free(name) or name in self.classes.reserved:
            name += "_"
        self.out.append(Line(Prefixed(f"{name} = ", doc)))
        self.holder[name] = item.outputs[0]
        exported = {made.exports[k].tensor: v for k, v in item.exports.items()}
        for inner, attribute in fields.items():
            for result, output in zip(made.results, item.outputs, strict=True):
                if result.value.tensor is inner:
                    self._keep(output, _Pending(f"{name}.{attribute}", frozenset({name}), 0, False))
            if inner in exported:
                self._keep(exported[inner], _Pending(f"{name}.{attribute}", frozenset({name}), 0, False))

    def _join(self, item: Join) -> None:
        operands = [self._use(branch.value, item) for branch in item.branches]
        doc: Doc
        if item.kind == "concat":
            doc = call("torch.cat", Bracket("[", tuple(o.doc for o in operands), "]"), f"dim={item.axis + 1}")
        else:
            doc = self._infix(" + " if item.kind == "add" else " * ", operands)
        reads = frozenset().union(*(operand.reads for operand in operands))
        typed = item.kind == "concat" or self._all_typed(operands)
        pending = _Pending(doc, reads, 1 + max(o.depth for o in operands), typed, item.kind != "concat")
        self._make(item.output, pending, item, flush=False)

    def _all_typed(self, operands: Sequence[_Pending]) -> bool:
        """Whether a type checker knows an operator's result."""
        return all(o.typed and not (isinstance(o.doc, str) and o.doc in self.untyped) for o in operands)

    def _infix(self, op: str, operands: Sequence[_Pending]) -> str:
        """`a + b`; operands that are too long for one line get variables."""
        while sum(len(flat(o.doc)) for o in operands) > LONGEST + 8:
            longest = max(operands, key=lambda o: len(flat(o.doc)))
            if not longest.depth:
                break
            name = self._flow_beside(operands)
            self.out.append(Line(Prefixed(f"{name} = ", longest.doc)))
            short = _Pending(name, frozenset({name}), 0, True)
            operands = [short if o is longest else o for o in operands]
        texts = [flat(_atom(o) if op == " * " else o.doc) for o in operands]
        return op.join(texts)

    def _flow_beside(self, operands: Sequence[_Pending]) -> str:
        taken = frozenset().union(*(o.reads for o in operands))
        return next(name for name in _flow_names() if name not in taken and self._free(name))

    def _skip(self, item: Skip) -> None:
        self._items(item.items)
        optional = self.constructor.optional.get(id(item.node))
        if item.projection is not None and not (optional is not None and optional.single):
            self._items(item.projection.items)
        body = self._use(item.body, item)
        if optional is None:
            source = self._use(item.projection.value if item.projection is not None else item.source, item)
        elif optional.single:
            source = self._side(item, optional.name)
        else:
            source = self._chosen(item, optional.name)
        reads = source.reads | body.reads
        depth = 1 + max(source.depth, body.depth)
        if item.kind == "dense":
            doc: Doc = call("torch.cat", Bracket("[", (source.doc, body.doc), "]"), f"dim={item.axis + 1}")
        elif item.kind == "gate":
            doc = self._infix(" * ", [source, body])
        else:
            doc = self._infix(" + ", [body, source])
        typed = item.kind == "dense" or self._all_typed([source, body])
        self._make(item.output, _Pending(doc, reads, depth, typed, item.kind != "dense"), item, flush=False)

    def _side(self, item: Skip, name: str) -> _Pending:
        """The other side through a projection that is one submodule, or the identity."""
        if item.projection is not None:
            self._leave(item.projection.value.tensor)
        self._leave(item.source.tensor)
        pending = self.values[item.source.tensor]
        return _Pending(call(f"self.{name}", pending.doc), pending.reads, pending.depth + 1, False)

    def _chosen(self, item: Skip, flag: str) -> _Pending:
        """The other side through several submodules, if the flag is up."""
        plain = self.values[item.source.tensor]
        if item.projection is None:
            self._leave(item.source.tensor)
            return plain
        side = self._use(item.projection.value, item)
        text = f"{flat(side.doc)} if self.{flag} else {flat(plain.doc)}"
        return _Pending(f"({text})", side.reads | plain.reads, side.depth, False)

    def _training(self, item: TrainingOnly) -> None:
        """`if self.training:` around what runs in training mode only; its outputs are None otherwise."""
        inside = [r for r in self.scope.results if r.training and _made_in(r.value.tensor, item.items)]
        for result in inside:
            assert result.name is not None
            self.out.append(Line(f"{python_name(result.name)}: Tensor | None = None"))
            self.declared.add(python_name(result.name))
            self.annotated.add(python_name(result.name))
        outer, self.out = self.out, []
        self._items(item.items)
        body, self.out = tuple(self.out), outer
        if body:
            self.out.append(Block("if self.training", body))

    # --- the end ----------------------------------------------------------------------------------------------------

    def _return(self) -> None:
        fields = self.classes.fields(self.scope)
        if fields is not None:
            values = [f"{name}={flat(self._use(value).doc)}" for value, name in fields.items()]
            self.out.append(
                Line(Prefixed("return ", Bracket(f"{self.classes.output_class(self.scope)}(", tuple(values))))
            )
            return
        result = self._use(self.scope.results[0].value)
        if not result.typed:
            name = self._flow()
            self._assign(name, self.scope.results[0].value.tensor, result)
            result = self.values[self.scope.results[0].value.tensor]
        if isinstance(result.doc, str) and result.doc in self.untyped:
            self._annotate(result.doc)
        self.out.append(Line(Prefixed("return ", self._shortened("return ", result))))


def _flow_names() -> Iterator[str]:
    return chain(FLOW, (f"x{i}" for i in count(2)))


def _made_in(value: Value, items: Sequence[Item]) -> bool:
    return any(value in outputs(item) for item in walk(list(items)))


def _atom(pending: _Pending) -> Doc:
    """An expression that a method call or a product can take as it is."""
    return f"({flat(pending.doc)})" if pending.sum else pending.doc
