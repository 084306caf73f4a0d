"""A preview over HTTP: what an order would do to every limit, from the engine's own gate."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from data.commands import PreviewOrder, StartEngine, StopEngine
from data.paths import Home
from data.problems import NotFoundError, UnavailableError
from tests.integration.stack import client, open_stack


async def test_a_preview_tells_every_limit_and_needs_a_running_engine(tmp_path: Path) -> None:
    async with open_stack(Home(tmp_path / "home")) as stack, client(stack) as api:
        asked = PreviewOrder(
            engine="paper-1", instrument="AAPL.SIM", side="buy", qty=Decimal(100), price=Decimal("500.00")
        )
        with pytest.raises(NotFoundError):
            await api.preview(asked)
        await api.execute(StartEngine(engine="paper-1"))
        effects = {effect.rule: effect for effect in await api.preview(asked)}
        assert effects["order_notional"].after == 50_000
        assert effects["order_notional"].unit == "USD"
        assert effects["position_size"].passes
        assert (await api.orders("paper-1")).items == []
        await api.execute(StopEngine(engine="paper-1"))
        with pytest.raises(UnavailableError):
            await api.preview(asked)
