"""How text looks in a terminal: columns, not characters; and nothing in it that a terminal would obey."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

TAB = 4
_WITHOUT_WIDTH = frozenset({"Mn", "Me"})
_NO_CHARACTERS = "\ufffe\uffff"  # which XML, and so an SVG, refuses
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls (bidirectional ones too), surrogates, line separators


def cells(text: str) -> Iterator[tuple[str, int]]:
    """Each character as it is shown and the columns it takes: tabs as spaces, control characters escaped."""
    column = 0
    for char in text:
        if " " <= char <= "~":
            shown, width = char, 1
        elif char == "\t":
            width = TAB - column % TAB
            shown = " " * width
        else:
            shown, width = _cell(char)
        column += width
        yield shown, width


def _cell(char: str) -> tuple[str, int]:
    category = unicodedata.category(char)
    if category in _UNSHOWN or char in _NO_CHARACTERS:
        shown = f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
        return shown, len(shown)
    if category in _WITHOUT_WIDTH:
        return char, 0
    return char, 2 if unicodedata.east_asian_width(char) in "WF" else 1


def printable(text: str) -> str:
    """A text of one or several lines, with all else that is not for reading escaped."""
    return "\n".join("".join(shown for shown, _ in cells(line)) for line in text.split("\n"))


class Window:
    """What is shown of a line in `width` columns: all, or the part around `focus` (a character) between two `…`."""

    def __init__(self, line: str, focus: int, width: int) -> None:
        focus = min(focus, len(line))
        skipped = max(0, focus - width)  # however long the line, only this much of it is looked at
        if len(line) <= 2 * width:
            skipped = 0
        shown = list(cells(line[skipped : skipped + 2 * width + 1]))
        first, last, used = 0, len(shown), sum(size for _, size in shown)
        cut = skipped > 0 or skipped + len(shown) < len(line) or used > width
        if cut:
            first = last = focus - skipped
            used, room = 0, width - 2
            while first > 0 and used + shown[first - 1][1] <= room // 3:
                first -= 1
                used += shown[first][1]
            while last < len(shown) and used + shown[last][1] <= room:
                used += shown[last][1]
                last += 1
            while first > 0 and used + shown[first - 1][1] <= room:
                first -= 1
                used += shown[first][1]
        before, after = skipped + first > 0, skipped + last < len(line)
        body = "".join(text for text, _ in shown[first:last])
        self.text = ("…" if before else "") + body + ("…" if after else "")
        self._first = skipped + first
        self._columns = [int(before)]
        for _, size in shown[first:last]:
            self._columns.append(self._columns[-1] + size)

    def column(self, character: int) -> int:
        """Where a character of the line stands, or the nearest place that is shown."""
        return self._columns[min(max(character - self._first, 0), len(self._columns) - 1)]
