"""An SMS or voice gateway reached by HTTPS: a JSON body of one's own words, signed, with a key for repeats."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, Field, field_validator

from hub.notify.notice import Channel, Notice, Outcome, Refused, Sent, State, TryLater, Withheld
from hub.notify.table import ChannelTable
from hub.table import Table
from protocol import faults

STAMP, SIGNATURE, IDEMPOTENCY = "X-Lianfang-Timestamp", "X-Lianfang-Signature", "Idempotency-Key"
LATER = frozenset({408, 425, 429})
ANSWER_MAX = 64 * 1024
"""Bytes of an answer that are looked at."""
SECRET_MIN = 16
BODY = {"id": "{id}", "to": "{phone}", "title": "{title}", "text": "{text}", "sort": "{sort}"}
_WORD = re.compile(r"\{([^{}]*)\}")
WORDS = ("id", "to", "phone", "name", "title", "text", "sort", "priority", "area", "incident", "rung", "link", "at_ms")
"""What a body may ask for in braces."""


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname and _loopback(parts.hostname):
        return url
    raise ValueError("an https:// URL (http:// to this machine alone)")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Reports(Table):
    """Delivery reports: where they come in is /api/v1/channels/NAME/reports, signed with a secret of their own.

    `id` and `status` are keys of the report's JSON; `wait_s`: without one for so long, what was sent is `unknown`.
    """

    secret_file: Path
    id: str = "id"
    status: str = "status"
    why: str = "why"
    delivered: tuple[str, ...] = ("delivered",)
    failed: tuple[str, ...] = ("failed",)
    wait_s: Annotated[int, Field(ge=1, le=7 * 86_400)] = 600

    def state(self, status: str) -> State:
        """What a gateway's word means; a word nobody named is unknown."""
        return State.DELIVERED if status in self.delivered else State.FAILED if status in self.failed else State.UNKNOWN


class Config(ChannelTable):
    """`body` is sent as JSON with {words} filled in; `answer_id` and `answer_code` are keys (a.b.c) of the JSON that
    answers, with `answer_good` the codes that mean it was taken; `ca_file` instead of the system's authorities."""

    kind: Literal["webhook"]
    url: Annotated[str, AfterValidator(_secure)]
    secret_file: Path
    body: dict[str, Any] = Field(default_factory=lambda: dict(BODY))
    headers: dict[str, str] = Field(default_factory=dict)
    answer_id: str = ""
    answer_code: str = ""
    answer_good: tuple[str, ...] = ("0",)
    ca_file: Path | None = None
    report: Reports | None = None

    @field_validator("body")
    @classmethod
    def _known_words(cls, body: dict[str, Any]) -> dict[str, Any]:
        try:
            _filled(body, dict.fromkeys(WORDS, ""))
        except KeyError as cause:
            raise ValueError(f"only {{{'}, {'.join(WORDS)}}} in braces, not {cause}") from None
        return body

    @property
    def rooms(self) -> bool:
        """A body that asks for no phone, recipient or name is the same for everybody: a room."""
        text = json.dumps(self.body)
        return not any(f"{{{word}}}" in text for word in ("phone", "to", "name"))

    @property
    def reports_s(self) -> float | None:
        """How long a delivery report may take."""
        return self.report.wait_s if self.report is not None else None

    @property
    def place(self) -> str:
        """Its host."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def based(self, base: Path) -> Config:
        """With the report's secret too."""
        found = super().based(base)
        if self.report is None:
            return found
        report = self.report.model_copy(update={"secret_file": base / self.report.secret_file})
        return found.model_copy(update={"report": report})

    def opened(self) -> Channel:
        """The channel. Raises Refused for secrets that are none."""
        secret = read_secret(self.secret_file)
        if self.report is not None:
            read_secret(self.report.secret_file)
        try:
            verify: Any = True if self.ca_file is None else httpx.create_ssl_context(verify=str(self.ca_file))
        except OSError as cause:
            allowed = "certificates in PEM"
            raise faults.Refused(
                [faults.Fault(self.ca_file.name if self.ca_file else "", "file", str(cause), allowed)]
            ) from cause
        client = httpx.AsyncClient(timeout=self.timeout_s, verify=verify, trust_env=False, follow_redirects=False)
        return _Webhook(self, secret, client)


class _Webhook:
    def __init__(self, config: Config, secret: bytes, client: httpx.AsyncClient) -> None:
        self._config = config
        self._secret = secret
        self._client = client

    async def send(self, notice: Notice) -> Outcome:
        """One POST."""
        words = {word: getattr(notice, word) for word in WORDS}
        body = json.dumps(_filled(self._config.body, words), ensure_ascii=False).encode()
        stamp = str(time.time_ns() // 1_000_000)
        headers = {
            **self._config.headers,
            "Content-Type": "application/json",
            IDEMPOTENCY: notice.id,
            STAMP: stamp,
            SIGNATURE: signature(self._secret, stamp, body),
        }
        if notice.drill:
            return Withheld()
        try:
            async with self._client.stream("POST", self._config.url, content=body, headers=headers) as response:
                answer = b""
                async for piece in response.aiter_bytes():
                    answer += piece
                    if len(answer) >= ANSWER_MAX:
                        break
        except httpx.TimeoutException:
            return TryLater(None, f"no answer within {self._config.timeout_s:g} s")
        except httpx.HTTPError as cause:
            return TryLater(None, f"no connection: {type(cause).__name__}")
        return self._judged(response, answer)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    def _judged(self, response: httpx.Response, answer: bytes) -> Outcome:
        status, config = response.status_code, self._config
        if status in LATER or status >= 500:
            return TryLater(_retry_after_s(response.headers.get("Retry-After")), f"HTTP {status}")
        if not 200 <= status < 300:
            return Refused(f"HTTP {status}")
        code = _at(answer, config.answer_code) if config.answer_code else None
        if config.answer_code and code not in config.answer_good:
            return Refused(f"it answers {config.answer_code} {(code or 'nothing')[:64]}")
        return Sent((_at(answer, config.answer_id) or "")[:128] if config.answer_id else "")


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What proves who sent a body: HMAC-SHA256 over the time stamp (ms since 1970), a dot, and the body."""
    return "sha256=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def read_secret(path: Path) -> bytes:
    """The first line of a secret's file. Raises Refused."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as cause:
        raise faults.Refused(
            [faults.Fault(path.name, "file", f"{path} (cannot be read)", "one line of UTF-8 text")]
        ) from cause
    secret = lines[0].strip() if lines else ""
    if len(secret) < SECRET_MIN:
        raise faults.Refused([faults.Fault(path.name, "line 1", f"{len(secret)} characters", f"{SECRET_MIN} or more")])
    return secret.encode()


def _filled(value: Any, words: dict[str, Any]) -> Any:
    """The body with its words filled in, string by string, so that no text can break the JSON around it."""
    if isinstance(value, str):
        return _WORD.sub(lambda found: str(words[found[1]]), value)
    if isinstance(value, dict):
        return {key: _filled(item, words) for key, item in value.items()}
    return [_filled(item, words) for item in value] if isinstance(value, list) else value


def _at(answer: bytes, key: str) -> str | None:
    """What stands in the answer under a dotted key."""
    try:
        found: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return None if found is None or isinstance(found, dict | list) else str(found)


def _retry_after_s(text: str | None) -> float | None:
    """Seconds, or a date as HTTP writes it."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
