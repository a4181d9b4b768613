"""Pictures as data and as text: nothing is lost, what is repeated is folded, and text stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path

import pytest

from archdsl.compiler import Compilation
from archdsl.diagnostics.textwidth import printable
from archdsl.emit.diagram import Diagram, View, build, dot, mermaid
from archdsl.emit.diagram.dot import branches, quoted
from archdsl.emit.diagram.layout import picture, titled
from archdsl.emit.diagram.mermaid import escaped
from archdsl.emit.diagram.model import Cluster, Node
from archdsl.emit.diagram.titles import titles_on_top, tokens
from archdsl.graph.model import Network
from archdsl.passes.cost import Cost
from archdsl.passes.place import all_moves, place

SPECS = Path(__file__).parents[2] / "specs"
SHIPPED = [path for path in sorted(SPECS.glob("*.arch")) if "\nnetwork " in path.read_text(encoding="utf-8")]
VIEWS = (View(), View(1), View(2), View(9))


def shipped(name: str, network: str | None = None) -> Network:
    return Compilation.from_path(SPECS / f"{name}.arch").network(network)


def drawn(network: Network, view: View | None = None) -> Diagram:
    return build(network, Cost(network), view)


def spec(body: str) -> Diagram:
    network = Compilation.from_text("network N {\n  input x: [8, 16, 16]\n" + body + "\n}").network()
    return drawn(network)


def lines(diagram: Diagram) -> list[tuple[str, str, int]]:
    return [(line.name, line.call, node.times) for node in diagram.nodes for line in node.lines]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_layer_is_there_at_every_depth(path: Path) -> None:
    for network in Compilation.from_path(path).networks:
        for view in VIEWS:
            diagram = drawn(network, view)
            assert diagram.layers == network.scope.layers, view


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_arrows_join_boxes_and_nothing_hangs_loose(path: Path) -> None:
    for network in Compilation.from_path(path).networks:
        for view in VIEWS:
            diagram = drawn(network, view)
            ids = [node.id for node in diagram.nodes]
            assert len(set(ids)) == len(ids)
            assert {end for edge in diagram.edges for end in (edge.source, edge.target)} == set(ids)
            assert all(edge.source != edge.target for edge in diagram.edges)


def test_the_35_equal_blocks_of_a_stage_are_one_box() -> None:
    found = lines(drawn(shipped("resnet152"), View(2)))
    assert [each for each in found if each[1].startswith("bottleneck(256")] == [
        ("", "bottleneck(256, stride=2)", 1),
        ("", "bottleneck(256)", 35),
    ]


def test_a_module_that_is_opened_stands_alone() -> None:
    diagram = drawn(shipped("resnet152"), View(2, open=(("layer3", "5"),)))
    assert [node.times for node in diagram.nodes if node.lines[0].call == "bottleneck(256)"] == [4, 30]
    assert [c.title for c in diagram.clusters if c.title == "bottleneck(256)"] == ["bottleneck(256)"]
    assert diagram.layers == shipped("resnet152").scope.layers


def test_what_is_opened_shows_its_groups() -> None:
    titles = [c.title for c in drawn(shipped("googlenet"), View(1, open=(("inception4c",),))).clusters]
    assert sorted(titles) == sorted(
        ["inception4c = inception(128, 128, 256, 24, 64, 64)", "branch2", "branch3", "branch4"]
    )


def test_layers_of_a_dense_block_fold_under_the_names_of_the_first_and_the_last() -> None:
    clusters = {c.title: c.times for c in drawn(shipped("densenet201")).clusters}
    assert clusters["denselayer1 … denselayer48 = dense_layer(32)"] == 48


def test_as_much_is_opened_as_stays_readable_and_each_block_once() -> None:
    titles = [c.title for c in drawn(shipped("googlenet")).clusters]
    assert "inception3a = inception(64, 96, 128, 16, 32, 32)" in titles
    assert not any(title.startswith("inception3b") for title in titles)


def test_only_what_is_equal_and_follows_is_folded() -> None:
    assert [times for *_, times in lines(spec("conv(8, 3)\nconv(8, 3)\nconv(8, 1)\nconv(8, 3)"))] == [1, 2, 1, 1, 1]
    apart = lines(spec("a = conv(8, 1)\nb = x -> conv(8, 1)\nconcat(a, b)"))
    assert [times for *_, times in apart] == [1] * len(apart)
    tapped = lines(spec("a = conv(8, 1)\nb = conv(8, 1)\nc = conv(8, 1)\nconcat(a, b, c)"))
    assert [times for *_, times in tapped] == [1] * len(tapped)
    turns = [c for c in spec("repeat 3 { conv(8, 1); maxpool(2) }").clusters if c.turns]
    assert [(c.times, len(c.children)) for c in turns] == [(3, 2)]


def test_a_pooling_and_what_undoes_it_have_one_arrow() -> None:
    diagram = spec("pool = maxpool(2)\nconv(8, 3, padding=1)\nmax_unpool(pool)")
    pairs = [(edge.source, edge.target) for edge in diagram.edges]
    assert len(pairs) == len(set(pairs)) == 5


def test_layers_that_keep_the_shape_stand_in_the_box_before_unless_others_see_that_too() -> None:
    diagram = spec("conv(8, 1)\nbatchnorm\nrelu")
    assert [[line.call for line in node.lines] for node in diagram.nodes][1] == ["conv(8, 1)", "batchnorm", "relu"]
    seen = spec("a = conv(8, 1)\nrelu\nadd(a, x)")
    assert ["conv(8, 1)", "relu"] not in [[line.call for line in node.lines] for node in seen.nodes]


def svg_of(name: str) -> str:
    diagram = drawn(shipped(name))
    return titled(picture(dot(diagram), "svg"), diagram).decode()


def test_branches_stand_in_the_order_of_the_spec() -> None:
    at = {text: float(x) for x, text in re.findall(r'<text [^>]*x="([-\d.]+)"[^>]*>([^<]*)<', svg_of("googlenet"))}
    assert at["branch1"] < at["branch2"] < at["branch3"] < at["branch4"]
    assert list(branches(spec("a = relu\nconcat { a -> conv(4, 1); a -> tanh; a }"))) == [["n3", "n4"]]


@pytest.mark.parametrize("name", ["googlenet", "alexnet", "unet"])
def test_arrows_pass_behind_the_titles_of_frames(name: str) -> None:
    """A title is a box of its frame's colour, drawn after all arrows; a frame itself has no text."""
    svg = svg_of(name)
    frames = re.findall(r'<g id="\w+" class="cluster">.*?</g>', svg, re.DOTALL)
    after = svg[svg.rindex('class="edge"') :]
    titles = re.findall(r'<!-- title_cluster_\w+ -->\n<g id="\w+" class="node">.*?</g>', after, re.DOTALL)
    assert frames and len(titles) == len(frames) and not any("<text" in frame for frame in frames)

    def fills(parts: list[str]) -> list[str]:
        return sorted(re.findall(r'<(?:polygon|path) fill="(#\w+)"', part)[0] for part in parts)

    assert fills(titles) == fills(frames)


def test_skips_and_shapes_are_on_the_arrows() -> None:
    diagram = spec("residual { conv(8, 3, padding=1) }\nmaxpool(2)")
    assert [edge.kind for edge in diagram.edges].count("skip") == 1
    assert [edge.label for edge in diagram.edges] == ["8×16×16", "8×16×16", "", "8×16×16", "8×8×8"]


def test_devices_are_frames_and_moves_are_marked() -> None:
    diagram = drawn(shipped("alexnet", "AlexNet"))
    assert {c.device for c in diagram.clusters} == {None, 0, 1}
    stands = {}
    todo: list[tuple[Node | Cluster, int | None]] = [(child, None) for child in diagram.children]
    while todo:
        child, around = todo.pop()
        if isinstance(child, Cluster):
            todo += [(inner, child.device if child.device is not None else around) for inner in child.children]
        else:
            stands[child.id] = child.device if child.lines[0].family == "input" else around
            assert child.device == stands[child.id], child.lines[0]
    moves = [edge for edge in diagram.edges if edge.kind == "move"]
    assert len(moves) == len(list(all_moves(place(shipped("alexnet", "AlexNet"))))) == 8
    assert all({stands[edge.source], stands[edge.target]} == {0, 1} for edge in moves)


def test_an_input_says_its_device_and_moves_from_there() -> None:
    text = """network Net {
  input x: [3, 8, 8]
  input y: [4, 8, 8] on gpu(1)
  b = x -> conv(4, 1) on gpu(2)
  c = y -> conv(4, 1) on gpu(1)
  d = add(c, b, y) on gpu(0)
  z = x -> residual { conv(3, 1) } on gpu(3)
  output d
  output z
}
"""
    network = Compilation.from_text(text).network()
    diagram = drawn(network)
    box = {node.id: node for node in diagram.nodes}
    called = [node.lines[0].call for node in diagram.nodes if node.lines[0].family == "input"]
    assert called == ["input on gpu(0)", "input on gpu(1)"]
    moved = {(box[edge.source].lines[0].name, box[edge.target].device) for edge in diagram.edges if edge.kind == "move"}
    assert moved == {("x", 2), ("b", 0), ("c", 0), ("y", 0), ("x", 3)}
    assert len(list(all_moves(place(network)))) == 5
    assert mermaid(diagram).count("-.->") == 6  # the residual's body reads its input, and so does its end


HOSTILE = ['a"b', "a\\", '\\"', "<b>&amp;</b>", "]; x [", "é 层 \u202e", "a\nb", "\x1b[31m", "--> end", "%%{init}%%"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text_in_dot(text: str) -> None:
    told = quoted(text)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', told)
    if text.isprintable():
        assert told[1:-1].replace('\\"', '"').replace("\\\\", "\\") == text


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text_in_mermaid(text: str) -> None:
    told = escaped(text)
    assert not set(told) & set('"<>&`\n\x1b%{}|\\')
    if text.isprintable():
        assert unescape(re.sub(r"#(\d+);", r"&#\1;", told)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_graphviz_takes_any_text(text: str) -> None:
    diagram = spec("conv(8, 1)\nblurr = conv(8, 3)")
    for node in diagram.nodes:
        node.lines[0] = type(node.lines[0])(text, text, text, text, 1)
    diagram.caption[0] = text
    assert picture(dot(diagram), "svg").count(b'class="node"') == len(diagram.nodes)
    line = r'  (n\d+\["[^"<>]*(<br/>[^"<>]*)*"\]:::\w+|n\d+ -->(\|"[^"]*"\|)? n\d+|(caption|style|classDef).*)'
    assert all(re.fullmatch(line, each) for each in mermaid(diagram).splitlines()[1:])


BREAKING = (
    'a"b',
    "a, b",
    "];",
    "a\n];\n",
    'label="x",\nlp="1,1"];',
    "} {",
    "a -> b;",
    "\\",
    '\\"',
    "<b>",
    "cluster_ subgraph",
)


@pytest.mark.parametrize("text", BREAKING)
def test_titles_of_frames_are_any_text(text: str) -> None:
    """The picture is drawn with the whole title, in one box of its own."""
    diagram = spec("repeat 3 { conv(8, 1); maxpool(2) }")
    (frame,) = diagram.clusters
    frame.title, frame.tooltip = text, text
    svg = titled(picture(dot(diagram), "svg"), diagram).decode()
    assert svg.count('class="node"') == len(diagram.nodes) + 1
    (title,) = re.findall(r"<!-- title_cluster_\w+ -->\n<g [^>]*>(.*?)</g>", svg, re.DOTALL)
    words = "".join(re.findall(r"<text [^>]*>([^<]*)</text>", title))
    assert re.sub(r"\s", "", unescape(words)) == re.sub(r"\s", "", printable(text)) + "×3"


@pytest.mark.parametrize("text", BREAKING)
def test_a_string_of_dot_is_one_token(text: str) -> None:
    for string in (quoted(text), quoted(text).replace("\\n", "\n"), f"<<B>{escape(text)}</B>>"):
        placed = (
            f"digraph N {{\n\tsubgraph cluster_a {{\n\t\tgraph [label={string},\n\t\t\tfillcolor=red,\n"
            f'\t\t\tfontsize=11,\n\t\t\tlp="1,2",\n\t\t\ttooltip={string}];\n\t\ta -> b;\n\t}}\n}}\n'
        )
        assert string in tokens(placed) and "".join(tokens(placed)) == placed
        told = placed.replace(f"label={string}", 'label=""').replace("\n\t\ta -> b;", "")
        title = (
            f'  title_cluster_a [pos="1,2", shape=plain, style=filled, label={string}, fontsize=11, fillcolor=red]\n'
        )
        assert titles_on_top(placed) == f"{told[:-2]}{title}}}\n"


@pytest.mark.parametrize(("name", "network"), [("alexnet", "AlexNet"), ("resnet152", "ResNet152")])
@pytest.mark.parametrize(("write", "suffix"), [(dot, "dot"), (mermaid, "mmd")])
def test_golden(
    name: str, network: str, write: Callable[[Diagram], str], suffix: str, golden: Callable[[str, str], None]
) -> None:
    golden(write(drawn(shipped(name, network))), f"diagram/{network}.{suffix}")
