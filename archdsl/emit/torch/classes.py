"""Classes: one for each block, one for each group that is no plain sequence, one for the network.

Instances of a block that differ only in numbers are one class with parameters; an optional projection is a flag; where
instances differ in more than that, the block has several classes and each says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from archdsl.emit.torch import frozen
from archdsl.emit.torch.branches import flags
from archdsl.emit.torch.calculated import calculated, calculations
from archdsl.emit.torch.chains import is_chain, prefers_sequential
from archdsl.emit.torch.code import Block, Bracket, Differ, Doc, Line, Stmt, unflagged
from archdsl.emit.torch.code import decided as code_decided
from archdsl.emit.torch.code import words as code_words
from archdsl.emit.torch.construct import Constructor
from archdsl.emit.torch.devices import MIXIN
from archdsl.emit.torch.forward import Forward
from archdsl.emit.torch.guard import NAME as GUARD
from archdsl.emit.torch.initial import init_statements
from archdsl.emit.torch.names import Open, camel, helpers, own_variables, words
from archdsl.emit.torch.projections import Optional, optional
from archdsl.emit.torch.say import NotSayable, Variables, is_atom, literal, python_name
from archdsl.emit.torch.signature import Code, Parameter, Style, type_of
from archdsl.emit.torch.units import Units
from archdsl.graph.model import (
    Call,
    Choice,
    Network,
    Scope,
    Skip,
    Value,
    everything,
    input_dims,
    scopes,
    walk,
)
from archdsl.graph.traced import Ref, Traced, refs, substitute, traceable
from archdsl.layers.call import Call as TorchCall
from archdsl.layers.initialisers import INITIALISERS
from archdsl.passes.elaborate.pythonic import FILE_NAMES, bad_field_name
from archdsl.passes.elaborate.values import callers_bindings
from archdsl.passes.inplace import inplace
from archdsl.passes.place import Copy, Placed
from archdsl.passes.starts import Starts
from archdsl.syntax import tree

Frozen = frozenset[tuple[tree.Definition, str]]  # parameters, of the network or of a block, that are written as numbers
Projections = Mapping[int, Optional]


class Classes:
    """All classes of one emitted file."""

    def __init__(self, network: Network, placed: Placed, given: Frozen) -> None:
        self.network = network
        self.placed = placed
        self.frozen = given
        self.hinted = network.scope.hinted
        self.gpus = tuple(sorted(placed.used))
        self.supports: dict[str, str] = {}
        self.done: list[Code] = []
        self._code: dict[Placed, Code] = {}
        self.inplace = inplace(network.scope)
        self.starts = Starts()
        self._units = Units.of(placed, self.inlined)
        self._outputs: dict[Placed, str] = {}  # the named tuple that each returns
        self._settled_refs: set[Ref] = set()  # the channels behind `if`s that a class decides, and that are said alike
        self.flags: dict[int, str] = {}  # the attributes of the `if`s of the class being written, by their nodes' ids
        self.left: dict[int, set[str]] = {}  # what the channels are said as after each `if` of the class being written
        self._closed: frozenset[Ref] = frozenset()  # variables that texts depend on: no class has them as parameters
        self.reserved = {"self", *(f"gpu{i}" for i in self.gpus), GUARD, *helpers(network)}
        # What the classes of the file cannot be called: its own names, and those of the spec that become variables.
        self._names: set[str] = {*FILE_NAMES, network.name, *self.reserved, *words(network.scope)}
        # What the parameters of a group's class may be called, before it is known which of them it asks for.
        self.asked = {ref.name for scope in scopes(network.scope) for ref in scope.refs.values()}
        for key in self._units.order:
            self._unit(key)

    def on_one_device(self, placed: Placed) -> bool:
        """Whether a class takes the one device that it runs on. A network with hints takes `devices`, even one."""
        return len(placed.used) <= 1 and not (self.hinted and placed.scope.kind == "network")

    def inlined(self, placed: Placed) -> bool:
        """Whether a group is written as an nn.Sequential where it stands."""
        scope = placed.scope
        return scope.kind == "group" and not scope.inits and self.on_one_device(placed) and is_chain(scope)

    # --- one unit ---------------------------------------------------------------------------------------------------

    def _unit(self, key: Any) -> None:
        """Writes the class, or classes, of one block, group or network."""
        instances = self._units.instances[key]
        scopes = [placed.scope for placed in instances]
        name = self._class_name(scopes[0])
        self._outputs.update(dict.fromkeys(instances, self._output_name(name)))
        variants, projections = self._fewest(instances)
        for i, code in enumerate(variants):
            if i:
                code = variants[i] = self._variant(code, variants[0], projections)
            code.name = code.name or name
            code.constructor = tuple(unflagged(code.constructor, code_words(code.forward)))
            code.parameters = self._settled(code)
            self.done.append(code)
        for code in variants:
            self._code.update(dict.fromkeys(code.instances, code))
            decided = {key for key in code_decided(code.constructor) if len(self.left.get(key, ())) == 1}
            choices = (i for each in code.instances for i in everything(each.scope.items) if isinstance(i, Choice))
            self._settled_refs |= {i.after for i in choices if i.after is not None and id(i.node) in decided}

    def _projections(self, instances: Sequence[Placed]) -> dict[int, Optional]:
        """The projections that only some of the instances have."""
        if not all(map(self.on_one_device, instances)):
            return {}  # where values move depends on whether there is one
        scopes = [placed.scope for placed in instances]
        return optional(scopes, [self._variables(scope) for scope in scopes])

    def _fewest(self, instances: Sequence[Placed]) -> tuple[list[Code], Projections]:
        """The classes of a unit in the style that needs the fewest; of equal ones in the shortest."""
        before = self._closed
        best, projections = self._merged(instances, Style())
        closed, left = self._closed, self.left
        if len(best) > 1:
            # A constructor that takes statements can keep an `if` that decides between the instances, and a loop.
            for carry in (False, True):
                carried = frozenset(key for key, said in self.left.items() if len(said) > 1) if carry else frozenset()
                if len(best) == 1 or (carry and not carried):
                    break
                self._closed = before
                other, others = self._merged(instances, Style(compact=False, carried=carried))
                if len(other) < len(best):
                    best, projections, closed, left = other, others, self._closed, self.left
            instances_decide = len(best) > 1 and not self.hinted and all(map(self.on_one_device, instances))
            self.flags = flags([placed.scope for placed in instances]) if instances_decide else {}
            if self.flags:
                self._closed = before
                other, others = self._merged(instances, Style(compact=False, branches=True))
                if len(other) < len(best):
                    best, projections, closed, left = other, others, self._closed, self.left
        self._closed, self.left = closed, left
        return best, projections

    def _merged(self, instances: Sequence[Placed], style: Style) -> tuple[list[Code], Projections]:
        """The classes of a unit in one style; closes the variables that their texts depend on unsaid."""
        projections = self._projections(instances)
        variants = self._variants(instances, projections, style)
        while found := frozenset().union(*map(self._closable, variants)):
            self._closed = self._closed | found
            projections = self._projections(instances)
            variants = self._variants(instances, projections, style)
        return variants, projections

    def _closable(self, code: Code) -> frozenset[Ref]:
        """Of each parameter that the text depends on unsaid, what it is in the instances: a number in each.

        Instances for which that makes the text another one get further classes.
        """
        found: set[Ref] = set()
        for p in code.parameters:
            if p.kind not in ("dim", "param", "ref"):
                continue
            here = {placed: code.refs[placed][p.name] for placed in code.instances}
            # A size that is the same number everywhere is one in the class too: nobody would read what a layer makes
            # of it.
            values = {repr(ref.origin) for ref in here.values()}
            sized = p.kind == "dim" and p.key[1] > 0 and not any(refs(ref.origin) for ref in here.values())
            depended = any(ref in self.bound(code, placed, closed=True) for placed, ref in here.items())
            if depended or (sized and len(values) == 1):
                found.update(here.values())
        return frozenset(found)

    def bound(self, code: Code, placed: Placed, closed: bool = False) -> frozenset[Ref]:
        """The variables for which an instance is right for their values in the spec only.

        With `closed`, only those that the text does not have in it; the network's class has no others.
        """
        found = code.baked[placed]
        if not closed or placed.scope.kind == "network":
            found |= code.fixed[placed]
        return frozen.reached(found, placed.scope.refs.values())

    @property
    def decided(self) -> Frozen:
        """The network's parameters that are written as numbers."""
        definition = self.network.definition
        return frozenset((definition, name) for name, ref in self.network.scope.refs.items() if ref in self._closed)

    def _variant(self, code: Code, first: Code, projections: Projections) -> Code:
        """A further class of a block, under a name of its own; its named tuple too, if that is another."""
        name = self._class_name(code.scope)
        if code.fields not in (None, first.fields):
            self._outputs.update(dict.fromkeys(code.instances, self._output_name(name)))
            code = self._variants(code.instances, projections, code.style)[0]
        code.name = name
        code.of = ".".join(self._units.paths[code.scope])
        return code

    def _variants(self, instances: Sequence[Placed], projections: Projections, style: Style) -> list[Code]:
        """The code of each instance, merged as far as it is the same."""
        variants: list[Code] = []
        self.left = {}
        for placed in instances:
            code = self._write(placed, projections, style)
            for i, variant in enumerate(variants):
                try:
                    variants[i] = variant.merged(code)
                    break
                except Differ:
                    continue
            else:
                variants.append(code)
        for code in variants:
            for asked, single in frozen.decided(code.constructor):
                kept = code.baked if single else code.fixed
                kept.update({placed: kept[placed] | asked for placed in code.instances})
        return variants

    def _variables(self, scope: Scope) -> Variables:
        """The variables that the constructor of a scope's class has from the start."""
        variables = Variables()
        variables.lets = scope.lets
        variables.closed = self._closed
        variables.settled = self._settled_refs
        if scope.kind == "group":
            variables.names = Open({*own_variables(scope), *self._closed}, self.reserved, variables.local)
        else:
            for name, ref in scope.refs.items():
                if ref not in self._closed and (scope.definition, name) not in self.frozen:
                    variables.names[ref] = python_name(name, {*self.reserved, *variables.names.values()})
        return variables

    def _write(self, placed: Placed, projections: Projections, style: Style) -> Code:
        scope = placed.scope
        variables = self._variables(scope)
        constructor = Constructor(self, scope, placed, variables, projections, style)
        constructor.gpus = set() if self.hinted else None
        one_device = self.on_one_device(placed)
        sequential = (
            not style.branches
            and scope.kind != "network"
            and one_device
            and is_chain(scope)
            and prefers_sequential(scope)
        )
        arguments: tuple[str, ...] = ()
        body: tuple[Stmt, ...] = ()
        if sequential:
            init = constructor.sequences.whole_class(scope)
        else:
            forward = Forward(self, scope, placed, constructor, shapes=scope.kind == "network")
            arguments = tuple(f"{name}: {type_of(value)}" for name, value in forward.arguments())
            submodules = constructor.attributes()
            body = forward.write()
            devices = () if one_device else self._device_lines(scope, constructor.gpus or set())
            init = (Line("super().__init__()"), *devices, *submodules)
        init += self._inits(scope, constructor)
        if scope.kind == "network":
            init = (init[0], *calculations(scope, self._calculated(scope), variables), *init[1:])
        names = self._fields(placed)
        parameters = [
            *self._parameters(scope, variables),
            *(Parameter("flag", o.name, key, "False") for key, o in projections.items() if o.is_flag),
        ]
        if constructor.uses_device:
            parameters.append(Parameter("device", "device", None, "None"))
        if not one_device:
            parameters.append(Parameter("devices", "devices", None, "None" if scope.kind == "network" else None))
        base = "nn.Sequential" if sequential else "nn.ModuleDict" if constructor.has_items else "nn.Module"
        if not one_device:
            base = MIXIN if base == "nn.Module" else f"{MIXIN}, {base}"
        code = Code(base, tuple(parameters), init, arguments, body, names, self._outputs[placed], style, [placed])
        code.refs[placed] = {name: ref for ref, name in variables.names.items()}
        code.baked[placed] = frozenset(variables.baked | scope.decided)
        code.fixed[placed] = frozenset(variables.fixed)
        return code

    def _calculated(self, scope: Scope) -> list[tree.Param]:
        if scope.kind != "network":
            return []
        free = (name for name, ref in scope.refs.items() if ref not in self._closed)
        offered = {name for name in free if (scope.definition, name) not in self.frozen}
        return calculated(self.network, offered)

    def _inits(self, scope: Scope, constructor: Constructor) -> tuple[Stmt, ...]:
        """The statements of `init` rules; notes the source of functions that PyTorch does not have."""
        statements = init_statements(scope, self.starts, constructor.variables, constructor.flags)
        written = code_words(statements)
        for rule in scope.inits:
            made = INITIALISERS[rule.initialiser]
            if made.support and made.function in written:
                self.supports[made.function] = made.support
        return statements

    def _device_lines(self, scope: Scope, gpus: set[int]) -> tuple[Stmt, ...]:
        count = len(self.gpus)
        lines: list[Stmt] = [Line("self.devices = devices")]
        if scope.kind == "network":
            named = " and ".join(f"gpu({gpu})" for gpu in self.gpus) if count < 3 else f"{count} GPUs"
            wrong = f'f"{scope.name} takes {count} device{"s" * (count != 1)}, for {named}, not {{len(self.devices)}}"'
            lines = [Line(f"self.devices = tuple(devices or [None] * {count})")]
            lines.append(Block(f"if len(self.devices) != {count}", (Line(Bracket("raise ValueError(", (wrong,))),)))
        return (*lines, self.unpacked(gpus)) if gpus else tuple(lines)

    def unpacked(self, gpus: set[int]) -> Line:
        """The statement that gives those of the devices that are asked for their names."""
        names = [f"gpu{gpu}" if gpu in gpus else "_" for gpu in self.gpus]
        return Line(f"{', '.join(names)} = self.devices" if len(names) > 1 else f"({names[0]},) = self.devices")

    def _parameters(self, scope: Scope, variables: Variables) -> Iterator[Parameter]:
        used = variables.used
        if scope.kind == "group":
            yield from (Parameter("ref", name, name) for name in variables.names.values() if name in used)
            return
        dims = {name for name, _, _ in input_dims(scope)} if scope.kind == "block" else set()
        for name, i, axis in input_dims(scope) if dims else ():
            if name in used:
                yield Parameter("dim", name, (i, axis))
        assert scope.definition is not None
        late = {param.name for param in self._calculated(scope)}
        for param in scope.definition.params:
            text = variables.names.get(scope.refs[param.name]) if param.name in scope.refs else None
            if text in used:
                yield Parameter(
                    "param", text, param.name, "None" if param.name in late else self._default(scope, param)
                )

    def _default(self, scope: Scope, param: tree.Param) -> str | None:
        if scope.kind == "network":
            return _frozen_list(scope.params[param.name])
        if param.default is None:
            return None
        try:
            text = Variables().translate(param.default)
        except NotSayable:
            return None
        return f"({text[1:-1]},)" if text.startswith("[") else text

    def _settled(self, code: Code) -> tuple[Parameter, ...]:
        """Required parameters first, each in the spec's order; flags only where the code asks for them."""
        order = {"dim": 0, "ref": 0, "param": 1, "flag": 2, "device": 3, "devices": 3}
        written = code_words(code.constructor)
        needed = [p for p in code.parameters if p.kind == "devices" or p.name in written]
        return tuple(sorted(needed, key=lambda p: (p.default is not None, order[p.kind])))

    def _class_name(self, scope: Scope) -> str:
        """A name that is still free, for a class and the named tuple that it may return."""
        if scope.kind == "network":
            return scope.name
        base = camel(scope.name)
        path = self._units.paths[scope]
        if scope.kind == "group" and base in self._names and len(path) > 1:
            base = camel(path[-2]) + base  # `UpperTower` beside `Tower`
        name, count = base, 1
        while {name, f"{name}Output"} & self._names:
            count += 1
            name = f"{base}{count}"
        self._names |= {name, f"{name}Output"}
        return name

    def _output_name(self, name: str) -> str:
        """The named tuple of a class; a block's is free, as its class is."""
        output, count = f"{name}Output", 1
        while name == self.network.name and output in self._names:
            count += 1
            output = f"{name}Output{count}"
        return output

    # --- for constructors and forwards -------------------------------------------------------------------------------

    def construct(self, item: Call, constructor: Constructor, placed: Placed) -> Doc:
        """The expression that builds a block's or a group's module."""
        below = placed.inner[item]
        code = self._code[below]
        constructor.bake(*frozen.in_caller(item, self.bound(code, below)))
        docs: list[Doc] = []
        for p in code.parameters:
            if p.kind == "device":
                docs += constructor.device_argument(next(iter(below.used)))
                continue
            text = self._argument(p, item, constructor, code.refs.get(below, {}))
            if text is not None:
                docs.append(text if p.default is None else f"{p.name}={text}")
        return Bracket(f"{code.name}(", tuple(docs))

    def _argument(self, p: Parameter, item: Call, constructor: Constructor, refs: Mapping[str, Ref]) -> str | None:
        variables = constructor.variables
        if p.kind == "dim":
            i, axis = p.key
            return variables.say(item.inputs[i].shape[axis])
        if p.kind == "ref":
            ref = refs[p.key]
            if ref in variables.names:
                variables.used.add(variables.names[ref])
                return variables.names[ref]
            return variables.say(Traced(0, ref)) if isinstance(ref.origin, int) else variables.say(ref.origin)
        if p.kind == "devices":
            return "self.devices"
        if p.kind == "flag":
            skips = [s for s in walk(item.scope.items) if isinstance(s, Skip) and id(s.node) == p.key]
            return "True" if any(s.projection is not None for s in skips) else None
        if p.kind != "param":
            return None
        if p.key in item.sources:
            text = self._given(item, p.key, constructor)
            return None if text == p.default else text
        if p.default is not None:
            return None
        value = item.scope.params[p.key]
        if not traceable(value):
            depends = frozen.in_caller(item, frozen.reached({item.scope.refs[p.key]}))
            if depends:
                with suppress(NotSayable):
                    return self._default_here(item, p.key, variables)
                constructor.bake(*depends)
        return variables.say(substitute(value, callers_bindings(item)))

    def _given(self, item: Call, name: str, constructor: Constructor) -> str:
        """An argument of a block, as its author wrote it where its value does not tell what it depends on."""
        value, node = item.arguments[name], item.sources[name]
        if not isinstance(value, Traced) and not isinstance(node, (tree.Literal, tree.SizeLiteral)):
            try:
                return constructor.variables.translate(node)
            except NotSayable:
                if not traceable(value):
                    constructor.bake(*item.depends[name])
        return constructor.variables.say(value)

    def _default_here(self, item: Call, name: str, variables: Variables) -> str:
        """A default that asks for other parameters, of the arguments of a call. Raises NotSayable."""
        assert item.scope.definition is not None
        inside = Variables()
        for other, value in item.arguments.items():
            if other not in item.scope.refs:  # a tensor
                continue
            text = variables.say(value) if traceable(value) else variables.translate(item.sources[other])
            inside.names[item.scope.refs[other]] = text if is_atom(text) else f"({text})"
        (node,) = (param.default for param in item.scope.definition.params if param.name == name)
        assert node is not None
        return inside.translate(node)

    def support(self, made: TorchCall) -> None:
        """Notes the source of a module or function that PyTorch does not have."""
        if made.support:
            self.supports[made.func] = made.support

    def fields(self, placed: Placed) -> dict[Value, str] | None:
        """The fields of the named tuple that a class returns, without `copies`; None where it returns one tensor."""
        scope = placed.scope
        if len(scope.results) == 1 and not scope.exports and not placed.handed:
            return None
        found: dict[Value, str] = {}
        for result in scope.results:
            found.setdefault(result.value.tensor, python_name(result.name or "output"))
        for path, value in scope.exports.items():
            name = python_name(path.replace(".", "_"))
            while name in found.values() or bad_field_name(name):
                name = f"{name}_" if name.isidentifier() and not name.startswith("_") else f"value{name}"
            found.setdefault(value.tensor, name)
        return found

    def copies(self, placed: Placed) -> dict[Copy, str]:
        """Further fields: the copies on other devices that a class hands back."""
        fields = self.fields(placed) or {}
        stems = {placed.tensor(value): name for value, name in fields.items()}
        found: dict[Copy, str] = {}
        for value, device in placed.handed:
            name = f"{stems[value]}_gpu{device}"
            while name in fields.values():
                name += "_"
            found[value, device] = name
        return found

    def output_class(self, placed: Placed) -> str:
        return self._outputs[placed]

    def _fields(self, placed: Placed) -> tuple[str, ...] | None:
        """The fields of the named tuple with their types."""
        fields = self.fields(placed)
        if fields is None:
            return None
        found = [(value, name) for value, name in fields.items()]
        found += [(value, name) for (value, _), name in self.copies(placed).items()]
        return tuple(self._field(placed.scope, value, name) for value, name in found)

    def _field(self, scope: Scope, value: Value, name: str) -> str:
        training = any(r.training and r.value.tensor is value for r in scope.results)
        return f"{name}: {type_of(value)}{' | None' if training else ''}"


def _frozen_list(value: Any) -> str:
    return literal(tuple(value)) if isinstance(value, list) else literal(value)
