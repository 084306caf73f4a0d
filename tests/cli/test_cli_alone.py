"""The command line without a daemon, and the life of a daemon: start, adopt, stop."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from data.paths import Home
from nautilus_tui.cli import background
from nautilus_tui.cli.main import with_options_first
from tests.cli.driving import CommandLine, running_daemon

HEADLESS = (
    "nautilus_tui.cli.main",
    "nautilus_tui.daemon.app",
    "engines.supervisor",
    "nautilus_tui.client.stream",
)


@pytest.mark.parametrize("module", HEADLESS)
def test_the_core_loads_neither_the_terminal_nor_the_trading_library(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {name.partition('.')[0] for name in sys.modules} & {'textual', 'nautilus_trader'}\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_data_modules_load_no_framework() -> None:
    root = Path(__file__).parents[2]
    modules = [
        f"data.{path.stem}" for path in sorted((root / "data").glob("*.py")) if path.stem != "__init__"
    ]
    code = (
        f"import sys, {', '.join(modules)}\n"
        "own = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not own & {'textual', 'nautilus_trader', 'litestar', 'nautilus_tui', 'engines', 'risk'}, own"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_asking_loads_no_server_and_no_store(cli: CommandLine) -> None:
    code = (
        "import sys\nfrom nautilus_tui.cli import main\n"
        f"sys.argv = ['nautilus-tui', '--home', {str(cli.home.root)!r}, 'quote']\n"
        "try:\n    main.main()\nexcept SystemExit as end:\n    assert end.code == 5, end.code\n"
        "heavy = {name.partition('.')[0] for name in sys.modules}\n"
        "heavy &= {'textual', 'nautilus_trader', 'litestar', 'uvicorn', 'duckdb', 'polars', 'pyarrow'}\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("stop",),
        ("stop", "--all"),
        ("quote", "AAPL.SIM"),
        ("order", "buy", "AAPL.SIM", "1"),
        ("engine", "start"),
        ("sql", "SELECT 1"),
        ("--url", "http://127.0.0.1:9", "status"),
    ],
)
def test_without_a_daemon_it_exits_5_and_says_what_to_do(
    cli: CommandLine, arguments: tuple[str, ...]
) -> None:
    run = cli(*arguments)
    assert run.code == 5
    assert "fix:" in run.err
    told = cli("--json", *arguments)
    assert told.code == 5
    assert told.json["problem"]["type"] == "not-reachable"


def test_help_and_version_say_what_there_is(cli: CommandLine) -> None:
    told = cli("--help")
    assert told.code == 0
    for word in ("engine", "order", "positions", "import", "doctor", "Exit codes"):
        assert word in told.out
    assert cli("order", "buy", "--help").code == 0
    assert cli("--version").out.startswith("nautilus-tui ")
    assert not cli.home.root.exists(), "asking for help makes nothing"


@pytest.mark.parametrize("arguments", [(), ("attach",)])
def test_it_does_not_open_where_there_is_no_terminal(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    run = cli.process(*arguments)
    assert run.code == 2
    assert "terminal" in run.err
    assert not cli.home.root.exists()


def test_json_is_taken_before_and_after_the_command() -> None:
    assert with_options_first(["order", "list", "--json"]) == ["--json", "order", "list"]
    assert with_options_first(["--json", "status"]) == ["--json", "status"]
    assert with_options_first(["sql", "--", "--json"]) == ["sql", "--", "--json"]


def test_settings_over_the_command_line(cli: CommandLine) -> None:
    shipped = (Path(__file__).parents[2] / "config.toml").read_text()
    assert cli.process("config", "show", "--defaults").out == shipped
    assert cli("config", "path").out.strip() == str(cli.home.config_file)
    assert cli("config", "validate").code == 0
    assert cli("--json", "config", "schema").json["$defs"]
    cli.home.ensure()
    cli.home.config_file.write_text("[engine]\nleverage = 3\n")
    assert "leverage = 3" in cli("config", "show").out
    assert cli("--json", "config", "show").json["engine"]["leverage"] == 3
    cli.home.config_file.write_text("[engine]\nlevrage = 3\n")
    bad = cli("config", "validate")
    assert bad.code == 2
    assert f"{cli.home.config_file}:2: engine.levrage" in bad.err
    assert "did you mean leverage?" in bad.err
    assert cli("--json", "config", "validate").json["faults"][0]["line"] == 2
    assert cli("daemon").code == 2, "a daemon does not start on settings that are wrong"
    assert cli("--json", "doctor").json[4]["result"] == "fail"


def test_a_token_is_made_in_the_store_when_no_daemon_runs(cli: CommandLine) -> None:
    made = cli("token", "create", "early", "--role", "admin")
    assert made.code == 0, made.err
    cli.home.ensure()
    with running_daemon(cli.home) as daemon:
        assert daemon.url is not None
        secret = {"NAUTILUS_TUI_TOKEN": made.out.strip()}
        assert cli("--url", daemon.url, "status", env=secret).code == 0
        assert cli("token", "revoke", "early").code == 0
        assert cli("--url", daemon.url, "status", env=secret).code == 3
        second = cli.process("daemon")
        assert second.code == 3, "one daemon serves a home"
        assert "daemon is running" in second.err


def test_engines_outlive_the_daemon_and_stop_all_finds_them(cli: CommandLine) -> None:
    cli.home.ensure()
    cli.home.config_file.write_text("[simulator]\nhistory_minutes = 10\n")
    background.begin(cli.home)()
    background.begin(cli.home)()  # it runs: nothing to do
    try:
        assert cli("engine", "start").code == 0
        pid = cli("--json", "engine", "list").json[0]["pid"]
        bought = cli("--json", "order", "buy", "AAPL.SIM", "5", "--wait", "--id", "before")
        assert bought.json["status"] == "filled"
        assert cli("stop").code == 0
        alone = cli("--json", "status")
        assert alone.code == 5
        assert alone.json["engines"] == [{"id": "paper-1", "pid": pid, "state": None}]
        assert "trades without a daemon" in cli("doctor").out
        background.begin(cli.home)()
        adopted = cli("--json", "engine", "list").json[0]
        assert (adopted["pid"], adopted["state"]) == (pid, "running")
        assert cli("--json", "positions").json[0]["qty"] == "5"
        assert cli("stop").code == 0
    finally:
        assert cli("stop", "--all").code == 0
    assert cli("--json", "status").json["engines"] == []


def test_two_who_open_at_once_share_one_daemon(cli: CommandLine) -> None:
    waits = [background.begin(cli.home), background.begin(cli.home)]
    try:
        for wait in waits:
            wait()
        assert cli("status").code == 0
    finally:
        cli("stop", "--all")


def test_a_daemon_has_ended_though_whoever_started_it_does_not_ask_after_it(cli: CommandLine) -> None:
    background.begin(cli.home)()  # by this process, which goes on, as a terminal would
    pid = background.pid_of(cli.home)
    assert pid is not None
    stopped = cli.process("--json", "stop")
    assert stopped.code == 0, stopped.out
    assert stopped.json["pid"] == pid
    os.waitpid(pid, 0)


def test_long_homes_have_short_private_sockets(tmp_path: Path) -> None:
    home = Home(tmp_path / ("x" * 120)).ensure()
    assert len(str(home.engine_socket("e" * 32))) < 104
    assert home.sockets.stat().st_mode & 0o077 == 0
    assert Home(home.root).daemon_socket == home.daemon_socket
    home.sockets.rmdir()


def test_doctor_looks_at_what_a_server_needs(cli: CommandLine, tmp_path: Path) -> None:
    cli.home.ensure()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        cli.home.config_file.write_text(
            f'[daemon]\nlisten = "127.0.0.1:{port}"\ntls_key = "{tmp_path}/key.pem"\n'
            "[streams]\nmax_connections = 100\n"
        )
        env = {"NAUTILUS_TUI_REDIS_URL": "redis://:hidden-word@127.0.0.1:1"}
        run = cli("--json", "doctor", env=env)
    found = {one["check"]: one for one in run.json}
    assert f"process {os.getpid()} (" in found["port"]["detail"]
    assert found["certificate"]["fix"] == "set both tls_certificate and tls_key"
    assert found["open files"]["result"] == "ok"
    assert found["redis"]["result"] == "fail"
    assert "hidden-word" not in run.out + run.err
    cli.home.config_file.write_text(f'[daemon]\nlisten = "127.0.0.1:{port}"\n')
    found = {one["check"]: one for one in cli("--json", "doctor").json}
    assert found["port"]["detail"] == f"127.0.0.1:{port} is free, without TLS"
    assert "redis" not in found
