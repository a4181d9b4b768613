"""Who may import whom, and who may print."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from code_files import ROOT, imports, module, python_files

from archdsl.layers import registry

# To the right only; parts on one level do not import each other.
ORDER = (
    ("source",),
    ("diagnostics",),
    ("grammars", "specs"),
    ("syntax", "sizes"),
    ("layers",),
    ("graph",),
    ("passes",),
    ("emit", "validate"),
    ("compiler",),
    ("runtime", "convert", "compare", "reference", "show"),
    ("cli", "pytest_plugin"),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
PRODUCT = ("archdsl", "cli", "grammars", "specs")
TORCH = {"torch", "torchvision", "torchinfo", "onnx", "onnxscript", "numpy"}


def part(name: str) -> str | None:
    """The part of archdsl that a module belongs to; None for the package itself and for what is not archdsl."""
    parts = name.split(".")
    return parts[1] if parts[0] == "archdsl" and len(parts) > 1 and parts[1] in LEVEL else None


def test_every_part_has_its_place() -> None:
    parts = {part(module(path)) for path in python_files(*PRODUCT)} - {None}
    assert parts == set(LEVEL)


def test_imports_go_one_way() -> None:
    wrong = []
    for path in python_files(*PRODUCT):
        own = part(module(path))
        if own is None:
            continue  # archdsl/__init__.py looks its names up lazily
        for name, line in imports(path):
            other = part(name)
            if other is not None and other != own and LEVEL[other] >= LEVEL[own]:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {own} imports {other}")
    assert wrong == []


def test_nobody_but_the_faces_reaches_the_runtime() -> None:
    users = {module(path) for path in python_files(*PRODUCT) for name, _ in imports(path) if part(name) == "runtime"}
    assert {user for user in users if part(user) not in ("runtime", "cli")} <= {"archdsl"}


def test_only_the_runtime_imports_torch() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files(*PRODUCT)
        for name, line in imports(path)
        if name.split(".")[0] in TORCH and part(module(path)) != "runtime"
    ]
    assert wrong == []


def speaks(node: ast.AST) -> bool:
    """Whether a node prints, reads the terminal or ends the process."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"print", "input", "exit", "quit", "breakpoint"}
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}" in {"sys.exit", "sys.stdout", "sys.stderr", "sys.stdin", "os._exit"}
    return isinstance(node, ast.Raise) and "SystemExit" in ast.dump(node)


def test_only_the_command_line_prints_or_exits() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("archdsl")
        if path.name != "__main__.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.expr, ast.stmt)) and speaks(node)
    ]
    assert wrong == []


def test_no_pass_emitter_or_command_names_a_layer() -> None:
    """A layer's name in a string there would mean that adding a layer touches more than its file."""
    layers = set(registry.names())
    wrong = []
    for path in python_files("archdsl", "cli"):
        if part(module(path)) not in (
            "graph",
            "passes",
            "emit",
            "validate",
            "compiler",
            "runtime",
            "convert",
            "compare",
            "show",
            "cli",
        ):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in layers:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}")
    assert wrong == []


def modules_after(code: str) -> set[str]:
    """What a fresh Python has imported once `code` ran."""
    told = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_importing_archdsl_costs_nothing() -> None:
    assert modules_after("import archdsl") - modules_after("pass") == {"archdsl"}


def test_check_loads_only_what_it_needs() -> None:
    found = modules_after("from archdsl.cli import main; assert main(['check', 'specs/googlenet.arch']) == 0")
    assert found & {*TORCH, "pydantic", "rich", "asyncio", "json", "unittest"} == set()
    assert {"archdsl.emit", "archdsl.validate"} & found == set()
    assert found & {"archdsl.cli.summary", "archdsl.diagnostics.render", "archdsl.passes.fixes"} == set()


def test_the_public_names() -> None:
    import archdsl
    from archdsl.compiler import Compilation, InternalError, SpecError, UsageError
    from archdsl.runtime.load import load
    from archdsl.show import opened

    errors = (archdsl.InternalError, archdsl.SpecError, archdsl.UsageError)
    assert (archdsl.Compilation, *errors) == (Compilation, InternalError, SpecError, UsageError)
    assert (archdsl.load, archdsl.open) == (load, opened.open)
    assert set(archdsl.__all__) <= set(dir(archdsl))
    assert not hasattr(archdsl, "nothing")
    assert Path(archdsl.__file__).with_name("py.typed").is_file()
