"""The limits beside a ticket: what is asked, whose answer counts, and figures that hide no breach."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from data.commands import PreviewOrder
from data.limits import LimitEffect
from data.problems import UnavailableError
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.assessment import assess
from nautilus_tui.terminal.glyphs import ASCII, UNICODE
from nautilus_tui.terminal.preview import Preview, question_of
from nautilus_tui.terminal.screens import ticket_limits
from nautilus_tui.terminal.ticket import Ticket, modify_ticket, open_ticket
from nautilus_tui.terminal.widgets.lines import Part, width_of
from tests.terminal import scene
from tests.terminal.test_ticket import AAPL, FACTS, buy, quote

D = Decimal
ASKED = PreviewOrder(engine="paper-1", instrument="AAPL.SIM", side="buy", qty=D(100), price=D("187.53"))


def effect(rule: str = "position_size", **changes: object) -> LimitEffect:
    plain = LimitEffect(
        rule=rule,
        scope="AAPL.SIM",
        used=D("75012.00"),
        after=D("93765.00"),
        limit=D(500_000),
        unit="USD",
        passes=True,
    )
    return structs.replace(plain, **changes)


def answered(*effects: LimitEffect) -> Preview:
    preview = Preview()
    preview.ask(ASKED)
    preview.take(ASKED, effects, None, 0)
    return preview


THREE = (
    effect("order_notional", used=D(0), after=D("18753.00"), limit=D(1_000_000)),
    effect(),
    effect("order_rate", scope="engine", unit="orders", used=D(3), after=D(4), limit=D(100)),
)


def drawn(preview: Preview, width: int = 54, room: int = 8, *, old: bool = False) -> list[list[Part]]:
    return ticket_limits.limits(preview, width, room, UNICODE, old=old)


def plain(lines: list[list[Part]]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


# ---------------------------------------------------------------- how it looks


def test_used_after_limit_and_a_bar() -> None:
    assert plain(drawn(answered(*THREE), 70)) == [
        " position_size  75,012 → 93,765 /   500,000 ███▍                 19%  ",
        " order_rate          3 →      4 /       100 ▊                     4%  ",
        " order_notional      0 → 18,753 / 1,000,000 ▍                     2%  ",
    ]
    assert plain(drawn(answered(*THREE), 46)) == [
        " position 75.0k → 93.8k /  500k █▏       19%  ",
        " rate         3 →     4 /   100 ▎         4%  ",
        " notional     0 → 18.8k / 1.00M ▏         2%  ",
    ]


def test_the_worst_stands_first_several_of_a_type_are_told_apart_and_the_rest_is_summed_up() -> None:
    many = (
        effect(
            "gross_exposure", scope="engine:paper-1", unit="ratio", used=D("1.2"), after=D("1.44"), limit=D(2)
        ),
        effect(
            "position_size",
            scope="instrument:AAPL.SIM",
            unit="shares",
            used=D(400),
            after=D(560),
            limit=D(500),
            passes=False,
            max_quantity=D(100),
        ),
        effect(
            "position_size",
            scope="portfolio",
            used=D(75_000),
            after=D(105_000),
            limit=D(110_000),
            warn=D("0.9"),
        ),
        effect("daily_loss", scope="portfolio", used=D(0), after=D(0), limit=D(50_000)),
    )
    lines = plain(drawn(answered(*many), 70))
    assert [line.split()[:2] for line in lines] == [
        ["position_size", "AAPL.SIM"],
        ["position_size", "portfolio"],
        ["gross_exposure", "1.20"],
        ["daily_loss", "0"],
    ]
    assert lines[0].endswith(" 112% !")
    short = plain(drawn(answered(*many), 70, 3))
    assert [line.split()[:2] for line in short[:2]] == [line.split()[:2] for line in lines[:2]]
    assert short[2] == " and 2 more, at most 72%"
    assert ticket_limits.largest(many) == 100
    assert ticket_limits.largest(many[2:]) is None
    unknown = effect(passes=False, after=None, reason="no price of AAPL.SIM")
    assert ticket_limits.largest((*many, unknown)) is None
    assert "no price of AAPL.SIM" in ticket_limits.warning(unknown)


def test_trouble_is_a_sign_and_a_colour_and_a_full_bar() -> None:
    [line] = drawn(answered(effect(after=D("500000.40"), passes=False)))[:1]
    text = plain([line])[0]
    assert text.endswith(" 101% !")
    assert "█" in text
    assert line[-2:] == [("101%", "error"), (" !", "error")]
    near = drawn(answered(effect(after=D(450_000))))[0]
    assert ("90%", "warn") in near


def test_what_is_not_known_is_a_dash_and_what_is_off_says_off() -> None:
    assert [" ".join(line.split()) for line in plain(drawn(Preview()))] == [
        "order_notional – → – / – –",
        "position_size – → – / – –",
        "order_rate – → – / – –",
    ]
    off = effect(limit=None)
    assert " ".join(plain(drawn(answered(off)))[0].split()) == "position_size 75,012 → 93,765 / off"
    unjudged = effect(used=None, after=None, passes=False)
    assert " ".join(plain(drawn(answered(unjudged)))[0].split()) == "position_size – → – / 500,000 – !"
    assert "cannot be judged" in ticket_limits.warning(unjudged)


def test_where_there_is_little_room_it_is_one_line_with_the_trouble_first() -> None:
    [line] = plain(drawn(answered(*THREE[:2], effect("order_rate", unit="orders", passes=False)), room=1))
    assert line.startswith(" rate ")
    assert line.split(" · ")[1:] == ["position 19%", "notional 2%"]


def test_why_it_is_not_known_stands_where_the_rows_were() -> None:
    preview = Preview()
    preview.ask(ASKED)
    preview.take(ASKED, (), UnavailableError("paper-1 does not run").document(), 0)
    assert plain(drawn(preview)) == [" ! limits not known: paper-1 does not run"]


def test_an_old_answer_is_toned_down() -> None:
    styles = {style for line in drawn(answered(*THREE), old=True) for _, style in line}
    assert styles <= {"label", "dim", "stale", "faint", ""}


amounts = st.decimals(D("-1e7"), D("1e9"), places=2)


@given(used=amounts, after=amounts, limit=st.decimals(D(0), D("1e9"), places=2), width=st.integers(40, 90))
def test_bars_and_figures_are_within_the_line_and_hide_no_breach(
    used: Decimal, after: Decimal, limit: Decimal, width: int
) -> None:
    one = effect(used=used, after=after, limit=limit, passes=after <= limit)
    for glyphs in (UNICODE, ASCII):
        line = ticket_limits.limits(answered(one), width, 8, glyphs, old=False)[0]
        assert width_of(line) <= max(width, 46)
    share = ticket_limits.share_of(after, limit)
    assert share is not None
    said = ticket_limits.percent(share)
    if limit > 0:
        number = int(said.strip(">%"))
        assert (number > 100) == (after > limit)
        assert (number == 100) == (after == limit)
    drawn_bar = "".join(
        text for text, _ in ticket_limits.bar(ticket_limits.row_of(one, short=False), 12, UNICODE, old=False)
    )
    assert len(drawn_bar) == 12
    assert drawn_bar == figures.bar(float(min(share, D(1))), 12, UNICODE.bar)


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("kind", "entries", "price"),
    [
        ("limit", {"price": "187.53"}, "187.53"),
        ("market", {}, None),
        ("trailing_stop", {"trail": "1"}, None),
        ("stop_limit", {"trigger": "188", "price": "188.5"}, "188.50"),
        ("bracket", {"price": "", "take_profit": "190", "stop_loss": "185"}, None),
        ("oco", {"price": "186", "trigger": "189"}, "189.00"),
    ],
)
def test_the_dearest_price_of_the_order_is_asked_about(kind, entries, price) -> None:  # type: ignore[no-untyped-def]
    ticket = buy()
    ticket.choose("kind", kind)
    for name, text in entries.items():
        ticket.enter(name, text)
    asked = question_of(ticket, assess(ticket, FACTS))
    assert asked is not None
    assert asked.price == (None if price is None else D(price))
    assert asked.qty == 100


def test_nothing_is_asked_about_what_is_no_order_or_was_sent() -> None:
    assert question_of(None, None) is None
    assert question_of(buy(), None) is None
    for wrong in (buy(size=""), buy(price=""), buy(size="0")):
        assert question_of(wrong, assess(wrong, FACTS)) is None
    working = next(o for o in scene.orders() if o.status == "accepted")
    change = modify_ticket(working)
    asked = question_of(change, assess(change, FACTS))
    assert asked is not None
    assert asked.client_order_id == working.client_order_id
    sent = buy()
    command = assess(sent, FACTS).command
    assert command is not None
    sent.send(command)
    assert question_of(sent, assess(sent, FACTS)) is None


def test_size_by_notional_asks_about_the_units() -> None:
    ticket: Ticket = open_ticket("paper-1", AAPL, "buy", quote())
    ticket.choose("size_mode", "notional")
    ticket.enter("size", "10000")
    asked = question_of(ticket, assess(ticket, replace(FACTS, now_ns=FACTS.now_ns + 1)))
    assert asked is not None
    assert asked.qty == 53


# ---------------------------------------------------------------- whose answer counts


def test_only_the_answer_to_the_latest_question_counts() -> None:
    preview = Preview()
    more = structs.replace(ASKED, qty=D(6000))
    assert preview.ask(ASKED)
    assert not preview.ask(ASKED)
    assert preview.ask(more)
    preview.take(ASKED, [effect(passes=False)], None, 10)
    assert preview.old(10, 5)
    assert preview.warnings() == []
    preview.take(more, [effect(passes=False)], None, 20)
    assert not preview.old(25, 5)
    assert preview.old(26, 5)
    assert len(preview.warnings()) == 1


@pytest.mark.parametrize("change", [{"side": "sell"}, {"instrument": "MSFT.SIM"}, {"engine": "paper-2"}])
def test_an_answer_about_something_else_is_forgotten_and_not_taken(change: dict[str, str]) -> None:
    preview = answered(*THREE)
    preview.ask(structs.replace(ASKED, **change))
    assert preview.effects == ()
    preview.take(ASKED, THREE, None, 0)
    assert preview.effects == ()
    preview.ask(None)
    preview.take(ASKED, THREE, None, 0)
    assert preview.effects == ()
