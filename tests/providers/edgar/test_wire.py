"""What EDGAR's refusals mean, and that bodies are read or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
)
from providers.core.exchange import Body
from providers.edgar import wire
from providers.settings import ProviderSettings
from tests.providers.edgar.conftest import AGENT, Open
from tests.providers.replay import Replay, Response, recorded

HTML, XML, JSON = "text/html", "application/xml", "application/json"
TICKERS = "/files/company_tickers.json"
FILE = "/submissions/CIK0000000001.json"
THRESHOLD = "edgar/errors/403_rate_threshold_page_TRUNCATED.html"


def test_pace_stays_below_eight_a_second_for_all_who_share_a_home() -> None:
    real, twin = wire.spec(ProviderSettings()), wire.spec(ProviderSettings(profile="demo"))
    assert 1.0 / real.spacing_s < 8
    assert twin.spacing_s == 0.0
    assert real.name == twin.name == "edgar"


async def test_requests_say_who_asks(edgar_at: Open) -> None:
    with Replay({TICKERS: b"{}"}) as server:
        await edgar_at(server).companies("apple")
        assert server.requests[0].headers["user-agent"] == AGENT
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


async def test_without_an_identification_nothing_is_asked(
    edgar_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEC_USER_AGENT", "")
    with Replay({TICKERS: b"{}"}) as server:
        with pytest.raises(NotConfiguredError) as caught:
            await edgar_at(server).companies("apple")
        assert server.requests == []
    assert "Company Name contact@example.com" in (caught.value.fix or "")


async def test_error_404_xml_no_such_key_means_not_found(edgar_at: Open) -> None:
    body = recorded("edgar/errors/404__submissions_CIK-000000001.json.xml")
    with Replay({TICKERS: b"{}", FILE: (404, XML, body)}) as server:
        with pytest.raises(ProviderNotFoundError):
            await edgar_at(server).company("1")
        assert len(server.asked(FILE)) == 1


async def test_error_403_xml_access_denied_means_not_there_and_blocks_nothing(edgar_at: Open) -> None:
    body = recorded("edgar/errors/403__full-index_2099_QTR1_form.gz.xml")
    with Replay({TICKERS: b"{}", "*": (403, XML, body)}) as server:
        edgar = edgar_at(server)
        for _ in range(2):
            with pytest.raises(ProviderNotFoundError):
                await edgar.wire.archive(1, "0000000001-26-000001", "a.htm")
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", [403, 200])
async def test_error_threshold_page_means_blocked_with_403_and_with_200(edgar_at: Open, status: int) -> None:
    with Replay({TICKERS: (status, HTML, recorded(THRESHOLD))}) as server:
        edgar = edgar_at(server)
        with pytest.raises(ProviderRateLimitedError) as caught:
            await edgar.companies("apple")
        assert caught.value.retry_after == wire.BLOCK_S == 600
        assert caught.value.extra["until"]
        assert "SEC_USER_AGENT" in (caught.value.fix or "")
        with pytest.raises(ProviderRateLimitedError):  # asking again would prolong the block
            await edgar.companies("apple")
        assert len(server.requests) == 1


async def test_error_threshold_page_is_not_kept_as_a_document(edgar_at: Open) -> None:
    with Replay({"*": (200, HTML, recorded(THRESHOLD))}) as server:
        edgar = edgar_at(server)
        with pytest.raises(ProviderRateLimitedError):
            await edgar.wire.archive(1, "0000000001-26-000001", "a.htm")
        with pytest.raises(ProviderRateLimitedError):
            await edgar.wire.archive(1, "0000000001-26-000001", "a.htm")


def test_error_undeclared_agent_has_the_same_title_and_says_so() -> None:
    page = recorded(THRESHOLD) + b"<h1>Your Request Originates from an Undeclared Automated Tool</h1>"
    with pytest.raises(ProviderRateLimitedError) as caught:
        wire.judge(Body(page, HTML, 403, "https://www.sec.gov/x"))
    assert "does not accept who asks" in caught.value.detail


@pytest.mark.parametrize("status", [403, 200])
def test_error_undeclared_agent_with_a_title_of_its_own_is_blocked_too(status: int) -> None:
    title = b"SEC.gov | Your Request Originates from an Undeclared Automated Tool"
    page = b"<!DOCTYPE html><html><head><title>" + title + b"</title></head></html>"
    with pytest.raises(ProviderRateLimitedError, match="does not accept who asks"):
        wire.judge(Body(page, HTML, status, "https://www.sec.gov/x"))


async def test_error_429_means_blocked(edgar_at: Open) -> None:
    with Replay({TICKERS: (429, "text/plain", b"slow down")}) as server:
        with pytest.raises(ProviderRateLimitedError):
            await edgar_at(server).companies("apple")
        assert len(server.requests) == 1


async def test_error_503_html_means_down_and_is_tried_again(edgar_at: Open) -> None:
    page = recorded("edgar/errors/503__browse-edgar_getcurrent_type-ALL_start-5100.atom.html")
    with Replay({TICKERS: [(503, HTML, page), b"{}"]}) as server:
        assert await edgar_at(server).companies("apple") == []
        assert len(server.requests) == 2


async def test_error_503_html_every_time_is_provider_down(edgar_at: Open) -> None:
    page = recorded("edgar/errors/503__browse-edgar_getcurrent_type-ALL_start-5100.atom.html")
    routes = {TICKERS: (503, HTML, page)}
    with Replay(routes) as server, pytest.raises(ProviderDownError, match="File Unavailable"):
        await edgar_at(server).companies("apple")


async def test_error_html_where_json_was_asked_for_is_bad_payload_and_is_not_kept(edgar_at: Open) -> None:
    page = b"<!DOCTYPE html><html><head><title>Welcome</title></head></html>"
    with Replay(
        {TICKERS: [(200, HTML, page), b'{"0":{"cik_str":1,"ticker":"A","title":"Alpha"}}']}
    ) as server:
        edgar = edgar_at(server)
        with pytest.raises(BadPayloadError):
            await edgar.companies("alpha")
        assert [one.cik for one in await edgar.companies("alpha")] == [1]


async def test_error_400_is_a_bad_request(edgar_at: Open) -> None:
    with Replay({TICKERS: (400, "text/plain", b"no")}) as server, pytest.raises(ProviderBadRequestError):
        await edgar_at(server).companies("apple")


async def test_a_redirection_is_not_followed_and_is_bad_payload(edgar_at: Open) -> None:
    moved = Response(301, HTML, b"", {"Location": "http://127.0.0.1:9/elsewhere"})
    with Replay({TICKERS: moved}) as server, pytest.raises(BadPayloadError):
        await edgar_at(server).companies("apple")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b'{"0": 1}',
        b'{"0":{"cik_str":"x","ticker":"A","title":"B"}}',
        b'{"0":{"cik_str":1,"title":"B"}}',
        b'{"0":{"cik_str":1,"ticker":null,"title":"B"}}',
        b'{"0":{"cik_str":1,"ticker":"A","title":"\xff"}}',
        b"[" * 100_000,
        b'{"0":{"cik_str":1,"ticker":"A"',
    ],
)
async def test_a_malformed_list_of_tickers_is_bad_payload(edgar_at: Open, body: bytes) -> None:
    with Replay({TICKERS: (200, JSON, body)}) as server, pytest.raises(BadPayloadError):
        await edgar_at(server).companies("apple")


# ---------------------------------------------------------------- XML


def test_trap_9_a_blank_line_before_the_declaration_is_passed_over() -> None:
    root = wire.parse_xml(b'\n\n<?xml version="1.0"?>\n<a><b>1</b></a>\n', "a document")
    assert root.findtext("b") == "1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"no xml",
        b"<a>\x00</a>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x0 "lol"><!ENTITY x1 "&x0;&x0;&x0;&x0;">]><a>&x1;</a>',
        b"<a>" * 5000 + b"</a>" * 5000,
    ],
)
def test_xml_that_is_broken_too_deep_or_declares_entities_is_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayloadError):
        wire.parse_xml(body, "a document")


@given(st.binary(max_size=200))
def test_any_bytes_are_xml_or_bad_payload(body: bytes) -> None:
    try:
        root = wire.parse_xml(body, "a document")
    except BadPayloadError:
        return
    assert root.tag


@given(
    st.binary(max_size=300),
    st.sampled_from([200, 301, 403, 404, 429, 500, 503]),
    st.sampled_from([HTML, XML, ""]),
)
def test_any_answer_is_taken_or_refused_with_a_typed_error(body: bytes, status: int, kind: str) -> None:
    try:
        wire.judge(Body(body, kind, status, "https://www.sec.gov/x?start=1"))
    except (
        BadPayloadError,
        ProviderBadRequestError,
        ProviderDownError,
        ProviderNotFoundError,
        ProviderRateLimitedError,
    ):
        return
    assert status == 200


# ---------------------------------------------------------------- addresses


def test_a_cik_has_ten_digits_on_the_data_host_and_no_zeros_in_the_archives(edgar_at: Open) -> None:
    with Replay() as server:
        edgar = edgar_at(server)
        assert edgar.wire.data_url("submissions", 320193).endswith("/submissions/CIK0000320193.json")
        url = edgar.wire.document_url(320193, "0000320193-22-000061", "xslF345X05/a b.xml")
        assert url.endswith("/Archives/edgar/data/320193/000032019322000061/xslF345X05/a%20b.xml")


@pytest.mark.parametrize("name", ["", "../secret", "a/../b", "/etc/passwd", "a//b", "a\\b", "a\nb", "."])
def test_a_document_lies_in_its_folder(edgar_at: Open, name: str) -> None:
    with Replay() as server, pytest.raises(ProviderBadRequestError):
        edgar_at(server).wire.document_url(1, "0000000001-26-000001", name)


@given(st.integers(0, 10**10 - 1), st.integers(0, 99), st.integers(0, 10**6 - 1))
def test_an_accession_number_is_told_with_dashes_however_it_is_given(a: int, b: int, c: int) -> None:
    told = f"{a:010d}-{b:02d}-{c:06d}"
    assert wire.accession_of(told) == wire.accession_of(f" {told.replace('-', '')} ") == told


@pytest.mark.parametrize("text", ["", "1", "0000320193-22-61", "0000320193/22/000061", "x" * 18])
def test_what_is_no_accession_number_is_a_bad_request(text: str) -> None:
    with pytest.raises(ProviderBadRequestError):
        wire.accession_of(text)


async def test_a_submission_of_the_first_years_lies_beside_the_folders(edgar_at: Open) -> None:
    body = recorded("edgar/archives/0000320193-22-000061.txt")
    denied = recorded("edgar/errors/403__full-index_2099_QTR1_form.gz.xml")
    path = "/Archives/edgar/data/1462356/0000320193-22-000061.txt"
    with Replay({path: (200, "text/plain", body), "*": (403, XML, denied)}) as server:
        answer = await edgar_at(server).wire.submission_text(1462356, "000032019322000061")
        assert answer.value.startswith("<SEC-DOCUMENT>0000320193-22-000061.txt")
        assert [request.path for request in server.requests] == [
            "/Archives/edgar/data/1462356/000032019322000061/0000320193-22-000061.txt",
            path,
        ]


async def test_the_files_of_a_folder_are_told_as_listed(edgar_at: Open) -> None:
    body = (
        b'{"directory":{"item":[{"last-modified":"2026-01-12 11:27:39","name":"primary_doc.xml","type":'
        b'"text.gif","size":"2052"},{"name":"x.txt","size":""}],"name":"/Archives/edgar/data/1/2"}}'
    )
    with Replay({"*": body}) as server:
        answer = await edgar_at(server).wire.index(1, "0000000001-26-000001")
        assert [(item.name, item.size) for item in answer.value] == [
            ("primary_doc.xml", "2052"),
            ("x.txt", ""),
        ]
