"""`archdsl explain`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import Run, environment, in_terminal

from archdsl.cli.explain_schema import ExplainReport
from archdsl.diagnostics import CODES
from archdsl.diagnostics.page import SECTIONS, page


def test_it_prints_the_page(run: Run) -> None:
    done = run("explain", "E0102")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "E0102: no such layer or block"
    assert [line for line in lines if line in SECTIONS] == list(SECTIONS)
    assert "    network Classifier {" in lines
    assert "    error[E0102]: no layer or block is called `convv`" in lines
    assert "```" not in done.out and "#" not in done.out
    assert done.out.endswith("The message has the reason.\n")


def test_a_file_beside_the_spec_is_named(run: Run) -> None:
    assert "\nparts.arch:\n    block head(classes) {\n" in run("explain", "E0004").out


def test_case_does_not_matter_and_several_are_printed_in_order(run: Run) -> None:
    one, other = (run("explain", code).out for code in ("E0310", "E0102"))
    assert run("explain", "e0310", "E0102", "E0310").out == f"{one}\n{other}"


def test_without_a_code_all_are_listed(run: Run) -> None:
    done = run("explain")
    assert (done.code, done.err) == (0, "")
    assert done.out == "".join(f"{code}  {title}\n" for code, title in CODES.items())


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (["E9310"], "no message has the code `E9310`; did you mean `E0310`?"),
        (["0102"], "no message has the code `0102`; did you mean `E0102`?"),
        (["E0102", "convv"], "no message has the code `convv`; `archdsl explain` lists all codes"),
        (["../pages/E0102"], "no message has the code `../pages/E0102`; `archdsl explain` lists all codes"),
        (["\x1b[31m"], "no message has the code `\\x1b[31m`; `archdsl explain` lists all codes"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_code_that_is_none(run: Run, codes: list[str], says: str, options: tuple[str, ...]) -> None:
    done = run("explain", *codes, *options)
    assert (done.code, done.out, done.err) == (2, "", f"error: {says}\n")


def test_paragraphs_fit_the_terminal_and_specs_stay(tmp_path: Path) -> None:
    shown = in_terminal(["explain", "E0310"], tmp_path, 70).replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert all(len(line) <= 70 for line in shown if not line.startswith("    "))
    assert "        conv(128, 3, padding=1) -> batchnorm -> relu" in shown
    assert any("`project downsample = conv(128, 1, bias=false) -> batchnorm`" in line for line in shown), (
        "code is whole"
    )
    items = [shown[i + 1] for i, line in enumerate(shown) if line.startswith("- ") and len(line) > 60]
    assert items and all(line.startswith("  ") for line in items)


def test_colour_is_for_terminals(run: Run, tmp_path: Path) -> None:
    plain = run("explain", "E0310", COLUMNS="80").out
    assert "\x1b" not in plain
    shown = in_terminal(["explain", "E0310"], tmp_path, 80)
    assert shown.startswith("\x1b[1mE0310: a join's shapes differ\x1b[0m\n")
    assert shown.replace("\x1b[1m", "").replace("\x1b[0m", "") == plain
    assert in_terminal(["explain", "E0310"], tmp_path, 80, NO_COLOR="1") == plain
    assert in_terminal(["explain", "E0310"], tmp_path, 80, TERM="dumb") == plain


def test_json_has_the_page_and_its_parts(run: Run) -> None:
    done = run("explain", "e0004", "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    ExplainReport.model_validate(found)
    assert found["schema"] == "archdsl.explain/1"
    (told,) = found["pages"]
    assert (told["code"], told["title"]) == ("E0004", CODES["E0004"])
    assert told["markdown"] == page("E0004").markdown
    assert told["meaning"].startswith("An import names a file or a definition that is not there")
    assert told["example"]["spec"].startswith('from "parts.arch" import haed\n')
    assert list(told["example"]["files"]) == ["parts.arch"]
    assert told["example"]["message"].startswith('error[E0004]: "parts.arch" has no `haed`\n')
    assert [each["message"] for each in told["mended"]] == [""]
    assert len(told["more"]) == 1


def test_json_without_a_code_has_every_page(run: Run) -> None:
    found = json.loads(run("explain", "--json").out)
    assert [each["code"] for each in found["pages"]] == list(CODES)


def test_the_schema_changes_only_on_purpose(golden: Callable[[str, str], None]) -> None:
    schema = ExplainReport.model_json_schema(mode="serialization")
    assert schema["properties"]["schema"]["const"] == "archdsl.explain/1"
    golden(json.dumps(schema, indent=2) + "\n", "schema/explain-1.json")


def test_an_ascii_terminal_and_a_full_disk(run: Run, tmp_path: Path) -> None:
    done = run("explain", "E0002", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.code == 0
    assert "\\u2026" in done.out
    with open("/dev/full", "wb") as full:
        failed = subprocess.run(
            [sys.executable, "-P", "-m", "archdsl", "explain", "E0002"],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment(), check=False,
        )  # fmt: skip
    assert failed.returncode == 2
    assert failed.stderr == "error: cannot write to standard output: No space left on device\n"


def test_only_what_is_asked_for_is_loaded() -> None:
    """A page is text: neither the parser nor pydantic is needed for it."""
    code = "from archdsl.cli import main; main(['explain', 'E0102']); import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pydantic", "lark", "archdsl.compiler", "torch"} & set(done.stdout.splitlines())
