"""The `forward` of a class: calls nested as one would write them, names where a value is used again.

Input: one traced scope. Output: statements. The flowing value is `x`; where it has to wait (a residual's other side)
what flows beside it is `y`, then `z`. A value that is used more than once has its author's label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.emit.torch.body import LONGEST, Body
from archdsl.emit.torch.chains import is_function
from archdsl.emit.torch.code import Block, Bracket, Cases, Doc, Flagged, Line, Prefixed, Stmt, call, flat
from archdsl.emit.torch.expression import Expression, atom
from archdsl.emit.torch.say import Variables, python_name
from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Result, Scope, Skip, TrainingOnly, Value, walk
from archdsl.graph.traced import refs
from archdsl.layers.call import Call as TorchCall
from archdsl.layers.call import Operand
from archdsl.passes.cost import outputs
from archdsl.passes.inplace import operands


@dataclass
class Forward(Body):
    """Writes the forward of one class."""

    def arguments(self) -> list[tuple[str, Value]]:
        """The parameters of `forward`: the author's names of a network's inputs, `x` for a block's own."""
        names: list[str] = []
        for name, value in zip(self.scope.input_names, self.scope.inputs, strict=True):
            wanted = "x" if name == "in" else python_name(name, {*names, *self.classes.reserved})
            while wanted in names:
                wanted += "_"
            names.append(wanted)
            self.declared.add(wanted)
            self.annotated.add(wanted)
            self.hold(wanted, value)
        return list(self.copies.arguments(names))

    def write(self) -> tuple[Stmt, ...]:
        """The body."""
        self._items(self.scope.items)
        self._return()
        head: list[Stmt] = []
        if self.copies.gpus:
            head.append(self.classes.unpacked(self.copies.gpus))
        return (*head, *self.out)

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
                if item.kind != "parallel" and item.output not in self.placed.same:
                    self._join(item)
            elif isinstance(item, Skip):
                self._skip(item)
            elif isinstance(item, Loop):
                for turn in item.turns:
                    self._items(turn.items)
            elif isinstance(item, Choice):
                self._choice(item)
            else:
                self._training(item)

    def _apply(self, item: Apply) -> None:
        self.take(item.inputs, item)
        made = item.layer.function(*(value.shape for value in item.inputs)) if is_function(item) else None
        if made is not None:
            self.classes.support(made)
            self._once(made)
            docs = [self._argument(arg) for arg in made.args]
            docs += [f"{key}={self._argument(value)}" for key, value in made.kwargs.items()]
            self.constructor.variables.baked |= frozenset().union(*item.depends.values())
            if item in self.classes.inplace:
                docs.append("inplace=True")
            if made.func.startswith("."):
                doc: Doc = Bracket(flat(atom(self.hands[0])) + made.func + "(", tuple(docs[1:]))
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
            self.make(item.outputs[0], self.made(doc, made is not None, applied=True), flush)
        else:
            self._unpack(item.outputs, doc)

    def _pool(self, item: Apply) -> None:
        """A pooling that gives its indices too; the size of what it pools gets a variable before it."""
        pooled, *companions = item.outputs
        used = [value for value in companions if self.left[value]]
        if used and (self.hands[0].depth or not isinstance(self.hands[0].doc, str)):
            tensor = self.placed.tensor(item.inputs[0])
            self.hoist(0, tensor if self.hands[0] is self.values[tensor] else None)
        names = {"indices": "_"}
        for value in used:
            assert value.companion is not None
            name = names[value.companion.kind] = self.label(value)
            self.hold(name, value)
            if value.is_size:
                self.out.append(Line(f"{name} = {flat(self.hands[0].doc)}.shape[2:]"))
        doc = Bracket(f"{self.constructor.attribute(item.module)}(", (self.hands[0].doc,))
        self.before(self.made(doc, False, applied=True))
        name = "_"
        if self.left[pooled]:
            name = self.label(pooled) if self.left[pooled] > 1 or pooled in self.kept else self.flow()
            self.declared.add(name)
            if name not in self.annotated:
                self.untyped.add(name)
            self.hold(name, pooled)
        comment = f"# {self.shape(pooled)}" if self.shapes else ""
        self.out.append(Line(Prefixed(f"{name}, {names['indices']} = ", doc), comment))

    def _once(self, made: TorchCall) -> None:
        """Gives an operand that a call names more than once a variable."""
        for index, operand in enumerate(self.hands):
            times = sum(isinstance(arg, Operand) and arg.index == index for arg in made.args)
            if times > 1 and not isinstance(operand.doc, str):
                self.hoist(index)

    def _argument(self, arg: object) -> Doc:
        if isinstance(arg, Operand):
            operand = self.hands[arg.index]
            return f"{flat(atom(operand))}.{arg.attribute}" if arg.attribute else operand.doc
        self.constructor.variables.baked |= refs(arg)
        return Variables().say(arg)  # the constructor's variables are gone

    def _unpack(self, outputs: Sequence[Value], doc: Doc) -> None:
        """Several outputs of a layer, each in a variable of its own."""
        self.before(self.made(doc, False, applied=True))
        names: list[str] = []
        for i, value in enumerate(outputs):
            name = "_"
            if self.left[value]:
                name = self.given.get(value) or self.named(value.label or f"part{i}")
                while name in names:
                    name = self.named(name + "_")
            names.append(name)
        self.out.append(Line(Prefixed(f"{', '.join(names)} = ", doc)))
        for name, value in zip(names, outputs, strict=True):
            if name != "_":
                self.declared.add(name)
                self.hold(name, value)

    def _call(self, item: Call) -> None:
        operands = self.give(item)
        doc = Bracket(f"{self.constructor.attribute(item.module)}(", tuple(operand.doc for operand in operands))
        made = self.made(doc, False, applied=True)
        what = item.module.what  # of a shared module, where it was first applied
        assert isinstance(what, Scope)
        first = self.placed.first[item.module]
        fields = self.classes.fields(first)
        if fields is None:
            self.make(item.outputs[0], made)
            return
        self.before(made)
        name = self.named(item.module.name if not item.module.name.isdigit() else "outputs")
        self.out.append(Line(Prefixed(f"{name} = ", doc)))
        self.holder.pop(name, None)
        self.declared.add(name)
        outer = [(result.value.tensor, output) for result, output in zip(what.results, item.outputs, strict=True)]
        outer += [(what.exports[key].tensor, value) for key, value in item.exports.items()]
        for inner, value in outer:
            if value not in self.placed.same:
                self._field(value, f"{name}.{fields[inner]}")
                self.copies.handed(value, inner, first, name)

    def _field(self, value: Value, text: str) -> None:
        """An output of a call with several: it needs no variable, as the tuple has one."""
        if value in self.given:
            self.assign(value, Expression(text, typed=False))
        elif self.left[value]:
            self.keep(value, Expression(text, typed=False))

    def _join(self, item: Join) -> None:
        if item in self.unread:
            self._only_run([branch.value for branch in item.branches])
            return
        self.take([branch.value for branch in item.branches], item)
        op = {"add": "+", "mul": "*"}.get(item.kind, "")
        doc: Doc
        if not op:
            doc = call("torch.cat", Bracket("[", tuple(o.doc for o in self.hands), "]"), f"dim={item.axis + 1}")
        else:
            doc = self._infix(op)
        typed = item.kind == "concat" or self._all_typed()
        self.make(item.output, self.made(doc, typed, op=op))

    def _only_run(self, values: Sequence[Value]) -> None:
        """Runs the operands of a join that nobody uses, those that wait for it."""
        waiting = [value for value in map(self.placed.tensor, values) if value in self.waiting]
        for value in map(self.placed.tensor, values):
            self.leave(value)
        ready = (self.values[value] for value in waiting if not self.left[value])
        for _, made in sorted(((each.ran, each) for each in ready if each.ran is not None), key=lambda pair: pair[0]):
            self.run(made)

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
                    self.hoist(self.hands.index(each))
            if longest in self.hands:
                self.hoist(self.hands.index(longest))
        # Of a sum in a sum only the first needs no parentheses: floating-point numbers are added in the spec's order.
        tight = [{"*": "+", "+": ""}[op], *({"*": "+*", "+": "+"}[op] for _ in self.hands[1:])]
        texts = [flat(atom(o) if o.op and o.op in ops else o.doc) for o, ops in zip(self.hands, tight, strict=True)]
        return f" {op} ".join(texts)

    def _skip(self, item: Skip) -> None:
        self._items(item.items)
        optional = self.constructor.optional.get(id(item.node))
        if optional is None:
            self._items(item.projection.items if item.projection is not None else ())
            side = item.projection.value if item.projection is not None else item.source
            if item in self.unread:
                self._only_run([item.body, side])
                return
            body, source = self.take([item.body, side], item)
        elif item in self.unread:
            self._only_run([item.body])
            other = self._side(item, optional.name) if optional.single else self._chosen(item, optional.name)
            if other.ran is not None:
                self.run(other)
            return
        else:
            source = self._side(item, optional.name) if optional.single else self._chosen(item, optional.name)
            self.hands = [source]
            body = self.use(item.body, item)
        self.hands = [body, source] if item.kind == "residual" else [source, body]
        self.settle_order()
        op = {"residual": "+", "gate": "*"}.get(item.kind, "")
        if not op:
            doc: Doc = call("torch.cat", Bracket("[", tuple(o.doc for o in self.hands), "]"), f"dim={item.axis + 1}")
        else:
            doc = self._infix(op)
        typed = item.kind == "dense" or self._all_typed()
        self.make(item.output, self.made(doc, typed, op=op))

    def _side(self, item: Skip, name: str) -> Expression:
        """The other side through a projection that is one submodule, or the identity."""
        if item.projection is not None:
            self.leave(item.projection.value.tensor)
        (source,) = self.take([item.source], item)
        self.applications += 1
        number = self.applications - 1
        ran = (number if source.ran is None else source.ran[0], number)
        return Expression(call(f"self.{name}", source.doc), source.depth + 1, False, ran=ran)

    def _chosen(self, item: Skip, flag: str) -> Expression:
        """The other side through several submodules, if the flag is up."""
        self.run_all()
        self.settle(self.placed.tensor(item.source))  # a sum: both sides read it
        plain = self.values[self.placed.tensor(item.source)]
        name = self.flow()
        self.put(name, plain)
        body: tuple[Stmt, ...] | None = None
        if item.projection is None:
            self.use(item.source, item)
        else:
            self.around.append(Expression(name))
            outer, self.out = self.out, []
            self._items(item.projection.items)
            side = self.use(item.projection.value, item)
            self.before(side)
            self.put(name, side)
            body, self.out = tuple(self.out), outer
            self.around.pop()
        self.out.append(Flagged(f"self.{flag}", body))
        return Expression(name, typed=False)

    def _choice(self, item: Choice) -> None:
        """A case; where the class decides it, in an `if` that leaves its value in the variable of what entered it."""
        flag = self.constructor.branches.get(item)
        if flag is None:
            self._items(item.items)
            return
        assert isinstance(item.entering, Value)
        assert isinstance(item.leaving, Value)
        self.run_all()
        entering, leaving = self.placed.tensor(item.entering), self.placed.tensor(item.leaving)
        self.settle(entering)
        name = flat(self.values[entering].doc)
        known = set(self.declared), set(self.annotated), set(self.untyped)
        outer, self.out = self.out, []
        if item.items:
            self._items(item.items)
            self.run_all()
            made = self.values[leaving]
            self.waiting.pop(leaving, None)
            if flat(made.doc) != name:
                self.put(name, made)
            self.hold(name, leaving)
        body, self.out = tuple(self.out), outer
        self.declared, self.annotated, self.untyped = known
        self.out.append(Cases(id(item.node), (flag,), ((item.case, body),), item.depends))

    def _training(self, item: TrainingOnly) -> None:
        """`if self.training:` around what runs in training mode only; its outputs are None otherwise."""
        section = frozenset(walk(item.items))
        self.run_all()
        read = {self.placed.tensor(value) for each in section for value in operands(each)}
        for value in [value for value in self.waiting if value in read]:  # a sum: it is worked out in both modes
            self.settle(value)
        for result in self._outputs_of(item):
            assert result.name is not None
            value = result.value.tensor
            name = self.given[value] = self.named(result.name)
            self.out.append(Line(f"{name}: Tensor | None = None"))
            self.holder[name] = value
            self.declared.add(name)
            self.annotated.add(name)
        self.copies.before(section)
        outer, self.out = self.out, []
        before, self.copies.section = self.copies.section, section
        self._items(item.items)
        self.run_all()
        body, self.out, self.copies.section = tuple(self.out), outer, before
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

    # --- the end ----------------------------------------------------------------------------------------------------

    def _return(self) -> None:
        fields = self.classes.fields(self.placed)
        if fields is not None:
            made = [f"{name}={flat(self.use(value).doc)}" for value, name in fields.items()]
            made += self.copies.returned()
            self.out.append(
                Line(Prefixed("return ", Bracket(f"{self.classes.output_class(self.placed)}(", tuple(made))))
            )
            return
        value = self.scope.results[0].value.tensor
        result = self.use(value)
        if not result.typed:
            name = self.flow()
            self.put(name, result, value)
            result = Expression(name)
        if isinstance(result.doc, str) and result.doc in self.untyped:
            self.annotate(result.doc)
        self.out.append(Line(Prefixed("return ", self.shortened("return ", result))))
