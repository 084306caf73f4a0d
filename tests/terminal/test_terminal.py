"""The terminal as a trader uses it: stories in keys, told on a line whose other end the test plays."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from data.commands import (
    CancelAll,
    CancelOrder,
    ClosePosition,
    Flatten,
    ModifyOrder,
    Outcome,
    PreviewOrder,
    RestartEngine,
    SetFeed,
    StartEngine,
    StopEngine,
    SubmitBracket,
    SubmitOrder,
)
from data.problems import DeniedError, NotFoundError, OutcomeUnknownError, UnavailableError
from data.records import OrderUpdate
from nautilus_tui.client.stream import ConnectionChanged
from nautilus_tui.terminal import inquiry
from nautilus_tui.terminal.actions import ACTIONS, TAKEN_KEYS
from nautilus_tui.terminal.burst import QUIET_S
from nautilus_tui.terminal.pane_classes import PANE_CLASSES
from nautilus_tui.terminal.panes.macro.factor_chart import FactorChart
from nautilus_tui.terminal.places import PANES
from nautilus_tui.terminal.screens.confirm import Confirm
from nautilus_tui.terminal.screens.help import Help
from nautilus_tui.terminal.screens.line_input import LineInput
from nautilus_tui.terminal.screens.picker import Picker
from nautilus_tui.terminal.settings import TerminalSettings, recall
from nautilus_tui.terminal.ticket import Ticket
from nautilus_tui.terminal.widgets.lines import Lines
from tests.terminal import scene
from tests.terminal.desk import CONNECTED, Desk, until

D = Decimal


def ticket_of(app: Desk) -> Ticket:
    ticket = app.ticket_pane.ticket
    assert ticket is not None
    return ticket


def said(app: Desk) -> str:
    return "\n".join(n.message for n in app._notifications)


def order_of(command: SubmitOrder, **changes: object) -> OrderUpdate:
    plain = OrderUpdate(
        engine=command.engine,
        client_order_id=command.client_order_id,
        instrument=command.instrument,
        side=command.side,
        order_type=command.order_type,
        tif=command.tif,
        qty=command.qty,
        price=command.price,
        status="accepted",
        ts_init=scene.NOW,
        ts=scene.NOW,
        seq=50,
        synthetic=True,
    )
    return msgspec.structs.replace(plain, **changes)


async def open_desk(app: Desk, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: app.line.watched)
    app.frame()
    await pilot.pause()


# ---------------------------------------------------------------- buying


async def test_b_opens_a_ticket_at_the_touch_and_only_the_chord_sends_it() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        assert "BUY AAPL.SIM" in app.ticket_pane.title
        await pilot.press(*"250", "enter", "enter")
        assert app.line.commands == []
        await pilot.press("ctrl+o", "ctrl+o", "ctrl+o")
        await until(pilot, lambda: app.line.commands)
        await pilot.pause()
        [(command, command_id)] = app.line.commands
        assert isinstance(command, SubmitOrder)
        assert (command.qty, command.price, command.side) == (250, D("187.53"), "buy")
        assert (command.client_order_id, command_id) == (
            ticket_of(app).client_order_id,
            ticket_of(app).command_id,
        )
        assert "waiting for the answer" in app.ticket_pane.text
        await pilot.press(*"99")
        assert ticket_of(app).text("size") == "250"
        filled = order_of(command, status="filled", filled_qty=D(250), avg_price=D("187.53"))
        app.line.answers.put_nowait(
            Outcome(command_id=command_id, command="order.submit", outcome="done", orders=(filled,))
        )
        await until(pilot, lambda: "FILLED 250 @ 187.53" in app.ticket_pane.text)
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert len(app.line.commands) == 1


async def test_a_denied_order_shows_the_rule_and_is_edited_under_a_new_id() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("s")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        first = ticket_of(app).client_order_id
        problem = DeniedError(
            "position 500 is above 400", rule="position_size of AAPL.SIM is 400", fix="sell at most 800"
        )
        outcome = Outcome(
            command_id="1", command="order.submit", outcome="refused", problem=problem.document()
        )
        app.line.answers.put_nowait(outcome)
        await until(pilot, lambda: "ORDER DENIED" in app.ticket_pane.text)
        assert "rule: position_size of AAPL.SIM is 400" in app.ticket_pane.text
        assert "fix: sell at most 800" in app.ticket_pane.text
        await pilot.press("enter")
        assert ticket_of(app).phase == "editing"
        assert ticket_of(app).client_order_id != first


async def test_no_answer_is_unknown_and_asking_again_keeps_the_ids() -> None:
    app = Desk()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        app.line.answers.put_nowait(OutcomeUnknownError("no answer within 10 s"))
        await until(pilot, lambda: "OUTCOME UNKNOWN" in app.ticket_pane.text)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: len(app.line.commands) == 2)
        assert app.line.commands[0] == app.line.commands[1]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: "x".join(map(str, size)))
async def test_the_effect_on_every_limit_follows_the_quantity(size: tuple[int, int]) -> None:
    app = Desk()
    async with app.run_test(size=size) as pilot:
        await open_desk(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: " 2%" in app.ticket_pane.text)
        first = [line.split()[0] for line in app.ticket_pane.text.splitlines() if "→" in line and "%" in line]
        full = size[0] > 80
        assert first == (
            ["order_notional", "position_size", "order_rate"] if full else ["notional", "position", "rate"]
        )
        assert app.line.previews[-1] == PreviewOrder(
            engine="paper-1", instrument="AAPL.SIM", side="buy", qty=D(100), price=D("187.53")
        )
        await pilot.press(*"5000")
        await until(pilot, lambda: "94%" in app.ticket_pane.text)
        assert app.line.previews[-1].qty == 5000
        await pilot.press("ctrl+u", *"6000")
        await until(pilot, lambda: "113% !" in app.ticket_pane.text)
        said = " ".join(app.ticket_pane.text.split())
        assert "order_notional: 1,125,180.00 USD, the limit is 1,000,000.00: expect it to be denied" in said
        assert app.line.commands == []
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        await pilot.pause()
        assert "113%" not in app.ticket_pane.text


async def test_limits_are_asked_about_again_while_the_ticket_is_open_and_not_after() -> None:
    app = Desk()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inquiry, "PREVIEW_AGAIN_S", 0.01)
        patched.setattr(inquiry, "PREVIEW_REST_S", 0.01)
        async with app.run_test(size=(120, 40)) as pilot:
            await open_desk(app, pilot)
            await pilot.press("b")
            await until(pilot, lambda: len(app.line.previews) > 3)
            assert len(set(app.line.previews)) == 1
            app.line.no_preview = UnavailableError("paper-1 does not run")
            await until(pilot, lambda: "limits not known: paper-1 does not run" in app.ticket_pane.text)
            assert app.ticket_pane.sendable is None
            app.line.no_preview = None
            await until(pilot, lambda: "2%" in app.ticket_pane.text)
            await pilot.press("escape")
            await until(pilot, lambda: not any(w.group == "preview" for w in app.workers))
            await pilot.press("b", "ctrl+u", "backspace")
            await until(pilot, lambda: ticket_of(app).text("size") == "")
            await until(pilot, lambda: not any(w.group == "preview" for w in app.workers))
            assert "order_notional – → – / –" in " ".join(app.ticket_pane.text.split())


async def test_a_change_of_an_order_is_asked_about_as_that_orders() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        app.looking.focus("orders")
        app.orders.move_to("O-20260302-0013")
        await pilot.press("m", "tab", *"186.80")
        await until(pilot, lambda: app.line.previews and app.line.previews[-1].price == Decimal("186.80"))
        assert {asked.client_order_id for asked in app.line.previews} == {"O-20260302-0013"}
        await until(pilot, lambda: "order_notional" in app.ticket_pane.text)


async def test_choosing_kinds_and_stepping_by_tick() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        await pilot.press("tab", "s")
        assert ticket_of(app).kind == "stop_market"
        await pilot.press("tab", "up", "up")
        assert ticket_of(app).text("trigger") == "187.55"
        await pilot.press("tab", "right")
        assert ticket_of(app).tif == "gtc"
        await pilot.press("shift+tab", "shift+tab", "b", "tab", "tab", *"190", "tab", *"185")
        assert ticket_of(app).kind == "bracket"
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        command = app.line.commands[0][0]
        assert isinstance(command, SubmitBracket)
        assert (command.take_profit, command.stop_loss) == (190, 185)


async def test_pasted_text_is_never_an_action() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        app.post_message(events.Paste("f\nb\x0f\nq"))
        await pilot.pause()
        assert app.is_running
        assert app.ticket_pane.ticket is None
        await pilot.press("b")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        app.post_message(events.Paste("buy everything\n"))
        await pilot.pause()
        assert ticket_of(app).text("size") == "100"
        app.post_message(events.Paste("300\nq\x0f"))
        await until(pilot, lambda: ticket_of(app).text("size") == "300")
        assert app.line.commands == []


async def test_a_paste_without_brackets_sends_nothing() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        app.looking.focus("orders")
        app.orders.move_to("O-20260302-0013")
        await pilot.pause()
        burst = [events.Key(key, key) for key in "xp"]
        for index, event in enumerate(burst):
            event.time = burst[0].time + index * 0.0002
            app.post_message(event)
        await until(pilot, lambda: "as pastes do" in said(app))
        await pilot.pause(0.1)
        assert app.line.commands == []


async def test_a_paste_sends_nothing_while_the_terminal_is_busy_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        app.looking.focus("orders")
        app.orders.move_to("O-20260302-0013")
        await pilot.pause()
        first, second = (events.Key(key, key) for key in "xp")
        second.time = first.time + 0.0002
        press = app.keyboard.press

        def be_busy() -> None:
            app.post_message(second)
            time.sleep(2 * QUIET_S)

        def press_and_be_busy(event: events.Key) -> None:
            press(event)
            if event.key == "x":
                asyncio.get_running_loop().call_later(QUIET_S / 4, be_busy)

        monkeypatch.setattr(app.keyboard, "press", press_and_be_busy)
        app.post_message(first)
        await until(pilot, lambda: "as pastes do" in said(app))
        await pilot.pause(0.1)
        assert app.line.commands == []


# ---------------------------------------------------------------- orders and positions


async def test_modify_cancel_and_close() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        app.looking.focus("orders")
        app.orders.move_to("O-20260302-0013")
        await pilot.press("m")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        assert "MODIFY" in app.ticket_pane.title
        assert app.ticket_pane.sendable == "nothing is changed yet"
        await pilot.press("tab", *"186.80", "ctrl+o")
        await until(pilot, lambda: app.line.commands)
        assert app.line.commands[0][0] == ModifyOrder(
            engine="paper-1", client_order_id="O-20260302-0013", price=D("186.80")
        )
        app.line.answers.put_nowait(Outcome(command_id="1", command="order.modify", outcome="done"))
        await until(pilot, lambda: ticket_of(app).phase == "answered")
        await pilot.press("escape")
        app.looking.focus("orders")
        await pilot.press("x")
        await until(pilot, lambda: len(app.line.commands) == 2)
        assert app.line.commands[1][0] == CancelOrder(engine="paper-1", client_order_id="O-20260302-0013")
        app.line.answers.put_nowait(NotFoundError("no such order"))
        await until(pilot, lambda: "no such order" in said(app))
        app.looking.focus("positions")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: len(app.line.commands) == 3)
        closing = app.line.commands[2][0]
        assert isinstance(closing, ClosePosition)
        assert closing.instrument == "AAPL.SIM"


async def test_flatten_says_what_will_happen_and_needs_the_chord() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        text = app.screen.query_one(Lines).text
        assert "Cancelled, 4 working" in text
        assert "O-20260302-0012" in text
        assert "SELL 400 AAPL.SIM" in text
        assert "BUY  2 ES.SIM" in text
        await pilot.press("y", "enter", "space", "f")
        assert isinstance(app.screen, Confirm)
        assert app.line.commands == []
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert app.line.commands == []
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        command = app.line.commands[0][0]
        assert isinstance(command, Flatten)
        assert command.engine == "paper-1"


async def test_marked_orders_are_cancelled_together() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        app.looking.focus("orders")
        await pilot.press("home", "space", "space", "x")
        await until(pilot, lambda: len(app.line.commands) == 2)
        assert app.orders.marked == set()


# ---------------------------------------------------------------- the line


async def type_line(pilot: Pilot[int], text: str) -> None:
    await pilot.press("colon")
    await pilot.press(*("space" if c == " " else c for c in text), "enter")


async def test_a_line_stages_a_ticket_and_the_chord_sends_it() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await type_line(pilot, "buy 40 msft @ 400 gtc")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        assert app.line.commands == []
        assert app.view.instrument == "MSFT.SIM"
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        command = app.line.commands[0][0]
        assert isinstance(command, SubmitOrder)
        assert (command.instrument, command.qty, command.price, command.tif) == (
            "MSFT.SIM",
            40,
            D(400),
            "gtc",
        )


async def test_a_wrong_line_stays_to_be_corrected() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await type_line(pilot, "buy 40 mfst")
        remark = app.command_bar.query_one(Lines)
        await until(pilot, lambda: "did you mean MSFT.SIM?" in remark.text)
        assert app.command_bar.display
        await pilot.press("escape")
        await until(pilot, lambda: not app.command_bar.display)
        assert app.pane == "watchlist"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("cancel O-20260302-0013", CancelOrder(engine="paper-1", client_order_id="O-20260302-0013")),
        ("engine start paper-2", StartEngine(engine="paper-2")),
        ("feed speed 10", SetFeed(engine="paper-1", action="speed", speed="10")),
    ],
)
async def test_lines_that_are_done_at_once(line: str, command: object) -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await type_line(pilot, line)
        await until(pilot, lambda: app.line.commands)
        assert app.line.commands[0][0] == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("cancel all", CancelAll(engine="paper-1")),
        ("engine stop paper-1", StopEngine(engine="paper-1")),
        ("engine restart paper-1", RestartEngine(engine="paper-1")),
        ("engine kill paper-1", StopEngine(engine="paper-1", emergency=True)),
    ],
)
async def test_lines_that_ask_first(line: str, command: object) -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await type_line(pilot, line)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert app.line.commands == []
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)
        assert app.line.commands[0][0] == command


async def test_tab_completes_and_up_brings_back() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("colon", *"tim", "backspace", "backspace", "backspace", *"tf", "space", "5", "tab")
        assert app.command_bar.field.value in (":tf 5s", ":tf 5m")
        await pilot.press("enter")
        await until(pilot, lambda: not app.command_bar.display)
        await pilot.press("colon", "up")
        assert app.command_bar.field.value.startswith(":tf 5")


# ---------------------------------------------------------------- connection and roles


async def test_nothing_is_sent_while_disconnected_and_the_ticket_says_so() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        lost = ConnectionChanged("disconnected", scene.NOW, 1, scene.NOW + scene.SECOND, "the daemon is gone")
        app.line.events.put_nowait(lost)
        await until(pilot, lambda: "disconnected from the daemon" in app.ticket_pane.text)
        await until(pilot, lambda: app.query_one("#banner", Lines).display)
        assert "the daemon is gone" in app.query_one("#banner", Lines).text
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.line.commands == []
        app.line.events.put_nowait(CONNECTED)
        await until(pilot, lambda: not app.query_one("#banner", Lines).display)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.line.commands)


async def test_a_viewer_cannot_order() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        app.line.events.put_nowait(msgspec_role("viewer"))
        await until(pilot, lambda: app.view.role == "viewer")
        await pilot.press("b", "s", "f")
        await pilot.pause(0.1)
        assert app.ticket_pane.ticket is None
        assert not isinstance(app.screen, Confirm)
        assert "buy" not in app.query_one("#hints", Lines).text


def msgspec_role(role: str) -> ConnectionChanged:
    return ConnectionChanged("connected", scene.NOW, epoch="one", role=role)


# ---------------------------------------------------------------- getting about


async def test_workspaces_jump_maximise_and_filter() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("6")
        await until(pilot, lambda: app.workspace == "engines")
        assert app.pane == "engine_table"
        await pilot.press("5", "1")
        await until(pilot, lambda: app.workspace == "trade")
        await pilot.press("g", "d")
        await until(pilot, lambda: app.pane == "book")
        await pilot.press("z")
        await until(pilot, lambda: app.query_one("#book").region.width > 110)
        await pilot.press("z")
        await until(pilot, lambda: app.query_one("#book").region.width < 50)
        await pilot.press("slash", *"usd", "enter")
        watchlist = app.query_one("#watchlist")
        assert all("USD" in str(row.key) for row in watchlist.rows)  # type: ignore[attr-defined]
        await pilot.press("slash", "escape")
        await until(pilot, lambda: len(watchlist.rows) == 24)  # type: ignore[attr-defined]


async def test_the_watchlists_cursor_selects_and_asks_for_book_and_bars() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("down", "j")
        await until(pilot, lambda: app.line.watched[-1][0] == "book.NVDA.SIM")
        await pilot.press("]")
        await until(pilot, lambda: "bars.15m.NVDA.SIM" in app.line.watched[-1])


async def test_help_and_palette_list_what_works_and_why_not() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        await pilot.press("x")
        await until(pilot, lambda: not isinstance(app.screen, Help))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press(*"theme", "enter")
        await until(pilot, lambda: isinstance(app.screen, Picker) and "Theme" in str(app.screen._title))
        await pilot.press(*"light", "enter")
        await until(pilot, lambda: app.theme == "light")


async def test_quitting_detaches_and_remembers(tmp_path: Path) -> None:
    app = Desk(settings=TerminalSettings(timeframe="5m", engine=scene.ENGINE))
    app._state_file = tmp_path / "terminal.json"
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        await type_line(pilot, "tf 1h")
        await until(pilot, lambda: app.view.timeframe == "1h")
        await pilot.press("q")
    assert app.return_code == 0
    assert app.line.commands == []
    remembered = recall(tmp_path / "terminal.json")
    assert (remembered.timeframe, remembered.lines) == ("1h", ["tf 1h"])


async def test_panes_are_resized_by_keys_and_sizes_are_remembered(tmp_path: Path) -> None:
    app = Desk()
    app._state_file = tmp_path / "terminal.json"
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        before = app.query_one("#watchlist").outer_size.width
        await pilot.press(">", ">", "}")
        await until(pilot, lambda: app.query_one("#watchlist").outer_size.width == before + 4)
        await pilot.press("z")
        await until(pilot, lambda: app.query_one("#watchlist").outer_size.width == 120)
        await pilot.press("z")
        await until(pilot, lambda: app.query_one("#watchlist").outer_size.width == before + 4)
        await pilot.press("q")
    assert recall(tmp_path / "terminal.json").widths["watchlist.width-normal-tall"] == before + 4
    again = Desk()
    again.remembered.widths.update(recall(tmp_path / "terminal.json").widths)
    async with again.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: again.query_one("#watchlist").outer_size.width == before + 4)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: again.query_one("#watchlist").outer_size.width == before)


# ---------------------------------------------------------------- keys


def test_no_key_of_a_pane_is_taken_by_an_action_there_or_by_the_terminal() -> None:
    panes = {
        "watchlist": PANE_CLASSES[0],
        "orders": PANE_CLASSES[0],
        "positions": PANE_CLASSES[0],
        "engine_table": PANE_CLASSES[0],
        "logs": PANE_CLASSES[1],
        "chart": PANE_CLASSES[2],
        "factors": PANE_CLASSES[0],
        "calendar": PANE_CLASSES[0],
        "factor_chart": FactorChart,
    }
    for pane, widget in panes.items():
        own = {k.strip() for b in widget.BINDINGS for k in b.key.split(",")}  # type: ignore[union-attr]
        assert own.isdisjoint(TAKEN_KEYS)
        for action in ACTIONS:
            if action.scope in ("anywhere", PANES[pane], pane):
                assert own.isdisjoint(action.keys), (pane, action.id)
    assert {k for b in LineInput.BINDINGS for k in b.key.split(",")}.isdisjoint(TAKEN_KEYS)  # type: ignore[union-attr]


async def test_the_frame_rate_is_bounded_and_idle_frames_paint_nothing() -> None:
    app = Desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_desk(app, pilot)
        calls = 0
        real = app.ticket_pane.refresh_from

        def counted(*args: object) -> None:
            nonlocal calls
            calls += 1
            real(*args)  # type: ignore[arg-type]

        app.ticket_pane.refresh_from = counted  # type: ignore[method-assign]
        app.frame()
        calls = 0
        for _ in range(20):
            app.frame()
        assert calls == 0
