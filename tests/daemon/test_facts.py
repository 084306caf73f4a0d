"""Every question about facts, to a real daemon whose providers are their twins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from data import forms
from data.companies import FilingDocument, HoldingsReport
from data.paging import Page
from providers.settings import ProviderSettings
from tests.daemon.facts import CIK, ELSEWHERE, QUESTIONS, TICKER, Question, facts_in
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

DEMO = Told(providers=ProviderSettings(profile="demo"))
MSGPACK = {"Accept": "application/vnd.msgpack"}
RESEARCH = ("/api/v1/fred/", "/api/v1/alpha-vantage/", "/api/v1/edgar/", "/api/v1/nautilus-data/")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    process = DaemonProcess(tmp_path_factory.mktemp("facts") / "home", DEMO)
    try:
        yield process
    finally:
        process.stop_all()


def ask[T](daemon: DaemonProcess, path: str, kind: type[T], **params: str) -> T:
    """Ask in both forms; return the answer in the vocabulary."""
    plain = daemon.http.get(path, params=params)
    assert plain.status_code == 200, f"{path}: {plain.text}"
    forms.from_json(plain.content, kind)
    packed = daemon.http.get(path, params=params, headers=MSGPACK)
    assert packed.status_code == 200, f"{path}: {packed.text}"
    return msgspec.msgpack.decode(packed.content, type=kind)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.path)
def test_every_question_about_facts_is_answered_with_facts(daemon: DaemonProcess, question: Question) -> None:
    found: Any = ask(daemon, question.path, question.kind, **question.params)
    if isinstance(found, Page):
        assert found.items
    facts = list(facts_in(found))
    assert facts or not question.asks
    for fact in facts:
        assert fact.synthetic
        assert fact.source.endswith("-sandbox")
        assert fact.fetched_at > 0
        assert fact.as_of.year > 1990
        assert fact.stale is None


def test_every_path_about_facts_is_walked(daemon: DaemonProcess) -> None:
    paths = daemon.get("/api/v1/openapi.json")["paths"]
    asked = {question.path for question in QUESTIONS}
    for path, operations in paths.items():
        if not path.startswith(RESEARCH) or "get" not in operations or path in ELSEWHERE:
            continue
        pattern = re.sub(r"\{\w+\}", "[^/]+", path)
        assert any(re.fullmatch(pattern, one) for one in asked), path


def test_a_filing_is_read_by_ticker_and_by_cik(daemon: DaemonProcess) -> None:
    filing = daemon.get(f"/api/v1/edgar/ticker/{TICKER}/filings", forms="10-K", limit=1)["filings"][0]
    for who in (f"ticker/{TICKER}", f"companies/{CIK}"):
        path = f"/api/v1/edgar/{who}/filings/{filing['accession']}/document"
        document = ask(daemon, path, FilingDocument)
        assert len(document.text) > 100
        assert document.form == "10-K"
        assert document.synthetic


@pytest.mark.parametrize("who", ["ticker/BRK.B", "companies/1067983"])
def test_a_managers_holdings_are_told(daemon: DaemonProcess, who: str) -> None:
    report = ask(daemon, f"/api/v1/edgar/{who}/holdings", HoldingsReport)
    assert report.holdings
    assert report.synthetic


def test_health_and_what_is_stored_asks_no_provider(daemon: DaemonProcess) -> None:
    def requests() -> int:
        return sum(one["requests"] for one in daemon.get("/api/v1/nautilus-data/health")["providers"])

    before = requests()
    for question in QUESTIONS:
        if not question.asks and question.path != "/api/v1/nautilus-data/due":
            daemon.get(question.path, **question.params)
    assert requests() == before


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/fred/macro-factors?as_of=yesterday", "as_of"),
        ("/api/v1/fred/macro-factors?as_of=2999-01-01", "as_of"),
        ("/api/v1/fred/regime?as_of=0002-03-01", "as_of"),
        ("/api/v1/fred/series/DGS10?start=2020-01-02&end=2020-01-01", "end"),
        ("/api/v1/fred/economic-calendar?days_ahead=-1", "days_ahead"),
        ("/api/v1/fred/search", "text"),
        ("/api/v1/fred/search?text=%20", "text"),
        ("/api/v1/fred/score?threshold=2", "threshold"),
        ("/api/v1/alpha-vantage/intraday/AAPL?interval=7min", "interval"),
        ("/api/v1/alpha-vantage/intraday/AAPL?month=2020", "month"),
        ("/api/v1/alpha-vantage/listings?status=gone", "status"),
        ("/api/v1/alpha-vantage/listings?cursor=x", "cursor"),
        ("/api/v1/edgar/companies/apple/facts", "cik"),
        ("/api/v1/edgar/companies/0/facts", "cik"),
        ("/api/v1/edgar/companies/12345678901/facts", "cik"),
        ("/api/v1/edgar/ticker/AAPL/facts?view=latest", "view"),
        ("/api/v1/edgar/ticker/AAPL/facts?period=decade", "period"),
        ("/api/v1/edgar/ticker/AAPL/filings?limit=0", "limit"),
        ("/api/v1/edgar/ticker/AAPL/filings?forms=10-K,%3Cscript%3E", "forms"),
        ("/api/v1/edgar/current?form=%3Cx%3E", "forms"),
    ],
)
def test_a_bad_parameter_is_named_before_anybody_is_asked(
    daemon: DaemonProcess, path: str, field: str
) -> None:
    response = daemon.http.get(path)
    assert response.status_code == 400, response.text
    problem = response.json()
    assert problem["type"] == "invalid-request"
    assert problem["extra"]["field"] == field


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/fred/series/NOSUCHSERIES",
        "/api/v1/fred/macro-factors/nosuchfactor/history",
        "/api/v1/edgar/ticker/ZZZZZ/resolve",
        "/api/v1/edgar/companies/999/facts",
    ],
)
def test_what_a_provider_does_not_have_is_a_typed_problem(daemon: DaemonProcess, path: str) -> None:
    response = daemon.http.get(path)
    assert response.status_code == 404, response.text
    problem = response.json()
    assert problem["type"] == "provider-not-found"
    assert problem["extra"]["error"] == "NotFound"
    assert problem["detail"]


def test_a_share_class_is_found_in_any_spelling(daemon: DaemonProcess) -> None:
    found = {
        spelling: daemon.get(f"/api/v1/edgar/ticker/{spelling}/resolve")["cik"]
        for spelling in ("BRK-B", "BRK.B", "brk b", "BRK%20B")
    }
    assert len(set(found.values())) == 1
