"""Where a token may be sent: over TLS anywhere, in clear text only to this machine itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from data.paths import Home
from data.problems import InvalidRequestError
from nautilus_tui.client import TOKEN_VARIABLE, Address
from tests.cli.driving import CommandLine

ELSEWHERE = (
    "http://192.0.2.2:18797",
    "ws://192.0.2.2:18797",
    "http://trading.example",
    "http://localhost.trading.example",
    "http://127.0.0.1.trading.example:8787",
    "http://0177.0.0.1:8787",
    "http://[2001:db8::1]:8787",
    "http://0.0.0.0:8787",
)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_token_is_sent_to_another_machine_in_clear_text(url: str) -> None:
    for token in ("SECRET", None):  # a gateway puts each client's token in later
        with pytest.raises(InvalidRequestError) as caught:
            Address.remote(url, token)
        error = caught.value
        host = url.partition("//")[2]
        assert host in error.detail
        assert "clear text" in error.detail
        assert error.rule == "without TLS (http://, ws://) a daemon is at 127.0.0.0/8, ::1 or localhost only"
        assert f"https://{host} or wss://{host}" in (error.fix or "")
        assert "SECRET" not in str(error.document())
    with pytest.raises(InvalidRequestError):
        Address.several(f"https://one.example,{url}", "SECRET")


def test_an_address_cannot_be_changed_into_one_in_clear_text() -> None:
    with pytest.raises(InvalidRequestError):
        Address(host="192.0.2.2", port=18797, token="SECRET")
    with pytest.raises(InvalidRequestError):
        replace(Address.remote("https://192.0.2.2", "SECRET"), secure=False)


def test_this_machine_may_be_spoken_to_in_clear_text() -> None:
    for url in ("http://127.0.0.1:1", "ws://127.8.0.1:1", "http://[::1]:1", "http://LOCALHOST:1"):
        assert Address.remote(url, "t").headers == {"Authorization": "Bearer t"}
    assert Address.local(Home(Path("/home"))).http_url == "http://localhost"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", ELSEWHERE[0], "status"),
        ("--url", ELSEWHERE[1], "order", "cancel", "O-1"),
        ("--url", f"https://a.example,{ELSEWHERE[0]}", "engine", "logs", "--follow"),
        ("gateway", "--listen", "127.0.0.1:0", "--redis", "redis://127.0.0.1:1", "--daemon", ELSEWHERE[0]),
    ],
)
def test_the_command_line_refuses_it_before_anything_is_sent(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    run = CommandLine(Home(tmp_path))(*arguments, env={TOKEN_VARIABLE: "SECRET"})
    assert run.code == 2
    assert "192.0.2.2:18797 is another machine and would be spoken to in clear text" in run.err
    assert "https://192.0.2.2:18797" in run.err
    assert "SECRET" not in run.out + run.err


@pytest.mark.parametrize("token", ["…", "SECRET\n", "SEC RET", "SECRÉT"])
def test_a_token_that_no_header_carries_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Address.remote("https://trading.example:8443", token)
    assert token.strip() not in str(caught.value.document())
    assert TOKEN_VARIABLE in (caught.value.fix or "")


@pytest.mark.parametrize("id_", ["", " ", "a\nb", "é"])
def test_an_order_id_that_cannot_be_sent_is_not_sent(tmp_path: Path, id_: str) -> None:
    """Nobody listens there: it would be "not reachable" if it were tried, or unknown."""
    cli = CommandLine(Home(tmp_path).ensure(), "http://127.0.0.1:1")
    run = cli(
        "--url", "http://127.0.0.1:1", "order", "buy", "AAPL.SIM", "1", "--engine", "paper-1", "--id", id_
    )
    assert run.code == 2, run.err
    assert re.search("the id|order_id", run.err)
