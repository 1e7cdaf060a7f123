"""Orders to gateways: made from what the desk asks, signed, and put on their way. The key never leaves its file."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hub.core.effects import Send
from protocol.codec import encode
from protocol.faults import Fault, Refused
from protocol.messages import Order
from protocol.signing import sign


def command(send: Send, name: str, private: Ed25519PrivateKey, instance: str | None = None) -> bytes:
    """The bytes of the signed command for `send`, for one process alone where `instance` names it. The same order has
    the same id, so that a resend acts once."""
    order = Order(
        id=send.order,
        area=send.area,
        gateway=send.gateway,
        action=send.action,
        issued_ms=send.issued_ms,
        expires_ms=send.expires_ms,
        premises=list(send.premises),
        incident=send.incident,
        keys=list(send.keys),
        pressed=send.pressed,
        kind=send.kind,
        duration_ms=send.duration_ms,
        drill=send.drill,
        mode=send.mode,
        zone=send.zone,
        force=send.force,
        instance=instance,
    )
    return encode(sign(order, name, private))


def make_key(path: Path) -> Ed25519PrivateKey:
    """Make a key at `path`, readable by its owner alone. Raises Refused rather than replace one."""
    private = Ed25519PrivateKey.generate()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as cause:
        raise Refused([Fault(str(path), "key", "a file that is there already", "a path where nothing is")]) from cause
    with os.fdopen(handle, "wb") as file:
        file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    return private


def load_key(path: Path) -> Ed25519PrivateKey:
    """Read the key. Raises Refused when it is missing, open to others, or none of ours."""
    try:
        mode = path.stat().st_mode & 0o077
        data = path.read_bytes()
    except OSError as cause:
        fault = Fault(str(path), "signing.key", cause.strerror or "unreadable", "a key made by: lianfang hub keygen")
        raise Refused([fault]) from cause
    if mode:
        raise Refused([Fault(str(path), "signing.key", f"open to others ({mode:03o})", "mode 0600")])
    try:
        private = load_pem_private_key(data, None)
    except (ValueError, TypeError) as cause:
        raise Refused([Fault(str(path), "signing.key", "no private key", "an Ed25519 key in PEM")]) from cause
    if not isinstance(private, Ed25519PrivateKey):
        raise Refused([Fault(str(path), "signing.key", type(private).__name__, "an Ed25519 key")])
    return private


def public_text(private: Ed25519PrivateKey) -> str:
    """The public half in PEM, to be given to gateways."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
