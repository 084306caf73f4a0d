"""A gateway of a real daemon: who may read, what it answers, where commands go, what a restart leads to."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from data.problems import UnauthorizedError
from nautilus_tui.client import Batch, ConnectionChanged, StreamClient
from nautilus_tui.client.envelopes import Envelope
from nautilus_tui.relay.address import VARIABLE
from tests.client.certificate import make_certificate
from tests.daemon.process import DaemonProcess
from tests.gateway.process import GatewayProcess, until
from tests.relay.redis import RedisServer, needs_redis, redis_server
from tests.streams.serving import Client

pytestmark = needs_redis
PREFIX = "nautilus"


class World:
    """A daemon that publishes to a Redis of its own, and a gateway that carries commands to it."""

    def __init__(self, folder: Path, redis: RedisServer) -> None:
        self.folder = folder
        self.redis = redis
        self.daemon = self.start()
        self.tokens = {role: self.token(role) for role in ("viewer", "trader", "admin")}
        daemon = f"http://127.0.0.1:{self.daemon.port}"
        self.gateway = GatewayProcess(folder / "gateway", redis.url, "--daemon", daemon, prefix=PREFIX)
        self.gateway.follow(self.tokens["admin"])

    def start(self) -> DaemonProcess:
        return DaemonProcess(self.folder / "home", environment={VARIABLE: self.redis.url})

    def token(self, role: str, name: str | None = None) -> str:
        return self.daemon.token(name or f"the-{role}", role)["Authorization"].removeprefix("Bearer ")

    def client(self, role: str, path: str = "/ws", **options: Any) -> Client:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}
        url = f"ws://127.0.0.1:{self.gateway.port}{path}"
        return Client(lambda **more: connect(url, additional_headers=headers, proxy=None, **more), **options)

    def say(self, message: str) -> None:
        """Publish a lossless event: a message to everyone."""
        assert self.daemon.post("/api/v1/websocket/broadcast", {"message": message}).status_code == 200


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("gateway")
    with redis_server(folder) as redis:
        world = World(folder, redis)
        try:
            yield world
        finally:
            with world.gateway:
                pass
            world.daemon.stop_all()


async def envelopes(stream: StreamClient) -> AsyncIterator[Envelope | ConnectionChanged]:
    async with asyncio.timeout(60):
        async for event in stream:
            if isinstance(event, Batch):
                for one in event.envelopes:
                    yield one
            else:
                yield event


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_what_the_daemon_tells_is_told_by_the_gateway_under_the_same_number(
    world: World, form: str
) -> None:
    async with world.client("viewer", form=form) as client:
        assert client.hello["epoch"] == world.daemon.get("/api/v1/websocket/health")["epoch"]
        assert client.hello["role"] == "viewer"
        await client.subscribe("system.broadcast", "system.health")
        world.say(f"in {form}")
        told = await client.next("broadcast")
        while told["data"]["message"] != f"in {form}":
            told = await client.next("broadcast")
        await client.next("system_health")
    headers = {"Authorization": f"Bearer {world.tokens['viewer']}"}
    url = f"ws://127.0.0.1:{world.daemon.port}/ws"
    async with Client(
        lambda **more: connect(url, additional_headers=headers, proxy=None, **more), form=form
    ) as direct:
        resume = {"system.broadcast": told["seq"] - 1}
        await direct.subscribe("system.broadcast", resume=resume, epoch=direct.hello["epoch"])
        assert await direct.next("broadcast") == told


@pytest.mark.parametrize(
    "path", ["/ws/engine/status", "/ws/market-data/AAPL.SIM", "/ws/trades/updates", "/ws/system/health"]
)
async def test_every_address_of_the_daemon_is_there(world: World, path: str) -> None:
    async with world.client("viewer", path) as client:
        confirmed = await client.next("subscription_confirmed")
        assert confirmed["data"]["subscriptions"] >= 1


async def test_roles_hold_at_the_gateway(world: World) -> None:
    async with world.client("viewer") as client:
        refused = await client.subscribe("audit")
        assert refused["type"] == "subscription_error"
        assert refused["data"]["type"] == "forbidden"
    async with world.client("admin") as client:
        assert (await client.subscribe("audit"))["type"] == "subscription_confirmed"


async def test_who_is_refused_at_the_gateway_is_in_its_log_and_no_token_is(world: World) -> None:
    bad = "ntui_" + "B" * 43
    assert world.gateway.get("/health", bad).status_code == 401
    assert world.gateway.get("/health", None, headers={"Origin": "https://evil.example"}).status_code == 403
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{world.gateway.port}/ws?token={bad}", proxy=None)
    async with world.client("viewer") as client:
        await client.subscribe("audit")
    log = until(world.gateway.errors, lambda text: "may not read audit" in text, "not noted")
    assert "http.refused: unauthorized: the token is not valid" in log
    assert "evil.example" in log
    assert "stream.refused: invalid-request: a token in the address" in log
    assert bad not in log


async def test_a_command_is_carried_under_the_clients_own_token_and_audited_there(world: World) -> None:
    async with world.client("trader") as client:
        await client.say("command", command={"command": "stream.broadcast", "message": "carried"})
        answer = await client.next("command_response")
        assert answer["data"]["outcome"] == "done", answer
        await client.say("command", command={"command": "token.revoke", "name": "the-viewer"})
        answer = await client.next("command_response")
        assert answer["data"]["outcome"] == "refused"
        assert answer["data"]["problem"]["type"] == "forbidden"
    audited = world.daemon.get("/api/v1/audit", command="stream.broadcast")["items"]
    carried = [one for one in audited if "carried" in one["body"]]
    assert {(one["actor"], one["role"], one["via"]) for one in carried} == {("the-trader", "trader", "tcp")}
    assert "done" in {one["outcome"] for one in carried}
    written = "".join(path.read_text() for path in world.folder.rglob("*.log"))
    assert not [token for token in world.tokens.values() if token in written]


async def test_a_revoked_token_ends_its_connections(world: World) -> None:
    token = world.token("viewer", "shortlived")
    until(lambda: world.gateway.get("/health", token).status_code, lambda code: code == 200, "not known yet")
    stream = StreamClient(world.gateway.address(token), ["system.health"])

    async def read_and_be_revoked() -> None:
        async for event in envelopes(stream):
            if isinstance(event, Envelope) and event.type == "subscription_confirmed":
                answer = world.daemon.http.delete("/api/v1/tokens/shortlived")
                assert answer.status_code == 200, answer.text

    with pytest.raises(UnauthorizedError, match="revoked"):
        await read_and_be_revoked()
    assert stream.epoch is not None


async def test_who_has_no_token_of_the_daemon_gets_nothing(world: World) -> None:
    for token, status in ((None, 401), ("ntui_wrong", 401)):
        answer = world.gateway.get("/api/v1/websocket/connections", token)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "unauthorized"
        assert answer.headers["www-authenticate"] == "Bearer"
    with pytest.raises(InvalidStatus):
        await connect(
            f"ws://127.0.0.1:{world.gateway.port}/ws",
            additional_headers={"Authorization": "Bearer ntui_wrong"},
            proxy=None,
        )


async def test_connections_are_listed_and_dropped_by_an_admin_and_all_else_is_the_daemons(
    world: World,
) -> None:
    async with world.client("viewer") as client:
        await client.subscribe("quotes.>")
        listed = world.gateway.get("/api/v1/websocket/connections", world.tokens["viewer"]).json()["items"]
        own = next(one for one in listed if one["id"] == client.hello["connection_id"])
        assert (own["name"], own["role"], own["subscriptions"]) == ("the-viewer", "viewer", ["quotes.>"])
        assert own["ts_connected"].endswith("Z")
        read = world.gateway.get("/api/v1/websocket/subscriptions", world.tokens["viewer"]).json()["items"]
        assert {"pattern": "quotes.>", "connections": 1} in read
        path = f"/api/v1/websocket/connections/{own['id']}"
        assert world.gateway.get(path, world.tokens["trader"], "DELETE").json()["type"] == "forbidden"
        assert world.gateway.get(path, world.tokens["admin"], "DELETE").json()["outcome"] == "done"
        _, code, reason = await client.until_closed()
        assert (code, reason) == (4004, "closed by an operator")
        assert world.gateway.get(path, world.tokens["admin"], "DELETE").json()["type"] == "not-found"
    missing = world.gateway.get("/api/v1/orders", world.tokens["admin"])
    assert missing.status_code == 404
    assert f"http://127.0.0.1:{world.daemon.port}" in missing.json()["fix"]
    for method, path, taken in (
        ("PUT", "/health", "GET, HEAD"),
        ("GET", "/api/v1/websocket/connections/x", "DELETE"),
    ):
        wrong = world.gateway.get(path, world.tokens["admin"], method)
        assert (wrong.status_code, wrong.headers["Allow"]) == (405, taken)
        assert wrong.json()["rule"] == f"it takes {taken.replace(', ', ' and ')}"
        assert wrong.json()["fix"]
    assert world.gateway.get("/health", world.tokens["admin"], "HEAD").status_code == 200
    stream = world.gateway.get("/ws", world.tokens["admin"])
    assert (stream.status_code, stream.headers["Upgrade"]) == (426, "websocket")
    origin = {"Origin": "https://evil.example"}
    assert world.gateway.get("/health", world.tokens["admin"], headers=origin).status_code == 403


async def test_readers_go_on_over_the_daemons_death_and_are_told_of_it(world: World) -> None:
    stream = StreamClient(world.gateway.address(world.tokens["admin"]), ["system.broadcast"])
    epochs: list[str | None] = []
    kinds: list[str] = []
    async with stream, aclosing(envelopes(stream)) as events:
        async for event in events:
            if isinstance(event, ConnectionChanged):
                if event.state == "connected":
                    epochs.append(event.epoch)
                elif event.state == "disconnected" and len(epochs) == 1:
                    assert event.problem == "the daemon started anew"
            elif event.type == "subscription_confirmed" and len(epochs) == 1:
                world.say("before")
            elif event.type == "broadcast" and event.data.message == "before":
                world.daemon.kill()
                world.daemon = world.start()
            elif len(epochs) == 2 and event.topic == "system.broadcast":
                kinds.append(event.type)
                if kinds == ["gap", "snapshot"]:
                    world.say("after")
                if event.type == "broadcast":
                    assert event.data.message == "after"
                    break
    assert epochs[0] != epochs[1] == stream.position.epoch
    assert kinds[:2] == ["gap", "snapshot"]
    assert kinds.count("gap") == 1
    assert world.gateway.follow(world.tokens["admin"])["following"]["epoch"] == epochs[1]


def test_a_gateway_that_has_read_nothing_is_not_ready_and_says_why(tmp_path: Path, world: World) -> None:
    with GatewayProcess(tmp_path / "early", world.redis.url, prefix="nobody") as early:
        assert " ready at " not in early.ready
        assert f"at {early.url}, not ready yet: " in early.ready
        answer = early.get("/health", world.tokens["admin"])
        assert answer.status_code == 503
        assert answer.json()["type"] == "unavailable"
        assert "has not read" in answer.json()["detail"]
        assert early.stop() == 0


def test_what_peers_may_cost_and_room_for_them_is_as_at_a_daemon(tmp_path: Path, world: World) -> None:
    home = tmp_path / "gateway" / "home"
    home.mkdir(parents=True)
    (home / "config.toml").write_text("[daemon]\nmax_header_bytes = 2048\nrequest_seconds = 2.0\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        gateway = GatewayProcess(tmp_path / "gateway", world.redis.url, prefix=PREFIX)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with gateway:
        assert resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)[0] > 256
        # too large: 400; not whole within the time, which by default is 30 seconds: 408
        for sent, status in ((b"X-Large: " + b"x" * 3000, 400), (b"X-Slow: ", 408)):
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as peer:
                peer.sendall(b"GET /health HTTP/1.1\r\n" + sent)
                assert peer.recv(64).startswith(b"HTTP/1.1 %d " % status)


async def test_without_a_daemon_commands_are_refused(tmp_path: Path, world: World) -> None:
    with GatewayProcess(tmp_path / "mute", world.redis.url, prefix=PREFIX) as mute:
        mute.follow(world.tokens["admin"])
        headers = {"Authorization": f"Bearer {world.tokens['admin']}"}
        async with Client(
            lambda **more: connect(
                f"ws://127.0.0.1:{mute.port}/ws", additional_headers=headers, proxy=None, **more
            )
        ) as client:
            await client.say("command", command={"command": "stream.broadcast", "message": "lost"})
            answer = await client.next("command_response")
        assert answer["data"]["outcome"] == "refused"
        assert "--daemon" in answer["data"]["problem"]["fix"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    return make_certificate(tmp_path)


def heard(manager: socket.socket, first: bytes) -> list[str]:
    """Wait until the service manager is told something that begins so; return its lines."""
    while not (told := manager.recv(4096)).startswith(first):
        continue
    return told.decode().splitlines()


def read_anew(gateway: GatewayProcess, manager: socket.socket, pair: tuple[Path, Path], token: str) -> None:
    """Let a gateway read other settings and another certificate, then a certificate that does not serve."""

    def hung_up() -> str:
        gateway.process.send_signal(signal.SIGHUP)
        heard(manager, b"RELOADING=1")
        return heard(manager, b"READY=1")[-1]

    def shown() -> str:
        return ssl.get_server_certificate(("127.0.0.1", gateway.port))

    settings = gateway.home / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("[daemon]\nrequests_per_second = 1\nmax_header_bytes = 20000\n")
    make_certificate(pair[0].parent)
    said = "changed: daemon.requests_per_second; restart needed for: what requests may cost in [daemon]"
    assert hung_up() == f"STATUS=settings read: {said}"
    renewed = pair[0].read_text()
    assert shown() == renewed
    with httpx.Client(
        verify=ssl.create_default_context(cafile=pair[0]), headers={"Authorization": f"Bearer {token}"}
    ) as client:
        assert any(client.get(gateway.url + "/health").status_code == 429 for _ in range(50))
    pair[0].write_text("torn")
    assert hung_up().startswith("STATUS=settings not read: ")
    assert shown() == renewed, "it goes on as it was"


async def test_it_speaks_tls_reads_its_settings_anew_and_tells_the_service_manager_how_it_is(
    tmp_path: Path, world: World, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = certificate
    options = ["--tls-certificate", str(pair[0]), "--tls-key", str(pair[1]), "--log-format", "json"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with GatewayProcess(tmp_path / "safe", world.redis.url, *options, prefix=PREFIX) as safe:
            assert safe.url.startswith("https://")
            assert manager.recv(4096).startswith(b"READY=1\n")
            monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
            stream = StreamClient(safe.address(world.tokens["viewer"]), ["system.health"])
            async with stream, aclosing(envelopes(stream)) as events:
                async for event in events:
                    if isinstance(event, Envelope) and event.type == "system_health":
                        break
            read_anew(safe, manager, pair, world.tokens["viewer"])
            assert safe.stop() == 0
            heard(manager, b"STOPPING=1")
        log = [msgspec.json.decode(line) for line in safe.errors().splitlines()]
    assert [one["message"] for one in log if one["logger"] == "nautilus_tui.gateway.app"][-2:] == [
        "stopping",
        "stopped",
    ]


def test_beyond_this_machine_it_wants_tls_and_it_wants_to_know_where_redis_is(tmp_path: Path) -> None:
    def gateway(*options: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "nautilus_tui.cli.main",
            "--home",
            str(tmp_path),
            "gateway",
            *options,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    refused = gateway("--listen", "0.0.0.0:0", "--redis", "redis://127.0.0.1:1/0")
    assert refused.returncode == 2
    assert "no TLS certificate" in refused.stderr
    assert VARIABLE in gateway("--listen", "127.0.0.1:0").stderr
    assert "--listen" in gateway("--redis", "redis://127.0.0.1:1/0").stderr
    secret = gateway("--listen", "127.0.0.1:0", "--redis", "http://:hunter2@127.0.0.1/0")
    assert secret.returncode == 2
    assert "hunter2" not in secret.stderr


def test_a_gateway_loads_no_engines_no_store_and_no_screen() -> None:
    code = (
        "import sys\n"
        "from nautilus_tui.cli import main\n"
        "from nautilus_tui.config.load import load\n"
        "from pathlib import Path\n"
        "from nautilus_tui.cli.gateway import _settings\n"
        "import asyncio\n"
        "from nautilus_tui.gateway.app import Gateway\n"
        "settings = _settings(load(Path('none')), 'redis://127.0.0.1:1/0', None, None, None, None, None)\n"
        "def told(line, ready):\n"
        "    asyncio.get_running_loop().call_later(0.5, gateway.stop)\n"
        "async def serve():\n"
        "    global gateway\n"
        "    gateway = Gateway(settings)\n"
        "    await gateway.serve(('127.0.0.1', 0), told)\n"
        "asyncio.run(serve())\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert 'redis' in loaded\n"
        "unwanted = loaded & {'duckdb', 'engines', 'nautilus_trader', 'textual', 'risk', 'litestar'}\n"
        "assert not unwanted, unwanted"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
