"""A small Grafana: tokens, folders, dashboards with versions, alert rules and contact points, as its HTTP API has them.

It refuses what Grafana refuses: a wrong token, a folder or contact point that is not there, a uid twice.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_for_tests_alone"
Answer = tuple[int, Any]
RULES = "/api/v1/provisioning/alert-rules"
CONTACTS = "/api/v1/provisioning/contact-points"


class FakeGrafana:
    """What it holds; `handled` answers one request."""

    def __init__(self) -> None:
        self.url = ""
        self.sources: set[str] = {"lianfang-influxdb"}
        self.folders: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.contacts: dict[str, dict[str, Any]] = {}

    def handled(self, method: str, path: str, token: str, body: Any) -> Answer:
        """Status and JSON."""
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        routes: list[tuple[str, str, Callable[[str, Any], Answer]]] = [
            ("GET", "/api/datasources/uid/", lambda uid, _: _one({one: {"uid": one} for one in self.sources}, uid)),
            ("GET", "/api/folders/", lambda uid, _: _one(self.folders, uid)),
            ("POST", "/api/folders", self._folder),
            ("POST", "/api/dashboards/db", self._dashboard),
            ("GET", "/api/dashboards/uid/", self._shown),
            ("GET", f"{RULES}/", lambda uid, _: _one(self.rules, uid)),
            ("PUT", f"{RULES}/", self._rule),
            ("POST", RULES, self._rule),
            ("GET", CONTACTS, lambda uid, _: (200, list(self.contacts.values()))),
            ("PUT", f"{CONTACTS}/", self._contact),
            ("POST", CONTACTS, self._contact),
        ]
        for verb, prefix, act in routes:
            fits = path.startswith(prefix) if prefix.endswith("/") else path == prefix
            if verb == method and fits:
                return act(path.removeprefix(prefix), body)
        return 404, {"message": "Not found"}

    def _folder(self, _: str, body: Any) -> Answer:
        if body["uid"] in self.folders:
            return 409, {"message": "a folder with the same uid already exists"}
        self.folders[body["uid"]] = body
        return 200, body

    def _dashboard(self, _: str, body: Any) -> Answer:
        made, uid = body["dashboard"], body["dashboard"]["uid"]
        if body.get("folderUid") not in self.folders:
            return 400, {"message": "folder not found"}
        known = self.dashboards.get(uid)
        if known is not None and not body.get("overwrite") and made.get("version") != known["version"]:
            return 412, {"message": "The dashboard has been changed by someone else"}
        version = 1 if known is None else known["version"] + 1
        self.dashboards[uid] = made | {"id": len(self.dashboards) + 1, "version": version}
        return 200, {"uid": uid, "version": version, "status": "success"}

    def _shown(self, uid: str, _: Any) -> Answer:
        status, found = _one(self.dashboards, uid)
        return status, found if status != 200 else {"dashboard": found, "meta": {"folderUid": "lianfang"}}

    def _rule(self, _: str, body: Any) -> Answer:
        receiver = body["notification_settings"]["receiver"]
        if receiver not in {one["name"] for one in self.contacts.values()} or body["folderUID"] not in self.folders:
            return 400, {"message": f"receiver {receiver} or folder {body['folderUID']} does not exist"}
        self.rules[body["uid"]] = body | {"id": 7, "provenance": "api"}
        return 201, self.rules[body["uid"]]

    def _contact(self, _: str, body: Any) -> Answer:
        self.contacts[body["uid"]] = body
        return 202, body


def _one(table: dict[str, dict[str, Any]], uid: str) -> Answer:
    return (200, table[uid]) if uid in table else (404, {"message": "not found"})


@contextmanager
def fake_grafana() -> Iterator[FakeGrafana]:
    """One on loopback, ended on leaving."""
    fake = FakeGrafana()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            status, said = fake.handled(self.command, self.path, self.headers.get("Authorization", ""), body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _handle  # noqa: N815  # as http.server names them

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
