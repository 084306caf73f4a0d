"""What a person can say on the ``:`` line, as values: one frozen class per statement.

Each statement turns back into the line that says it (``text``), so that history, help and the
ticket speak the same language as the parser. This module must not know of Textual, of the mirror or
of how a statement is carried out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from data.records import OrderType, Side, TimeInForce
from nautilus_tui.terminal.research_lines import ResearchLine
from nautilus_tui.terminal.risk_lines import RiskLine

SizeMode = Literal["units", "notional", "equity", "risk"]
EngineVerb = Literal["start", "stop", "restart", "kill"]
AuthorityVerb = Literal["take", "release"]
FeedVerb = Literal["pause", "resume", "step", "speed"]
Feed = Literal["simulated", "replay"]
MacroVerb = Literal["show", "factor", "series", "as-of", "years", "refresh"]

_SECOND = 1_000_000_000


def number(value: Decimal) -> str:
    """Return a number as it is typed: no exponent, no grouping."""
    return format(value, "f")


def moment(ts: int) -> str:
    """Return UTC nanoseconds as typed after ``gtd``; whole seconds only, as the line takes them."""
    return datetime.fromtimestamp(ts // _SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Size:
    """How much: units, notional in the instrument's currency, percent of equity, or money at risk."""

    mode: SizeMode
    value: Decimal

    def text(self) -> str:
        """Return ``100``, ``$20000``, ``2%`` or ``r500``."""
        plain = number(self.value)
        return {"units": plain, "notional": f"${plain}", "equity": f"{plain}%", "risk": f"r{plain}"}[
            self.mode
        ]


def _tail(tif: TimeInForce | None, ts_expire: int | None, reduce_only: bool = False) -> str:
    words = ""
    if tif == "gtd" and ts_expire is not None:
        words += f" gtd {moment(ts_expire)}"
    elif tif is not None:
        words += f" {tif}"
    return words + (" reduce" if reduce_only else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """``buy 100 AAPL.SIM @ 187.50 gtc``: one order, to be staged in the ticket."""

    side: Side
    size: Size
    instrument: str
    order_type: OrderType = "market"
    price: Decimal | None = None
    trigger: Decimal | None = None
    trail: Decimal | None = None
    distance: Decimal | None = None  #: stop distance in price units, for sizing by risk
    tif: TimeInForce | None = None
    ts_expire: int | None = None
    reduce_only: bool = False

    def text(self) -> str:
        """Return the line that says this."""
        words = f"{self.side} {self.size.text()} {self.instrument}"
        if self.trigger is not None:
            touched = self.order_type in ("market_if_touched", "limit_if_touched")
            words += f" {'touch' if touched else 'stop'} {number(self.trigger)}"
        if self.price is not None:
            words += f" @ {number(self.price)}"
        if self.trail is not None:
            words += f" trail {number(self.trail)}"
        if self.distance is not None:
            words += f" dist {number(self.distance)}"
        return words + _tail(self.tif, self.ts_expire, self.reduce_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class BracketLine:
    """``bracket buy 100 AAPL.SIM @ 187.5 tp 190 sl 185``: an entry with both exits."""

    side: Side
    size: Size
    instrument: str
    take_profit: Decimal
    stop_loss: Decimal
    price: Decimal | None = None  #: None: enter at market
    tif: TimeInForce | None = None
    ts_expire: int | None = None

    def text(self) -> str:
        """Return the line that says this."""
        entry = "" if self.price is None else f" @ {number(self.price)}"
        exits = f" tp {number(self.take_profit)} sl {number(self.stop_loss)}"
        head = f"bracket {self.side} {self.size.text()} {self.instrument}"
        return head + entry + exits + _tail(self.tif, self.ts_expire)


@dataclass(frozen=True, slots=True, kw_only=True)
class OcoLine:
    """``oco sell 100 AAPL.SIM @ 190 stop 185``: a limit and a stop, one cancels the other."""

    side: Side
    size: Size
    instrument: str
    limit: Decimal
    stop: Decimal
    tif: TimeInForce | None = None
    ts_expire: int | None = None
    reduce_only: bool = False

    def text(self) -> str:
        """Return the line that says this."""
        prices = f" @ {number(self.limit)} stop {number(self.stop)}"
        head = f"oco {self.side} {self.size.text()} {self.instrument}"
        return head + prices + _tail(self.tif, self.ts_expire, self.reduce_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyLine:
    """``modify O-12 qty 50 price 187.4 trigger 186``: stage a change of a working order."""

    order: str
    qty: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None

    def text(self) -> str:
        """Return the line that says this."""
        words = f"modify {self.order}"
        for name, value in (("qty", self.qty), ("price", self.price), ("trigger", self.trigger)):
            if value is not None:
                words += f" {name} {number(value)}"
        return words


@dataclass(frozen=True, slots=True)
class CancelLine:
    """``cancel O-12``."""

    order: str

    def text(self) -> str:
        """Return the line that says this."""
        return f"cancel {self.order}"


@dataclass(frozen=True, slots=True)
class CancelAllLine:
    """``cancel all`` or ``cancel all AAPL.SIM``."""

    instrument: str | None = None

    def text(self) -> str:
        """Return the line that says this."""
        return "cancel all" if self.instrument is None else f"cancel all {self.instrument}"


@dataclass(frozen=True, slots=True)
class CloseLine:
    """``close AAPL.SIM``: close one position at market."""

    instrument: str

    def text(self) -> str:
        """Return the line that says this."""
        return f"close {self.instrument}"


@dataclass(frozen=True, slots=True)
class FlattenLine:
    """``flatten`` or ``flatten AAPL.SIM``."""

    instrument: str | None = None

    def text(self) -> str:
        """Return the line that says this."""
        return "flatten" if self.instrument is None else f"flatten {self.instrument}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLine:
    """``engine start r1 feed replay from 2012-01-02 speed 10 paused``; ``kill`` is the emergency stop."""

    verb: EngineVerb
    engine: str
    feed: Feed | None = None
    speed: str | None = None
    seed: int | None = None
    start: str | None = None  #: replay: ISO date or time
    end: str | None = None
    paused: bool = False

    def text(self) -> str:
        """Return the line that says this."""
        words = f"engine {self.verb} {self.engine}"
        if self.feed is not None:
            words += f" feed {self.feed}"
        if self.speed is not None:
            words += f" speed {self.speed}"
        if self.seed is not None:
            words += f" seed {self.seed}"
        if self.start is not None:
            words += f" from {self.start}"
        if self.end is not None:
            words += f" to {self.end}"
        return words + (" paused" if self.paused else "")


@dataclass(frozen=True, slots=True)
class FeedLine:
    """``feed pause``, ``feed speed 10``."""

    verb: FeedVerb
    speed: str | None = None

    def text(self) -> str:
        """Return the line that says this."""
        return f"feed {self.verb}" if self.speed is None else f"feed {self.verb} {self.speed}"


@dataclass(frozen=True, slots=True)
class TimeframeLine:
    """``tf 5m``."""

    timeframe: str

    def text(self) -> str:
        """Return the line that says this."""
        return f"tf {self.timeframe}"


@dataclass(frozen=True, slots=True)
class ThemeLine:
    """``theme light``."""

    theme: str

    def text(self) -> str:
        """Return the line that says this."""
        return f"theme {self.theme}"


@dataclass(frozen=True, slots=True)
class SymbolLine:
    """``symbol MSFT.SIM``: look at another instrument."""

    instrument: str

    def text(self) -> str:
        """Return the line that says this."""
        return f"symbol {self.instrument}"


@dataclass(frozen=True, slots=True)
class MacroLine:
    """``macro factor slope_10y2y``, ``macro as-of 2024-12-01``; ``show`` only goes there."""

    verb: MacroVerb
    name: str = ""  #: of a factor or a series
    as_of: date | None = None  #: None: today
    years: int | None = None  #: 0: all there are

    def text(self) -> str:
        """Return the line that says this."""
        match self.verb:
            case "show":
                return "macro"
            case "as-of":
                return f"macro as-of {self.as_of or 'today'}"
            case "years":
                return f"macro years {self.years or 'max'}"
            case "refresh":
                return "macro refresh"
            case _:
                return f"macro {self.verb} {self.name}"


@dataclass(frozen=True, slots=True)
class AuthorityLine:
    """``authority take end of shift``: the reason is told to everyone."""

    verb: AuthorityVerb
    reason: str = ""

    def text(self) -> str:
        """Return the line that says this."""
        return f"authority {self.verb} {self.reason}" if self.reason else f"authority {self.verb}"


@dataclass(frozen=True, slots=True)
class ActionLine:
    """The name of any other action: ``quit``, ``help``, ``maximise`` …"""

    name: str

    def text(self) -> str:
        """Return the line that says this."""
        return self.name


Statement = (
    OrderLine
    | BracketLine
    | OcoLine
    | ModifyLine
    | CancelLine
    | CancelAllLine
    | CloseLine
    | FlattenLine
    | EngineLine
    | FeedLine
    | TimeframeLine
    | ThemeLine
    | SymbolLine
    | MacroLine
    | ResearchLine
    | RiskLine
    | AuthorityLine
    | ActionLine
)
