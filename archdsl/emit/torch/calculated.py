"""A network's parameters whose defaults are made of others: `wide = 2 * width`.

What nobody gave is None in the emitted signature, and the constructor calculates it first of all.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from archdsl.emit.torch.code import Block, Line, Stmt
from archdsl.emit.torch.say import NotSayable, Variables
from archdsl.graph.model import Network, Scope
from archdsl.syntax import tree
from archdsl.syntax.defaults import derived


def calculated(network: Network, offered: Set[str]) -> list[tree.Param]:
    """The parameters that came from defaults which name `offered` ones, those that the class has."""
    names = {name for name, named in derived(network.definition).items() if named & offered} - network.settings.keys()
    return [param for param in network.definition.params if param.name in names]


def calculations(scope: Scope, params: Sequence[tree.Param], variables: Variables) -> tuple[Stmt, ...]:
    """The statements that calculate those of the parameters that the rest of the constructor uses."""
    statements: list[Stmt] = []
    for param in reversed(params):  # what a later one is made of is used too
        ref = scope.refs[param.name]
        text = variables.names.get(ref)
        if text in variables.used:
            assert param.default is not None
            try:
                value = variables.translate(param.default)
            except NotSayable:
                value = variables.say(ref.origin)
            statements.append(Block(f"if {text} is None", (Line(f"{text} = {value}"),)))
    return tuple(reversed(statements))
