"""The providers on loopback, answering with recorded bodies and their status codes."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.providers.replay import Replay, Request, recorded

KEYS = {
    "FRED_API_KEY": "canaryfred0123456789abcdefghijkl",
    "ALPHA_VANTAGE_API_KEY": "CANARYALPHA0123456",
    "SEC_USER_AGENT": "Canary Capital canary@example.com",
}
MANAGER = 1767640
_NOTHING = (404, "application/xml", b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>")
_DENIED = (403, "application/xml", b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>")


def world() -> Replay:
    """Return a server that is FRED, Alpha Vantage and EDGAR at once; skips without the records."""
    return Replay(
        {
            "/fred/series": _series,
            "/fred/series/observations": _observations,
            "/files/company_tickers.json": recorded("edgar/files/company_tickers.json"),
            "/submissions/CIK0000320193.json": recorded("edgar/submissions/CIK0000320193.json"),
            f"/submissions/CIK{MANAGER:010d}.json": _manager(),
            "/api/xbrl/companyfacts/CIK0000320193.json": recorded("edgar/companyfacts/CIK0000320193.json"),
            "/LATEST/search-index": recorded("edgar/efts/search-index_100_hits.json"),
            "/query": _alpha_vantage,
            "*": _archives,
        }
    )


def settings(url: str) -> str:
    """Return a settings file that points at a server."""
    return (
        f'[providers.fred]\nbase_url = "{url}"\n[providers.alpha_vantage]\nbase_url = "{url}"\n'
        f'[providers.edgar]\ndata_url = "{url}"\nwww_url = "{url}"\nefts_url = "{url}"\n'
    )


def _series(request: Request) -> bytes | tuple[int, str, bytes]:
    name = request.query.get("series_id", "")
    if name == "GDP":
        return recorded("fred/fred_series__series-id-GDP__20250120.json")
    if name == "CPILFESL":
        return recorded("fred/fred_series__series-id-CPILFESL__20250120.json")
    return (
        400,
        "application/json",
        b'{"error_code":400,"error_message":"Bad Request.  The series does not exist."}',
    )


def _observations(request: Request) -> bytes | tuple[int, str, bytes]:
    name = request.query.get("series_id", "")
    if name == "GDP" and "realtime_start" in request.query:
        return recorded(
            "fred/fred_series_observations__realtime-end-9999-12-31-realtime-start-1776-07-04"
            "-series-id-GDP__20250120.json"
        )
    if name in ("GDP", "CPILFESL"):
        return recorded(f"fred/fred_series_observations__series-id-{name}__20250120.json")
    return _series(request)


def _alpha_vantage(request: Request) -> bytes | tuple[int, str, bytes]:
    function = request.query.get("function", "")
    found = {
        "OVERVIEW": "fundamental__OVERVIEW.json",
        "EARNINGS": "fundamental__EARNINGS.json",
        "GLOBAL_QUOTE": "time_series__GLOBAL_QUOTE.csv",
    }.get(function)
    if found is None:
        return recorded("alpha_vantage/errors/information_premium_endpoint.json")
    kind = "application/json" if found.endswith("json") else "application/x-download"
    return 200, kind, recorded(f"alpha_vantage/demo_2026/{found}")


def _archives(request: Request) -> bytes | tuple[int, str, bytes]:
    path = request.path
    if path.startswith(("/submissions/", "/api/")):
        return _NOTHING
    if path.startswith("/Archives/edgar/data/320193/") and path.endswith(".xml") and "wk-form4" in path:
        return 200, "text/xml", recorded("edgar/forms/form4_snowflake.xml")
    if path.startswith(f"/Archives/edgar/data/{MANAGER}/"):
        if path.endswith("/index.json"):
            return 200, "application/json", msgspec.json.encode(_INDEX)
        if path.endswith("/primary_doc.xml"):
            return 200, "text/xml", recorded("edgar/forms/13f_primary_abacus.xml")
        if path.endswith("/table17.xml"):
            return 200, "text/xml", recorded("edgar/forms/13f_infotable.xml")
    return _DENIED


_INDEX = {
    "directory": {
        "item": [
            {"name": name, "type": "text.gif", "size": ""} for name in ("primary_doc.xml", "table17.xml")
        ],
        "name": "/Archives/edgar/data/1767640/000176764022000004",
        "parent-dir": "/Archives/edgar/data/1767640",
    }
}


def _manager() -> bytes:
    row: dict[str, Any] = {
        "accessionNumber": ["0001767640-22-000004", "0001767640-23-000001"],
        "filingDate": ["2022-11-10", "2023-02-10"],
        "reportDate": ["2022-09-30", "2022-12-31"],
        "acceptanceDateTime": ["2022-11-10T10:00:00.000Z", "2023-02-10T10:00:00.000Z"],
        "form": ["13F-HR", "13F-HR"],
        "primaryDocument": ["xslForm13F_X01/primary_doc.xml"] * 2,
        "primaryDocDescription": ["", ""],
        "size": [1000, 1000],
    }
    return msgspec.json.encode(
        {
            "cik": str(MANAGER),
            "entityType": "other",
            "name": "SAMPLE MANAGER",
            "tickers": [],
            "exchanges": [],
            "filings": {"recent": row, "files": []},
        }
    )
