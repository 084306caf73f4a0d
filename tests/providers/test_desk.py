"""The real provider and its twin are asked by the same client code; only what is behind the wire differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from providers.desk import Desk
from providers.settings import ProviderSettings
from tests.providers.replay import JSON, Replay

QUESTIONS = {
    "fred": lambda desk: desk.fred.series("GDP"),
    "alpha_vantage": lambda desk: desk.alpha_vantage.quote("IBM"),
    "edgar": lambda desk: desk.edgar.resolve("AAPL"),
}
ANSWERS = {
    "/fred/series": b'{"seriess":[{"id":"GDP","title":"Gross","frequency_short":"Q","units":"B",'
    b'"realtime_start":"2024-01-31","realtime_end":"2024-01-31"}]}',
    "/fred/series/observations": b'{"realtime_start":"2024-01-31","realtime_end":"2024-01-31","count":1,'
    b'"offset":0,"limit":100000,"observations":[{"realtime_start":"2024-01-31",'
    b'"realtime_end":"2024-01-31","date":"2023-10-01","value":"1.5"}]}',
    "/query": b'{"Global Quote":{"01. symbol":"IBM","05. price":"187.5",'
    b'"07. latest trading day":"2024-01-30"}}',
    "/files/company_tickers.json": b'{"0":{"cik_str":320193,"ticker":"AAPL","title":"Apple Inc."}}',
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_the_twin_and_the_provider_run_the_same_client_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("FRED_API_KEY", "ALPHA_VANTAGE_API_KEY", "SEC_USER_AGENT"):
        monkeypatch.setenv(variable, "somebody@example.com")
    with Replay({path: (200, JSON, body) for path, body in ANSWERS.items()}) as server:
        there = ProviderSettings(
            fred_url=server.url,
            alpha_vantage_url=server.url,
            edgar_data_url=server.url,
            edgar_www_url=server.url,
            edgar_efts_url=server.url,
        )
        nowhere = ProviderSettings(profile="demo", fred_url="http://127.0.0.1:1")
        async with Desk(tmp_path / "real", there) as real, Desk(tmp_path / "demo", nowhere) as demo:
            one, other = getattr(real, name), getattr(demo, name)
            assert type(one) is type(other)
            assert type(one.http) is type(other.http)
            told: list[Any] = [await QUESTIONS[name](desk) for desk in (real, demo)]
            asked = len(server.requests)
            assert one.http.health().requests == asked > 0
            assert other.http.health().requests > 0
    assert type(told[0]) is type(told[1])
    assert [(fact.synthetic, fact.source) for fact in told] == [(False, name), (True, f"{name}-sandbox")]
