"""Which `init` rule each parameter starts by.

Input: a scope with its rules. Output: tables beside the graph, from parameters, by their paths below the scope, to the
one rule that fills each. What is in no table starts as PyTorch starts it.

A rule by a path means the parameter at that path. A rule by a kind means the parameters of all layers of that kind in
its scope and below, but for those that an `init` of a scope inside fills: the part knows better than the whole. Of the
rules of one scope that mean a parameter, the last fills it; of two scopes', the outer one's, which has named it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archdsl.graph.model import InitRule, Module, Scope
from archdsl.layers.base import Layer

Kinds = Mapping[str, Mapping[str, Sequence[str]]]  # by kind of layer and parameter, paths


def starts(scope: Scope) -> Mapping[str, InitRule]:
    """By the path of each parameter below `scope` that an `init` fills, the rule that it starts by.

    It is how the parameters are once the constructor of the scope's module has run, by the rules of the scope and of
    those inside; rules of scopes around it, which may fill them again, have no part in it.
    """
    return Starts().of(scope)


class Starts:
    """The tables of a network's scopes, each worked out once."""

    def __init__(self) -> None:
        self._tables: dict[Scope, Mapping[str, InitRule]] = {}
        self._inside: dict[Scope, Mapping[str, InitRule]] = {}
        self._kinds: dict[Scope, Kinds] = {}

    def of(self, scope: Scope) -> Mapping[str, InitRule]:
        """What a scope's own rules and those inside leave behind."""
        if scope not in self._tables:
            inside = self.inside(scope)
            self._tables[scope] = {**inside, **self._filled(scope, inside)} if scope.inits else inside
        return self._tables[scope]

    def inside(self, scope: Scope) -> Mapping[str, InitRule]:
        """What the rules inside leave behind, before the scope's own are applied."""
        if scope not in self._inside:
            self._inside[scope] = {
                f"{name}.{path}": rule
                for name, module in scope.modules.items()
                if isinstance(module.what, Scope)
                for path, rule in self.of(module.what).items()
            }
        return self._inside[scope]

    def own(self, scope: Scope) -> Mapping[str, InitRule]:
        """What the scope's own rules fill."""
        own = set(scope.inits)
        return {path: rule for path, rule in self.of(scope).items() if rule in own}

    def meant(self, scope: Scope, rule: InitRule) -> list[str]:
        """The paths of the parameters that a rule of the scope means, those included that a later one fills."""
        if rule.path is not None:
            return [rule.path]
        inside = self.inside(scope)
        return [path for path in self.selected(scope, rule) if path not in inside]

    def selected(self, scope: Scope, rule: InitRule) -> Sequence[str]:
        """The paths of the parameters that the selector of a rule by kind says, here and in all scopes inside."""
        return self.kinds(scope).get(rule.kind or "", {}).get(rule.parameter, ())

    def kinds(self, scope: Scope) -> Kinds:
        """The parameters of all layers that are modules of a scope or of those inside; kinds that have none, too."""
        if scope not in self._kinds:
            found: dict[str, dict[str, list[str]]] = {}
            for path, module in leaves(scope):
                assert isinstance(module.what, Layer)
                own = found.setdefault(module.what.name, {})
                for parameter in module.weights:
                    own.setdefault(parameter, []).append(f"{path}.{parameter}")
            self._kinds[scope] = found
        return self._kinds[scope]

    def _filled(self, scope: Scope, inside: Mapping[str, InitRule]) -> dict[str, InitRule]:
        found: dict[str, InitRule] = {}
        kinds: set[tuple[str, str]] = set()
        for rule in reversed(scope.inits):  # from the last on, so that each kind is gone through once
            if rule.kind is not None and (rule.kind, rule.parameter) in kinds:
                continue
            if rule.kind is not None:
                kinds.add((rule.kind, rule.parameter))
            for path in self.meant(scope, rule):
                found.setdefault(path, rule)
        return found


def leaves(scope: Scope) -> Iterator[tuple[str, Module]]:
    """The layers that are modules of a scope or of those inside, by their paths, in the order they are built."""
    for name, module in scope.modules.items():
        if isinstance(module.what, Scope):
            yield from ((f"{name}.{path}", leaf) for path, leaf in leaves(module.what))
        else:
            yield name, module
