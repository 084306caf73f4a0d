"""The order authority on the screen: who holds it, taking and releasing, hand-overs, read-only terminals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from data.access import OrderAuthority, Role
from data.commands import ModifyOrder, Outcome, ReleaseAuthority, SubmitOrder, TakeAuthority
from data.problems import OrderAuthorityError
from nautilus_tui.client.envelopes import Envelope
from nautilus_tui.client.stream import Batch
from nautilus_tui.terminal.actions import BY_ID
from nautilus_tui.terminal.command_line import parse
from nautilus_tui.terminal.glyphs import UNICODE
from nautilus_tui.terminal.panes.header import status_line
from nautilus_tui.terminal.screens.confirm import Confirm
from nautilus_tui.terminal.settings import TerminalSettings
from nautilus_tui.terminal.statements import AuthorityLine
from nautilus_tui.terminal.widgets.lines import Lines, width_of
from nautilus_tui.terminal.words import Known
from tests.terminal import scene
from tests.terminal.desk import CONNECTED, Desk, until
from tests.terminal.scene import authority

DESK = authority(holder="desk", via="tcp", before="you", by="desk", reason="shift", ts=scene.NOW)


def header(width: int, role: Role = "trader", **held: object) -> str:
    mirror = scene.mirror()
    mirror.apply_records([authority(ts=scene.NOW, **held)])
    line = status_line(mirror, scene.view(role=role), UNICODE, width)
    assert width_of(line) <= width
    return "".join(part for part, _ in line)


def said(app: Desk) -> list[str]:
    return [notification.message for notification in app._notifications]


async def opened(app: Desk, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: app.view.actor == "you" and app.mirror.connection.state == "connected")


def hears(app: Desk, held: OrderAuthority) -> None:
    """Let the stream tell of a hand-over."""
    told = Envelope(type="authority", topic="system.authority", seq=held.ts, ts=held.ts, id=None, data=held)
    app.line.events.put_nowait(Batch([told]))


# ---------------------------------------------------------------- the status line


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200])
@pytest.mark.parametrize(
    ("held", "shown"),
    [("you", "you"), ("desk", "desk"), (None, "free"), ("a-long-name-of-a-token", "a-long-")],
)
def test_the_status_line_always_says_role_and_who_holds_it(width: int, held: str | None, shown: str) -> None:
    text = header(width, holder=held)
    assert f"{UNICODE.dot}{shown}" in text.replace(" ", "")
    assert "trade" in text
    assert header(width, "viewer", holder=held).count("read") == 1


def test_nobody_is_said_where_somebody_has_to_hold_it() -> None:
    assert f"trader {UNICODE.dot} nobody" in header(200, holder=None, required=True)


def test_a_state_of_the_engine_is_not_pushed_out_by_it() -> None:
    assert "RUNNING" in header(80, holder="desk")


# ---------------------------------------------------------------- hand-overs


async def test_a_hand_over_is_told_once_in_every_terminal() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        hears(app, authority())  # how it stands when one comes is no news
        hears(app, DESK)
        await until(pilot, lambda: said(app))
        assert said(app) == ["desk took the order authority from you: shift"]
        await until(pilot, lambda: "desk" in app.query_one("#header", Lines).text)
        hears(app, authority(holder=None, by="rita", before="desk", ts=scene.NOW + 1))
        hears(app, authority(holder="you", by="you", ts=scene.NOW + 2))
        hears(app, authority(holder=None, by="you", before="you", required=True, ts=scene.NOW + 3))
        await until(pilot, lambda: len(said(app)) == 4)
        assert said(app)[1:] == [
            "rita released the order authority of desk",
            "you took the order authority",
            "you released the order authority. Nobody can send orders until it is taken",
        ]


async def test_a_daemon_that_starts_anew_while_it_is_free_hands_nothing_over() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        hears(app, authority(holder=None, via=None, by=None, ts=scene.NOW))
        await until(pilot, lambda: app.authority._told is not None)
        hears(app, authority(holder=None, via=None, by=None, ts=scene.NOW + 1))  # another daemon's start
        await until(pilot, lambda: app.authority._told is not None and app.authority._told.ts > scene.NOW)
        hears(app, authority(holder="desk", by="desk", ts=scene.NOW + 2))
        await until(pilot, lambda: said(app))
        assert said(app) == ["desk took the order authority"]


async def test_it_is_taken_after_saying_from_whom_and_released_at_once() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        app.mirror.apply_records([DESK])
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        text = app.screen.query_one(Lines).text
        assert "desk holds it since 14:32:07Z" in text
        await pilot.press("enter", "y")
        assert app.line.commands == []
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        command, _ = app.line.commands[0]
        assert command == TakeAuthority()
        told = {"holder": "you", "before": "desk", "unanswered": "O-9"}
        detail = "you took the order authority, from desk; sent before and not answered yet: O-9"
        app.line.answers.put_nowait(
            Outcome(command_id="c", command="authority.take", outcome="done", detail=detail, data=told)
        )
        await until(pilot, lambda: detail in said(app))
        app.mirror.apply_records([authority(before="desk", ts=scene.NOW + 1)])
        await pilot.press("H")
        await until(pilot, lambda: any("you hold it already" in line for line in said(app)))
        await pilot.press("colon", *"authority release going home", "enter")
        await until(pilot, lambda: len(app.line.commands) == 2)
        assert app.line.commands[1][0] == ReleaseAuthority(reason="going home")


def test_what_is_said_on_the_command_line() -> None:
    known = Known()
    assert parse("authority take end of shift", known) == AuthorityLine("take", "end of shift")
    assert parse(":authority release", known) == AuthorityLine("release")
    for line in (AuthorityLine("take", "end of shift"), AuthorityLine("release")):
        assert parse(line.text(), known) == line


async def test_who_may_not_release_is_told_what_to_do_instead() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        app.mirror.apply_records([DESK])
        release = BY_ID["authority.release"]
        assert release.disabled(app.situation()) == "desk holds it; take it instead"
        app.view.role = "risk"
        assert release.disabled(app.situation()) is None
        app.mirror.apply_records([authority(holder=None, ts=scene.NOW + 1)])
        assert release.disabled(app.situation()) == "it is free already"


# ---------------------------------------------------------------- orders of those who do not hold it


async def test_a_ticket_says_whose_the_authority_is_before_and_the_daemons_reason_after() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        assert "order authority" not in app.ticket_pane.text
        hears(app, DESK)
        await until(pilot, lambda: "order authority: desk." in app.ticket_pane.text)
        assert "until you take it (ctrl+t)" in " ".join(app.ticket_pane.text.split())
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        assert isinstance(app.line.commands[0][0], SubmitOrder)
        app.line.answers.put_nowait(
            Outcome(
                command_id="c",
                command="order.submit",
                outcome="refused",
                problem=OrderAuthorityError(
                    "desk holds the order authority since then", rule="only its holder", fix="take it"
                ).document(),
            )
        )
        await until(pilot, lambda: "ORDER AUTHORITY NEEDED: desk holds" in app.ticket_pane.text)
        assert "fix: take it" in app.ticket_pane.text
        await pilot.press("enter")  # edited again, as a new order
        hears(app, authority(ts=scene.NOW + 1))
        await until(pilot, lambda: "order authority" not in app.ticket_pane.text)


async def test_a_ticket_that_changes_an_order_says_it_too() -> None:
    assert ModifyOrder.needs_authority
    app = Desk()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        app.mirror.apply_records([authority(holder=None, required=True, ts=scene.NOW)])
        working = app.mirror.working_orders(scene.ENGINE)[0].client_order_id
        await pilot.press("colon", *f"modify {working} qty 40", "enter")
        await until(pilot, lambda: "order authority: nobody" in app.ticket_pane.text)


async def test_cancelling_and_flattening_need_no_authority() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        app.mirror.apply_records([DESK])
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)


async def test_it_is_taken_over_an_open_ticket_which_stays_as_it_was() -> None:
    app = Desk(settings=TerminalSettings(engine=scene.ENGINE, glow=False, keys={"authority.take": "f9"}))
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        app.mirror.apply_records([DESK])
        await pilot.press("b")
        await until(pilot, lambda: "take it (f9)" in " ".join(app.ticket_pane.text.split()))
        await pilot.press("4", "2", "f9")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: [type(c) for c, _ in app.line.commands] == [TakeAuthority])
        hears(app, authority(ts=scene.NOW + 1))
        await until(pilot, lambda: "order authority" not in app.ticket_pane.text)
        assert app.ticket_pane.ticket is not None
        assert app.ticket_pane.ticket.text("size") == "42"


# ---------------------------------------------------------------- read-only


async def test_a_viewers_terminal_says_that_it_is_read_only_and_why_a_key_does_nothing() -> None:
    app = Desk()
    async with app.run_test(size=(160, 40)) as pilot:
        await opened(app, pilot)
        app.line.events.put_nowait(replace(CONNECTED, role="viewer", name="looker"))
        await until(pilot, lambda: app.view.role == "viewer")
        await until(pilot, lambda: "read-only" in app.query_one("#header", Lines).text)
        await pilot.press("b")
        why = "needs the role trader; you are viewer; this terminal is read-only"
        await until(pilot, lambda: f"Open a buy ticket: {why}" in said(app))
        await pilot.press("H")
        await until(pilot, lambda: f"Take order authority: {why}" in said(app))
        await pilot.press("colon", *"authority take", "enter")
        await until(pilot, lambda: "needs the role trader" in app.command_bar.query_one(Lines).text)
        assert app.ticket_pane.ticket is None
        assert not isinstance(app.screen, Confirm)
        assert app.line.commands == []


"""
"""
