"""Every setting: its section, type, default, constraint and one line that says what it does.

The shipped ``config.toml``, ``config schema`` and the checks on a user's file are all made from
these structs. This module must not know of files or of who uses a setting.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Level = Literal["debug", "info", "warning", "error"]
Timeframe = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,3}[smhd]$")]
InstrumentId = Annotated[str, Meta(pattern=r"^\S+\.\S+$")]
Keys = Annotated[str, Meta(min_length=1)]
Balance = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)? [A-Z]{3,5}$")]
Url = Annotated[str, Meta(pattern=r"^https?://\S+$")]
Origin = Annotated[str, Meta(pattern=r"^https?://(\[[0-9a-f:.]+\]|[^\s/:?#@*\[\]]+)(:[0-9]{1,5})?$")]
HostName = Annotated[str, Meta(pattern=r"^[^\s/:?#@*\[\]]+$")]
Money = Decimal  #: all amounts are finite and at least 0; msgspec has no constraint for that, `load` has


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections; a section's docstring is the comment above it in the file."""


class Daemon(Section, frozen=True, kw_only=True):
    """The daemon: where it listens and how patient it is."""

    listen: Annotated[
        str,
        Meta(
            pattern=r"^$|^\S+:[0-9]{1,5}$",
            description="HOST:PORT to serve on TCP as well as on the unix socket; empty: unix socket only",
        ),
    ] = ""
    tls_certificate: Annotated[
        str, Meta(description="PEM file of the certificate; needed, with the key, to listen beyond loopback")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file of the certificate's private key")] = ""
    allowed_origins: Annotated[
        tuple[Origin, ...],
        Meta(description="Web pages that may use the API, by origin: https://desk.example:8443; empty: none"),
    ] = ()
    allowed_hosts: Annotated[
        tuple[HostName, ...],
        Meta(description="Names that the daemon is reached under without TLS, besides this machine's own"),
    ] = ()
    log_level: Annotated[Level, Meta(description="Least level that goes into the daemon's log")] = "info"
    log_format: Annotated[
        Literal["text", "json"], Meta(description="Form of the daemon's log: lines for people, or JSON lines")
    ] = "text"
    max_request_bytes: Annotated[
        int, Meta(ge=1024, le=1_000_000_000, description="Largest request body that is accepted")
    ] = 1_000_000
    max_header_bytes: Annotated[
        int, Meta(ge=1024, le=1_000_000, description="Largest size of a request's headers, all together")
    ] = 16_384
    request_seconds: Annotated[
        float, Meta(ge=0.1, le=3600, description="How long a request may take to arrive whole")
    ] = 30.0
    requests_per_second: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Requests a second with one token over TCP")
    ] = 200
    connections_per_peer: Annotated[
        int, Meta(ge=1, le=100_000, description="HTTP connections of one address; streams count apart")
    ] = 4096
    login_attempts_per_minute: Annotated[
        int, Meta(ge=1, le=10_000, description="Failed tokens per peer and minute before it has to wait")
    ] = 10
    order_authority: Annotated[
        Literal["optional", "required"],
        Meta(
            description="While nobody holds the order authority: optional, any trader sends; required, nobody"
        ),
    ] = "optional"
    health_seconds: Annotated[
        float, Meta(ge=0.1, le=3600, description="Interval of the health record on the streams")
    ] = 2.0
    shutdown_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="How long a stopping daemon waits for requests under way")
    ] = 3.0


class Engine(Section, frozen=True, kw_only=True):
    """What an engine starts with when it was never started before and the command says nothing else."""

    default: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
            description="Engine that `nautilus-tui` starts, and that commands mean when none is named",
        ),
    ] = "paper-1"
    feed: Annotated[
        Literal["simulated", "replay"], Meta(description="Where prices of a new engine come from")
    ] = "simulated"
    log_level: Annotated[Level, Meta(description="Least level that goes into an engine's log")] = "info"
    max_memory_mb: Annotated[
        int, Meta(ge=256, le=1_048_576, description="Memory at which an engine is stopped and restarted")
    ] = 2048
    max_cpu_percent: Annotated[
        int, Meta(ge=0, le=100, description="Share of one core an engine may use; 0: not limited")
    ] = 0
    starting_balances: Annotated[
        tuple[Balance, ...], Meta(min_length=1, description="Money a new paper account begins with")
    ] = ("1000000 USD",)
    base_currency: Annotated[
        str, Meta(pattern=r"^[A-Z]{3,5}$", description="Currency in which equity and profit are counted")
    ] = "USD"
    leverage: Annotated[
        int,
        Meta(ge=1, le=200, description="Leverage of a paper account, on top of each instrument's own margin"),
    ] = 1
    record: Annotated[bool, Meta(description="Whether the feed's ticks are recorded into the history")] = True
    recorder_flush_s: Annotated[
        float, Meta(ge=0.05, le=60, description="How long recorded ticks may wait before they are written")
    ] = 1.0


class Simulator(Section, frozen=True, kw_only=True):
    """The simulated market."""

    rate: Annotated[
        str, Meta(pattern=r"^(max|[0-9]+(\.[0-9]+)?)$", description="Quotes a second, or max")
    ] = "50"
    seed: Annotated[
        int, Meta(ge=0, le=2**63 - 1, description="The same seed gives the same market, tick by tick")
    ] = 7
    instruments: Annotated[
        tuple[InstrumentId, ...], Meta(description="Instruments to quote; empty: all there are")
    ] = ()
    history_minutes: Annotated[
        int, Meta(ge=0, le=10_080, description="Length of the past the market makes for its charts")
    ] = 1440


class Escalation(Section, frozen=True, kw_only=True):
    """Seconds until an unacknowledged breach is told; addresses: NAUTILUS_TUI_NOTIFY_TRADER, _CRO … (env)."""

    trader: Annotated[float, Meta(ge=0, le=86_400, description="To the trader")] = 0.0
    risk_manager: Annotated[float, Meta(ge=0, le=86_400, description="To the risk manager")] = 300.0
    head_of_risk: Annotated[float, Meta(ge=0, le=86_400, description="To the head of risk")] = 900.0
    cro: Annotated[float, Meta(ge=0, le=86_400, description="To the chief risk officer")] = 1800.0


class Risk(Section, frozen=True, kw_only=True):
    """Limits of the gate in front of every order of a new engine. 0 switches a limit off."""

    enabled: Annotated[bool, Meta(description="Whether NautilusTrader's own risk checks run as well")] = True
    order_notional: Annotated[
        Money, Meta(description="Largest notional of one order, in the account's currency")
    ] = Decimal(1_000_000)
    position_size: Annotated[
        Money, Meta(description="Largest notional of one instrument's position, working orders included")
    ] = Decimal(5_000_000)
    order_rate: Annotated[
        str,
        Meta(
            pattern=r"^0$|^[1-9][0-9]*/[1-9][0-9]*$", description="Most order commands in a stretch of time"
        ),
    ] = "100/1"
    stale_quote_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="In an open session a price older than this judges no order; 0 accepts any",
        ),
    ] = 60.0
    two_person: Annotated[
        Literal["live", "always", "never"],
        Meta(description="Where loosening a limit waits until a second person with the role risk agrees"),
    ] = "live"
    monitor_seconds: Annotated[
        float,
        Meta(
            ge=0.1,
            le=3600,
            description="Interval of the monitor's checks of all limits; a fill is checked at once",
        ),
    ] = 5.0
    escalation: Escalation = Escalation()


class Reports(Section, frozen=True, kw_only=True):
    """Risk reports that are written by the clock, into the home's folder reports."""

    schedule: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z_-]+ [a-z]+( \S+){5}$")], ...],
        Meta(
            description="Type, format, UTC time as in crontab, weekdays by name: daily_risk pdf 30 22 * * *"
        ),
    ] = ()
    keep: Annotated[
        int, Meta(ge=1, le=10_000, description="How many of each scheduled type and format are kept")
    ] = 90


class History(Section, frozen=True, kw_only=True):
    """Recorded and imported market data."""

    compaction_minutes: Annotated[
        int, Meta(ge=1, le=1440, description="How often recorded ticks are compacted into Parquet")
    ] = 10


class Fred(Section, frozen=True, kw_only=True):
    """FRED, the macroeconomic series. Its key is FRED_API_KEY, in the environment or the OS keyring."""

    base_url: Annotated[Url, Meta(description="Where FRED is")] = "https://api.stlouisfed.org"


class AlphaVantage(Section, frozen=True, kw_only=True):
    """Alpha Vantage, stocks and fundamentals. Its key is ALPHA_VANTAGE_API_KEY."""

    base_url: Annotated[Url, Meta(description="Where Alpha Vantage is")] = "https://www.alphavantage.co"
    daily_quota: Annotated[
        int, Meta(ge=1, le=10_000_000, description="Requests a day that the key allows; a free one has 25")
    ] = 25
    spacing_s: Annotated[
        float,
        Meta(ge=0.01, le=60, description="Least seconds between two requests; a free key has 1 a second"),
    ] = 1.1


class Edgar(Section, frozen=True, kw_only=True):
    """SEC EDGAR, filings. It wants to know who asks: SEC_USER_AGENT = "Name name@example.com"."""

    data_url: Annotated[Url, Meta(description="Where submissions and facts are")] = "https://data.sec.gov"
    www_url: Annotated[Url, Meta(description="Where documents and lists are")] = "https://www.sec.gov"
    efts_url: Annotated[Url, Meta(description="Where the search in texts is")] = "https://efts.sec.gov"
    watch: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9./ -]{0,14}$")], ...],
        Meta(description="Tickers whose new filings are told, besides those of what is held"),
    ] = ()


class Providers(Section, frozen=True, kw_only=True):
    """Providers of facts. Keys are never in a file: they come from the environment or the OS keyring."""

    profile: Annotated[
        Literal["standard", "demo"],
        Meta(
            description="demo: generated data from sandbox twins, no key needed, all of it marked SYNTHETIC"
        ),
    ] = "standard"
    deadline_s: Annotated[
        float, Meta(ge=0.1, le=600, description="Seconds that one whole answer may take")
    ] = 30.0
    fred: Fred = Fred()
    alpha_vantage: AlphaVantage = AlphaVantage()
    edgar: Edgar = Edgar()


class Streams(Section, frozen=True, kw_only=True):
    """What a stream connection may cost."""

    flush_ms: Annotated[
        float, Meta(ge=1, le=1000, description="How long events wait for company in one frame")
    ] = 5.0
    heartbeat_s: Annotated[float, Meta(ge=1, le=300, description="Interval of heartbeats")] = 15.0
    max_connections: Annotated[int, Meta(ge=1, le=100_000, description="Most connections at once")] = 10_000
    max_subscriptions: Annotated[
        int, Meta(ge=1, le=100_000, description="Most subscriptions of one connection")
    ] = 500
    inbound_rate: Annotated[
        int, Meta(ge=1, le=100_000, description="Messages a second that a client may send")
    ] = 50
    lossless_bound: Annotated[
        int,
        Meta(
            ge=16,
            le=1_000_000,
            description="Orders, fills and the like that may wait for a slow reader before it is cut off",
        ),
    ] = 4096
    redis_url: Annotated[
        str,
        Meta(
            pattern=r"^((redis|rediss)://[^@/\s]+(/[^@\s]*)?|unix://[^@\s]+)?$",
            description=(
                "Redis that every event is published to, for gateways; empty: none. A password does not "
                "belong in a file: NAUTILUS_TUI_REDIS_URL in the environment wins and may have one"
            ),
        ),
    ] = ""
    redis_prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_.:-]{1,64}$",
            description="What the names of all keys in Redis begin with: one daemon under each",
        ),
    ] = "nautilus"


class Terminal(Section, frozen=True, kw_only=True):
    """How the terminal looks and what it opens with."""

    theme: Annotated[
        Literal["dark", "light", "high-contrast", "mono", "dark-blue-orange"],
        Meta(description="Colours; NO_COLOR in the environment turns all of them off"),
    ] = "dark"
    density: Annotated[
        Literal["compact", "comfortable"], Meta(description="How much room a pane's content gets")
    ] = "compact"
    ascii: Annotated[bool, Meta(description="Draw with ASCII only, for terminals without Unicode")] = False
    glow: Annotated[bool, Meta(description="Whether a cell that changed glows for a moment")] = True
    max_fps: Annotated[int, Meta(ge=1, le=15, description="Most frames a second that are painted")] = 15
    stale_seconds: Annotated[
        float, Meta(ge=0.5, le=3600, description="Age at which a quote dims and may not price an order")
    ] = 5.0
    watchlist: Annotated[
        tuple[InstrumentId, ...], Meta(description="Instruments on the watchlist, in order; empty: all")
    ] = ()
    overlays: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^((SMA|EMA)[1-9][0-9]{0,2}|VWAP)$")], ...],
        Meta(description="Lines over the candles of a chart: SMA and EMA with a length, VWAP"),
    ] = ("SMA20", "EMA50", "VWAP")
    timeframe: Annotated[Timeframe, Meta(description="Timeframe a chart opens with")] = "1m"
    presets: Annotated[
        dict[str, Money],
        Meta(description='Quantity a ticket opens with, by asset class or instrument: { equity = "100" }'),
    ] = {}
    keys: Annotated[
        dict[str, Keys],
        Meta(description='Keys by action id, commas between them: { "order.buy" = "B,f5" }'),
    ] = {}


class Config(Section, frozen=True, kw_only=True):
    """All settings."""

    daemon: Daemon = Daemon()
    engine: Engine = Engine()
    simulator: Simulator = Simulator()
    risk: Risk = Risk()
    reports: Reports = Reports()
    history: History = History()
    providers: Providers = Providers()
    streams: Streams = Streams()
    terminal: Terminal = Terminal()
