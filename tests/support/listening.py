"""An HTTP server that records what it is asked, and answers as it was told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

Answer = tuple[int, bytes]


class Asked(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    verb: str = "POST"


class Listening(BaseHTTPRequestHandler):
    """Keeps what it is asked, and answers as told."""

    asked: list[Asked]
    answer: Callable[[Asked], Answer]
    influxdb: str

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = Asked(self.path, dict(self.headers), body, self.command)
        self.asked.append(found)
        status, words = type(self).answer(found)
        self.send_response(status)
        if self.influxdb:
            self.send_header("X-Influxdb-Version", self.influxdb)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    do_GET = do_PATCH = do_POST  # noqa: N815  # as the library calls them

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def answering(answer: Callable[[Asked], Answer], influxdb: str = "") -> Iterator[tuple[str, list[Asked]]]:
    """An HTTP server that answers so, and what it was asked; `influxdb`: the version that it says it is."""
    own = {"asked": [], "answer": staticmethod(answer), "influxdb": influxdb}
    handler = type("Handler", (Listening,), own)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", handler.asked  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            serving.join()


@contextlib.contextmanager
def listening(*answers: Answer) -> Iterator[tuple[str, list[Asked]]]:
    """One that gives these answers, then 204."""
    waiting = list(answers)
    with answering(lambda asked: waiting.pop(0) if waiting else (204, b"")) as found:
        yield found
