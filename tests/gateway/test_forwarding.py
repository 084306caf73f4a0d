"""A command that was sent and not answered is in doubt: the gateway does not call it refused."""

from __future__ import annotations

import asyncio

import pytest

from data.commands import SendBroadcast
from data.problems import InvalidRequestError, OutcomeUnknownError
from nautilus_tui.client import Address, NotReachableError
from nautilus_tui.gateway.access import Bearer
from nautilus_tui.gateway.forwarding import Forwarder

CLIENT = Bearer("tom", "trader", "tcp", secret="ntui_secret")
COMMAND = SendBroadcast(message="hello")


async def test_a_daemon_that_dies_over_a_command_leaves_it_in_doubt() -> None:
    heard: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OutcomeUnknownError):
            await Forwarder(Address.remote(f"http://127.0.0.1:{port}"))(COMMAND, CLIENT)
    assert b"authorization: bearer ntui_secret" in heard[0].lower()
    with pytest.raises(NotReachableError):  # nobody listens there any more: nothing was sent
        await Forwarder(Address.remote(f"http://127.0.0.1:{port}"))(COMMAND, CLIENT)


async def test_without_a_daemon_a_command_is_refused_and_a_token_is_never_shown() -> None:
    with pytest.raises(InvalidRequestError, match="carries no commands"):
        await Forwarder(None)(COMMAND, CLIENT)
    assert "ntui_secret" not in repr(CLIENT)
    assert CLIENT.may("trader")
