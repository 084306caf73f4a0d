"""The kill switch's dialogue: what will happen, the chord that does it, then how far it has come.

Only the chord pulls it; no printable key, no enter and nothing pasted does. Leaving the dialogue
stops nothing. It must not do I/O: it answers with the choice through ``pull``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from data.problems import ProblemDocument
from nautilus_tui.terminal.answers import told
from nautilus_tui.terminal.kill_words import KillChoice, consequences, progress, why_not
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.screens.ticket_form import keys_line, wrapped
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.widgets.lines import Line, Lines

_TICK_S = 0.1
#: Lines of the screen that are not for what is said: the border and the keys.
_FRAME = 4


class KillSwitch(ModalScreen[None]):
    """Chooses, pulls and watches."""

    DEFAULT_CSS = """
    KillSwitch { align: center middle; }
    KillSwitch VerticalScroll { scrollbar-size-vertical: 1; height: 1; background: $background; }
    KillSwitch #kill_keys { height: 1; }
    KillSwitch > Vertical {
        width: 78; max-width: 98%; height: auto;
        border: heavy $error; border-title-color: $error; border-title-style: bold;
        background: $background; padding: 0 1;
    }
    """

    def __init__(
        self,
        choice: KillChoice,
        mirror: Mirror,
        chords: Sequence[str],
        pull: Callable[[KillChoice], None],
        refused: Callable[[], str | None],
    ) -> None:
        """``pull`` sends it; ``refused`` says why nothing can be sent at all."""
        super().__init__()
        self.choice = choice
        self.pulled = False
        self.problem: ProblemDocument | None = None
        self._mirror = mirror
        self._chords = tuple(chords)
        self._pull = pull
        self._refused = refused
        self._before: str | None = None  #: the order that was known when it was pulled here
        self._anew = False  #: it is latched already and is to be pulled once more, for other engines perhaps

    @property
    def watching(self) -> bool:
        """Whether it shows how far the switch has come: it was pulled here, or elsewhere."""
        kill = self._mirror.risk.kill
        if self._anew and not self.pulled:
            return False
        under_way = kill is not None and kill.state != "armed"
        return (self.pulled and self.problem is None) or under_way

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        with Vertical() as box:
            box.border_title = "KILL SWITCH"
            with VerticalScroll(can_focus=False):
                yield Lines(id="kill_said")
            yield Lines(id="kill_keys")

    def on_mount(self) -> None:
        """Say it, and keep it true."""
        self.say()
        self.set_interval(_TICK_S, self.say)

    def say(self) -> None:
        """Write what would happen now, or how far it has come."""
        *said, keys = self._watched() if self.watching else self._offered()
        lines = self.query_one("#kill_said", Lines)
        lines.styles.height = len(said)
        lines.set_lines(said)
        # The chord is in sight however much there is to say.
        self.query_one(VerticalScroll).styles.height = max(1, min(len(said), self.size.height - _FRAME))
        self.query_one("#kill_keys", Lines).set_lines([keys])

    def _offered(self) -> list[Line]:
        choice = self.choice
        flatten = "do not flatten" if choice.flatten else "flatten too"
        drill = "not a drill" if choice.drill else "drill"
        said: list[Line] = [[], *consequences(choice, self._mirror), []]
        reason = self._refused() or why_not(choice, self._mirror)
        width = max(30, self.query_one("#kill_said", Lines).size.width or 70)
        if self.problem is not None:
            said += wrapped(told(self.problem), "error", width, " ! ")
        if reason is not None:
            said += wrapped(f"cannot be pulled: {reason}", "warn", width, " ! ")
        choices = [("←→", "engine"), ("f", flatten), ("d", drill), ("esc", "leave")]
        chord = [(self._chords[0], "PULL IT")] if self._chords and reason is None else []
        return [*said, keys_line([*chord, *choices])]

    def _watched(self) -> list[Line]:
        kill = self._mirror.risk.kill
        # What was told before this dialogue pulled it is of another time.
        old = self.pulled and kill is not None and kill.order is not None and kill.order.id == self._before
        if kill is None or kill.order is None or old:
            return [[], [(" Sent. Waiting for the engines …", "accent")], [], keys_line([("esc", "leave")])]
        over = kill.state in ("armed", "latched")
        keys = [("p", "pull it anew"), ("esc", "leave")] if over else [("esc", "leave; it goes on")]
        return [[], *progress(kill, glyphs_of(self.app)), [], keys_line(keys)]

    def answered(self, problem: ProblemDocument | None) -> None:
        """Take how the command ended: a problem is said where it was pulled."""
        self._before = None
        if problem is not None:
            self.problem, self.pulled = problem, False
        self.say()

    def on_key(self, event: events.Key) -> None:
        """Choose by letters and arrows, pull by chord, leave by escape; other keys do nothing."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(None)
        elif event.key in ("up", "down", "pageup", "pagedown"):
            far = 1 if event.key in ("up", "down") else 8
            by = -far if event.key in ("up", "pageup") else far
            self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
        elif self.watching:
            kill = self._mirror.risk.kill
            if event.key == "p" and kill is not None and kill.state in ("armed", "latched"):
                self.pulled, self._anew = False, True
                self.choice = KillChoice()
        elif event.key in self._chords:
            if self._refused() is None and why_not(self.choice, self._mirror) is None:
                self.pulled, self.problem, self._anew = True, None, False
                kill = self._mirror.risk.kill
                self._before = None if kill is None or kill.order is None else kill.order.id
                self._pull(self.choice)
        elif event.key == "f":
            self.choice = replace(self.choice, flatten=not self.choice.flatten)
        elif event.key == "d":
            self.choice = replace(self.choice, drill=not self.choice.drill)
        elif event.key in ("left", "right"):
            names = [None, *sorted(self._mirror.engines)]
            at = names.index(self.choice.engine) if self.choice.engine in names else 0
            by = 1 if event.key == "right" else -1
            self.choice = replace(self.choice, engine=names[(at + by) % len(names)])
        self.say()
