"""``token create|list|revoke``, with a daemon and without one: the same either way, and audited."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from data.records import AuditEntry
from data.state import State
from tests.cli.driving import CommandLine, running_daemon


def listed(cli: CommandLine) -> dict[str, dict[str, Any]]:
    run = cli("--json", "token", "list")
    assert run.code == 0, run.err
    return {one["name"]: one for one in run.json}


async def audit(cli: CommandLine) -> list[AuditEntry]:
    """Return what was audited, oldest first."""
    state = State(cli.home.state_db)
    state.open()
    try:
        assert (await state.verify_audit()).broken_at is None
        return list(reversed((await state.audit(command=None, limit=100, cursor=None)).items))
    finally:
        state.close()


def test_tokens_without_a_daemon_and_with_one(cli: CommandLine) -> None:
    assert listed(cli) == {}
    made = cli("token", "create", "ci", "--role", "trader", "--expires-days", "30")
    assert made.code == 0, made.err
    assert made.out.startswith("ntui_")
    assert made.out.count("\n") == 1, "it stands alone on stdout"
    assert cli("token", "create", "old").code == 0
    assert cli("token", "revoke", "old").code == 0
    before = listed(cli)
    assert {name: (one["role"], one["status"]) for name, one in before.items()} == {
        "ci": ("trader", "valid"),
        "old": ("viewer", "revoked"),
    }
    shown = cli("token", "list").out
    assert "ci" in shown
    assert "revoked" in shown
    assert made.out.strip() not in shown + str(before)
    with running_daemon(cli.home) as daemon:
        assert listed(cli) == before, "a daemon lists the same in the same form"
        header = {"Authorization": f"Bearer {made.out.strip()}"}
        with httpx.Client(base_url=str(daemon.url), headers=header, trust_env=False) as http:
            assert http.get("/api/v1/positions").status_code == 200
            assert http.get("/api/v1/tokens").status_code == 403
            assert cli("token", "revoke", "ci").code == 0
            assert http.get("/api/v1/positions").status_code == 401
    assert listed(cli)["ci"]["status"] == "revoked"


def test_a_role_changes_with_a_new_token_only(cli: CommandLine) -> None:
    first = cli("token", "create", "ci", "--role", "viewer").out
    again = cli("token", "create", "ci", "--role", "admin")
    assert again.code != 0
    assert "exists" in again.err
    assert listed(cli)["ci"]["role"] == "viewer"
    assert cli("token", "revoke", "ci").code == 0
    reused = cli("token", "create", "ci", "--role", "admin")
    assert reused.code != 0, "in the audit log one name would be two"
    assert "choose another name" in reused.err
    second = cli("token", "create", "ci-2", "--role", "admin").out
    assert second != first
    assert {name: (one["role"], one["status"]) for name, one in listed(cli).items()} == {
        "ci": ("viewer", "revoked"),
        "ci-2": ("admin", "valid"),
    }


def test_what_is_done_without_a_daemon_is_audited(cli: CommandLine) -> None:
    secret = cli("token", "create", "ci", "--role", "risk").out.strip()
    assert cli("token", "create", "a b").code != 0
    assert cli("token", "revoke", "nobody").code != 0
    assert cli("token", "revoke", "ci").code == 0
    found = asyncio.run(audit(cli))
    assert [(one.command, one.outcome, one.actor, one.via, one.role) for one in found] == [
        ("token.create", "done", "local", "store", "admin"),
        ("token.create", "refused", "local", "store", "admin"),
        ("token.revoke", "refused", "local", "store", "admin"),
        ("token.revoke", "done", "local", "store", "admin"),
    ]
    assert '"name":"ci"' in found[0].body
    assert secret not in str(found)


def test_lives_that_are_no_lives_are_refused_alike(cli: CommandLine) -> None:
    for days in ("0", "-1", "3651", "soon"):
        assert cli("token", "create", "ci", "--expires-days", days).code == 2
    assert listed(cli) == {}


def test_another_machine_is_not_answered_from_this_one(cli: CommandLine) -> None:
    assert cli("token", "create", "here").code == 0
    away = cli("--url", "http://127.0.0.1:9", "token", "list")
    assert away.code != 0
    assert "here" not in away.out
