"""The order authority: one principal at a time may hold it, and then nobody else sends orders.

What a command needs is declared on its class (``needs_authority``). Every such command passes here on
its way through the door and counts as under way until it is answered. A hand-over first lets nobody in
whom the new holder shuts out, then waits for those of them that are under way, then is stored, told to
everyone on ``system.authority`` and only then answered: an order is either before it or refused.

It belongs to a name: ``local``, or a token's. When the token is worth nothing any more the daemon
itself releases it, through the door like everyone, so that it is audited. This module must not know of
HTTP or of how orders are carried out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

import msgspec

from data import topics
from data.access import OrderAuthority, TokenRow
from data.authority_store import AuthorityStore
from data.bus import Bus
from data.commands import AnyCommand, Outcome, ReleaseAuthority, TakeAuthority
from data.problems import ConflictError, ForbiddenError, OrderAuthorityError, ProblemError
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal

#: Who releases it when its holder's token is worth nothing any more.
KEEPER: Final = Principal(name="daemon", role="risk", via="daemon")
#: How long a hand-over waits at most for orders that are under way, seconds: an engine that hangs must
#: not keep it up. What is not answered by then is named in the hand-over's outcome.
PATIENCE_S: Final = 5.0
#: A token's end is looked for at least so often, seconds: the clock may be set.
_LOOK_S: Final = 60.0
#: A release that failed is tried again after so many seconds.
RETRY_S: Final = 1.0

type Execute = Callable[[AnyCommand, Principal], Awaitable[Outcome]]

logger = logging.getLogger(__name__)


class _Passing(NamedTuple):
    """A command under way: whose, about which order, and what is done when it has been answered."""

    principal: Principal
    order: str
    ended: asyncio.Future[None]


class Authority:
    """Who holds the order authority, who may pass, and its hand-over.

    Args:
        store: where it is kept; ``load`` reads it.
        tokens: gives the tokens as they stand.
        required: while it is free nobody may send orders, instead of everyone with the role.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        store: AuthorityStore,
        bus: Bus,
        present: Present,
        tokens: Callable[[], Iterable[TokenRow]],
        required: bool = False,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = store
        self._bus = bus
        self._present = present
        self._tokens = tokens
        self._clock = clock
        self._required = required
        self.now = OrderAuthority(holder=None, required=required, ts=clock())
        self._next: OrderAuthority | None = None  #: what a hand-over under way leads to
        self._handing = asyncio.Lock()
        self._releasing = asyncio.Lock()
        self._passing: dict[str, _Passing] = {}  #: by command id
        self._token: TokenRow | None = None  #: the holder's
        self._looked = asyncio.Event()
        self._execute: Execute | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Go on where the daemon before this one ended."""
        kept = await self._store.last()
        if kept is not None:
            self.now = msgspec.structs.replace(kept, required=self._required)
        self.look()
        self._present.authorised(self.now)
        self._bus.declare(topics.AUTHORITY)

    def open(self, execute: Execute) -> None:
        """Begin to watch the holder's token; ``execute`` is the way through the door."""
        self._execute = execute
        self._keeping = asyncio.create_task(self._keep(), name="order-authority")

    async def close(self) -> None:
        """Watch no longer."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping

    # ------------------------------------------------------------ who may pass

    def check(self, command: AnyCommand, principal: Principal) -> None:
        """Check that a principal may send a command now.

        Raises:
            OrderAuthorityError: another holds the order authority, or nobody does and somebody has to.
            ForbiddenError, ConflictError: it releases what is not its own; see ``release``.
        """
        if isinstance(command, ReleaseAuthority):
            self._check_release(command, principal)
        if not command.needs_authority:
            return
        holder, since = self.now.holder, _clock_text(self.now.ts)
        if self._next is not None and not _lets(self._next, principal.name):
            self._refuse(
                f"the order authority is being handed to {self._next.holder}"
                if self._next.holder
                else f"{holder} is giving the order authority back, and nobody has it then"
            )
        if not _lets(self.now, principal.name):
            self._refuse(
                f"{holder} holds the order authority since {since}"
                if holder
                else f"nobody holds the order authority since {since}"
            )
        if holder == principal.name and (over := self.over()):
            self._refuse(f"{over}: {holder} holds the order authority no longer")

    def _check_release(self, command: ReleaseAuthority, principal: Principal) -> None:
        holder = self.now.holder
        if command.holder is not None and command.holder != holder:
            raise ConflictError(
                f"{holder or 'nobody'} holds the order authority, not {command.holder}",
                rule="it is released for the holder that is named",
                fix="look who holds it: nautilus-tui authority show",
            )
        if holder not in (None, principal.name) and not principal.may("risk"):
            raise ForbiddenError(
                f"{holder} holds the order authority, and {principal.name} has the role {principal.role}",
                rule="its holder releases it, or the role risk and above",
                fix="take it instead: nautilus-tui authority take",
                holder=str(holder),
            )

    def _refuse(self, detail: str) -> None:
        held = self.now.holder is not None or self._next is not None
        raise OrderAuthorityError(
            detail,
            rule="while it is held only its holder sends and changes orders; cancelling and closing need none"
            if held
            else "[daemon] order_authority is required: only its holder sends and changes orders",
            fix="take it: nautilus-tui authority take (in the terminal :authority take)",
            since=_clock_text(self.now.ts),
            **({} if self.now.holder is None else {"holder": self.now.holder}),
        )

    @contextmanager
    def passing(self, command: AnyCommand, command_id: str, principal: Principal) -> Iterator[None]:
        """Let a command pass that was checked in the same breath: it is under way until this ends."""
        if not command.needs_authority:
            yield
            return
        ended = asyncio.get_running_loop().create_future()
        order = str(getattr(command, "client_order_id", command_id))
        self._passing[command_id] = _Passing(principal, order, ended)
        try:
            yield
        finally:
            del self._passing[command_id]
            ended.set_result(None)

    # ------------------------------------------------------------ hand-over

    async def take(
        self, command: TakeAuthority, principal: Principal, timeout: float = PATIENCE_S
    ) -> tuple[OrderAuthority, list[str]]:
        """Give it to whoever asks, from whoever holds it.

        Returns it, and the orders of others that are still not answered after ``timeout`` seconds.

        Raises:
            StoreFailedError: it could not be kept; nothing has changed.
        """
        async with self._handing:
            if self.now.holder == principal.name:
                return self.now, []
            return await self._hand_over(
                OrderAuthority(
                    holder=principal.name,
                    via=principal.via,
                    before=self.now.holder,
                    by=principal.name,
                    reason=command.reason,
                    required=self._required,
                    ts=self._clock(),
                ),
                timeout,
            )

    async def release(
        self, command: ReleaseAuthority, principal: Principal, timeout: float = PATIENCE_S
    ) -> tuple[OrderAuthority, list[str]]:
        """Make it free; returns as ``take``.

        Raises:
            ForbiddenError: another holds it, and the principal's role is below risk.
            ConflictError: it is not the one named in the command who holds it.
            StoreFailedError: it could not be kept; nothing has changed.
        """
        async with self._handing:
            holder = self.now.holder
            self._check_release(command, principal)
            if holder is None:
                return self.now, []
            return await self._hand_over(
                OrderAuthority(
                    holder=None,
                    before=holder,
                    by=principal.name,
                    reason=command.reason,
                    required=self._required,
                    ts=self._clock(),
                ),
                timeout,
            )

    def require(self, required: bool) -> None:
        """Have somebody hold it from now on before anyone sends orders, or no longer."""
        self._required = required
        if self._next is not None:
            self._next = msgspec.structs.replace(self._next, required=required)
        if self.now.required != required:
            self.now = msgspec.structs.replace(self.now, required=required)
            self._tell()

    async def _hand_over(self, changed: OrderAuthority, timeout: float) -> tuple[OrderAuthority, list[str]]:
        self._next = changed
        try:
            left = await self._let_out(changed, min(timeout, PATIENCE_S))
            changed = msgspec.structs.replace(changed, required=self._required, ts=self._clock())
            await self._store.put(changed)
            self.now = changed
        finally:
            self._next = None
        self.look()
        self._tell()
        return changed, left

    def _tell(self) -> None:
        self._present.authorised(self.now)
        self._bus.publish(topics.AUTHORITY, self.now)

    async def _let_out(self, changed: OrderAuthority, timeout: float) -> list[str]:
        """Wait for what is under way of those who are shut out; return what did not end in time."""
        out = [one for one in self._passing.values() if not _lets(changed, one.principal.name)]
        if out:
            await asyncio.wait([one.ended for one in out], timeout=timeout)
        return [one.order for one in out if not one.ended.done()]

    # ------------------------------------------------------------ the holder's token

    def look(self) -> None:
        """Look again for the holder's token: tokens, or the holder, changed."""
        self._token = next((token for token in self._tokens() if token.name == self.now.holder), None)
        self._looked.set()

    def over(self) -> str | None:
        """Return why the holder holds it no longer, although it was not released yet; None: it does."""
        if self.now.holder is None or self.now.via == "unix":
            return None
        token = self._token
        if token is None:
            return f"the token {self.now.holder} is gone"
        if token.ts_revoked is not None:
            return f"the token {token.name} was revoked"
        if token.ts_expires is not None and token.ts_expires <= self._clock():
            return f"the token {token.name} expired"
        return None

    async def settle(self) -> None:
        """Release it if its holder's token is worth nothing any more; returns when that is told."""
        async with self._releasing:
            reason, holder = self.over(), self.now.holder
            if reason is None or self._execute is None:
                return
            try:
                outcome = await self._execute(ReleaseAuthority(holder=holder, reason=reason), KEEPER)
                problem = outcome.problem
            except ProblemError as error:  # not even its refusal could be stored
                problem = error.document()
            if problem is not None:  # nobody sends meanwhile, and it is tried again
                logger.warning("the order authority of %s is not released: %s", holder, problem.detail)

    async def _keep(self) -> None:
        while True:
            self._looked.clear()
            await self.settle()
            wait = RETRY_S if self.over() else None
            if wait is None and self._token is not None and self._token.ts_expires is not None:
                wait = min(max((self._token.ts_expires - self._clock()) / 1e9, 0.0), _LOOK_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._looked.wait(), wait)


def _lets(authority: OrderAuthority, name: str) -> bool:
    """Tell whether a principal of that name may send orders under an authority."""
    return not authority.required if authority.holder is None else authority.holder == name


def _clock_text(ts: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(ts / 1e9))
