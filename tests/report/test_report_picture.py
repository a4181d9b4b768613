"""The picture of a report: everything is in it, in time, and nothing lies on anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import Visit

OVERLAPS = Path(__file__).with_name("overlaps.js").read_text(encoding="utf-8").split("\n", 1)[1].rstrip(";\n")


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet152", "unet"])
def test_nothing_lies_on_anything_else(visit: Visit, name: str) -> None:
    """Folded and unfolded whole. An arrow may touch the boxes that it joins, and run through no other."""
    page = visit(name)
    assert page.evaluate(OVERLAPS) == [[], 0, []]
    page.click("#unfold-all")
    assert page.evaluate(OVERLAPS) == [[], 0, []]


def test_the_largest_opens_at_once_and_unfolds_in_time(visit: Visit) -> None:
    page = visit("densenet201")
    assert page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") < 3_000
    took = page.evaluate(
        "(() => { const t = performance.now(); document.getElementById('unfold-all').click();"
        " return performance.now() - t; })()"
    )
    assert took < 3_000
    shown = page.locator("#picture [data-layer]").evaluate_all("all => all.map(each => Number(each.dataset.layer))")
    count = int(page.locator("#count").inner_text().split(" of ")[1])
    assert set(shown) == set(range(count))


def test_devices_are_tinted(visit: Visit) -> None:
    page = visit("alexnet")
    fills = page.locator(".frame.tint1 > .border").evaluate_all("all => all.map(e => getComputedStyle(e).fill)")
    assert set(fills) == {"rgb(251, 230, 210)"}
    assert "gpu 1" in (page.locator(".frame.tint1").first.text_content() or "")
    assert page.locator(".arrow.move").count() > 0


def test_it_prints_all_of_the_picture_on_white(visit: Visit) -> None:
    page = visit("unet", color_scheme="dark")
    before = page.get_attribute("#picture", "viewBox") or ""
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    printed = [float(number) for number in (page.get_attribute("#picture", "viewBox") or "").split()]
    assert printed[:2] == [0, 0] and printed[3] > float(before.split()[3])
    assert page.locator("#fit").is_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('.frame > .border')).fill") == "rgb(246, 246, 246)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.get_attribute("#picture", "viewBox") == before
