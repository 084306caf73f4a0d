"""Everything that can be asked of a daemon × everyone who may ask: let through exactly as declared.

The declarations are the commands' own roles, the routes' and the topics'. A table written by hand
stands beside them, so that a wrong declaration does not pass for right.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler
from msgspec import inspect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect, unix_connect

import nautilus_tui.daemon.api as api
from data import topics
from data.access import ROLES, Role
from data.command import Command
from data.commands import AnyCommand, StopDaemon
from data.paths import Home
from data.risk_commands import Kill
from data.state import State
from nautilus_tui.daemon import rules
from nautilus_tui.daemon.auth import Authenticator
from nautilus_tui.daemon.streams.hub import CLOSE_UNAUTHENTICATED
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

#: In order, but those last that would leave nothing to ask.
COMMANDS: tuple[type[Command], ...] = tuple(
    sorted(typing.get_args(AnyCommand), key=lambda one: (one is StopDaemon, one is Kill))
)
#: Credentials that let nobody do anything, by what is wrong with them.
WORTHLESS = (
    "missing",
    "bad",
    "scheme",
    *(f"{how}-{role}" for how in ("expired", "revoked") for role in ROLES),
)
#: What holds whatever is declared: who is the least to do it.
SENTINELS: Mapping[str, Role] = {
    "order.submit": "trader",
    "order.cancel_all": "trader",
    "order.preview": "viewer",
    "kill": "trader",
    "unlock": "risk",
    "limit.set": "risk",
    "limit.delete": "risk",
    "engine.restrict": "risk",
    "token.create": "admin",
    "token.revoke": "admin",
    "daemon.stop": "admin",
    "stream.drop": "admin",
    "history.compact": "admin",
    "GET /api/v1/positions": "viewer",
    "GET /api/v1/tokens": "admin",
    "GET /api/v1/audit": "risk",
    "POST /api/v1/tokens": "admin",
    "POST /api/v1/orders": "trader",
    "POST /api/v1/risk/limits": "risk",
    "POST /api/v1/risk/unlock": "risk",
    "POST /api/v1/system/stop": "admin",
    "audit": "risk",
    "orders.*": "viewer",
}
#: An id that no command can have: it is refused right after the role was found to be enough.
NO_ID = {"Idempotency-Key": "!"}


class House(typing.NamedTuple):
    """A daemon and everyone who may ask it something: header by who."""

    daemon: DaemonProcess
    headers: dict[str, dict[str, str]]

    def talk(self, who: str) -> ClientConnection:
        return connect(
            f"ws://127.0.0.1:{self.daemon.port}/ws",
            additional_headers=self.headers[who],
            proxy=None,
            max_size=None,
        )


async def prepare(home: Home) -> dict[str, dict[str, str]]:
    """Fill a home with tokens of every role and kind of worth, and return the headers."""
    secrets: dict[str, str] = {}
    state = State(home.ensure().state_db)
    state.open()
    try:
        now, past = Authenticator(state), Authenticator(state, clock=lambda: 1_000_000_000)
        for role in ROLES:
            secrets[role], _ = await now.create(role, role, 10)
            secrets[f"expired-{role}"], _ = await past.create(f"expired-{role}", role, 1)
            secrets[f"revoked-{role}"], _ = await now.create(f"revoked-{role}", role, None)
            await now.revoke(f"revoked-{role}")
    finally:
        state.close()
    headers = {who: {"Authorization": f"Bearer {secret}"} for who, secret in secrets.items()}
    headers["bad"] = {"Authorization": f"Bearer {secrets['admin'][:-1]}{'AB'[secrets['admin'][-1] == 'A']}"}
    headers["scheme"] = {"Authorization": f"Basic {secrets['admin']}"}
    headers["missing"] = {}
    return headers


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("matrix") / "home"
    headers = asyncio.run(prepare(Home(root)))
    daemon = DaemonProcess(root, Told(requests_per_second=100_000, login_attempts_per_minute=100_000))
    try:
        yield House(daemon, headers)
    finally:
        daemon.stop_all()


def may(role: str, least: Role) -> bool:
    return ROLES.index(typing.cast(Role, role)) >= ROLES.index(least)


# ---------------------------------------------------------------- commands


def body_of(command: type[Command]) -> dict[str, Any]:
    """Return a body that is read as this command and, whatever it is, does nothing: names nobody has."""
    info = inspect.type_info(command)
    assert isinstance(info, inspect.StructType)
    body = {"command": info.tag} | {
        field.encode_name: value_of(field.type) for field in info.fields if field.required
    }
    if "engine" in command.__struct_fields__:
        body["engine"] = "nobody"
    assert type(rules.decode(json.dumps(body).encode())) is command
    return body


def value_of(kind: inspect.Type) -> Any:
    match kind:
        case inspect.Metadata():
            return value_of(kind.type)
        case inspect.LiteralType():
            return kind.values[-1]
        case inspect.StrType():
            return "~"  # neither a name nor a path nor a ticker
        case inspect.DecimalType():
            return "1"
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.BoolType():
            return False
        case inspect.CollectionType() | inspect.VarTupleType():
            return []
        case inspect.UnionType():
            return None if kind.includes_none else value_of(kind.types[0])
    raise AssertionError(f"no value for {kind}")


def lacks_the_role(problem: Mapping[str, Any] | None, command: type[Command]) -> bool:
    """Tell whether a problem says that the role is not enough, and nothing else."""
    rule = f"{command.__struct_config__.tag} needs the role {command.role}"
    return problem is not None and problem["type"] == "forbidden" and problem["rule"] == rule


def test_every_command_over_http_by_everyone(house: House) -> None:
    tcp, wrong = house.daemon.tcp, []
    for command in COMMANDS:
        for role in ROLES:
            sent = {**house.headers[role], **NO_ID}
            answer = tcp.post("/api/v1/commands", json=body_of(command), headers=sent)
            if may(role, command.role):  # then the next thing that is looked at is the id
                fits = answer.status_code == 400 and answer.json()["extra"]["field"] == "Idempotency-Key"
            else:
                fits = answer.status_code == 403 and lacks_the_role(answer.json(), command)
            if not fits:
                wrong.append((command.__name__, role, answer.text))
        for who in WORTHLESS:
            answer = tcp.post("/api/v1/commands", json=body_of(command), headers=house.headers[who])
            if answer.status_code != 401 or answer.json()["type"] != "unauthorized":
                wrong.append((command.__name__, who, answer.text))
    assert not wrong
    assert len(COMMANDS) >= 36


def test_every_command_over_a_stream_by_everyone(house: House) -> None:
    wrong = []
    for role in ROLES:
        with house.talk(role) as talk:
            for number, command in enumerate(COMMANDS):
                if command is StopDaemon and may(role, command.role):
                    continue  # it would: the test over HTTP has it
                outcome = ask(talk, number, body_of(command))
                if lacks_the_role(outcome["problem"], command) == may(role, command.role):
                    wrong.append((command.__name__, role, outcome))
    assert not wrong


def ask(talk: ClientConnection, number: int, body: object) -> dict[str, Any]:
    """Send a command over a stream and return its outcome."""
    talk.send(json.dumps({"type": "command", "id": number, "command": body}))
    while True:
        for message in messages(talk.recv(timeout=30)):
            if message["type"] == "command_response" and message["id"] == number:
                outcome: dict[str, Any] = message["data"]
                return outcome


def messages(frame: str | bytes) -> list[dict[str, Any]]:
    read = json.loads(frame)
    return read if isinstance(read, list) else [read]


def test_no_stream_without_a_token_that_counts(house: House) -> None:
    for who in WORTHLESS:
        if who == "missing":
            continue
        with pytest.raises(InvalidStatus) as refused:
            house.talk(who)
        assert refused.value.response.status_code == 401, who
        turned_away(
            house, {"type": "authenticate", "token": house.headers[who]["Authorization"].split()[1][1:]}
        )
        if who != "scheme":  # there the token itself is right
            turned_away(
                house, {"type": "authenticate", "token": house.headers[who]["Authorization"].split()[1]}
            )


def test_no_command_of_any_kind_before_the_token(house: House) -> None:
    for command in COMMANDS:
        turned_away(house, {"type": "command", "id": 1, "command": body_of(command)})


def turned_away(house: House, first: object) -> None:
    """Check that a stream that begins with this message ends with it."""
    with house.talk("missing") as talk:
        talk.send(json.dumps(first))
        said = messages(talk.recv(timeout=30))
        assert [(one["type"], one["data"]["type"]) for one in said] == [("error", "unauthorized")]
        with pytest.raises(ConnectionClosed) as closed:
            talk.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CLOSE_UNAUTHENTICATED


# ---------------------------------------------------------------- routes


def routes() -> list[tuple[str, str, Role]]:
    """Return every route that some module of the API has: method, path, declared role."""
    found = []
    for module in pkgutil.iter_modules(api.__path__):
        for handler in getattr(importlib.import_module(f"{api.__name__}.{module.name}"), "HANDLERS", ()):
            assert isinstance(handler, HTTPRouteHandler)
            for method in handler.http_methods - {"HEAD", "OPTIONS"}:
                found += [(method, plain(path), handler.opt["role"]) for path in handler.paths]
    return sorted(found)


def plain(path: str) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", r"{\1}", path)


def test_every_route_by_everyone(house: House) -> None:
    tcp, wrong = house.daemon.tcp, []
    document = house.daemon.get("/api/v1/openapi.json")
    told = {(method.upper(), path) for path, ways in document["paths"].items() for method in ways}
    assert told == {(method, path) for method, path, _ in routes()}
    for method, path, least in routes():
        url = re.sub(r"\{\w+\}", "~", path)
        # A body that nobody can read, and an id that no command can have: nothing is done, and whoever
        # may not even ask is told that first.
        content = None if method == "GET" else b"["
        for role in ROLES:
            sent = {**house.headers[role], **NO_ID}
            answer = tcp.request(method, url, content=content, headers=sent)
            told_role = answer.status_code == 403 and answer.json().get("rule", "").removesuffix(" and above")
            refused = told_role and told_role.endswith(
                (f" is for the role {least}", f" needs the role {least}")
            )
            passed = answer.status_code < 500 or answer.status_code in (502, 503)
            if bool(refused) == may(role, least) or answer.status_code == 401 or not passed:
                wrong.append((method, path, role, answer.text[:300]))
            if method != "GET" and not refused and answer.status_code == 200:
                wrong.append((method, path, role, "done, though its body cannot be read"))
        for who in WORTHLESS:
            answer = tcp.request(method, url, content=content, headers=house.headers[who])
            if answer.status_code != 401 or answer.json()["type"] != "unauthorized":
                wrong.append((method, path, who, answer.text[:300]))
    assert not wrong


# ---------------------------------------------------------------- topics


def test_every_topic_by_everyone(house: House) -> None:
    wrong = []
    for role in ROLES:
        with house.talk(role) as talk:
            for number, family in enumerate(topics.FAMILIES):
                said = subscribed(talk, number, family.pattern)
                fits = (
                    ("subscription_confirmed", None)
                    if may(role, family.role)
                    else ("subscription_error", f"{family.pattern} is for the role {family.role} and above")
                )
                if said != fits:
                    wrong.append((family.pattern, role, said))
    assert not wrong


def subscribed(talk: ClientConnection, number: int, pattern: str) -> tuple[str, str | None]:
    talk.send(json.dumps({"type": "subscribe", "id": number, "topics": [pattern]}))
    while True:
        for message in messages(talk.recv(timeout=30)):
            if message["type"].startswith("subscription") and message["id"] == number:
                return message["type"], message["data"].get("rule")


# ---------------------------------------------------------------- by hand


def test_what_is_declared_is_what_was_meant() -> None:
    declared: dict[str, Role] = {str(one.__struct_config__.tag): one.role for one in COMMANDS}
    declared |= {f"{method} {path}": role for method, path, role in routes()}
    declared |= {family.pattern: family.role for family in topics.FAMILIES}
    assert {name: declared[name] for name in SENTINELS} == dict(SENTINELS)


def test_a_route_that_sends_a_command_asks_for_its_role_before_its_body() -> None:
    """Whoever may not send a command is told so, not that its body is wrong."""
    changing = {
        path: role
        for method, path, role in routes()
        if method != "GET" and not path.endswith(("/preview", "/check", "/aggregate", "/sql", "/commands"))
    }
    assert changing
    assert all(may(role, "trader") for role in changing.values()), changing


def test_sentinels_are_refused_and_let_through_in_earnest(house: House) -> None:
    """With bodies that are right: what is allowed is done."""
    tcp, headers = house.daemon.tcp, house.headers
    token = {"command": "token.create", "name": "made", "token_role": "viewer"}
    assert tcp.post("/api/v1/commands", json=token, headers=headers["risk"]).status_code == 403
    made = tcp.post("/api/v1/commands", json=token, headers=headers["admin"])
    assert made.status_code == 200
    fresh = {"Authorization": f"Bearer {made.json()['data']['token']}"}
    assert tcp.get("/api/v1/positions", headers=fresh).status_code == 200
    assert tcp.get("/api/v1/tokens", headers=fresh).status_code == 403
    said = {"command": "stream.broadcast", "message": "hello"}
    assert tcp.post("/api/v1/commands", json=said, headers=fresh).status_code == 403
    assert tcp.post("/api/v1/commands", json=said, headers=headers["trader"]).status_code == 200
    revoked = tcp.delete("/api/v1/tokens/made", headers=headers["admin"])
    assert revoked.status_code == 200
    assert tcp.get("/api/v1/positions", headers=fresh).status_code == 401


def test_the_owner_on_the_socket_may_everything_and_a_token_there_counts_for_what_it_is(house: House) -> None:
    assert house.daemon.http.get("/api/v1/tokens").status_code == 200
    path = str(house.daemon.home.daemon_socket)
    for headers, said in ({}, "subscription_confirmed"), (house.headers["viewer"], "subscription_error"):
        with unix_connect(path, "ws://daemon/ws", additional_headers=headers) as talk:
            assert subscribed(talk, 1, topics.AUDIT)[0] == said
