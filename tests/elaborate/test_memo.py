"""Elaborations that share the blocks which are the same in them give the networks that they give apart."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.compiler import Compilation, accepted
from archdsl.diagnostics import Sink
from archdsl.graph.model import weight_table
from archdsl.passes.cost import Cost
from archdsl.passes.elaborate import Memo, elaborate

NESTED = """
block inner(w): [C, H, W] -> [w, (H - 1)//2, (W - 1)//2] { conv(w, 3, stride=2); batchnorm }
block outer(w) { inner(w); inner(2 * w); concat { conv(w, 3); conv(w, 3) } }
network Net(w=4, deep=false) {
  input x: [3, H=64, W=64]
  inner(w)
  if deep { outer(w) } else { outer(3) }
  outer(3)
}
"""


@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("", [{}, {"deep": True}, {"w": 3}, {"w": 3, "deep": True}, {}]),
        ("specs/googlenet.arch", [{}, {"aux": False}, {"classes": 7}]),
        ("specs/densenet121.arch", [{"classes": 7}, {}]),
        ("specs/unet.arch", [{}, {"classes": 3}]),
    ],
)
def test_shared_blocks_are_the_same(path: str, settings: list[dict[str, Any]]) -> None:
    spec = Compilation.from_path(path) if path else Compilation.from_text(NESTED)
    memo: Memo = {}
    for given in settings:
        shared = elaborate(spec.definition(), given, Sink(), memo=memo)
        apart = elaborate(spec.definition(), given, Sink())
        assert shared is not None and apart is not None
        assert list(weight_table(shared.scope)) == list(weight_table(apart.scope))
        assert {(n.condition, n.training) for n in shared.needs} == {(n.condition, n.training) for n in apart.needs}
        assert {each.condition for each in shared.stated} == {each.condition for each in apart.stated}
        assert str(accepted(shared)) == str(accepted(apart))
        assert Cost(shared).macs == Cost(apart).macs
    assert memo
