"""What the sans-io protocol of `websockets` does for streams: the handshake's rules, what clients send.

Frames to clients come from the hub and do not pass here. This module must not know of transports, nor of
what is said.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from websockets.frames import CloseCode, Frame, Opcode
from websockets.server import ServerProtocol

from data.problems import InvalidRequestError
from nautilus_tui.daemon.streams.handshake import select_subprotocol

_logger = logging.getLogger(__name__)
_logger.setLevel(logging.WARNING)

_FIX = "let a WebSocket library make the frames"


class Broken(NamedTuple):
    """The end of what can be read from a client."""

    problem: InvalidRequestError


#: What is heard of a client, in its order.
Said = Frame | Broken


class NoTextError(InvalidRequestError):
    """A text message is no UTF-8."""


class Frames(ServerProtocol):
    """The protocol of one connection.

    Pings are not answered as they are parsed but by who hears them: what came before has its turn first.

    Args:
        max_message: bytes that a message from the client may have.
    """

    def __init__(self, max_message: int) -> None:
        super().__init__(select_subprotocol=select_subprotocol, max_size=max_message, logger=_logger)
        self._max_message = max_message
        self._pieces: list[bytes] = []  #: of a message that goes on
        self._is_text = False

    def send_frame(self, frame: Frame) -> None:
        """Prepare a frame to be sent, unless it is a pong."""
        if frame.opcode is not Opcode.PONG:
            super().send_frame(frame)

    def said(self, data: bytes) -> list[Said]:
        """Return what ends in the next bytes: frames, and behind them that the rest cannot be read."""
        self.receive_data(data)
        said: list[Said] = [event for event in self.events_received() if isinstance(event, Frame)]
        if self.parser_exc is not None:
            said.append(Broken(self._problem(self.parser_exc)))
        return said

    def message(self, frame: Frame) -> bytes | None:
        """Return the message that ends with a frame of data; None: it goes on. Raises NoTextError."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._pieces.append(bytes(frame.data))
        if not frame.fin:
            return None
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []
        if self._is_text:
            try:
                data.decode()
            except UnicodeDecodeError as error:
                raise NoTextError(
                    f"a text message that is no text: {error}",
                    rule="text messages are UTF-8 (RFC 6455, 8.1)",
                    fix="encode the text as UTF-8, or send binary messages",
                ) from error
        return data

    def _problem(self, error: Exception) -> InvalidRequestError:
        """Return what is wrong with a frame."""
        detail = f"unreadable frame: {error}"
        if self.close_sent is not None and self.close_sent.code == CloseCode.MESSAGE_TOO_BIG:
            rule = f"a message has at most {self._max_message} bytes"
            return InvalidRequestError(detail, rule=rule, fix="say it in several messages")
        return InvalidRequestError(detail, rule="frames are as RFC 6455 describes them", fix=_FIX)
