"""A real HTTP server on loopback that answers with given bodies, and the recorded bodies to give it.

    with Replay({"/fred/series": recorded("fred/fred_series__series-id-GDP__20250120.json")}) as server:
        ... ask server.url ...
        assert server.requests[0].query["file_type"] == "json"

A route is bytes (status 200, JSON), a ``(status, content type, bytes)`` triple, a function of the
request that returns either, or a list of these that are used one after the other, the last for ever.
The route ``*`` answers every path that has none of its own; without it they get 404.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import pytest

RECORDS = Path(__file__).parents[2] / ".." / "shared" / "records"
JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  #: names in lower case
    target: str  #: path and query as they were sent


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with headers of its own."""

    status: int
    content_type: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Given = bytes | tuple[int, str, bytes] | Response
Route = Given | Callable[[Request], Given] | Sequence[Given]


def recorded(name: str) -> bytes:
    """Return a recorded body by its path in the folder of records; skip the test if it is not there."""
    path = RECORDS / name
    if not path.is_file():
        pytest.skip(f"the recorded body {name} is not here")
    return path.read_bytes()


class Replay:
    """The server, as a context manager."""

    def __init__(self, routes: Mapping[str, Route] | None = None) -> None:
        self.routes: dict[str, Route] = dict(routes or {})
        self.requests: list[Request] = []
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def asked(self, path: str) -> list[Request]:
        """Return the requests for one path, in order."""
        with self._lock:
            return [request for request in self.requests if request.path == path]

    def answer(self, request: Request) -> Response:
        """Note a request and return its answer."""
        with self._lock:
            self.requests.append(request)
            name = request.path if request.path in self.routes else "*"
            turn = self._used.get(name, 0)
            self._used[name] = turn + 1
            route = self.routes.get(name, (404, "text/plain", b"no such path"))
        if isinstance(route, bytes | tuple | Response):
            return _response(route)
        if callable(route):
            return _response(route(request))
        return _response(route[min(turn, len(route) - 1)])


def _response(given: Given) -> Response:
    if isinstance(given, Response):
        return given
    if isinstance(given, bytes):
        return Response(200, JSON, given)
    return Response(*given)


def _handler(replay: Replay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            response = replay.answer(
                Request(
                    path=parts.path,
                    query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    target=self.path,
                )
            )
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.content)))
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing on the terminal; the requests are kept."""

    return Handler
