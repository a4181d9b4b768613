"""docs/ci.md and our own workflow do what they say: their YAML is read, and the commands in it run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_config, load_manifest

import archdsl

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
YAML = [text for kind, text in BLOCKS if kind == "yaml"]
WORKFLOWS = [text for text in YAML if "jobs" in yaml.safe_load(text)]
CONFIGS = [text for text in YAML if text not in WORKFLOWS]
OURS = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
MANIFEST = ROOT / ".pre-commit-hooks.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a folder of specs, and `archdsl` as the command that is installed here."""
    (tmp_path / "specs").mkdir()
    for name in ("googlenet.arch", "vgg_blocks.arch"):
        (tmp_path / "specs" / name).write_text((ROOT / "specs" / name).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command line, as a shell with this Python's commands runs it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def steps(workflow: str) -> Iterator[dict[str, Any]]:
    """The steps of a workflow, each with one thing to do."""
    for job in yaml.safe_load(workflow)["jobs"].values():
        assert job["runs-on"]
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            yield step


def commands(workflow: str) -> list[str]:
    return [step["run"] for step in steps(workflow) if step.get("run", "").startswith("archdsl ")]


def test_the_page_has_them_all() -> None:
    assert (len(WORKFLOWS), len(CONFIGS)) == (2, 2)
    assert [kind for kind, _ in BLOCKS].count("sh") == 1


@pytest.mark.parametrize("workflow", [*WORKFLOWS, OURS])
def test_a_workflow_runs_on_changes(workflow: str) -> None:
    found = yaml.safe_load(workflow)
    assert {"push", "pull_request"} <= found[True].keys(), "YAML reads `on` as true"
    assert found["permissions"]["contents"] == "read"
    assert all(re.fullmatch(r"[\w/-]+@v\d+", step["uses"]) for step in steps(workflow) if "uses" in step)


@pytest.mark.parametrize("workflow", [*WORKFLOWS, OURS])
def test_its_commands_run(workflow: str, folder: Path) -> None:
    """Well on sound specs, and with status 1 once there is an error, which is in the output."""
    (command,) = commands(workflow)
    assert shell(command, folder).returncode == 0
    broken = folder / "specs" / "broken.arch"
    broken.write_text("network N { input x: [3, H, W]; convv(8) }")
    done = shell(command, folder)
    assert done.returncode == 1
    written = "".join(path.read_text() for path in folder.glob("*.sarif"))
    assert "specs/broken.arch" in done.stdout + written
    uploaded = [step["with"]["sarif_file"] for step in steps(workflow) if "sarif" in step.get("uses", "")]
    assert uploaded == [path.name for path in folder.glob("*.sarif")]


def test_ours_runs_the_gate() -> None:
    assert ".ci/run" in [step.get("run") for step in steps(OURS)]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_hook_runs(config: str, folder: Path) -> None:
    """pre-commit reads the configuration and the manifest; the command is run by hand, since the installation of a hook
    takes too long here."""
    path = folder / ".pre-commit-config.yaml"
    path.write_text(config)
    (repo,) = load_config(path)["repos"]
    assert repo["rev"] == f"v{archdsl.__version__}"
    (wanted,) = repo["hooks"]
    (hook,) = [{**each, **wanted} for each in load_manifest(MANIFEST) if each["id"] == wanted["id"]]
    named = sorted(
        each.relative_to(folder).as_posix() for each in folder.rglob("*") if re.search(hook["files"], each.name)
    )
    files = named if hook["pass_filenames"] else []
    done = shell(shlex.join([*shlex.split(hook["entry"]), *hook["args"], *files]), folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("2 files, 1 network: no errors\n")


def test_its_pytest_commands_run(folder: Path) -> None:
    (text,) = [text for kind, text in BLOCKS if kind == "sh"]
    lines = text.splitlines()
    assert len(lines) == 3
    (folder / "specs" / "resnet50.arch").write_text("network ResNet50 { input x: [3]; linear(1); expect params == 4 }")
    for line in lines:
        told = shell(f"python -m {shlex.join(shlex.split(line, comments=True))} -q -p no:hypothesispytest", folder)
        assert told.returncode == 0, told.stdout
        assert re.search(r"^\d+ passed", told.stdout, re.MULTILINE)


def test_its_settings_are_ours() -> None:
    (text,) = [text for kind, text in BLOCKS if kind == "toml"]
    assert text in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
