"""The shortcuts of a block that are projected in some of its uses only.

`residual { … } project p = …` has its projection where the two shapes differ. A careful author writes that as
`if stride != 1 or in_channels != width:` in the constructor. Where such a test says exactly what the spec's uses do, it
is written; else the constructor takes a flag.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archdsl.emit.torch.say import Variables
from archdsl.graph.model import Apply, Call, Item, Scope, Skip, walk


@dataclass(frozen=True)
class Optional:
    """A projection that only some instances of a block have.

    `name` is its submodule if it is a single one, else a flag; `strided` says that it is there where the body's stride
    is not 1; `tests` are the parameters that call for it when they are not 1, as far as the uses say; `channels` says
    that differing channels do; without all of these the constructor takes a flag of that name.
    """

    name: str
    single: bool
    strided: bool
    tests: tuple[str, ...]
    channels: bool
    exact: bool  # the condition is right for any arguments, not for the uses alone

    @property
    def is_flag(self) -> bool:
        return not self.strided and not self.tests and not self.channels

    def condition(self, skip: Skip, variables: Variables) -> str:
        """The test as Python says it in the constructor of one instance."""
        named = {ref.name: text for ref, text in variables.names.items()}
        parts = [f"{variables.say(skip.stride)} != 1"] if self.strided else []
        parts += [f"{named[name]} != 1" for name in self.tests]
        variables.used.update(named[name] for name in self.tests)
        if self.channels:
            parts.append(_channels(skip, variables))
        return " or ".join(parts) or self.name


Use = tuple[Scope, Variables, Skip]  # of a skip in one instance


def optional(scopes: Sequence[Scope], variables: Iterable[Variables]) -> dict[int, Optional]:
    """The optional projections of a block by their skip's node; `scopes` are the instances, `variables` of each."""
    seen: dict[int, list[Use]] = {}
    for scope, own in zip(scopes, variables, strict=True):
        for item in walk(scope.items):
            if isinstance(item, Skip):
                seen.setdefault(id(item.node), []).append((scope, own, item))
    found: dict[int, Optional] = {}
    for key, uses in seen.items():
        projected = [skip for _, _, skip in uses if skip.projection is not None]
        once = len({id(scope) for scope, _, _ in uses}) == len(uses)  # in a loop, each turn is written as it is
        if not projected or not once:
            continue
        label = _label(projected[0])
        name = label
        while any(name == other.name for other in found.values()):
            name += "_"
        single = all(_is_single(skip, label) for skip in projected) and name == label
        formula = _formula(uses)
        if len(projected) < len(uses) or formula is not None:
            found[key] = Optional(name, single, *(formula or _tests(uses)), exact=formula is not None)
    return found


def _label(skip: Skip) -> str:
    return skip.tail.label.head if skip.tail is not None and skip.tail.label is not None else "project"


def _is_single(skip: Skip, label: str) -> bool:
    items: list[Item] = skip.projection.items if skip.projection is not None else []
    return len(items) == 1 and isinstance(items[0], (Apply, Call)) and items[0].module.name == label


def _formula(uses: Sequence[Use]) -> tuple[bool, tuple[str, ...], bool] | None:
    """The tests that say when there is a projection, for any arguments; None where that is not known.

    Sizes that are functions of the input's stay what they are if the stride is 1.
    """
    if any(skip.stride is None for _, _, skip in uses):
        return None
    strides = {variables.copy().say(skip.stride) for _, variables, skip in uses}
    sides = {_channels(skip, variables.copy()) for _, variables, skip in uses}
    strided, channels = not any(map(str.isdigit, strides)), "" not in sides
    for _, _, skip in uses:
        differ = channels and skip.source.shape[0] != skip.body.shape[0]
        if ((strided and skip.stride != 1) or differ) is (skip.projection is None):
            return None
    return (strided, (), channels) if len(strides) == len(sides) == 1 and (strided or channels) else None


def _tests(uses: Sequence[Use]) -> tuple[bool, tuple[str, ...], bool]:
    """The tests that hold exactly in those uses that have the projection; none if there are no such tests."""
    wanted = [skip.projection is not None for _, _, skip in uses]
    texts = {_channels(skip, variables.copy()) for _, variables, skip in uses}
    channels = len(texts) == 1 and "" not in texts
    truth = [channels and skip.source.shape[0] != skip.body.shape[0] for _, _, skip in uses]
    if any(holds and not want for holds, want in zip(truth, wanted, strict=True)):
        channels, truth = False, [False] * len(uses)
    tests: list[str] = []
    for name, ref in uses[0][0].refs.items():
        holds = [_is_int(scope.params.get(name)) and int(scope.params[name]) != 1 for scope, _, _ in uses]
        known = all(_is_int(scope.params.get(name)) and scope.refs[name] in own.names for scope, own, _ in uses)
        known = known and ref.name == name
        if known and any(holds) and not any(h and not want for h, want in zip(holds, wanted, strict=True)):
            tests.append(name)
            truth = [a or b for a, b in zip(truth, holds, strict=True)]
    return (False, tuple(tests), channels) if truth == wanted else (False, (), False)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _channels(skip: Skip, variables: Variables) -> str:
    """`in_channels != width`; empty where the two are numbers or said alike."""
    used = set(variables.used)
    left, right = (variables.say(value.shape[0]) for value in (skip.source, skip.body))
    if left == right or (left.isdigit() and right.isdigit()):
        variables.used = used
        return ""
    return f"{left} != {right}"
