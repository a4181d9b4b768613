"""The sizes that the checker accepts are exactly those at which torch succeeds, and every shape is torch's.

Random programs (`programs.py`) run in torch, on the meta device, at each height from 1 to 256, and at a grid of widths.
The meta device itself is held against the CPU at a few sizes of each. `--thorough` runs thirty times as many:

    python -m pytest tests/differential --thorough -n 2 --seed 1
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, Phase, given, seed, settings
from programs import Program, Statement, programs
from programs import maxpool as pool

from archdsl.compiler import Compilation, accepted
from archdsl.layers import windows
from archdsl.layers.pool import maxpool
from archdsl.sizes import Domain, evaluate

PARTS, PROGRAMS, THOROUGH = 4, 15, 500  # programs of each part
SIZES = range(1, 257)
REFUSALS = {"E0301", "E0302", "E0303", "E0310", "E0311"}  # no size is accepted


@pytest.mark.parametrize("part", range(PARTS))
def test_accepted_sizes_and_shapes(
    part: int, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    thorough = request.config.getoption("--thorough")
    counts: Counter[str] = Counter()

    @seed(part + PARTS * int(request.config.getoption("--seed")))
    @settings(
        max_examples=THOROUGH if thorough else PROGRAMS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def run(program: Program) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on even kernels with `padding=same`
            counts.update(compared(program))

    run()
    record_property("compared", dict(counts))


def compared(program: Program) -> Counter[str]:
    """What was compared. Raises AssertionError where the checker and torch differ."""
    spec = Compilation.from_text(program.text)
    found = spec.diagnostics
    if not spec.ok:
        assert {each.code for each in found} <= REFUSALS, f"{program} {[each.message for each in found]}"
        for height, width in refused(program):
            assert program.run(height, width, "meta") is None, f"false reject at {height}x{width}: {program}"
        return Counter({"specs that no size fits": 1})
    network = spec.network()
    domain = accepted(network)
    shapes = [result.value.shape for result in network.scope.results]
    sizes = dict.fromkeys(asked(domain))
    for height, width in sizes:
        at = {"H": height, "W": width}
        there = program.run(height, width, "meta")
        if domain.contains(at):
            assert there is not None, f"false accept at {height}x{width}: {program}accepts {domain}"
            assert there == [tuple(evaluate(dim, at) for dim in shape) for shape in shapes], f"{at} {program}"
        else:
            assert there is None, f"false reject at {height}x{width}: {program}accepts {domain}"
    for height, width in list(sizes)[:: max(1, len(sizes) // 4)]:
        if height * width <= 4096:
            both = [program.run(height, width, device) for device in ("meta", "cpu")]
            assert both[0] == both[1], f"the devices differ at {height}x{width}: {program}"
    least = domain.smallest() or {}
    some = domain.smallest_rejected() is not None or set(least.values()) != {1}
    return Counter({f"specs that {'some sizes fit' if some else 'every size fits'}": 1, "sizes": len(sizes)})


def asked(domain: Domain) -> Iterator[tuple[int, int]]:
    """Every height with the least width that is accepted, a grid of widths, and squares; only squares if W is H."""
    least = domain.smallest()
    assert least is not None
    if "W" not in domain.values:
        yield from ((size, size) for size in SIZES)
        return
    yield from ((height, least["W"]) for height in SIZES)
    yield from ((least["H"], width) for width in SIZES[::15])
    yield from itertools.product(SIZES[3::36], SIZES[::36])


def refused(program: Program) -> Iterator[tuple[int, int]]:
    yield from ((size, size) for size in SIZES)
    if not program.square:
        yield from ((height, width) for height in SIZES for width in (16, 37))


def test_a_wrong_rule_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison fails if a pooling with `ceil` is counted without it."""
    right = windows.window

    def wrong(*arguments: Any, **options: Any) -> Any:
        return right(*arguments[:7], ceil=False)

    monkeypatch.setattr(maxpool, "window", wrong)
    with pytest.raises(AssertionError):
        compared(Program((Statement("v0", None, (pool(3, 2, ceil=True),)),), False))


@pytest.mark.parametrize(("height", "width"), [(2, 3), (3, 2)])
def test_the_cpu_refuses_a_map_with_nothing_in_it(height: int, width: int) -> None:
    """So `Step` does on both devices: the meta device lets it pass."""
    shapes = torch.zeros(1, 4, height, width), torch.zeros(4, 4, 1, 1)
    with pytest.raises(RuntimeError, match="too small"):
        F.conv_transpose2d(*shapes, padding=1)
    assert 0 in F.conv_transpose2d(*(shape.to("meta") for shape in shapes), padding=1).shape
