"""A daemon without credentials says so and asks nobody; one with them never shows or writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.settings import ProviderSettings
from tests.daemon.facts import QUESTIONS, Question
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told
from tests.providers.replay import Replay, Request, Response

VARIABLES = {"fred": "FRED_API_KEY", "alpha-vantage": "ALPHA_VANTAGE_API_KEY", "edgar": "SEC_USER_AGENT"}
#: Secrets that must not be found anywhere; each in a form that its provider takes.
CANARIES = {
    "FRED_API_KEY": "canary0fred0123456789abcdef01234",
    "ALPHA_VANTAGE_API_KEY": "CANARYAV98765432",
    "SEC_USER_AGENT": "Canary Watcher canary.watcher@example.com",
}
ASKING = [question for question in QUESTIONS if question.asks]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    process = DaemonProcess(tmp_path_factory.mktemp("bare") / "home")
    try:
        yield process
    finally:
        process.stop_all()


@pytest.mark.parametrize("question", ASKING, ids=lambda question: question.path)
def test_a_provider_without_a_credential_says_which_to_set(bare: DaemonProcess, question: Question) -> None:
    response = bare.http.get(question.path, params=question.params)
    assert response.status_code == 503, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "provider-not-configured"
    assert problem["extra"]["error"] == "NotConfigured"
    named = next(variable for part, variable in VARIABLES.items() if f"/{part}/" in question.path)
    assert problem["extra"]["variable"] == named
    assert named in problem["detail"]
    assert "--profile demo" in problem["fix"]


def test_health_says_that_nothing_is_configured_and_that_is_no_failure(bare: DaemonProcess) -> None:
    health = bare.get("/api/v1/nautilus-data/health")
    assert {one["state"] for one in health["providers"]} == {"not_configured"}
    assert {one["requests"] for one in health["providers"]} == {0}
    assert not any(one["configured"] or one["synthetic"] for one in health["providers"])
    assert health["problems"] == []
    for part, variable in VARIABLES.items():
        one = bare.get(f"/api/v1/{part}/health")
        assert one["state"] == "not_configured"
        assert variable in one["reason"]
    assert bare.get("/health")["alive"]


def test_what_is_due_says_what_could_not_be_found_out(bare: DaemonProcess) -> None:
    due = bare.get("/api/v1/nautilus-data/due")
    assert due["items"] == []
    assert any("NotConfigured" in problem and "FRED_API_KEY" in problem for problem in due["problems"])


def test_what_needs_nobody_is_answered_without_a_credential(bare: DaemonProcess) -> None:
    assert bare.get("/api/v1/fred/series")["items"]
    assert bare.get("/api/v1/edgar/filing-types")["items"]
    assert bare.get("/api/v1/alpha-vantage/supported-functions")["items"]
    assert bare.get("/api/v1/edgar/statistics")["filings"] == 0
    assert bare.get("/api/v1/edgar/watch")["items"] == []


@pytest.mark.parametrize("provider", ["fred", "alpha_vantage", "edgar"])
def test_refreshing_without_a_credential_fails_and_says_why(bare: DaemonProcess, provider: str) -> None:
    response = bare.post("/api/v1/nautilus-data/refresh", {"provider": provider})
    assert response.status_code == 503, response.text
    problem = response.json()
    assert problem["type"] == "provider-not-configured"
    assert problem["outcome"]["outcome"] == "failed"
    entry = bare.get("/api/v1/audit", command="provider.refresh", limit=1)["items"][0]
    assert entry["outcome"] == "failed"
    assert "provider-not-configured" in entry["detail"]


def test_watching_without_an_identification_fails_and_says_why(bare: DaemonProcess) -> None:
    response = bare.post("/api/v1/edgar/watch", {"ticker": "AAPL"})
    assert response.json()["extra"]["variable"] == "SEC_USER_AGENT"
    assert bare.get("/api/v1/edgar/watch")["items"] == []


# ---------------------------------------------------------------- secrets


def echo(request: Request) -> Response:
    """Answer as badly as providers do: with the credential in the body, and an error."""
    said = f"your key {request.query} {request.headers.get('user-agent')} is not welcome at {request.target}"
    if request.path == "/query":
        body = (
            f'{{"Information": "We have detected your API key as {request.query["apikey"]} and our standard'
        )
        body += ' API rate limit is 25 requests per day. Please subscribe."}'
        return Response(200, "application/json", body.encode())
    return Response(
        400, "application/json", f'{{"error_code":400,"error_message":"Bad Request. {said}"}}'.encode()
    )


def test_no_credential_is_ever_shown_or_written(tmp_path: Path) -> None:
    root = tmp_path / "home"
    with Replay({"*": echo}) as server:
        settings = ProviderSettings(
            fred_url=server.url,
            alpha_vantage_url=server.url,
            edgar_data_url=server.url,
            edgar_www_url=server.url,
            edgar_efts_url=server.url,
        )
        daemon = DaemonProcess(root, Told(providers=settings, watch=("AAPL",)), CANARIES)
        answers: list[str] = []
        try:
            for path in (
                "/api/v1/fred/series/DGS10",
                f"/api/v1/fred/series/{CANARIES['FRED_API_KEY']}",
                "/api/v1/alpha-vantage/quote/AAPL",
                f"/api/v1/alpha-vantage/quote/{CANARIES['ALPHA_VANTAGE_API_KEY']}",
                "/api/v1/edgar/ticker/AAPL/resolve",
                "/api/v1/edgar/ticker/AAPL/filings",
                "/api/v1/nautilus-data/due",
                "/api/v1/nautilus-data/health",
            ):
                answers.append(daemon.http.get(path).text)
            for secret in CANARIES.values():
                answers.append(daemon.post("/api/v1/edgar/watch", {"ticker": secret[:16]}).text)
                answers.append(daemon.post("/api/v1/nautilus-data/refresh", {"provider": secret}).text)
                body = {"message": f"the key is {secret}"}
                daemon.post("/api/v1/websocket/broadcast", body)  # said by a person, to people
            answers.append(daemon.http.get("/api/v1/audit", params={"limit": 100}).text)
            assert server.requests
            asked = str([(r.target, r.headers) for r in server.requests])
            assert all(secret in asked or secret.replace(" ", "+") in asked for secret in CANARIES.values())
        finally:
            daemon.stop_all()
        rest = daemon.said + daemon.errors()
    for secret in CANARIES.values():
        for answer in answers:
            assert secret not in answer
        assert secret not in rest
        for file in root.rglob("*"):
            if file.is_file():
                assert secret.encode() not in file.read_bytes(), file
