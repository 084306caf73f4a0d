"""Ids as levels of a path: an empty one names what is wrong, and no other leads to another place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from data.problems import InvalidRequestError, NotFoundError
from nautilus_tui.client import Address, ApiClient
from nautilus_tui.client.paths import level
from tests.cli.driving import CommandLine
from tests.client.conftest import Far

Ask = Callable[[ApiClient], Awaitable[object]]

EMPTY: dict[str, Ask] = {
    "client_order_id": lambda api: api.order(""),
    "instrument": lambda api: api.quote(""),
    "limit_id": lambda api: api.limit(" "),
    "report_type": lambda api: api.report(""),
    "portfolio": lambda api: api.performance(""),
    "execution": lambda api: api.execution(""),
    "strategy": lambda api: api.strategy_analytics(""),
    "symbol": lambda api: api.daily(""),
    "id": lambda api: api.series(""),
    "who": lambda api: api.company(""),
}


@pytest.mark.parametrize("field", EMPTY)
async def test_an_empty_id_says_so(far: Far, field: str) -> None:
    async with ApiClient(Address.local(far.cli.home)) as api:
        with pytest.raises(InvalidRequestError) as caught:
            await EMPTY[field](api)
    assert caught.value.detail in (f"{field} is ''", f"{field} is ' '")
    assert caught.value.rule == f"{field} is not empty"
    assert caught.value.extra["field"] == field


async def test_no_id_leads_to_another_place(far: Far) -> None:
    async with ApiClient(Address.local(far.cli.home)) as api:
        for id_ in ("..", ".", "a?b", "a#b", "%2e%2e", "ü"):
            with pytest.raises(NotFoundError) as caught:
                await api.order(id_)
            assert caught.value.detail == f"no order {id_}"
    assert level("id", "../tokens") == "..%2Ftokens"


async def test_the_command_line_calls_it_usage(far: Far) -> None:
    line: CommandLine = far.cli
    empty = (
        ("order", "cancel", ""),
        ("order", "modify", "", "--qty", "3"),
        ("quote", ""),
        ("engine", "start", ""),
        ("engine", "logs", ""),
    )
    for arguments in empty:
        run = await asyncio.to_thread(line, *arguments)
        assert (run.code, run.out) == (2, "")
        assert "is ''" in run.err
        assert "is not empty" in run.err
