"""What holds for every command: help, versions, wrong requests, pipes, interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import BAD, ROOT, SPECS, Run, environment

import archdsl
from archdsl.cli import main
from archdsl.cli.app import COMMANDS

WITHOUT_SPECS = ("new", "layers", "explain", "completion")
READERS = [command for command in COMMANDS if command not in WITHOUT_SPECS]  # what holds of paths holds of these
LIBRARIES = ("vgg_blocks.arch", "resnet.arch")
OPTIONS = {  # without which a command does nothing
    "convert": ("--fully-convolutional",),
    "render": ("-o", "-"),
    "report": ("-o", "-"),
}


def asked(command: str, path: str) -> tuple[str, ...]:
    """A command line about a path. `diff` compares it with itself, and standard input with `small.arch`."""
    first = () if command != "diff" else ("small.arch",) if path == "-" else (path,)
    return (command, *OPTIONS.get(command, ()), *first, path)


def test_version(run: Run) -> None:
    assert run("--version").out == f"archdsl {archdsl.__version__}\n"


def test_the_installed_script_is_the_same_command() -> None:
    script = Path(sys.executable).with_name("archdsl")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"archdsl {archdsl.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_examples_that_run(
    run: Run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = run(command, "--help")
    assert told.code == 0
    assert "Examples:" in told.out
    examples = [line.split("  ")[0] for line in map(str.strip, told.out.splitlines()) if line.startswith("archdsl ")]
    assert len(examples) >= 3
    (tmp_path / "specs").mkdir()
    for path in SPECS.glob("*.arch"):  # those of the examples, and what they may import: all would take long
        if f"/{path.name}" in told.out or path.name in LIBRARIES:
            (tmp_path / "specs" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "a.arch").write_text((SPECS / "vgg16.arch").read_text())
    (tmp_path / "b.arch").write_text((SPECS / "resnet.arch").read_text())
    (tmp_path / "vgg_blocks.arch").write_text((SPECS / "vgg_blocks.arch").read_text())
    monkeypatch.chdir(tmp_path)
    for example in examples:  # in this process: sixty others would take a minute
        assert main(example.split()[1:]) == 0, (example, capfd.readouterr())


def test_help_of_the_program_lists_the_commands(run: Run) -> None:
    told = run("--help")
    assert told.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in told.out
    assert run("-h") == told


def test_nothing_asked_shows_help_as_bad_usage(run: Run) -> None:
    done = run()
    assert (done.code, done.out) == (2, "")
    assert "Commands:" in done.err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("chekc", "no command is called `chekc`; did you mean `check`?"),
        ("sumary", "no command is called `sumary`; did you mean `summary`?"),
        ("draw3d", "no command is called `draw3d`; there are " + ", ".join(COMMANDS)),
        ("\x1b[31m", "no command is called `\\x1b[31m`; there are " + ", ".join(COMMANDS)),
    ],
)
def test_unknown_command(run: Run, name: str, says: str) -> None:
    done = run(name, "x.arch")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"error: {says}\n")


def test_unknown_option(run: Run) -> None:
    done = run("check", "--jsno", "x.arch")
    assert done.code == 2
    assert "Did you mean '--json'?" in done.err
    assert "Try 'archdsl check --help' for help." in done.err


@pytest.mark.parametrize("command", READERS)
def test_wrong_paths(run: Run, spec: Callable[..., Path], tmp_path: Path, command: str) -> None:
    spec()
    (tmp_path / "empty").mkdir()
    assert run(command).code == 2
    missing = run(*asked(command, "nothere.arch"))
    assert (missing.code, missing.out, missing.err) == (2, "", "error: there is no file or folder `nothere.arch`\n")
    assert (
        run(*asked(command, "small")).err == "error: there is no file or folder `small`; did you mean `small.arch`?\n"
    )
    empty = run(*asked(command, "empty"))
    assert (empty.code, empty.err) == (2, "error: there is no .arch file in the folder `empty`\n")


@pytest.mark.parametrize("command", READERS)
def test_text_that_is_not_utf8(run: Run, spec: Callable[..., Path], tmp_path: Path, command: str) -> None:
    spec()
    (tmp_path / "latin.arch").write_bytes(b"# caf\xe9\nnetwork N { input x: [3]; linear(1) }")
    done = run(*asked(command, "latin.arch"))
    assert done.code == 1
    assert "`latin.arch` cannot be read: it is not UTF-8 text (byte 6)" in done.out + done.err
    piped = run(*asked(command, "-"), stdin=b"\xff\xfe")
    assert piped.code == 1
    assert "standard input is not UTF-8 text (byte 1)" in piped.out + piped.err


@pytest.mark.parametrize("command", ["summary", "compile"])
def test_a_file_without_networks_has_nothing_to_show(run: Run, spec: Callable[..., Path], command: str) -> None:
    spec("", "empty.arch")
    done = run(command, "empty.arch")
    assert (done.code, done.out, done.err) == (2, "", "error: the file defines no network\n")
    spec("block b { relu }", "only/blocks.arch")
    assert run(command, "only").code == 2 if command == "summary" else run(command, "only", "-o", "x").code == 2


@pytest.mark.parametrize("command", ["summary", "compile"])
def test_errors_of_a_spec_go_to_standard_error(run: Run, spec: Callable[..., Path], command: str) -> None:
    spec(BAD, "bad.arch")
    done = run(command, "bad.arch")
    assert (done.code, done.out) == (1, "")
    assert "error[E0102]: no layer or block is called `convv`" in done.err
    assert "--> bad.arch:3:3" in done.err


@pytest.mark.parametrize("command", ["summary", "compile"])
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--set", "classes"], "a setting is NAME=VALUE, not `classes`"),
        (["--set", "classes=1", "--set", "classes=1"], "`classes` is set twice"),
        (["--set", "clases=1"], "`Small` has no parameter `clases`; did you mean `classes`? (parameters: "),
        (["--set", "classes=ten"], "a setting's value is a number, true, false, none, a string, a size or a list, not"),
        (["--set", "classes=1) { } block x(y=2"], "`1) { } block x(y=2` in `classes=1) { } block x(y=2` is no value"),
        (["--network", "Smal"], "no network is called `Smal`; did you mean `Small`? (networks: Small)"),
    ],
)  # fmt: skip
def test_wrong_settings(run: Run, spec: Callable[..., Path], command: str, args: list[str], says: str) -> None:
    spec()
    done = run(command, "small.arch", *args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {says}")


@pytest.mark.parametrize("value", ["9" * 5000, "1e999", "-" * 5000 + "1", "[" * 5000 + "]" * 5000, "0" * 100 + "x9"])
@pytest.mark.parametrize("command", ["summary", "compile"])
def test_huge_settings_are_answered(run: Run, spec: Callable[..., Path], command: str, value: str) -> None:
    spec()
    started = time.monotonic()
    done = run(command, "small.arch", "--set", f"classes={value}")
    assert done.code in (0, 1, 2)
    assert bool(done.err) == (done.code != 0)
    assert time.monotonic() - started < 5


def test_a_reader_that_leaves_is_no_failure() -> None:
    """`archdsl summary specs | head -1`, for output that is longer than a pipe holds."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "archdsl", "summary", "specs", "--depth", "9"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141


def test_ctrl_c_ends_quietly(tmp_path: Path) -> None:
    """While it waits for standard input, so that the moment is certain. A test run in the background of a shell ignores
    the signal, and so would what it starts."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "archdsl", "check", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        _wait_until_reading(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 130


def _wait_until_reading(pid: int) -> None:
    """Until the process sleeps in a read of its standard input (a pipe), or for 20 s."""
    for _ in range(400):
        time.sleep(0.05)
        if "pipe" in Path(f"/proc/{pid}/wchan").read_text() or _reads_stdin(pid):
            return
    pytest.fail("it never came to read its input")


def _reads_stdin(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 ")
    except PermissionError:
        return False


@pytest.mark.parametrize("command", READERS)
def test_a_full_disk_is_said(command: str, spec: Callable[..., Path], tmp_path: Path) -> None:
    spec()
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "archdsl", *asked(command, "small.arch")],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment(), check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("command", READERS)
def test_a_closed_standard_output_is_no_traceback(command: str, spec: Callable[..., Path], tmp_path: Path) -> None:
    spec()
    line = f"exec '{sys.executable}' -P -m archdsl {' '.join(asked(command, 'small.arch'))} >&-"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("command", READERS)
def test_a_terminal_that_only_knows_ascii(run: Run, spec: Callable[..., Path], command: str) -> None:
    spec('network N { """Größe × ∞"""; input x: [3, 4, 4]; flatten; linear(4) }', "größe.arch")
    done = run(*asked(command, "größe.arch"), PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.code == 0


def test_a_file_name_that_is_not_text(run: Run, tmp_path: Path) -> None:
    name = os.fsdecode(b"n\xff.arch")
    (tmp_path / name).write_text("network N { input x: [3]; linear(4) }")
    assert run("check", name, "--json").code == 0
    assert run("summary", name).code == 0
    compiled = run("compile", name)
    assert compiled.code == 0
    compile(compiled.out, "n.py", "exec")
