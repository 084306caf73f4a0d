"""What holds for every test: nothing fails because the machine was busy, and no key is anybody's."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")

# No test asks with, or for, the credentials of whoever runs it, or publishes where they do.
for _variable in ("FRED_API_KEY", "ALPHA_VANTAGE_API_KEY", "SEC_USER_AGENT", "NAUTILUS_TUI_REDIS_URL"):
    os.environ.pop(_variable, None)
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"

#: Files that take longest, mostly waiting: they are begun first, so that none is waited for at the end.
_LONG = (
    "providers/core/test_limits.py",
    "daemon/test_fuzzed_api.py",
    "gateway/test_crowd.py",
    "terminal/test_risk_story.py",
    "terminal/test_story.py",
    "client/test_attach.py",
    "integration/test_kills.py",
    "integration/test_service.py",
    "daemon/test_recovery.py",
    "cli/test_opening.py",
    "daemon/test_token_secrets.py",
    "daemon/test_filing_restart.py",
    "daemon/test_audit_life.py",
    "daemon/test_forecast.py",
    "daemon/test_monitor.py",
    "relay/test_daemon_relay.py",
    "streams/test_guests.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    place = {name: number for number, name in enumerate(_LONG)}

    def turn(item: pytest.Item) -> int:
        return place.get(
            "/".join(item.path.parts[-2:]), place.get("/".join(item.path.parts[-3:]), len(place))
        )

    items.sort(key=turn)
