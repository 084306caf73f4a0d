"""Pictures of the Risk workspace, compared with those kept: sizes, themes, and its worst moments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from tests.terminal import scene_risk
from tests.terminal.desk import Desk, until
from tests.terminal.test_risk import desk
from tests.terminal.test_snapshots import SIZES, Compare


def posed(app: Desk, theme: str, *keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Return what brings the application to the moment of the picture."""

    async def pose(pilot: Pilot[int]) -> None:
        app.use_theme(theme)
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await pilot.press("4")
        await until(pilot, lambda: app.workspace == "risk")
        await app.settled(pilot)
        for key in keys:
            await pilot.press(key)
            await app.settled(pilot)

    return pose


@pytest.mark.parametrize(
    ("size", "theme"),
    [*((size, "dark") for size in SIZES), ((120, 40), "light")],
    ids=lambda value: value if isinstance(value, str) else "x".join(map(str, value)),
)
def test_risk(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    app = desk()
    assert snap_compare(app, terminal_size=size, run_before=posed(app, theme, "j"))


def test_the_drawer_over_the_workspace(snap_compare: Compare) -> None:
    app = desk()
    assert snap_compare(app, terminal_size=(120, 40), run_before=posed(app, "dark", "A", "down"))


def test_the_kill_switch_before_it_is_pulled(snap_compare: Compare) -> None:
    app = desk()
    assert snap_compare(app, terminal_size=(80, 24), run_before=posed(app, "dark", "K", "f"))


def test_the_kill_switch_while_it_works_with_an_engine_that_hung(snap_compare: Compare) -> None:
    app = desk()
    app.mirror.apply_records([scene_risk.kill("flattening", verified=False)])
    assert snap_compare(app, terminal_size=(120, 40), run_before=posed(app, "high-contrast", "K"))


def test_killed_and_about_to_be_released(snap_compare: Compare) -> None:
    app = desk()
    app.mirror.apply_records([scene_risk.kill("latched", verified=False)])
    assert snap_compare(app, terminal_size=(80, 24), run_before=posed(app, "light", "U"))


def test_a_ticket_that_breaks_a_limit_among_many(snap_compare: Compare) -> None:
    app = desk()
    app.line.many_limits = True

    async def pose(pilot: Pilot[int]) -> None:
        await posed(app, "dark")(pilot)
        await pilot.press("1", "b")
        await until(pilot, lambda: app.ticket_pane.ticket is not None)
        await pilot.press(*"150")
        await until(pilot, lambda: "110%" in app.ticket_pane.text)
        assert app.ticket_pane.ticket is not None
        app.ticket_pane.ticket.client_order_id = "O-6FGQ4K5AQ0"
        app.changed()
        app.frame()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 40), run_before=pose)
