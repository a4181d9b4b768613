"""Where things run, and which values move between devices."""

from __future__ import annotations

from archdsl.compiler import Compilation
from archdsl.passes.place import Placed, all_moves, place


def placed(body: str, before: str = "") -> Placed:
    spec = Compilation.from_text(f"{before}\nnetwork Net {{\ninput x: [3, H=16, W=16]\n{body}\n}}\n")
    return place(spec.network())


def devices(found: Placed) -> dict[str, int]:
    """The device of each submodule of the network that is applied."""
    return {item.module.name: device for item, device in found.device.items() if hasattr(item, "module")}


def moves(found: Placed) -> list[tuple[str, str | None, int, int, int]]:
    """Of each move: in which module, which value, from where to where, and for how many users."""
    return [(".".join(path), m.value.label, m.source, m.target, len(m.users)) for path, m in all_moves(found)]


def test_without_hints_all_stays_on_one_device() -> None:
    found = placed("a = conv(4, 1)\nresidual { b = conv(4, 1) }\nc = relu")
    assert set(devices(found).values()) == {0}
    assert moves(found) == []
    assert found.used == {0}


def test_what_has_no_hint_follows_its_input() -> None:
    found = placed("a = conv(4, 1)\nb = conv(4, 1) on gpu(1)\nc = relu\nd = a -> relu")
    assert devices(found) == {"a": 0, "b": 1, "c": 1, "d": 0}
    assert moves(found) == [("", "a", 0, 1, 1)]


def test_a_value_moves_once_to_each_device() -> None:
    found = placed(
        "a = relu\nconcat { b = a -> conv(4, 1) on gpu(1); c = a -> conv(4, 1) on gpu(1); d = a -> relu on gpu(2) }"
    )
    to_one = [move for move in moves(found) if move[1] == "a" and move[3] == 1]
    assert to_one == [("", "a", 0, 1, 2)]
    assert [move for move in moves(found) if move[1] == "a" and move[3] == 2] == [("", "a", 0, 2, 1)]


def test_a_join_follows_its_first_branch_and_a_skip_what_it_keeps() -> None:
    found = placed("a = conv(4, 1) on gpu(1)\nb = x -> conv(4, 1)\ns = add(a, b)\nc = relu")
    assert devices(found)["c"] == 1
    found = placed("a = conv(4, 1)\nresidual { b = conv(4, 1) on gpu(1) }\nc = relu")
    assert devices(found) == {"a": 0, "b": 1, "c": 0}


def test_the_join_itself_may_be_placed() -> None:
    found = placed("concat { a = conv(4, 1); b = conv(4, 1) on gpu(1) } on gpu(2)\nc = relu")
    assert devices(found) == {"a": 2, "b": 1, "c": 2}


def test_the_innermost_hint_wins_through_blocks() -> None:
    found = placed("b() on gpu(1)", "block b { p = conv(4, 1)\nq = conv(4, 1) on gpu(2)\nr = relu }")
    (inner,) = found.inner.values()
    assert devices(inner) == {"p": 1, "q": 2, "r": 2}
    assert found.used == {0, 1, 2}
    assert found.results == (2,)


def test_a_block_may_stand_on_several_devices() -> None:
    found = placed("u = b() on gpu(1)\nv = b() on gpu(2)", "block b { conv(3, 1); relu }")
    assert devices(found) == {"u": 1, "v": 2}
    assert [inner.inputs for inner in found.inner.values()] == [(1,), (2,)]


def test_towers_of_a_loop() -> None:
    found = placed("stem = concat { for g in 0..1 { tower[g] = { conv(4, 1) -> relu } on gpu(g) } }\nhead = conv(2, 1)")
    assert devices(found) == {"stem": 0, "head": 0}
    assert [(path, source, target) for path, _, source, target, _ in moves(found)] == [("stem", 0, 1), ("stem", 1, 0)]


def test_indices_move_and_sizes_need_not() -> None:
    """A pooling on one device, undone on another: two tensors move, in the network and out of a block."""
    found = placed("pool = maxpool(2) on gpu(1)\nconv(3, 1)\nmax_unpool(pool) on gpu(2)")
    assert moves(found) == [("", "x", 0, 1, 1), ("", None, 1, 2, 1), ("", "pool_indices", 1, 2, 1)]
    found = placed("enc = b on gpu(1)\nmax_unpool(enc) on gpu(2)", "block b { conv(4, 1); pool = maxpool(2) }")
    assert moves(found) == [("", "x", 0, 1, 1), ("", "enc", 1, 2, 1), ("", "enc_indices", 1, 2, 1)]
