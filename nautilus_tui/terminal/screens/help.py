"""Help: the keys that work now where the focus is, each with its ``:`` name, or why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from nautilus_tui.terminal.theme import palette_of


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One action: keys, what it does, its name on the command line, why it is off."""

    group: str
    keys: str
    title: str
    name: str = ""
    disabled: str | None = None


class Help(ModalScreen[None]):
    """Lists what it is given by group; any key but those that scroll closes it."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll {
        width: 88; max-width: 96%; height: auto; max-height: 90%; scrollbar-size-vertical: 1;
        border: round $accent; border-title-color: $accent; border-subtitle-color: $text-dim;
        background: $background; padding: 0 1;
    }
    """

    def __init__(self, title: str, lines: Sequence[HelpLine]) -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll() as box:
            box.border_title = self._title
            box.border_subtitle = "↑↓ scroll · any other key closes"
            yield Static(self._text())

    def _text(self) -> Text:
        palette = palette_of(self.app)
        text = Text()
        group = ""
        keys_width = max((len(line.keys) for line in self._lines), default=0)
        title_width = max((len(line.title) for line in self._lines), default=0)
        for line in self._lines:
            if line.group != group:
                text.append(f"{chr(10) if group else ''}{line.group}\n", palette.style("title"))
                group = line.group
            off = line.disabled is not None
            text.append(f"  {line.keys:<{keys_width}}  ", palette.style("dim" if off else "accent"))
            text.append(f"{line.title:<{min(44, title_width)}}", palette.style("dim" if off else ""))
            if line.disabled is not None:
                text.append(f"  {line.disabled}", palette.style("warn"))
            elif line.name:
                text.append(f"  :{line.name}", palette.style("faint"))
            text.append("\n")
        return text

    def on_key(self, event: events.Key) -> None:
        """Scroll, or close."""
        if event.key in ("up", "down", "pageup", "pagedown", "home", "end"):
            return
        event.stop()
        event.prevent_default()
        self.dismiss(None)
