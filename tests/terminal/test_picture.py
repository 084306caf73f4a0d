"""Pictures of the screen: valid SVG in which every word stands in its own place."""

from __future__ import annotations

from xml.etree import ElementTree

from nautilus_tui.terminal.picture import CELL_HEIGHT, CELL_WIDTH, MARGIN, picture
from nautilus_tui.terminal.theme import DARK
from tests.terminal import scene
from tests.terminal.stage import Stage

SVG = "{http://www.w3.org/2000/svg}"


async def test_a_picture_has_every_word_where_it_is_on_the_screen() -> None:
    app = Stage(scene.mirror(), scene.view())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        root = ElementTree.fromstring(picture(app, background=DARK.background))
    width, height = 120 * CELL_WIDTH + 2 * MARGIN, 40 * CELL_HEIGHT + 2 * MARGIN
    assert root.get("viewBox") == f"0 0 {width:g} {height:g}"
    words = {
        (e.text or "", round(float(e.get("x", 0)) / CELL_WIDTH), int(float(e.get("y", 0)) / CELL_HEIGHT))
        for e in root.iter(f"{SVG}text")
    }
    assert ("SIM", 1, 0) in words
    assert any(text == "AAPL" and row == 3 for text, _, row in words)
    assert all(0 <= x < 120 and 0 <= y < 40 for _, x, y in words)
    assert any(e.get("fill") == DARK.up for e in root.iter(f"{SVG}path"))
