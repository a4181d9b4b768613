"""Findings as a SARIF 2.1.0 log, the format of code scanning.

The standard is OASIS's: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. Columns count UTF-16 code
units, its usual unit, which `columnKind` states.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import archdsl
from archdsl.cli.files import STDIN
from archdsl.cli.findings import explained, from_here
from archdsl.diagnostics import CODES, Diagnostic, Fix, Label
from archdsl.diagnostics.page import Page, page
from archdsl.diagnostics.textwidth import printable
from archdsl.source import Source, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HERE = "%SRCROOT%"  # by custom the folder that a tool runs in; a reader puts its own copy of it there
_RULES = list(CODES)


def log(diagnostics: Sequence[Diagnostic]) -> str:
    """The document, in ASCII, so that it can be printed anywhere."""
    rules = [_rule(page(code)) for code in _RULES]
    run = {
        "tool": {"driver": {"name": "archdsl", "version": archdsl.__version__, "rules": rules}},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {_HERE: {"description": {"text": "The folder that archdsl was run in."}}},
        "results": [_result(each) for each in diagnostics],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(page: Page) -> dict[str, Any]:
    """What a code stands for, with its page, which readers show beside a finding. Its address is that of the page in
    the installed package: the pages are published nowhere else."""
    return {
        "id": page.code,
        "shortDescription": {"text": f"{page.title[0].upper()}{page.title[1:]}."},
        "fullDescription": {"text": page.meaning},
        "help": {"text": page.markdown, "markdown": page.markdown},
        "helpUri": page.path.as_uri(),
        "defaultConfiguration": {"level": "warning" if page.code.startswith("W") else "error"},
    }


def _result(found: Diagnostic) -> dict[str, Any]:
    result = {
        "ruleId": found.code,
        "ruleIndex": _RULES.index(found.code),
        "level": str(found.severity),
        "message": {"text": _plain(explained(found))},
        "locations": [_location(Label(found.span, found.label))],
    }
    if found.labels:
        result["relatedLocations"] = [{"id": i, **_location(label)} for i, label in enumerate(found.labels, 1)]
    if found.fixes:
        result["fixes"] = [_fix(each, found) for each in found.fixes]
    return result


def _fix(fix: Fix, found: Diagnostic) -> dict[str, Any]:
    """A way out as replacements, by file."""
    files: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        replaced = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        files.setdefault(edit.span.source.path, []).append(replaced)
    changes = [{"artifactLocation": _file(path), "replacements": each} for path, each in files.items()]
    return {"description": {"text": _plain(printable(fix.text or found.label))}, "artifactChanges": changes}


def _location(label: Label) -> dict[str, Any]:
    physical = {"artifactLocation": _file(label.span.source.path), "region": _region(label.span)}
    said = {"message": {"text": _plain(label.text)}} if label.text else {}
    return {"physicalLocation": physical, **said}


def _file(path: str) -> dict[str, str]:
    """Relative to the current folder, if the file is in it."""
    here = path if path == STDIN else from_here(path)
    if here is None:
        return {"uri": Path(os.path.realpath(path)).as_uri()}
    return {"uri": quote(os.fsencode(Path(here).as_posix())), "uriBaseId": _HERE}


def _region(span: Span) -> dict[str, int]:
    line, column = _position(span.source, span.start)
    end_line, end_column = _position(span.source, span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _position(source: Source, offset: int) -> tuple[int, int]:
    """Line and column from 1; the column in UTF-16 code units, two for a character outside of the basic plane."""
    line, column = source.position(offset)
    before = source.text[offset - (column - 1) : offset]
    return line, column + sum(char > "\uffff" for char in before)


def _plain(text: str) -> str:
    """A text that is shown as it stands: braces would be placeholders (3.11.5), and `[…](…)` a link (3.11.6)."""
    return re.sub(r"\[(?=[^\]]*\]\()", r"\\[", text.replace("{", "{{").replace("}", "}}"))
