"""The ``:`` line: text to statement, with completion, history and errors that say what to type.

Pure: it knows names only as they are given in :class:`Known`, and raises nothing but
:class:`CommandLineError`. It must not know of Textual, the mirror or how a statement is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple, cast, get_args

from data.records import OrderType, Side, TimeInForce
from nautilus_tui.terminal.macro_lines import MACRO_VERBS
from nautilus_tui.terminal.research_lines import RESEARCH_VERBS
from nautilus_tui.terminal.risk_lines import RISK_VERBS
from nautilus_tui.terminal.statements import (
    ActionLine,
    AuthorityLine,
    AuthorityVerb,
    BracketLine,
    CancelAllLine,
    CancelLine,
    CloseLine,
    EngineLine,
    EngineVerb,
    Feed,
    FeedLine,
    FeedVerb,
    FlattenLine,
    ModifyLine,
    OcoLine,
    OrderLine,
    Size,
    SizeMode,
    Statement,
    SymbolLine,
    ThemeLine,
    TimeframeLine,
)
from nautilus_tui.terminal.words import CommandLineError, Known, Reader, Token, plain_number

_SPEED = re.compile(r"max|\d{1,9}(\.\d{1,6})?")
_TIFS: tuple[str, ...] = get_args(TimeInForce)
_LONGEST_LINE = 400


class Completion(NamedTuple):
    """One way the line can go on: the whole line with it, and the word alone."""

    line: str
    word: str


def _size(reader: Reader) -> Size:
    token = reader.take("size")
    text = token.text.lower()
    mode: SizeMode = "units"
    if text.startswith("$"):
        mode, text = "notional", text[1:]
    elif text.endswith("%"):
        mode, text = "equity", text[:-1]
    elif text.startswith("r"):
        mode, text = "risk", text[1:]
    value = plain_number(text, "size (100, $20000, 2% or r500)", token.at)
    return Size(mode, value)


def _expiry(reader: Reader) -> int:
    token = reader.take("expiry after gtd (2026-12-31 or 2026-12-31T15:00)")
    try:
        when = datetime.fromisoformat(token.text.upper())
    except ValueError as error:
        raise CommandLineError(
            f"expiry: {token.text!r} is not a date like 2026-12-31 or 2026-12-31T15:00 (UTC)", token.at
        ) from error
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    if not 1971 <= when.year < 2200:
        raise CommandLineError(f"expiry: {token.text!r} is not in this century or the next", token.at)
    return int(when.timestamp()) * 1_000_000_000


@dataclass(slots=True)
class _Clauses:
    """What may follow an order's instrument, in any order, each once."""

    values: dict[str, Decimal] = field(default_factory=dict)
    tif: TimeInForce | None = None
    ts_expire: int | None = None
    reduce_only: bool = False
    kind: OrderType | None = None


_CLAUSES: dict[str, str] = {
    "@": "price",
    "limit": "price",
    "stop": "stop",
    "touch": "touch",
    "trail": "trail",
    "dist": "distance",
    "tp": "take profit",
    "sl": "stop loss",
}


def _clauses(reader: Reader, allowed: Sequence[str], *, reduce: bool) -> _Clauses:
    found = _Clauses()
    while True:
        words = [w for w in allowed if _CLAUSES[w] not in found.values]
        words += list(_TIFS) if found.tif is None else []
        words += ["reduce"] if reduce and not found.reduce_only else []
        word = reader.option(words)
        if word is None:
            return found
        if word in _CLAUSES:
            what = _CLAUSES[word]
            found.values[what] = reader.number(what, negative=what not in ("trail", "distance"))
        elif word == "reduce":
            found.reduce_only = True
        else:
            found.tif = cast("TimeInForce", word)
            if word == "gtd":
                found.ts_expire = _expiry(reader)


def _order(reader: Reader, side: Side) -> OrderLine:
    size = _size(reader)
    instrument = reader.name("instrument", reader.known.instruments, upper=True)
    reader.option(("market", "mkt"))
    at = reader.end if reader.position >= len(reader.tokens) else reader.tokens[reader.position].at
    clauses = _clauses(reader, ("@", "limit", "stop", "touch", "trail", "dist"), reduce=True)
    values = clauses.values
    if len({"stop", "touch", "trail"} & values.keys()) > 1:
        raise CommandLineError("an order has one trigger: stop, touch or trail", at)
    if "trail" in values and "price" in values:
        raise CommandLineError("a trailing stop takes no price: it follows the market", at)
    if size.mode == "risk" and "distance" not in values:
        raise CommandLineError("sizing by risk needs the stop's distance: dist 1.20", reader.end, ("dist",))
    has_price = "price" in values
    order_type: OrderType = "limit" if has_price else "market"
    if "stop" in values:
        order_type = "stop_limit" if has_price else "stop_market"
    elif "touch" in values:
        order_type = "limit_if_touched" if has_price else "market_if_touched"
    elif "trail" in values:
        order_type = "trailing_stop"
    return OrderLine(
        side=side,
        size=size,
        instrument=instrument,
        order_type=order_type,
        price=values.get("price"),
        trigger=values.get("stop", values.get("touch")),
        trail=values.get("trail"),
        distance=values.get("distance"),
        tif=clauses.tif,
        ts_expire=clauses.ts_expire,
        reduce_only=clauses.reduce_only,
    )


def _needed(reader: Reader, clauses: _Clauses, what: str, word: str) -> Decimal:
    if what not in clauses.values:
        raise CommandLineError(f"{what} is missing: {word} PRICE", reader.end, (*reader.wanted, word))
    return clauses.values[what]


def _bracket(reader: Reader) -> BracketLine:
    side = cast("Side", reader.word("side", ("buy", "sell")))
    size = _size(reader)
    instrument = reader.name("instrument", reader.known.instruments, upper=True)
    clauses = _clauses(reader, ("@", "limit", "tp", "sl"), reduce=False)
    return BracketLine(
        side=side,
        size=size,
        instrument=instrument,
        take_profit=_needed(reader, clauses, "take profit", "tp"),
        stop_loss=_needed(reader, clauses, "stop loss", "sl"),
        price=clauses.values.get("price"),
        tif=clauses.tif,
        ts_expire=clauses.ts_expire,
    )


def _oco(reader: Reader) -> OcoLine:
    side = cast("Side", reader.word("side", ("buy", "sell")))
    size = _size(reader)
    if size.mode == "risk":
        raise CommandLineError("an OCO is sized by units, notional or percent", reader.end)
    instrument = reader.name("instrument", reader.known.instruments, upper=True)
    clauses = _clauses(reader, ("@", "limit", "stop"), reduce=True)
    return OcoLine(
        side=side,
        size=size,
        instrument=instrument,
        limit=_needed(reader, clauses, "price", "@"),
        stop=_needed(reader, clauses, "stop", "stop"),
        tif=clauses.tif,
        ts_expire=clauses.ts_expire,
        reduce_only=clauses.reduce_only,
    )


def _modify(reader: Reader) -> ModifyLine:
    order = reader.name("order", reader.known.orders)
    values: dict[str, Decimal] = {}
    while (word := reader.option([w for w in ("qty", "price", "trigger") if w not in values])) is not None:
        values[word] = reader.number(word, negative=word != "qty")
    if not values and reader.position >= len(reader.tokens):
        raise CommandLineError("say what to change: qty, price or trigger", reader.end, reader.wanted)
    return ModifyLine(
        order=order, qty=values.get("qty"), price=values.get("price"), trigger=values.get("trigger")
    )


def _cancel(reader: Reader) -> CancelLine | CancelAllLine:
    if reader.option(("all",)):
        more = reader.position < len(reader.tokens)
        reader.wanted.extend(reader.known.instruments)
        known = reader.known.instruments
        return CancelAllLine(reader.name("instrument", known, upper=True) if more else None)
    return CancelLine(reader.name("order", reader.known.orders))


def _flatten(reader: Reader) -> FlattenLine:
    if reader.position >= len(reader.tokens):
        reader.wanted.extend(reader.known.positions)
        return FlattenLine()
    return FlattenLine(reader.name("instrument", reader.known.instruments, upper=True))


def _engine(reader: Reader) -> EngineLine:
    verb = cast("EngineVerb", reader.word("engine verb", get_args(EngineVerb)))
    # A new engine may be given a new name, so start takes any.
    token = reader.take("engine's name", reader.known.engines)
    engine = token.text
    if verb != "start" and reader.known.engines and engine not in reader.known.engines:
        near = get_close_matches(engine, reader.known.engines, n=1)
        hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(reader.known.engines)
        raise CommandLineError(f"no engine is named {engine!r}; {hint}", token.at, reader.known.engines)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", engine):
        raise CommandLineError("an engine's name is lower-case letters, digits and '-', at most 31", token.at)
    options: dict[str, str] = {}
    left = ["feed", "speed", "seed", "from", "to", "paused"] if verb == "start" else []
    while left and (word := reader.option(left)) is not None:
        left.remove(word)
        if word == "feed":
            options[word] = reader.word("feed", get_args(Feed))
        elif word == "speed":
            options[word] = _speed(reader)
        elif word == "seed":
            options[word] = str(_whole(reader))
        else:
            options[word] = "yes" if word == "paused" else _day(reader, word)
    return EngineLine(
        verb=verb,
        engine=engine,
        feed=cast("Feed | None", options.get("feed")),
        speed=options.get("speed"),
        seed=int(options["seed"]) if "seed" in options else None,
        start=options.get("from"),
        end=options.get("to"),
        paused="paused" in options,
    )


def _day(reader: Reader, word: str) -> str:
    """Return a date or time as it was typed, after checking that it is one."""
    token = reader.take(f"date after {word} (2012-01-02)")
    try:
        datetime.fromisoformat(token.text.upper())
    except ValueError as error:
        raise CommandLineError(f"{word}: {token.text!r} is not a date like 2012-01-02", token.at) from error
    return token.text.upper()


def _whole(reader: Reader) -> int:
    token = reader.take("seed")
    if not (token.text.isascii() and token.text.isdigit() and len(token.text) <= 9):
        raise CommandLineError(f"seed: {token.text!r} is not a whole number", token.at)
    return int(token.text)


def _speed(reader: Reader) -> str:
    token = reader.take("speed", ("1", "10", "100", "max"))
    lowered = token.text.lower()
    if not lowered.isascii() or not _SPEED.fullmatch(lowered) or (lowered != "max" and float(lowered) == 0):
        raise CommandLineError(f"speed: {token.text!r} is neither a number nor max", token.at)
    return lowered


def _feed(reader: Reader) -> FeedLine:
    verb = cast("FeedVerb", reader.word("feed verb", get_args(FeedVerb)))
    return FeedLine(verb, _speed(reader) if verb == "speed" else None)


def _timeframe(reader: Reader) -> TimeframeLine:
    return TimeframeLine(reader.name("timeframe", reader.known.timeframes))


def _theme(reader: Reader) -> ThemeLine:
    return ThemeLine(reader.name("theme", reader.known.themes))


def _authority(reader: Reader) -> AuthorityLine:
    verb = cast("AuthorityVerb", reader.word("what of the order authority", get_args(AuthorityVerb)))
    words = []
    while reader.peek() is not None:
        words.append(reader.take("reason").text)
    return AuthorityLine(verb, " ".join(words))


def _symbol(reader: Reader) -> SymbolLine:
    return SymbolLine(reader.name("instrument", reader.known.instruments, upper=True))


def _close(reader: Reader) -> CloseLine:
    return CloseLine(reader.name("position", reader.known.positions, upper=True))


#: Every verb that takes words after it: how it reads them, and how it is written in help.
VERBS: dict[str, tuple[Callable[[Reader], Statement], str]] = {
    "buy": (lambda r: _order(r, "buy"), "buy 100 AAPL @ 187.50 gtc"),
    "sell": (lambda r: _order(r, "sell"), "sell 2 ES stop 5300"),
    "bracket": (_bracket, "bracket buy 100 AAPL tp 190 sl 185"),
    "oco": (_oco, "oco sell 100 AAPL @ 190 stop 185"),
    "modify": (_modify, "modify O-12 price 187.4"),
    "cancel": (_cancel, "cancel O-12 · cancel all"),
    "close": (_close, "close AAPL"),
    "flatten": (_flatten, "flatten"),
    "engine": (_engine, "engine start r1 feed replay from 2012-01-02 speed 10 · engine stop r1"),
    "feed": (_feed, "feed pause · feed speed 10"),
    "authority": (_authority, "authority take end of shift · authority release"),
    "tf": (_timeframe, "tf 5m"),
    "theme": (_theme, "theme light"),
    "symbol": (_symbol, "symbol MSFT"),
    **MACRO_VERBS,
    **RESEARCH_VERBS,
    **RISK_VERBS,
}


def _reader(text: str, known: Known) -> Reader:
    if len(text) > _LONGEST_LINE:
        raise CommandLineError(f"a line has at most {_LONGEST_LINE} characters", _LONGEST_LINE)
    shift = len(text) - len(text.lstrip(": \t"))
    # "@187.5" is the same as "@ 187.5": the sign is a word of its own.
    tokens = [Token(m.group(), m.start() + shift) for m in re.finditer(r"@|[^\s@]+", text[shift:])]
    return Reader(tokens, len(text), known)


def _statement(reader: Reader) -> Statement:
    names = sorted({*VERBS, *reader.known.actions})
    verb = reader.word("command", names)
    statement = VERBS[verb][0](reader) if verb in VERBS else ActionLine(verb)
    reader.finish()
    return statement


def parse(text: str, known: Known) -> Statement:
    """Return the statement a line says.

    Args:
        text: The line, with or without its leading colon.
        known: The names that mean something now.

    Raises:
        CommandLineError: when it says nothing, with the column and what could stand there.
    """
    return _statement(_reader(text, known))


def complete(text: str, known: Known, limit: int = 8) -> list[Completion]:
    """Return the ways the last word of a line can be completed, best first.

    Names are matched by their beginning first, then anywhere.
    """
    head, last = text, ""
    if text and not text[-1].isspace() and text[-1] != "@":
        # The colon before a line is no part of its first word; one inside a word is.
        match = re.search(r"(?:[^\s@:][^\s@]*)?$", text)
        last = match.group() if match else ""
        head = text[: len(text) - len(last)]
    try:
        reader = _reader(head, known)
    except CommandLineError:
        return []
    wanted: Sequence[str]
    try:
        _statement(reader)
        wanted = reader.wanted
    except CommandLineError as error:
        wanted = error.wanted if error.at >= reader.end else ()
    typed = last.lower()
    words = dict.fromkeys(wanted)
    fits = [w for w in words if w.lower().startswith(typed)]
    fits += [w for w in words if typed and typed in w.lower() and w not in fits]
    return [Completion(head + word, word) for word in fits if word != last][:limit]


class History:
    """Lines said before, walked with up and down; the line being typed is kept at the end."""

    def __init__(self, lines: Iterable[str] = (), limit: int = 200) -> None:
        self._limit = limit
        self.lines: list[str] = list(lines)[-limit:]
        self._at = len(self.lines)
        self._draft = ""

    def add(self, line: str) -> None:
        """Remember a line; said again it moves to the end."""
        line = line.strip()
        if line:
            self.lines = [*[known for known in self.lines if known != line][-(self._limit - 1) :], line]
        self._at, self._draft = len(self.lines), ""

    def older(self, current: str) -> str:
        """Return the line before the one shown."""
        if self._at == len(self.lines):
            self._draft = current
        self._at = max(0, self._at - 1)
        return self.lines[self._at] if self.lines else current

    def newer(self) -> str:
        """Return the line after the one shown; after the last, what was being typed."""
        self._at = min(len(self.lines), self._at + 1)
        return self.lines[self._at] if self._at < len(self.lines) else self._draft
