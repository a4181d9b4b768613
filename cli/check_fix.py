"""`archdsl check --fix`: makes the ways out that findings have, and says which.

One is made at a time and the file checked again, in memory: it stays if its finding is gone and there are not more
errors than before. So no two that overlap are made of one check. A file is written once, at the end, whole or not at
all.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path

from archdsl.cli import output
from archdsl.cli.files import Spec
from archdsl.cli.options import count, rendered
from archdsl.cli.output import Failure
from archdsl.compiler import Compilation, errors_of
from archdsl.diagnostics import Diagnostic, Fix, edited
from archdsl.diagnostics.textwidth import printable
from archdsl.source import Span

MOST = 1_000  # fixes of one file

Choose = Callable[[Diagnostic], Fix | None]


@dataclass
class _Fixed:
    """A file, and what became of it."""

    path: str
    before: str
    after: str
    made: list[tuple[Diagnostic, Fix]] = field(default_factory=list)


class Stopped(Exception):
    """Its user wants no further fix."""


def fix(specs: Sequence[Spec], interactive: bool) -> None:
    """Mends what it can and prints what was done. Raises Failure before anything is written if a file cannot be."""
    choose = Asking().choose if interactive else only
    done: list[_Fixed] = []
    try:
        for spec in specs:
            if os.path.isfile(spec.path):
                done.append(_Fixed(spec.path, "", ""))
                _fix(done[-1], spec.compilation, choose)
    except Stopped:
        pass
    changed = [each for each in done if each.made]
    for each in changed:
        _check_writable(each)
    for each in changed:
        output.write_file(Path(each.path), encoded(Path(each.path).read_bytes(), each.after))
        for found, way_out in each.made:
            said = (way_out.text or found.label).split("\n", 1)[0].rstrip(":")
            output.write(printable(f"{each.path}:{found.span.line}: {found.code} fixed: {said}"))
    made = sum(len(each.made) for each in changed)
    output.write(f"{made:,} fix{'es' * (made != 1)} made in {count(len(changed), 'file')}\n")


def only(found: Diagnostic) -> Fix | None:
    """The way out of a finding that has one and no other."""
    return found.fixes[0] if len(found.fixes) == 1 else None


class Asking:
    """Asks which way out to take."""

    def choose(self, found: Diagnostic) -> Fix | None:
        """Raises Stopped."""
        output.write(rendered([replace(found, fixes=())], sys.stdout))
        for number, each in enumerate(found.fixes, 1):
            said, *code = (each.text or found.label).split("\n")
            for line in (f"  {number}: {said}", *(f"     {line}" for line in code)):
                output.write(printable(line))
        numbers = [str(number) for number in range(1, len(found.fixes) + 1)]
        while True:
            output.write(f"make {' or '.join(numbers)}, (n)one, or (q)uit? ", end="")
            output.flush()
            answer = sys.stdin.readline() if sys.stdin is not None else ""
            word = answer.strip().lower()
            if not answer or word in ("q", "quit"):
                raise Stopped
            if word in numbers:
                return found.fixes[int(word) - 1]
            if word in ("n", "none", "no", ""):
                return None


def _fix(file: _Fixed, compilation: Compilation, choose: Choose) -> None:
    """Makes one fix after the other in memory, as long as there is one that helps."""
    if compilation.unit is None:
        return
    file.before = file.after = compilation.unit.tree.source.text
    tried: set[tuple[str, str, str]] = set()  # that did not help, or were not wanted
    seen = {file.after}
    while len(file.made) < MOST:
        for found in compilation.diagnostics:
            key = (found.code, found.message, found.span.text)
            source = compilation.unit.tree.source
            own = all(edit.span.source is source for each in found.fixes for edit in each.edits)
            if key in tried or not found.fixes or not own:
                continue
            way_out = choose(found)
            if way_out is None:
                tried.add(key)
                continue
            text = edited(Span(source, 0, len(source.text)), way_out.edits)
            after = Compilation.from_path(file.path, text)
            if text in seen or not _helps(found, compilation, after):
                tried.add(key)
                continue
            seen.add(text)
            file.after, compilation = text, after
            file.made.append((found, way_out))
            break
        else:
            return


def _helps(found: Diagnostic, before: Compilation, after: Compilation) -> bool:
    """Whether there is one finding of this kind fewer, and neither more errors nor more that hide what follows."""

    def alike(compilation: Compilation) -> int:
        return sum((each.code, each.message) == (found.code, found.message) for each in compilation.diagnostics)

    def unread(compilation: Compilation) -> int:
        return sum(each.code.startswith("E00") for each in compilation.diagnostics)

    more = len(errors_of(after.diagnostics)) > len(errors_of(before.diagnostics))
    return alike(after) < alike(before) and unread(after) <= unread(before) and not more


def _check_writable(file: _Fixed) -> None:
    """Raises Failure for a file that is read-only, or is another one than was checked."""
    path = Path(file.path)
    try:
        writable = path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) and os.access(path, os.W_OK)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"cannot fix `{file.path}`: {getattr(error, 'strerror', None) or error}") from None
    if not writable:
        raise Failure(f"cannot fix `{file.path}`: it is read-only; no file was changed")
    if text != file.before:
        raise Failure(f"cannot fix `{file.path}`: it has changed since it was checked; no file was changed")


def encoded(before: bytes, after: str) -> bytes:
    """A text as the content of a file that had `before`: with its byte-order mark, and with its line ends.

    Where those differ, each line keeps its own, changed or not, and a new one ends as the one before it.
    """
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    old = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", before.removeprefix(mark).decode())
    ends = [line[len(line.rstrip("\r\n")) :] for line in old]
    plain, new = [line.rstrip("\r\n") + "\n" * bool(end) for line, end in zip(old, ends, strict=True)], _lines(after)
    text = ""
    for kind, start, stop, first, last in SequenceMatcher(None, plain, new, autojunk=False).get_opcodes():
        if kind == "equal":
            text += "".join(old[start:stop])
            continue
        for i, line in enumerate(new[first:last], start):
            text += line.replace("\n", _end(ends[: i + 1] if i < stop else ends[:stop]))
    return mark + text.encode()


def _end(ends: Sequence[str]) -> str:
    """The last of some line ends; the last line of a file may have none."""
    return next((end for end in reversed(ends) if end), "\n")


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
