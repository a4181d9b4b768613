"""Tab completion: what is offered where, in real processes and by a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest
from processes import BAD, GOOD, Run, environment

from archdsl.cli import app, main
from archdsl.cli.shells import SHELLS, script, split

Spec = Callable[..., Path]
Ask = Callable[..., list[str]]
TWO = GOOD + 'network Other(depths=[2, 3], norm=true, name="a b") { input x: [3, H, W]; conv(8, 3) }\n'


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Ask:
    """`ask(line)` are the completions at the end of a line, as a shell's script gets them; nothing else is said."""
    monkeypatch.chdir(tmp_path)

    def answered(line: str, shell: str = "fish", rest: str = "") -> list[str]:
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_LINE", line + rest)
        monkeypatch.setenv("_ARCHDSL_COMPLETE", f"{shell}_complete")
        assert main([]) == 0
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        assert err == b""
        return out.decode().splitlines()

    return answered


def values(answers: list[str]) -> list[str]:
    return [line.partition(",")[2] for line in answers]


def test_commands(ask: Ask) -> None:
    assert values(ask("archdsl ")) == list(app.COMMANDS)
    assert ask("archdsl su") == ["plain,summary"]
    assert values(ask("archdsl --v")) == ["--version"]
    assert values(ask("/somewhere/bin/archdsl com")) == ["compile", "completion"]


def test_commands_are_completed_without_loading_them(tmp_path: Path) -> None:
    code = "import sys; from archdsl.cli import main; main([]); print(*sys.modules)"
    env = environment(COMP_WORDS="archdsl ", COMP_LINE="archdsl ", _ARCHDSL_COMPLETE="bash_complete")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "archdsl.cli.shells" in loaded
    assert loaded & {"archdsl.compiler", "lark", "pydantic", "archdsl.cli.check", "archdsl.cli.layers"} == set()


@pytest.mark.parametrize("command", app.COMMANDS)
def test_options_of_every_command(ask: Ask, command: str) -> None:
    loaded: click.Command = import_module(f"archdsl.cli.{command}").command
    options = [name for param in loaded.params if isinstance(param, click.Option) for name in param.opts]
    assert set(values(ask(f"archdsl {command} --"))) == {name for name in options if name.startswith("--")} | {"--help"}


UNLISTED = {"batch", "depth"}  # numbers


@pytest.mark.parametrize("command", app.COMMANDS)
def test_every_value_has_a_completer_or_a_choice(command: str) -> None:
    """One that is not in `UNLISTED`: a new argument has to say what it may be."""
    loaded: click.Command = import_module(f"archdsl.cli.{command}").command
    for param in loaded.params:
        flag = isinstance(param, click.Option) and param.is_flag
        known = isinstance(param.type, click.Choice) or param._custom_shell_complete is not None
        assert known or flag or param.name in UNLISTED, param.name


def test_choices(ask: Ask) -> None:
    assert values(ask("archdsl diff a b --format ")) == ["text", "markdown", "json"]
    assert values(ask("archdsl render x --theme=d")) == ["--theme=dark"]
    assert values(ask("archdsl completion ")) == list(SHELLS)


def test_layers(ask: Ask) -> None:
    assert values(ask("archdsl layers co")) == ["constant", "conv"]
    assert values(ask("archdsl layers conv co")) == ["constant"]
    assert values(ask("archdsl layers --family re")) == ["regularise", "resample", "reshape"]


def test_codes_and_shipped_specs(ask: Ask) -> None:
    assert values(ask("archdsl explain e031")) == ["E0310", "E0311", "E0312", "E0313"]
    assert values(ask("archdsl new mine --like resnet5")) == ["resnet50"]


def test_specs_and_folders(ask: Ask, spec: Spec) -> None:
    for name in ("a b.arch", "b.arch", "folder/c.arch", ".hidden.arch"):
        spec(GOOD, name)
    spec("", "b.txt")
    spec("", "new\nline.arch")
    assert ask("archdsl check ") == ["file,a b.arch", "file,b.arch", "file,folder/"]
    assert ask("archdsl check b.arch ") == ask("archdsl check ")
    assert values(ask("archdsl check 'a ")) == ["a b.arch"]
    assert values(ask("archdsl check a\\ ")) == ["a b.arch"]
    assert values(ask("archdsl render fol")) == ["folder/"]
    assert values(ask("archdsl diff b.arch folder/")) == ["folder/c.arch"]
    assert values(ask("archdsl check .h")) == [".hidden.arch"]
    assert values(ask("archdsl compile b.arch -o b")) == ["b.arch", "b.txt"]
    assert values(ask("archdsl compile b.arch --output=b.t")) == ["--output=b.txt"]
    assert ask("archdsl check nowhere/") == []


def test_networks_of_the_specs_on_the_line(ask: Ask, spec: Spec) -> None:
    spec(TWO)
    assert ask("archdsl summary small.arch --network ") == ["plain,Small", "plain,Other"]
    assert values(ask("archdsl summary small.arch --network O")) == ["Other"]
    assert values(ask("archdsl summary small.arch --network=S")) == ["--network=Small"]
    assert values(ask("archdsl summary --network ", rest=" small.arch")) == ["Small", "Other"]
    assert values(ask("archdsl diff small.arch:")) == ["small.arch:Small", "small.arch:Other"]
    assert ask("archdsl summary --network ") == ask("archdsl summary nowhere.arch --network ") == []
    assert ask("archdsl diff nowhere.arch:") == []


def test_parameters_of_the_network(ask: Ask, spec: Spec) -> None:
    spec(TWO)
    assert values(ask("archdsl compile small.arch --set ")) == ["classes=", "width=", "depths=", "norm=", "name="]
    assert values(ask("archdsl compile small.arch --network Other --set ")) == ["depths=", "norm=", "name="]
    assert values(ask("archdsl compile small.arch --network=Small --set w")) == ["width="]
    assert values(ask("archdsl compile small.arch --set classes=2 --set ")) == ["width=", "depths=", "norm=", "name="]
    assert values(ask("archdsl compile small.arch --set classes=")) == ["classes=10"]
    assert values(ask("archdsl compile small.arch --set=classes=")) == ["--set=classes=10"]
    assert values(ask("archdsl diff small.arch:Other small.arch:Small --set norm=")) == ["norm=true"]
    assert ask("archdsl compile small.arch --set name=") == []  # it would need quotes, in each shell others


def test_inputs_and_modules_of_the_network(ask: Ask, spec: Spec) -> None:
    spec(
        "network Two { input left: [3, H, W]; input right: [3, H, W]; enc = { deep = { conv(8, 3) } }\n"
        "  join = { conv(8, 3) } }\n"
    )
    assert values(ask("archdsl summary small.arch --input ")) == ["left=", "right="]
    assert values(ask("archdsl render small.arch -o x.svg --open ")) == ["enc", "join"]
    assert values(ask("archdsl render small.arch -o x.svg --open enc.")) == ["enc.deep"]
    assert ask("archdsl render small.arch -o x.svg --open nothing.") == []
    spec(BAD, "broken.arch")
    assert ask("archdsl render broken.arch --open ") == []


BROKEN = {
    "an unknown layer": (BAD, ["Bad"]),
    "a network after an error": (
        "network A { input x: [3, H, W]; conv( }\nnetwork B(k=1) { input x: [3] }\n",
        ["A", "B"],
    ),
    "an import of nothing": ('from "gone.arch" import x\nnetwork C { input x: [3] }\n', ["C"]),
    "no text": ("", []),
    "not a spec": ("\x00\x1b[31m ((((", []),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_spec_offers_what_can_be_read(ask: Ask, spec: Spec, fault: str) -> None:
    text, names = BROKEN[fault]
    spec(text, "broken.arch")
    assert values(ask("archdsl summary broken.arch --network ")) == names
    assert isinstance(ask("archdsl compile broken.arch --set "), list)


def test_what_is_no_spec_is_left_alone(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "latin.arch").write_bytes(b"# caf\xe9\nnetwork N { input x: [3] }")
    (tmp_path / "huge.arch").write_bytes(b"network N { input x: [3] }" + b" " * 2_000_000)
    (tmp_path / "folder.arch").mkdir()
    for name in ("latin.arch", "huge.arch", "folder.arch", "-"):
        assert ask(f"archdsl summary {name} --network ") == []


LINES = [
    *(
        "",
        "archdsl nonsense ",
        "archdsl nonsense --",
        "archdsl check 'unclosed ",
        "archdsl check --json=",
        "archdsl -- ",
    ),
    *("archdsl summary --depth ", "archdsl render x --depth=x --", "archdsl check \\", "archdsl compile $("),
    *("archdsl diff ::", "archdsl -- "),
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_is_said_of_lines_that_make_no_sense(ask: Ask, line: str, shell: str) -> None:
    assert all("," in answer for answer in ask(line, shell))


def test_an_instruction_that_is_none(run: Run) -> None:
    for instruction in ("", "bash", "tcsh_complete", "bash_source_complete"):
        done = run("check", _ARCHDSL_COMPLETE=instruction, COMP_WORDS="archdsl ")
        assert (done.code, done.out, done.err) == (2, "", "")


def test_a_real_process(run: Run, spec: Spec) -> None:
    spec(TWO)
    line = "archdsl summary small.arch --network "
    done = run(_ARCHDSL_COMPLETE="zsh_complete", COMP_WORDS=line, COMP_LINE=line)
    assert (done.code, done.out, done.err) == (0, "plain,Small\nplain,Other\n", "")


def test_a_folder_whose_name_is_no_text(run: Run, spec: Spec) -> None:
    folder = os.fsdecode(b"\xff")
    spec(GOOD, f"{folder}/a.arch")
    done = run(_ARCHDSL_COMPLETE="bash_complete", COMP_WORDS=f"archdsl check {folder}/")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_zsh_lists_files_itself(ask: Ask, spec: Spec) -> None:
    spec()
    assert ask("archdsl check sm", "zsh") == ["files,.arch"]
    assert ask("archdsl compile small.arch -o ", "zsh") == ["files,"]


BASH = {
    "archdsl layers co": ["constant", "conv"],
    "archdsl check s": ["small.arch", "specs of mine"],
    "archdsl check 'specs of mine/": ["specs of mine/a b.arch"],
    "archdsl summary small.arch --network=": ["Small", "Other"],
    "archdsl compile small.arch --set cl": ["classes="],
    "archdsl compile small.arch --set classes=": ["10"],
    "archdsl diff small.arch small.arch:O": ["Other"],
    "archdsl nonsense ": [],
}


def test_a_real_bash(spec: Spec, tmp_path: Path) -> None:
    """The script that is printed, sourced; its function gets what bash would give it for a line."""
    spec(TWO)
    spec(GOOD, "specs of mine/a b.arch")
    lines = [script("bash"), f'archdsl() {{ "{sys.executable}" -P -m archdsl "$@"; }}']
    for line in BASH:
        quoted = "'" + line.replace("'", "'\\''") + "'"
        lines += [f"COMP_LINE={quoted}; COMP_POINT=${{#COMP_LINE}}", "_archdsl_completion archdsl; echo :"]
        lines += ['[[ ${#COMPREPLY[@]} == 0 ]] || printf "%s\\n" "${COMPREPLY[@]}"']
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)],
        capture_output=True, text=True, cwd=tmp_path, env=environment(HOME=str(tmp_path)), check=True,
    )  # fmt: skip
    assert done.stderr == ""
    answers = [each.splitlines() for each in done.stdout.split(":\n")[1:]]
    assert dict(zip(BASH, answers, strict=True)) == BASH


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_reads(run: Run, shell: str) -> None:
    """Those that are installed say so; bash always is."""
    printed = run("completion", shell)
    assert (printed.code, printed.out, printed.err) == (0, script(shell), "")
    program = shutil.which(shell)
    assert program is not None or shell != "bash"
    if program is not None:
        done = subprocess.run([program, "-n"], input=printed.out, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_unknown_shell(run: Run) -> None:
    done = run("completion", "tcsh")
    assert done.code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.err


@pytest.mark.parametrize(
    ("line", "words"),
    [("a b", ["a", "b"]), ("a 'b c", ["a", "b c"]), ('a "b\\"c"', ["a", 'b"c']), ("a #b", ["a", "#b"]), ("", [])],
)
def test_split(line: str, words: list[str]) -> None:
    assert split(line) == words
