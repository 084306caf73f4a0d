"""The ``:`` line: everything said can be said again, and nothing typed breaks it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nautilus_tui.terminal.command_line import History, complete, parse
from nautilus_tui.terminal.statements import (
    ActionLine,
    BracketLine,
    CancelAllLine,
    CancelLine,
    CloseLine,
    EngineLine,
    FeedLine,
    FlattenLine,
    ModifyLine,
    OcoLine,
    OrderLine,
    Size,
    Statement,
    SymbolLine,
    ThemeLine,
    TimeframeLine,
)
from nautilus_tui.terminal.words import CommandLineError, Known

KNOWN = Known(
    instruments=("AAPL.SIM", "AMZN.SIM", "MSFT.SIM", "ES.SIM", "EURUSD.SIM"),
    orders=("O-AB12", "O-AB34", "O-CD56"),
    positions=("AAPL.SIM", "ES.SIM"),
    engines=("paper-1", "replay-2"),
    timeframes=("1m", "5m", "1h"),
    themes=("dark", "light", "mono"),
    actions=("quit", "help", "maximise"),
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (":buy 100 AAPL", OrderLine(side="buy", size=Size("units", Decimal(100)), instrument="AAPL.SIM")),
        (
            ":buy 100 AAPL @ 187.50 gtc",
            OrderLine(
                side="buy",
                size=Size("units", Decimal(100)),
                instrument="AAPL.SIM",
                order_type="limit",
                price=Decimal("187.50"),
                tif="gtc",
            ),
        ),
        (
            "BUY 100 aapl @187.5 GTC",
            OrderLine(
                side="buy",
                size=Size("units", Decimal(100)),
                instrument="AAPL.SIM",
                order_type="limit",
                price=Decimal("187.5"),
                tif="gtc",
            ),
        ),
        (
            "sell 2 ES stop 5300",
            OrderLine(
                side="sell",
                size=Size("units", Decimal(2)),
                instrument="ES.SIM",
                order_type="stop_market",
                trigger=Decimal(5300),
            ),
        ),
        (
            "buy r500 AAPL dist 1.2 @ 187",
            OrderLine(
                side="buy",
                size=Size("risk", Decimal(500)),
                instrument="AAPL.SIM",
                order_type="limit",
                price=Decimal(187),
                distance=Decimal("1.2"),
            ),
        ),
        (
            "bracket buy 100 AAPL tp 190 sl 185",
            BracketLine(
                side="buy",
                size=Size("units", Decimal(100)),
                instrument="AAPL.SIM",
                take_profit=Decimal(190),
                stop_loss=Decimal(185),
            ),
        ),
        (
            "oco sell 100 AAPL limit 190 stop 185 reduce",
            OcoLine(
                side="sell",
                size=Size("units", Decimal(100)),
                instrument="AAPL.SIM",
                limit=Decimal(190),
                stop=Decimal(185),
                reduce_only=True,
            ),
        ),
        ("modify CD56 price 187.4", ModifyLine(order="O-CD56", price=Decimal("187.4"))),
        ("cancel O-AB12", CancelLine("O-AB12")),
        ("cancel all", CancelAllLine()),
        ("cancel all msft", CancelAllLine("MSFT.SIM")),
        ("close AAPL", CloseLine("AAPL.SIM")),
        ("flatten", FlattenLine()),
        (
            "engine start fresh feed replay speed max",
            EngineLine(verb="start", engine="fresh", feed="replay", speed="max"),
        ),
        (
            "engine start r1 feed replay from 2012-01-02 to 2012-02-01T12:00 paused",
            EngineLine(
                verb="start",
                engine="r1",
                feed="replay",
                start="2012-01-02",
                end="2012-02-01T12:00",
                paused=True,
            ),
        ),
        ("feed speed 10", FeedLine("speed", "10")),
        ("tf 5m", TimeframeLine("5m")),
        ("theme light", ThemeLine("light")),
        ("symbol MSFT", SymbolLine("MSFT.SIM")),
        ("quit", ActionLine("quit")),
    ],
)
def test_lines_mean_what_they_say(line: str, said: Statement) -> None:
    assert parse(line, KNOWN) == said


@pytest.mark.parametrize(
    ("line", "message", "at"),
    [
        ("", "command is missing", 0),
        ("by 100 AAPL", "did you mean buy?", 0),
        ("buy AAPL 100", "not a plain number", 4),
        ("buy 10,000 AAPL", "without commas", 4),
        ("buy 0 AAPL", "more than zero", 4),
        ("buy 100 APPL", "did you mean AAPL.SIM?", 8),
        ("buy 100 A", "type more of it", 8),
        ("buy 100 AAPL @", "price is missing", 14),
        ("buy 100 AAPL @ 1 gtc zzz", "one word too many", 21),
        ("buy 100 AAPL stop 1 touch 2", "one trigger", 13),
        ("buy 100 AAPL trail 1 @ 2", "takes no price", 13),
        ("buy r500 AAPL", "needs the stop's distance", 13),
        ("buy 100 AAPL gtd soon", "is not a date", 17),
        ("bracket buy 100 AAPL tp 190", "stop loss is missing", 27),
        ("modify O-AB12", "say what to change", 13),
        ("engine restart paper-9", "did you mean paper-1?", 15),
        ("engine start Paper!", "lower-case", 13),
        ("engine start r1 from soon", "is not a date like 2012-01-02", 21),
        ("feed speed fast", "neither a number nor max", 11),
        ("tf 7m", "5m", 3),
    ],
)
def test_errors_say_what_and_where(line: str, message: str, at: int) -> None:
    with pytest.raises(CommandLineError) as caught:
        parse(line, KNOWN)
    assert message in caught.value.message
    assert caught.value.at == at


PLAIN_WORDS = (
    "buy sell bracket oco modify cancel close flatten engine feed tf theme symbol quit all start stop "
    "restart kill from to paused pause speed step max AAPL ES.SIM O-AB12 paper-1 100 $100 2% r5 @ limit "
    "touch trail dist "
    "tp sl qty price trigger gtc gtd day ioc fok reduce 187.5 -3 0 2026-12-31 1e5 nan ٣ ½ ² . , :"
)
WORDS = st.sampled_from(PLAIN_WORDS.split())


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
@example("buy ² AAPL")
@example("buy 9999-12-31 gtd 9999-12-31")
@example("engine start ²")
def test_nothing_typed_raises_anything_else(line: str) -> None:
    try:
        said = parse(line, KNOWN)
    except CommandLineError as error:
        problem = error
    else:
        assert parse(said.text(), KNOWN) == said
        return
    assert problem.message
    assert 0 <= problem.at <= max(len(line), 1)


@given(st.lists(WORDS, max_size=8).map(" ".join))
def test_completions_extend_the_line(line: str) -> None:
    for found in complete(line, KNOWN):
        assert found.line.endswith(found.word)


PRICES = st.decimals(min_value="0.0001", max_value="1000000", places=4)
SIZES = st.builds(Size, st.sampled_from(["units", "notional", "equity"]), PRICES)
NAMES = st.sampled_from(KNOWN.instruments)
SIDES = st.sampled_from(["buy", "sell"])
EXPIRY = st.one_of(
    st.tuples(st.sampled_from([None, "day", "gtc", "ioc", "fok"]), st.none()),
    st.tuples(st.just("gtd"), st.integers(31_536_000, 7_000_000_000).map(lambda s: s * 1_000_000_000)),
)


@given(
    SIDES,
    SIZES,
    NAMES,
    EXPIRY,
    st.booleans(),
    PRICES,
    PRICES,
    st.sampled_from(
        [
            "market",
            "limit",
            "stop_market",
            "stop_limit",
            "market_if_touched",
            "limit_if_touched",
            "trailing_stop",
        ]
    ),
)
def test_orders_round_trip(side, size, instrument, expiry, reduce_only, price, trigger, kind) -> None:
    tif, ts_expire = expiry
    said = OrderLine(
        side=side,
        size=size,
        instrument=instrument,
        order_type=kind,
        price=price if kind in ("limit", "stop_limit", "limit_if_touched") else None,
        trigger=trigger if kind not in ("market", "limit", "trailing_stop") else None,
        trail=trigger if kind == "trailing_stop" else None,
        tif=tif,
        ts_expire=ts_expire,
        reduce_only=reduce_only,
    )
    assert parse(said.text(), KNOWN) == said


@given(SIDES, SIZES, NAMES, EXPIRY, PRICES, PRICES, st.none() | PRICES)
def test_brackets_and_ocos_round_trip(side, size, instrument, expiry, one, two, entry) -> None:
    tif, ts_expire = expiry
    bracket = BracketLine(
        side=side,
        size=size,
        instrument=instrument,
        take_profit=one,
        stop_loss=two,
        price=entry,
        tif=tif,
        ts_expire=ts_expire,
    )
    assert parse(bracket.text(), KNOWN) == bracket
    oco = OcoLine(
        side=side, size=size, instrument=instrument, limit=one, stop=two, tif=tif, ts_expire=ts_expire
    )
    assert parse(oco.text(), KNOWN) == oco


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("b", ["bracket", "buy"]),
        ("buy 100 A", ["AAPL.SIM", "AMZN.SIM"]),
        ("buy 100 AAPL g", ["gtc", "gtd"]),
        ("cancel ", ["all", "O-AB12", "O-AB34", "O-CD56"]),
        ("close ", ["AAPL.SIM", "ES.SIM"]),
        ("engine re", ["restart"]),
        ("engine stop ", ["paper-1", "replay-2"]),
        ("theme ", ["dark", "light", "mono"]),
        ("modify O-AB12 ", ["qty", "price", "trigger"]),
        (":q", ["quit"]),
    ],
)
def test_completion_offers_what_can_follow(line: str, words: list[str]) -> None:
    found = [c.word for c in complete(line, KNOWN)]
    assert found[: len(words)] == words


def test_history_walks_back_and_returns_to_what_was_being_typed() -> None:
    history = History()
    history.add("buy 1 ES")
    history.add("flatten")
    history.add("buy 1 ES")
    assert history.lines == ["flatten", "buy 1 ES"]
    assert history.older("hal") == "buy 1 ES"
    assert history.older("buy 1 ES") == "flatten"
    assert history.older("flatten") == "flatten"
    assert history.newer() == "buy 1 ES"
    assert history.newer() == "hal"
