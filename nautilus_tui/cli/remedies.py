"""What every error says besides what was wrong: the rule that was broken, and what would fix it.

Where an error is made it says both if it knows better; here is what holds for all of its status. Those
that a daemon answers over HTTP have theirs from there, in words for programs. This module must not know
of any particular command.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from data.problems import ProblemDocument

_HELP: Final = "nautilus-tui COMMAND --help tells what it takes"
#: By status: the rule, the fix.
_REMEDIES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("a command is given what its help says", f"give what the rule asks for; {_HELP}"),
    401: ("a remote daemon is asked with a token in use", "set NAUTILUS_TUI_TOKEN to one"),
    403: ("each may do what its role allows", "use a token of a role that may"),
    404: ("what is named exists", "check the name; list commands show what there is"),
    409: ("the state allows what is asked", "look at how it stands, then ask anew"),
    422: ("an order keeps to its instrument's rules and to the limits", "change what the detail names"),
    429: ("more was asked than is allowed in a moment", "wait, then ask less often"),
    500: ("what is asked is done", "see the log of the daemon or engine; nautilus-tui doctor looks around"),
    502: ("who is asked gives an answer that can be used", "ask again later"),
    503: ("what is needed is there", "nautilus-tui doctor and nautilus-tui status tell what is not"),
    504: ("what was not seen to fail may have happened", "look at what is so before anything is sent again"),
}


def remedied(document: ProblemDocument) -> ProblemDocument:
    """Return a problem with its rule and its fix, in UTF-8 also where it repeats what was none."""
    rule, fix = _REMEDIES.get(document.status, _REMEDIES[500 if document.status >= 500 else 400])
    return msgspec.structs.replace(
        document,
        detail=_encodable(document.detail),
        rule=_encodable(document.rule or rule),
        fix=_encodable(document.fix or fix),
        extra={name: _encodable(value) for name, value in document.extra.items()},
    )


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
