"""`archdsl.open`: what a notebook and a prompt show of a spec, sound or broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import nbclient
import nbformat
import pytest
import torch

import archdsl
from archdsl.emit.diagram import layout

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
TOWERS = """\
network Towers(classes=10) {
  input image: [3, H=32, W=48]
  left = conv(8, 3, padding=1) on gpu(0)
  right = image -> conv(8, 3, padding=1) on gpu(1)
  concat(left, right) -> global_avgpool -> flatten
  fc = linear(classes)
}

network Other { input x: [3]; linear(1) }
"""
BROKEN = 'network Broken {\n  input x: [3, H, W]\n  convv(8, 3)  # <script>alert("no")</script>\n}\n'


def parsed(html: str) -> ElementTree.Element:
    """The page as XML, which it is but for the entities' names."""
    return ElementTree.fromstring(html)


def texts(html: str, tag: str) -> list[str]:
    return ["".join(found.itertext()) for found in parsed(html).iter(tag)]


def test_a_notebook_shows_picture_and_table(tmp_path: Path) -> None:
    """A real one, run by a real kernel: Jupyter picks the HTML, and keeps the text for who cannot show it."""
    (tmp_path / "broken.arch").write_text(BROKEN)
    cells = [
        "import archdsl",
        f'archdsl.open("{SPECS}/resnet18.arch", classes=7)',
        'archdsl.open("broken.arch")',
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    sound, broken = (cell.outputs[-1]["data"] for cell in notebook.cells[1:])
    assert sound["text/plain"].startswith("ResNet18   ")
    assert "<svg" in sound["text/html"]
    assert "linear(7)" in texts(sound["text/html"], "td")
    assert broken["text/plain"].startswith("error[E0102]")
    assert texts(broken["text/html"], "pre") == [broken["text/plain"]]


def test_the_text_is_that_of_summary(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from archdsl.cli import main

    monkeypatch.setenv("COLUMNS", "120")
    path = str(SPECS / "alexnet.arch")
    assert main(["summary", path, "--network", "AlexNetTorchvision", "--input", "3x96x128"]) == 0
    opened = archdsl.open(path, "AlexNetTorchvision", input=(3, 96, 128))
    assert f"{opened!r}\n" == capsys.readouterr().out


def test_the_page_says_what_the_text_says() -> None:
    """Each line of the text is a row of a table, or phrases; the page names the file's other networks besides."""
    opened = archdsl.open(TOWERS)
    html = opened._repr_html_()
    said = {" ".join(" ".join(row.itertext()).split()) for row in parsed(html).iter("tr")}
    said |= {" ".join(" ".join(line.itertext()).split()) for line in parsed(html).iter("div")}
    lines = [" ".join(line.split()) for line in repr(opened).splitlines() if line]
    assert len(lines) == 17
    assert set(lines) <= said
    assert "also in this file: Other" in said


def test_what_is_too_long_for_a_column_is_told_by_the_mouse() -> None:
    html = archdsl.open(SPECS / "alexnet.arch")._repr_html_()
    (cell, *_) = [cell for cell in parsed(html).iter("td") if (cell.text or "").startswith("conv(48, 11")]
    assert (cell.text or "").endswith("…")
    assert cell.attrib["title"].startswith("conv(48, 11, stride=4) -> relu -> lrn(5, ")


def test_what_it_says_of_itself() -> None:
    opened = archdsl.open(SPECS / "resnet18.arch", classes=10, input={"image": (3, 64, 64)})
    assert (opened.ok, opened.diagnostics, str(opened.accepts)) == (True, [], "any H, W")
    assert opened.path == str(SPECS / "resnet18.arch")
    assert opened.sizes == {"H": 64, "W": 64}
    assert opened.params == 11_181_642
    assert opened.macs == opened.cost.macs == 148_050_944
    assert "def __init__(self, classes: int = 10)" in opened.compile()
    net = opened.load(guard=True)
    assert sum(p.numel() for p in net.parameters()) == opened.params
    assert net(torch.zeros(2, 3, 64, 64)).shape == (2, 10)


def test_a_broken_spec_shows_what_is_wrong() -> None:
    opened = archdsl.open(BROKEN)
    assert not opened.ok
    assert [each.code for each in opened.diagnostics] == ["E0102"]
    html = opened._repr_html_()
    assert "<script" not in html
    assert texts(html, "pre") == [repr(opened)]
    assert "did you mean `conv`?" in repr(opened)
    for asked in (lambda: opened.params, lambda: opened.accepts, opened.compile, opened.load, opened.svg):
        with pytest.raises(archdsl.SpecError, match="E0102"):
            asked()


def test_parameters_that_break_a_spec_show_why() -> None:
    opened = archdsl.open("network N(k=3) { input x: [3, 8, 8]; conv(8, k) }", k=9)
    assert not opened.ok
    assert "a window of 9 does not fit into 8" in repr(opened)


def test_a_file_that_is_not_there_is_said() -> None:
    assert "`nothere.arch` cannot be read" in repr(archdsl.open("nothere.arch"))
    assert "cannot be read" in archdsl.open("nothere.arch")._repr_html_()


def test_a_failing_claim_is_an_error() -> None:
    opened = archdsl.open("network N { input x: [3]; linear(1); expect params == 5 }")
    assert not opened.ok
    assert "params is 4" in opened._repr_html_()


def test_names_of_files_are_only_text(tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>&.arch"
    path.write_text("network N { input x: [3]; linear(1) }")
    html = archdsl.open(path)._repr_html_()
    assert "<img" not in html
    assert str(path) in texts(html, "span")


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: archdsl.open(TOWERS, "Tower"), "no network is called `Tower`; did you mean `Towers`?"),
        (lambda: archdsl.open(TOWERS, clases=3), "`Towers` has no parameter `clases`; did you mean `classes`?"),
        (lambda: archdsl.open(TOWERS, input=(4, 9, 9)), "`input=4x9x9` does not fit `Towers`: the input's 3 is not 4"),
        (lambda: archdsl.open(TOWERS, input={"x": (3, 9, 9)}), "`Towers` has no input `x` (inputs: image)"),
        (lambda: archdsl.open("block b { relu } #"), "the file defines no network"),
    ],
)
def test_wrong_requests(ask: Callable[[], object], says: str) -> None:
    with pytest.raises(archdsl.UsageError) as caught:
        ask()
    assert str(caught.value).startswith(says)


def test_without_graphviz_the_table_stays_and_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(text: str, form: str) -> bytes:
        raise layout.NoPicture(layout.MISSING)

    monkeypatch.setattr(layout, "picture", missing)
    html = archdsl.open(TOWERS)._repr_html_()
    assert "<svg" not in html
    assert layout.MISSING in unescape(html)
    assert "linear(10)" in texts(html, "td")


def test_opening_needs_no_torch_and_a_prompt_no_picture() -> None:
    code = f"import archdsl, sys; repr(archdsl.open('{SPECS}/alexnet.arch')); print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"torch", "pygraphviz", "click", "archdsl.emit", "archdsl.show.html"} & set(done.stdout.split()) == set()


def test_an_input_as_the_command_line_has_it() -> None:
    assert archdsl.open(SPECS / "resnet18.arch", input="3x64x96").sizes == {"H": 64, "W": 96}


@pytest.mark.parametrize("size", [64, (3, 64.5, 64), (3, 0, 32), "3x64xlarge", "", ()])
def test_an_input_that_is_no_size(size: object) -> None:
    with pytest.raises(archdsl.UsageError, match="is no size"):
        archdsl.open(SPECS / "resnet18.arch", input=size)
