"""Specs as tests: what pytest makes of .arch files."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import archdsl.compiler
from archdsl.compiler import Compilation
from archdsl.diagnostics.render import render

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
NETS = """\
network Good {
  input x: [3, H, W]
  conv(8, 3)
  expect params == 224
  expect params  ==  224
  expect macs at 3x3 == 1
}

network Bad {
  input x: [3, H, W]
  convv(8, 3)
  expect params == 224
  expect buffers == 0
}
"""
NAMES = [
    "nets.arch::Good::shapes",
    "nets.arch::Good::expect params == 224",
    "nets.arch::Good::expect params == 224 (2)",
    "nets.arch::Good::expect macs at 3x3 == 1",
    "nets.arch::Bad::shapes",
    "nets.arch::Bad::expect params == 224",
    "nets.arch::Bad::expect buffers == 0",
]
UNCHECKED = "not checked: the shapes of `Bad` have errors"


@pytest.fixture(autouse=True)
def without_hypothesis(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its plugin, which takes longer to load in each of the inner runs than all the rest."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest")


@pytest.fixture
def nets(pytester: pytest.Pytester) -> Path:
    """A folder with one spec, `nets.arch`, which has faults."""
    path = pytester.path / "nets.arch"
    path.write_text(NETS, encoding="utf-8")
    return path


def rendered(color: bool = False) -> list[str]:
    """What the command line says of `nets.arch`, in the current folder: of the claim and of the layer."""
    return [render(each, color=color) for each in Compilation.from_path("nets.arch").diagnostics]


def test_a_test_for_each_network_and_for_each_claim(pytester: pytest.Pytester, nets: Path) -> None:
    done = pytester.runpytest("--collect-only", "-q")
    assert done.ret == 0
    assert done.outlines[: len(NAMES)] == NAMES
    done = pytester.runpytest("-v")
    done.assert_outcomes(passed=3, failed=4)
    done.stdout.fnmatch_lines([f"{NAMES[1]} PASSED*", f"{NAMES[3]} FAILED*", f"{NAMES[4]} FAILED*"])


def test_each_names_its_line(pytester: pytest.Pytester, nets: Path) -> None:
    items, _ = pytester.inline_genitems()
    places = [item.reportinfo() for item in items]
    assert {path for path, _, _ in places} == {nets}
    assert [line for _, line, _ in places] == [0, 3, 4, 5, 8, 11, 12], "from 0"


def test_a_failure_is_what_the_command_line_says(pytester: pytest.Pytester, nets: Path) -> None:
    told = pytester.runpytest().stdout.str()
    claim, layer = rendered()
    sections = dict(re.findall(r"^_+ (\S.*\S) _+\n((?:(?![_=]{9}).*\n)+)", told, re.MULTILINE))
    assert sections == {
        "Good::expect macs at 3x3 == 1": f"{claim}\n",
        "Bad::shapes": f"{layer}\n",
        "Bad::expect params == 224": f"{UNCHECKED}\n",
        "Bad::expect buffers == 0": f"{UNCHECKED}\n",
    }
    assert f"FAILED {NAMES[4]} - error[E0102]: no layer or block is" in told, "the summary has its first line"


def test_colour_is_pytests_own(pytester: pytest.Pytester, nets: Path) -> None:
    done = pytester.runpytest("--color=yes")
    assert all(text in done.stdout.str() for text in rendered(color=True))


def test_across_processes_and_in_a_file(pytester: pytest.Pytester, nets: Path) -> None:
    """In colour for the terminal, and plain in the file. One worker of xdist is as far away as several."""
    done = pytester.runpytest("-n", "1", "--junitxml=out.xml", "--color=yes")
    done.assert_outcomes(passed=3, failed=4)
    assert all(text in done.stdout.str() for text in rendered(color=True))
    cases = {
        f"{case.attrib['classname']}::{case.attrib['name']}": case
        for case in ElementTree.parse(pytester.path / "out.xml").iter("testcase")
    }
    assert cases.keys() == {name.replace("::", ".", 1) for name in NAMES}
    failure = cases["nets.arch.Bad::shapes"].find("failure")
    assert failure is not None
    assert failure.text == rendered()[1]
    assert failure.attrib["message"] == rendered()[1].splitlines()[0]


@pytest.mark.parametrize(
    ("args", "passed", "failed"),
    [
        (("-k", "Good and expect"), 2, 1),
        (("-k", "shapes"), 1, 1),
        (("-k", "Bad and buffers"), 0, 1),
        (("nets.arch::Good",), 3, 1),
        (("nets.arch::Good::expect params == 224 (2)",), 1, 0),
        (("-p", "no:archdsl"), 0, 0),
    ],
)
def test_some_of_them(pytester: pytest.Pytester, nets: Path, args: tuple[str, ...], passed: int, failed: int) -> None:
    """A claim that cannot be checked fails also where it alone was asked for."""
    done = pytester.runpytest("-q", *args)
    outcomes = done.parseoutcomes()
    assert (outcomes.get("passed", 0), outcomes.get("failed", 0)) == (passed, failed)


def test_a_file_that_cannot_be_read_is_one_test(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("open.arch").write_text(
        "network N {\n  input x: [3]\n\nnetwork M { input x: [3]; linear(1) }\n"
    )
    pytester.path.joinpath("latin.arch").write_bytes(b"\xe9")
    pytester.path.joinpath("lost.arch").write_text('from "nothere.arch" import b\nnetwork N { input x: [3]; b }\n')
    done = pytester.runpytest("-v")
    done.assert_outcomes(failed=3)
    done.stdout.fnmatch_lines(["open.arch::loads FAILED*"])
    for name in ("open", "latin", "lost"):
        for each in Compilation.from_path(f"{name}.arch").diagnostics:
            assert render(each) in done.stdout.str()


def test_a_file_without_networks_is_one_test(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("blocks.arch").write_text("block b { relu }")
    pytester.path.joinpath(".hidden.arch").write_text("network")
    pytester.runpytest("-v").stdout.fnmatch_lines(["blocks.arch::loads PASSED*", "*1 passed*"])
    pytester.runpytest(".hidden.arch").assert_outcomes(failed=1)


def test_a_file_is_read_once_and_a_network_checked_once(
    pytester: pytest.Pytester, nets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def counted(name: str) -> None:
        real = getattr(archdsl.compiler, name)
        monkeypatch.setattr(archdsl.compiler, name, lambda *args, **named: done.append(name) or real(*args, **named))

    for name in ("Library", "attempt", "check_claims"):
        counted(name)
    pytester.runpytest().assert_outcomes(passed=3, failed=4)
    assert sorted(done) == ["Library", "attempt", "attempt", "check_claims"]


def test_a_fault_of_the_checker_has_its_traceback(
    pytester: pytest.Pytester, nets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archdsl.compiler, "check_claims", lambda *_: 1 / 0)
    pytester.runpytest("-k", "macs").stdout.fnmatch_lines(["E*ZeroDivisionError*"])


def test_it_costs_nothing_where_there_is_no_spec(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_start():
            assert {name for name in sys.modules if name.startswith("archdsl")} == {"archdsl", "archdsl.pytest_plugin"}
            assert "lark" not in sys.modules
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_our_own_specs_are_tests() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert "specs" in settings["testpaths"]
