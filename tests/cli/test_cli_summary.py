"""`archdsl summary`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import BAD, GOOD, ROOT, Run, in_terminal

from archdsl.cli.schema import SummaryReport
from archdsl.compiler import Compilation
from archdsl.passes.cost import Cost
from archdsl.passes.place import all_moves, place
from archdsl.show.columns import Column, in_lines, laid_out

Spec = Callable[..., Path]
Golden = Callable[[str, str], None]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("googlenet", ["specs/googlenet.arch"]),
        ("googlenet-256x320", ["specs/googlenet.arch", "--input", "3x256x320", "--batch", "32", "--depth", "1"]),
        ("alexnet", ["specs/alexnet.arch"]),
        ("resnet50", ["specs/resnet50.arch", "--set", "classes=10"]),
    ],
)
def test_the_table(run: Run, golden: Golden, name: str, args: list[str]) -> None:
    done = run("summary", *args, cwd=ROOT)
    assert (done.code, done.err) == (0, "")
    golden(done.out, f"summary/{name}.txt")


def document(run: Run, *args: str, **keywords: Any) -> Any:
    done = run("summary", "--json", *args, **keywords)
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    SummaryReport.model_validate(found)
    return found


@pytest.mark.parametrize("spec_name", ["googlenet", "alexnet", "resnet50", "densenet121", "vgg16"])
def test_top_rows_add_up_to_the_totals(run: Run, spec_name: str) -> None:
    for network in document(run, f"specs/{spec_name}.arch", "--depth", "1", cwd=ROOT)["networks"]:
        rows = network["layers"]
        evaluated = [row for row in rows if not row["training"]]
        assert sum(row["params"] for row in evaluated) == network["params"]
        assert sum(row["params"] for row in rows) == network["training_params"]
        assert sum(row["buffers"] for row in evaluated) == network["buffers"]
        assert sum(row["macs"] for row in evaluated) == network["macs"]
        assert network["flops"] == 2 * network["macs"]


@pytest.mark.parametrize("spec_name", ["googlenet", "alexnet", "resnet50", "densenet121"])
def test_leaf_rows_add_up_to_the_totals(run: Run, spec_name: str) -> None:
    """A row without rows below it is a leaf; together they are the network."""
    for network in document(run, f"specs/{spec_name}.arch", cwd=ROOT)["networks"]:
        rows = network["layers"]
        parents = {tuple(row["path"][:-1]) for row in rows}
        leaves = [row for row in rows if tuple(row["path"]) not in parents and not row["training"]]
        assert sum(row["params"] for row in leaves) == network["params"]
        assert sum(row["macs"] for row in leaves) == network["macs"]


def test_receptive_fields(run: Run, spec: Spec) -> None:
    """Of every output, along both axes of the first input; in the table the smallest and the largest."""
    path = spec(
        "network N {\n  input image: [3, H=32, W=32]\n  input other: [3, H, W]\n"
        "  a = image -> conv(4, 3x5, stride=2)\n  b = residual { conv(4, 3, padding=1) } -> upsample(2)\n"
        "  output b\n  output c = other -> relu\n  output d = image -> global_avgpool\n}\n"
    )
    rows = {row["path"][-1]: row["receptive_fields"] for row in document(run, str(path))["networks"][0]["layers"]}
    height, width = rows["a"][0]
    assert height == {"size": 3, "smallest": 3, "stride": 2, "offset": 0, "whole": False}
    assert width == height | {"size": 5, "smallest": 5}
    assert rows["b"][0][0] == {"size": 7, "smallest": 3, "stride": 1, "offset": -2, "whole": False}
    assert rows["c"] == [None]
    assert rows["d"][0][0] == {"size": 32, "smallest": 32, "stride": 0, "offset": 0, "whole": True}
    lines = {line.split()[0]: line for line in run("summary", str(path)).out.splitlines() if line}
    assert "  3 x 5  " in lines["a"] and "  3-7 x 5-9  " in lines["b"] and "  all  " in lines["d"]
    assert lines["c"].split()[-3:] == ["-", "-", "-"]


def test_the_transfers_are_those_of_the_placement(run: Run) -> None:
    found = document(run, "specs/alexnet.arch", "--network", "AlexNet", cwd=ROOT)["networks"][0]
    network = Compilation.from_path(ROOT / "specs/alexnet.arch").network("AlexNet")
    cost = Cost(network)
    moves = [(m.source, m.target, cost.size_of(m.value)) for _, m in all_moves(place(network))]
    assert [(each["source"], each["target"], each["bytes"]) for each in found["transfers"]] == moves
    assert found["transfers"][0]["value"] == "image"
    assert {tuple(row["devices"]) for row in found["layers"]} == {(0,), (1,), (0, 1)}


def test_a_network_on_one_device_has_no_device_column(run: Run) -> None:
    assert "device" not in run("summary", "specs/resnet50.arch", cwd=ROOT).out
    assert "transfer" not in run("summary", "specs/resnet50.arch", cwd=ROOT).out


def test_a_shared_module_is_counted_once(run: Run, spec: Spec) -> None:
    spec("network N { input x: [8, H, W]; shared head = conv(8, 3, padding=1); x -> head; head }", "shared.arch")
    (network,) = document(run, "shared.arch")["networks"]
    assert [(row["params"], row["again"]) for row in network["layers"]] == [(584, False), (0, True)]
    assert "head (shared)" in run("summary", "shared.arch").out


def test_batch_multiplies_the_memory_only(run: Run, spec: Spec) -> None:
    spec()
    (one,) = document(run, "small.arch")["networks"]
    (many,) = document(run, "small.arch", "--batch", "7")["networks"]
    assert many["memory"] == {key: 7 * value for key, value in one["memory"].items()}
    assert {**many, "memory": 0, "batch": 0} == {**one, "memory": 0, "batch": 0}


def test_input_sizes(run: Run, spec: Spec) -> None:
    spec()
    for size in ("3x48x64", "48x64", "image=3x48x64", "3X48X64"):
        (network,) = document(run, "small.arch", "--input", size)["networks"]
        assert network["inputs"][0]["shape"] == [3, 48, 64]
        assert network["layers"][0]["outputs"] == [[8, 48, 64]]
        assert network["macs"] == 48 * 64 * 3 * 8 * 9 + 80


def test_several_inputs(run: Run, spec: Spec) -> None:
    spec("network N { input a: [3, H, W]; input b: [3, H, V]; a -> conv(2, 1) }", "n.arch")
    (network,) = document(run, "n.arch", "--input", "a=3x8x9", "--input", "b=3x8x5")["networks"]
    assert [each["shape"] for each in network["inputs"]] == [[3, 8, 9], [3, 8, 5]]
    clash = run("summary", "n.arch", "--input", "a=3x8x9", "--input", "b=3x7x5")
    assert (clash.code, clash.err) == (2, "error: `H` of `N` cannot be 8 and 7\n")


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ("3x7x7", "`GoogLeNet` does not accept H = 7 and W = 7; it accepts any H, W >= 15"),
        ("4x224x224", "`--input 4x224x224` does not fit `GoogLeNet`: the input's 3 is not 4"),
        ("224", "`--input 224` does not fit `GoogLeNet`: the input has 3 dims, 224 states 1"),
        ("1x3x224x224", "`--input 1x3x224x224` does not fit `GoogLeNet`: the input has 3 dims, 1x3x224x224 states 4"),
        ("big", "`--input big` is no size; it looks like 3x256x320, or image=3x256x320"),
        ("", "`--input ` is no size; it looks like 3x256x320, or image=3x256x320"),
        ("3x-5x5", "`--input 3x-5x5` is no size; it looks like 3x256x320, or image=3x256x320"),
        ("3x0x224", "`--input 3x0x224`: a size is from 1 to 1,000,000 along each axis"),
        ("3x9999999x5", "`--input 3x9999999x5`: a size is from 1 to 1,000,000 along each axis"),
        ("3x" + "9" * 5000, None),
        ("picture=3x224x224", "`GoogLeNet` has no input `picture` (inputs: image)"),
        ("\x1b[31m", "`--input \\x1b[31m` is no size; it looks like 3x256x320, or image=3x256x320"),
        ("3x٣x٣", "`--input 3x٣x٣` is no size; it looks like 3x256x320, or image=3x256x320"),
    ],
)
def test_inputs_that_do_not_fit(run: Run, size: str, says: str | None) -> None:
    done = run("summary", "specs/googlenet.arch", "--input", size, cwd=ROOT)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {says}\n" if says else done.err.startswith("error: `--input 3x999")


def test_one_input_has_one_size(run: Run, spec: Spec) -> None:
    spec()
    for second in ("3x9x9", "image=3x9x9"):
        done = run("summary", "small.arch", "--input", "3x8x8", "--input", second)
        assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize(
    ("option", "value"), [("--batch", "0"), ("--batch", "1e9"), ("--batch", "9" * 30), ("--depth", "0")]
)
def test_numbers_out_of_range(run: Run, spec: Spec, option: str, value: str) -> None:
    spec()
    done = run("summary", "small.arch", option, value)
    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for '{option}'" in done.err


def test_all_networks_of_all_files(run: Run, spec: Spec) -> None:
    spec(GOOD + GOOD.replace("Small", "Twin"), "in/a.arch")
    spec("block b { relu }", "in/blocks.arch")
    spec(GOOD.replace("Small", "Third"), "in/b.arch")
    done = run("summary", "in")
    titles = [line.split()[0] for line in done.out.splitlines() if " accepts " in line]
    assert titles == ["Small", "Twin", "Third"]
    assert [each["name"] for each in document(run, "in")["networks"]] == titles
    assert run("summary", "-", stdin=GOOD).out.startswith("Small   <stdin>   input image 3x32x32")


WIDE = GOOD.replace("conv1", "eine_sehr_lange_bezeichnung_ohne_jedes_ende_oder_sinn_und_zweck")


def test_a_pipe_shows_everything_on_one_line_each(run: Run, spec: Spec) -> None:
    spec(WIDE)
    lines = run("summary", "small.arch").out.splitlines()
    row = next(line for line in lines if "conv(8, 3, padding=1)" in line)
    assert row.split()[-2:] == ["224", "221,184"]


@pytest.mark.parametrize("columns", [120, 80, 60, 40, 20, 1])
def test_terminals_of_any_width(spec: Spec, tmp_path: Path, columns: int) -> None:
    spec(WIDE)
    shown = in_terminal(["summary", "small.arch"], tmp_path, columns)
    assert "\x1b" not in shown
    lines = shown.splitlines()
    title = next(i for i, line in enumerate(lines) if line.split()[:1] == ["layer"])
    rows = lines[title : title + 6]
    assert len({len(line) for line in rows}) == 1, "the last column is set to the right"
    assert len(rows[0]) <= max(columns, 65)
    assert rows[1].endswith(" 224  221,184")
    if columns >= 80:
        assert max(map(len, lines)) <= columns


def test_wide_characters_keep_the_columns() -> None:
    columns = [Column("layer", least=4, most=8), Column("what"), Column("params", right=True)]
    rows = [
        ["層", "全結合(8)", "12"],
        ["a", "b", "-"],
        ["nine_long", "cafe\u0301", "1,234"],
        ["日本語日本語", "\x1b[2J", "1"],
    ]
    wide_enough, narrow = list(laid_out(columns, rows, 100)), list(laid_out(columns, rows, 20))
    assert wide_enough == [
        " layer     what       params",
        " 層        全結合(8)      12",
        " a         b               -",
        " nine_lo…  cafe\u0301        1,234",
        " 日本語…   \\x1b[2J         1",
    ]
    assert narrow[3] == " nin…  cafe\u0301        1,234"


def test_phrases_fill_lines() -> None:
    assert list(in_lines(["one", "two", "three"], 9)) == ["one   two", "three"]
    assert list(in_lines(["one", "two", "three"], 2, indent=1)) == [" one", " two", " three"]
    assert list(in_lines([], 5)) == []


def test_the_schema_changes_only_on_purpose(golden: Golden) -> None:
    schema = SummaryReport.model_json_schema(mode="serialization")
    assert schema["properties"]["schema"]["const"] == "archdsl.summary/1"
    golden(json.dumps(schema, indent=2) + "\n", "schema/summary-1.json")


def test_a_sound_network_beside_a_broken_one(run: Run, spec: Callable[..., Path]) -> None:
    """By its name it is shown; nothing is of a file whose text is broken."""
    spec(GOOD + BAD, "both.arch")
    assert run("summary", "both.arch", "--network", "Small").code == 0
    assert run("summary", "both.arch", "--network", "Bad").code == 1
    assert run("summary", "both.arch").code == 1
    spec(GOOD + BAD + "network Cut {", "cut.arch")
    assert run("summary", "cut.arch", "--network", "Small").code == 1


def test_devices_and_where_transfers_are_asked_for(run: Run) -> None:
    (network,) = document(run, "specs/alexnet.arch", "--network", "AlexNet", "--batch", "2", cwd=ROOT)["networks"]
    first, second = network["devices"]
    assert [each["device"] for each in (first, second)] == [0, 1]
    for key in ("params", "training_params", "buffers", "macs"):
        assert first[key] + second[key] == network[key]
    assert first["memory"]["inference"] == 2 * 1_779_948
    lines = (ROOT / "specs/alexnet.arch").read_text(encoding="utf-8").splitlines()
    asked = [(lines[each["line"] - 1].split()[0], each["users"]) for each in network["transfers"]]
    assert asked[:2] == [("tower[g]", ["lower.tower1"]), ("lower", ["lower.concat"])]
    assert {each["path"] for each in network["transfers"]} == {"specs/alexnet.arch"}
    (network,) = document(run, "specs/resnet18.arch", cwd=ROOT)["networks"]
    assert network["devices"] == network["transfers"] == []
