"""The JSON that `diff` prints, versioned as that of `check` and `summary` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from archdsl.cli.schema import Model
from archdsl.compare.difference import Difference, Fact
from archdsl.compare.leaves import Leaf

if TYPE_CHECKING:
    from archdsl.cli.diff import Compared

DIFF_SCHEMA: Literal["archdsl.diff/1"] = "archdsl.diff/1"


class LeafModel(Model):
    """A layer, a join or a skip at the network's typical input size; counts are for one item of the batch."""

    path: list[str]
    what: str = Field(description="the call, with the arguments that are not the default")
    outputs: list[list[int]]
    params: int
    macs: int


class FactModel(Model):
    """One thing that is another now, in words."""

    name: str
    before: str
    after: str


class ChangeModel(Model):
    """A layer before and after. `facts` may be empty: then it follows from other changes, or only its name differs."""

    before: LeafModel
    after: LeafModel
    facts: list[FactModel]
    renamed: bool = Field(description="its weights have other keys in the state_dict")


class TotalModel(Model):
    """A count, or bytes of activations at a batch of one."""

    name: str
    before: int
    after: int


class DifferenceModel(Model):
    before: str
    after: str
    equal: bool
    interface: list[FactModel] = Field(description="inputs, outputs, accepted and promised sizes that differ")
    removed: list[LeafModel]
    added: list[LeafModel]
    changed: list[ChangeModel]
    totals: list[TotalModel]


class DiffReport(Model):
    schema_: Literal["archdsl.diff/1"] = Field(default=DIFF_SCHEMA, alias="schema")
    networks: list[DifferenceModel]
    only_before: list[str]  # networks that the other side has not, where no network was named
    only_after: list[str]


def report(compared: Sequence[Compared], only_before: list[str], only_after: list[str]) -> DiffReport:
    """What `diff --json` prints."""
    return DiffReport(
        schema=DIFF_SCHEMA,
        networks=[_difference(each.before, each.after, each.difference) for each in compared],
        only_before=only_before,
        only_after=only_after,
    )


def _difference(before: str, after: str, found: Difference) -> DifferenceModel:
    differing = [change for change in found.changes if change.facts or change.renamed or change.resized]
    return DifferenceModel(
        before=before,
        after=after,
        equal=found.equal,
        interface=list(map(_fact, found.face)),
        removed=[_leaf(found.before[i]) for i in found.removed],
        added=[_leaf(found.after[i]) for i in found.added],
        changed=[
            ChangeModel(
                before=_leaf(change.before),
                after=_leaf(change.after),
                facts=list(map(_fact, change.facts)),
                renamed=change.renamed,
            )
            for change in differing
        ],
        totals=[TotalModel(name=name, before=one, after=other) for name, (one, other) in found.totals.items()],
    )


def _fact(fact: Fact) -> FactModel:
    return FactModel(name=fact.name, before=fact.before, after=fact.after)


def _leaf(leaf: Leaf) -> LeafModel:
    return LeafModel(
        path=list(leaf.path), what=leaf.what, outputs=list(map(list, leaf.shapes)), params=leaf.params, macs=leaf.macs
    )
