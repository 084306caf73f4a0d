"""The Risk workspace as one uses it: by keys and lines, on a hand-made afternoon of risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from data.commands import Outcome
from data.kill import UNLOCK_PHRASE, KillState
from data.limits import UNITS, AutoAdjust
from data.problems import ForbiddenError
from data.risk_commands import (
    AcknowledgeAlert,
    AcknowledgeBreach,
    DecideLimitChange,
    DeleteLimit,
    Kill,
    MakeReport,
    RestrictEngine,
    SetLimit,
    SetMonitor,
    Unlock,
)
from nautilus_tui.client.envelopes import Envelope, Snapshot
from nautilus_tui.terminal.app import Terminal
from nautilus_tui.terminal.command_line import complete, parse
from nautilus_tui.terminal.limit_words import amount, chance, edit_line, percent
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.risk.limits import Limits
from nautilus_tui.terminal.places import BY_PLACE
from nautilus_tui.terminal.questions import risk as ask
from nautilus_tui.terminal.risk_lines import LimitSetLine
from nautilus_tui.terminal.screens.banner import Banner
from nautilus_tui.terminal.screens.confirm import Confirm
from nautilus_tui.terminal.screens.drawer import Drawer
from nautilus_tui.terminal.screens.help import Help
from nautilus_tui.terminal.screens.kill import KillSwitch
from nautilus_tui.terminal.screens.picker import Picker
from nautilus_tui.terminal.screens.unlock import Unlock as UnlockDialogue
from nautilus_tui.terminal.widgets.lines import Lines
from nautilus_tui.terminal.widgets.titled import Titled
from nautilus_tui.terminal.words import CommandLineError, Known
from tests.terminal import scene, scene_risk
from tests.terminal.desk import Desk, until

D = Decimal
PANES = tuple(spot.id for spot in BY_PLACE["risk"].panes)


def desk(role: str = "admin", **answers: Any) -> Desk:
    app = Desk()
    app.line.role = role
    app.line.facts.update(scene_risk.answers())
    scene_risk.fill(app.mirror)
    return app


async def open_risk(app: Desk, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
    await pilot.press("4")
    await until(pilot, lambda: app.workspace == "risk")
    await app.settled(pilot)


async def say(pilot: Pilot[int], line: str) -> None:
    """Enter a line. Typing it letter by letter is tried elsewhere."""
    assert isinstance(pilot.app, Terminal)
    pilot.app.looking.command(line)
    await pilot.press("enter")


def seen(app: Desk, pane: str) -> str:
    """What a pane shows, title included."""
    widget = app.screen_stack[0].query_one(f"#{pane}", Titled)
    return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


def words(app: Desk) -> str:
    """What the dialogue on top says."""
    return "\n".join(lines.text for lines in app.screen.query(Lines))


async def sent(app: Desk, pilot: Pilot[int], number: int = 1) -> Any:
    """Wait for a command and return it, answered as done."""
    await until(pilot, lambda: len(app.line.commands) >= number)
    command, command_id = app.line.commands[number - 1]
    app.line.answers.put_nowait(Outcome(command_id=command_id, command="any", outcome="done"))
    await pilot.pause()
    return command


# ---------------------------------------------------------------- what is seen


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: "x".join(map(str, size)))
async def test_every_pane_is_reached_by_its_letter_and_says_what_is_so(size: tuple[int, int]) -> None:
    app = desk()
    async with app.run_test(size=size) as pilot:
        await open_risk(app, pilot)
        limits = seen(app, "limits")
        assert limits.index("position_size") < limits.index("gross_exposure") < limits.index("correlation")
        assert "112%" in limits
        assert "91%" in limits
        assert "!" in limits
        assert "31%" in limits
        said = {
            "breaches": ("detected", "minor", "● notify"),
            "limit_detail": ("over by", "60", "deny_increase"),
            "forecast": ("31%", "analytic first passage" if size[0] > 150 else "use drift /h"),
            "var": ("Student-t", "23,501", "33,243"),
            "stress": ("COVID-2020", "-188,020", "-18.7%"),
            "exposures": ("ES", "-531,225", "52.9"),
        }
        for spot in BY_PLACE["risk"].panes[1:]:
            await pilot.press("g", spot.letter)
            await until(pilot, lambda pane=spot.id: app.pane == pane)
            await app.settled(pilot)
            shown = seen(app, spot.id)
            for text in said[spot.id]:
                assert text in shown, shown


async def test_of_what_cannot_be_told_the_reason_stands_where_the_figures_were() -> None:
    app = desk()
    app.line.facts[ask.Measures()] = scene_risk.measures(known=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        assert "limit 0.70: 2 of 3 held" in seen(app, "limits")
        shown = " ".join(seen(app, "var").split())
        assert "Too little is known: AAPL.SIM has 12 daily returns, 60 are needed" in shown
        assert "no returns" in shown
        await pilot.press("end")
        app.risk.look_at_limit(scene_risk.limit(14).id)
        await app.settled(pilot)
        assert "not known" in seen(app, "limit_detail")


async def test_a_tightened_limit_shows_what_it_was_and_why() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_risk(app, pilot)
        assert "1.60 of 2.00" in seen(app, "limits")
        await pilot.press("j")
        await app.settled(pilot)
        detail = seen(app, "limit_detail")
        assert "from 2.00" in detail
        assert "volatility 15.0 % is above 12.0 %" in detail


async def test_a_burst_of_records_costs_one_look_of_each_pane() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        table = app.screen_stack[0].query_one(Limits)
        looks = 0
        plain = table.refresh_from

        def counted(*args: Any) -> None:
            nonlocal looks
            looks += 1
            plain(*args)

        table.refresh_from = counted  # type: ignore[method-assign]
        app.frame()
        before = looks
        for step in range(100):
            app.mirror.apply_records(scene_risk.limits(scene.NOW + step))
        assert looks == before
        app.frame()
        assert looks == before + 1


async def test_a_limit_that_was_deleted_elsewhere_goes_with_the_next_list() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        app.line.facts[ask.AllLimits()] = scene_risk.limits()[1:]
        await pilot.press("r")
        await until(pilot, lambda: scene_risk.limit(0).id not in app.mirror.risk.limits)


async def test_until_one_is_chosen_the_limit_nearest_to_trouble_is_looked_at() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        assert app.view.risk.limit == scene_risk.limit(0).id
        app.mirror.apply_records([scene_risk.status(scene_risk.limit(4), D(110_000), now=scene.NOW + 1)])
        await app.settled(pilot)
        assert app.view.risk.limit == scene_risk.limit(4).id
        assert "daily_loss portfolio" in seen(app, "limit_detail")
        await pilot.press("down")
        await app.settled(pilot)
        chosen = app.view.risk.limit
        assert chosen == scene_risk.limit(0).id
        app.mirror.apply_records([scene_risk.status(scene_risk.limit(2), D(9), now=scene.NOW + 2)])
        await app.settled(pilot)
        assert app.view.risk.limit == chosen
        await pilot.press("c")
        await app.settled(pilot)
        assert "breached: 560, 112%" in seen(app, "limit_detail")


def test_a_snapshot_replaces_what_was_told_and_an_older_look_changes_nothing() -> None:
    mirror = Mirror()
    scene_risk.fill(mirror)
    first = scene_risk.limits()[0]
    older = msgspec.structs.replace(first, value=D(1), use=D("0.002"), ts=first.ts - 1)
    mirror.apply_records([older])
    assert mirror.risk.limits[first.limit.id].value == 560
    told = Snapshot(records=(first,))
    mirror.apply([Envelope(type="snapshot", topic="risk.limits", seq=1, ts=0, id=None, data=told)])
    assert list(mirror.risk.limits) == [first.limit.id]
    breach = msgspec.structs.replace(scene_risk.breaches()[0], status="resolved", ts=scene.NOW)
    mirror.apply([Envelope(type="breach_alert", topic="risk.breaches", seq=1, ts=0, id=None, data=breach)])
    assert mirror.risk.open_breaches() == []
    assert len(mirror.risk.open_alerts()) == 3
    one = Snapshot(records=(scene_risk.alerts()[0],))
    mirror.apply([Envelope(type="snapshot", topic="risk.alerts", seq=9, ts=0, id=None, data=one)])
    assert [alert.id for alert in mirror.risk.open_alerts()] == ["A-000041"]
    assert len(mirror.risk.seen_alerts()) == 1


# ---------------------------------------------------------------- doing


async def test_a_limit_is_changed_by_the_line_that_would_set_it() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: app.command_bar.display)
        assert app.command_bar.field.value == ":limit set position_size instrument:AAPL.SIM 500 shares"
        await pilot.press("ctrl+w", "ctrl+w", *"600", "enter")
        command = await sent(app, pilot)
        assert command == SetLimit(limit_type="position_size", scope="instrument:AAPL.SIM", hard=D(600))
        await say(pilot, "limit set gross_exposure 2 ratio floor 40%")
        command = await sent(app, pilot, 2)
        assert command.auto_adjust == AutoAdjust(target_vol=D("0.12"), floor=D("0.4"))


async def test_deleting_says_what_it_means_and_needs_the_chord() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "Orders are no longer denied by it" in words(app)
        await pilot.press("enter", "y")
        assert isinstance(app.screen, Confirm)
        app.line.facts[ask.AllLimits()] = scene_risk.limits()[1:]
        await pilot.press("ctrl+o")
        assert await sent(app, pilot) == DeleteLimit(limit_id=scene_risk.limit(0).id)
        await until(pilot, lambda: scene_risk.limit(0).id not in app.mirror.risk.limits)


async def test_lines_send_what_they_say() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        wanted = {
            "limit set leverage 2": SetLimit(limit_type="leverage", scope="portfolio", hard=D(2)),
            "ack B-000017 mitigating sold half": AcknowledgeBreach(
                breach_id="B-000017", note="sold half", mitigating=True
            ),
            "ack A-000040": AcknowledgeAlert(alert_id="A-000040"),
            "restrict paper-1 reduce_only": RestrictEngine(engine="paper-1", restriction="reduce_only"),
            "limit approve C-000003": DecideLimitChange(change_id="C-000003", approve=True),
            "report daily_risk pdf": MakeReport(report_type="daily_risk", report_format="pdf"),
        }
        await pilot.press("A")
        await app.settled(pilot)
        await pilot.press("escape")
        for number, (line, command) in enumerate(wanted.items(), 1):
            await say(pilot, line)
            assert await sent(app, pilot, number) == command
        await say(pilot, "monitor stop")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "no breach is found" in words(app)
        await pilot.press("ctrl+o")
        assert await sent(app, pilot, len(wanted) + 1) == SetMonitor(running=False)


async def test_a_breach_is_acknowledged_where_it_stands_and_one_that_is_over_says_so() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        await pilot.press("g", "s")
        await until(pilot, lambda: app.pane == "breaches")
        await pilot.press("down", "up", "a")
        assert await sent(app, pilot) == AcknowledgeBreach(breach_id="B-000017")
        await pilot.press("down")
        await app.settled(pilot)
        assert "hedged by hand" in seen(app, "limit_detail")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        helped = app.screen._text().plain  # type: ignore[attr-defined]
        assert "B-000016 is over" in helped
        assert "Kill switch" in helped


async def test_a_restriction_is_picked_and_stands_in_the_header() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press(*"paper-1", "enter")
        await pilot.pause()
        await pilot.press(*"halted", "enter")
        assert await sent(app, pilot) == RestrictEngine(engine="paper-1", restriction="halted")
        status = msgspec.structs.replace(
            app.mirror.engines["paper-1"], restriction="halted", ts=scene.NOW + 1
        )
        app.mirror.apply_records([status])
        app.frame()
        assert "HALTED" in app.query_one("#header", Lines).text


async def test_a_stress_of_ones_own_is_asked_for_and_taken_away() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        await say(pilot, "stress equity=-20%")
        await until(pilot, lambda: app.pane == "stress")
        await app.settled(pilot)
        assert "-96,120" in seen(app, "stress")
        await pilot.press("escape")
        await app.settled(pilot)
        assert "-96,120" not in seen(app, "stress")


async def test_what_a_role_may_not_do_is_not_done() -> None:
    app = desk("viewer")
    async with app.run_test(size=(120, 40)) as pilot:
        await open_risk(app, pilot)
        await pilot.press("x", "m", "K")
        await pilot.pause(0.1)
        assert len(app.screen_stack) == 1
        await say(pilot, "limit set leverage 2")
        await pilot.pause()
        assert "needs the role risk; you are viewer" in app.command_bar.query_one(Lines).text
        assert app.line.commands == []


# ---------------------------------------------------------------- the drawer


async def test_the_drawer_opens_anywhere_and_acknowledges() -> None:
    app = desk()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, Drawer) and app.screen.table.row_count > 6)
        drawer = app.screen
        assert isinstance(drawer, Drawer)
        assert drawer.chosen is not None
        assert drawer.chosen.kind == "change"
        await pilot.press("y")
        assert await sent(app, pilot) == DecideLimitChange(change_id="C-000003", approve=True)
        await pilot.press("down", "a")
        assert await sent(app, pilot, 2) == AcknowledgeBreach(breach_id="B-000017")
        await pilot.press("down", "a")
        assert await sent(app, pilot, 3) == AcknowledgeAlert(alert_id="A-000041")
        seen_by = msgspec.structs.replace(
            scene_risk.alerts()[0], status="acknowledged", acknowledged_by="ada", ts=scene.NOW + 1
        )
        app.mirror.apply_records([seen_by])
        drawer.show()
        assert any("seen ada" in row.cells[-1].text for row in drawer.table.rows)
        await pilot.press("end", "home", "down", "enter")
        await until(pilot, lambda: app.workspace == "risk")
        assert app.pane == "breaches"


async def test_what_is_pasted_into_the_drawer_acknowledges_nothing() -> None:
    app = desk()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, Drawer) and app.screen.chosen is not None)
        from textual import events

        for key in "ya":
            app.screen.post_message(events.Key(key, key))
        await pilot.pause(0.1)
        assert app.line.commands == []


# ---------------------------------------------------------------- the kill switch


async def test_the_kill_switch_says_what_happens_and_only_the_chord_pulls_it() -> None:
    app = desk()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, KillSwitch))
        said = words(app)
        assert "4 working orders are cancelled" in said
        assert "3 positions stay open" in said
        await pilot.press("f")
        assert "3 positions are closed at market" in words(app)
        assert "SELL 400 AAPL.SIM" in words(app)
        await pilot.press("enter", "space", "y", "K")
        await pilot.pause(0.1)
        assert app.line.commands == []
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        assert app.line.commands[0][0] == Kill(flatten=True)
        assert "Waiting for the engines" in words(app)
        await pilot.press("ctrl+o")
        app.mirror.apply_records([scene_risk.kill("flattening")])
        await until(pilot, lambda: "FLATTENING" in words(app))
        assert "block 3.0ms" in words(app)
        assert "cancel 41ms" in words(app)
        assert "holds -2 ES.SIM" in words(app)
        latched = msgspec.structs.replace(scene_risk.kill("latched"), ts=scene.NOW)
        app.mirror.apply_records([latched])
        await until(pilot, lambda: "Verified: nothing works any more" in words(app))
        assert len(app.line.commands) == 1
        await pilot.press("escape")
        for workspace in "1246":
            await pilot.press(workspace)
            await app.settled(pilot)
            assert app.query_one(Banner).display
            assert "KILLED  every engine by ada since 14:30:04Z" in app.query_one(Banner).text
        assert " KILLED " in app.query_one("#header", Lines).text


async def test_a_kill_that_was_refused_says_why_where_it_was_pulled() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await say(pilot, "kill paper-1 drill reason monthly drill")
        await until(pilot, lambda: isinstance(app.screen, KillSwitch))
        assert "DRILL" in words(app)
        assert "monthly drill" in words(app)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        assert app.line.commands[0][0] == Kill(engine="paper-1", drill=True, reason="monthly drill")
        app.line.answers.put_nowait(ForbiddenError("another kill is under way"))
        await until(pilot, lambda: "another kill is under way" in words(app))


@pytest.mark.parametrize("state", ["latched", "flattening"])
async def test_the_switch_is_released_by_its_phrase_typed_and_nothing_else(state: KillState) -> None:
    """Also one that could not be verified to its end: it holds, and only a person lets it go."""
    app = desk()
    app.mirror.apply_records([scene_risk.kill(state, verified=False)])
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, UnlockDialogue))
        assert "NOT verified" in words(app)
        await pilot.press("enter", *"unlock", "enter")
        assert isinstance(app.screen, UnlockDialogue)
        assert "not the phrase" in words(app)
        from textual import events

        assert app.screen.focused is not None
        app.screen.focused.post_message(events.Paste(" trading"))
        await until(pilot, lambda: "not pasted" in words(app))
        await pilot.press("space", *"trading", "enter")
        assert await sent(app, pilot) == Unlock(phrase=UNLOCK_PHRASE)
        released = msgspec.structs.replace(
            scene_risk.kill("armed"), released_by="ada", ts_released=scene.NOW, ts=scene.NOW
        )
        app.mirror.apply_records([released])
        app.frame()
        assert not app.query_one(Banner).display


# ---------------------------------------------------------------- the ticket


async def test_a_denied_order_names_the_rule_and_one_key_takes_what_passes() -> None:
    from data.limits import Denial

    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        await pilot.press("1", "b")
        await until(pilot, lambda: app.ticket_pane.ticket is not None)
        await pilot.press(*"150")
        await until(pilot, lambda: app.ticket_pane.sendable is None)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        command, command_id = app.line.commands[0]
        denial = Denial(
            rule="position_size",
            detail="550 shares of AAPL.SIM are over 500",
            scope="instrument:AAPL.SIM",
            unit="shares",
            value=D(550),
            limit=D(500),
            max_quantity=D(100),
        )
        order = msgspec.structs.replace(
            scene.orders()[0],
            client_order_id=command.client_order_id,  # type: ignore[union-attr]
            status="denied",
            reason=denial.sentence(),
            denial=denial,
        )
        app.line.answers.put_nowait(
            Outcome(
                command_id=command_id,
                command="order.submit",
                outcome="refused",
                problem=ForbiddenError(denial.sentence()).document(),
                orders=(order,),
            )
        )
        await until(pilot, lambda: "largest quantity that passes 100" in app.ticket_pane.text)
        assert "position_size AAPL.SIM  550 / 500 shares" in app.ticket_pane.text
        assert "ctrl+l take 100" in app.ticket_pane.text
        await pilot.press("ctrl+l")
        ticket = app.ticket_pane.ticket
        assert ticket is not None
        assert (ticket.phase, ticket.text("size")) == ("editing", "100")
        assert ticket.client_order_id != command.client_order_id  # type: ignore[union-attr]


# ---------------------------------------------------------------- lines and words

KNOWN = Known(
    engines=("paper-1", "paper-2"),
    limits=("leverage:portfolio:ratio",),
    scopes=("engine:paper-1", "instrument:AAPL.SIM", "sector:Energy"),
    acknowledgeable=("B-1",),
    changes=("C-1",),
)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("limit s", "set"),
        ("limit set lev", "leverage"),
        ("limit set position_size instrument:AA", "instrument:AAPL.SIM"),
        ("limit set position_size instrument:AAPL.SIM 500 sh", "shares"),
        ("limit set leverage 2 wa", "warn"),
        ("limit delete lev", "leverage:portfolio:ratio"),
        ("restrict paper-1 red", "reduce_only"),
        ("report da", "daily_risk"),
        ("kill paper-1 fl", "flatten"),
        ("ack B", "B-1"),
    ],
)
def test_lines_about_risk_are_completed(line: str, word: str) -> None:
    found = complete(line, KNOWN)
    assert word in [c.word for c in found]
    assert any(c.line.endswith(word) and c.line.startswith(line.rpartition(" ")[0]) for c in found)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("limit set leverage 2 shares", "leverage is stated in ratio, not shares"),
        ("limit set leverage everything 2", "portfolio, engine:ID"),
        ("limit set leverage", "scope or the limit is missing"),
        ("limit set leverage -2", "is none"),
        ("limit delete nothing", "not known"),
        ("restrict paper-1 sideways", "restriction"),
        ("stress equity", "equity=-20%"),
        ("report daily_risk docx", "one word too many"),
    ],
)
def test_a_wrong_line_about_risk_is_explained(line: str, message: str) -> None:
    with pytest.raises(CommandLineError) as caught:
        parse(line, KNOWN)
    assert message in caught.value.message


@given(row=st.integers(0, len(scene_risk.TABLE) - 1), warn=st.sampled_from(["0.8", "0.75", "0.5"]))
def test_the_line_that_changes_a_limit_says_that_limit(row: int, warn: str) -> None:
    limit = scene_risk.limit(row, warn=D(warn), auto_adjust=AutoAdjust(target_vol=D("0.12")))
    line = parse(edit_line(limit), KNOWN)
    assert isinstance(line, LimitSetLine)
    assert (line.limit_type, line.scope, line.hard, line.unit) == (
        limit.limit_type,
        limit.scope,
        limit.hard,
        limit.unit,
    )
    assert line.warn in (None, limit.warn)
    assert line.target_vol == D("0.12")
    assert parse(line.text(), KNOWN) == line


@given(share=st.decimals(D(0), D(12), places=6))
def test_rounding_hides_no_breach(share: Decimal) -> None:
    number = int(percent(share).strip(">%"))
    assert (number > 100) == (share > 1)
    assert (number == 100) == (share == 1)


def test_figures_are_written_by_unit_and_chances_are_never_rounded_to_nothing() -> None:
    assert set(UNITS) >= {"leverage", "var"}
    assert amount(D("1.456"), "leverage", "ratio") == "1.46"
    assert amount(D("0.0234"), "var", "ratio") == "2.34%"
    assert amount(D(1_500_000), "net_exposure", "notional") == "1,500,000"
    assert amount(D(1_500_000), "net_exposure", "notional", short=True) == "1.50M"
    assert amount(D(500), "position_size", "shares") == "500"
    assert amount(None, "var", "ratio") == "–"
    assert [chance(p) for p in (0.0, 0.004, 0.31, 0.996, 1.0, None)] == [
        "0%",
        "<1%",
        "31%",
        ">99%",
        "100%",
        "–",
    ]
