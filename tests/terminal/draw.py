"""Draw pictures of the workspaces over the fixed scene: ``python -m tests.terminal.draw``.

Without arguments it draws the picture in the README. ``--size 200x60 --theme light --keys 6 out.svg``
draws any other moment: the keys are pressed first.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import cast

from textual.app import App

import nautilus_tui.terminal
from nautilus_tui.terminal.picture import picture
from nautilus_tui.terminal.theme import DEFAULT_THEME, PALETTES
from tests.terminal import scene_macro, scene_research, scene_risk
from tests.terminal.desk import Desk

README_PICTURE = Path(nautilus_tui.terminal.__file__).with_name("trade.svg")


async def drawn(size: tuple[int, int], theme: str, keys: list[str]) -> str:
    """Return the screen as SVG after the keys were pressed."""
    app = Desk()
    app.line.facts.update(scene_macro.answers() | scene_research.answers() | scene_risk.answers())
    scene_risk.fill(app.mirror)
    app.line.many_limits = True
    app.mirror.facts.put_health(scene_research.vendor())
    async with app.run_test(size=size) as pilot:
        app.use_theme(theme)
        while not (app.line.watched and app.mirror.connection.state == "connected"):
            await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        await app.settled(pilot)
        app.changed()
        app.frame()
        await pilot.pause()
        return picture(cast("App[object]", app), background=PALETTES[theme].background)


def main() -> None:
    """Draw one picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=README_PICTURE)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--theme", default=DEFAULT_THEME, choices=sorted(PALETTES))
    parser.add_argument("--keys", default="", help="pressed first, with commas between")
    given = parser.parse_args()
    width, _, height = given.size.partition("x")
    given.out.write_text(
        asyncio.run(
            drawn((int(width), int(height)), given.theme, [key for key in given.keys.split(",") if key])
        )
    )
    print(given.out)


if __name__ == "__main__":
    main()
