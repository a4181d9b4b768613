"""The values of numbers, sizes and strings. What is out of bounds is reported, and read as something harmless."""

from __future__ import annotations

import math
import re

from archdsl.diagnostics import Sink
from archdsl.source import Span

MAX_DIGITS = 30
_SUFFIXES = {"K": 3, "M": 6, "G": 9}
_NUMBER = re.compile(r"([0-9]+)(\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?([KMG]?)")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def number(text: str, span: Span, sink: Sink) -> int | float:
    """An int where the author wrote one (`64`, `25_557_032`, `1e9`, `1.6G`), else a float."""
    if text.isdigit() and len(text) <= MAX_DIGITS:
        return int(text)
    match = _NUMBER.fullmatch(text.replace("_", ""))
    assert match is not None, text
    whole, fraction, exponent, suffix = match.groups()
    if fraction is None or suffix:
        digits = (whole + (fraction or ".")[1:]).lstrip("0")
        zeros = int((exponent or "0")[:6]) + _SUFFIXES.get(suffix, 0) - len((fraction or ".")[1:])
        if zeros < 0:
            kept = digits.rstrip("0")
            digits, zeros = kept, min(0, zeros + len(digits) - len(kept))
        if not digits:
            return 0
        if zeros >= 0:
            if len(digits) + zeros > MAX_DIGITS:
                return _too_large(span, sink)
            return int(digits + "0" * zeros)
    value = float(f"{whole}{fraction or ''}e{exponent or 0}") * 10 ** _SUFFIXES.get(suffix, 0)
    return value if math.isfinite(value) else _too_large(span, sink)


def positions(text: str, span: Span, sink: Sink) -> list[str]:
    """The positions of layers that stand behind a dot: of `features.0.1`, the lexer takes `0.1` for one number."""
    found = text.split(".")
    if not all(each.isdigit() and str(int(each)) == each for each in found if len(each) <= MAX_DIGITS):
        sink.add("E0002", f"`{text}` is no position of a layer", span, help=["layers are counted from 0: `features.3`"])
    return found


def size(text: str, span: Span, sink: Sink) -> tuple[int, ...]:
    """`3x224x224`."""
    parts = text.split("x")
    if any(len(part) > MAX_DIGITS for part in parts):
        return (_too_large(span, sink),) * len(parts)
    return tuple(map(int, parts))


def string(text: str, span: Span, sink: Sink) -> str:
    '''The text of `"…"`, with its escapes, or of `"""…"""`, as it stands.'''
    if text.startswith('"""'):
        return text[3:-3].replace("\r\n", "\n")
    if "\\" not in text:
        return text[1:-1]

    def unescape(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ESCAPED:
            return _ESCAPED[code]
        if len(code) == 5 and not 0xD800 <= int(code[1:], 16) <= 0xDFFF:
            return chr(int(code[1:], 16))
        start = span.start + 1 + match.start()
        here = Span(span.source, start, start + len(match[0]))
        sink.add(
            "E0002",
            "this escape is not known",
            here,
            help=[r"the escapes are \n, \t, \", \\ and \u with the four hexadecimal digits of a character"],
        )
        return ""

    return _ESCAPE.sub(unescape, text[1:-1])


def _too_large(span: Span, sink: Sink) -> int:
    sink.add("E0202", "this number is too large", span, f"a number has at most {MAX_DIGITS} digits")
    return 1
