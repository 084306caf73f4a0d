"""Commands that clients send over a gateway, carried to the daemon under the client's own token.

The daemon authenticates, audits and carries out; nothing is taken on the gateway's word. This module
must not know of streams.
"""

from __future__ import annotations

from dataclasses import replace

from data.commands import AnyCommand, Outcome
from data.problems import InvalidRequestError, UnauthorizedError
from nautilus_tui.client.address import Address
from nautilus_tui.client.api import ApiClient
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.gateway.access import Bearer


class Forwarder:
    """Carries commands to one daemon.

    Args:
        daemon: where it is; None: commands are refused.
    """

    def __init__(self, daemon: Address | None) -> None:
        self._daemon = daemon

    async def __call__(self, command: AnyCommand, principal: Principal) -> Outcome:
        """Return how a command ended at the daemon.

        Raises:
            InvalidRequestError: this gateway carries no commands.
            NotReachableError: nothing was sent.
            OutcomeUnknownError: it was sent and no answer came.
            ProblemError: the daemon refused it before it became a command.
        """
        if self._daemon is None:
            raise InvalidRequestError(
                "this gateway carries no commands",
                rule="commands go to the daemon",
                fix="send it to the daemon's own address, or start the gateway with --daemon URL",
            )
        if not isinstance(principal, Bearer):
            raise UnauthorizedError(
                "this client showed no token", rule="the daemon wants the client's own token"
            )
        # a connection a command: the token is kept nowhere when its client has gone
        async with ApiClient(replace(self._daemon, token=principal.secret)) as api:
            return await api.execute(command)
