"""Credentials come from the environment or the keyring and appear in nothing that is written."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError

from data.problems import NotConfiguredError, ProviderError
from providers.core import secrets
from providers.core.secrets import REDACTED, RedactingFilter, Redactor
from tests.providers.core.asking import CREDENTIAL, client, files, read
from tests.providers.core.raw import http, raw_server

CANARY = "canary-7f3a9c-sample-key"


class Pocket(KeyringBackend):
    """A keyring that holds what it is given."""

    priority = 1.0  # type: ignore[assignment] # a class property in the base, a number in every backend

    def __init__(self, held: dict[tuple[str, str], str] | None) -> None:
        super().__init__()
        self._held = held

    def get_password(self, service: str, username: str) -> str | None:
        if self._held is None:
            raise NoKeyringError("there is none here")
        return self._held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def _keyring_again() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("_keyring_again")
def test_the_environment_comes_before_the_keyring_and_no_keyring_is_no_error() -> None:
    keyring.set_keyring(Pocket({("nautilus-tui", CREDENTIAL.variable): "from-the-keyring"}))
    assert secrets.find(CREDENTIAL, {CREDENTIAL.variable: " from-the-environment "}) == "from-the-environment"
    assert secrets.find(CREDENTIAL, {}) == "from-the-keyring"
    assert secrets.find(CREDENTIAL, {CREDENTIAL.variable: "  "}) == "from-the-keyring"
    keyring.set_keyring(Pocket(None))
    assert secrets.find(CREDENTIAL, {}) is None


@pytest.mark.usefixtures("_keyring_again")
async def test_without_a_key_nothing_is_asked_and_the_error_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.set_keyring(Pocket({}))
    monkeypatch.delenv(CREDENTIAL.variable, raising=False)
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, credential=None)
            with pytest.raises(NotConfiguredError, match="SAMPLE_API_KEY is not set") as caught:
                await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            assert CREDENTIAL.fix in (caught.value.fix or "")
            health = http_.health()
            assert (health.state, health.configured, health.requests) == ("not_configured", False, 0)
            await http_.close()
        assert server.asked == 0


@pytest.mark.parametrize("bad", ["two\nlines", "ключ-ключ", "tab\tbed"])
async def test_a_key_that_cannot_be_sent_is_not_configured(bad: str, tmp_path: Path) -> None:
    with files(tmp_path) as (ledger, cache):
        http_ = client(ledger, cache, credential=bad)
        with pytest.raises(NotConfiguredError) as caught:
            await http_.get("http://127.0.0.1:1/fact", read=read, fresh_s=0)
        assert bad not in str(caught.value)
        await http_.close()


async def test_no_error_log_or_file_has_the_key(tmp_path: Path) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    secrets.keep_out_of_logs()
    told: list[str] = []
    try:
        async with raw_server() as server:
            with files(tmp_path) as (ledger, cache):
                http_ = client(ledger, cache, credential=CANARY, deadline_s=0.5, attempts=2)
                for answer in (
                    http(f'{{"echo": "{CANARY}"}}'.encode()),
                    http(f"your key {CANARY}".encode(), status="500 Failed"),
                    http(b"{}", f"Location: /?api_key={CANARY}", status="302 Found"),
                    http(f'{{"value": 1, "key": "{CANARY}x"}}'.encode(), status="429 Slow"),
                    None,
                ):
                    server.answer = answer
                    with pytest.raises(ProviderError) as caught:
                        await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
                    told.append(repr(caught.value) + str(caught.value.document()))
                    logging.getLogger("x").error("failed with %s", CANARY, exc_info=caught.value)
                await http_.close()
            assert any(CANARY.encode() in request for request in server.requests), (
                "it is sent to the provider"
            )
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert "failed with" in heard.getvalue()
    assert CANARY not in heard.getvalue()
    assert CANARY not in "".join(told)
    assert_nowhere(CANARY, tmp_path)


def assert_nowhere(secret: str, folder: Path) -> None:
    """Look into every file."""
    files_ = [file for file in folder.rglob("*") if file.is_file()]
    assert files_
    for file in files_:
        assert secret.encode() not in file.read_bytes(), file


def test_the_filter_takes_keys_out_of_arguments_and_tracebacks() -> None:
    secrets.redact.learn(CANARY)
    record = logging.LogRecord("n", logging.ERROR, "p", 1, "key %s at %d", (CANARY, 3), None)
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    assert RedactingFilter().filter(record)
    written = logging.Formatter().format(record)
    assert CANARY not in written
    assert f"key {REDACTED} at 3" in written


@given(secret=st.text(min_size=6, max_size=40), before=st.text(), after=st.text())
def test_a_known_secret_is_in_no_text(secret: str, before: str, after: str) -> None:
    redact = Redactor()
    redact.learn(secret)
    assert secret in REDACTED or secret not in redact(before + secret + after).replace(REDACTED, "")


@pytest.mark.parametrize("name", ["api_key", "apikey", "APIKEY", "token"])
def test_a_parameter_that_carries_a_key_is_redacted_whoever_knows_it(name: str) -> None:
    said = Redactor()(f"GET https://host/path?{name}=verysecret&file_type=json failed")
    assert "verysecret" not in said
    assert "file_type=json" in said


def test_that_something_is_tried_again_is_not_talked_of(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from data.problems import ProviderDownError\n"
        "from providers.core.secrets import keep_out_of_logs\n"
        "from tests.providers.core.asking import client, files, read\n"
        "async def ask():\n"
        "    with files(Path(sys.argv[1])) as (ledger, cache):\n"
        "        http = client(ledger, cache, attempts=2)\n"
        "        try:\n"
        "            await http.get('http://127.0.0.1:1/', read=read, fresh_s=1)\n"
        "        except ProviderDownError as error:\n"
        "            print(http.health().requests, error.name)\n"
        "keep_out_of_logs()\n"
        "asyncio.run(ask())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "ProviderDown"]
    assert done.stderr == ""
