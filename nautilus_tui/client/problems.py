"""What can go wrong between a client and the daemon, beyond what the daemon itself answers."""

from __future__ import annotations

from data.problems import ProblemError


class NotReachableError(ProblemError):
    """No daemon answered; nothing was sent."""

    type, title, status = "not-reachable", "Daemon not reachable", 503


class WireError(ProblemError):
    """The daemon answered something that is not our protocol: another version, or another program."""

    type, title, status = "bad-answer", "Answer not understood", 502
