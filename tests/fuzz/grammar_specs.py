"""Specs made from the grammar by Hypothesis: every text that it allows, and, more often, networks of plausible words.

The grammar knows `name(args)` only. So the words come from lists: names of layers, blocks, arguments and values.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark
from seeds import small

import archdsl.grammars
from archdsl.layers import registry

if TYPE_CHECKING:
    from watch import Watch

ROUND = 400  # inputs before Hypothesis starts anew: it remembers all that it has tried
LEAST = 20  # of a round: the first input of each is the same

_KEYWORDS = """
    AND AS BLOCK ELSE EXPECT FALSE FOR FROM IF IMPORT IN INIT INPUT LET NETWORK NONE NOT ON OR OUTPUT PROJECT
    REPEAT SHARED SHORTCUT TRAINING TRUE WHERE
"""
KEYWORDS = _KEYWORDS.split()
JOINS = ["concat", "add", "mul", "parallel", "residual", "dense", "gate"]
VALUES = ["x", "y", "image", "H", "W", "C", "Net", "part", "a", "b", "i", "classes", "width"]
_ARGUMENTS = """
    channels kernel stride padding dilation groups bias eps p size to scale axis dims start stop parts mode
    height depth rank params macs shape memory receptive gpu range len min max zip enumerate round sum floor
    ceil int float value
"""
ARGUMENTS = _ARGUMENTS.split()


def words() -> dict[str, st.SearchStrategy[str]]:
    """A strategy for each terminal whose pattern would give noise, set apart by blanks."""
    names = st.sampled_from(VALUES) | st.sampled_from(registry.names()) | st.sampled_from(JOINS + ARGUMENTS)
    texts = st.sampled_from(['""', '"same"', '"""doc"""', '"linear"', '"zeros"', '"a.arch"', r'"\n\u00e9\""'])
    return {
        **{word: st.just(f" {word.lower()} ") for word in KEYWORDS},
        "AT": st.just(" at "),
        "NAME": names.map(lambda name: f" {name} "),
        "EXPR": expressions(),
        "BODY": st.sampled_from(["{ }", "{ relu }", "{ a = relu; x -> conv(8, 1) }", "{ conv(i, 3); output b = a }"]),
        "SIZE": st.sampled_from([" 1x1 ", " 3x3 ", " 1x7 ", " 2x2x2 ", " 0x0 ", " 64x64 "]),
        "STRING": texts,
        "_NL": st.sampled_from(["\n", ";", "\n# note\n"]),
    }


@cache
def from_grammar(start: str) -> st.SearchStrategy[str]:
    """What a rule of the grammar allows.

    Chosen evenly, the rules lead to ever longer texts. So expressions and the bodies within bodies are terminals here.
    """
    folder = archdsl.grammars.__file__
    assert folder is not None
    text = Path(folder).with_name("arch.lark").read_text(encoding="utf-8")
    text = text.replace("%ignore", "//")  # blanks are in the words
    before, rest = text.split("?expr:")
    after = "_list{item}:" + rest.split("_list{item}:")[1]
    lines = [
        line if line.startswith(("body:", "definition:")) else re.sub(r"\bbody\b", "BODY", line)
        for line in before.splitlines()
    ]
    before = "\n".join(lines) + "\n"
    text = f"{before}expr: EXPR\nsum: EXPR\n{after}\n%declare EXPR BODY\n"
    lark = Lark(text, parser="lalr", start=start)
    reached = {symbol.name for rule in lark.rules for symbol in rule.expansion if symbol.is_term}
    return from_lark(lark, start=start, explicit={name: word for name, word in words().items() if name in reached})


def expressions() -> st.SearchStrategy[str]:
    """Expressions of up to a few operators."""
    atoms = st.sampled_from([*VALUES, "in", "in.channels", "x.height", "true", "none", '"same"', "3x3", "[]", "[1, 2]"])
    return st.recursive(atoms | _numbers(), _compound, max_leaves=4)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ["+", "-", "*", "/", "//", "%", "..", "==", "!=", "<", "<=", ">", ">=", "and", "or"]
    return (
        st.builds("{} {} {}".format, inner, st.sampled_from(operators), inner)
        | st.builds("{}{}".format, st.sampled_from(["-", "+", "not "]), inner)
        | st.builds(
            "{}({}, {})".format, st.sampled_from(["min", "range", "zip", "enumerate", "round", "f"]), inner, inner
        )
        | st.builds("{}[{}]".format, inner, inner)
        | st.builds("({}).{}".format, inner, st.sampled_from(ARGUMENTS))
    )


def _numbers() -> st.SearchStrategy[str]:
    return st.integers(0, 9).map(str) | st.sampled_from(["64", "0.5", "1e-3", "2K", "1_000", "9" * 20, "1e400"])


def calls() -> st.SearchStrategy[str]:
    """Calls of layers that are right somewhere, some with another number in them."""
    known = [layer for name in registry.names() if (layer := registry.find(name))]
    right = st.sampled_from([example.call for layer in known for example in layer.examples])
    convs = st.builds("conv({}, {}, stride={}, padding={})".format, *map(st.integers, (1, 1, 1, 0), (9, 5, 3, 3)))
    return convs | right | expressions().map("conv({}, 1)".format)


def statements() -> st.SearchStrategy[str]:
    """A statement of a body, with further bodies in it."""
    names = st.sampled_from([*VALUES, "a[i]", "b[1]"])
    flows = st.lists(calls(), min_size=1, max_size=3).map(" -> ".join)
    labelled = st.builds("{} = {}".format, names, flows)
    joined = st.builds("{}({}, {})".format, st.sampled_from(["add", "concat", "mul"]), names, names)
    plain = flows | labelled | joined | from_grammar("chain")
    return st.recursive(plain, _nested, max_leaves=8)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    heads = (*JOINS, "a =", "a = concat", "repeat 2", "repeat x.channels", "for i in 1..3", "if i > 1", "training", "")
    bodies = st.lists(inner, max_size=3).map(lambda lines: "{ " + "; ".join(lines) + " }")
    tails = st.sampled_from(["", "", "", " project", " shortcut { relu }", " project p = conv(8, 1)", " on gpu(1)"])
    return st.builds("{} {}{}".format, st.sampled_from(heads), bodies, tails)


def networks() -> st.SearchStrategy[str]:
    """A file with one network, and perhaps a block."""
    shapes = st.sampled_from(
        ["[3, H, W]", "[8, H=32, W=32]", "[4, 16, 16]", "[8, H, H]", "[6, L]", "[10]", "[4, D, H, W]"]
    )
    promises = st.just("") | expressions().map(" where {}".format)
    claims = st.just("") | expressions().map("\n  expect params > {}".format)
    bodies = st.lists(statements(), min_size=1, max_size=6).map("\n  ".join)
    network = st.builds("network Net(i=2) {{\n  input x: {}{}\n  {}{}\n}}\n".format, shapes, promises, bodies, claims)
    return network | st.builds("block part(a=1, b: value = x) {{\n  {}\n}}\n{}".format, bodies, network)


def grammar_specs(seed: int, watch: Watch) -> None:
    """Hands inputs over until there are enough."""
    texts = from_grammar("start") | networks() | networks() | st.sampled_from(small())
    while not watch.enough:
        _round(texts, seed, watch)
        seed += 1_000_003


def _round(texts: st.SearchStrategy[str], seed: int, watch: Watch) -> None:
    @seeded(seed)
    @settings(
        max_examples=max(LEAST, min(ROUND, watch.count - watch.report.inputs)),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(texts)
    def run(text: str) -> None:
        watch(text.encode("utf-8", "surrogatepass"))

    run()
