"""What a `forward` computes, and in which order: held against the graph, where expressions wait for each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from emitted import execute
from torch import Tensor, nn
from whole.interpreter import interpret

from archdsl.compiler import Compilation
from archdsl.graph.model import Apply, Call, Network, Scope, walk


def compiled(text: str) -> tuple[Network, nn.Module]:
    """The graph of the network `Net` of a text, and its module, in double precision."""
    found = Compilation.from_text(text)
    assert found.ok, found.diagnostics
    torch.manual_seed(0)
    return found.network("Net"), execute(found.compile("Net"))["Net"]().double()


def applied(scope: Scope, prefix: str = "") -> Iterator[str]:
    """The layers by their paths, in the order of the spec."""
    for item in walk(scope.items):
        if isinstance(item, Call):
            yield from applied(item.scope, f"{prefix}{item.module.name}.")
        elif isinstance(item, Apply):
            yield f"{prefix}{item.module.name}"


def check(text: str, *shapes: tuple[int, ...]) -> None:
    """Outputs in both modes, and the order in which the submodules run in training."""
    network, module = compiled(text)
    images = [torch.randn(2, *shape, dtype=torch.float64) for shape in shapes]
    state = {key: value.clone() for key, value in module.state_dict().items()}
    ran: list[str] = []
    for name, submodule in module.named_modules():
        if not list(submodule.children()):
            submodule.register_forward_pre_hook(lambda *_, name=name: ran.append(name))
    for training in (False, True):
        expected, _ = interpret(network, [image.clone() for image in images], state, training)
        ran.clear()
        result = module.train(training)(*images)
        got: tuple[Tensor | None, ...] = result if isinstance(result, tuple) else (result,)
        assert [value is None for value in got] == [value is None for value in expected.values()]
        for ours, wanted in zip(got, expected.values(), strict=True):
            if ours is not None:
                torch.testing.assert_close(ours, wanted, rtol=1e-9, atol=1e-9)
    names = list(applied(network.scope))
    assert ran == [name for name in names if name in ran]
    assert {name for name, each in module.named_modules() if name and not list(each.children())} <= set(ran)


def test_an_operand_that_waits_keeps_its_variables() -> None:
    check(
        """network Net { input a: [4, H, W]
        batchnorm
        mul {
            { residual { upsample(to=a, mode="nearest-exact") } shortcut { crop(to=a) } }
            { residual { crop(to=a) -> upsample(to=a, mode="nearest-exact") } -> selu }
        } }""",
        (4, 8, 9),
    )


@pytest.mark.parametrize(
    "body",
    [
        "a = batchnorm; b = batchnorm; add(b, a)",
        "a = batchnorm; b = x -> batchnorm; c = b -> relu; d = add(c, b); add(d, a)",
        "a = batchnorm -> batchnorm; residual { batchnorm; conv(4, 1) } project; add(a, in)",
        "a = conv(4, 1); b = x -> conv(4, 1); c = a -> conv(4, 1); add(c, b)",
        "concat { conv(4, 1) -> batchnorm -> relu -> conv(4, 1) -> batchnorm; batchnorm; conv(4, 1) }",
        "a, b = chunk(2); c = b -> conv(4, 1); d = a -> conv(4, 1); concat(d, c, b)",
    ],
)
def test_applications_keep_their_order(body: str) -> None:
    check(f"network Net {{ input x: [4, H, W]; {body} }}", (4, 6, 5))


def test_what_nobody_uses_runs() -> None:
    check(
        """block both { a = batchnorm; output b = in -> conv(2, 1); x -> batchnorm }
        network Net { input x: [4, H, W]
            first = batchnorm
            second = x -> conv(4, 1) -> batchnorm
            add(first, second)
            output last = x -> conv(3, 1)
            last -> batchnorm
            add { last -> batchnorm; last -> conv(3, 1) }
        }""".replace("x -> batchnorm }", "in -> batchnorm }"),
        (4, 6, 5),
    )


def test_a_training_output_has_a_variable_of_its_own() -> None:
    check(
        """network Net { input image: [4, H, W]
            conv(4, 1) -> relu
            training { output x = conv(2, 1) -> batchnorm }
            y = conv(4, 3)
            training { output aux = image -> batchnorm; z = conv(3, 1) -> batchnorm }
            conv(2, 1)
        }""",
        (4, 6, 5),
    )


def test_several_outputs_of_a_call_in_a_training_section() -> None:
    check(
        """block pair { output a = conv(2, 1); output b = in -> conv(3, 1) }
        network Net { input image: [4, H, W]
            conv(4, 1)
            training { p = pair; output p.a; output c = p.b -> batchnorm }
            conv(2, 1)
        }""",
        (4, 6, 5),
    )


def test_a_sum_that_only_a_training_section_reads() -> None:
    """It stands outside of the section, so it is worked out in both modes."""
    check(
        """network Net { input image: [4, H, W]
            a, b = split(2)
            s = add(b, a)
            a -> conv(2, 1)
            training { s -> batchnorm }
        }""",
        (4, 6, 5),
    )


@pytest.mark.parametrize("project", ["conv(2, 1)", "conv(2, 1) -> batchnorm", "sub = conv(2, 1) -> batchnorm"])
def test_a_skip_that_nobody_reads(project: str) -> None:
    check(
        f"""block other {{ batchnorm }}
        network Net(w=4) {{ input image: [w, H, W]
            gate {{ conv(2, 1); add {{ other }} }} project {project}
            image -> conv(2, 1)
        }}""",
        (4, 6, 5),
    )


def test_a_case_of_what_nobody_reads() -> None:
    check(
        """block b(n) { body = conv(n, 1); concat(body, in); if n > 4 { relu }; body -> batchnorm }
        network Net(n=4) { input image: [4, H, W]; b(n); b(6); b(2) }""",
        (4, 6, 5),
    )


def test_a_sum_that_a_skip_projects_or_passes_on() -> None:
    check(
        """network Net(w=4) { input image: [w, H, W]
            a, b = split(2)
            add(a, b)
            residual { add(image) } project conv(4, 1)
        }""",
        (4, 6, 5),
    )


def test_a_projection_of_several_layers_in_some_uses() -> None:
    """One class for both, with the projection behind a flag."""
    text = """block unit(width, stride=1) {
            residual { conv(width, 3, stride=stride, padding=1) -> batchnorm -> relu }
            project conv(width, 1, stride=stride) -> batchnorm -> conv(width, 1) -> batchnorm
        }
        network Net { input x: [4, H, W]; unit(4); unit(8, stride=2); unit(8) }"""
    check(text, (4, 6, 5))
    assert "class Unit2" not in Compilation.from_text(text).compile()


def test_what_is_projected_runs_before_a_body_that_starts_elsewhere() -> None:
    """The projection is one submodule, which other widths do without."""
    check(
        """network Net(width=5) { input x: [4, H, W]
            conv(4, 1)
            residual { x -> conv(width, 1) } project side = conv(width, 1)
        }""",
        (4, 6, 5),
    )


def test_sums_keep_their_association() -> None:
    text = "network Net { input x: [3, H, W]; y = conv(3, 1); z = conv(3, 1); a = add(x, y); b = add(a, x); add(z, b) }"
    assert "self.z(y) + (x + y + x)" in Compilation.from_text(text).compile()
    text = "network Net { input x: [3, H, W]; add { gate { sigmoid }; gate { residual { tanh } } } }"
    assert "return x * y + x * (z + x)\n" in Compilation.from_text(text).compile()


def test_what_nobody_uses_of_a_parallel_runs() -> None:
    check(
        """network Net { input x: [4, H, W]
            a, b, c = parallel { relu; conv(4, 1) -> batchnorm; batchnorm }
            add(a, b)
        }""",
        (4, 6, 5),
    )


def test_what_nobody_uses_runs_in_its_turn() -> None:
    check(
        """network Net { input x: [4, H, W]
            conv(4, 1) -> batchnorm
            residual { x -> conv(4, 3, padding=1) -> batchnorm }
            output y = x -> conv(2, 1)
        }""",
        (4, 6, 5),
    )


def test_a_join_in_a_parallel_that_is_the_result() -> None:
    """A parallel reads nothing itself: its branch is not done without because nobody uses the parallel as a whole."""
    check(
        """block mix { conv(4, 1); a, b = parallel { { c, d = split(2); d }; { e, f = split(2); add(f) } }; b }
        network Net { input x: [4, H, W]; mix }""",
        (4, 6, 5),
    )


def test_a_sequence_with_a_block_whose_inside_is_asked_for_elsewhere() -> None:
    check(
        """block enc { conv(4, 3, padding=1); left, right = chunk(2); mul(right) }
        network Net { input x: [4, H, W]; net = { enc; relu }; conv(4, 1); again = enc; again.right -> conv(1, 1) }""",
        (4, 6, 5),
    )


def test_a_view_that_is_asked_for_from_outside_is_not_overwritten() -> None:
    """Autograd refuses to change one of several views in place."""
    _, module = compiled(
        """block enc { conv(4, 3, padding=1); left, right = chunk(2); mul(right) }
        network Net { input x: [4, H, W]; again = enc; again.right -> relu }"""
    )
    module.train()(torch.randn(2, 4, 6, 5, dtype=torch.float64)).sum().backward()
