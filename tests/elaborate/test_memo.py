"""Elaborations that share the blocks which are the same in them give the networks that they give apart."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.compiler import Compilation, accepted
from archdsl.diagnostics import Sink
from archdsl.graph.model import scopes, weight_table
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
    memo = Memo()
    for given in settings:
        shared = elaborate(spec.definition(), given, Sink(), memo=memo)
        apart = elaborate(spec.definition(), given, Sink())
        assert shared is not None and apart is not None
        assert list(weight_table(shared.scope)) == list(weight_table(apart.scope))
        assert {(n.condition, n.training) for n in shared.needs} == {(n.condition, n.training) for n in apart.needs}
        assert {each.condition for each in shared.stated} == {each.condition for each in apart.stated}
        assert str(accepted(shared)) == str(accepted(apart))
        assert Cost(shared).macs == Cost(apart).macs
    assert memo.blocks


def test_a_block_that_is_reached_into_is_not_shared() -> None:
    """An export is one of the block for all its calls, so those of an elaboration stay with it."""
    text = """
block inner { deep = conv(4, 1); relu }
network Net(ask=false) { input x: [3, H, W]; a = inner; if ask { a.deep -> conv(2, 1) } }
"""
    spec, memo = Compilation.from_text(text), Memo()
    plain = elaborate(spec.definition(), {}, Sink(), memo=memo)
    assert memo.blocks
    asking = elaborate(spec.definition(), {"ask": True}, Sink(), memo=memo)
    assert plain is not None and asking is not None
    exports = [[dict(scope.exports) for scope in scopes(each.scope)] for each in (plain, asking)]
    assert not any(exports[0]) and any(exports[1])
    assert memo.blocks is None


def test_what_an_error_leaves_open_is_not_shared() -> None:
    text = """
block inner { maxpool(2); deconv(4, 2, stride=2) }
network Net(w=4) { input x: [4, H, W]; a = conv(w, 1); add(a, x) -> inner }
"""
    spec, memo = Compilation.from_text(text), Memo()
    for width in (3, 5, 4):
        assert (elaborate(spec.definition(), {"w": width}, Sink(), memo=memo) is None) is (width != 4)
    assert memo.blocks is not None
    assert not any("?" in str(condition) for built in memo.blocks.values() for condition, _ in built.needs)
