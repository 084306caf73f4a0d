"""What can be said of risk on the ``:`` line: statements and how they are read.

It must not know of Textual, of the mirror or of how a statement is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, cast, get_args

from data.limits import UNITS, VAR_METHODS, LimitType, Restriction, Unit, unit_called
from data.reports import FORMATS, TYPES
from nautilus_tui.terminal.words import CommandLineError, Reader, plain_number

LimitVerb = Literal["delete", "check", "approve", "reject"]

#: Formats, those for the eye first.
REPORT_FORMATS: Final = FORMATS[::-1]
_SCOPE = re.compile(r"portfolio|(engine|strategy|instrument|sector):\S+", re.IGNORECASE)
#: A factor and how far it moves: a fraction or per cent of a price, basis points of a rate, a multiple.
_SHOCK = re.compile(
    r"(?P<factor>[A-Za-z][A-Za-z0-9_.:-]{0,60})=(?P<size>[+-]?\d{1,9}(\.\d{1,9})?(%|bp|x)?)", re.ASCII
)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSetLine:
    """``limit set position_size instrument:AAPL.SIM 500 shares warn 75%``."""

    limit_type: LimitType
    scope: str = "portfolio"
    hard: Decimal
    unit: Unit | None = None
    warn: Decimal | None = None  #: a share of the limit
    window_s: int | None = None
    confidence: Decimal | None = None
    horizon_days: int | None = None
    method: str | None = None
    target_vol: Decimal | None = None  #: tighten when volatility is above this, annualised
    floor: Decimal | None = None
    fixed: bool = False  #: tighten no longer
    enabled: bool | None = None

    def text(self) -> str:
        """Return the line that says this."""
        words = f"limit set {self.limit_type} {self.scope} {_plain(self.hard)}"
        words += f" {self.unit}" if self.unit is not None else ""
        words += f" warn {_percent(self.warn)}" if self.warn is not None else ""
        words += f" window {self.window_s}" if self.window_s is not None else ""
        words += f" confidence {_percent(self.confidence)}" if self.confidence is not None else ""
        words += f" horizon {self.horizon_days}" if self.horizon_days is not None else ""
        words += f" method {self.method}" if self.method is not None else ""
        words += f" auto {_percent(self.target_vol)}" if self.target_vol is not None else ""
        words += f" floor {_percent(self.floor)}" if self.floor is not None else ""
        words += " fixed" if self.fixed else ""
        return words + ("" if self.enabled is None else " on" if self.enabled else " off")


@dataclass(frozen=True, slots=True)
class LimitLine:
    """``limit delete leverage:portfolio:ratio``; ``approve`` and ``reject`` take a change's id."""

    verb: LimitVerb
    id: str

    def text(self) -> str:
        """Return the line that says this."""
        return f"limit {self.verb} {self.id}"


@dataclass(frozen=True, slots=True)
class AckLine:
    """``ack B-12 mitigating sold half``: a breach or an alert has been seen."""

    id: str
    note: str = ""
    mitigating: bool = False

    def text(self) -> str:
        """Return the line that says this."""
        words = f"ack {self.id}" + (" mitigating" if self.mitigating else "")
        return f"{words} {self.note}" if self.note else words


@dataclass(frozen=True, slots=True)
class RestrictLine:
    """``restrict paper-1 reduce_only``."""

    engine: str
    restriction: Restriction
    reason: str = ""

    def text(self) -> str:
        """Return the line that says this."""
        words = f"restrict {self.engine} {self.restriction}"
        return f"{words} {self.reason}" if self.reason else words


@dataclass(frozen=True, slots=True)
class ReportLine:
    """``report daily_risk pdf``."""

    report_type: str
    report_format: str

    def text(self) -> str:
        """Return the line that says this."""
        return f"report {self.report_type} {self.report_format}"


@dataclass(frozen=True, slots=True)
class KillLine:
    """``kill paper-1 flatten``: opens the dialogue; nothing is done before its chord."""

    engine: str | None = None
    flatten: bool = False
    drill: bool = False
    reason: str = ""

    def text(self) -> str:
        """Return the line that says this."""
        words = "kill" + (f" {self.engine}" if self.engine is not None else "")
        words += " flatten" if self.flatten else ""
        words += " drill" if self.drill else ""
        return words + (f" reason {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class UnlockLine:
    """``unlock``: opens the dialogue in which the phrase is typed."""

    def text(self) -> str:
        """Return the line that says this."""
        return "unlock"


@dataclass(frozen=True, slots=True)
class MonitorLine:
    """``monitor stop``."""

    running: bool

    def text(self) -> str:
        """Return the line that says this."""
        return f"monitor {'start' if self.running else 'stop'}"


@dataclass(frozen=True, slots=True)
class StressLine:
    """``stress equity=-20% rates=+100bp volatility=2x``: shocks of one's own; none takes them away again."""

    shocks: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the line that says this."""
        return " ".join(("stress", *self.shocks)) if self.shocks else "stress off"


RiskLine = (
    LimitSetLine
    | LimitLine
    | AckLine
    | RestrictLine
    | ReportLine
    | KillLine
    | UnlockLine
    | MonitorLine
    | StressLine
)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: Decimal) -> str:
    return f"{_plain(value * _HUNDRED)}%"


def _rest(reader: Reader) -> str:
    words = []
    while reader.peek() is not None:
        words.append(reader.take("text").text)
    return " ".join(words)


# ---------------------------------------------------------------- limits


def read_limit(reader: Reader) -> LimitSetLine | LimitLine:
    """Read what follows ``limit``."""
    verb = reader.word("what of a limit", ("set", *get_args(LimitVerb)))
    if verb == "set":
        return _read_set(reader)
    if verb in ("approve", "reject"):
        return LimitLine(cast("LimitVerb", verb), reader.name("change", reader.known.changes))
    return LimitLine(cast("LimitVerb", verb), reader.name("limit", reader.known.limits))


def _read_set(reader: Reader) -> LimitSetLine:
    limit_type = cast("LimitType", reader.word("type of limit", tuple(UNITS)))
    scope = _scope(reader)
    hard, unit = _amount(reader, limit_type, last=scope is not None)
    if unit is None:
        unit = _unit(reader, limit_type)
    found: dict[str, Decimal | int | str | bool] = {}
    words = ["warn", "auto", "floor", "fixed", "on", "off"]
    words += ["window"] if limit_type == "order_rate" else []
    words += ["confidence", "horizon", "method"] if limit_type == "var" else []
    while (word := reader.option([w for w in words if w not in found])) is not None:
        if word in ("warn", "auto", "floor", "confidence"):
            found[word] = _share(reader, word)
        elif word in ("window", "horizon"):
            found[word] = _whole(reader, "seconds" if word == "window" else "days")
        elif word == "method":
            found[word] = reader.take("method of value at risk", VAR_METHODS).text.lower()
        else:
            found[word] = True
    return LimitSetLine(
        limit_type=limit_type,
        scope=scope or "portfolio",
        hard=hard,
        unit=unit,
        warn=cast("Decimal | None", found.get("warn")),
        window_s=cast("int | None", found.get("window")),
        confidence=cast("Decimal | None", found.get("confidence")),
        horizon_days=cast("int | None", found.get("horizon")),
        method=cast("str | None", found.get("method")),
        target_vol=cast("Decimal | None", found.get("auto")),
        floor=cast("Decimal | None", found.get("floor")),
        fixed="fixed" in found,
        enabled=True if "on" in found else False if "off" in found else None,
    )


def _scope(reader: Reader) -> str | None:
    """Return the scope a word names, None where the word is no scope but the limit already."""
    token_text = reader.peek()
    scopes = ("portfolio", *reader.known.scopes)
    if token_text is None:
        reader.wanted.extend(scopes)
        return None
    if token_text[0].isdigit() or token_text[0] in "$.":
        return None
    token = reader.take("scope", scopes)
    if not _SCOPE.fullmatch(token.text):
        raise CommandLineError(
            f"scope: {token.text!r} is none; portfolio, engine:ID, strategy:ID, instrument:ID or sector:NAME",
            token.at,
            scopes,
        )
    kind, colon, name = token.text.partition(":")
    exact = next((s for s in scopes if s.lower() == token.text.lower()), None)
    return exact or f"{kind.lower()}{colon}{name}"


def _amount(reader: Reader, limit_type: LimitType, *, last: bool) -> tuple[Decimal, Unit | None]:
    """Return the limit, and its unit where the way it is written says so."""
    token = reader.take("the limit, a number" if last else "scope or the limit")
    text, unit = token.text.lower(), None
    scale = Decimal(1)
    if text.startswith("$"):
        text, unit = text[1:], "notional"
    elif text.endswith("%"):
        text, unit, scale = text[:-1], "ratio", _HUNDRED
    elif text.endswith("x"):
        text, unit = text[:-1], "ratio"
    elif text[-1:] in ("k", "m") and text[:-1]:
        scale = Decimal(1) / (1000 if text[-1] == "k" else 1_000_000)
        text = text[:-1]
    value = plain_number(text, "limit (500, 20%, 2x, $50000 or 50k)", token.at) / scale
    if unit is not None and unit not in UNITS[limit_type]:
        raise CommandLineError(
            f"{limit_type} is stated in {' or '.join(UNITS[limit_type])}, not {unit}", token.at
        )
    return value, unit


def _unit(reader: Reader, limit_type: LimitType) -> Unit | None:
    """Return the unit that follows the limit, None where none does."""
    word = reader.peek()
    if word is None:
        reader.wanted.extend(UNITS[limit_type])
        return None
    if (unit := unit_called(word)) is None:
        return None
    token = reader.take("unit")
    if unit not in UNITS[limit_type]:
        raise CommandLineError(
            f"{limit_type} is stated in {' or '.join(UNITS[limit_type])}, not {word}", token.at
        )
    return unit


def _share(reader: Reader, what: str) -> Decimal:
    token = reader.take(f"{what} (80%)")
    text = token.text
    scale = _HUNDRED if text.endswith("%") else Decimal(1)
    return plain_number(text.removesuffix("%"), what, token.at) / scale


def _whole(reader: Reader, what: str) -> int:
    token = reader.take(what)
    if not (token.text.isascii() and token.text.isdigit() and len(token.text) <= 6 and int(token.text)):
        raise CommandLineError(f"{what}: {token.text!r} is not a whole number", token.at)
    return int(token.text)


# ---------------------------------------------------------------- everything else


def read_ack(reader: Reader) -> AckLine:
    """Read the breach or alert that was seen, and a note."""
    id = reader.name("breach or alert", reader.known.acknowledgeable)
    mitigating = reader.option(("mitigating",)) is not None
    return AckLine(id, _rest(reader), mitigating)


def read_restrict(reader: Reader) -> RestrictLine:
    """Read an engine and what its gate passes."""
    engine = reader.name("engine", reader.known.engines)
    restriction = cast("Restriction", reader.word("restriction", get_args(Restriction)))
    return RestrictLine(engine, restriction, _rest(reader))


def read_report(reader: Reader) -> ReportLine:
    """Read a type of report and a format."""
    return ReportLine(
        reader.word("type of report", TYPES), reader.option(REPORT_FORMATS) or REPORT_FORMATS[0]
    )


def read_kill(reader: Reader) -> KillLine:
    """Read what the kill switch is to do, in any order."""
    engine: str | None = None
    said: set[str] = set()
    while True:
        words = [w for w in ("flatten", "drill", "reason") if w not in said]
        engines = () if engine is not None else reader.known.engines
        word = reader.option((*words, *(e.lower() for e in engines)))
        if word is None:
            return KillLine(engine, "flatten" in said, "drill" in said)
        if word == "reason":
            return KillLine(engine, "flatten" in said, "drill" in said, _rest(reader))
        if word in ("flatten", "drill"):
            said.add(word)
        else:
            engine = next(e for e in engines if e.lower() == word)


def read_unlock(reader: Reader) -> UnlockLine:
    """Read nothing more: the phrase is typed in the dialogue."""
    return UnlockLine()


def read_monitor(reader: Reader) -> MonitorLine:
    """Read whether the monitor runs."""
    return MonitorLine(reader.word("start or stop", ("start", "stop")) == "start")


def read_stress(reader: Reader) -> StressLine:
    """Read shocks, each a factor and how far it moves; ``off`` takes one's own away."""
    if reader.option(("off",)) is not None:
        return StressLine()
    shocks: dict[str, str] = {}
    while reader.peek() is not None or not shocks:
        token = reader.take("shock (equity=-20%)", [f"{name}=" for name in reader.known.factors_shocked])
        found = _SHOCK.fullmatch(token.text)
        if found is None:
            raise CommandLineError(
                f"shock: {token.text!r} is not one like equity=-20%, rates=+100bp or volatility=2x", token.at
            )
        shocks[found["factor"]] = token.text
    return StressLine(tuple(shocks.values()))


#: Verbs of this area: how each reads its words, and how it is written in help.
RISK_VERBS: dict[str, tuple[Callable[[Reader], RiskLine], str]] = {
    "limit": (
        read_limit,
        "limit set leverage 2 · set position_size instrument:AAPL.SIM 500 shares · delete …",
    ),
    "ack": (read_ack, "ack B-12 · ack B-12 mitigating sold half"),
    "restrict": (read_restrict, "restrict paper-1 reduce_only"),
    "report": (read_report, "report daily_risk pdf"),
    "kill": (read_kill, "kill · kill paper-1 flatten · kill drill"),
    "unlock": (read_unlock, "unlock"),
    "monitor": (read_monitor, "monitor stop"),
    "stress": (read_stress, "stress equity=-20% rates=+100bp · stress off"),
}
