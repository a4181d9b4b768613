"""What the tests of a report do in the browser."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

Visit = Callable[..., Page]


def boxes(page: Page) -> int:
    """How many boxes the picture has."""
    return page.locator("#picture .box").count()


def names(page: Page) -> list[str]:
    """What stands in the first column of the table."""
    return page.locator("#layers .name").all_text_contents()


def column(page: Page, number: int) -> list[str]:
    return page.locator(f"#layers td:nth-child({number})").all_text_contents()


def view(page: Page) -> list[float]:
    """x, y, width and height of what is seen of the picture."""
    return [float(each) for each in (page.get_attribute("#picture", "viewBox") or "").split()]


def until(met: Callable[[], bool]) -> None:
    """Waits for what the page does at its next frame; its policy forbids Playwright to wait inside of it."""
    for _ in range(200):
        if met():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 10 s")


def toggle(page: Page, name: str) -> None:
    """Clicks the sign that opens or folds a block."""
    page.click("#fit")
    page.locator(".toggle", has=page.locator(f"title:text-matches('^(Open|Fold) {name}$')")).click()


def choose(page: Page, name: str) -> None:
    """Clicks the row of a layer."""
    page.locator("#layers tr", has=page.locator(f".name[title='{name}']")).click()


def shares(page: Page) -> dict[str, str]:
    """The percentages in the panel."""
    found = page.locator("#panel .shares b").all()
    return {each.get_attribute("data-of") or "": each.inner_text() for each in found}
