"""Actions on engines and their feeds."""

from __future__ import annotations

from typing import Final

from data.commands import RestartEngine, SetFeed, StartEngine, StopEngine
from nautilus_tui.terminal.actions.action import Action, engine_runs
from nautilus_tui.terminal.situation import Situation


def _engine_stopped(situation: Situation) -> str | None:
    engine = situation.engine
    if engine is not None and engine.state in ("running", "degraded", "starting", "stopping"):
        return f"{engine.id} is {engine.state}"
    return None


def _engine_up(situation: Situation) -> str | None:
    engine = situation.engine
    if engine is None:
        return "no engine is selected"
    return f"{engine.id} is stopped" if engine.state in ("stopped", "stopping") else None


ENGINES: Final = (
    Action(id="engine.pick", keys=("e",), name="engines-pick", label="Pick an engine"),
    Action(
        id="engine.start",
        keys=("s",),
        name="engine-start",
        scope="engines",
        command=StartEngine,
        hint="start",
        check=_engine_stopped,
    ),
    Action(
        id="engine.stop",
        keys=("x",),
        name="engine-stop",
        scope="engines",
        command=StopEngine,
        hint="stop",
        check=_engine_up,
    ),
    Action(
        id="engine.restart",
        keys=("r",),
        name="engine-restart",
        scope="engines",
        command=RestartEngine,
        hint="restart",
        check=_engine_up,
    ),
    Action(
        id="engine.kill",
        keys=("X",),
        name="engine-kill",
        scope="engines",
        command=StopEngine,
        label="Emergency stop: cancel all, flatten, stop the engine",
        check=engine_runs,
    ),
    Action(
        id="feed.pause",
        keys=("p",),
        name="feed-pause",
        command=SetFeed,
        label="Pause or resume the feed",
        check=engine_runs,
    ),
    Action(
        id="feed.step",
        keys=(".",),
        name="feed-step",
        command=SetFeed,
        label="Step the paused feed",
        check=engine_runs,
    ),
)
