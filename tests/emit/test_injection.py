"""Attempts to get code out of a spec into what is made of it: `injection/attempts.json` has them.

Each is refused, or the emitted file is the one that a harmless spec gives but for the names and texts, and it works.
"""

from __future__ import annotations

import ast
import builtins
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from same_code import same

from archdsl import load
from archdsl.compiler import Compilation, SpecError, UsageError, parse_setting
from archdsl.diagnostics.render import render
from archdsl.emit.diagram import Diagram, View, build, dot, mermaid
from archdsl.emit.diagram.layout import picture, titled
from archdsl.passes.cost import Cost
from archdsl.runtime.module import module_of

ATTEMPTS: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("injection").joinpath("attempts.json").read_text(encoding="utf-8")
)
SPEC = """
block {block}({parameter}=4, mode="linear") {{
  let {constant} = 2 * {parameter}
  {inner} = conv({constant}, 3, padding=1)
  conv({parameter}, 1)
  init conv: kaiming_normal(nonlinearity=mode)
}}

network {network}({size}=4) {{
  input {input}: [3, {height}=8, {width}=16]
  {label} = conv({size}, 3, padding=1)
  for {variable}, depth in enumerate([1, 2], 1) {{
    stage[{variable}] = {{ repeat depth {{ {block}({size} * {variable}) }} }}
  }}
  {kept} = sigmoid
  {group} = {{ {deep} = conv({size}, 1) -> {block} }}
  add({group}.{deep}, {group})
  output {first} = conv(2, 1)
  output {second} = {kept} -> conv(3, 1)
  init {label}: zeros
}}
"""
PARAMETERS = 2 * (1 + 3 * 2 + 1 + 2 + 2)  # a weight and a bias for each convolution
HARMLESS = {
    "block": "harmless_block",
    "parameter": "parameter",
    "constant": "constant",
    "inner": "inner_label",
    "network": "Harmless",
    "size": "amount",
    "input": "picture",
    "height": "Height",
    "width": "Width",
    "label": "first_label",
    "variable": "turn",
    "kept": "kept_value",
    "group": "group_label",
    "deep": "deep_label",
    "first": "first_output",
    "second": "second_output",
}


@pytest.fixture(autouse=True)
def nothing_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The payloads write a file `canary` where they run."""
    monkeypatch.chdir(tmp_path)
    before = set(vars(builtins))
    yield
    assert not Path("canary").exists()
    assert set(vars(builtins)) == before


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--thorough"))


def compiled(text: str, path: str = "harmless.arch", settings: dict[str, Any] | None = None) -> list[str] | None:
    """The file without and with a check of sizes; None, with a diagnostic that can be shown, if it is refused."""
    spec = Compilation.from_text(text, path)
    try:
        return [spec.compile(None, settings, guard=guard) for guard in (False, True)]
    except UsageError:
        return None
    except SpecError as error:
        for found in error.diagnostics:
            assert harmless_in_a_terminal(render(found))
        return None


def harmless_in_a_terminal(text: str) -> bool:
    return all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in text)


def run(source: str, name: str, guarded: bool) -> None:
    """The class is what it says and takes the sizes that it should."""
    cls = getattr(module_of(source, "attempt"), name)
    assert issubclass(cls, torch.nn.Module)
    with torch.device("meta"):
        network = cls()
        assert len(network.state_dict()) == PARAMETERS
        assert [out.shape for out in network(torch.empty(1, 3, 8, 16))] == [(1, 2, 8, 16), (1, 3, 8, 16)]
        if guarded:
            with pytest.raises(ValueError, match="takes"):
                network(torch.empty(1, 4, 8, 16))


@pytest.mark.parametrize(
    ("slot", "name", "taken"),
    [
        ("height", "List", True),
        ("input", "ValueError", True),
        ("block", "ValueError", True),
        ("network", "ValueError", False),
        ("network", "isinstance", False),
        ("network", "list", False),
        ("inner", "_modules", False),
        ("label", "_parameters", False),
    ],
)
def test_names_that_broke_something_once(slot: str, name: str, taken: bool) -> None:
    names = {**HARMLESS, slot: name}
    found = compiled(SPEC.format(**names))
    assert (found is not None) == taken
    for source, guarded in zip(found or (), (False, True), strict=False):
        run(source, names["network"], guarded)


@pytest.mark.parametrize("slot", HARMLESS)
def test_names(slot: str, thorough: bool) -> None:
    """Every name in every place with --thorough; else each in a few places."""
    plain = compiled(SPEC.format(**HARMLESS))
    assert plain is not None
    step, first = (1, 0) if thorough else (4 * len(HARMLESS), list(HARMLESS).index(slot))
    accepted = 0
    for name in (ATTEMPTS["names"] + ATTEMPTS["wild"])[first::step]:
        names = {**HARMLESS, slot: name}
        found = compiled(SPEC.format(**names))
        if found is not None:
            accepted += 1
            for source, other, guarded in zip(found, plain, (False, True), strict=True):
                same(source, other)
                run(source, names["network"], guarded)
    assert accepted >= (100 if thorough else 0)


def test_wild_names_are_refused() -> None:
    """What is no name of ASCII letters, digits and underscores, so also what Python would read as another name."""
    for name in ATTEMPTS["wild"]:
        for slot in ("network", "block", "parameter", "label", "height"):
            spec = Compilation.from_text(SPEC.format(**{**HARMLESS, slot: name}))
            assert not spec.ok, f"{name!r} as {slot}"


TEXTS = """
block part(mode="linear") {{
  {text}
  conv(8, 3)
  init conv: kaiming_normal(nonlinearity=mode)
}}
network Net(tag={tag}) {{
  {text}
  input x: [3, H, W]
  part
}}
"""


def quoted(text: str) -> Iterator[str]:
    """A text as the language's two kinds of strings hold it, as far as they can."""
    if not any("\ud800" <= char <= "\udfff" or char > "\uffff" for char in text):
        yield '"' + "".join(c if c.isalnum() and c.isascii() else f"\\u{ord(c):04x}" for c in text) + '"'
    if '"""' not in text and not text.endswith('"'):
        yield f'"""{text}"""'
    if not set(text) & set('"\\\n'):
        yield f'"{text}"'


def written_texts(thorough: bool) -> Iterator[tuple[str, str]]:
    """Each text and how a spec has it: in all ways if `thorough`, else in one."""
    for i, text in enumerate(ATTEMPTS["texts"]):
        ways = list(quoted(text))
        for written in ways if thorough else ways[i % max(1, len(ways)) :][:1]:
            yield text, written


def test_texts(thorough: bool) -> None:
    """A doc is a docstring that says the same, and a string is a string of the same value."""
    plain = compiled(TEXTS.format(text='"Plain."', tag='"plain"'))
    assert plain is not None
    for text, written in written_texts(thorough):
        found = compiled(TEXTS.format(text=written, tag=written))
        assert found is not None
        for source, other in zip(found, plain, strict=True):
            assert source.replace("\n", "").isprintable()
            tree = ast.parse(source)
            same(without_docs(source), without_docs(other))
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    doc = ast.get_docstring(node, clean=False) or ""
                    assert "".join(doc.split()) == "".join(text.split())


def without_docs(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.unparse(tree)


def test_strings_that_choose(thorough: bool) -> None:
    """Where a string is one of a few words, no other is taken."""
    for _, written in written_texts(thorough):
        spec = Compilation.from_text(TEXTS.format(text='"Plain."', tag="1").replace('"linear"', written))
        assert [found.code for found in spec.diagnostics] == ["E0202"]
        assert all(harmless_in_a_terminal(render(found)) for found in spec.diagnostics)


def test_file_names() -> None:
    text = TEXTS.format(text='"Plain."', tag="1")
    plain = compiled(text)
    assert plain is not None
    for path in ATTEMPTS["files"]:
        found = compiled(text, path)
        assert found is not None
        for source, other in zip(found, plain, strict=True):
            same(source, other)
            assert source.replace("\n", "").isprintable()
        for each in Compilation.from_text(text.replace("conv(", "convv("), path).diagnostics:
            assert harmless_in_a_terminal(render(each))


@pytest.mark.parametrize("kind", ["any", "int"])
def test_settings(kind: str) -> None:
    """`--set NAME=VALUE`: the value is refused, or is the default of one parameter and nothing else."""
    spec = f"network Net(amount: {kind} = 4) {{\n  input x: [3, H, W]\n  conv(8, 1)\n}}\n"
    plain = compiled(spec)
    assert plain is not None
    taken = 0
    for text in ATTEMPTS["values"]:
        try:
            name, value = parse_setting(f"amount={text}")
        except UsageError:
            continue
        assert name == "amount"
        found = compiled(spec, settings={name: value})
        if found is not None:
            taken += 1
            assert [without_defaults(source) for source in found] == [without_defaults(source) for source in plain]
    assert taken >= (10 if kind == "any" else 3)


def without_defaults(source: str) -> str:
    """A file without docs, and without its constructors' parameters, whose defaults have to be literals."""
    tree = ast.parse(without_docs(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                ast.literal_eval(default)
            node.args.args, node.args.kwonlyargs, node.args.defaults, node.args.kw_defaults = [], [], [], []
    return ast.unparse(tree)


def test_names_of_settings() -> None:
    spec = TEXTS.format(text='"Plain."', tag="1")
    for name in ATTEMPTS["names"] + ATTEMPTS["wild"]:
        try:
            given, value = parse_setting(f"{name}=1")
        except UsageError:
            continue
        assert compiled(spec, settings={given: value}) is None


def test_a_live_network(thorough: bool) -> None:
    """`archdsl.load` runs what `compile` writes; nothing of the texts runs with it."""
    for _, written in list(written_texts(thorough))[:: 1 if thorough else 8]:
        assert type(load(TEXTS.format(text=written, tag=written))).__name__ == "Net"


NOTED = "block part(note) {{ conv(8, 3) }}\nnetwork Net {{\n  input x: [3, H, W]\n  part({note})\n}}\n"


def drawn(note: str = '"plain"', path: str = "harmless.arch") -> Diagram:
    network = Compilation.from_text(NOTED.format(note=note), path).network()
    return build(network, Cost(network), View())


def test_pictures(thorough: bool) -> None:
    """A picture of a spec with such a file name, or such a string, has the boxes and the elements of a harmless one."""
    plain = drawn()
    elements = elements_of(plain)
    pictures = {path: drawn(path=path) for path in ATTEMPTS["files"]}
    pictures |= {written: drawn(written) for _, written in written_texts(thorough)}
    for attempt, found in pictures.items():
        assert elements_of(found) == elements, repr(attempt)
        flowchart = mermaid(found)
        assert flowchart.count("\n") == mermaid(plain).count("\n")
        assert flowchart.count('"') == mermaid(plain).count('"')
        assert "<" not in flowchart.replace("<br/>", "")


def elements_of(found: Diagram) -> list[tuple[str, list[str]]]:
    """The elements of a picture as SVG, each with the names of its attributes."""
    root = ElementTree.fromstring(titled(picture(dot(found), "svg"), found))
    elements = [(element.tag, sorted(element.attrib)) for element in root.iter()]
    assert not [tag for tag, _ in elements if tag.endswith(("}script", "}foreignObject", "}image"))]
    return [each for each in elements if not each[0].endswith(("}text", "}title"))]  # as many as lines
