"""The report in a browser: what a reader can do with it."""

from __future__ import annotations

import pytest
from browsing import Visit, boxes, choose, column, names, shares, toggle, until, view


def test_the_head_says_what_it_costs(visit: Visit) -> None:
    page = visit("googlenet")
    assert page.title() == "GoogLeNet · archdsl report"
    head = page.locator("header").inner_text()
    for text in (
        "6,624,904",
        "26.5 MB in fp32, 13.0 M in training",
        "1.498 G",
        "7.0 MB",
        "3×224×224",
        "any H, W >= 15",
    ):
        assert text in head
    legend = page.locator("#legend span").all_inner_texts()
    assert legend == ["convolution", "normalise", "activate", "pool", "reshape", "dense", "regularise"]


def test_zoom_and_pan(visit: Visit) -> None:
    page = visit("googlenet")
    first = view(page)
    page.mouse.move(350, 450)
    page.mouse.wheel(0, -240)
    until(lambda: view(page)[2] < first[2])
    zoomed = view(page)
    page.mouse.down()
    page.mouse.move(300, 400, steps=3)
    page.mouse.up()
    panned = view(page)
    assert panned[0] > zoomed[0] and panned[1] > zoomed[1]
    assert panned[2:] == pytest.approx(zoomed[2:])
    assert page.locator("#panel").is_hidden()  # a drag is no click
    page.click("#zoom-out")
    until(lambda: view(page)[2] > panned[2])
    page.click("#fit")
    until(lambda: view(page)[3] > first[3])
    x, y, width, height = view(page)
    whole = page.locator("#picture .top").evaluate(
        "g => { const b = g.getBBox(); return [b.x, b.y, b.width, b.height]; }"
    )
    assert x <= whole[0] and y <= whole[1]
    assert x + width >= whole[0] + whole[2] and y + height >= whole[1] + whole[3]


def test_blocks_open_and_fold(visit: Visit) -> None:
    page = visit("googlenet")
    folded = boxes(page)
    toggle(page, "inception4c")
    assert boxes(page) == folded - 1 + 5  # four branches and what joins them
    toggle(page, "branch2")
    assert boxes(page) == folded - 1 + 6
    toggle(page, "inception4c")
    assert boxes(page) == folded
    page.click("#unfold-all")
    assert boxes(page) > 3 * folded
    page.click("#fold-all")
    assert boxes(page) == folded


def test_what_is_repeated_is_one_box_until_each_is_shown(visit: Visit) -> None:
    page = visit("resnet152")
    badges = page.locator(".badge text")
    assert badges.all_text_contents() == ["× 2", "× 7", "× 35", "× 2"]
    before = boxes(page)
    page.click("#fit")
    badges.nth(2).locator("..").click()
    assert boxes(page) == before + 34
    assert badges.all_text_contents() == ["× 2", "× 7", "× 2"]
    assert page.locator(".frame.repeat > text.bold").all_text_contents() == ["× 35"]


def test_the_table_sorts(visit: Visit) -> None:
    page = visit("googlenet")
    assert names(page)[:3] == ["conv1", "maxpool", "conv2"]
    page.click("th[data-column=params] button")
    assert names(page)[:3] == ["aux2", "aux1", "inception5b"]
    assert page.get_attribute("th[data-column=params]", "aria-sort") == "descending"
    page.click("th[data-column=params] button")
    numbers = [0 if text == "–" else int(text.replace(",", "")) for text in column(page, 5)]
    assert numbers == sorted(numbers) and numbers[-1] == 3_191_016
    page.click("th[data-column=what] button")
    assert names(page)[0] == "aux1" and column(page, 2) == sorted(column(page, 2))
    page.click("th[data-column=layer] button")
    assert names(page)[:3] == ["conv1", "maxpool", "conv2"]


def test_another_list_is_read_from_its_top(visit: Visit) -> None:
    """What costs most is seen at once, wherever the list stood before."""
    page = visit("googlenet")
    page.select_option("#levels", label="all")

    def down() -> None:
        page.evaluate("document.getElementById('rows').scrollTop = 1500")
        assert page.evaluate("document.getElementById('rows').scrollTop") == 1500

    def top() -> bool:
        return bool(page.evaluate("document.getElementById('rows').scrollTop === 0"))

    down()
    page.click("th[data-column=macs] button")
    assert top()
    down()
    page.fill("#search", "conv")
    assert top()


def test_the_table_is_searched_at_all_levels(visit: Visit) -> None:
    page = visit("googlenet")
    assert page.locator("#count").inner_text() == "22 of 303"
    page.keyboard.press("/")
    page.keyboard.insert_text("4c.branch2 conv(")
    assert names(page) == ["inception4c.branch2.0.conv", "inception4c.branch2.1.conv"]
    page.keyboard.press("Escape")
    assert len(names(page)) == 22
    page.select_option("#levels", label="all")
    assert len(names(page)) == 303


def test_a_row_shows_its_layer_everywhere(visit: Visit) -> None:
    page = visit("googlenet")
    page.fill("#search", "4c.branch2 conv(")
    choose(page, "inception4c.branch2.1.conv")
    panel = page.locator("#panel")
    assert panel.locator("h2").inner_text() == "conv conv(256, 3, stride=1, padding=1, bias=false)"
    assert panel.locator(".here").inner_text() == "128×14×14 → 256×14×14"
    assert panel.locator(".always").inner_text() == "[128, (H + 1)//16, (W + 1)//16] → [256, (H + 1)//16, (W + 1)//16]"
    assert panel.locator(".sees").inner_text() == "75 to 171 (step 16, from −71)"
    assert shares(page) == {"params": "4.5%", "macs": "3.9%", "made": "0.6%"}
    assert panel.locator(".amount").all_inner_texts() == ["294,912", "57,802,752", "200.7 KB"]
    marked = [text.lstrip("0123456789").strip() for text in panel.locator("mark").all_text_contents()]
    assert marked == [
        "conv = conv(width, kernel, stride=stride, padding=padding, bias=false)",
        "branch2 = conv_bn(r3, 1) -> conv_bn(c3, 3, padding=1)",
        "branch2 = conv_bn(r3, 1) -> conv_bn(c3, 3, padding=1)",
        "inception4c = inception(128, 128, 256, 24,  64,  64)",
    ]
    chosen = page.locator("#picture .pick.chosen")
    assert chosen.get_attribute("data-layer") == page.locator("#layers tr.chosen").get_attribute("data-row")
    pane = page.locator("#picture").bounding_box()
    assert pane is not None

    def in_view() -> bool:
        box = chosen.bounding_box()
        assert box is not None
        return pane["x"] < box["x"] and pane["y"] < box["y"] < pane["y"] + pane["height"] - box["height"]

    until(in_view)


def test_a_click_in_the_diagram_chooses_in_the_table(visit: Visit) -> None:
    page = visit("googlenet")
    page.locator("#picture .box.block .pick", has=page.locator("title:text-matches('^conv3: ')")).click()
    assert page.locator("#layers tr.chosen .name").inner_text() == "conv3"
    assert page.locator("#panel h2").inner_text() == "conv3 conv_bn(192, 3, padding=1)"
    assert shares(page) == {"params": "1.7%", "macs": "23.1%", "made": "13.2%"}
    page.locator("#panel .close").click()
    assert page.locator("#panel").is_hidden() and page.locator(".chosen").count() == 0


def test_the_keys(visit: Visit) -> None:
    page = visit("resnet152")
    page.focus("#picture")
    before = boxes(page)
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    assert page.locator("#panel h2").inner_text().startswith("layer1 ")
    page.keyboard.press("ArrowLeft")
    assert boxes(page) == before - 1
    page.keyboard.press("ArrowRight")
    assert boxes(page) == before
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    assert boxes(page) == before + 1
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    page.focus("#layers tr")
    page.keyboard.press("ArrowDown")
    assert page.locator("#layers tr.chosen .name").inner_text() == "bn1"
    assert page.evaluate("document.activeElement.dataset.row") == "1"


def test_light_and_dark(visit: Visit) -> None:
    page = visit("unet", color_scheme="light")
    paper = "getComputedStyle(document.querySelector('header')).backgroundColor"
    white, black = "rgb(255, 255, 255)", "rgb(27, 29, 33)"
    assert page.evaluate(paper) == white
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) == black
    page.click("#theme")
    assert page.evaluate(paper) == white
    page.emulate_media(color_scheme="light")
    page.click("#theme")
    assert page.evaluate(paper) == black
