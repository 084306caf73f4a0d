"""What others wrote, on the screen: control characters in it are shown, and no terminal obeys them."""

from __future__ import annotations

import re

import msgspec
from rich.style import Style

from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.logs import Logs
from nautilus_tui.terminal.panes.logstrip import LogStrip
from nautilus_tui.terminal.widgets.strips import joined
from tests.terminal import scene
from tests.terminal.stage import Stage

EVIL = "a\x1b]0;pwn\x07\x9b31mb"
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f]")


async def test_a_log_line_cannot_speak_to_the_terminal() -> None:
    mirror = Mirror()
    scene_line = msgspec.structs.replace(scene.logs()[0], level="error", message=EVIL, component=EVIL)
    mirror.apply_records([scene_line])
    app = Stage(mirror, scene.view(), [Logs(), LogStrip()])
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        shown = [
            pane.render_line(y).text for pane in app.query("Logs, LogStrip") for y in range(pane.size.height)
        ]
    assert r"a\x1b]0;pwn\x07\x9b31mb" in "".join(shown)
    assert not _OBEYED.search("".join(shown))


def test_a_painted_line_keeps_its_width_whatever_is_in_it() -> None:
    for text in (EVIL, "plain", "\n" * 20, ""):
        strip = joined([(text, Style(bold=True)), ("  ", Style())], 12)
        assert not _OBEYED.search(strip.text)
        if text in (EVIL, "\n" * 20):
            assert strip.cell_length == len(strip.text) == 12
