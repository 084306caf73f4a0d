"""uvicorn's HTTP protocol, with the user behind a unix socket made known, and bounds on what a peer may cost.

A TCP peer appears as its address; a unix peer as ``("unix", uid)``, taken from the kernel. Headers
have a size, a request has a time in which it has to come, an answer one in which it has to be read,
and an address a number of connections. This module must not know what anyone may do.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import h11
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from data.problems import ProblemDocument
from nautilus_tui.daemon.refusals import Note, refusal_of, unnoted
from nautilus_tui.daemon.remedies import PROBLEM, body_of
from nautilus_tui.daemon.streams.parting import cut
from nautilus_tui.daemon.streams.peers import uid_of

UNIX = "unix"
#: An answer of which less than this was read in the time for a request is read too slowly, in bytes.
_LEAST_READ = 16_384

#: uvicorn's words on a connection: failures of ours only. It has a line for each request that cannot be
#: read, and whoever sends those would fill the disk; they are noted as refusals, in floods as a count.
_logger = logging.getLogger(__name__ + ".http")
_logger.setLevel(logging.ERROR)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a peer may cost before anyone knows who it is."""

    header_bytes: int = 16_384  #: of a request's line and headers together
    request_s: float = 30.0  #: in which a request has to be sent, from its first byte to its last
    connections: int = 4096  #: of one address that are not streams
    drained_bytes: int = 1_000_000  #: of a body that come after the answer and are thrown away


def http_protocol(bounds: Bounds, note: Note = unnoted) -> type[PeerHttpProtocol]:
    """Return the class to give uvicorn as ``http=``.

    Args:
        bounds: what a peer may cost.
        note: what takes note of those who are refused here.
    """
    own = {"bounds": bounds, "note": staticmethod(note), "open": Counter()}
    return type("BoundPeerHttpProtocol", (PeerHttpProtocol,), own)


class PeerHttpProtocol(H11Protocol):
    """H11 with peer credentials and bounds."""

    bounds: ClassVar[Bounds] = Bounds()
    note: ClassVar[Note] = staticmethod(unnoted)
    open: ClassVar[Counter[str]] = Counter()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _logger
        self.conn = h11.Connection(h11.SERVER, self.bounds.header_bytes)
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._left_unread = 0
        self._drained = 0
        self._address = ""

    # ------------------------------------------------------------ coming and going

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Note who connected, and turn it away if it has too many connections."""
        super().connection_made(transport)
        uid = uid_of(transport)
        if uid is not None:
            self.client = (UNIX, uid)
        elif self.client is not None:
            self._address = self.client[0]
            self.open[self._address] += 1
        self._expect_request()
        if self.open[self._address] > self.bounds.connections and self._address:
            self._turn_away(
                503,
                "unavailable",
                "too many connections",
                rule=f"at most {self.bounds.connections} connections of one address",
                fix="close some of them, or send several requests over one",
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the peer."""
        self._release()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the transport to the streams, who have bounds of their own, and what came behind the
        request as well: uvicorn hands over the request only.
        """
        self._release()
        behind, _ = self.conn.trailing_data
        super().handle_websocket_upgrade(event)
        if behind:
            cast(asyncio.Protocol, self.transport.get_protocol()).data_received(behind)

    def _release(self) -> None:
        self._stop_deadline()
        self._stop_unread()
        if self._address:
            self.open[self._address] -= 1
            if self.open[self._address] <= 0:
                del self.open[self._address]
            self._address = ""

    # ------------------------------------------------------------ requests

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the request comes in time and ends."""
        if self.transport.is_closing():
            return
        if self._deadline is None:
            self._expect_request()
        if self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY:
            self._drained += len(data)
            if self._drained > self.bounds.drained_bytes:
                cut(self.transport)
                return
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_deadline()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self._drained = 0

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or has headers that are too large."""
        self._turn_away(
            400,
            "invalid-request",
            "the request cannot be read as HTTP",
            rule=f"HTTP/1.1, with at most {self.bounds.header_bytes} bytes of headers",
            fix="send a request line and headers as HTTP/1.1 has them, and fewer or shorter headers",
        )

    def _expect_request(self) -> None:
        self._deadline = self.loop.call_later(self.bounds.request_s, self._too_slow)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        idle = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if idle:  # it never asked for anything: nobody waits for an answer
            self.transport.close()
            return
        self._turn_away(
            408,
            "too-slow",
            f"the request did not come within {self.bounds.request_s:g} s",
            rule=f"a request is sent within {self.bounds.request_s:g} s",
            fix="send it at once, headers and body",
        )

    def _turn_away(self, status: int, kind: str, detail: str, *, rule: str, fix: str) -> None:
        """Answer with a problem, if an answer is still to be given, and hang up."""
        titles = {400: "Invalid request", 408: "Request too slow", 503: "Not available"}
        document = ProblemDocument(
            type=kind, title=titles[status], status=status, detail=detail, rule=rule, fix=fix
        )
        self.note(refusal_of("http.refused", "", peer_of({"client": self.client}), document, None))
        self._stop_deadline()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            cut(self.transport)
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # what the application still says goes nowhere
            self.cycle.message_event.set()
        body = body_of(document)
        headers = [
            ("content-type", PROBLEM),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        answer = h11.Response(status_code=status, headers=headers)
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            said = self.conn.send(event)
            if said:
                self.transport.write(said)
        self.transport.close()

    # ------------------------------------------------------------ answers

    def pause_writing(self) -> None:
        """The peer does not read as fast as it is answered: it has to read on."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """The peer has read."""
        self._stop_unread()
        super().resume_writing()

    def _watch_reading(self) -> None:
        self._stop_unread()
        self._left_unread = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(self.bounds.request_s, self._look_at_reading)

    def _look_at_reading(self) -> None:
        self._unread = None
        if self._left_unread - self.transport.get_write_buffer_size() < _LEAST_READ:
            cut(self.transport)
        else:
            self._watch_reading()

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def peer_of(scope: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return a request's peer: ``("unix", uid)``, or its address and None."""
    client = cast("tuple[str, int] | None", scope.get("client"))
    if client is None:
        return ("unknown", None)
    return (UNIX, client[1]) if client[0] == UNIX else (client[0], None)
