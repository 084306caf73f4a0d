"""The bench of the way through Redis measures what it says, and says when it cannot."""

from __future__ import annotations

import pytest

from nautilus_tui.bench import relay
from tests.relay.redis import needs_redis


@needs_redis
def test_what_is_published_is_counted_to_the_last_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("EVENTS", 5000), ("PEER_EVENTS", 200), ("WARM", 1000), ("RATE_S", 0.1)):
        monkeypatch.setattr(relay, name, value)
    quotes, orders, p50, p99 = relay.rows()
    for row in (quotes, orders):
        assert row.detail.endswith("lost 0, twice 0 of 5000")
        assert row.unit == "events/s"
        assert row.value > 0
        assert row.ratio is not None
    assert p99.value >= p50.value > 0
    assert p99.detail.endswith("lost 0, twice 0 of 500")


def test_without_redis_nothing_is_measured_and_why_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert relay.rows() == []
    assert "there is no redis-server on this machine" in capsys.readouterr().err
