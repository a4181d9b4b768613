"""A real browser: Debian's chromium, without a window."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import Visit
from playwright.sync_api import Browser, Page, sync_playwright

from archdsl.compiler import Compilation
from archdsl.emit.report import document, page

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("these tests need a browser: install Debian's package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`reports("googlenet")` is the file of a shipped spec's report, written once."""
    folder = tmp_path_factory.mktemp("reports")

    def written(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            network = Compilation.from_path(SPECS / f"{name}.arch").network()
            path.write_text(page(document(network, f"specs/{name}.arch")), encoding="utf-8")
        return path

    return written


@pytest.fixture
def visit(browser: Browser, reports: Callable[[str], Path]) -> Iterator[Visit]:
    """`visit("googlenet")` opens a report. At the end of a test it fails for errors in the page and for any request."""
    pages: list[Page] = []
    told: list[str] = []
    asked: list[str] = []

    def go(report: str | Path, **settings: object) -> Page:
        path = report if isinstance(report, Path) else reports(report)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", **settings)
        pages.append(page)
        page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: told.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield go
    for each in pages:
        each.close()
    assert told == []
    assert [url for url in asked if not url.startswith("file://") or not url.endswith(".html")] == []
    assert len(asked) == len(pages)
