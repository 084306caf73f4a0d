"""A list to pick from by typing: the palette, engines, instruments and themes all use it.

What cannot be picked now is shown with the reason. It must not know what is picked from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.fuzzy import Matcher
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from data.words import shown
from nautilus_tui.terminal.screens.line_input import LineInput
from nautilus_tui.terminal.theme import palette_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: what it is, a remark at its right, and why it cannot be picked now."""

    key: str
    title: str
    remark: str = ""
    disabled: str | None = None
    detail: str = ""  #: also searched, shown dim after the title


class Picker(ModalScreen[str | None]):
    """Answers the key of the entry picked, None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("down,ctrl+n", "move(1)", "Next", show=False),
        Binding("up,ctrl+p", "move(-1)", "Previous", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
    ]

    DEFAULT_CSS = """
    Picker { align: center top; }
    Picker > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 80%; margin-top: 3;
        border: round $accent; border-title-color: $accent; border-subtitle-color: $text-dim;
        background: $background;
    }
    Picker OptionList {
        height: auto; max-height: 22; border: none; padding: 0; background: $background;
        scrollbar-size-vertical: 1;
    }
    Picker OptionList:focus { border: none; }
    Picker OptionList > .option-list--option { padding: 0 1; }
    """

    def __init__(self, title: str, entries: Sequence[Entry], *, current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._entries = list(entries)
        self._current = current

    def compose(self) -> ComposeResult:
        """Lay out the field and the list."""
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "enter picks · esc leaves"
            yield LineInput(placeholder="type to narrow")
            options = OptionList()
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        """Show everything."""
        self._fill("")

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """Show what fits what is typed, best first."""
        self._fill(event.value.strip())

    def _fill(self, typed: str) -> None:
        found = self._entries
        if typed:
            matcher = Matcher(typed)
            scored = [(matcher.match(f"{e.title} {e.detail}"), i, e) for i, e in enumerate(found)]
            found = [e for score, _, e in sorted(scored, key=lambda s: (-s[0], s[1])) if score > 0]
        options = self.query_one(OptionList)
        options.clear_options()
        width = max(30, min(74, round(self.size.width * 0.96) - 2)) - 3
        options.add_options([Option(self._line(entry, width), id=entry.key) for entry in found])
        keys = [entry.key for entry in found]
        start = keys.index(self._current) if self._current in keys and not typed else 0
        options.highlighted = start if keys else None

    def _line(self, entry: Entry, width: int) -> Text:
        remark = (entry.disabled or entry.remark)[: max(0, width - 12)]
        title, detail = (shown(text, len(text)) for text in (entry.title, entry.detail))
        line = Text(title, self._ink("dim" if entry.disabled else "bright"), no_wrap=True)
        if detail:
            line.append(f"  {detail}", self._ink("dim"))
        line.truncate(max(10, width - len(remark) - 2), overflow="ellipsis", pad=True)
        line.append("  ")
        line.append(remark, self._ink("warn" if entry.disabled else "accent"))
        return line

    def _ink(self, keys: str) -> Style:
        """Return a style without background, so that the highlight shows through."""
        style = palette_of(self.app).style(keys)
        return Style(color=style.color, bold=style.bold, dim=style.dim, reverse=style.reverse)

    @on(Input.Submitted)
    def pick(self) -> None:
        """Answer the highlighted entry."""
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self.dismiss(options.get_option_at_index(options.highlighted).id)

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        """Answer the entry clicked."""
        self.dismiss(event.option.id)

    def action_move(self, by: int) -> None:
        """Move the highlight."""
        options = self.query_one(OptionList)
        if options.option_count:
            at = (options.highlighted or 0) + by
            options.highlighted = max(0, min(options.option_count - 1, at))

    def action_leave(self) -> None:
        """Leave without picking."""
        self.dismiss(None)
