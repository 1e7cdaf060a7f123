"""Ed25519 signatures of commands, bound to area and gateway by the signed bytes' prefix and by the order itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.codec import RemoteError, decode
from protocol.messages import VERSION, Command, Order


def _signed(order: bytes) -> bytes:
    return b"lf/1/command\x00" + order


def sign(order: Order, key: str, private: Ed25519PrivateKey) -> Command:
    """Make the command for `order`, signed by the hub key called `key`."""
    raw = msgspec.json.encode(order)
    return Command(VERSION, key, msgspec.Raw(raw), private.sign(_signed(raw)))


def verify(command: Command, keys: Mapping[str, Ed25519PublicKey], area: str, gateway: str) -> Order | str:
    """The order if it is signed by a known key for this gateway; otherwise the reason, in words."""
    public = keys.get(command.key)
    if public is None:
        return f"unknown key {command.key!r}; known: {', '.join(sorted(keys)) or 'none'}"
    raw = bytes(command.order)
    try:
        public.verify(command.signature, _signed(raw))
    except InvalidSignature:
        return f"forged: the signature is not by key {command.key!r}"
    try:
        order = decode(raw, Order)
    except RemoteError as cause:
        return str(cause)
    if (order.area, order.gateway) != (area, gateway):
        return f"for {order.area}/{order.gateway}, not for {area}/{gateway}"
    return order
