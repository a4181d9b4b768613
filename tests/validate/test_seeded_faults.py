"""Faults seeded into the emitter and the initialisation: the validator catches every one."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from seeded import FAULTS, Fault


@cache
def outcomes(*options: str) -> dict[str, str]:
    """What each fault leads to, in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("seeded.py")), *options]
    found: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.what for fault in FAULTS])
def test_a_fault_is_caught(fault: Fault) -> None:
    assert outcomes()[fault.what] != "code"


def test_each_fault_makes_wrong_code(request: pytest.FixtureRequest) -> None:
    """What is caught is the fault: without the validator all of them, here a few, are handed out as code."""
    options = [] if request.config.getoption("--thorough") else ["--few"]
    assert set(outcomes("--without", *options).values()) == {"code"}
