"""Risk by keys alone, on a real daemon with a real paper engine: a limit, a breach, a kill, and back."""

from __future__ import annotations

from data.limits import Breach
from nautilus_tui.terminal.app import Terminal
from nautilus_tui.terminal.screens.banner import Banner
from nautilus_tui.terminal.screens.confirm import Confirm
from nautilus_tui.terminal.screens.kill import KillSwitch
from nautilus_tui.terminal.screens.unlock import Unlock
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.widgets.lines import Lines
from tests.terminal.test_risk import say, seen, words
from tests.terminal.test_story import (
    ENGINE,
    House,
    house,
    quoted,
    send_ticket,
    terminal,
    until,
)

__all__ = ["house"]
LIMIT = "position_size:instrument:AAPL.SIM:shares"


def _open_breach(app: Terminal) -> Breach | None:
    return next((b for b in app.mirror.risk.open_breaches() if b.limit_id == LIMIT), None)


async def test_a_limit_denies_a_breach_is_seen_and_the_kill_switch_latches_until_it_is_released(
    house: House,
) -> None:
    house.start()
    app = terminal(house.home)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.mirror.connection.state == "connected")
        await say(pilot, f"engine start {ENGINE}")
        await until(
            pilot, lambda: ENGINE in app.mirror.engines and app.mirror.engines[ENGINE].state == "running"
        )
        await until(pilot, lambda: quoted(app))
        await say(pilot, "symbol AAPL")
        await until(pilot, lambda: app.view.instrument == "AAPL.SIM" and quoted(app))

        # A limit is set, and stands in the workspace with what is used of it.
        await pilot.press("4")
        await say(pilot, "limit set position_size instrument:AAPL.SIM 500 shares")
        await until(pilot, lambda: LIMIT in app.mirror.risk.limits)
        await until(pilot, lambda: app.mirror.risk.limits[LIMIT].use == 0)
        await until(pilot, lambda: "position_size  AAPL.SIM" in seen(app, "limits"))

        # An order over it is denied with the largest quantity; one key takes that.
        await say(pilot, "buy 600 AAPL")
        await until(pilot, lambda: "120% !" in app.ticket_pane.text)
        assert "take 500" in app.ticket_pane.text
        await until(pilot, lambda: app.ticket_pane.has_focus and app.ticket_pane.sendable is None)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "largest quantity that passes 500" in app.ticket_pane.text)
        assert "position_size AAPL.SIM  600 / 500 shares" in app.ticket_pane.text
        await pilot.press("ctrl+l")
        await until(pilot, lambda: "100%" in app.ticket_pane.text)
        await send_ticket(app, pilot, "FILLED 500 @")

        # A limit below what is held is a breach; it is acknowledged from anywhere.
        await until(pilot, lambda: app.mirror.risk.limits[LIMIT].use == 1)
        await say(pilot, "limit set position_size instrument:AAPL.SIM 400 shares")
        await until(pilot, lambda: _open_breach(app))
        shown = f"{glyphs_of(app).warn}1"  # the word behind it goes where there is little room
        await until(pilot, lambda: shown in app.query_one("#header", Lines).text)
        breach = _open_breach(app)
        assert breach is not None
        assert (breach.severity, breach.use) == ("major", breach.value / breach.limit)
        await say(pilot, f"ack {breach.id}")
        await until(pilot, lambda: (b := _open_breach(app)) is not None and b.status == "acknowledged")

        # The kill switch: what will happen, the chord, and how far it has come.
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, KillSwitch))
        await pilot.press("f")
        await until(pilot, lambda: "SELL 500 AAPL.SIM" in words(app))
        await pilot.press("enter")
        assert app.mirror.risk.killed(ENGINE) is False
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "Verified: nothing works any more" in words(app))
        await until(pilot, lambda: not app.mirror.position_rows(ENGINE))
        await pilot.press("escape")
        await until(pilot, lambda: "KILLED" in app.query_one(Banner).text)

        # Nothing passes until its phrase is typed.
        await say(pilot, "buy 10 AAPL")
        await until(pilot, lambda: "is KILLED: nothing passes until :unlock" in app.ticket_pane.text)
        await until(pilot, lambda: app.ticket_pane.has_focus and app.ticket_pane.sendable is None)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "DENIED" in app.ticket_pane.text)
        await pilot.press("escape")
        await until(pilot, lambda: app.ticket_pane.ticket is None)
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, Unlock))
        await pilot.press(*"unlock", "space", *"trading", "enter")
        await until(pilot, lambda: not app.query_one(Banner).display)
        await until(pilot, lambda: app.mirror.engines[ENGINE].state == "running")
        await say(pilot, "buy 10 AAPL")
        await send_ticket(app, pilot, "FILLED 10 @")

        # A limit is deleted by the chord and gone everywhere.
        await pilot.press("4")
        await say(pilot, f"limit delete {LIMIT}")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: LIMIT not in app.mirror.risk.limits)
        await pilot.press("q")
