"""Where a replay stands: market time, speed, how much is left. It says REPLAY in its own colour."""

from __future__ import annotations

from typing import ClassVar

from textual import events

from data.records import FeedProgress
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part, spread, width_of


class Feed(Lines):
    """The replay of the selected engine; hidden for engines that replay nothing."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"feed", "engines"})
    shows_ages: ClassVar[bool] = False

    DEFAULT_CSS = """
    Feed {
        height: 1;
        display: none;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: tuple[Mirror, View] | None = None

    def on_resize(self, event: events.Resize) -> None:
        """Draw the progress for the new width."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the replay, or hide where there is none."""
        self._seen = (mirror, view)
        status = mirror.engines.get(view.engine or "")
        progress = mirror.feeds.get(view.engine or "")
        replays = progress is not None and progress.feed == "replay" and status is not None
        self.display = replays and status is not None and status.environment == "REPLAY"
        if progress is None or not self.display:
            return
        self.set_lines([feed_line(progress, self.content_size.width, glyphs_of(self.app))])


def feed_line(progress: FeedProgress, width: int, glyphs: Glyphs) -> list[Part]:
    """Return the progress of a replay as one line."""
    sign, style = {
        "waiting": (glyphs.busy, "dim"),
        "playing": (glyphs.play, "good"),
        "paused": (glyphs.pause, "warn"),
        "finished": (glyphs.finish, "dim"),
    }[progress.state]
    speed = "max" if not progress.speed else f"{progress.speed:g}×"
    span = progress.ts_end - progress.ts_start
    share = 0.0
    if progress.ticks_total:
        share = progress.ticks_played / progress.ticks_total
    elif span > 0 and progress.ts_market:
        share = (progress.ts_market - progress.ts_start) / span
    if progress.state == "finished":
        share = 1.0
    left: list[Part] = [
        (" REPLAY ", "env-replay"),
        (f" {sign} {progress.state} ", style),
        (f"{speed}  ", "bright"),
        (f"{figures.day_and_time(progress.ts_market)}  ", ""),
    ]
    right: list[Part] = [(f" {share * 100:3.0f}% ", "bright")]
    if width >= 100:
        ticks = f"{figures.compact(progress.ticks_played)}/{figures.compact(progress.ticks_total)}"
        right.append((f" {ticks} ticks  ", "dim"))
    if width >= 120:
        right.append((f"ends {figures.day_and_time(progress.ts_end)} ", "dim"))
    room = max(0, width - width_of(left) - width_of(right) - 1)
    done = figures.bar(share, room, glyphs.bar)
    return spread(
        [*left, (done.rstrip(), "replay"), (glyphs.rule * (room - len(done.rstrip())), "rule")], right, width
    )
