"""Expressions as Python: what is written has the value that was calculated, however it is nested."""

from __future__ import annotations

import operator
import random
from typing import Any

import pytest

from archdsl.diagnostics import Sink
from archdsl.emit.torch.say import Variables
from archdsl.graph.traced import Ref, Traced
from archdsl.source import Source
from archdsl.syntax import parse, tree

CALCULATE = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod}
NAMES = {"a": 7, "b": 3, "c": 10, "d": 2}


def nested(random: random.Random, variables: dict[str, Traced], depth: int) -> Any:
    """A calculation with traced ints."""
    if depth == 0 or random.random() < 0.2:
        return random.choice([*variables.values(), 2, 5])
    op = random.choice(list(CALCULATE))
    left, right = (nested(random, variables, depth - 1) for _ in range(2))
    return CALCULATE[op](left, right) if op in "+-*" or right != 0 else left


def test_traced_ints() -> None:
    draw = random.Random(1)
    refs = {name: Ref(name, value) for name, value in NAMES.items()}
    said = Variables()
    said.names = {ref: name for name, ref in refs.items()}
    for _ in range(800):
        value = nested(draw, {name: Traced(ref.origin, ref) for name, ref in refs.items()}, 4)
        assert eval(said.say(value), dict(NAMES)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda a, b: 2 * (a // 2), "2 * (a // 2)"),
        (lambda a, b: a * (b % 2), "a * (b % 2)"),
        (lambda a, b: a // (2 * b), "a // (2 * b)"),
        (lambda a, b: a * (b * 3), "a * b * 3"),
        (lambda a, b: a + (b - 2), "a + b - 2"),
        (lambda a, b: a - (b - 2), "a - (b - 2)"),
        (lambda a, b: a * (0 - b), "a * (-b)"),
        (lambda a, b: -(-(2 * a) // 2), "a"),
        (lambda a, b: -(-a // 2) * b, "-(-a // 2) * b"),
    ],
)
def test_parentheses(value: Any, text: str) -> None:
    a, b = Ref("a", 7), Ref("b", 3)
    said = Variables()
    said.names = {a: "a", b: "b"}
    assert said.say(value(Traced(7, a), Traced(3, b))) == text


def written(text: str) -> tree.Expr:
    """The syntax tree of an expression."""
    unit = parse(Source("text", f"block b(x={text}) {{ relu }}"), Sink())
    default = unit.definitions[0].params[0].default
    assert default is not None
    return default


def spelled(random: random.Random, depth: int, kind: str) -> str:
    """An expression of numbers or of truths, with parentheses around every part."""
    if kind == "number":
        if depth == 0 or random.random() < 0.2:
            return random.choice([*NAMES, "2", "5"])
        if random.random() < 0.2:
            return f"(-{spelled(random, depth - 1, kind)})"
        op = random.choice(["+", "-", "*", "//", "%"])
        right = spelled(random, depth - 1, kind) if op in "+-*" else random.choice(["(a // 3)", "(b * 2)", "d", "(-c)"])
        return f"({spelled(random, depth - 1, kind)} {op} {right})"
    if depth == 0 or random.random() < 0.4:
        first, second = (spelled(random, 2, "number") for _ in range(2))
        third = f" <= {spelled(random, 1, 'number')}" if random.random() < 0.3 else ""
        return f"({first} {random.choice(['<', '>=', '==', '!='])} {second}{third})"
    if random.random() < 0.3:
        return f"(not {spelled(random, depth - 1, kind)})"
    op = random.choice(["and", "or", "=="])
    return f"({spelled(random, depth - 1, kind)} {op} {spelled(random, depth - 1, kind)})"


def test_syntax_trees() -> None:
    draw = random.Random(2)
    said = Variables()
    said.names = {Ref(name, value): name for name, value in NAMES.items()}
    for kind in ("number", "truth"):
        for _ in range(150):
            text = spelled(draw, 3, kind)
            assert eval(said.translate(written(text)), dict(NAMES)) == eval(text, dict(NAMES)), text


@pytest.mark.parametrize("text", ["1..4", "a..c", "b - 1..c - 1", "a..c + 1", "(a..c)[d]", "-a // b..c % b"])
def test_ranges(text: str) -> None:
    said = Variables()
    said.names = {Ref(name, value): name for name, value in NAMES.items()}
    first, _, last = text.strip("()").replace(")[d]", "").partition("..")
    expected: Any = range(eval(first, dict(NAMES)), eval(last, dict(NAMES)) + 1)
    if text.startswith("("):
        expected = expected[NAMES["d"]]
    assert eval(said.translate(written(text)), dict(NAMES)) == expected
