"""The broker's address and what proves who is who: TLS that fails closed, the password's file, the hub's keys."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.config.model import MqttTable, TlsTable
from protocol.faults import Fault, Refused, shown
from protocol.ids import ID_ALLOWED, is_id
from protocol.tls import Tls, client_context

SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the bytes of an Ed25519 public key in PEM (RFC 8410)."""
NEVER_LATE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mqtt:
    """Where the broker is and how to come in."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None

    def __repr__(self) -> str:
        return f"Mqtt({self.host}:{self.port}, username={self.username!r}, tls={self.tls is not None})"


def read_mqtt(table: MqttTable, folder: Path, where: str) -> tuple[Mqtt | None, list[Fault]]:
    """The broker's settings with every file they name read; a file that cannot be is a fault."""
    faults: list[Fault] = []
    password = None
    if table.password_file is not None:
        try:
            password = (folder / table.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError) as cause:  # ValueError: not UTF-8, or a name no file can have
            said = f"{table.password_file!r}: {getattr(cause, 'strerror', None) or cause}"
            faults.append(Fault(where, "mqtt.password_file", said, "a readable file with the password"))
    tls = None
    if table.tls is not None:
        tls, tls_faults = _tls(table.tls, folder, where)
        faults += tls_faults
    return (None, faults) if faults else (Mqtt(table.host, table.port, table.username, password, tls), [])


def _tls(table: TlsTable, folder: Path, where: str) -> tuple[Tls, list[Fault]]:
    """Whether a certificate has run out is judged at each connecting: a gateway that lost its hub still rings."""
    tls = Tls(folder / table.ca, folder / table.cert, folder / table.key)
    try:
        client_context(tls, NEVER_LATE)
    except Refused as refused:
        return tls, [Fault(where, f"mqtt.{f.key}", f"{f.where}: {f.value}", f.allowed) for f in refused.faults]
    return tls, []


def read_hub_keys(raw: Any, where: str) -> tuple[dict[str, Ed25519PublicKey], list[Fault]]:
    """The hub's public keys by name."""
    if not isinstance(raw, dict):
        return {}, [Fault(where, "hub_keys", shown(raw), "a table: name = base64 of an Ed25519 public key")]
    keys, faults = {}, []
    for name, text in raw.items():
        if not is_id(name):
            faults.append(Fault(where, f"hub_keys.{name}", shown(name), f"a name of {ID_ALLOWED}"))
        try:
            keys[name] = _public_key(text)
        except (AttributeError, TypeError, ValueError, binascii.Error):
            allowed = "what the hub's keygen prints, or base64 of the 32 bytes of a public key"
            faults.append(Fault(where, f"hub_keys.{name}", shown(text), allowed))
    return keys, faults


def _public_key(text: str) -> Ed25519PublicKey:
    """From PEM with or without its first and last line, or from the bare bytes in base64."""
    lines = [line.strip() for line in text.splitlines()]
    data = base64.b64decode("".join(line for line in lines if not line.startswith("-----")), validate=True)
    return Ed25519PublicKey.from_public_bytes(data.removeprefix(SPKI))
