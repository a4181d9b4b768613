"""The picture of a report: everything is in it, in time, and nothing lies on anything else."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from browsing import Visit

from archdsl.compiler import Compilation
from archdsl.emit.report import document, page

OVERLAPS = Path(__file__).with_name("overlaps.js").read_text(encoding="utf-8").split("\n", 1)[1].rstrip(";\n")


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet152", "unet"])
def test_nothing_lies_on_anything_else(visit: Visit, name: str) -> None:
    """Folded and unfolded whole. An arrow may touch the boxes that it joins, and run through no other."""
    shown = visit(name)
    assert shown.evaluate(OVERLAPS) == [[], 0, []]
    shown.click("#unfold-all")
    assert shown.evaluate(OVERLAPS) == [[], 0, []]


# Where an arrow ends, and the step before: what turns its head. A step of no length has no direction.
HEADS = """
() => [...document.querySelectorAll('#picture path[marker-end]')].map((path) => {
  const steps = path.getAttribute('d').match(/-?\\d[\\d.e-]*,-?\\d[\\d.e-]*/g).map((at) => at.split(',').map(Number));
  const [[x, y], [right, bottom]] = steps.slice(-2);
  return [right - x, bottom - y];
})
"""


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet18", "unet"])
def test_arrowheads_point_the_way_that_the_arrows_go(visit: Visit, name: str) -> None:
    """Down, into the top of a box."""
    shown = visit(name)
    for _ in range(2):
        heads = shown.evaluate(HEADS)
        assert len(heads) > 5
        assert [(right, down) for right, down in heads if down <= 0 or abs(right) > down / 2] == []
        shown.click("#unfold-all")


LANES = """\
block tall { repeat 2 { conv(8, 3, padding=1) -> maxpool(3, stride=1, padding=1) } }
network N {
  input x: [8, 16, 16]
  v0 = conv(8, 1)
  v1 = conv(8, 1)
  v2 = conv(8, 1)
  v3 = concat(v2, v1, v0) -> tall
  v4 = concat(v3, v1, v2, v0) -> tall
  v5 = tall
  v6 = concat(v1, v4) -> tall -> conv(8, 1) -> tall
  v7 = tall -> conv(8, 1) -> tall
  v8 = concat(v1, v5, v6, v0) -> conv(8, 1)
  v9 = concat(v7, v2, v5, v3) -> tall -> conv(8, 1) -> tall
  concat(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9)
}
"""


# Of each arrow where it begins and where it ends.
ENDS = """
() => [...document.querySelectorAll('#picture path[class^=arrow]')].map((path) => {
  const steps = path.getAttribute('d').match(/-?\\d[\\d.e-]*,-?\\d[\\d.e-]*/g).map((at) => at.split(',').map(Number));
  return [steps[0], steps[steps.length - 1]].flat();
})
"""


@pytest.mark.parametrize("name", ["alexnet", "googlenet"])
def test_arrows_side_by_side_do_not_cross(visit: Visit, name: str) -> None:
    shown = visit(name)
    shown.click("#unfold-all")
    ends = shown.evaluate(ENDS)
    beside = [(a, b) for a, b in combinations(ends, 2) if (a[1], a[3]) == (b[1], b[3])]
    assert len(beside) >= 4
    assert [(a, b) for a, b in beside if (a[0] - b[0]) * (a[2] - b[2]) < 0] == []


def test_arrows_go_around_boxes_that_are_higher_than_their_neighbours(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "lanes.html"
    file.write_text(page(document(Compilation.from_text(LANES).network(), "lanes.arch")), encoding="utf-8")
    shown = visit(file)
    shown.click("#unfold-all")
    assert shown.evaluate(OVERLAPS) == [[], 0, []]


def test_the_largest_opens_at_once_and_unfolds_in_time(visit: Visit) -> None:
    shown = visit("densenet201")
    assert shown.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") < 3_000
    took = shown.evaluate(
        "(() => { const t = performance.now(); document.getElementById('unfold-all').click();"
        " return performance.now() - t; })()"
    )
    assert took < 3_000
    found = shown.locator("#picture [data-layer]").evaluate_all("all => all.map(each => Number(each.dataset.layer))")
    count = int(shown.locator("#count").inner_text().split(" of ")[1])
    assert set(found) == set(range(count))


def test_devices_are_tinted(visit: Visit) -> None:
    shown = visit("alexnet")
    fills = shown.locator(".frame.tint1 > .border").evaluate_all("all => all.map(e => getComputedStyle(e).fill)")
    assert set(fills) == {"rgb(251, 230, 210)"}
    assert "gpu 1" in (shown.locator(".frame.tint1").first.text_content() or "")
    assert shown.locator(".arrow.move").count() > 0


def test_it_prints_all_of_the_picture_on_white(visit: Visit) -> None:
    shown = visit("unet", color_scheme="dark")
    before = shown.get_attribute("#picture", "viewBox") or ""
    shown.emulate_media(media="print")
    shown.evaluate("dispatchEvent(new Event('beforeprint'))")
    printed = [float(number) for number in (shown.get_attribute("#picture", "viewBox") or "").split()]
    assert printed[:2] == [0, 0] and printed[3] > float(before.split()[3])
    assert shown.locator("#fit").is_hidden()
    assert shown.evaluate("getComputedStyle(document.querySelector('.frame > .border')).fill") == "rgb(246, 246, 246)"
    shown.evaluate("dispatchEvent(new Event('afterprint'))")
    assert shown.get_attribute("#picture", "viewBox") == before
