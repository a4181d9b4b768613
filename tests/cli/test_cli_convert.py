"""`archdsl convert`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from processes import BAD, GOOD, ROOT, Run

from archdsl.compiler import Compilation
from archdsl.convert import fully_convolutional

Spec = Callable[..., Path]


def test_to_standard_output_and_to_a_file(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    expected = fully_convolutional(Compilation.from_text(GOOD))
    done = run("convert", "--fully-convolutional", "small.arch")
    assert (done.code, done.out, done.err) == (0, expected, "")
    assert "fc = conv(classes, 1)" in done.out
    assert run("convert", "--fully-convolutional", "small.arch", "-o", "form.arch").code == 0
    assert (tmp_path / "form.arch").read_text() == expected
    assert run("check", "form.arch").out.splitlines()[-1] == "1 file, 1 network: no errors"


def test_a_shipped_spec(run: Run) -> None:
    done = run("convert", "--fully-convolutional", "specs/vgg16.arch", "--network", "VGG16BN", cwd=ROOT)
    assert (done.code, done.err) == (0, "")
    assert "network VGG16BN" in done.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["small.arch"], "say what to convert to: --fully-convolutional"),
        (["--fully-convolutional", "nowhere.arch"], "there is no file or folder `nowhere.arch`"),
        (["--fully-convolutional", "small.arch", "-o", "net.py"], "give it a name that ends in .arch"),
        (["--fully-convolutional", "small.arch", "-o", "small.arch"], "`small.arch` exists; a spec is not overwritten"),
        (["--fully-convolutional", "small.arch", "--network", "Smal"], "did you mean `Small`?"),
        (["--fully-convolutional", "."], "one spec is converted at a time"),
    ],
)
def test_requests_that_cannot_be_met(run: Run, spec: Spec, args: list[str], message: str) -> None:
    spec()
    spec(name="other.arch")
    done = run("convert", *args)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_spec_with_errors(run: Run, spec: Spec) -> None:
    spec(BAD, "bad.arch")
    done = run("convert", "--fully-convolutional", "bad.arch")
    assert (done.code, done.out) == (1, "")
    assert "error[E0102]" in done.err
