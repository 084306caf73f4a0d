"""EDGAR's questions asked of a loopback server, and small bodies in its shapes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from data.companies import Company, Filing, FilingList
from providers.core.cache import Cache
from providers.core.http import Stamp
from providers.core.ledger import Ledger
from providers.edgar.client import Edgar
from providers.edgar.wire import EdgarWire
from providers.settings import ProviderSettings
from tests.providers.replay import Replay

STAMP = Stamp("edgar", dt.date(2026, 3, 25), 1_774_400_000_000_000_000, False)
XML = "application/xml"
NOT_THERE = (403, XML, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")


@asynccontextmanager
async def wire_to(server: Replay, folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[EdgarWire]:
    """Open EDGAR's questions to a server that stands in for all of its hosts."""
    patch.setenv("SEC_USER_AGENT", "Test House test@example.com")
    patch.setattr("providers.edgar.wire.SPACING_S", 0.0)  # needed by no server on loopback
    settings = ProviderSettings(
        edgar_data_url=server.url, edgar_www_url=server.url, edgar_efts_url=server.url, deadline_s=10.0
    )
    ledger, cache = Ledger(folder / "limits.sqlite"), Cache(folder / "answers.sqlite")
    client = Edgar.open(settings, ledger=ledger, cache=cache)
    try:
        yield client.wire
    finally:
        await client.http.close()
        ledger.close()
        cache.close()


def company(cik: int, name: str = "Sample Inc.") -> Company:
    """Return a company as the list of tickers tells it."""
    return Company(cik=cik, name=name, **STAMP._asdict())


def filing(form: str, accession: str, filed: str, period: str | None, document: str, cik: int = 7) -> Filing:
    """Return a row of a list of filings."""
    return Filing(
        cik=cik,
        company="Sample Inc.",
        accession=accession,
        form=form,
        form_title=form,
        filed=dt.date.fromisoformat(filed),
        period=None if period is None else dt.date.fromisoformat(period),
        document=document,
        **STAMP._asdict(),
    )


def filing_list(*filings: Filing) -> FilingList:
    """Return a list of filings."""
    return FilingList(cik=7, name="Sample Inc.", filings=tuple(filings), complete=True, **STAMP._asdict())


def folder(accession: str, cik: int = 7) -> str:
    """Return the path of a filing's folder."""
    return f"/Archives/edgar/data/{cik}/{accession.replace('-', '')}"


def reported(
    value: str | float, start: str | None, end: str, filed: str, form: str = "10-Q", **more: Any
) -> dict[str, Any]:
    """Return a fact as the file of a company's facts has it."""
    span = {"end": end} if start is None else {"start": start, "end": end}
    accession = f"0000000007-{filed[2:4]}-{filed[5:7]}{filed[8:]}00"
    about = {"accn": accession, "fy": None, "fp": None, "form": form, "filed": filed}
    return {**span, "val": value, **about, **more}


def facts_body(facts: Mapping[str, Iterable[dict[str, Any]]], cik: int = 7, unit: str = "USD") -> bytes:
    """Return the file of a company's facts with these of ``us-gaap``."""
    concepts = {
        tag: {"label": None, "description": None, "units": {unit: list(told)}} for tag, told in facts.items()
    }
    return json.dumps({"cik": cik, "entityName": "Sample Inc.", "facts": {"us-gaap": concepts}}).encode()
