"""`archdsl check --fix`."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import Result

from archdsl.cli import check_fix
from archdsl.cli.app import run
from archdsl.compiler import Compilation
from archdsl.diagnostics import Diagnostic, Fix

Check = Callable[..., Result]

BROKEN = """\
network N {
  input a: [3, H=32, W=32]
  self.conv1 = nn.Conv2d(3, 64, 3, padding=1)
  x = relu(a)
  x = maxpool(x, 2)
  global_avgpool -> flatten -> linear(64, 10)
}
"""
MENDED = """\
network N {
  input a: [3, H=32, W=32]
  conv1 = conv(64, 3, padding=1)
  x = a -> relu -> maxpool(2)
  global_avgpool -> flatten -> linear(10)
}
"""
# A warning, which has two ways out.
DOUBTFUL = "network N {\n  input a: [3, H=256, W=256]\n  conv(3, 64, 3)\n}\n"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """`check(*args)` is `archdsl check ARGS` in a new empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str, stdin: str = "") -> Result:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(["check", *args])
        return Result(code, *capsys.readouterr())

    return call


def test_what_has_one_way_out_is_mended_and_told(check: Check) -> None:
    Path("a.arch").write_text(BROKEN, encoding="utf-8")
    done = check("a.arch", "--fix")
    assert Path("a.arch").read_text(encoding="utf-8") == MENDED
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "a.arch:3: E0504 fixed: write `conv1 = …`\n"
        "a.arch:3: E0102 fixed: write `conv(64, 3, padding=1)`\n"
        "a.arch:4: E0201 fixed: write `a -> relu`\n"
        "a.arch:5: E0201 fixed: go on with the chain: `… -> maxpool(2)`\n"
        "a.arch:5: E0201 fixed: write `linear(10)`\n"
        "5 fixes made in 1 file\n\n"
        "a.arch: N accepts any H, W >= 2\n"
        "1 file, 1 network: no errors\n"
    )


def test_what_has_several_is_left(check: Check) -> None:
    Path("a.arch").write_text(DOUBTFUL, encoding="utf-8")
    before = os.stat("a.arch")
    done = check("a.arch", "--fix")
    assert done.code == 0 and done.out.startswith("0 fixes made in 0 files\n\nwarning[W0201]: ")
    assert os.stat("a.arch").st_mtime_ns == before.st_mtime_ns


def test_what_is_left_is_told_and_counts(check: Check) -> None:
    Path("a.arch").write_text(BROKEN.replace("relu(a)", "nothing(a)"), encoding="utf-8")
    done = check("a.arch", "--fix")
    assert done.code == 1 and "error[E0102]: no layer or block is called `nothing`" in done.out
    assert done.out.startswith("a.arch:3: E0504 fixed")


def test_one_edit_of_two_findings_is_made_once(check: Check) -> None:
    Path("a.arch").write_text("network N { input a: [3, H, W]; conv(out_channels=8, kernel_size=3) }\n")
    assert len(Compilation.from_path("a.arch").diagnostics) == 2
    assert check("a.arch", "--fix").out.splitlines()[1] == "1 fix made in 1 file"
    assert Path("a.arch").read_text() == "network N { input a: [3, H, W]; conv(8, 3) }\n"


def test_a_folder_and_files_without_findings(check: Check) -> None:
    for name, text in (("a.arch", MENDED), ("b.arch", BROKEN)):
        Path("specs").mkdir(exist_ok=True)
        Path("specs", name).write_text(text, encoding="utf-8")
    before = os.stat("specs/a.arch")
    assert "5 fixes made in 1 file\n" in check("specs", "--fix").out
    assert Path("specs/b.arch").read_text(encoding="utf-8") == MENDED
    assert os.stat("specs/a.arch").st_ino == before.st_ino


def test_a_file_that_was_not_named_is_left(check: Check) -> None:
    block = "block b(w) {\n  nn.Conv2d(3, w, 3)\n}\n"
    Path("b.arch").write_text(block)
    Path("a.arch").write_text('from "b.arch" import b\nnetwork N { input a: [3, H, W]; b(8) }\n')
    done = check("a.arch", "--fix")
    assert done.code == 1 and done.out.startswith("0 fixes made in 0 files\n")
    assert Path("b.arch").read_text() == block


# --- bytes ---


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_stay(check: Check, end: str, mark: bytes) -> None:
    Path("a.arch").write_bytes(mark + BROKEN.replace("\n", end).encode())
    check("a.arch", "--fix")
    assert Path("a.arch").read_bytes() == mark + MENDED.replace("\n", end).encode()


def test_line_ends_that_differ_stay_where_lines_do() -> None:
    before, after = b"a\r\nb\nc\r\nd\ne", "a\nB\nc\nnew\nd\ne"
    assert check_fix.encoded(before, after) == b"a\r\nB\nc\r\nnew\r\nd\ne"
    assert check_fix.encoded(before, "a\nB\nC\nnew\nd\nE") == b"a\r\nB\nC\r\nnew\r\nd\nE"
    assert check_fix.encoded(before, "a\nb\nc\nd\ne\nf\n") == b"a\r\nb\nc\r\nd\ne\nf\n"
    assert check_fix.encoded(b"", "a\n") == b"a\n"
    assert check_fix.encoded(before, "a\nb\nc\nd\ne") == before


def test_the_mode_stays_and_a_link_is_followed(check: Check) -> None:
    Path("real.arch").write_text(BROKEN, encoding="utf-8")
    Path("real.arch").chmod(0o640)
    Path("link.arch").symlink_to("real.arch")
    check("link.arch", "--fix")
    assert Path("link.arch").is_symlink()
    assert Path("real.arch").read_text(encoding="utf-8") == MENDED
    assert stat.S_IMODE(Path("real.arch").stat().st_mode) == 0o640
    assert sorted(os.listdir()) == ["link.arch", "real.arch"]


def test_a_read_only_file_is_refused_and_no_other_is_changed(check: Check) -> None:
    for name in ("a.arch", "b.arch"):
        Path(name).write_text(BROKEN, encoding="utf-8")
    Path("b.arch").chmod(0o444)
    done = check("a.arch", "b.arch", "--fix")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: cannot fix `b.arch`: it is read-only; no file was changed\n"
    assert Path("a.arch").read_text(encoding="utf-8") == Path("b.arch").read_text(encoding="utf-8") == BROKEN


def test_a_file_that_changes_meanwhile_is_left(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.arch").write_text(BROKEN, encoding="utf-8")

    def slow(found: Diagnostic) -> Fix | None:
        Path("a.arch").write_text(DOUBTFUL, encoding="utf-8")
        return found.fixes[0]

    monkeypatch.setattr(check_fix, "only", slow)
    done = check("a.arch", "--fix")
    assert (done.code, done.err) == (
        2,
        "error: cannot fix `a.arch`: it has changed since it was checked; no file was changed\n",
    )
    assert Path("a.arch").read_text(encoding="utf-8") == DOUBTFUL


@pytest.mark.parametrize("text", ["nn.Foo; relu(1)", "conv(", "x ="])
def test_a_fix_that_brings_errors_is_not_made(check: Check, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    broken = "network N {\n  input a: [3, H, W]\n  a -> relu(1)\n  x = relu(a)\n}\n"
    Path("a.arch").write_text(broken, encoding="utf-8")

    def worse(found: Diagnostic) -> Fix | None:
        (edit,) = found.fixes[0].edits
        return Fix("", (type(edit)(edit.span, text),))

    monkeypatch.setattr(check_fix, "only", worse)
    assert check("a.arch", "--fix").out.startswith("0 fixes made in 0 files\n")
    assert Path("a.arch").read_text(encoding="utf-8") == broken


# --- asking ---


@pytest.mark.parametrize(
    ("answers", "call"),
    [
        ("1\n", "conv(64, 3)"),
        ("2\n", "conv(3, kernel=64, stride=3)"),
        ("what\n2\n", "conv(3, kernel=64, stride=3)"),
        ("n\n", "conv(3, 64, 3)"),
        ("q\n", "conv(3, 64, 3)"),
        ("", "conv(3, 64, 3)"),
    ],
)
def test_interactive_asks(check: Check, answers: str, call: str) -> None:
    Path("a.arch").write_text(DOUBTFUL, encoding="utf-8")
    done = check("a.arch", "--fix", "--interactive", stdin=answers)
    assert Path("a.arch").read_text(encoding="utf-8") == DOUBTFUL.replace("conv(3, 64, 3)", call)
    assert done.code == 0
    assert "  2: if such a window is meant, name it: `conv(3, kernel=64, stride=3)`\nmake 1 or 2, (n)one" in done.out


def test_interactive_shows_the_code_of_each_choice(check: Check) -> None:
    text = "network N {\n  input a: [8, H=8, W=8]\n  residual {\n    maxpool(2)\n  }\n}\n"
    Path("a.arch").write_text(text, encoding="utf-8")
    asked = check("a.arch", "--fix", "--interactive", stdin="2\n").out
    assert (
        "  1: change line 4, and `N` accepts any H, W >= 2:\n"
        "       maxpool(2)\n"
        "       pad(to=in)\n"
        "  2: change line 4, and `N` accepts any H, W >= 2:\n"
        "       maxpool(2)\n"
        "       upsample(to=in)\n"
        "make 1 or 2, (n)one" in asked
    )
    assert asked.count("upsample") == 1
    assert "upsample(to=in)" in Path("a.arch").read_text(encoding="utf-8")


def test_what_was_agreed_to_before_q_is_made(check: Check) -> None:
    Path("a.arch").write_text(BROKEN, encoding="utf-8")
    check("a.arch", "--fix", "--interactive", stdin="1\nn\n1\nq\n")
    wanted = BROKEN.replace("self.conv1", "conv1").replace("relu(a)", "a -> relu")
    assert Path("a.arch").read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["a.arch", "--interactive"], "--interactive goes with --fix"),
        (["-", "--fix"], "standard input cannot be fixed: name a file"),
        (["a.arch", "--fix", "--watch"], "--fix changes files once, --watch never: say one of them"),
        (["a.arch", "--fix", "--json"], "--fix tells people what it changes, not --format json, which has the fixes"),
        (["a.arch", "--fix", "--format", "sarif"], "--fix tells people what it changes, not --format sarif, which has"),
    ],
)
def test_what_makes_no_sense_is_refused(check: Check, args: list[str], why: str) -> None:
    Path("a.arch").write_text(BROKEN, encoding="utf-8")
    done = check(*args)
    assert (done.code, done.out) == (2, "") and done.err.startswith(f"error: {why}")
    assert Path("a.arch").read_text(encoding="utf-8") == BROKEN
