"""Pictures of the workspaces, compared with those kept: three sizes, two themes, one frozen moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.terminal import scene
from tests.terminal.desk import Desk

SIZES = [(80, 24), (120, 40), (200, 60)]
Compare = Callable[..., bool]


def posed(app: Desk, keys: tuple[str, ...], theme: str) -> Callable[[Pilot[int]], object]:
    """Return what brings the application to the moment of the picture."""

    async def pose(pilot: Pilot[int]) -> None:
        app.use_theme(theme)
        for _ in range(2000):
            if app.line.watched and app.mirror.connection.state == "connected":
                break
            await pilot.pause(0.005)
        await pilot.press(*keys)
        for _ in range(2000):
            opened = app.ticket_pane.has_focus if keys == ("b",) else len(app.screen_stack) > 1
            if opened or keys in ((), ("6",)):
                break
            await pilot.pause(0.005)
        if app.ticket_pane.ticket is not None:
            for _ in range(2000):
                if app.ticket_pane.preview.answered is not None:
                    break
                await pilot.pause(0.005)
            app.ticket_pane.ticket.client_order_id = "O-6FGQ4K5AQ0"
        app.changed()
        app.frame()
        await pilot.pause()

    return pose


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("keys", [(), ("6",)], ids=["trade", "engines"])
def test_workspaces(snap_compare: Compare, keys: tuple[str, ...], size: tuple[int, int], theme: str) -> None:
    app = Desk()
    assert snap_compare(app, terminal_size=size, run_before=posed(app, keys, theme))


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: "x".join(map(str, size)))
def test_ticket(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = Desk()
    assert snap_compare(app, terminal_size=size, run_before=posed(app, ("b",), "dark"))


@pytest.mark.parametrize(
    "keys", [("f",), ("question_mark",), ("ctrl+p",)], ids=["flatten", "help", "palette"]
)
def test_dialogs(snap_compare: Compare, keys: tuple[str, ...]) -> None:
    app = Desk()
    assert snap_compare(app, terminal_size=(120, 40), run_before=posed(app, keys, "dark"))


@pytest.mark.parametrize(
    ("size", "theme"), [((80, 24), "dark"), ((120, 40), "light")], ids=["80x24-dark", "120x40-light"]
)
@pytest.mark.parametrize("keys", [("b",), ("H",)], ids=["ticket", "take"])
def test_the_order_authority_of_another(
    snap_compare: Compare, keys: tuple[str, ...], size: tuple[int, int], theme: str
) -> None:
    app = Desk()
    app.mirror.apply_records(
        [scene.authority(holder="desk", via="tcp", before="you", by="desk", ts=scene.NOW - 60 * scene.SECOND)]
    )
    assert snap_compare(app, terminal_size=size, run_before=posed(app, keys, theme))
