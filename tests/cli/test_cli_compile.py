"""`archdsl compile`: what it writes, and where."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import BAD, GOOD, SPECS, Run, environment

from archdsl.compiler import Compilation

Spec = Callable[..., Path]
FEW = ("vgg_blocks", "vgg11", "resnet", "resnet18", "alexnet", "unet")  # of the shipped specs


def compiled(text: str = GOOD, name: str = "small.arch", **settings: int) -> str:
    return Compilation.from_text(text, name).compile(None, settings)


def test_to_standard_output(run: Run, spec: Spec) -> None:
    spec()
    for args in (["small.arch"], ["small.arch", "-o", "-"]):
        done = run("compile", *args)
        assert (done.code, done.err) == (0, "")
        assert done.out == compiled()


def test_to_a_file(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    done = run("compile", "small.arch", "-o", "net.py", "--set", "classes=7")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "net.py").read_text() == compiled(classes=7) != compiled()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.py", "small.arch"]


def test_standard_input(run: Run, tmp_path: Path) -> None:
    assert run("compile", "-", stdin=GOOD).out == compiled(name="<stdin>")
    assert run("compile", "-", "-o", "net.py", stdin=GOOD).code == 0
    assert (tmp_path / "net.py").read_text() == compiled(name="<stdin>")
    nameless = run("compile", "-", "-o", str(tmp_path), stdin=GOOD)
    assert nameless.code == 2
    assert nameless.err == "error: what comes from standard input has no name in a folder; give -o a file\n"


def test_the_network_of_a_file_with_several(run: Run, spec: Spec) -> None:
    spec(GOOD + GOOD.replace("Small", "Twin"))
    first = run("compile", "small.arch")
    assert first.err == "note: compiling `Small`, the first of 2 networks; --network picks Twin\n"
    assert "class Small(" in first.out
    assert "class Twin(" not in first.out
    twin = run("compile", "small.arch", "--network", "Twin")
    assert (twin.code, twin.err) == (0, "")
    assert "class Twin(" in twin.out


def test_a_folder_gives_one_file_for_each_spec(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec(GOOD, "in/a.arch")
    spec(GOOD, "in/deep/b.arch")
    spec("block b { relu }", "in/blocks.arch")
    assert run("compile", "in", "-o", "out/models").code == 2
    done = run("compile", "in", "-o", "out")
    assert (done.code, done.out, done.err) == (0, "", "")
    written = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.py"))
    assert written == ["a.py", "deep/b.py"]
    assert (tmp_path / "out" / "a.py").read_text() == compiled(name="a.arch")


def test_several_specs_need_a_folder(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec(GOOD, "a/x.arch")
    spec(GOOD, "b/x.arch")
    spec(GOOD, "c.arch")
    assert run("compile", "a/x.arch", "c.arch").err == "error: several specs need a folder to write to: -o DIR\n"
    assert run("compile", "a/x.arch", "c.arch", "-o", "out/").code == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["c.py", "x.py"]
    same = run("compile", "a/x.arch", "b/x.arch", "-o", "new")
    assert (same.code, same.err) == (2, "error: `a/x.arch` and `b/x.arch` would both be `new/x.py`\n")
    assert not (tmp_path / "new").exists()
    spec(GOOD, "file.txt")
    onto = run("compile", "a/x.arch", "c.arch", "-o", "file.txt")
    assert (onto.code, onto.err) == (2, "error: cannot make the folder `file.txt`: File exists\n")


def test_one_spec_into_a_folder_takes_its_name(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    (tmp_path / "out").mkdir()
    assert run("compile", "small.arch", "-o", "out").code == 0
    assert (tmp_path / "out" / "small.py").read_text() == compiled()


def test_nothing_is_written_if_one_spec_has_errors(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec(GOOD, "in/a.arch")
    spec(BAD, "in/z.arch")
    done = run("compile", "in", "-o", "out")
    assert done.code == 1
    assert "in/z.arch:3:3" in done.err
    assert not (tmp_path / "out").exists()
    (tmp_path / "net.py").write_text("old")
    assert run("compile", "in/z.arch", "-o", "net.py").code == 1
    assert (tmp_path / "net.py").read_text() == "old"


def test_a_spec_is_not_overwritten(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    (tmp_path / "link.py").symlink_to("small.arch")
    for target in ("small.arch", "./small.arch", "link.py"):
        done = run("compile", "small.arch", "-o", target)
        assert done.code == 2
        assert "is a spec; the compiled file needs another name, such as `" in done.err
    assert run("compile", "small.arch", "-o", "other.arch").code == 2
    assert (tmp_path / "small.arch").read_text() == GOOD


def test_a_file_keeps_its_mode_and_a_new_one_gets_the_usual(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    mask = os.umask(0o027)
    try:
        assert run("compile", "small.arch", "-o", "new.py").code == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new.py").stat().st_mode) == 0o640
    (tmp_path / "new.py").chmod(0o755)
    assert run("compile", "small.arch", "-o", "new.py").code == 0
    assert stat.S_IMODE((tmp_path / "new.py").stat().st_mode) == 0o755


def test_a_link_stays_a_link(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    (tmp_path / "real").mkdir()
    (tmp_path / "link.py").symlink_to("real/net.py")
    assert run("compile", "small.arch", "-o", "link.py").code == 0
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "real" / "net.py").read_text() == compiled()


def test_what_is_no_file_is_written_to(run: Run, spec: Spec) -> None:
    spec()
    assert run("compile", "small.arch", "-o", "/dev/null").code == 0
    assert run("compile", "small.arch", "-o", "/dev/stdout", own=True).out == compiled()
    full = run("compile", "small.arch", "-o", "/dev/full")
    assert (full.code, full.err) == (2, "error: cannot write `/dev/full`: No space left on device\n")


def test_where_nothing_can_be_written(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    (tmp_path / "loop.py").symlink_to("loop.py")
    for target, why in [
        ("no/net.py", "No such file or directory"),
        ("small.arch/net.py", "Not a directory"),
        ("n" * 300 + ".py", "File name too long"),
        ("loop.py", "Too many levels of symbolic links"),
    ]:
        done = run("compile", "small.arch", "-o", target)
        assert (done.code, done.err) == (2, f"error: cannot write `{target}`: {why}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop.py", "small.arch"]


def _as_any_user() -> None:
    """Takes from root the right to pass over the modes of files, so that the test holds for root too."""
    libc = ctypes.CDLL(None, use_errno=True)
    pr_capbset_drop, cap_dac_override, cap_dac_read_search = 24, 1, 2
    if os.geteuid() == 0:
        for capability in (cap_dac_override, cap_dac_read_search):
            if libc.prctl(pr_capbset_drop, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


@pytest.mark.parametrize("old", ["old", None])
def test_a_folder_that_is_read_only(spec: Spec, tmp_path: Path, old: str | None) -> None:
    spec()
    folder = tmp_path / "closed"
    folder.mkdir()
    if old is not None:
        (folder / "net.py").write_text(old)
    folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "archdsl", "compile", "small.arch", "-o", "closed/net.py"],
            capture_output=True, text=True, cwd=tmp_path, env=environment(), preexec_fn=_as_any_user, check=False,
        )  # fmt: skip
    finally:
        folder.chmod(0o755)
    assert (done.returncode, done.stderr) == (2, "error: cannot write `closed/net.py`: Permission denied\n")
    assert os.listdir(folder) == ([] if old is None else ["net.py"])
    if old is not None:
        assert (folder / "net.py").read_text() == old


def test_source_is_utf8_whatever_the_terminal(run: Run, spec: Spec) -> None:
    spec('network N { """Größe × ∞"""; input x: [3]; linear(4) }', "n.arch")
    done = run("compile", "n.arch", PYTHONIOENCODING="latin-1")
    assert "Größe × ∞" in done.out


def test_every_shipped_spec_compiles_to_python(run: Run, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A few, and libraries, of which there is no file; `tests/emit/test_golden.py` has the text of each network."""
    (tmp_path / "specs").mkdir()
    for path in SPECS.glob("*.arch"):
        if request.config.getoption("--thorough") or path.stem in FEW:
            (tmp_path / "specs" / path.name).write_bytes(path.read_bytes())
    done = run("compile", "specs", "-o", "made")
    assert (done.code, done.err) == (0, "")
    with_networks = [path for path in (tmp_path / "specs").iterdir() if Compilation.from_path(path).definitions]
    written = sorted((tmp_path / "made").glob("*.py"))
    assert len(written) >= 4
    assert [path.stem for path in written] == sorted(path.stem for path in with_networks)
    for path in written:
        compile(path.read_text(), path.name, "exec")
