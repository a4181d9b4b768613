"""`archdsl check`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processes import BAD, GOOD, ROOT, Result, Run, in_terminal

from archdsl.cli.schema import CheckReport
from archdsl.compiler import Compilation
from archdsl.diagnostics.render import render

Spec = Callable[..., Path]
ANY = {"minimum": 1, "maximum": None, "period": 1, "residues": [0], "exceptions": []}


def test_sound_specs(run: Run) -> None:
    """What each network takes, and the totals. That all shipped specs are sound is for pytest's collection of them."""
    specs = [f"specs/{name}.arch" for name in ("googlenet", "alexnet", "vgg_blocks")]
    assert run("check", *specs, cwd=ROOT) == Result(
        0,
        "specs/googlenet.arch: GoogLeNet accepts any H, W >= 15\n"
        "specs/alexnet.arch: AlexNet takes [3, 227, 227]\n"
        "specs/alexnet.arch: AlexNetTorchvision accepts any H, W >= 63\n"
        "3 files, 3 networks: no errors\n",
        "",
    )


def test_an_error_is_rendered_with_the_count_and_where_to_read_on(run: Run, spec: Spec) -> None:
    path = spec(BAD, "bad.arch")
    done = run("check", "bad.arch")
    found = Compilation.from_path(path).diagnostics
    assert len(found) == 1
    assert (done.code, done.err) == (1, "")
    said = render(found[0]).replace(str(path), "bad.arch")
    assert done.out == f"{said}\n\n1 file, 1 network: 1 error\n`archdsl explain E0102` says more\n"


def test_a_claim_that_fails_is_an_error(run: Run, spec: Spec) -> None:
    spec(GOOD.replace("}\n", "  expect params == 1\n}\n"))
    done = run("check", "small.arch")
    assert done.code == 1
    assert "error[E0401]" in done.out
    assert done.out.endswith("1 file, 1 network: 1 error\n`archdsl explain E0401` says more\n")


def test_at_most_three_codes_are_named_and_each_once(run: Run, spec: Spec) -> None:
    slips = "convv(8, 3)\nimage -> conv(8)\nimage -> conv(8)\nimage -> linear(8)\nadd(a, b)\nrelu on cpu(0)"
    spec(f"network N {{\ninput image: [3, H, W]\n{slips}\n}}", "slips.arch")
    last = run("check", "slips.arch").out.splitlines()[-1]
    assert last == "`archdsl explain E0102 E0201 E0301` says more"
    assert "explain" not in run("check", "slips.arch", "--json").out


def test_what_is_wrong_very_often_is_shown_a_few_times(run: Run, spec: Spec) -> None:
    body = "".join("  a = relu\n" for _ in range(300)) + "  convv(3, 3)\n"
    path = spec(f"network Net {{\n  input x: [3, H, W]\n{body}}}\n", "many.arch")
    done = run("check", "many.arch")
    assert done.out.count("error[E0103]: `a` is the label of two things") == 5
    assert "… and 294 more of these, the last in line 302\n" in done.out
    assert "no layer or block is called `convv`" in done.out
    assert "1 file, 1 network: 300 errors" in done.out
    assert len(Compilation.from_path(path).diagnostics) == 300  # and so in JSON and SARIF


def test_a_long_value_is_cut_in_a_message(run: Run, spec: Spec) -> None:
    items = ", ".join(["12345"] * 2000)
    spec(f"network Net {{\n  input x: [3, H, W]\n  let a = [{items}]\n  conv(a, 3)\n}}\n")
    done = run("check", "small.arch")
    (message,) = [line for line in done.out.splitlines() if line.startswith("error")]
    assert message.endswith("not [12345, 12345, 12345, 12345, 12345, 12345, 12345, 12345, 12…")


def test_pipes_and_devices_are_refused(run: Run, spec: Spec, tmp_path: Path) -> None:
    """To read one may take for ever, whether it is named, found in a folder or imported."""
    os.mkfifo(tmp_path / "pipe.arch")
    (tmp_path / "zeros.arch").symlink_to("/dev/zero")
    spec(f'from "pipe.arch" import a\n{GOOD}', "use.arch")
    bad = "cannot be read: it is a pipe or a device, not a file"
    for paths in (["."], ["pipe.arch", "use.arch", "zeros.arch"]):
        done = run("check", *paths)
        assert done.code == 1
        lines = [line for line in done.out.splitlines() if line.startswith("error")]
        unread = [f"error[E0001]: `{name}` {bad}" for name in ("pipe.arch", "zeros.arch")]
        assert [line for line in lines if "E0001" in line] == unread
        assert [line for line in lines if "E0004" in line] == [f'error[E0004]: "pipe.arch" {bad}']


def test_folders_are_searched_and_files_taken_once(run: Run, spec: Spec, tmp_path: Path) -> None:
    for name in ("a/one.arch", "a/b/two.arch", "a/.hidden/three.arch", "a/.four.arch", "a/five.txt"):
        spec(GOOD, name)
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    done = run("check", "a", "a/one.arch", "./a/../a/one.arch", "a")
    assert done.out.splitlines()[-1] == "2 files, 2 networks: no errors"


def test_an_error_of_an_imported_file_is_told_once(run: Run, spec: Spec) -> None:
    spec("block b { convv(8, 3) }", "parts/b.arch")
    use = 'from "parts/b.arch" import b\nnetwork N { input x: [3, H, W]; b }\n'
    spec(use, "one.arch")
    spec(use, "two.arch")
    done = run("check", "one.arch", "two.arch")
    assert done.code == 1
    assert done.out.count("error[") == 1
    assert "\n2 files, 2 networks: 1 error\n" in done.out


def test_standard_input(run: Run) -> None:
    assert run("check", "-", stdin=GOOD).out == "<stdin>: Small accepts any H, W\n1 file, 1 network: no errors\n"
    marked = run("check", "-", stdin="\ufeffnetwork N { input x: [3]; convv(1) }")
    assert "--> <stdin>:1:27" in marked.out, "a byte order mark is no part of the text"
    bad = run("check", "-", "-", stdin=BAD)
    assert bad.code == 1
    assert "--> <stdin>:3:3" in bad.out
    assert "\n1 file, 1 network: 1 error\n" in bad.out


def test_an_empty_file_is_fine(run: Run, spec: Spec) -> None:
    spec("", "empty.arch")
    assert run("check", "empty.arch").out == "1 file, 0 networks: no errors\n"


def test_colour_is_for_terminals(spec: Spec, tmp_path: Path, run: Run) -> None:
    spec(BAD, "bad.arch")
    args = ["check", "bad.arch"]
    assert "\x1b[1;31merror[E0102]\x1b[0m" in in_terminal(args, tmp_path, 80)
    plain = run(*args).out
    assert "\x1b" not in plain
    assert in_terminal(args, tmp_path, 80, NO_COLOR="1") == plain
    assert in_terminal(args, tmp_path, 80, TERM="dumb") == plain


def test_long_lines_fit_the_terminal(spec: Spec, tmp_path: Path) -> None:
    spec("network N { input x: [3, H, W]; " + "relu; " * 100 + "convv(8, 3); " + "relu; " * 100 + "}", "long.arch")
    shown = in_terminal(["check", "long.arch"], tmp_path, 50, NO_COLOR="1").splitlines()
    line = next(line for line in shown if "convv(8" in line)
    assert len(line) < 60
    assert line.count("…") == 2


def document(run: Run, *args: str, **keywords: Any) -> Any:
    done = run("check", "--json", *args, **keywords)
    assert done.err == ""
    found = json.loads(done.out)
    CheckReport.model_validate(found)
    assert done.code == (0 if all(file["ok"] for file in found["files"]) else 1)
    return found


def test_json_of_a_sound_spec(run: Run, spec: Spec) -> None:
    spec()
    assert document(run, "small.arch") == {
        "schema": "archdsl.check/1",
        "files": [
            {
                "path": "small.arch",
                "ok": True,
                "diagnostics": [],
                "networks": [
                    {
                        "name": "Small",
                        "params": 3 * 8 * 9 + 8 + 8 * 10 + 10,
                        "buffers": 0,
                        "macs": 32 * 32 * 3 * 8 * 9 + 80,
                        "inputs": [{"name": "image", "shape": [3, "H", "W"], "training": False}],
                        "outputs": [{"name": None, "shape": [10], "training": False}],
                        "layers": 5,
                        "accepts": {"words": "any H, W", "sizes": {"H": ANY, "W": ANY}, "relations": []},
                        "promises": None,
                    }
                ],
            }
        ],
    }


def test_json_places_count_from_one(run: Run, spec: Spec) -> None:
    one, two = "network A { input x: [3, H, W]; relu }", "network B {\n  input x: [3, H, W]\n  relu; convv(8)\n}"
    spec(f"{one}\n{two}", "two.arch")
    (file,) = document(run, "two.arch")["files"]
    (found,) = file["diagnostics"]
    place = {key: found[key] for key in ("path", "line", "column", "end_line", "end_column")}
    assert place == {"path": "two.arch", "line": 4, "column": 9, "end_line": 4, "end_column": 14}
    assert (found["code"], found["severity"]) == ("E0102", "error")
    assert isinstance(found["labels"], list)
    assert isinstance(found["help"], list)
    assert [network["name"] for network in file["networks"]] == ["A"]
    assert file["ok"] is False


def test_json_lists_a_network_whose_claim_fails(run: Run, spec: Spec) -> None:
    spec(GOOD.replace("}\n", "  expect params == 1\n}\n"))
    (file,) = document(run, "small.arch")["files"]
    assert file["ok"] is False
    assert [network["params"] for network in file["networks"]] == [314]


def test_json_of_what_cannot_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "latin.arch").write_bytes(b"\xe9")
    (file,) = document(run, "latin.arch")["files"]
    assert [each["code"] for each in file["diagnostics"]] == ["E0001"]
    assert file["networks"] == []


def test_json_of_the_shipped_specs_equals_the_claims(run: Run) -> None:
    found = document(run, "specs", cwd=ROOT)
    networks = {each["name"]: each for file in found["files"] for each in file["networks"]}
    assert networks["GoogLeNet"]["params"] == 6_624_904
    assert networks["GoogLeNet"]["macs"] == 1_498_376_192
    assert networks["GoogLeNet"]["accepts"]["words"] == "any H, W >= 15"
    assert networks["GoogLeNet"]["accepts"]["sizes"]["H"] == {**ANY, "minimum": 15}
    assert networks["UNetPadded"]["promises"]["words"] == networks["UNetPadded"]["accepts"]["words"]
    assert [each["training"] for each in networks["GoogLeNet"]["outputs"]].count(True) == 2


def test_the_schema_changes_only_on_purpose(golden: Callable[[str, str], None]) -> None:
    """A reader relies on it; what breaks one needs a new version."""
    schema = CheckReport.model_json_schema(mode="serialization")
    assert schema["properties"]["schema"]["const"] == "archdsl.check/1"
    golden(json.dumps(schema, indent=2) + "\n", "schema/check-1.json")
