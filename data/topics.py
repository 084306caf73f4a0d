"""Topics: the names events travel under, which of them may be conflated and who may read them.

Topics are dotted (``quotes.AAPL.SIM``); patterns add ``*`` for one level and a final ``>`` for one
or more further levels. An instrument id itself contains dots. Nobody writes topic strings by hand:
they come from the builders below or from `topic_of`. This module must not know who publishes,
carries or shows events.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import msgspec

from data.access import ROLES, OrderAuthority, Role
from data.companies import Filing
from data.facts import ProviderHealth
from data.kill import KillStatus
from data.limits import Alert, Breach, BreachForecast, LimitStatus
from data.macro import MacroFactor, MacroRegime
from data.problems import InvalidRequestError
from data.records import (
    AccountUpdate,
    AnyRecord,
    AuditEntry,
    Bar,
    Book,
    Broadcast,
    EngineLog,
    EngineStatus,
    FeedProgress,
    Fill,
    OrderUpdate,
    PositionUpdate,
    Quote,
    SystemHealth,
    Trade,
)
from data.work import BackfillProgress, BacktestProgress, StrategyUpdate

Delivery = Literal["conflated", "lossless"]

MAX_LENGTH = 255
AUDIT = "audit"
MACRO = "macro.factors"
REGIME = "macro.regime"
FILINGS = "filings"
HEALTH = "system.health"
BROADCAST = "system.broadcast"
LIMITS = "risk.limits"
BREACHES = "risk.breaches"
ALERTS = "risk.alerts"
FORECAST = "risk.forecast"
KILL = "risk.kill"
AUTHORITY = "system.authority"
BACKFILL = "history.backfill"


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of topic: its pattern, how it is delivered and the least role that may read it."""

    pattern: str
    delivery: Delivery
    role: Role = "viewer"
    about: str


#: Every kind of topic there is. A topic outside these does not exist and cannot be subscribed to.
FAMILIES: tuple[Family, ...] = (
    Family(pattern="quotes.>", delivery="conflated", about="top of book per instrument"),
    Family(pattern="trades.>", delivery="conflated", about="latest trade per instrument"),
    Family(pattern="book.>", delivery="conflated", about="best levels per instrument"),
    Family(pattern="bars.*.>", delivery="conflated", about="bars per timeframe and instrument"),
    Family(pattern="marks.*", delivery="conflated", about="open positions and equity at the latest prices"),
    Family(pattern="orders.*", delivery="lossless", about="order states per engine"),
    Family(pattern="fills.*", delivery="lossless", about="executions per engine"),
    Family(pattern="positions.*", delivery="lossless", about="position changes per engine"),
    Family(pattern="account.*", delivery="lossless", about="balance changes per engine"),
    Family(pattern="engines.*.status", delivery="conflated", about="an engine's state and load"),
    Family(pattern="engines.*.feed", delivery="conflated", about="where an engine's feed stands"),
    Family(pattern="engines.*.log", delivery="lossless", about="an engine's log lines"),
    Family(pattern=HEALTH, delivery="conflated", about="the daemon's own health"),
    Family(pattern=BROADCAST, delivery="lossless", about="messages from an operator to everyone"),
    Family(pattern=MACRO, delivery="conflated", about="macro factors"),
    Family(pattern=REGIME, delivery="conflated", about="the macro regime and the recession probability"),
    Family(pattern=FILINGS, delivery="lossless", about="new filings of what is held or watched"),
    Family(pattern="providers.*.health", delivery="conflated", about="a provider's state, pace and quota"),
    Family(pattern=LIMITS, delivery="conflated", about="how much of each limit is used"),
    Family(pattern=BREACHES, delivery="lossless", about="breaches of limits, from detected to resolved"),
    Family(pattern=ALERTS, delivery="lossless", about="what a person should know"),
    Family(pattern=FORECAST, delivery="conflated", about="how likely each limit is breached soon"),
    Family(pattern=KILL, delivery="lossless", about="the kill switch"),
    Family(pattern=AUTHORITY, delivery="lossless", about="who holds the order authority"),
    Family(pattern=BACKFILL, delivery="conflated", about="how far the history has been filled"),
    Family(pattern="backtests.*", delivery="conflated", about="how far a backtest has come"),
    Family(pattern="strategies.*", delivery="lossless", about="a strategy's versions and deployments"),
    Family(pattern=AUDIT, delivery="lossless", role="risk", about="commands and how they ended"),
)

_BY_FIRST: dict[str, tuple[Family, ...]] = {
    first: tuple(family for family in FAMILIES if family.pattern.partition(".")[0] == first)
    for first in {family.pattern.partition(".")[0] for family in FAMILIES}
}


# ---------------------------------------------------------------- grammar


def check_topic(topic: str) -> str:
    """Return ``topic`` if it is well formed and has no wildcards; raise InvalidRequestError if not."""
    levels = check_pattern(topic).split(".")
    if "*" in levels or ">" in levels:
        raise InvalidRequestError(
            f"topic {topic!r} has a wildcard",
            rule="events travel on topics without wildcards",
            fix="name the topic in full",
        )
    return topic


def check_pattern(pattern: str) -> str:
    """Return ``pattern`` if it is well formed; raise InvalidRequestError with the rule if not."""
    problem = _fault(pattern)
    if problem is not None:
        raise InvalidRequestError(
            f"pattern {pattern[:80]!r} {problem}",
            rule="dotted levels of printable characters; * is one level, > the rest and stands last",
            fix="for example quotes.AAPL.SIM, quotes.>, bars.5m.*.*, orders.paper-1",
        )
    return pattern


def _fault(pattern: str) -> str | None:
    if not pattern:
        return "is empty"
    if len(pattern) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if not pattern.isprintable():
        return "has unprintable characters"
    levels = pattern.split(".")
    for index, level in enumerate(levels):
        if not level:
            return "has an empty level"
        if level == ">" and index != len(levels) - 1:
            return "has > before its end"
        if len(level) > 1 and ("*" in level or ">" in level):
            return f"has a wildcard inside the level {level!r}"
    return None


@lru_cache(maxsize=65536)
def matches(pattern: str, topic: str) -> bool:
    """Tell whether ``topic`` (no wildcards) is one of those that ``pattern`` names."""
    wanted, levels = pattern.split("."), topic.split(".")
    for index, level in enumerate(wanted):
        if level == ">":
            return len(levels) > index
        if index >= len(levels) or (level != "*" and level != levels[index]):
            return False
    return len(wanted) == len(levels)


def overlaps(one: str, other: str) -> bool:
    """Tell whether some topic is named by both patterns."""
    left, right = one.split("."), other.split(".")
    for index in range(min(len(left), len(right))):
        a, b = left[index], right[index]
        if a == ">" or b == ">":
            return True
        if a != b and a != "*" and b != "*":
            return False
    return len(left) == len(right)


# ---------------------------------------------------------------- delivery and access


@lru_cache(maxsize=65536)
def family_of(topic: str) -> Family:
    """Return the family of a topic; raise InvalidRequestError when there is none."""
    for family in _likely(topic):
        if matches(family.pattern, topic):
            return family
    raise _no_family(topic)


@lru_cache(maxsize=4096)  # few: clients may name anything
def families_of(pattern: str) -> tuple[Family, ...]:
    """Return the families a pattern reaches; raise InvalidRequestError when it can name nothing."""
    found = tuple(family for family in _likely(pattern) if overlaps(family.pattern, pattern))
    if not found:
        raise _no_family(pattern)
    return found


def _likely(pattern: str) -> tuple[Family, ...]:
    """Return the families that begin as a pattern does: all are named by their first level."""
    first = pattern.partition(".")[0]
    return FAMILIES if first in ("*", ">") else _BY_FIRST.get(first, ())


def _no_family(topic: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"no topic is named {topic!r}",
        rule="topics are " + ", ".join(family.pattern for family in FAMILIES),
        fix="subscribe to one of these",
    )


def delivery_of(topic: str) -> Delivery:
    """Return how a topic is delivered to a slow reader."""
    return family_of(topic).delivery


def role_for(topic: str) -> Role:
    """Return the least role that may read a topic."""
    return family_of(topic).role


def may_read(role: Role, topic: str) -> bool:
    """Tell whether a role may read a topic."""
    return ROLES.index(role) >= ROLES.index(role_for(topic))


# ---------------------------------------------------------------- builders


def _level(name: str) -> str:
    """Check that a name can stand as one level."""
    if not name or not name.isprintable() or any(sign in name for sign in ".*>"):
        raise InvalidRequestError(
            f"{name!r} cannot be part of a topic",
            rule="an engine's or timeframe's name is one level: printable, without . * >",
        )
    return name


def _levels(instrument: str) -> str:
    return check_topic(instrument)


@lru_cache(maxsize=8192)
def quotes(instrument: str) -> str:
    """Return the topic of an instrument's quotes."""
    return f"quotes.{_levels(instrument)}"


@lru_cache(maxsize=8192)
def trades(instrument: str) -> str:
    """Return the topic of an instrument's trades."""
    return f"trades.{_levels(instrument)}"


@lru_cache(maxsize=8192)
def book(instrument: str) -> str:
    """Return the topic of an instrument's book."""
    return f"book.{_levels(instrument)}"


@lru_cache(maxsize=8192)
def bars(timeframe: str, instrument: str) -> str:
    """Return the topic of an instrument's bars of one timeframe."""
    return f"bars.{_level(timeframe)}.{_levels(instrument)}"


@lru_cache(maxsize=1024)
def marks(engine: str) -> str:
    """Return the topic of an engine's positions and equity at the latest prices."""
    return f"marks.{_level(engine)}"


@lru_cache(maxsize=1024)
def orders(engine: str) -> str:
    """Return the topic of an engine's order states."""
    return f"orders.{_level(engine)}"


@lru_cache(maxsize=1024)
def fills(engine: str) -> str:
    """Return the topic of an engine's executions."""
    return f"fills.{_level(engine)}"


@lru_cache(maxsize=1024)
def positions(engine: str) -> str:
    """Return the topic of an engine's position changes."""
    return f"positions.{_level(engine)}"


@lru_cache(maxsize=1024)
def account(engine: str) -> str:
    """Return the topic of an engine's balance changes."""
    return f"account.{_level(engine)}"


@lru_cache(maxsize=1024)
def engine_status(engine: str) -> str:
    """Return the topic of an engine's state."""
    return f"engines.{_level(engine)}.status"


@lru_cache(maxsize=1024)
def engine_feed(engine: str) -> str:
    """Return the topic of an engine's feed progress."""
    return f"engines.{_level(engine)}.feed"


@lru_cache(maxsize=1024)
def engine_log(engine: str) -> str:
    """Return the topic of an engine's log lines."""
    return f"engines.{_level(engine)}.log"


@lru_cache(maxsize=64)
def provider_health(provider: str) -> str:
    """Return the topic of a provider's state."""
    return f"providers.{_level(provider)}.health"


@lru_cache(maxsize=1024)
def backtest(backtest_id: str) -> str:
    """Return the topic of a backtest's progress."""
    return f"backtests.{_level(backtest_id)}"


@lru_cache(maxsize=1024)
def strategy(strategy_id: str) -> str:
    """Return the topic of a strategy's versions and deployments."""
    return f"strategies.{_level(strategy_id)}"


def topic_of(record: AnyRecord) -> str:
    """Return the topic a record travels on.

    Position and account updates with ``seq`` 0 are marks (conflated); with a journal sequence
    number they are changes (lossless). Raises InvalidRequestError for a record that has no topic.
    """
    name = _TOPIC_OF.get(type(record))
    if name is None:
        raise InvalidRequestError(
            f"no topic carries {type(record).__name__}",
            rule="instruments do not travel on a topic: they are asked for",
        )
    return name(record)


#: By class, for there are tens of thousands a second of the first few.
_TOPIC_OF: dict[type[AnyRecord], Callable[[Any], str]] = {
    Quote: lambda record: quotes(record.instrument),
    Trade: lambda record: trades(record.instrument),
    Bar: lambda record: bars(record.timeframe, record.instrument),
    Book: lambda record: book(record.instrument),
    OrderUpdate: lambda record: orders(record.engine),
    Fill: lambda record: fills(record.engine),
    PositionUpdate: lambda record: positions(record.engine) if record.seq else marks(record.engine),
    AccountUpdate: lambda record: account(record.engine) if record.seq else marks(record.engine),
    EngineStatus: lambda record: engine_status(record.id),
    EngineLog: lambda record: engine_log(record.engine),
    FeedProgress: lambda record: engine_feed(record.engine),
    SystemHealth: lambda _: HEALTH,
    AuditEntry: lambda _: AUDIT,
    Broadcast: lambda _: BROADCAST,
    LimitStatus: lambda _: LIMITS,
    Breach: lambda _: BREACHES,
    Alert: lambda _: ALERTS,
    BreachForecast: lambda _: FORECAST,
    KillStatus: lambda _: KILL,
    OrderAuthority: lambda _: AUTHORITY,
    BackfillProgress: lambda _: BACKFILL,
    BacktestProgress: lambda record: backtest(record.id),
    StrategyUpdate: lambda record: strategy(record.strategy),
    MacroFactor: lambda _: MACRO,
    MacroRegime: lambda _: REGIME,
    Filing: lambda _: FILINGS,
    ProviderHealth: lambda record: provider_health(record.provider),
}
