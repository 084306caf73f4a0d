"""Getting about: workspaces, panes, the command line, help, looks, leaving."""

from __future__ import annotations

from typing import Final

from nautilus_tui.terminal.actions.action import Action
from nautilus_tui.terminal.places import PLACES

SHELL: Final = (
    *(
        Action(
            id=f"workspace.{place.id}",
            keys=(place.key,),
            name=place.said,
            label=f"Workspace {place.title}",
        )
        for place in PLACES
    ),
    Action(id="app.command", keys=(":",), name="command", label="Type a command", hint="cmd"),
    Action(id="app.palette", keys=("ctrl+p",), name="palette", label="Everything that can be done now"),
    Action(id="app.help", keys=("?",), name="help", label="Keys that work here", hint="help"),
    Action(id="pane.jump", keys=("g",), name="jump", label="Jump to a pane by its letter", hint="go"),
    Action(id="pane.filter", keys=("/",), name="filter", label="Filter the table"),
    Action(id="layout.wider", keys=(">",), name="wider", label="Widen the pane"),
    Action(id="layout.narrower", keys=("<",), name="narrower", label="Narrow the pane"),
    Action(id="layout.taller", keys=("}",), name="taller", label="Heighten the pane"),
    Action(id="layout.shorter", keys=("{",), name="shorter", label="Lower the pane"),
    Action(id="layout.reset", keys=("ctrl+r",), name="reset-layout", label="Panes as they were at first"),
    Action(id="pane.maximise", keys=("z",), name="maximise", label="Maximise the pane, or put it back"),
    Action(id="app.theme", keys=("T",), name="themes", label="Pick a theme"),
    Action(id="app.density", keys=("D",), name="density", label="Compact or comfortable rows"),
    Action(id="app.quit", keys=("q",), name="quit", label="Detach: engines trade on", hint="detach"),
)
