"""Questions to the daemon and commands for it, typed.

Every question is a method that returns records; every change goes through ``execute``. Failures are
``ProblemError`` subclasses: ``NotReachableError`` when nothing was sent, ``OutcomeUnknownError`` when
a command was sent and no answer came, else what the daemon answered.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, Self, cast

import httpx
import msgspec

from data.commands import AnyCommand, Outcome, PreviewOrder
from data.limits import LimitEffect
from data.paging import Page
from data.problems import InvalidRequestError, OutcomeUnknownError, ProblemDocument, from_document
from data.records import (
    AccountUpdate,
    Bar,
    Book,
    Fill,
    Instrument,
    OrderUpdate,
    PositionUpdate,
    Quote,
)
from data.reports import Rendered
from nautilus_tui.client import wire
from nautilus_tui.client.address import Address
from nautilus_tui.client.analytics import AnalyticsQuestions
from nautilus_tui.client.audit import AuditQuestions
from nautilus_tui.client.authority import AuthorityQuestions
from nautilus_tui.client.breaches import BreachQuestions
from nautilus_tui.client.forecast import ForecastQuestions
from nautilus_tui.client.ids import mint_command_id
from nautilus_tui.client.kill import KillQuestions
from nautilus_tui.client.limits import LimitQuestions
from nautilus_tui.client.paths import level
from nautilus_tui.client.problems import NotReachableError, WireError, of_tls
from nautilus_tui.client.reports import ReportQuestions
from nautilus_tui.client.research import ResearchQuestions
from nautilus_tui.client.system import SystemQuestions

Wait = Literal["ack", "final"]
_CONNECT_TIMEOUT_S = 3.0
_READ_TIMEOUT_S = 30.0
_RESEARCH_TIMEOUT_S = 270.0  # a provider's pace may make a first answer wait
_GRACE_S = 5.0  # the daemon answers by the time asked for; the wire gets this much more
_API = "/api/v1"
#: What an HTTP header can carry.
_KEY = re.compile(r"[!-~]([ -~]*[!-~])?")
#: What a file is to be called: letters, digits and a few marks, never a path.
_NAMED = re.compile(r'filename="([A-Za-z0-9][A-Za-z0-9._-]*)"')


class Table(msgspec.Struct, frozen=True):
    """The result of a query over the history."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool = False  #: there were more rows than the limit


def command_name(command: AnyCommand) -> str:
    """Return a command's public name, e.g. ``order.submit``."""
    return str(command.__struct_config__.tag)


class ApiClient(
    SystemQuestions,
    ResearchQuestions,
    AuthorityQuestions,
    AuditQuestions,
    BreachQuestions,
    AnalyticsQuestions,
    ForecastQuestions,
    KillQuestions,
    LimitQuestions,
    ReportQuestions,
):
    """One connection pool to one daemon. Use it as an async context manager, or call ``close``."""

    def __init__(self, address: Address) -> None:
        self.address = address
        transport = httpx.AsyncHTTPTransport(uds=str(address.socket)) if address.socket else None
        self._http = httpx.AsyncClient(
            base_url=address.http_url,
            transport=transport,
            trust_env=False,
            verify=address.trust or False,  # there is nothing to verify without TLS
            headers={"Accept": wire.ACCEPT, **address.headers},
            timeout=httpx.Timeout(_READ_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # ------------------------------------------------------------ commands

    async def execute(
        self, command: AnyCommand, *, command_id: str | None = None, wait: Wait = "ack", timeout: float = 10.0
    ) -> Outcome:
        """Send a command through the door and return how it ended, whatever way that was.

        ``command_id`` makes it idempotent: the same id and body twice is carried out once and gets
        the same answer. ``wait`` and ``timeout`` (seconds) say how long the daemon waits for orders:
        for the venue's first answer, or for their final state.

        Raises:
            InvalidRequestError: the id cannot be sent; nothing was.
            NotReachableError: nothing was sent.
            OutcomeUnknownError: it was sent and no answer came.
            ProblemError: the daemon refused it before it became a command (credential, form).
        """
        key = mint_command_id() if command_id is None else command_id
        if not _KEY.fullmatch(key):
            raise InvalidRequestError(
                f"the id {key!r} cannot be sent",
                rule="an id is printable ASCII, not empty, without spaces at its ends",
                fix="take letters, digits, - and _",
                field="id",
            )
        response = await self._send(
            "POST",
            f"{_API}/commands",
            params={"wait": wait, "timeout": timeout},
            content=msgspec.json.encode(command),
            headers={"Idempotency-Key": key, "Content-Type": "application/json"},
            timeout=httpx.Timeout(timeout + _GRACE_S, connect=_CONNECT_TIMEOUT_S),
            changes=command_name(command),
        )
        body = _body(response)
        if response.is_success:
            return wire.convert(body, Outcome)
        if isinstance(body, dict) and isinstance(body.get("outcome"), dict):
            return wire.convert(body["outcome"], Outcome)
        raise from_document(_document(body, response))

    # ------------------------------------------------------------ orders and money

    async def instruments(self, engine: str | None = None) -> list[Instrument]:
        """Return what an engine (or any engine) can trade."""
        return await self._all("/instruments", Instrument, engine=engine)

    async def orders(
        self,
        engine: str | None = None,
        *,
        status: str | None = None,
        instrument: str | None = None,
        limit: int = 200,
        cursor: str | None = None,
    ) -> Page[OrderUpdate]:
        """Return orders, newest first. ``status`` is one status, or ``working``, ``open`` or ``final``."""
        return await self._page(
            "/orders",
            OrderUpdate,
            engine=engine,
            status=status,
            instrument=instrument,
            limit=limit,
            cursor=cursor,
        )

    async def order(self, client_order_id: str, engine: str | None = None) -> OrderUpdate:
        """Return one order; raises NotFoundError."""
        return wire.convert(
            await self._get(f"/orders/{level('client_order_id', client_order_id)}", engine=engine),
            OrderUpdate,
        )

    async def preview(self, order: PreviewOrder) -> list[LimitEffect]:
        """Return what an order would do to every limit of its engine's gate; nothing is sent.

        Raises:
            NotFoundError: the engine does not trade the instrument.
            UnavailableError: the engine does not run.
        """
        fields = {name: getattr(order, name) for name in order.__struct_fields__}
        given = msgspec.json.encode({name: value for name, value in fields.items() if value is not None})
        response = await self._send(
            "POST", f"{_API}/orders/preview", content=given, headers={"Content-Type": "application/json"}
        )
        body = _good(response)
        return [wire.convert(item, LimitEffect) for item in body["items"]]

    async def fills(
        self,
        engine: str | None = None,
        *,
        instrument: str | None = None,
        limit: int = 200,
        cursor: str | None = None,
    ) -> Page[Fill]:
        """Return fills, newest first."""
        return await self._page(
            "/fills", Fill, engine=engine, instrument=instrument, limit=limit, cursor=cursor
        )

    async def positions(self, engine: str | None = None) -> list[PositionUpdate]:
        """Return open positions at their latest marks."""
        return await self._all("/positions", PositionUpdate, engine=engine)

    async def account(self, engine: str | None = None) -> list[AccountUpdate]:
        """Return the account of one engine, or those of all."""
        return (await self._page("/account", AccountUpdate, engine=engine)).items

    # ------------------------------------------------------------ market data and history

    async def quotes(self, engine: str | None = None) -> list[Quote]:
        """Return the latest quote of every instrument."""
        return await self._all("/market-data/quotes", Quote, engine=engine)

    async def quote(self, instrument: str, engine: str | None = None) -> Quote:
        """Return an instrument's latest quote; raises NotFoundError."""
        return wire.convert(
            await self._get(f"/market-data/quotes/{level('instrument', instrument)}", engine=engine), Quote
        )

    async def book(self, instrument: str, engine: str | None = None) -> Book:
        """Return an instrument's order book; raises NotFoundError."""
        return wire.convert(
            await self._get(f"/market-data/book/{level('instrument', instrument)}", engine=engine), Book
        )

    async def bars(
        self,
        instrument: str,
        timeframe: str,
        *,
        start: str | None = None,
        end: str | None = None,
        limit: int = 500,
        side: str | None = None,
        engine: str | None = None,
    ) -> list[Bar]:
        """Return bars, oldest first; without ``start`` the latest. ``start`` and ``end`` are ISO times."""
        page = await self._page(
            "/market-data/historical/bars",
            Bar,
            symbol=instrument,
            timeframe=timeframe,
            start=start,
            end=end,
            limit=limit,
            side=side,
            engine=engine,
        )
        return page.items

    async def catalogue(self) -> list[dict[str, Any]]:
        """Return what the history holds: instrument, kind, timeframe, rows, first, last, source."""
        return (await self._page("/history", dict[str, Any])).items

    async def sql(self, query: str, *, limit: int = 1000) -> Table:
        """Run a read-only query over the history.

        Raises:
            InvalidRequestError: it does not parse, or would write.
        """
        response = await self._send("POST", f"{_API}/sql", json={"query": query, "limit": limit})
        return wire.convert(_good(response), Table)

    # ------------------------------------------------------------ plumbing

    async def get(self, path: str, **params: Any) -> Any:
        """Return the plain answer of any path under ``/api/v1``; for programs, and for new paths."""
        return await self._get(path, **params)

    async def _get(self, path: str, **params: Any) -> Any:
        present = {name: value for name, value in params.items() if value is not None}
        return _good(await self._send("GET", _API + path, params=present))

    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        return wire.convert(await self._research(path, params), type_)

    async def _ask_list[T](self, path: str, type_: type[T], **params: Any) -> list[T]:
        found: list[T] = []
        cursor: str | None = None
        while True:
            page = _list_of(path, await self._research(path, params | {"cursor": cursor}), type_)
            found += page.items
            if page.next is None or page.next == cursor:
                return found
            cursor = page.next

    async def _ask_with[T](self, path: str, type_: type[T], body: Mapping[str, Any]) -> T:
        given = {name: value for name, value in body.items() if value is not None}
        return wire.convert(_good(await self._send("POST", _API + path, json=given)), type_)

    async def _put_to[T](self, path: str, body: dict[str, Any], type_: type[T]) -> T:
        given = msgspec.json.encode({name: value for name, value in body.items() if value is not None})
        headers = {"Content-Type": "application/json"}
        return wire.convert(
            _good(await self._send("POST", _API + path, content=given, headers=headers)), type_
        )

    async def _research(self, path: str, params: dict[str, Any]) -> Any:
        """Return the answer to a question that a provider may have to be asked for."""
        timeout = httpx.Timeout(_RESEARCH_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
        present = {name: _text(value) for name, value in params.items() if value is not None}
        return _good(await self._send("GET", _API + path, params=present, timeout=timeout))

    async def _download(self, path: str, **params: Any) -> Rendered:
        """Return a file; making it may take the daemon a while."""
        timeout = httpx.Timeout(_RESEARCH_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
        response = await self._send("GET", _API + path, params=params, timeout=timeout)
        if not response.is_success:
            raise from_document(_document(_body(response), response))
        named = _NAMED.search(response.headers.get("content-disposition", ""))
        if named is None:
            raise WireError(f"{path} answered no file", fix="are client and daemon of the same version?")
        return Rendered(
            name=named[1],
            content_type=response.headers.get("content-type", ""),
            content=response.content,
            synthetic=response.headers.get("x-report-synthetic") == "yes",
        )

    async def _stream(self, path: str, **params: Any) -> AsyncIterator[bytes]:
        """Return a file piece by piece, as it comes."""
        present = {name: value for name, value in params.items() if value is not None}
        timeout = httpx.Timeout(_RESEARCH_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
        try:
            async with self._http.stream("GET", _API + path, params=present, timeout=timeout) as response:
                if not response.is_success:
                    await response.aread()
                    raise from_document(_document(_body(response), response))
                async for piece in response.aiter_bytes():
                    yield piece
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._not_reachable(error) from error
        except httpx.TransportError as error:
            raise _unanswered(path, None, f"to its end ({error or type(error).__name__})") from error

    async def _page[T](self, path: str, type_: type[T], **params: Any) -> Page[T]:
        return _list_of(path, await self._get(path, **params), type_)

    async def _all[T](self, path: str, type_: type[T], **params: Any) -> list[T]:
        return [item async for item in self._every(path, type_, **params)]

    async def _every[T](self, path: str, type_: type[T], **params: Any) -> AsyncIterator[T]:
        cursor: str | None = None
        while True:
            page = await self._page(path, type_, cursor=cursor, **params)
            for item in page.items:
                yield item
            if page.next is None or page.next == cursor:
                return
            cursor = page.next

    async def _send(
        self, method: str, path: str, *, changes: str | None = None, **rest: Any
    ) -> httpx.Response:
        """Send one request; ``changes`` names the command it carries, if any.

        A kept connection may have been closed by the daemon since the last answer. Questions, and
        commands (whose id makes them idempotent), are then asked once more on a new one.
        """
        for attempt in (1, 2):
            try:
                return await self._http.request(method, path, **rest)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise self._not_reachable(error) from error
            except httpx.TimeoutException as error:
                raise _unanswered(path, changes, "in time") from error
            except httpx.TransportError as error:
                if attempt == 2:
                    raise _unanswered(path, changes, f"({error or type(error).__name__})") from error
        raise AssertionError("unreachable: the second attempt returns or raises")

    def _not_reachable(self, error: Exception) -> NotReachableError:
        problem = of_tls(self.address, error) if self.address.secure else None
        if problem is not None:
            return problem
        fix = (
            "start it with nautilus-tui, or nautilus-tui daemon"
            if self.address.socket
            else "check the address, and that the daemon runs with --listen"
        )
        return NotReachableError(
            f"no daemon answers at {self.address}", rule="this needs a running daemon", fix=fix
        )


def _list_of[T](path: str, body: Any, type_: type[T]) -> Page[T]:
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise WireError(f"{path} answered something else than a list")
    return Page([wire.convert(item, type_) for item in body["items"]], cast(str | None, body.get("next")))


def _text(value: Any) -> Any:
    """Return a parameter as it stands in an address; of several, each."""
    if isinstance(value, list):
        return [_text(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unanswered(path: str, changes: str | None, how: str) -> OutcomeUnknownError | NotReachableError:
    if changes is None:
        return NotReachableError(f"the daemon did not answer {path} {how}", fix="try again")
    return OutcomeUnknownError(
        f"{changes} was sent and no answer came {how}",
        rule="what was sent may have happened",
        fix="look at the orders or engines before sending again, or send again under the same id",
    )


def _body(response: httpx.Response) -> Any:
    return wire.decode(response.content, response.headers.get("content-type", ""))


def _good(response: httpx.Response) -> Any:
    body = _body(response)
    if response.is_success:
        return body
    raise from_document(_document(body, response))


def _document(body: Any, response: httpx.Response) -> ProblemDocument:
    """Return the problem in an answer; one that follows RFC 9457 loosely is still shown."""
    known = (
        {name: body[name] for name in ProblemDocument.__struct_fields__ if name in body}
        if isinstance(body, dict)
        else {}
    )
    known.setdefault("type", "internal")
    known.setdefault("title", response.reason_phrase or "Error")
    known.setdefault("status", response.status_code)
    known.setdefault("detail", f"the daemon answered {response.status_code}")
    return wire.convert(known, ProblemDocument)
