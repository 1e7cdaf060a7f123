"""The far end of a channel: a real HTTP server on loopback that does what the test tells it, and keeps what it got."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET, REPORT_SECRET = "secret of what goes out", "secret of what comes back"
CONTACTS = """
contact = [
  { id = "h1-a", area = "town", of = "h1", name = "Ann of H1", phone = "13800000001" },
  { id = "h2-a", area = "town", of = "h2", name = "Ben of H2", phone = "13800000002" },
  { id = "h3-a", area = "town", of = "h3", name = "Cai of H3", phone = "13800000003" },
  { id = "st-a", area = "town", of = "st", name = "Duty of ST", phone = "13800000009" },
  { id = "t-a", area = "town", of = "t", name = "Centre of T", phone = "13800000010" },
  { id = "so-a", area = "other", of = "so", name = "Duty of SO", phone = "13800000011" },
]
"""


@dataclass
class Got:
    """One request: its path, headers, and the body as it was and as JSON."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Answer:
    """What the far end does with a request; `hangs` until it is closed."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


class FarEnd:
    """`answers` are used up one a request, then `always`; `judge` may answer by what came."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: deque[Answer] = deque()
        self.always = Answer()
        self.judge: Callable[[Got], Answer | None] = lambda got: None
        self.closing = threading.Event()
        self.url = ""

    def to(self, phone: str) -> list[Got]:
        """What came for a phone."""
        return [one for one in self.got if one.body.get("to") == phone]


@contextmanager
def far_end() -> Iterator[FarEnd]:
    """A far end that listens."""
    far = FarEnd()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
            answer = far.judge(got) or (far.answers.popleft() if far.answers else far.always)
            far.got.append(got)
            if answer.hangs:
                far.closing.wait(60)
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    far.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield far
    finally:
        far.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def signed(secret: str, stamp: str, body: bytes) -> str:
    """The signature as docs/operating.md says it is made."""
    return "sha256=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def secrets_in(folder: Path) -> None:
    """Both secrets, in files of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sms.secret").write_text(f"{SECRET}\n", encoding="utf-8")
    (folder / "report.secret").write_text(f"{REPORT_SECRET}\n", encoding="utf-8")


def with_contacts(folder: Path, registry: str) -> str:
    """The override for a registry with contacts, written into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "people.toml").write_text(registry + CONTACTS, encoding="utf-8")
    return "hub.registry=people.toml"


def webhook(far: FarEnd, name: str = "sms", more: str = "") -> str:
    """A webhook's inline table that leads to the far end."""
    ours = f'name = "{name}", kind = "webhook", url = "{far.url}/{name}", secret_file = "sms.secret"'
    return f'{{ {ours}, report = {{ secret_file = "report.secret" }}{more} }}'
