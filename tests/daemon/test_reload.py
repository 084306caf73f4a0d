"""Settings read anew: all or nothing, and what needs a restart is told as such."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.paths import Home
from data.problems import InvalidRequestError, UnavailableError
from nautilus_tui.daemon.app import Daemon
from nautilus_tui.daemon.reload import Reload
from nautilus_tui.daemon.settings import DaemonSettings
from nautilus_tui.daemon.streams.limits import StreamLimits
from tests.client.certificate import make_certificate, needs_openssl

replace = msgspec.structs.replace
NUMBERS = st.integers(min_value=1024, max_value=10_000)
SETTINGS = st.builds(
    lambda a, b, c, d: DaemonSettings(
        max_request_bytes=a,
        requests_per_second=b,
        streams=StreamLimits(max_subscriptions=c, lossless_bound=d),
    ),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
)


@given(st.lists(SETTINGS, min_size=1, max_size=5))
def test_what_is_in_force_is_what_was_taken_and_the_rest_is_told(written: list[DaemonSettings]) -> None:
    files = iter(written)
    taken: list[DaemonSettings] = []
    reload = Reload(DaemonSettings(), lambda: next(files))
    reload.on("requests_per_second", "streams.max_subscriptions", change=taken.append)

    async def all_of_them() -> None:
        for wanted in written:
            done = await reload.carry_out()
            now = reload.settings
            assert now.requests_per_second == wanted.requests_per_second
            assert now.streams.max_subscriptions == wanted.streams.max_subscriptions
            assert now.max_request_bytes == DaemonSettings().max_request_bytes
            differ = wanted.max_request_bytes != now.max_request_bytes
            assert ("daemon.max_request_bytes" in done.restart) == differ
            assert ("streams.lossless_bound" in done.restart) == (
                wanted.streams.lossless_bound != now.streams.lossless_bound
            )
            assert not done.changed or taken[-1] == now

    asyncio.run(all_of_them())


async def test_what_does_not_serve_changes_nothing() -> None:
    taken: list[DaemonSettings] = []

    def refuse(_: DaemonSettings) -> None:
        raise InvalidRequestError("no certificate")

    reload = Reload(DaemonSettings(), lambda: DaemonSettings(requests_per_second=7))
    reload.on("requests_per_second", change=taken.append)
    reload.each_time(check=refuse, renew=taken.append)
    with pytest.raises(InvalidRequestError):
        await reload.carry_out()
    assert taken == []
    assert reload.settings == DaemonSettings()
    with pytest.raises(UnavailableError):
        await Reload(DaemonSettings()).carry_out()


@needs_openssl
async def test_a_renewed_certificate_is_shown_to_whoever_connects_next(tmp_path: Path) -> None:
    settings = DaemonSettings(tls_certificate=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem")
    await asyncio.to_thread(make_certificate, tmp_path, subject="before")
    daemon = Daemon(Home(tmp_path / "home"), settings, reread=lambda: settings)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(daemon.serve(("127.0.0.1", 0), ready.set_result))
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    port = int((await ready).rsplit(":", 1)[1])
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE

    async def shown() -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anyone)
        seen: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return seen

    assert b"before" in await shown()
    await asyncio.to_thread(make_certificate, tmp_path, subject="after")
    await daemon.reload()
    assert b"after" in await shown()
    (tmp_path / "cert.pem").write_text("torn")
    with pytest.raises(InvalidRequestError):
        await daemon.reload()
    assert b"after" in await shown()
    daemon.stop()
    await serving


def test_what_needs_a_new_start_is_called_as_the_settings_file_calls_it() -> None:
    written = DaemonSettings(redis_url="redis://127.0.0.1:6379", redis_prefix="other")
    done = asyncio.run(Reload(DaemonSettings(), lambda: written).carry_out())
    assert done.restart == ("streams.redis_url", "streams.redis_prefix")
