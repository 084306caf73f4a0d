"""The paper venue: NautilusTrader's sandbox, made to match as the same engine does in a backtest.

Two things differ from the sandbox as it comes. Commands move the venue's clock to the present, so that
nothing is accepted before it was sent. Quotes are not matched against where depth makes the book. The
node must also apply order events at once (``assembly.answer_at_once``): the matching engine asks for
an order's state in the middle of matching, and with a queue in between the rest of an IOC order is
not cancelled, an FOK order is left working and a large market order hangs half filled. This module
must not know of the gate, of journals or of feeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.execution import SandboxExecutionClient
from nautilus_trader.model.data import QuoteTick


class PaperVenue(SandboxExecutionClient):
    """A venue whose orders are matched in this process.

    Parameters
    ----------
    real_time
        Whether the market's time is the wall clock's; a replay's is not.

    """

    def __init__(self, *, config: SandboxExecutionClientConfig, real_time: bool, **common: Any) -> None:
        super().__init__(config=config, **common)
        self._by_depth = config.book_type != "L1_MBP"
        self._real_time = real_time
        #: Whether a command may still arrive: it has waited in queues since it was let pass.
        self.admit: Callable[[Any], bool] = lambda _: True

    def on_data(self, data: Any) -> None:
        """Match orders against new market data."""
        if self._by_depth and isinstance(data, QuoteTick):
            return  # it changes nothing here: the depth that follows makes the book
        super().on_data(data)

    def submit_order(self, command: Any) -> None:
        """Take an order."""
        if self.admit(command):
            self._catch_up()
            self._client.submit_order(command)

    def submit_order_list(self, command: Any) -> None:
        """Take several orders that belong together."""
        if self.admit(command):
            self._catch_up()
            self._client.submit_order_list(command)

    def modify_order(self, command: Any) -> None:
        """Change a working order."""
        if self.admit(command):
            self._catch_up()
            self._client.modify_order(command)

    def cancel_order(self, command: Any) -> None:
        """Cancel a working order."""
        self._catch_up()
        self._client.cancel_order(command)

    def cancel_all_orders(self, command: Any) -> None:
        """Cancel an instrument's working orders."""
        self._catch_up()
        self._client.cancel_all_orders(command)

    def _catch_up(self) -> None:
        if self._real_time:
            self.test_clock.set_time(max(self._clock.timestamp_ns(), self.test_clock.timestamp_ns()))
