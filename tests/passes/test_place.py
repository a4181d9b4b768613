"""Where things run, and which values move between devices."""

from __future__ import annotations

from archdsl.compiler import Compilation
from archdsl.passes.place import Placed, all_moves, place


def placed(body: str, before: str = "") -> Placed:
    spec = Compilation.from_text(f"{before}\nnetwork Net {{\ninput x: [3, H=16, W=16]\n{body}\n}}\n")
    return place(spec.network())


def devices(found: Placed) -> dict[str, int]:
    """The device of each submodule of the network that is applied; of a block, if it is on one."""
    layers = {item.module.name: device for item, device in found.device.items() if hasattr(item, "module")}
    blocks = {call.module.name: inner.used for call, inner in found.inner.items()}
    return layers | {name: next(iter(used)) for name, used in blocks.items() if len(used) == 1}


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
    assert devices(inner) == {"p": 1, "q": 2, "r": 1}
    assert found.used == {0, 1, 2}
    assert found.results == (1,)


def test_a_block_may_stand_on_several_devices() -> None:
    found = placed("u = b() on gpu(1)\nv = b() on gpu(2)", "block b { conv(3, 1); relu }")
    assert devices(found) == {"u": 1, "v": 2}
    assert [inner.inputs for inner in found.inner.values()] == [((1,),), ((2,),)]


def test_towers_of_a_loop() -> None:
    found = placed("stem = concat { for g in 0..1 { tower[g] = { conv(4, 1) -> relu } on gpu(g) } }\nhead = conv(2, 1)")
    assert devices(found) == {"head": 0}
    assert [(path, source, target) for path, _, source, target, _ in moves(found)] == [("stem", 0, 1), ("stem", 1, 0)]


def test_indices_move_and_sizes_need_not() -> None:
    """A pooling on one device, undone on another: two tensors move, in the network and out of a block."""
    found = placed("pool = maxpool(2) on gpu(1)\nconv(3, 1)\nmax_unpool(pool) on gpu(2)")
    assert moves(found) == [("", "x", 0, 1, 1), ("", None, 1, 2, 1), ("", "pool_indices", 1, 2, 1)]
    found = placed("enc = b on gpu(1)\nmax_unpool(enc) on gpu(2)", "block b { conv(4, 1); pool = maxpool(2) }")
    assert moves(found) == [("", "x", 0, 1, 1), ("", "enc", 1, 2, 1), ("", "enc_indices", 1, 2, 1)]


def test_a_label_changes_no_device() -> None:
    """A hint on a group or a block covers what the same braces without a label cover."""
    inside = "conv(4, 1) -> relu on gpu(1)\nconv(4, 1)\nrelu"
    for body, before in (
        (f"{{ {inside} }} on gpu(2)", ""),
        (f"g = {{ {inside} }} on gpu(2)", ""),
        ("g = b on gpu(2)", f"block b {{ {inside} }}"),
        (f"residual {{ {inside} }} shortcut {{ conv(4, 1) }} on gpu(2)", ""),
        (f"g = residual {{ {inside} }} shortcut {{ conv(4, 1) }} on gpu(2)", ""),
        (f"repeat 1 {{ {inside} }} on gpu(2)", ""),
        (f"for i in 1..1 {{ {inside} }} on gpu(2)", ""),
        (f"if true {{ {inside} }} on gpu(2)", ""),
        (f"if false {{ relu }} else {{ {inside} }} on gpu(2)", ""),
        (f"training {{ {inside} }} on gpu(2)", ""),
    ):
        found = placed(body.replace("; ", "\n"), before)
        ran = [*found.device.values(), *(d for inner in found.inner.values() for d in inner.device.values())]
        assert sorted(ran)[:4] == [1, 1, 2, 2], body
        assert set(ran) == {1, 2}, body


def test_a_label_moves_no_value() -> None:
    """What has no hint follows its input, in a group as in braces: nothing on gpu(0) reads what is on gpu(2)."""
    found = placed("a = conv(4, 1) on gpu(2)\n{ conv(4, 1) on gpu(1) } on gpu(0)")
    assert moves(found) == [("", "x", 0, 2, 1), ("", "a", 2, 1, 1)]
    found = placed("a = conv(4, 1) on gpu(2)\ng = { p = conv(4, 1) on gpu(1) } on gpu(0)")
    assert moves(found) == [("", "x", 0, 2, 1), ("", "a", 2, 1, 1)]


def test_a_value_moves_once_for_all_blocks() -> None:
    """Two blocks need `a` on gpu(1): the network moves it. One that alone needs it moves it itself."""
    block = "block b { p = relu\nq = in -> conv(4, 1) on gpu(1)\nadd(p, q) }"
    found = placed("a = conv(4, 1)\nu = a -> b\nv = a -> b", block)
    assert moves(found)[0] == ("", "a", 0, 1, 2)
    assert [inner.inputs for inner in found.inner.values()] == [((0, 1),), ((0, 1),)]
    found = placed("a = conv(4, 1)\nu = a -> b", block)
    assert [inner.inputs for inner in found.inner.values()] == [((0,),)]
    assert moves(found)[0] == ("u", None, 0, 1, 1)


def test_a_block_hands_back_what_it_moved() -> None:
    """What a block makes and moves is needed there by its caller too."""
    found = placed(
        "u = b\nc = u.a -> conv(4, 1) on gpu(1)\nadd(u.b, c)",
        "block b { output a = conv(4, 1)\noutput b = conv(4, 1) on gpu(1) }",
    )
    (inner,) = found.inner.values()
    assert [(value.label, device) for value, device in inner.handed] == [("a", 1)]
    assert moves(found) == [("u", "a", 0, 1, 1)]


def test_an_input_arrives_where_it_says() -> None:
    found = placed("conv(4, 1)", "")
    assert found.used == {0}
    spec = Compilation.from_text("network N { input x: [3, H, W] where H > 4 on gpu(7)\nconv(4, 1) }")
    found = place(spec.network())
    assert found.inputs == ((7,),)
    assert found.used == {7}
    assert moves(found) == []


def test_only_a_size_is_read_where_it_is() -> None:
    found = placed("a = conv(4, 1) on gpu(1)\nx -> crop(to=a)")
    assert moves(found) == [("", "x", 0, 1, 1)]


def test_a_shared_module_stays_where_it_is_first_applied() -> None:
    found = placed("shared h = conv(3, 1)\nu = h\na = conv(3, 1) on gpu(1)\nv = a -> h\nw = relu")
    assert devices(found) == {"h": 0, "a": 1, "w": 0}
    assert moves(found) == [("", "u", 0, 1, 1), ("", "a", 1, 0, 1)]
    found = placed("shared h = { conv(3, 1) -> relu } on gpu(2)\nu = h on gpu(1)\nv = x -> h\nw = relu")
    assert devices(found)["w"] == 2
    assert [inner.used for inner in found.inner.values()] == [{2}, {2}]


def test_a_shared_module_cannot_be_in_two_places() -> None:
    for body in ("u = h\nv = x -> h on gpu(1)", "u = h on gpu(0)\n{ conv(3, 1) -> h } on gpu(1)"):
        for chain in ("conv(3, 1)", "{ conv(3, 1); relu }"):
            spec = Compilation.from_text(f"network N {{ input x: [3, H, W]\nshared h = {chain}\n{body}\n}}")
            (found,) = spec.diagnostics
            assert found.code == "E0507"
            assert found.message.startswith("the shared `h` lives on gpu(0)"), found.message
