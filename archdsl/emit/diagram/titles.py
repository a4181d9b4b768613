"""The titles of frames, in a graph that Graphviz has laid out.

Graphviz draws a frame's title with the frame, and arrows over it; boxes come last, so that arrows pass behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\s+|[^\s"<\[\]{};,=]+|.', re.DOTALL)
ANGLE = re.compile("[<>]")
TITLE = {"pos": "lp", "label": "label", "fontsize": "fontsize", "fillcolor": "fillcolor"}  # of the box, of the frame


def titles_on_top(placed: str) -> str:
    """A graph whose frames have their titles as boxes of their own, in the place that Graphviz gave them.

    `placed` is DOT with positions, as Graphviz writes it.
    """
    out: list[str] = []
    titles: list[str] = []
    frame = ""  # the one that has just been opened
    for statement in statements(placed):
        match [token for token in statement if not token.isspace()]:
            case [_, "->", _, ";"]:  # an arrow again, that has its attributes elsewhere
                continue
            case ["subgraph", name, "{"] if name.startswith("cluster_"):
                frame = name
            case ["graph", "[", *_] if frame:
                told = {statement[i - 1]: i + 1 for i, token in enumerate(statement) if token == "="}
                if "lp" in told:
                    pos, *words = (f"{key}={statement[told[of]]}" for key, of in TITLE.items())
                    titles.append(f"  title_{frame} [{pos}, shape=plain, style=filled, {', '.join(words)}]\n")
                if "label" in told:
                    statement[told["label"]] = '""'
                frame = ""
        out += statement
    end = max(i for i, token in enumerate(out) if token == "}")
    return "".join([*out[:end], *titles, *out[end:]])


def statements(text: str) -> Iterator[list[str]]:
    """The tokens of each statement with its `;`, and of what opens or closes a graph. Joined, they are the text."""
    statement: list[str] = []
    for token in tokens(text):
        statement.append(token)
        if token in (";", "{", "}"):
            yield statement
            statement = []
    yield statement


def tokens(text: str) -> Iterator[str]:
    """The tokens of DOT and the white space between them: a string, quoted or in angle brackets, is one token."""
    at = 0
    while found := TOKEN.match(text, at):
        end = _closed(text, at) if found[0] == "<" else found.end()
        yield text[at:end]
        at = end


def _closed(text: str, start: int) -> int:
    """Where the string in angle brackets ends that starts there: they nest."""
    depth = 0
    for angle in ANGLE.finditer(text, start):
        depth += 1 if angle[0] == "<" else -1
        if not depth:
            return angle.end()
    return len(text)
