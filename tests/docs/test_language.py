"""The manual of the language runs: docs/language.md is read, and every example on it is checked.

    ```arch                     a whole file, `net.arch`; `file=NAME` keeps it, for later examples to import
    ```arch fragment            statements, as the body of a network with `input x: INPUT`
    ```arch block               definitions, used by such a network whose body is APPLY
    ```text                     after an example: all of its diagnostics, to the letter; without one it has none
    ```text weights             after an example: the parameters of its network with their shapes
    ```text devices             after an example: where its layers run, and what moves
    ```python                   run in one session, beside the files; ```text output has what it prints

`input="…"`, `apply="…"` and `gives="…"` (the shape that comes out) stand in the line that opens the example.
`pytest --update-golden` writes the text blocks, and the lists of layers and initialisers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archdsl.compiler import Compilation, accepted
from archdsl.diagnostics.render import render
from archdsl.graph.model import DIMS, Apply, Call, walk, weight_table
from archdsl.layers import projection
from archdsl.layers.initialisers import INITIALISERS
from archdsl.layers.registry import LATER, find, names
from archdsl.layers.signature import describe
from archdsl.passes.elaborate import frame, labels
from archdsl.passes.elaborate.expressions import FUNCTIONS
from archdsl.passes.place import Placed, place
from archdsl.passes.shapes import show_shape
from archdsl.syntax import layout, literals
from archdsl.syntax.errors import KEYWORDS
from archdsl.syntax.parse import MAX_ERRORS

PAGE = Path(__file__).parents[2] / "docs" / "language.md"
TEXT = PAGE.read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(?P<info>[^\n]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r'(\w+)=(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind (`arch`, `arch fragment`, `text weights`, …), options and text, and where it stands."""

    kind: str
    options: dict[str, str]
    body: str
    start: int
    end: int

    @property
    def line(self) -> int:
        return TEXT.count("\n", 0, self.start)


def _blocks() -> list[Block]:
    found = []
    for match in _BLOCK.finditer(TEXT):
        info = match["info"]
        options = {name: quoted or bare for name, quoted, bare in _OPTION.findall(info)}
        kind = _OPTION.sub("", info).strip()
        found.append(Block(kind, options, match["body"], match.start("body"), match.end("body")))
    return found


BLOCKS = _blocks()
EXAMPLES = [block for block in BLOCKS if block.kind.startswith("arch")]


def _after(block: Block) -> Block | None:
    """The text block that follows an example, with nothing in between."""
    found = (b for b in BLOCKS if b.kind.startswith("text") and TEXT[block.end : b.start] == f"```\n```{b.kind}\n")
    return next(found, None)


def _spec(block: Block) -> str:
    """The whole file that an example stands for."""
    if block.kind == "arch":
        return block.body
    body = block.body if block.kind == "arch fragment" else block.options["apply"]
    before = "" if block.kind == "arch fragment" else block.body
    return f"{before}network Fragment {{\n  input x: {block.options['input']}\n{body}\n}}\n"


def _said(block: Block, spec: Compilation) -> str | None:
    """What the text block after an example should hold; None if none should follow."""
    after = _after(block)
    if after is not None and after.kind == "text weights":
        return _table([(name, show_shape(shape)) for name, shape in weight_table(spec.network().scope)])
    if after is not None and after.kind == "text devices":
        return _table(_devices(place(spec.network()), ""))
    return "\n\n".join(map(render, spec.diagnostics)) + "\n" if spec.diagnostics else None


def _table(rows: Iterable[tuple[str, str]]) -> str:
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    return "".join(f"{name:{width}}  {cell}\n" for name, cell in rows)


def _devices(placed: Placed, path: str) -> Iterator[tuple[str, str]]:
    for item in walk(placed.scope.items):
        if isinstance(item, Call):
            yield from _devices(placed.inner[item], f"{path}{item.module.name}.")
        else:
            name = item.module.name if isinstance(item, Apply) else item.kind
            yield f"{path}{name}", f"gpu({placed.device[item]})"
    for move in placed.moves.values():
        maker = move.value.producer
        name = "in" if maker is None else maker.module.name if isinstance(maker, Apply | Call) else maker.kind
        yield f"{path}{name}", f"moves from gpu({move.source}) to gpu({move.target})"


def _write(block: Block, after: Block, said: str) -> None:
    head = f"{block.body}```\n```{after.kind}\n"
    _replace(head + after.body, head + said)


def _replace(old: str, new: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert old in text
    PAGE.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the examples that have a file's name."""
    for block in EXAMPLES:
        if "file" in block.options:
            (tmp_path / block.options["file"]).write_text(block.body, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"line{block.line}")
@pytest.mark.usefixtures("folder")
def test_example(block: Block, request: pytest.FixtureRequest) -> None:
    spec = Compilation.from_text(_spec(block), block.options.get("file", "net.arch"))
    said, after = _said(block, spec), _after(block)
    if after is not None and said is not None and request.config.getoption("--update-golden"):
        _write(block, after, said)
        return
    assert said == (after.body if after is not None else None)
    assert block.kind == "arch" or not spec.diagnostics
    if "gives" in block.options:
        shapes = [show_shape(result.value.shape) for result in spec.network().scope.results]
        assert shapes == [block.options["gives"]]


@pytest.mark.usefixtures("folder")
def test_python(capsys: pytest.CaptureFixture[str]) -> None:
    session: dict[str, object] = {}
    for block in (b for b in BLOCKS if b.kind == "python"):
        exec(compile(block.body, f"{PAGE.name}:{block.line}", "exec"), session)
        after = _after(block)
        assert capsys.readouterr().out == (after.body if after is not None else "")


def test_every_text_block_belongs_to_an_example() -> None:
    kinds = {"arch", "arch fragment", "arch block", "python", "text", "text weights", "text devices", "text output"}
    assert {block.kind for block in BLOCKS} <= kinds
    owned = [_after(block) for block in BLOCKS if not block.kind.startswith("text")]
    assert all(block in owned for block in BLOCKS if block.kind.startswith("text"))


def _section(title: str) -> str:
    return re.split(r"^## ", TEXT.split(f"## {title}\n")[1], flags=re.MULTILINE)[0]


def _rows(title: str) -> list[list[str]]:
    """The cells of a section's tables, without their heads."""
    lines = [line for line in _section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize(
    ("network", "sizes"),
    [row[:2] for row in _rows("Values, shapes and sizes") if row[0].startswith("`") and "(" in row[0]],
)
def test_accepted_sizes(network: str, sizes: str) -> None:
    spec = Compilation.from_text(f"network Sizes {{ input x: [64, H, W]; {network.strip('`')} }}")
    assert str(accepted(spec.network())) == sizes


def _layer_list() -> str:
    """A row for each layer's family with its name, which leads to its entry in the reference."""
    found = sorted((cls.family, cls.name) for cls in map(find, names()) if cls is not None)
    families = {family: [name for other, name in found if other == family] for family, _ in found}
    linked = {
        family: ", ".join(f"[`{each}`](layers.md#{each})" for each in members) for family, members in families.items()
    }
    rows = "".join(f"| {family} | {links} |\n" for family, links in linked.items())
    return f"\n| family | layers |\n|---|---|\n{rows}\n"


def _initialisers() -> str:
    return "".join(f"- `{describe(name, known.fields)}`\n" for name, known in sorted(INITIALISERS.items()))


@pytest.mark.parametrize(("mark", "make"), [("layers", _layer_list), ("initialisers", _initialisers)])
def test_lists(mark: str, make: Callable[[], str], request: pytest.FixtureRequest) -> None:
    """What the page says of each is what the code says. One may be added before the lists are written anew."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    stated, known = TEXT[TEXT.index(begin) + len(begin) : TEXT.index(end)], make()
    if request.config.getoption("--update-golden"):
        _replace(begin + stated + end, begin + known + end)
        return
    pieces = re.compile(r", | ?\| ?|\n")
    assert set(pieces.split(stated)) - set(pieces.split(known)) == set()
    assert len(stated.splitlines()) > 5


def test_the_layers_that_are_not_compiled_yet() -> None:
    families = _rows("Layers")[-len(set(LATER.values())) :]
    stated = {name: family for family, cell in families for name in re.findall(r"`(\w+)`", cell)}
    assert stated == LATER


def test_the_words_of_the_language() -> None:
    words = re.search(r"^`(and as [^`]+)`$", TEXT, re.MULTILINE)
    assert words is not None
    assert sorted(words[1].split()) == sorted(KEYWORDS)
    functions = re.search(r"functions \| `([^`]+)`", TEXT)
    assert functions is not None
    assert functions[1].split() == sorted(FUNCTIONS)


def test_the_limits() -> None:
    stated = [int(cell.replace(",", "")) for _, cell in _rows("Limits")[1:] if "^" not in cell]
    limits = [layout.MAX_DEPTH, frame.MAX_DEPTH, frame.MAX_LAYERS, frame.MAX_STEPS, literals.MAX_DIGITS, labels.MAX_GPU]
    assert stated == [*limits, max(DIMS), projection.MAX_STRIDE, MAX_ERRORS]


def test_links_lead_to_sections() -> None:
    titles = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    linked = set(re.findall(r"\]\(#([^)]+)\)", TEXT))
    assert linked == anchors
