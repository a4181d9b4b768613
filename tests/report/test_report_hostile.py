"""Whatever a spec holds, in a report its text is only text."""

from __future__ import annotations

import json
from pathlib import Path

from browsing import Visit, choose

from archdsl.compiler import Compilation
from archdsl.emit.report import document, page

DOC = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & 'text' <!-- {{script}} ]]>"
PATH = "a</script><script>alert(4)</script>\"' &amp;\x1b.arch"
SPEC = f"""\
block b {{ \"\"\"{DOC}\"\"\"; conv(4, 1, padding_mode="zeros") }} # </pre></script><svg onload=alert(3)> \u202e \u2028
network N {{ \"\"\"{DOC}\"\"\"; input x: [3, 8, 8]; first = b; flatten; linear(2) }}
"""


def report() -> str:
    return page(document(Compilation.from_text(SPEC, PATH).network(), PATH))


def test_it_does_not_break_out(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(report(), encoding="utf-8")
    shown = visit(file)
    choose(shown, "first")
    assert shown.locator("script").count() == 2
    assert shown.locator("img, svg svg, [onload], [onerror]").count() == 0
    assert shown.locator("#panel .doc").inner_text() == DOC
    assert "</pre></script><svg onload=alert(3)>" in shown.locator("#panel pre").first.inner_text()
    assert shown.locator("#origin").inner_text().startswith(PATH.replace("\x1b", "\\x1b"))


def test_the_data_cannot_end_its_element_and_shows_what_is_not_for_reading() -> None:
    text = report().split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert not set("<>&") & set(text)
    assert text.isascii()
    data = json.loads(text)
    assert data["doc"] == DOC
    assert data["path"] == PATH.replace("\x1b", "\\x1b")
    assert "\\u202e" in data["texts"][0]["lines"][0]
