"""`init` rules as the end of a constructor.

Input: a scope and the table of what each of its parameters starts by. Output: statements that run after those that
build the submodules, whose own constructors have filled what is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby

from archdsl.emit.torch.code import Block, Bracket, Flagged, Line, Prefixed, Stmt
from archdsl.emit.torch.say import NotSayable, Variables, literal
from archdsl.graph.model import Apply, Call, InitRule, Scope, walk
from archdsl.graph.traced import Traced
from archdsl.layers.initialisers import INITIALISERS
from archdsl.passes.starts import Starts
from archdsl.syntax import tree

LISTED = 2  # parameters that are said by their names; more are swept over, or found by how their names end


def init_statements(scope: Scope, starts: Starts, variables: Variables, flags: Mapping[str, str]) -> tuple[Stmt, ...]:
    """Statements that fill what the scope's own rules fill, each parameter as the table says, and touch no other.

    What a rule by kind fills is swept over; what else the sweep would reach is kept from it, or filled again after it.
    `flags` are the conditions of the projections, by their labels, that only some instances of the class have.
    """
    return tuple(_Writer(scope, starts, variables, flags).statements()) if scope.inits else ()


@dataclass
class _Sweep:
    """A rule for one parameter of all the layers of a PyTorch class; `bare` if some of these are without it."""

    torch_class: str
    rule: InitRule
    bare: bool
    fills: list[str]
    kept: list[str]  # parameters of that name in that class that the rule does not fill


@dataclass
class _Reached:
    """The parameters of one name that the layers of a PyTorch class have, and whether some of them have none."""

    paths: list[str] = field(default_factory=list)
    bare: bool = False


def _joined(statements: Iterable[Stmt]) -> Iterator[Stmt]:
    """Statements that follow each other under one flag are one."""
    for asked, group in groupby(statements, lambda each: each.flag if isinstance(each, Flagged) else None):
        if asked is None:
            yield from group
        else:
            bodies = [each.body for each in group if isinstance(each, Flagged)]
            yield Flagged(asked, None if None in bodies else tuple(chain.from_iterable(filter(None, bodies))))


class _Writer:
    def __init__(self, scope: Scope, starts: Starts, variables: Variables, flags: Mapping[str, str]) -> None:
        self.scope = scope
        self.variables = variables
        self.flags = flags
        self.inside = starts.inside(scope)
        self.own = starts.own(scope)

    def statements(self) -> Iterator[Stmt]:
        sweeps = list(self._sweeps())
        swept = {path for sweep in sweeps for path in sweep.fills}
        yield from self._swept(sweeps)
        by_rule: dict[InitRule, list[str]] = {}
        for path, rule in self.own.items():
            if path not in swept:
                by_rule.setdefault(rule, []).append(path)
        yield from _joined(each for rule in self.scope.inits for each in self._one_by_one(rule, by_rule.get(rule, ())))

    # --- by path ----------------------------------------------------------------------------------------------------

    def _one_by_one(self, rule: InitRule, paths: Sequence[str]) -> Iterator[Stmt]:
        if rule.kind is not None and rule.kind in self.flags:  # a label that is not there in this instance
            yield Flagged(self.flags[rule.kind], None)
        for path in paths:
            flag = self.flags.get(path.split(".")[0])
            filled = tuple(self._filled(path, rule))
            yield from filled if flag is None else (Flagged(flag, filled),)

    def _filled(self, path: str, rule: InitRule) -> Iterator[Stmt]:
        parameter = _parameter(path)
        yield self._fill(rule, parameter)
        before = self.inside.get(path)
        if before is not None and before.arguments.get("fixed") and not rule.arguments.get("fixed"):
            yield Line(f"{parameter}.requires_grad_(True)")

    def _fill(self, rule: InitRule, parameter: str) -> Line:
        made = INITIALISERS[rule.initialiser]
        defaults = {each.name: each.default for each in made.fields}
        given = [
            (name, node, rule.arguments[name])
            for name, node in rule.sources.items()
            if _names(node) or rule.arguments[name] != defaults[name]  # what depends on a name may be another
        ]
        args = [f"{name}={self._argument(node, value)}" for name, node, value in given]
        return Line(Bracket(f"{made.function}(", (parameter, *args)))

    def _argument(self, node: tree.Expr, value: object) -> str:
        """As its author wrote it where it depends on parameters of the class and on nothing else, else its value."""
        if isinstance(value, Traced):
            return self.variables.say(value)
        names = _names(node)
        if names and all(map(self._is_known, names)):
            try:
                return self.variables.translate(node)
            except NotSayable:
                pass
        return self.variables.say(value)

    def _is_known(self, name: str) -> bool:
        """Whether a name is a parameter, or the scope's only constant of that name and made of such."""
        if name in self.scope.params:
            return True
        body = self.scope.definition.body if self.scope.definition is not None else None
        lets = [each for each in tree.descendants(body) if isinstance(each, tree.Let)] if body is not None else []
        own = [each.value for each in lets if each.name == name]
        return len(own) == 1 and name in self.scope.lets and all(map(self._is_known, _names(own[0])))

    # --- by kind ----------------------------------------------------------------------------------------------------

    def _sweeps(self) -> Iterator[_Sweep]:
        """The rules by kind, those that a loop over the modules says; each with the classes of its layers."""
        reached = _reached(self.scope)
        fills: dict[InitRule, dict[str, list[str]]] = {rule: {} for rule in self.scope.inits}
        for torch_class, name in reached:
            for path in reached[torch_class, name].paths:
                rule = self.own.get(path)
                if rule is not None and rule.kind is not None:
                    fills[rule].setdefault(torch_class, []).append(path)
        done: set[tuple[str, str]] = set()
        for rule, classes in fills.items():
            for torch_class in sorted(classes):
                found, meets = classes[torch_class], reached[torch_class, rule.parameter]
                others = [path for path in meets.paths if self.own.get(path) is not rule]
                # What fills kernels may fail on another's, and is not undone by the next.
                sure = INITIALISERS[rule.initialiser].axes < 3
                kept = [path for path in others if path not in self.own or not sure]
                if (len(found) > LISTED or len(kept) <= len(found)) and (torch_class, rule.parameter) not in done:
                    done.add((torch_class, rule.parameter))
                    yield _Sweep(torch_class, rule, meets.bare, found, kept)

    def _swept(self, sweeps: Sequence[_Sweep]) -> Iterator[Stmt]:
        """One pass over the modules; classes that start alike share a case."""
        if not sweeps:
            return
        module, kept = self._fresh("module"), self._fresh("kept")
        bodies: dict[str, list[Stmt]] = {}
        for sweep in sweeps:
            parameter = f"{module}.{sweep.rule.parameter}"
            tests = [f"{parameter} is not None"] if sweep.bare or sweep.rule.parameter != "weight" else []
            tests += [f"{parameter} not in {kept}"] if sweep.kept else []
            fill: Stmt = self._fill(sweep.rule, parameter)
            bodies.setdefault(sweep.torch_class, []).append(
                Block(f"if {' and '.join(tests)}", (fill,)) if tests else fill
            )
        cases: dict[tuple[Stmt, ...], list[str]] = {}
        for torch_class, fills in bodies.items():
            cases.setdefault(tuple(fills), []).append(torch_class)
        blocks = [Block(f"if isinstance({module}, {_either(classes)})", body) for body, classes in cases.items()]
        if any(sweep.kept for sweep in sweeps):
            yield from self._keeping(kept, sweeps)
        yield Block(f"for {module} in self.modules()", tuple(blocks))

    def _keeping(self, name: str, sweeps: Sequence[_Sweep]) -> Iterator[Stmt]:
        """The set of what the sweeps must not touch: a few by name, many by how their names end."""
        kept = list(dict.fromkeys(path for sweep in sweeps for path in sweep.kept))
        filled = [path for sweep in sweeps if sweep.kept for path in sweep.fills]
        found = [_ending(path, filled) for path in kept]
        said = [literal(each) for each in dict.fromkeys(found) if each is not None]
        if len(kept) > LISTED and None not in found and len(said) < len(kept):
            endings = self._fresh("endings")
            yield Line(Prefixed(f"{endings} = ", said[0] if len(said) == 1 else Bracket("(", tuple(said))))
            yield Line(f"{name} = {{p for name, p in self.named_parameters() if name.endswith({endings})}}")
        else:
            yield Line(Prefixed(f"{name} = ", Bracket("{", tuple(map(_parameter, kept)), "}")))

    def _fresh(self, name: str) -> str:
        """A variable of the constructor that is none of its parameters."""
        while name in self.variables.names.values():
            name += "_"
        return name


def _names(node: tree.Expr) -> set[str]:
    return {each.name for each in (node, *tree.descendants(node)) if isinstance(each, tree.Name)}


def _parameter(path: str) -> str:
    return f'self.get_parameter("{path}")'


def _ending(path: str, others: Sequence[str]) -> str | None:
    """The shortest end of a parameter's path, with the name of its layer, that none of the others has; None if all."""
    parts = path.split(".")
    for count in range(2, len(parts) + 1):
        ending = ".".join(parts[-count:])
        if not any(other.endswith(ending) for other in others):
            return ending
    return None


def _either(classes: Sequence[str]) -> str:
    return classes[0] if len(classes) == 1 else f"({', '.join(classes)})"


def _reached(scope: Scope) -> Mapping[tuple[str, str], _Reached]:
    """By PyTorch class and name, the parameters of the modules of a scope, in the order they are built."""
    found: dict[tuple[str, str], _Reached] = {}
    applied = [(path, item, *_classes(item)) for path, item in _layers(scope, "")]
    names = {torch_class: set[str]() for _, _, torch_class, _ in applied}
    for _, item, torch_class, _ in applied:
        names[torch_class] |= set(item.module.weights)
    for path, item, torch_class, support in applied:
        inherits = [each for each in names if each != torch_class and re.search(rf"\b{re.escape(each)}\b", support)]
        for each in (torch_class, *inherits):
            for name in names[each]:
                reached = found.setdefault((each, name), _Reached())
                # A class that is made of others has theirs as its own, under their names.
                own = [key for key in item.module.weights if key == name or key.endswith(f".{name}")]
                reached.paths += [f"{path}.{key}" for key in own]
                reached.bare = reached.bare or not own
    return found


def _classes(item: Apply) -> tuple[str, str]:
    """The class of a layer's module, and the source of the class if PyTorch does not have it: it may inherit."""
    made = item.layer.module(*(value.shape for value in item.inputs))
    return ("", "") if made is None else (made.func, made.support)


def _layers(scope: Scope, prefix: str) -> Iterator[tuple[str, Apply]]:
    """The layers that are modules of a scope or of those inside, by their paths."""
    for item in walk(scope.items):
        if isinstance(item, Call) and item.first:
            yield from _layers(item.scope, f"{prefix}{item.module.name}.")
        elif isinstance(item, Apply) and item.first:
            yield f"{prefix}{item.module.name}", item
