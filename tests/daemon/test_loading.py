"""What a daemon loads before it is ready: what it needs to answer, and nothing that it may need later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Libraries of the history, of the providers, of figures and of screens, and one the framework would load.
LATER = (
    "apscheduler",
    "holidays",
    "inscriptis",
    "jinja2",
    "keyring",
    "lxml",
    "nautilus_trader",
    "numpy",
    "polars",
    "pyarrow",
    "pydantic",
    "redis",
    "scipy",
    "stamina",
    "textual",
    "typst",
    "xlsxwriter",
)


def test_a_daemon_is_ready_before_it_loads_what_it_may_need_later(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from nautilus_tui.cli.commands import command\n"
        "from data.paths import Home\n"
        "from nautilus_tui.daemon.app import Daemon\n"
        "def ready(line):\n"
        "    loaded.update(name.partition('.')[0] for name in sys.modules)\n"
        "    daemon.stop()\n"
        "command('daemon')\n"
        "loaded, daemon = set(), Daemon(Home(Path(sys.argv[1])))\n"
        "asyncio.run(daemon.serve(None, ready))\n"
        "assert {'duckdb', 'litestar'} <= loaded\n"
        f"assert not loaded & {set(LATER)!r}, loaded & {set(LATER)!r}"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60)


def test_limits_are_followed_without_numbers_until_one_can_be_computed() -> None:
    code = (
        "import sys\n"
        "from data.use_store import UseSample\n"
        "from risk.forecast.following import About, Following\n"
        "sample = UseSample(limit_id='L', minute=1, value=0.5, limit=1.0, worst=0.5)\n"
        "turn = Following().minute([sample], {'L': About(step=1.0)})\n"
        "assert turn.told['L'].chances is None\n"
        "loaded = {'numpy', 'scipy'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
