"""What runs the product on servers: every flag, file, variable and setting in it is one that exists."""

from __future__ import annotations

import re
import shlex
import shutil
import stat
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml

from data.problems import InvalidRequestError
from nautilus_tui.cli.credentials import take_credentials
from nautilus_tui.cli.main import app
from nautilus_tui.config.load import load
from tests.cli.driving import CommandLine

REPO = Path(__file__).parents[2]
DEPLOY = REPO / "nautilus_tui" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def require_exists(words: list[str]) -> None:
    """Fail unless a command line of ours names commands and options that there are."""
    command: Any = typer.main.get_command(app)
    context = click.Context(command)
    rest = list(words)
    while True:
        known = {name: one for one in command.get_params(context) for name in one.opts}
        while rest and rest[0].startswith("-"):
            option = rest.pop(0)
            assert option in known, f"{option} is no option of {command.name} in {shlex.join(words)}"
            if not known[option].is_flag:
                rest.pop(0)
        if not hasattr(command, "commands"):
            break
        if not rest:
            return
        name = rest.pop(0)
        assert name in command.commands, f"{name} is no command in {shlex.join(words)}"
        command = command.commands[name]
    places = [one for one in command.get_params(context) if one.param_type_name == "argument"]
    given = 0
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            assert word in known, f"{word} is no option of {command.name} in {shlex.join(words)}"
            if not known[word].is_flag:
                rest.pop(0)
        else:
            given += 1
    assert given <= len(places), f"{given} arguments in {shlex.join(words)}"


def read_unit(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


@pytest.mark.parametrize(
    "words", ["daemon --listne x:1", "demon", "engine begin", "status now", "--hoem x daemon"]
)
def test_a_command_line_that_is_wrong_is_found(words: str) -> None:
    with pytest.raises(AssertionError):
        require_exists(words.split())


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_start_what_there_is_and_watch_it(path: Path) -> None:
    unit = read_unit(path)
    (start,) = unit["ExecStart"]
    program, *words = shlex.split(start)
    assert program == "/opt/nautilus-tui/bin/nautilus-tui"
    require_exists(words)
    assert (unit["Type"], unit["NotifyAccess"]) == (["notify"], ["main"])
    assert int(unit["WatchdogSec"][0]) >= 10
    assert unit["Restart"] == ["on-failure"]
    assert int(unit["TimeoutStopSec"][0]) > 5
    assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert {"NoNewPrivileges", "ProtectSystem", "ProtectHome", "LoadCredential"} <= set(unit)


def test_the_daemons_unit_leaves_engines_alone() -> None:
    unit = read_unit(DEPLOY / "nautilus-tui.service")
    assert unit["KillMode"] == ["process"]
    assert not {"DynamicUser", "RuntimeDirectory", "ExecStop"} & set(unit)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="units are verified by systemd-analyze")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_what_systemd_understands(path: Path, tmp_path: Path) -> None:
    program = shutil.which("true")
    assert program is not None
    copy = tmp_path / path.name.replace("@", "@8788")
    copy.write_text(path.read_text().replace("/opt/nautilus-tui/bin/nautilus-tui", program))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_containers_start_what_there_is(compose: dict[str, Any]) -> None:
    for name in ("daemon", "gateway"):
        service = compose["services"][name]
        require_exists(service["command"])
        assert service["command"][0] == name
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert service["read_only"] is True
        assert int(service["stop_grace_period"].rstrip("s")) > 5
    for service in compose["services"].values():
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert set(service["networks"]) <= set(compose["networks"])
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"\d", tag), f"{service['image']} has no fixed version"
    assert "ports" not in compose["services"]["redis"]
    probe = compose["services"]["daemon"]["healthcheck"]["test"]
    require_exists(probe[2:])
    compile(compose["services"]["gateway"]["healthcheck"]["test"][3], "healthcheck", "exec")
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    ignored = (REPO / ".gitignore").read_text().splitlines()
    assert "nautilus_tui/deploy/secrets/" in ignored


def test_what_the_container_is_told_are_settings() -> None:
    config = load(DEPLOY / "container.toml")
    assert config.daemon.tls_key == "/run/secrets/key.pem"


def test_the_image_has_all_of_the_product_and_runs_as_nobody_special() -> None:
    lines = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text()).splitlines()
    said: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        word, _, rest = line.partition(" ")
        said[word].append(rest)
    copied = {name for line in said["COPY"] if "--from" not in line for name in line.split()[:-1]}
    assert {path.parent.name for path in REPO.glob("*/__init__.py") if path.parent.name != "tests"} <= copied
    assert all((REPO / name).exists() for name in copied)
    assert not any(line.split()[0].endswith(":latest") or ":" not in line for line in said["FROM"])
    assert said["USER"] == ["10001:10001"]
    entry = yaml.safe_load(said["ENTRYPOINT"][0])
    assert entry[-1] == "nautilus-tui"
    require_exists(yaml.safe_load(said["CMD"][0]))
    require_exists(yaml.safe_load(said["HEALTHCHECK"][0].partition("CMD ")[2])[1:])


def test_the_readmes_commands_exist() -> None:
    text = (DEPLOY / "README.md").read_text()
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    called = re.findall(r"(?:bin/|daemon |^)nautilus-tui ((?:--|[a-z])[^\n#`]*)", blocks, re.MULTILINE)
    assert len(called) >= 5
    for words in called:
        require_exists(shlex.split(words))
    for name in re.findall(r"nautilus_tui/deploy/([\w@.-]+)", text):
        assert (DEPLOY / name).exists() or name == "secrets"


# ---------------------------------------------------------------- credentials as files


def test_credentials_that_are_files_stand_for_variables(tmp_path: Path) -> None:
    given = {"FRED_API_KEY": " key\n", "nautilus-tui_NAUTILUS_TUI_REDIS_URL": "redis://:p@h", "PATH": "/evil"}
    given |= {"SEC_USER_AGENT": "\n", "certificate.pem": "PEM", "NAUTILUS_TUI_TOKEN": "other"}
    for name, text in given.items():
        (tmp_path / name).write_text(text)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "PATH": "/bin", "NAUTILUS_TUI_TOKEN": "own"}
    assert take_credentials(environment) == ("FRED_API_KEY", "NAUTILUS_TUI_REDIS_URL")
    assert environment == {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "PATH": "/bin",
        "NAUTILUS_TUI_TOKEN": "own",
        "FRED_API_KEY": "key",
        "NAUTILUS_TUI_REDIS_URL": "redis://:p@h",
    }
    assert take_credentials({}) == ()
    assert take_credentials({"CREDENTIALS_DIRECTORY": str(tmp_path / "none")}) == ()


def test_a_credential_that_cannot_be_read_is_named_and_not_shown(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "FRED_API_KEY").write_bytes(b"hidden\xff")
    with pytest.raises(InvalidRequestError, match="FRED_API_KEY cannot be read"):
        take_credentials({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    run = cli("config", "path", env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert run.code == 2
    assert "hidden" not in run.out + run.err


def test_the_stated_mode_of_a_unit_is_private() -> None:
    unit = read_unit(DEPLOY / "nautilus-tui.service")
    assert int(unit["StateDirectoryMode"][0], 8) & (stat.S_IRWXG | stat.S_IRWXO) == 0
