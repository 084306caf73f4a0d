"""What is wrong on the command line itself: said with the rule, under the exit code 2; and times in JSON."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from data.forms import parse_iso
from tests.cli.driving import CommandLine, running_daemon


def test_a_settings_file_that_is_not_there_is_not_valid(cli: CommandLine, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.toml")
    run = cli("config", "validate", missing)
    assert (run.code, run.out) == (1, "")
    assert f"there is no file {missing}" in run.err
    assert cli("config", "validate").code == 0, "your own need not be there"


@pytest.mark.parametrize("prefix", ["a b", "", "x" * 65])
def test_a_gateways_prefix_follows_the_rule_of_the_setting(cli: CommandLine, prefix: str) -> None:
    where = ("--listen", "192.0.2.1:1", "--redis", "redis://127.0.0.1:1")  # not loopback: never served
    run = cli("gateway", *where, "--prefix", prefix)
    cli.home.ensure().config_file.write_text(f'[streams]\nredis_prefix = "{prefix}"\n')
    written = cli("config", "validate")
    assert run.code == written.code == 2
    assert f"--prefix is {prefix!r}" in run.err
    rules = [line for said in (run, written) for line in said.err.splitlines() if "rule:" in line]
    assert len(rules) == 2
    assert rules[0] == rules[1]


def test_what_a_daemon_finds_wrong_is_usage_too_and_json_tells_times_as_rest_does(cli: CommandLine) -> None:
    wrong = (("broadcast", ""), ("token", "create", ""), ("authority", "take", "--reason", ""))
    with running_daemon(cli.home.ensure()) as daemon:
        for arguments in wrong:
            run = daemon(*arguments)
            assert (run.code, run.out) == (2, "")
            assert "  rule: " in run.err
        made = daemon("token", "create", "ci", "--role", "admin", "--expires-days", "30").out.strip()
        [told] = daemon("--json", "token", "list").json
        header = {"Authorization": f"Bearer {made}"}
        with httpx.Client(base_url=str(daemon.url), headers=header, trust_env=False) as http:
            [of_rest] = http.get("/api/v1/tokens").json()["items"]
        assert told == of_rest
        assert parse_iso(told["ts_expires"]) > parse_iso(told["ts_created"])
        whole = cli.home.root / "whole.jsonl"
        assert daemon("audit", "export", str(whole)).code == 0
    assert cli("token", "create", "").code == 2
    [alone] = cli("--json", "token", "list").json
    assert alone == told
    *_, entry, _ = lines = whole.read_bytes().splitlines()
    whole.write_bytes(b"\n".join([*lines[:-2], entry[: len(entry) // 2]]) + b"\n")
    cut = cli("audit", "verify", str(whole))
    assert cut.code == 1
    assert "head not known: the last entry cannot be read" in cut.out
    told = cli("--json", "audit", "verify", str(whole)).json
    assert (told["head"], told["last_hash"]) == (None, None)
    assert "?" not in cut.out
