"""The wheel has everything, and works where torch is not installed."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("archdsl", "cli", "grammars", "specs")
OUTER = ("cli", "grammars", "specs")  # packages inside archdsl whose folders stand beside it

# Takes the place of a Python without torch: every import of it fails as it does there.
NO_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
"""

Python = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, since setuptools leaves files behind."""
    copy = tmp_path_factory.mktemp("source")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    out = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(copy))
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed into."""
    target = tmp_path_factory.mktemp("installed")
    _pip("install", "--no-deps", "--target", str(target), str(wheel))
    return target


@pytest.fixture(scope="module")
def python(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Python:
    """`python(*args)` runs Python with the installed wheel and without torch, in a folder of its own."""
    blocker = tmp_path_factory.mktemp("blocker")
    (blocker / "sitecustomize.py").write_text(NO_TORCH)
    work = tmp_path_factory.mktemp("work")

    def run(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(blocker), str(installed)])}
        return subprocess.run(
            [sys.executable, *args], input=stdin, capture_output=True, text=True, cwd=work, env=env, check=False
        )

    return run


def _pip(*args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *args],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if "__pycache__" in path.parts:
                continue
            asset = path.is_file() and "assets" in path.parts
            if path.suffix in {".py", ".lark", ".arch", ".md"} or path.name == "py.typed" or asset:
                inside = path.relative_to(ROOT)
                wanted.add((Path("archdsl") / inside if folder in OUTER else inside).as_posix())
    assert {"archdsl/py.typed", "archdsl/grammars/arch.lark", "archdsl/specs/resnet50.arch"} <= wanted
    assert "archdsl/emit/report/assets/vendor/dagre.min.js" in wanted
    assert held == wanted


def test_what_it_says_of_itself(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = archive.read(f"{info}/METADATA").decode()
        entries = archive.read(f"{info}/entry_points.txt").decode()
        assert "[console_scripts]\narchdsl = archdsl.cli:main\n" in entries
        assert "[pytest11]\narchdsl = archdsl.pytest_plugin\n" in entries
        assert f"{info}/licenses/LICENSE" in archive.namelist()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert len(required) == len(project["dependencies"])
    assert not any("torch" in line for line in required)


def test_it_is_the_wheel_that_runs_and_torch_is_not_there(python: Python, installed: Path) -> None:
    assert python("-c", "import archdsl; print(archdsl.__file__)").stdout.strip() == str(
        installed / "archdsl" / "__init__.py"
    )
    assert "No module named 'torch'" in python("-c", "import torch").stderr


def test_check_without_torch(python: Python, installed: Path) -> None:
    done = python("-m", "archdsl", "check", str(installed / "archdsl" / "specs"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("no errors\n")


def test_summary_without_torch(python: Python, installed: Path) -> None:
    done = python("-m", "archdsl", "summary", "--json", str(installed / "archdsl" / "specs" / "alexnet.arch"))
    assert (done.returncode, done.stderr) == (0, "")
    assert [network["params"] for network in json.loads(done.stdout)["networks"]] == [60_965_224, 61_100_840]
    text = python("-m", "archdsl", "summary", "-", stdin="from zoo import ResNet50\n")
    assert "defines no network" in text.stderr


def test_explain_finds_its_pages(python: Python) -> None:
    done = python("-m", "archdsl", "explain", "E0201")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("E0201: wrong arguments\n")


def test_compile_without_torch(python: Python, installed: Path) -> None:
    done = python("-m", "archdsl", "compile", str(installed / "archdsl" / "specs" / "googlenet.arch"))
    assert (done.returncode, done.stderr) == (0, "")
    assert any(isinstance(node, ast.ClassDef) and node.name == "GoogLeNet" for node in ast.parse(done.stdout).body)


def test_the_shipped_specs_can_be_imported_anywhere(python: Python) -> None:
    spec = "from zoo.resnet import bottleneck\nnetwork N { input x: [3, H, W]; bottleneck(8); bottleneck(8) }\n"
    done = python("-m", "archdsl", "check", "-", stdin=spec)
    assert done.stdout.splitlines() == ["<stdin>: N accepts any H, W", "1 file, 1 network: no errors"]


def test_load_says_what_is_missing(python: Python) -> None:
    code = (
        "import archdsl\n"
        "try: archdsl.load('network N { input x: [3]; linear(1) }')\n"
        "except ImportError as error: print(type(error).__name__, error.name, error, sep='\\n')"
    )
    done = python("-c", code)
    assert done.stdout == (
        "TorchMissing\n"
        "torch\n"
        "archdsl.load makes a live PyTorch module, and PyTorch is not installed. To get it:\n"
        '    pip install "archdsl[torch]"\n'
        "Checking, counting and compiling a spec need no PyTorch.\n"
    ), done.stderr


def test_the_command_is_installed(python: Python, installed: Path) -> None:
    done = python(str(installed / "bin" / "archdsl"), "--version")
    assert done.stdout.startswith("archdsl ")
