"""Time series servers over HTTP by InfluxDB's 1.x API; hub/store/bucket.py writes by the v2 API instead, and reads so.

All methods block. Trouble that may pass is a StoreError; lines that the server will never take are BatchRefused.
"""

from __future__ import annotations

import gzip
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from hub.store.deliver import BatchRefused
from hub.store.port import StoreError

_DROPPED = re.compile(r"dropped=(\d+)")
_LINES_AT_FAULT = re.compile(r"partial write|unable to parse|parse|field type|too large|retention|outside|exceed", re.I)
WORDS_MAX = 300
GZIP_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Access:
    """How a server is reached. Of `password` and `token` the one that is there is used."""

    url: str
    database: str
    org: str = ""
    username: str = ""
    password: str = ""
    token: str = ""
    ca: Path | None = None
    verify: bool = True
    timeout_ms: int = 10_000

    def __repr__(self) -> str:
        return f"Access({self.url!r}, {self.database!r})"


class Server(Protocol):
    """What takes lines, and answers InfluxQL."""

    database: str

    def write(self, lines: Sequence[bytes]) -> None:
        """All of these lines are written. Raises BatchRefused, StoreError."""

    def write_to(self, policy: str, lines: Sequence[bytes]) -> None:
        """The same, into a retention policy."""

    def query(self, text: str, params: Mapping[str, str] = {}) -> list[dict[str, Any]]:
        """The series of one InfluxQL statement: name, tags, columns and values; times in ns. Raises StoreError."""

    def close(self) -> None: ...


class InfluxServer:
    """The 1.x API, which Debian's `influxdb` serves."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.database = access.database
        auth = httpx.BasicAuth(access.username, access.password) if access.username else None
        headers = {"Authorization": f"Token {access.token}"} if access.token else {}
        self._client = httpx.Client(
            base_url=access.url,
            auth=auth,
            headers=headers,
            verify=tls(access),
            timeout=access.timeout_ms / 1000,
            trust_env=False,
        )

    def write(self, lines: Sequence[bytes]) -> None:
        """As `Server` says."""
        self._write({}, lines)

    def write_to(self, policy: str, lines: Sequence[bytes]) -> None:
        """As `Server` says. 2.x finds the bucket by its mapping, 3 the database by its name, `DATABASE/POLICY`."""
        self._write({"rp": policy}, lines)

    def _write(self, into: Mapping[str, str], lines: Sequence[bytes]) -> None:
        """Gzip, ns."""
        body = gzip.compress(b"\n".join(lines), GZIP_LEVEL)
        with self._trouble():
            answer = self._client.post(
                "/write",
                params={"db": self._access.database, **into, "precision": "ns"},
                content=body,
                headers={"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8"},
            )
        if answer.status_code >= 300:
            raise judged(answer.status_code, words_of(answer.content))

    def query(self, text: str, params: Mapping[str, str] = {}) -> list[dict[str, Any]]:
        """As `Server` says."""
        asked = {"db": self._access.database, "epoch": "ns", **params, "q": text}
        with self._trouble():
            answer = self._client.post("/query", data=asked)
            if answer.status_code >= 300:
                raise StoreError(f"{self._access.url}: {answer.status_code} {words_of(answer.content)}")
            found = answer.json()
        series: list[dict[str, Any]] = []
        for result in found.get("results", ()):
            if "error" in result:
                raise StoreError(f"{self._access.url}: {str(result['error'])[:WORDS_MAX]}")
            series += result.get("series", ())
        return series

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, ValueError) as cause:
            words = str(cause) or type(cause).__name__
            raise StoreError(f"{self._access.url}: {words[:WORDS_MAX]}") from cause


def judged(status: int, words: str) -> BatchRefused | StoreError:
    """What an answer means: lines at fault, or trouble that may pass or be mended."""
    said = f"{status} {words}"
    if status in (400, 422) and _LINES_AT_FAULT.search(words):
        found = _DROPPED.search(words)
        return BatchRefused(words or said, int(found[1]) if found else None)
    if status == 413:
        return BatchRefused(f"too large: {said}")
    if status in (401, 403):
        return StoreError(f"the server does not let this hub write ({said}): check user, password or token")
    if status == 404:
        return StoreError(f"no such database ({said}): lianfang telemetry init makes it")
    return StoreError(said)


def quoted(text: str) -> str:
    """A text as InfluxQL's string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def named(name: str) -> str:
    """A name as InfluxQL's identifier."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def tls(access: Access) -> ssl.SSLContext | bool:
    """What httpx is told of certificates."""
    if not access.verify:
        return False
    return True if access.ca is None else ssl.create_default_context(cafile=str(access.ca))


def words_of(body: Any) -> str:
    """What the server says, without its wrapping."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    found = re.search(r'"(?:error|message)"\s*:\s*"((?:[^"\\]|\\.)*)"', text)
    return (found[1].replace('\\"', '"') if found else text).strip()[:WORDS_MAX]
