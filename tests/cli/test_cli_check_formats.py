"""`archdsl check --format github` and `sarif`: what other programs show beside the lines of a spec."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
from processes import BAD, ROOT, Result

import archdsl
from archdsl.cli import check_github, check_sarif
from archdsl.cli.app import run
from archdsl.diagnostics import CODES, Diagnostic, Label
from archdsl.diagnostics.page import page
from archdsl.source import Source, Span

Spec = Callable[..., Path]
Check = Callable[..., Result]
JOIN = """\
network N {
  input image: [3, H=64, W=64] where H % 16 == 0 and W >= 32
  a = conv(8, 3, padding=1)
  maxpool(2)
  b = deconv(8, 2, stride=2)
  concat(a, b)
}
"""

# The official schema, as Microsoft's package `@microsoft/jest-sarif` (MIT licence) carries it.
SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """`check(*args)` is `archdsl check ARGS` in a new empty folder, in this process."""

    def call(*args: str, stdin: str = "", cwd: Path = tmp_path) -> Result:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(["check", *args])
        return Result(code, *capsys.readouterr())

    return call


def unescaped(text: str) -> str:
    """As GitHub's runner reads it: `%25` last."""
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def annotations(told: str) -> list[tuple[str, dict[str, str], str]]:
    """The command, properties and message of each line but the last, the totals."""
    found = []
    for line in told.splitlines()[:-1]:
        match = re.fullmatch(r"::(\w+) ((?:\w+=[^,:]*,?)+)::(.*)", line)
        assert match, line
        properties = dict(part.split("=", 1) for part in match[2].split(","))
        found.append((match[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(match[3])))
    return found


def sarif(text: str) -> Any:
    """The one run of a log that the schema allows."""
    log = json.loads(text)
    jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    (run,) = log["runs"]
    return run


def region(location: Any) -> tuple[int, int, int, int]:
    found = location["physicalLocation"]["region"]
    return found["startLine"], found["startColumn"], found["endLine"], found["endColumn"]


def uri(location: Any) -> str:
    found = location["physicalLocation"]["artifactLocation"]
    assert found["uri"].startswith("file:///") != ("uriBaseId" in found)
    return str(found["uri"])


def in_memory(text: str, inside: str, path: str = "a.arch", **others: Any) -> Diagnostic:
    """A finding at a place in a text."""
    start = text.index(inside)
    return Diagnostic("E0310", "message", Span(Source(path, text), start, start + len(inside)), **others)


def test_github_annotates_lines(check: Check, spec: Spec) -> None:
    spec(JOIN, "specs/join.arch")
    done = check("specs", "--format", "github")
    assert (done.code, done.err) == (1, "")
    (join,) = annotations(done.out)
    kind, place, message = join
    assert kind == "error"
    assert place.pop("title") in CODES
    assert place == {"file": "specs/join.arch", "line": "6", "col": "3", "endLine": "6", "endColumn": "15"}
    lines = message.splitlines()
    assert "line 3: `a` is [8, H, W]" in message
    assert any(line.startswith("note: ") for line in lines)
    assert any(line.startswith("help: ") for line in lines)
    assert done.out.endswith("\n1 file, 1 network: 1 error\n")


def test_sarif_of_the_same(check: Check, spec: Spec) -> None:
    spec(JOIN, "specs/join.arch")
    done = check("specs", "--format", "sarif")
    assert (done.code, done.err) == (1, "")
    found = sarif(done.out)
    (result,) = found["results"]
    rule = found["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"]
    assert rule["shortDescription"]["text"].lower() == f"{CODES[result['ruleId']]}.".lower()
    assert rule["help"]["markdown"].startswith(f"# {rule['id']}: ")
    assert result["level"] == "error"
    assert "help: " in result["message"]["text"]
    (location,) = result["locations"]
    assert (uri(location), region(location)) == ("specs/join.arch", (6, 3, 6, 15))
    related = {region(each)[0]: each["message"]["text"] for each in result["relatedLocations"]}
    assert related[3].startswith("`a` is [8, H, W]")
    assert found["columnKind"] == "utf16CodeUnits"
    assert found["tool"]["driver"]["version"] == archdsl.__version__


def test_nothing_to_report(check: Check) -> None:
    spec = "specs/vgg_blocks.arch"
    assert check(spec, "--format", "github", cwd=ROOT) == Result(0, "1 file, 0 networks: no errors\n", "")
    done = check(spec, "--format", "sarif", cwd=ROOT)
    assert done.code == 0
    assert sarif(done.out)["results"] == []


def test_every_code_is_a_rule(check: Check, spec: Spec) -> None:
    spec()
    rules = sarif(check("small.arch", "--format", "sarif").out)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    for rule in rules:
        assert rule["help"]["markdown"] == rule["help"]["text"] == page(rule["id"]).markdown
        assert rule["fullDescription"]["text"] == page(rule["id"]).meaning
        assert Path(unquote(urlsplit(rule["helpUri"]).path)).read_text(encoding="utf-8") == rule["help"]["text"]
    assert {rule["id"][0]: rule["defaultConfiguration"]["level"] for rule in rules} == {"E": "error", "W": "warning"}


def test_ways_out_are_edits(check: Check, spec: Spec) -> None:
    """In JSON and in SARIF, and made by a reader they give the text that is suggested."""
    text = "network N {\n  input a: [3, H, W]\n  x = nn.Conv2d(3, 8, 3)\n  # 😀\n  linear(64, 10)\n}\n"
    spec(text, "habit.arch")
    (result, other) = sarif(check("habit.arch", "--format", "sarif").out)["results"]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    (replaced,) = change["replacements"]
    assert fix["description"]["text"] == "write `conv(8, 3)`"
    assert change["artifactLocation"] == result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert replaced["deletedRegion"] == {"startLine": 3, "startColumn": 7, "endLine": 3, "endColumn": 25}
    assert replaced["insertedContent"]["text"] == "conv(8, 3)"
    assert len(other["fixes"]) == 1
    (first, _) = json.loads(check("habit.arch", "--json").out)["files"][0]["diagnostics"]
    place = {"path": "habit.arch", "line": 3, "column": 7, "end_line": 3, "end_column": 25}
    assert first["fixes"] == [{"text": "write `conv(8, 3)`", "edits": [{**place, "text": "conv(8, 3)"}]}]


@pytest.mark.parametrize("name", ["a b, c%20:d.arch", "line\nbreak.arch", "größe×.arch", "quote'\"&#?.arch"])
def test_file_names_survive(check: Check, spec: Spec, name: str) -> None:
    spec(BAD, f"some specs/{name}")
    ((_, place, _),) = annotations(check("some specs", "--format", "github").out)
    assert place["file"] == f"some specs/{name}"
    (result,) = sarif(check("some specs", "--format", "sarif").out)["results"]
    (location,) = result["locations"]
    assert unquote(uri(location)) == f"some specs/{name}"
    assert re.fullmatch(r"[\w./%~-]+", uri(location), re.ASCII)


def test_a_message_is_one_line_and_comes_back_as_it_was() -> None:
    found = in_memory(
        "x = conv(1)", "conv", label="50%25\r\n::error::", notes=["a,b:c", "two\nlines"], help=["\x1b[31m"]
    )
    line = check_github.annotation(found)
    assert "\n" not in line and "\r" not in line and "\x1b" not in line
    ((_, _, message),) = annotations(f"{line}\ntotals")
    assert message == "message\n50%25\\x0d\n::error::\nnote: a,b:c\nnote: two\nlines\nhelp: \\x1b[31m"


def test_a_huge_message_is_told() -> None:
    """GitHub cuts it; what it gets is still one command."""
    found = in_memory("x", "x", notes=["%\n" * 100_000])
    ((_, _, message),) = annotations(check_github.annotation(found) + "\ntotals")
    assert message.count("%") == 100_000
    assert sarif(check_sarif.log([found]))["results"][0]["message"]["text"].count("%") == 100_000


def test_sarif_columns_are_utf16() -> None:
    text = "ok\n  '𝒽é' -> conv\n𝒽"
    (result,) = sarif(
        check_sarif.log([in_memory(text, "conv\n𝒽", labels=(Label(in_memory(text, "𝒽é").span, "this"),))])
    )["results"]
    assert region(result["locations"][0]) == (2, 12, 3, 3)
    assert region(result["relatedLocations"][0]) == (2, 4, 2, 7)


def test_github_gives_columns_within_one_line_only() -> None:
    """Its runner refuses others."""
    ((_, place, _),) = annotations(check_github.annotation(in_memory("one\ntwo three\n", "two three\n")) + "\ntotals")
    assert place == {"file": "a.arch", "line": "2", "endLine": "3", "title": "E0310"}


def test_sarif_shows_braces_and_brackets_as_they_are() -> None:
    """`{0}` would be filled in and `[text](1)` made a link; a shape alone is neither."""
    found = in_memory("x", "x", notes=["concat { a; b }", "[3, H](1)", "[3, H] (1)"])
    (result,) = sarif(check_sarif.log([found]))["results"]
    assert result["message"]["text"] == ("message\nnote: concat {{ a; b }}\nnote: \\[3, H](1)\nnote: [3, H] (1)")


def test_line_ends_of_windows(check: Check, tmp_path: Path) -> None:
    (tmp_path / "crlf.arch").write_bytes(BAD.replace("\n", "\r\n").encode())
    ((_, place, _),) = annotations(check("crlf.arch", "--format", "github").out)
    assert place == {
        "file": "crlf.arch", "line": "3", "col": "3", "endLine": "3", "endColumn": "8", "title": "E0102"
    }  # fmt: skip
    piped = check("-", "--format", "sarif", stdin=BAD.replace("\n", "\r\n"))
    assert region(sarif(piped.out)["results"][0]["locations"][0]) == (3, 3, 3, 8)


def test_standard_input_is_no_file(check: Check) -> None:
    ((kind, place, message),) = annotations(check("-", "--format", "github", stdin=BAD).out)
    assert (kind, place) == ("error", {"title": "E0102"})
    assert message.startswith("<stdin>:3:3: no layer or block is called `convv`\n")
    (result,) = sarif(check("-", "--format", "sarif", stdin=BAD).out)["results"]
    assert unquote(uri(result["locations"][0])) == "<stdin>"


def test_an_error_of_an_import_is_told_once_and_where_it_is(check: Check, spec: Spec, tmp_path: Path) -> None:
    """Each of the specs reaches the file by a path of its own, and it may be outside of the current folder."""
    spec("", "pyproject.toml")
    spec("block b { convv(8, 3) }", "parts/b.arch")
    for folder in ("one", "two", "three/deep"):
        up = "../" * (1 + len(Path(folder).parts))
        spec(f'from "{up}parts/b.arch" import b\nnetwork N {{ input x: [3, H, W]; b }}\n', f"nets/{folder}/n.arch")
    text = check("nets", "parts")
    assert text.out.count("error[") == 1
    ((_, place, message),) = annotations(check("nets", "--format", "github").out)
    assert place["file"] == "parts/b.arch"
    assert "nets/one/n.arch, line 2: in this call of `b`" in message
    ((_, place, _),) = annotations(check(".", "--format", "github", cwd=tmp_path / "nets").out)
    assert place["file"] == str(tmp_path / "parts" / "b.arch")
    (result,) = sarif(check(".", "--format", "sarif", cwd=tmp_path / "nets").out)["results"]
    assert uri(result["locations"][0]) == (tmp_path / "parts" / "b.arch").as_uri()


def test_what_cannot_be_read(check: Check, tmp_path: Path) -> None:
    (tmp_path / "latin.arch").write_bytes(b"\xe9")
    ((_, place, _),) = annotations(check("latin.arch", "--format", "github").out)
    assert place == {"file": "latin.arch", "line": "1", "col": "1", "endLine": "1", "endColumn": "1", "title": "E0001"}
    (result,) = sarif(check("latin.arch", "--format", "sarif").out)["results"]
    assert region(result["locations"][0]) == (1, 1, 1, 1)


def test_json_is_short_for_its_format(check: Check, spec: Spec) -> None:
    spec()
    assert check("small.arch", "--format", "json") == check("small.arch", "--json")
    assert check("small.arch", "--format", "text") == check("small.arch")
    for form in ("github", "sarif"):
        done = check("small.arch", "--json", "--format", form)
        assert (done.code, done.err) == (2, f"error: say either --json or --format {form}\n")
