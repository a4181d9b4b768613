"""`archdsl diff`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import BAD, GOOD, ROOT, Run, in_terminal

Spec = Callable[..., Path]
Golden = Callable[[str, str], None]

PAIRS = {
    "googlenet": ("specs/googlenet_2014.arch", "specs/googlenet.arch"),
    "resnet": ("specs/resnet50.arch", "specs/resnet101.arch"),
    "vgg": ("specs/vgg16.arch:VGG16", "specs/vgg16.arch:VGG16BN"),
}
FORMATS = {"text": "txt", "markdown": "md", "json": "json"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("pair", PAIRS)
def test_shipped_specs(run: Run, golden: Golden, pair: str, form: str) -> None:
    done = run("diff", *PAIRS[pair], "--format", form, cwd=ROOT)
    assert (done.code, done.err) == (0, "")
    if form != "json":
        golden(done.out, f"diff/{pair}.{FORMATS[form]}")
        return
    report = json.loads(done.out)
    assert report["schema"] == "archdsl.diff/1"
    (network,) = report["networks"]
    said = [network[key] for key in ("before", "after", "equal", "interface", "totals")]
    counts = {key: len(network[key]) for key in ("removed", "added", "changed")}
    golden(json.dumps([said, counts, network["changed"][:1]], indent=1) + "\n", f"diff/{pair}.json")


def test_json_is_the_same_by_either_name(run: Run) -> None:
    done = run("diff", *PAIRS["vgg"], "--json", cwd=ROOT)
    assert done == run("diff", *PAIRS["vgg"], "--format", "json", cwd=ROOT)
    added = json.loads(done.out)["networks"][0]["added"]
    assert added[0]["path"] == ["features", "1"]
    assert (added[0]["what"], added[0]["params"]) == ("batchnorm", 128)


def test_a_renamed_module(run: Run, spec: Spec, golden: Golden) -> None:
    spec()
    spec(GOOD.replace("conv1", "stem"), "renamed.arch")
    golden(run("diff", "small.arch", "renamed.arch").out, "diff/renamed.txt")


def test_the_exit_status(run: Run, spec: Spec) -> None:
    spec()
    spec(GOOD.replace("classes=10", "classes=9"), "other.arch")
    assert run("diff", "small.arch", "other.arch").code == 0
    assert run("diff", "small.arch", "other.arch", "--exit-code").code == 1
    assert run("diff", "small.arch", "small.arch", "--exit-code").code == 0
    alike = run("diff", "small.arch", "other.arch", "--set", "classes=3", "--exit-code")
    assert (alike.code, alike.out.splitlines()[-1]) == (0, "no difference")
    assert run("diff", "small.arch", "small.arch", "--format", "markdown").out.endswith("\n\nNo difference.\n")


def test_several_networks_are_compared_by_name(run: Run, spec: Spec) -> None:
    spec(GOOD + GOOD.replace("Small", "Other"), "a.arch")
    spec(GOOD.replace("Small", "Other") + GOOD, "b.arch")
    heads = [line for line in run("diff", "a.arch", "b.arch").out.splitlines() if line[:3] in ("---", "+++")]
    assert heads == ["--- a.arch:Small", "+++ b.arch:Small", "--- a.arch:Other", "+++ b.arch:Other"]
    spec(GOOD.replace("Small", "Third"), "c.arch")
    assert run("diff", "a.arch:Other", "c.arch").out.startswith("--- a.arch:Other\n+++ c.arch:Third\n")
    assert run("diff", "a.arch", "c.arch").out.startswith("--- a.arch:Small\n+++ c.arch:Third\n")


def test_standard_input_is_a_side(run: Run, spec: Spec) -> None:
    spec()
    done = run("diff", "small.arch", "-", stdin=GOOD.replace("32, W", "64, W"))
    assert done.out.startswith("--- small.arch:Small\n+++ <stdin>:Small\n")
    assert run("diff", "-", "-").err == "error: standard input can be one side only\n"


def test_colour_is_for_terminals(spec: Spec, tmp_path: Path, run: Run) -> None:
    spec()
    spec(GOOD.replace("  relu\n", ""), "other.arch")
    args = ["diff", "small.arch", "other.arch"]
    shown = in_terminal(args, tmp_path, 80)
    assert "\x1b[31m  - relu after conv\x1b[0m\n" in shown
    plain = run(*args).out
    assert "\x1b" not in plain
    assert in_terminal(args, tmp_path, 80, NO_COLOR="1") == plain


def test_markdown_keeps_names_as_text(run: Run, spec: Spec) -> None:
    spec(name="sm`all|.arch")
    spec(GOOD.replace("3, padding", "5, padding"), "other.arch")
    lines = run("diff", "sm`all|.arch", "other.arch", "--format", "markdown").out.splitlines()
    assert lines[0] == "### ``sm`all|.arch:Small`` → `other.arch:Small`"
    assert "- `conv: kernel 3x3 -> 5x5`: `conv1`" in lines


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["small.arch", "nowhere.arch"], "there is no file or folder `nowhere.arch`"),
        (["small.arch:Smal", "small.arch"], "no network is called `Smal`; did you mean `Small`?"),
        (["small.arch", "."], "one spec is compared with one other, and `.` holds several"),
        (["small.arch", "small.arch", "--json", "--format", "markdown"], "say either --json or --format markdown"),
        (["small.arch", "HEAD:small.arch"], "not a git repository"),
        (["small.arch", "small.arch", "--set", "depth=3"], "`Small` has no parameter `depth`"),
        (["small.arch", "blocks.arch"], "the file defines no network"),
    ],
)
def test_requests_that_cannot_be_met(run: Run, spec: Spec, args: list[str], message: str, tmp_path: Path) -> None:
    spec()
    spec("block b { relu }", "blocks.arch")
    done = run("diff", *args, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_spec_with_errors(run: Run, spec: Spec) -> None:
    spec()
    spec(BAD, "bad.arch")
    for args in (["bad.arch", "small.arch"], ["small.arch", "bad.arch"]):
        done = run("diff", *args)
        assert (done.code, done.out) == (1, "")
        assert "--> bad.arch:3:3" in done.err


def test_a_revision_needs_git(run: Run, spec: Spec, tmp_path: Path) -> None:
    spec()
    done = run("diff", "HEAD:small.arch", "small.arch", PATH=str(tmp_path))
    assert (done.code, done.err) == (2, "error: a revision needs Git, and there is no `git` on the PATH\n")


@pytest.fixture
def repository(tmp_path: Path, spec: Spec) -> Callable[[str], None]:
    """A new repository in the folder of `run`; `commit(message)` commits all that is in it."""

    def git(*args: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}  # as a hook sets them
        subprocess.run(["git", *who, *args], cwd=tmp_path, check=True, capture_output=True, env=clean)

    def commit(message: str) -> None:
        git("add", ".")
        git("commit", "-m", message)

    git("init")
    return commit


NET = 'from "../blocks.arch" import body\nnetwork N { input x: [3, H=32, W=32]; body() }\n'


def test_revisions_bring_their_imports(run: Run, spec: Spec, repository: Callable[[str], None], golden: Golden) -> None:
    spec(NET, "nets/n.arch")
    spec("block body { conv(8, 3) }", "blocks.arch")
    repository("first")
    spec("block body { conv(8, 5) }", "blocks.arch")
    repository("second")
    golden(run("diff", "HEAD~1:nets/n.arch", "HEAD:nets/n.arch:N").out, "diff/revision.txt")
    spec("block body { conv(8, 7) }", "blocks.arch")
    assert "kernel 5x5 -> 7x7" in run("diff", "HEAD:nets/n.arch", "nets/n.arch").out
    assert "kernel 7x7 -> 3x3" in run("diff", "nets/n.arch", "HEAD~1:nets/n.arch").out


def test_paths_at_a_revision_are_those_of_git_show(
    run: Run, spec: Spec, repository: Callable[[str], None], tmp_path: Path
) -> None:
    spec(NET, "nets/n.arch")
    spec("block body { conv(8, 3) }", "blocks.arch")
    repository("first")
    nets = tmp_path / "nets"
    for path in ("nets/n.arch", "./n.arch"):
        assert run("diff", f"HEAD:{path}", "n.arch", cwd=nets).out.endswith("\nno difference\n")
    outside = run("diff", "HEAD:../../n.arch", "n.arch", cwd=nets)
    assert (outside.code, outside.err) == (2, "error: `../../n.arch` is outside of the Git repository\n")


def test_what_a_revision_does_not_have(run: Run, spec: Spec, repository: Callable[[str], None], tmp_path: Path) -> None:
    spec()
    spec(BAD, "bad.arch")
    repository("first")
    missing = run("diff", "HEAD:none.arch", "small.arch")
    assert (missing.code, missing.err) == (2, "error: there is no file `none.arch` at `HEAD`\n")
    unknown = run("diff", "HEAD~9:small.arch", "small.arch")
    assert (unknown.code, unknown.err) == (2, "error: `HEAD~9` is no revision of the Git repository\n")
    bad = run("diff", "small.arch", "HEAD:bad.arch")
    assert (bad.code, bad.out) == (1, "")
    assert "--> HEAD:bad.arch:3:3" in bad.err
    option = run("diff", "--", "--output=x:small.arch", "small.arch")
    assert (option.code, list(tmp_path.glob("x*"))) == (2, [])


def test_a_network_that_the_other_side_has_not(run: Run, spec: Spec) -> None:
    one, both = "network X { input x: [3, H=8, W=8]; relu }\n", "network Y { input x: [3, H=8, W=8]; tanh }\n"
    spec(one + both, "before.arch")
    spec(one, "after.arch")
    done = run("diff", "before.arch", "after.arch", "--exit-code")
    assert (done.code, done.out.splitlines()[-1]) == (1, "Only before: before.arch:Y")
    report = json.loads(run("diff", "after.arch", "before.arch", "--json").out)
    assert (report["only_before"], report["only_after"]) == ([], ["before.arch:Y"])
    assert run("diff", "before.arch:X", "after.arch", "--exit-code").code == 0
