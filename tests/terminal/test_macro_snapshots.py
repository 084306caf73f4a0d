"""Pictures of the Macro workspace, compared with those kept: three sizes, two themes, and its worst days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.terminal import scene_macro
from tests.terminal.desk import Desk, until
from tests.terminal.test_snapshots import SIZES, Compare


def posed(app: Desk, theme: str, *keys: str) -> Callable[[Pilot[int]], object]:
    """Return what brings the application to the moment of the picture."""

    async def pose(pilot: Pilot[int]) -> None:
        app.use_theme(theme)
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await pilot.press("2")
        await until(pilot, lambda: app.workspace == "macro")
        await app.settled(pilot)
        for key in keys:
            await pilot.press(key)
            await app.settled(pilot)

    return pose


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_macro(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    app = Desk()
    app.line.facts.update(scene_macro.answers(scene_macro.stamp(synthetic=theme == "dark")))
    assert snap_compare(app, terminal_size=size, run_before=posed(app, theme, "j"))


def test_macro_without_a_key(snap_compare: Compare) -> None:
    app = Desk()
    app.line.facts.update(dict.fromkeys(scene_macro.answers(), scene_macro.not_configured()))
    assert snap_compare(app, terminal_size=(120, 40), run_before=posed(app, "dark"))


def test_macro_as_of_a_date_with_fred_down_and_what_is_due(snap_compare: Compare) -> None:
    app, day = Desk(), dt.date(2024, 12, 1)
    app.view.macro.as_of = day
    old = scene_macro.stamp(synthetic=False, as_of=day, stale="ProviderDown")
    app.line.facts.update(scene_macro.answers(old))
    app.line.facts |= scene_macro.answers_as_of(day, old)
    assert snap_compare(app, terminal_size=(120, 40), run_before=posed(app, "high-contrast", "c", "c"))
