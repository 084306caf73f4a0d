"""What people write into records: one line of plain text, or an error that names field, value and rule."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.commands import (
    AnyCommand,
    DropConnection,
    ImportHistory,
    ReleaseAuthority,
    SendBroadcast,
    TakeAuthority,
)
from data.problems import InvalidRequestError
from data.risk_commands import AcknowledgeBreach, Kill, RestrictEngine
from data.words import MAX_WORDS, check_texts, fitted, shown, words_of

TITLE = "\x1b]0;owned\x07"
BAD = ["", "  ", TITLE, "a\0b", "a\nb", "a\x7f", "a\x9b31m", "right\u202eleft", "x" * (MAX_WORDS + 1)]


@pytest.mark.parametrize("text", BAD)
def test_words_that_may_not_be_said(text: str) -> None:
    for command in (
        SendBroadcast(message=text),
        TakeAuthority(reason=text),
        ReleaseAuthority(reason=text),
        AcknowledgeBreach(breach_id="b", note=text),
        RestrictEngine(engine="e", restriction="none", reason=text),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            check_texts(command)
        error = refused.value
        assert error.extra["field"] in ("message", "reason", "note")
        assert error.rule
        assert error.fix
        assert all(one.isprintable() for one in error.detail + error.extra["value"])
        assert len(error.detail) < 200


@pytest.mark.parametrize("text", ["x" * MAX_WORDS, "fünf, 五, 👩‍💻", "it's “so”", " a  b "])
def test_words_that_may(text: str) -> None:
    check_texts(SendBroadcast(message=text))
    check_texts(TakeAuthority(reason=text))


def test_every_reason_note_and_message_is_words() -> None:
    """A field of such a name that is plain text would go unchecked."""
    for kind in typing.get_args(AnyCommand):
        if kind is Kill:
            continue  # its reason is made to fit: a kill is never refused for it
        said = {"reason", "note", "message", "comment", "description"} & set(kind.__struct_fields__)
        assert said <= words_of(kind), kind


def test_other_texts_hold_no_control_characters_either() -> None:
    for command in (
        DropConnection(connection_id=TITLE),
        ImportHistory(path="/x", instrument="A", columns={"a": TITLE}),
        ImportHistory(path="/" + "x" * 5000, instrument="A"),
    ):
        with pytest.raises(InvalidRequestError):
            check_texts(command)
    check_texts(ImportHistory(path="/" + "x" * 3000, instrument="A"))


@given(st.text(max_size=40) | st.sampled_from(BAD))
def test_what_must_be_done_is_done_whatever_is_said_with_it(text: str) -> None:
    command = Kill(reason=fitted(text))
    check_texts(command)
    assert (command.reason is None) == (not text.strip())
    if text.isprintable() and text.strip() and len(text) <= MAX_WORDS:
        assert command.reason == text


def test_what_is_quoted_is_short_and_plain() -> None:
    assert shown("a\x1b[31m\u202eb") == "a\\x1b[31m\\u202eb"
    assert shown("x" * 100) == "x" * 79 + "…"
