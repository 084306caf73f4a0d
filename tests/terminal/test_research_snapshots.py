"""Pictures of the Research workspace, compared with those kept: three sizes, two themes, one moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from nautilus_tui.terminal.panes.research.filings import Filings
from tests.terminal.desk import Desk
from tests.terminal.research_desk import desk, open_research, settle
from tests.terminal.scene_research import filing

SIZES = [(80, 24), (120, 40), (200, 60)]
Compare = Callable[..., bool]


def posed(app: Desk, keys: tuple[str, ...], theme: str) -> Callable[[Pilot[int]], object]:
    """Return what brings the application to the moment of the picture."""

    async def pose(pilot: Pilot[int]) -> None:
        app.use_theme(theme)
        await open_research(app, pilot)
        app.query_one(Filings).move_to(filing(9).accession)
        for key in keys:
            await pilot.press(key)
            await settle(app, pilot)

    return pose


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize(
    "keys",
    [(), ("enter", "]", "]", "]"), ("g", "g", "w", "enter")],
    ids=["research", "reader", "figures"],
)
def test_research(snap_compare: Compare, keys: tuple[str, ...], size: tuple[int, int], theme: str) -> None:
    app = desk()
    assert snap_compare(app, terminal_size=size, run_before=posed(app, keys, theme))
