"""`archdsl report` as a process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from processes import BAD, GOOD, SPECS, Run


def data(text: str) -> dict[str, Any]:
    """What a page knows."""
    found: dict[str, Any] = json.loads(text.split('id="data">')[1].split("</script>")[0])
    return found


def test_it_writes_one_page(run: Run, tmp_path: Path) -> None:
    (tmp_path / "small.arch").write_text(GOOD)
    done = run("report", "small.arch", "-o", "small.html")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} == {"small.arch", "small.html"}
    page = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert data(page)["path"] == "small.arch"
    assert run("report", "small.arch", "-o", "-").out == page


def test_options_reach_the_page(run: Run) -> None:
    path = str(SPECS / "unet.arch")
    shown = data(run("report", path, "-o", "-", "--network", "UNetPadded", "--input", "3x256x320").out)
    assert (shown["name"], shown["inputs"]) == ("UNetPadded", [["image", "3×256×320"]])
    set_ = data(run("report", str(SPECS / "resnet18.arch"), "-o", "-", "--set", "classes=10").out)
    assert set_["layers"][-1]["what"] == "linear(10)"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("small.arch", "-o", "x.pdf"), "`x.pdf` is to be a page; give it a name that ends in .html"),
        ((".", "-o", "x.html"), "a report is of one spec, and `.` holds several"),
        (("small.arch", "-o", "x.html", "--network", "Smal"), "did you mean `Small`?"),
        (("small.arch", "-o", "x.html", "--input", "4x64x64"), "does not fit `Small`"),
        (("small.arch", "-o", "nowhere/x.html"), "cannot write `nowhere/x.html`: No such file or directory"),
    ],
)
def test_requests_that_cannot_be_met(run: Run, tmp_path: Path, args: tuple[str, ...], says: str) -> None:
    for name in ("small.arch", "other.arch"):
        (tmp_path / name).write_text(GOOD)
    done = run("report", *args)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert not (tmp_path / "x.html").exists()


def test_a_spec_with_errors_has_no_report(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.arch").write_text(BAD)
    done = run("report", "bad.arch", "-o", "x.html")
    assert (done.code, done.out) == (1, "")
    assert "error[E0102]" in done.err
    assert not (tmp_path / "x.html").exists()
