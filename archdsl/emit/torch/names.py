"""What is a name where: of classes and what they cannot be called by, and of the variables of a group's class."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Set

from archdsl.emit.torch.say import python_name
from archdsl.graph.model import Apply, Call, Choice, Loop, Network, Scope, everything, scopes, walk
from archdsl.graph.traced import IndexedName, Ref
from archdsl.layers.initialisers import INITIALISERS


class Open(dict[Ref, str]):
    """The variables of a group's class: whatever variable of its surroundings it asks for becomes a parameter."""

    def __init__(self, own: Set[Ref], reserved: Set[str], local: Set[str]) -> None:
        super().__init__()
        self.own = own  # of the group's loops and cases, and what it is made for: no parameters
        self.reserved = reserved
        self.local = local  # what the constructor calls its own variables so far

    def __contains__(self, ref: object) -> bool:
        if super().__contains__(ref):
            return True
        if not isinstance(ref, Ref) or ref in self.own:
            return False
        base = name = ref.name or "channels"
        taken, count = {*self.reserved, *self.local, *self.values()}, 1
        while name in taken:
            count += 1
            name = f"{base}{count}"
        self[ref] = python_name(name, taken)
        return True


def own_variables(scope: Scope) -> Iterator[Ref]:
    """The variables of the loops and cases in a group, and in the groups inside it."""
    for item in everything(scope.items):
        if isinstance(item, Loop):
            yield from item.carried
            yield from (ref for row in item.variables for ref in row.values())
        elif isinstance(item, Choice) and item.after is not None:
            yield item.after
        elif isinstance(item, Call) and item.scope.kind == "group":
            yield from own_variables(item.scope)


def words(root: Scope) -> Iterator[str]:
    """The names of a spec that may become variables or parameters."""
    for scope in scopes(root):
        yield from (*scope.params, *scope.input_names, *scope.labels)
        yield from (name.rstrip("0123456789") for name in scope.modules)
        yield from (result.name for result in scope.results if result.name)
        yield from (
            name for item in everything(scope.items) if isinstance(item, Loop) for row in item.variables for name in row
        )


def camel(name: str) -> str:
    """The class of a block or a group: `conv_bn` is ConvBn, `tower[g]` is Tower, `fc6` is Fc6."""
    if isinstance(name, IndexedName):
        name = "".join(part for part in name.parts if isinstance(part, str))
    found = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return found if found.isidentifier() and not keyword.iskeyword(found) else f"Block{found}"


def helpers(network: Network) -> set[str]:
    """The names of the functions and classes that layers and initialisers bring along."""
    calls = (
        made
        for scope in scopes(network.scope)
        for item in walk(scope.items)
        if isinstance(item, Apply)
        for made in (getattr(item.layer, form)(*(v.shape for v in item.inputs)) for form in ("module", "function"))
    )
    inits = (INITIALISERS[rule.initialiser] for scope in scopes(network.scope) for rule in scope.inits)
    return {
        *(made.func for made in calls if made is not None and made.support),
        *(made.function for made in inits if made.support),
    }
