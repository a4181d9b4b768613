"""Findings as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

`::error file=specs/a.arch,line=3,col=5,endLine=3,endColumn=9,title=E0310::message`, a line for each finding.
"""

from __future__ import annotations

import os

from archdsl.cli.files import STDIN
from archdsl.cli.findings import explained, from_here
from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.textwidth import printable
from archdsl.source import Span

# What would end a message, and what would end a property of it.
_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_MESSAGE, **str.maketrans({":": "%3A", ",": "%2C"})}


def annotation(found: Diagnostic) -> str:
    """The command for one finding."""
    message = explained(found, [f"{_line(each.span, found.span)}: {each.text}" for each in found.labels if each.text])
    place = _place(found.span)
    if not place:
        line, column = found.span.source.position(found.span.start)
        message = f"{printable(found.span.source.path)}:{line}:{column}: {message}"
    properties = {**place, "title": found.code}
    told = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items())
    return f"::{found.severity} {told}::{message.translate(_MESSAGE)}"


def _place(span: Span) -> dict[str, str]:
    """Where a finding is shown; nothing for standard input, which is no file of the repository.

    A file outside of the current folder gets its whole path: GitHub's runner finds the repository's part of it. Columns
    are given within one line only, since the runner takes no others.
    """
    path = span.source.path
    if path == STDIN:
        return {}
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    place = {"file": from_here(path) or os.path.realpath(path), "line": str(line)}
    if line == end_line:
        return {**place, "col": str(column), "endLine": str(end_line), "endColumn": str(end_column)}
    return {**place, "endLine": str(end_line)}


def _line(span: Span, primary: Span) -> str:
    """`line 12`, with the file if it is not the one that the finding is in."""
    if span.source is primary.source:
        return f"line {span.line}"
    return f"{span.source.path}, line {span.line}"
