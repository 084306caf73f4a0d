"""Which key does what: the registry's defaults with the user's own keys over them.

In one place a key has one meaning; a configuration that says otherwise is refused with the reason.
This module must not know of Textual: a key is a name (``ctrl+o``) or a character (``?``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from data.problems import InvalidRequestError
from nautilus_tui.terminal.actions import ACTIONS, BY_ID, Action, actions_for
from nautilus_tui.terminal.places import overlap
from nautilus_tui.terminal.situation import Situation

#: How keys are written where their name is longer than what is on the key.
_WRITTEN = {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "delete": "del"}


def collisions(keys: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what is wrong with an assignment of keys to action ids: one key, two meanings at once."""
    found: list[str] = []
    for index, one in enumerate(ACTIONS):
        for other in ACTIONS[index + 1 :]:
            if not overlap(one.scope, other.scope):
                continue
            shared = set(keys[one.id]) & set(keys[other.id])
            found.extend(f"{key!r} would mean both {one.id} and {other.id}" for key in sorted(shared))
    return found


class Keymap:
    """Which key does what: the defaults, with the user's own keys over them."""

    def __init__(
        self, own: Mapping[str, str | Sequence[str]] | None = None, pane_ids: Collection[str] = ()
    ) -> None:
        """Take the user's keys by action id, e.g. ``{"order.buy": "B,f5"}``.

        ``pane_ids`` are the ids of keys that panes handle themselves (moving a cursor, scrolling);
        what the user gives them is kept in ``pane_keys``.

        Raises:
            InvalidRequestError: an id is not known, a key is empty, or a key would mean two things.
        """
        self.keys: dict[str, tuple[str, ...]] = {action.id: action.keys for action in ACTIONS}
        self.pane_keys: dict[str, str] = {}
        for action_id, keys in (own or {}).items():
            if action_id in pane_ids:
                self.pane_keys[action_id] = ",".join(_split(action_id, keys))
                continue
            if action_id not in BY_ID:
                near = get_close_matches(action_id, [*BY_ID, *pane_ids], n=1)
                raise InvalidRequestError(
                    f"[terminal.keys] {action_id} is not an action",
                    rule="keys are given to actions by their id",
                    fix=f"did you mean {near[0]}?" if near else "`?` lists the actions",
                )
            self.keys[action_id] = _split(action_id, keys)
        wrong = collisions(self.keys)
        if wrong:
            raise InvalidRequestError(
                f"[terminal.keys] {wrong[0]}",
                rule="in one place a key has one meaning",
                fix="give one of them another key",
            )
        self._by_key: dict[str, list[Action]] = {}
        for action in ACTIONS:
            for key in self.keys[action.id]:
                self._by_key.setdefault(key, []).append(action)

    def find(self, situation: Situation, *keys: str | None) -> Action | None:
        """Return the action that a key press means here: ``keys`` are its name and its character."""
        for key in keys:
            for action in self._by_key.get(key or "", ()):
                if situation.applies(action.scope) and action in actions_for(situation.view.role):
                    return action
        return None

    def withheld(self, situation: Situation, *keys: str | None) -> Action | None:
        """Return the action that a key press would mean here for a role that may do more."""
        for key in keys:
            for action in self._by_key.get(key or "", ()):
                if situation.applies(action.scope):
                    return action
        return None

    def shown(self, action_id: str) -> str:
        """Return the keys of an action as they are written in help."""
        return " ".join(_WRITTEN.get(key, key) for key in self.keys[action_id])

    def first(self, action_id: str) -> str:
        """Return the first key of an action, for a hint."""
        keys = self.keys[action_id]
        return _WRITTEN.get(keys[0], keys[0]) if keys else ""


def _split(action_id: str, keys: str | Sequence[str]) -> tuple[str, ...]:
    # A comma separates keys, so the comma key itself goes by its name.
    parts = tuple(k.strip() for k in (keys.split(",") if isinstance(keys, str) else keys))
    parts = tuple("," if k == "comma" else k for k in parts)
    if not all(parts) and parts != ("",):
        raise InvalidRequestError(
            f"[terminal.keys] {action_id} has an empty key",
            rule="keys are separated by commas; an empty string takes all keys away",
            fix="write for example 'b' or 'b,f5'",
        )
    return tuple(k for k in parts if k)
