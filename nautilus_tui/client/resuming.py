"""How far the lossless topics of a stream were read, and what is news to who reads on elsewhere.

Sequence numbers count per topic within one life of the daemon (its epoch). They are the same on
every server of that life, so a reader may go on at another one, even at one that lags behind. This
module must not know of connections.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

import msgspec

from data.problems import InvalidRequestError
from data.topics import delivery_of, matches
from nautilus_tui.client.envelopes import Envelope


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a program has read: kept in a file, it lets the program go on over its own restarts."""

    epoch: str | None = None  #: the life of the daemon that the numbers belong to
    seqs: dict[str, int] = {}  #: the last sequence number seen of each lossless topic


class Progress:
    """Follows what is read and says what of it is news.

    Args:
        position: how far an earlier reader came.
    """

    def __init__(self, position: Position | None = None) -> None:
        self.epoch = position.epoch if position else None
        self._seen: dict[str, int] = dict(position.seqs) if position else {}
        self._asked: frozenset[str] = frozenset()  #: topics whose resumption was not answered yet
        self._asked_id: str | None = None

    def position(self) -> Position:
        """Return how far everything was read that was handed on."""
        return Position(epoch=self.epoch, seqs=dict(self._seen))

    def begin(self, epoch: str | None, patterns: Collection[str], id_: str) -> Mapping[str, object]:
        """Take note of a new connection; return what to add to its first ``subscribe``, named ``id_``.

        A server of another life is asked to resume too: it tells the gap.
        """
        asked = {topic: seq for topic, seq in self._seen.items() if _reached(topic, patterns)}
        before = self.epoch
        if epoch != before:
            self._seen.clear()
            self.epoch = epoch
        self._asked, self._asked_id = frozenset(asked), id_
        return {"resume": asked, "epoch": before} if asked else {}

    def forget(self, patterns: Collection[str]) -> None:
        """Forget the topics that none of ``patterns``, those still read, reaches."""
        for topic in [topic for topic in self._seen if not _reached(topic, patterns)]:
            del self._seen[topic]

    def is_news(self, envelope: Envelope) -> bool:
        """Say whether to hand an envelope on, and remember how far its topic was seen.

        What comes on a topic before its resumption is answered comes again in the answer, in order.
        A snapshot that is older than what was seen is that of a server which lags behind.
        """
        if envelope.id == self._asked_id and envelope.type in (
            "subscription_confirmed",
            "subscription_error",
            "error",
        ):
            self._asked = frozenset()
        topic, seq = envelope.topic, envelope.seq
        if not topic or not is_lossless(topic):
            return envelope.type != "heartbeat"
        if topic in self._asked:
            return False
        seen = self._seen.get(topic, 0)
        if envelope.type == "gap":
            if envelope.data.get("reason") != "missed":
                self._seen.pop(topic, None)  # the server says where it begins anew
                return True
            return seq > seen
        if envelope.type == "snapshot":
            if seq < seen:
                return False
        elif seq <= seen:
            return False
        self._seen[topic] = seq
        return True


def _reached(topic: str, patterns: Collection[str]) -> bool:
    return topic in patterns or any(matches(pattern, topic) for pattern in patterns)


@lru_cache(maxsize=65536)
def is_lossless(topic: str) -> bool:
    """Say whether a topic is resumed and checked for repeats; topics of a newer daemon are not."""
    try:
        return delivery_of(topic) == "lossless"
    except InvalidRequestError:
        return False
