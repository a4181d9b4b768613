"""The constructors: what builds the submodules of a scope.

Input: one traced scope, with the classes of the blocks it applies. Output: statements for `__init__`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.branches import condition
from archdsl.emit.torch.chains import attribute_names, is_function
from archdsl.emit.torch.code import Bracket, Cases, Doc, Flagged, Line, Prefixed, Stmt
from archdsl.emit.torch.projections import Optional
from archdsl.emit.torch.say import NotSayable, Variables
from archdsl.emit.torch.sequence import SequenceWriter
from archdsl.emit.torch.signature import Style
from archdsl.graph.model import Apply, Call, Choice, Item, Join, Loop, Module, Scope, Skip, walk
from archdsl.graph.traced import IndexedName, Ref, Traced, expr_of, refs, traceable
from archdsl.passes.place import Placed

if TYPE_CHECKING:
    from archdsl.emit.torch.classes import Classes


@dataclass
class Constructor:
    """Writes the constructor of one class."""

    classes: Classes
    scope: Scope
    placed: Placed
    variables: Variables
    optional: Mapping[int, Optional]  # the projections that only some instances of the class have, by their skip's node
    style: Style
    gpus: set[int] | None = None  # the devices it names, None where placement plays no part
    uses_device: bool = False
    branches: dict[Choice, str] = field(default_factory=dict)  # the attributes of the `if`s that the class decides
    names: Mapping[Module, str] = field(init=False)
    flags: dict[str, str] = field(default_factory=dict)  # the conditions of optional projections by their labels

    def __post_init__(self) -> None:
        self.names = attribute_names(self.scope)
        self.sequences = SequenceWriter(self)

    # --- submodules -------------------------------------------------------------------------------------------------

    def attributes(self) -> tuple[Stmt, ...]:
        """`self.name = …` for each submodule, in the order of the spec."""
        return tuple(self._attributes(self.scope.items))

    def _attributes(self, items: Sequence[Item]) -> Iterator[Stmt]:
        for item in items:
            if isinstance(item, (Apply, Call)):
                if item.first and (isinstance(item, Call) or not is_function(item)):
                    before, doc = self.module(item, self.placed)
                    self.bake(*refs_of_name(item.module.name))
                    yield from before
                    yield Line(Prefixed(f"{self.attribute(item.module)} = ", doc))
            elif isinstance(item, Join):
                for branch in item.branches:
                    yield from self._attributes(branch.items)
            elif isinstance(item, Skip):
                yield from self._attributes(item.items)
                yield from self._projection(item)
            elif isinstance(item, Loop):
                self.bake(*item.depends)
                for turn in item.turns:
                    yield from self._attributes(turn.items)
            elif isinstance(item, Choice):
                yield from self._choice(item)
            else:
                yield from self._attributes(item.items)

    def attribute(self, module: Module) -> str:
        """A submodule in the constructor and the `forward`: a position is no attribute of Python, but an item."""
        name = self.names[module]
        return f'self["{name}"]' if name.isdigit() else f"self.{name}"

    @property
    def has_items(self) -> bool:
        """Whether some submodules go by their positions: the class is an nn.ModuleDict then."""
        return any(name.isdigit() for name in self.names.values())

    def _choice(self, item: Choice) -> Iterator[Stmt]:
        test = condition(item, self.scope, self.variables) if self.style.branches else None
        body = tuple(self._attributes(item.items))
        if test is None:
            self.bake(*item.depends)
            yield from body
            return
        flag = f"self.{self.classes.flags[id(item.node)]}"
        self.branches[item] = flag
        if item.after is not None:
            said = self.variables.copy().say(Traced(0, expr_of(item.after.origin)))
            self.classes.left.setdefault(id(item.node), set()).add(said)
            self.variables.alias[item.after] = expr_of(item.after.origin)
        yield Cases(id(item.node), (test,), ((item.case, body),), item.depends, flag)

    def _projection(self, item: Skip) -> Iterator[Stmt]:
        optional = self.optional.get(id(item.node))
        body = tuple(self._attributes(item.projection.items)) if item.projection is not None else None
        say = self.variables.copy().say
        source, made = item.source.shape[:1], item.body.shape[:1]
        channels = frozenset() if say(source) == say(made) else refs(source) | refs(made)
        if optional is None:
            if item.tail is not None and item.tail.kind != "shortcut":
                self.bake(*item.depends, *channels)
            yield from body or ()
            return
        if not optional.exact:
            self.variables.fixed |= item.depends | (frozenset() if optional.channels else channels)
        if (
            item.tail is not None
            and item.tail.chain is not None
            and item.tail.label is None
            and self._names_after(item)
        ):
            self.bake(*item.depends, *channels)  # these are numbered, and so are the layers of the projection
        condition = optional.condition(item, self.variables)
        self.flags[optional.name] = condition if optional.single else f"self.{optional.name}"
        if optional.single:
            yield Line(f"self.{optional.name}: nn.Module = nn.Identity()")
            yield Flagged(condition, body)
        else:
            yield Line(f"self.{optional.name} = {condition}")
            yield Flagged(f"self.{optional.name}", body)

    def _names_after(self, item: Skip) -> bool:
        """Whether layers have their names by themselves that come after a skip."""
        items = list(walk(self.scope.items))
        later = (each for each in items[items.index(item) + 1 :] if isinstance(each, (Apply, Call)))
        return any(each.first and not each.module.labelled for each in later)

    # --- the expression of one --------------------------------------------------------------------------------------

    def module(self, item: Apply | Call, placed: Placed) -> tuple[tuple[Stmt, ...], Doc]:
        """The expression that builds a submodule, and the statements that have to come before it."""
        if isinstance(item, Apply):
            return (), self._layer(item, placed)
        inner = placed.inner[item]
        if self.classes.inlined(inner):
            return self.sequences.inline(inner, item.module.name)
        return (), self.classes.construct(item, self, placed)

    def _layer(self, item: Apply, placed: Placed) -> Doc:
        made = item.layer.module(*(value.shape for value in item.inputs))
        assert made is not None
        self.classes.support(made)
        args: list[Doc] = [self.variables.say(arg) for arg in made.args]
        translated: set[str] = set()
        for key, value in made.kwargs.items():
            text = self._translated(item, key, value)
            if text is not None:
                translated.add(key)
            args.append(f"{key}={text or self.variables.say(value)}")
        said = refs(tuple(made.args)) | refs(tuple(made.kwargs.values()))
        for key, depends in item.depends.items():
            if key not in translated:
                self.bake(*(depends - said if traceable(getattr(item.layer, key)) else depends))
        if item in self.classes.inplace and made.func.startswith("nn."):
            args.append("inplace=True")
        if item.module.indices:
            args.append("return_indices=True")
        if made.factory:
            args += self.device_argument(placed.device[item])
        return Bracket(f"{made.func}(", tuple(args))

    def bake(self, *found: Ref) -> None:
        """Notes variables that the text depends on and does not have in it."""
        self.variables.baked |= set(found)

    def _translated(self, item: Apply, key: str, value: Any) -> str | None:
        """An argument as the author wrote it, if it depends on variables and its value does not tell."""
        node = item.sources.get(key)
        same = getattr(item.layer, key, None) is value
        if traceable(value) or node is None or key not in item.layer.variable or not same:
            return None
        try:
            return self.variables.translate(node)
        except NotSayable:
            return None

    def device_argument(self, device: int) -> list[Doc]:
        """`device=…` for what is built on a device."""
        if self.gpus is None:
            return []
        if self.classes.on_one_device(self.placed):
            self.uses_device = True
            return ["device=device"]
        self.gpus.add(device)
        return [f"device=gpu{device}"]


def refs_of_name(name: str) -> frozenset[Ref]:
    """The variables in the index of a label."""
    return refs(name.parts) if isinstance(name, IndexedName) else frozenset()
