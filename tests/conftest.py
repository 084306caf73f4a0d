"""What holds for every test: nothing fails because the machine was busy, and no key is anybody's."""

from __future__ import annotations

import os
import sys

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")

# No test asks with, or for, the credentials of whoever runs it, or publishes where they do.
for _variable in ("FRED_API_KEY", "ALPHA_VANTAGE_API_KEY", "SEC_USER_AGENT", "NAUTILUS_TUI_REDIS_URL"):
    os.environ.pop(_variable, None)
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"

# Tests start hundreds of processes, several at a time. Each would compile all that it imports where bytecode
# must not be written, and begin as many threads for linear algebra as there are processors.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
