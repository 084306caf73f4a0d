"""What one client is refused: told to whoever keeps it, a command before it is answered.

While the entry of a refused command is on its way to the disk its client is heard no further: whatever it
sends, there is one of them at a time, and its answers come in order. This module must not know of sockets,
nor of what may be said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from data.problems import ProblemError
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.refusals import Note, Record, Refusal, refusal_of
from nautilus_tui.daemon.streams.peers import Peer

#: Entries on their way, kept here because they are written whether or not the client stays.
_under_way: set[asyncio.Task[None]] = set()


class Refusing:
    """The refusals of one connection.

    Args:
        peer: who is at its other end.
        note: what takes note of refusals.
        record: what writes refused commands.
        go_on: called when a client that was not heard for the sake of an entry may be again.
    """

    __slots__ = ("_go_on", "_note", "_peer", "_record", "known", "writing")

    def __init__(self, peer: Peer, note: Note, record: Record, go_on: Callable[[], None]) -> None:
        self._peer = peer
        self._note = note
        self._record = record
        self._go_on = go_on
        self.known: Principal | None = None  #: who it is, as soon as that is proved
        self.writing = False  #: the entry of a command

    def note(self, asked: str, error: ProblemError) -> None:
        """Take note of what was asked and refused."""
        self._note(self._refusal(asked, error))

    def command(self, asked: str, error: ProblemError, answer: Callable[[], None]) -> None:
        """Write down that a command was refused, then answer it; at once where nothing is waited for."""
        self.writing = True
        keeping = self._keep(self._refusal(asked, error), answer)
        task = asyncio.Task(keeping, loop=asyncio.get_running_loop(), eager_start=True)
        if not task.done():
            _under_way.add(task)
            task.add_done_callback(self._kept)

    async def _keep(self, refusal: Refusal, answer: Callable[[], None]) -> None:
        try:
            await self._record(refusal)
        finally:  # a client is answered and heard whatever became of the entry
            self.writing = False
            answer()

    def _kept(self, task: asyncio.Task[None]) -> None:
        _under_way.discard(task)
        self._go_on()

    def _refusal(self, asked: str, error: ProblemError) -> Refusal:
        peer = (self._peer.address, self._peer.uid)
        return refusal_of("stream.refused", asked, peer, error.document(), self.known)
