"""What the sans-io protocol of `websockets` does for streams: the handshake's rules, frames from clients.

Frames to clients come from the hub and do not pass here. This module must not know of transports, nor of
what is said.
"""

from __future__ import annotations

import logging

from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from nautilus_tui.daemon.streams.handshake import select_subprotocol

_logger = logging.getLogger(__name__)
_logger.setLevel(logging.WARNING)


class Frames(ServerProtocol):
    """The protocol of one connection.

    Pings are not answered as they are parsed but by who hears them: what came before has its turn first.

    Args:
        max_message: bytes that a message from the client may have.
    """

    def __init__(self, max_message: int) -> None:
        super().__init__(select_subprotocol=select_subprotocol, max_size=max_message, logger=_logger)

    def send_frame(self, frame: Frame) -> None:
        """Prepare a frame to be sent, unless it is a pong."""
        if frame.opcode is not Opcode.PONG:
            super().send_frame(frame)

    def frames(self, data: bytes) -> list[Frame]:
        """Return the frames that end in the next bytes; ``parser_exc`` says why, if they cannot be read."""
        self.receive_data(data)
        return [event for event in self.events_received() if isinstance(event, Frame)]
