"""A service that takes messages: a real HTTP server that Apprise posts JSON to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Keeps what was posted, by path; answers 500 to what comes under ``/broken``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._messages: list[tuple[str, dict[str, Any]]] = []
        self._came = threading.Condition()

    def url(self, path: str) -> str:
        """Return the address of a path, as Apprise wants it."""
        return f"json://127.0.0.1:{self.port}/{path}"

    def take(self, path: str, message: dict[str, Any]) -> None:
        """Keep a message."""
        with self._came:
            self._messages.append((path, message))
            self._came.notify_all()

    def wait(self, path: str, count: int = 1, timeout: float = 120.0) -> list[dict[str, Any]]:
        """Return what came to a path, once it is so many messages."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.of(path)) >= count, timeout), self._messages
            return self.of(path)

    def of(self, path: str) -> list[dict[str, Any]]:
        """Return what came to a path."""
        return [message for where, message in self._messages if where == f"/{path}"]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.take(self.path, json.loads(body))
            self.send_response(500 if self.path.startswith("/broken") else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
