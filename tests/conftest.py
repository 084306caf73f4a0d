"""What holds for every test: nothing fails because the machine was busy, and no key is anybody's."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")

# No test asks with, or for, the credentials of whoever runs it, or publishes where they do.
for _variable in ("FRED_API_KEY", "ALPHA_VANTAGE_API_KEY", "SEC_USER_AGENT", "NAUTILUS_TUI_REDIS_URL"):
    os.environ.pop(_variable, None)
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
