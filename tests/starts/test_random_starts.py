"""Every parameter of a live module starts as the manual says, in random networks that tell each constant apart.

python -m pytest tests/starts --thorough --seed 1
"""

from __future__ import annotations

import pytest
from live import module
from start_programs import program

PARTS, PROGRAMS, THOROUGH = 4, 40, 1500  # programs of each part


@pytest.mark.parametrize("part", range(PARTS))
def test_each_parameter_starts_as_the_manual_says(part: int, request: pytest.FixtureRequest) -> None:
    count = THOROUGH if request.config.getoption("--thorough") else PROGRAMS
    first = (int(request.config.getoption("--seed")) * PARTS + part) * count
    filled = 0
    for seed in range(first, first + count):
        made = program(seed)
        found: dict[str, int | None] = {}
        for name, parameter in module(made.text).named_parameters():
            low, high = parameter.min().item(), parameter.max().item()
            found[name] = int(low) if low == high >= 2 else None
        assert found == made.expected, f"seed {seed}\n{made.text}"
        filled += sum(value is not None for value in found.values())
    assert filled > count  # each has one parameter or more with a rule, on average
