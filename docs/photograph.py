"""Photographs GoogLeNet's report, with a layer chosen, for `docs/report.md`: `python docs/photograph.py`.

It needs Debian's package `chromium`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from archdsl.compiler import Compilation
from archdsl.emit.report import document, page

DOCS = Path(__file__).parent
SPEC = "specs/googlenet.arch"
CHOSEN = "inception4c.branch2.1.conv"


def main() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        network = Compilation.from_path(DOCS.parent / SPEC).network()
        file.write_text(page(document(network, SPEC)), encoding="utf-8")
        photograph(file)


def photograph(file: Path) -> None:
    """Takes the page in light and in dark."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            view = browser.new_page(viewport={"width": 1600, "height": 940}, reduced_motion="reduce")
            view.emulate_media(color_scheme=scheme)
            view.goto(file.as_uri())
            view.select_option("#levels", label="all")
            view.locator("#layers tr", has=view.locator(f".name[title='{CHOSEN}']")).click()
            view.click("h1")
            view.screenshot(path=DOCS / "report" / f"{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
