"""Who connects where, and what one link tells and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.codec import SIZE_MAX
from protocol.tls import Tls


class LinkError(Exception):
    """The broker cannot be reached, refused something, or is gone; says which broker and why."""


class Incoming(NamedTuple):
    """One message. Data above the size limit is cut one byte beyond it, so that the codec refuses it as oversized."""

    topic: str
    data: bytes
    retain: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone without a goodbye."""

    topic: str
    data: bytes
    retain: bool = True


class Said(NamedTuple):
    """A message to be published."""

    topic: str
    data: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Which broker and how. Without `tls` the connection is plain, which only loopback and tests should be.

    `keepalive_s` bounds how long a silent connection is believed: it is given up between one and two of them.
    The broker knows us by `client_id` and then `secret`, which is never shown: nobody can take our place by guessing.
    `packet_max` is the largest packet the broker may send us, in bytes. `timed` is false where there is no clock to
    judge by from when until when the broker's certificate is good.
    """

    host: str
    port: int
    client_id: str
    tls: Tls | None = None
    timed: bool = True
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    secret: str = field(default="", repr=False)
    keepalive_s: int = 10
    connect_timeout_s: float = 5.0
    publish_timeout_s: float = 10.0
    receive_max: int = 100
    packet_max: int = 4 * SIZE_MAX
    inbox_max: int = 1_000
    inbox_bytes_max: int = 16 * 1024 * 1024
    clean_start: bool = True

    def __str__(self) -> str:
        return f"{self.host}:{self.port} as {self.client_id}"


@dataclass(slots=True)
class LinkCounts:
    """What happened on one link. `discarded`: inbox full; `denied`: the broker acknowledged but refused us."""

    received: int = 0
    discarded: int = 0
    oversized: int = 0
    denied: int = 0
