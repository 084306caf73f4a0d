"""Settings in the form the parts take them: an engine's spec, the daemon's settings, the streams' bounds.

This is the only place that knows both the file's words and the parts' own structs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nautilus_tui.config.settings import Config

if TYPE_CHECKING:
    from engines.spec import EngineSpec
    from nautilus_tui.daemon.settings import DaemonSettings
    from nautilus_tui.daemon.streams.limits import StreamLimits
    from nautilus_tui.terminal.settings import TerminalSettings
    from providers.settings import ProviderSettings


def engine_spec(config: Config, engine: str | None = None) -> EngineSpec:
    """Return what a new engine starts with."""
    from engines.spec import EngineSpec, validated
    from risk.limits import GateLimits, OrderRate

    own, market, risk = config.engine, config.simulator, config.risk
    return validated(
        EngineSpec(
            engine=engine or own.default,
            feed=own.feed,
            speed=market.rate if own.feed == "simulated" else "1",
            seed=market.seed,
            instruments=market.instruments or None,
            history_minutes=market.history_minutes,
            log_level=own.log_level,
            max_memory_mb=own.max_memory_mb,
            max_cpu_percent=own.max_cpu_percent or None,
            risk_enabled=risk.enabled,
            limits=GateLimits(
                order_notional=risk.order_notional or None,
                position_size=risk.position_size or None,
                order_rate=None if risk.order_rate == "0" else OrderRate.parse(risk.order_rate),
            ),
            stale_quote_s=risk.stale_quote_seconds or None,
            starting_balances=own.starting_balances,
            base_currency=own.base_currency,
            leverage=own.leverage,
            record=own.record,
            recorder_flush_s=own.recorder_flush_s,
        )
    )


def daemon_settings(config: Config) -> DaemonSettings:
    """Return what the daemon takes."""
    from data.reports import report_plan
    from nautilus_tui.daemon.settings import DaemonSettings, EscalationStep

    own, chain = config.daemon, config.risk.escalation
    return DaemonSettings(
        listen=own.listen,
        log_level=own.log_level,
        log_format=own.log_format,
        tls_certificate=_path(own.tls_certificate),
        tls_key=_path(own.tls_key),
        allowed_origins=own.allowed_origins,
        allowed_hosts=own.allowed_hosts,
        max_request_bytes=own.max_request_bytes,
        max_header_bytes=own.max_header_bytes,
        request_seconds=own.request_seconds,
        requests_per_second=own.requests_per_second,
        connections_per_peer=own.connections_per_peer,
        login_attempts_per_minute=own.login_attempts_per_minute,
        order_authority=own.order_authority,
        compaction_minutes=config.history.compaction_minutes,
        health_seconds=own.health_seconds,
        shutdown_seconds=own.shutdown_seconds,
        streams=stream_limits(config),
        redis_url=config.streams.redis_url,
        redis_prefix=config.streams.redis_prefix,
        engine=engine_spec(config),
        two_person=config.risk.two_person,
        providers=provider_settings(config),
        watch=config.providers.edgar.watch,
        monitor_seconds=config.risk.monitor_seconds,
        escalation=(
            EscalationStep("trader", chain.trader),
            EscalationStep("risk manager", chain.risk_manager),
            EscalationStep("head of risk", chain.head_of_risk),
            EscalationStep("CRO", chain.cro),
        ),
        reports=tuple(report_plan(text) for text in config.reports.schedule),
        reports_kept=config.reports.keep,
    )


def provider_settings(config: Config) -> ProviderSettings:
    """Return where the providers are."""
    from providers.settings import ProviderSettings

    own = config.providers
    return ProviderSettings(
        profile=own.profile,
        deadline_s=own.deadline_s,
        fred_url=own.fred.base_url,
        alpha_vantage_url=own.alpha_vantage.base_url,
        alpha_vantage_daily_quota=own.alpha_vantage.daily_quota,
        alpha_vantage_spacing_s=own.alpha_vantage.spacing_s,
        edgar_data_url=own.edgar.data_url,
        edgar_www_url=own.edgar.www_url,
        edgar_efts_url=own.edgar.efts_url,
    )


def stream_limits(config: Config) -> StreamLimits:
    """Return the bounds of the streams."""
    from nautilus_tui.daemon.streams.limits import StreamLimits

    own = config.streams
    return StreamLimits(
        flush_s=own.flush_ms / 1000,
        flush_max_s=2 * own.flush_ms / 1000,
        heartbeat_s=own.heartbeat_s,
        max_connections=own.max_connections,
        max_subscriptions=own.max_subscriptions,
        inbound_rate=own.inbound_rate,
        lossless_bound=own.lossless_bound,
    )


def terminal_settings(config: Config) -> TerminalSettings:
    """Return what the terminal takes."""
    from nautilus_tui.terminal.settings import TerminalSettings

    own = config.terminal
    return TerminalSettings(
        theme=own.theme,
        density=own.density,
        ascii=own.ascii,
        glow=own.glow,
        max_fps=own.max_fps,
        stale_after_ms=round(own.stale_seconds * 1000),
        watched=own.watchlist,
        overlays=own.overlays,
        timeframe=own.timeframe,
        engine=config.engine.default,
        keys=own.keys,
        presets={name: str(quantity) for name, quantity in own.presets.items()},
    )


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
