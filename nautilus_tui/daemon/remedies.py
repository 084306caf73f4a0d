"""What every error on the wire says besides what was wrong: the rule that was broken, and what would fix it.

Where an error is made it says both if it knows better; here is what holds for all of its status. No
problem document is answered, by a daemon or a gateway, that did not come by here. This module must not
know of routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from data.problems import ProblemDocument

PROBLEM: Final = "application/problem+json"

_DOCS: Final = "see /api/v1/docs of the daemon"
#: By status: the rule, the fix.
REMEDIES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("a request is as the API's document describes it", f"give what the rule asks for; {_DOCS}"),
    401: ("a request carries a token in use", "send Authorization: Bearer <token>"),
    403: ("each may do what its role allows", "use a token of a role that may"),
    404: ("what is asked for exists", f"list what there is, and use a name from there; {_DOCS}"),
    405: ("a path takes the methods that its Allow header names", f"use one of them; {_DOCS}"),
    406: ("answers are JSON or msgpack", "accept application/json"),
    408: ("a request is sent in time", "send it at once"),
    409: ("the state allows what is asked", "look at how it stands, then ask anew with a new id"),
    413: ("a body is at most as large as the daemon's settings say", "send less at once"),
    415: ("bodies are application/json", "send Content-Type: application/json"),
    422: ("an order keeps to its instrument's rules and to the limits", "change what the detail names"),
    426: ("what is there speaks WebSocket", "connect as a WebSocket"),
    429: ("more was asked than is allowed in a moment", "wait, then ask less often"),
    500: ("what is asked is answered", "see the log of the process that was asked"),
    502: ("a provider of facts answers", "ask again later"),
    503: ("what is needed is there", "see /health for what is not"),
    504: ("what was not seen to fail may have happened", "look at what is so before anything is sent again"),
}


class Remedied(ProblemDocument, frozen=True, kw_only=True):
    """A problem document that is whole: with the rule that was broken and what would fix it."""

    rule: str
    fix: str


def remedied(document: ProblemDocument) -> Remedied:
    """Return a problem with its rule and its fix."""
    rule, fix = REMEDIES.get(document.status, REMEDIES[500 if document.status >= 500 else 400])
    given = msgspec.structs.asdict(document)
    return Remedied(**{**given, "rule": document.rule or rule, "fix": document.fix or fix})


def body_of(document: ProblemDocument) -> bytes:
    """Return a problem as it goes on the wire."""
    return msgspec.json.encode(remedied(document))
