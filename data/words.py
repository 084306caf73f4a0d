"""What people write into records: reasons, notes and messages, which others then see in their terminals.

A command's words are one line of plain text; its other texts, which name things, hold nothing either
that a terminal would obey. This module must not know what is said, or to whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, Final, get_args, get_type_hints

import msgspec

from data.problems import InvalidRequestError

#: The longest words, in characters; and the longest of all other texts, such as a path.
MAX_WORDS: Final = 1000
MAX_TEXT: Final = 4096
#: Characters that are obeyed, not shown: those that control, break lines, or turn the direction of writing.
_OBEYED = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_OBEYED}]")
_PLAIN = "without line breaks or other control characters"

#: The words that a person gives with a command.
Words = Annotated[
    str,
    msgspec.Meta(
        description=f"1 to {MAX_WORDS} characters, {_PLAIN}",
        extra_json_schema={"minLength": 1, "maxLength": MAX_WORDS, "pattern": f"^[^{_OBEYED}]*$"},
    ),
]


def check_texts(given: msgspec.Struct) -> None:
    """Check the words and all other texts of a command.

    Raises:
        InvalidRequestError: one is empty, too long or holds control characters; names field, value, rule.
    """
    own = words_of(type(given))
    for field in given.__struct_fields__:
        for text in _texts(getattr(given, field)):
            fits = not _CONTROL.search(text)
            if field in own:
                if not fits or not text.strip() or len(text) > MAX_WORDS:
                    raise _unfit(field, text, f"1 to {MAX_WORDS} characters, {_PLAIN}")
            elif not fits or len(text) > MAX_TEXT:
                raise _unfit(field, text, f"at most {MAX_TEXT} characters, {_PLAIN}")


@lru_cache
def words_of(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Return which fields of a struct are words of a person."""
    hints = get_type_hints(kind, include_extras=True)
    return frozenset(name for name, hint in hints.items() if Words in (hint, *get_args(hint)))


def shown(text: str, length: int = 80) -> str:
    """Return a text as it may be shown anywhere: control characters as escapes, and not endless."""
    cut = text if len(text) <= length else f"{text[: length - 1]}…"
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), cut)


def fitted(words: str | None) -> str | None:
    """Return words made to fit, for what must be done whatever is said with it; None: nothing is said."""
    return None if words is None or not words.strip() else shown(words, MAX_WORDS)[:MAX_WORDS]


def _unfit(field: str, text: str, rule: str) -> InvalidRequestError:
    value = shown(text)
    return InvalidRequestError(
        f"{field} has {len(text)} characters: {value}",
        rule=f"{field} is {rule}",
        fix="say it in fewer, plain characters" if text.strip() else f"give {field} some text",
        field=field,
        value=value,
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a field's value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for pair in value.items():
            yield from _texts(pair)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))
