"""The registry: no key means two things, none is the terminal's own, and roles are stripped in one place."""

from __future__ import annotations

import pytest

from data.commands import AnyCommand
from data.problems import InvalidRequestError
from nautilus_tui.terminal.actions import ACTIONS, BY_ID, BY_NAME, TAKEN_KEYS, actions_for
from nautilus_tui.terminal.command_line import VERBS
from nautilus_tui.terminal.keymap import Keymap, collisions
from nautilus_tui.terminal.mirror import Connection, Mirror
from nautilus_tui.terminal.situation import Situation
from nautilus_tui.terminal.view import View


def situation(**changes: object) -> Situation:
    mirror = Mirror()
    mirror.put_connection(Connection(state="connected"))
    return Situation(View(engine="paper-1", role="trader"), mirror, **changes)  # type: ignore[arg-type]


def test_no_default_key_means_two_things_or_belongs_to_the_terminal() -> None:
    assert collisions({a.id: a.keys for a in ACTIONS}) == []
    assert {k for a in ACTIONS for k in a.keys}.isdisjoint(TAKEN_KEYS)


def test_every_action_has_a_key_a_name_and_a_title() -> None:
    assert len(BY_ID) == len(BY_NAME) == len(ACTIONS)
    for action in ACTIONS:
        assert action.keys
        assert action.title != action.id
        assert action.name not in VERBS


def test_what_changes_something_takes_role_and_danger_from_its_command() -> None:
    commands = set(AnyCommand.__args__)
    for action in ACTIONS:
        if action.command is not None:
            assert action.command in commands
            assert (action.role, action.dangerous) == (action.command.role, action.command.dangerous)


def test_a_viewer_is_left_with_looking() -> None:
    assert all(a.command is None for a in actions_for("viewer"))
    viewer = situation(workspace="trade")
    viewer.view.role = "viewer"
    keymap = Keymap()
    assert keymap.find(viewer, "b") is None
    assert keymap.find(viewer, "q") is BY_ID["app.quit"]


@pytest.mark.parametrize(
    ("workspace", "pane", "key", "action"),
    [
        ("trade", "orders", "x", "order.cancel"),
        ("trade", "positions", "x", "position.close"),
        ("trade", "watchlist", "s", "order.sell"),
        ("engines", "engine_table", "s", "engine.start"),
        ("engines", "logs", "x", "engine.stop"),
        ("trade", "watchlist", "x", None),
        ("trade", "orders", "question_mark", None),
    ],
)
def test_a_key_means_what_the_place_says(workspace: str, pane: str, key: str, action: str | None) -> None:
    found = Keymap().find(situation(workspace=workspace, pane=pane), key)
    assert (found and found.id) == action


def test_a_disabled_action_says_why() -> None:
    here = situation(workspace="trade")
    assert BY_ID["order.buy"].disabled(here) == "no engine is selected"
    here.mirror.put_connection(Connection(state="disconnected"))
    assert BY_ID["order.buy"].disabled(here) == "disconnected from the daemon"
    here.view.role = "viewer"
    assert BY_ID["order.buy"].disabled(here) == "needs the role trader; you are viewer"


def test_keys_are_rebound_by_action_id() -> None:
    keymap = Keymap({"order.buy": "B,f5", "order.sell": ""})
    here = situation(workspace="trade")
    assert keymap.find(here, "b") is None
    assert keymap.find(here, "s") is None
    assert keymap.find(here, "f5") is BY_ID["order.buy"]


@pytest.mark.parametrize(
    ("own", "message", "fix"),
    [
        ({"order.by": "b"}, "order.by is not an action", "did you mean order.buy?"),
        ({"order.buy": "s"}, "'s' would mean both order.buy and order.sell", "another key"),
        ({"order.buy": "b,,c"}, "has an empty key", "write for example"),
    ],
)
def test_a_wrong_configuration_of_keys_is_explained(own: dict[str, str], message: str, fix: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Keymap(own)
    assert message in caught.value.detail
    assert fix in (caught.value.fix or "")
