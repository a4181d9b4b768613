"""Random expressions: all operators, in all places, of what a scope has."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from whole.knowledge import Block, Scope

T = TypeVar("T")


class Expressions:
    """Chance, and texts of numbers, truths and lists."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rank = self.random.choice([1, 2, 2, 2, 2, 3])
        self.hints = self.random.random() < 0.2
        self.inits = self.random.random() < 0.3
        self.count = 0
        self.constants = 0
        self.blocks: list[Block] = []
        self.left = 0  # steps that a body may still have

    def one(self, chance: float) -> bool:
        return self.random.random() < chance

    def pick(self, of: Sequence[T]) -> T:
        return self.random.choice(of)

    def fresh(self) -> str:
        self.count += 1
        return f"?{self.count}"

    def token(self, text: str) -> str:
        """The channels that a text stands for, as what compares: `in` is another value elsewhere."""
        return self.fresh() if text == "?" or "in." in text else text

    def atom(self, scope: Scope) -> str:
        found = [str(self.random.randint(1, 6))]
        found += scope.ints * 3 + scope.kernels
        found += [f"{value.name}.channels" for value in scope.values if value.name and not value.vector]
        found += ["in.channels"] * (not scope.vector)
        found += [f"len({name})" for name in scope.lists] + [
            f"{name}[{self.random.choice([0, -1])}]" for name in scope.lists
        ]
        found += [f"({name} + 1)" for name in scope.counters] * 2
        return self.pick(found)

    def number(self, scope: Scope, depth: int = 2) -> str:
        """An integer from 1 on, whatever its parts are. Parentheses stand where Python asks for them, or more."""
        if depth == 0 or self.one(0.45):
            return self.atom(scope)
        a, b = self.number(scope, depth - 1), self.number(scope, depth - 1)
        n, m = self.random.randint(2, 5), self.random.randint(2, 4)
        g = self.group
        forms = [
            f"{a} + {b}",
            f"{a} + {b}",
            f"{m} * {g(a)}",
            f"{g(a)} * {m}",
            f"{m} * ({g(a)} // {m}) + 1",
            f"{m} * ({g(a)} // {m} + 1)",
            f"{m} * {g(a)} // {m}",
            f"{g(a)} * {n} // {m}" if n >= m else f"{g(a)} * {m} // {n}",
            f"{m} * ({g(a)} % {n} + 1)",
            f"{n} * {g(a)} % {m} + 1",
            f"{m} * ({n} * {g(a)} % {n + 1}) + {m}",
            f"{g(a)} % {n} + {m}",
            f"({a} + {n}) // {m} + 1",
            f"{g(a)} // {m} + {b}",
            f"{a} - (1 - {g(b)})",
            f"{n} - ({g(a)} % {n})",
            f"{n + 3} - {g(a)} % 2 - ({g(b)} % 2 - 1)",
            f"-(-{g(a)} // {m})",
            f"-{g(a)} % {n} + 1",
            f"max({a}, {b})",
            f"max(1, {a} - {g(b)})",
            f"min({a}, {b})",
            f"min({a} + 1, {b} * {m}, {n + 5})" if self.simple(b) else f"min({a} + 1, {n + 5})",
            f"abs({a} - {g(b)}) + 1",
            f"abs(-{g(a)})",
            f"+{g(a)}",
            f"round({g(a)} / {m}) + 1",
            f"ceil({g(a)} / {m})",
            f"floor({g(a)} / {m}) + 1",
            f"round({g(a)} * 1.5)",
            f"sum([{a}, {b}])",
            f"len([{a}, {b}])",
            f"[{a}, {b}][{self.pick([0, 1, -1])}]",
        ]
        forms += [f"sum({name})" for name in scope.lists] + [f"max({name})" for name in scope.lists]
        text = self.pick(forms)
        return f"({text})" if self.one(0.1) else text

    @staticmethod
    def simple(text: str) -> bool:
        return text.replace("_", "a").replace(".", "a").isalnum()

    def group(self, text: str) -> str:
        """An operand of a product, a power or a sign."""
        return (
            text if self.simple(text) or (text[0] == "(" and text[-1] == ")" and text.count("(") == 1) else f"({text})"
        )

    def width(self, scope: Scope) -> str:
        """Channels: kept small where they could grow."""
        text = self.number(scope)
        if len(text) > 14 and self.one(0.7):
            return self.pick([f"min({text}, 9)", f"({text}) % 7 + 1", f"1 + ({text}) % 6"])
        return text

    def condition(self, scope: Scope, depth: int = 1) -> str:
        a = self.number(scope, 1)
        n = self.random.randint(1, 6)
        forms = [
            f"{a} {self.pick(['<', '<=', '>', '>=', '==', '!='])} {n}",
            f"1 < {a} <= {n + 1}",
            f"{self.group(a)} % 2 == 0",
        ]
        forms += list(scope.flags) * 3 + [f"not {name}" for name in scope.flags]
        forms += [f"{name} {self.pick(['==', '>'])} {self.pick([0, 1, 2])}" for name in scope.counters] * 2
        forms += [f"{name} > 0.2" for name in scope.floats]
        if depth:
            left, right = self.condition(scope, depth - 1), self.condition(scope, depth - 1)
            forms += [f"{left} and {right}", f"{left} or {right}", f"not ({left})", f"not ({left} or {right}) and true"]
        return self.pick(forms)

    def truth(self, scope: Scope) -> str:
        forms = ["true", "false", "false", *scope.flags * 3, *(f"not {name}" for name in scope.flags)]
        if self.one(0.2):
            forms.append(self.condition(scope, 0))
        return self.pick(forms)

    def fraction(self, scope: Scope) -> str:
        """A float from 0 to 1."""
        forms = ["0.0", "0.1", "0.25", "0.5"]
        for name in scope.floats:
            forms += [
                name,
                name,
                f"{name} / 2",
                f"1 - {name}",
                f"min({name}, 0.5)",
                f"0.5 * {name}",
                f"abs({name} - 0.75)",
            ]
        forms += [f"0.1 * ({name} + 1)" for name in scope.counters] * 2 + [f"{name} / 8" for name in scope.counters]
        forms += [f"1 / ({name} + 1)" for name in scope.ints[:1]]
        return self.pick(forms)

    def listed(self, scope: Scope) -> str:
        forms = ["[2, 4]", "[3, 5, 2]", "[4]", "[1, 2, 3]", *scope.lists * 3]
        if self.one(0.3):
            forms.append(f"[{self.number(scope, 1)}, {self.number(scope, 1)}]")
        return self.pick(forms)
