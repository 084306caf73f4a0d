"""How likely each limit is breached within 5 minutes, 30 minutes and 4 hours, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from data.limits import BreachForecast, ForecastScore, Limit
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import chance, chance_style, scope_parts, short_name
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import message
from nautilus_tui.terminal.panes.redrawn import Redrawn
from nautilus_tui.terminal.panes.risk.telling import OLD_FORECAST_S, entitle, offline, seen_ago
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import Scores
from nautilus_tui.terminal.screens.ticket_form import wrapped
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line, Part
from nautilus_tui.terminal.widgets.rows import fit
from nautilus_tui.terminal.widgets.scrolled import ScrolledLines

#: Cells of one probability and of the time to a breach.
_CHANCE, _TIME = 6, 10
_LEAST_NAME = 10


class Forecast(Redrawn, ScrolledLines, can_focus=True):
    """The forecasts, the likeliest breach first."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"forecasts", "limits", "connection", "risk"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Breach forecast"

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want to know how forecasts have done; the forecasts themselves are told."""
        if self.region.area:
            yield Scores()

    def draw(self, mirror: Mirror, view: View) -> None:
        """Show the forecasts."""
        glyphs = glyphs_of(self.app)
        width = self.room.width
        found = sorted(
            (
                (f, mirror.risk.limits[i].limit)
                for i, f in mirror.risk.forecasts.items()
                if i in mirror.risk.limits
            ),
            key=lambda pair: (-(pair[0].p240 if pair[0].p240 is not None else -1.0), pair[1].id),
        )
        newest = max((forecast.ts for forecast, _ in found), default=None)
        age = seen_ago(newest, view.now_ns, glyphs, old_s=OLD_FORECAST_S)
        told = f"{age} ago" if age else ""
        synthetic = any(forecast.synthetic for forecast, _ in found)
        entitle(self, "Breach forecast", glyphs, synthetic=synthetic, told=told)
        if not found:
            text = offline(mirror, "forecasts") or (
                "There is no forecast yet: one needs a limit and some time of looking at its use."
            )
            self.set_text(message(text, width))
            return
        table = forecast_table(found, view.risk.limit, width, glyphs)
        scores = mirror.facts.answer(Scores()).value or []
        self.set_text([*table, *score_lines(found, scores, width, glyphs)])


def forecast_table(
    found: Sequence[tuple[BreachForecast, Limit]], chosen: str | None, width: int, glyphs: Glyphs
) -> list[Line]:
    """Return a line for each limit, what the chosen one's rests on under it, and the model at the end."""
    timed = width >= _LEAST_NAME + 3 * _CHANCE + _TIME + 12
    room = width - 3 * _CHANCE - (_TIME if timed else 0) - 2
    heading: list[Part] = [(f" {'Limit':<{room}}", "label")]
    heading += [(f"{words:>{_CHANCE}}", "label") for words in ("5m", "30m", "4h")]
    heading += [(f"{'in about':>{_TIME}}", "label")] if timed else []
    lines: list[Line] = [heading]
    told = [(forecast, limit) for forecast, limit in found if forecast.p240 is not None]
    ids = [limit.id for _, limit in told]
    shown = chosen if chosen in ids else next(iter(ids), None)
    for forecast, limit in told:
        lines.append(_line(forecast, limit, room, glyphs, timed=timed))
        if limit.id == shown:
            lines += _rests_on(forecast, width)
    return [*lines, *_untold(found, width, glyphs)]


def _untold(found: Sequence[tuple[BreachForecast, Limit]], width: int, glyphs: Glyphs) -> list[Line]:
    """Return the limits of which nothing can be foretold, put together by the reason."""
    reasons: dict[str, list[str]] = {}
    for forecast, limit in found:
        if forecast.p240 is None:
            name = f"{limit.limit_type} {scope_parts(limit.scope)[0]}"
            reasons.setdefault(forecast.reason or "not known", []).append(name)
    lines: list[Line] = []
    for reason, names in reasons.items():
        lines += wrapped(f"{', '.join(names)}: {reason}", "dim", width, f" {glyphs.dash} ")
    return lines


def score_lines(
    found: Sequence[tuple[BreachForecast, Limit]],
    scores: Sequence[ForecastScore],
    width: int,
    glyphs: Glyphs,
) -> list[Line]:
    """Return what computed the forecasts, and how it has done against saying the base rate every time."""
    lines: list[Line] = []
    for model in sorted({forecast.model for forecast, _ in found}):
        own = [score for score in scores if score.model == model]
        scored = [score for score in own if score.brier is not None and score.base_brier is not None]
        best = max(scored, key=lambda score: (score.place == "here", score.minutes), default=None)
        lines.append([(f" {model}", "dim")])
        if best is not None:
            where = "here" if best.place == "here" else "on records"
            said = f"Brier {best.brier:.3f}, base rate {best.base_brier:.3f}, {where}"
            lines.append([(f" {said}", "dim")])
        elif own:
            reason = own[0].reason or "not scored yet"
            lines.append([(f" {fit(reason, max(8, width - 2), 'left', glyphs.ellipsis)}", "dim")])
    return lines


def _line(forecast: BreachForecast, limit: Limit, room: int, glyphs: Glyphs, *, timed: bool) -> list[Part]:
    scope, _ = scope_parts(limit.scope)
    name = (
        limit.limit_type if len(limit.limit_type) + len(scope) + 1 <= room else short_name(limit.limit_type)
    )
    words = fit(f"{name} {scope}", room, "left", glyphs.ellipsis)
    cut = min(len(name), len(words))
    parts: list[Part] = [(f" {words[:cut]}", "bright"), (words[cut:], "dim")]
    for value in (forecast.p5, forecast.p30, forecast.p240):
        parts.append((f"{chance(value):>{_CHANCE}}", chance_style(value)))
    if timed:
        minutes = forecast.minutes_to_breach
        text = figures.DASH if minutes is None else figures.duration(minutes * 60)
        parts.append((f"{text:>{_TIME}}", "dim"))
    return parts


def _rests_on(forecast: BreachForecast, width: int) -> list[Line]:
    """Return what a forecast rests on most, as many drivers on a line as fit."""
    if forecast.reason is not None and not forecast.drivers:
        return [*message(forecast.reason, width, "dim")[1:]]
    lines: list[Line] = []
    parts: list[Part] = [("   rests on ", "label")]
    used = 12
    for driver in forecast.drivers:
        text = f"{driver.name} {driver.value:+.3g} "
        effect = f"{driver.effect * 100:+.0f}pp  "
        if used + len(text) + len(effect) > width and used > 12:
            lines.append(parts)
            parts, used = [(" " * 12, "")], 12
        parts += [(text, ""), (effect, "dim")]
        used += len(text) + len(effect)
    return [*lines, parts]
