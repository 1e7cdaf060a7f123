"""Bytes to messages and back, with a bound on size, a check of version, and a named reason for every refusal."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

import msgspec

from protocol.messages import (
    VERSIONS_READ,
    Alarms,
    Birth,
    Command,
    Config,
    Receipt,
    Reply,
    Session,
    Telemetry,
)
from protocol.records import Event
from protocol.topics import Channel

SIZE_MAX = 256 * 1024
"""The largest message, in bytes; larger ones are refused unread."""

MESSAGES: dict[Channel, type[msgspec.Struct]] = {
    Channel.BIRTH: Birth,
    Channel.SESSION: Session,
    Channel.ALARM: Alarms,
    Channel.TELEMETRY: Telemetry,
    Channel.RECEIPT: Receipt,
    Channel.COMMAND: Command,
    Channel.REPLY: Reply,
    Channel.CONFIG: Config,
}

T = TypeVar("T", bound=msgspec.Struct)

SHOWN_MAX = 200  # a refusal quotes what came; nobody may fill a log by sending more


class Reason(StrEnum):
    """Why a message was refused; the label of the hub's counter."""

    UNPARSABLE = "unparsable"
    OVERSIZED = "oversized"
    WRONG_VERSION = "wrong_version"
    WRONG_AREA = "wrong_area"
    UNKNOWN_GATEWAY = "unknown_gateway"
    UNKNOWN_ZONE = "unknown_zone"
    UNKNOWN_TOPIC = "unknown_topic"


class RemoteError(Exception):
    """The other end sent something that cannot be taken; says why. Nothing was changed by it."""

    def __init__(self, reason: Reason, text: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}: {text}")


class _Versioned(msgspec.Struct):
    v: msgspec.Raw = msgspec.Raw()


_VERSION = msgspec.json.Decoder(_Versioned)
_ENCODER = msgspec.json.Encoder()
_VERSIONS = {str(version).encode(): version for version in VERSIONS_READ}
_DECODERS: dict[type[msgspec.Struct], msgspec.json.Decoder[msgspec.Struct]] = {}


def encode(message: msgspec.Struct) -> bytes:
    """One message as JSON bytes; a message of ours above `SIZE_MAX` is a bug of ours."""
    data = _ENCODER.encode(message)
    assert len(data) <= SIZE_MAX, f"{type(message).__name__} of {len(data)} bytes; at most {SIZE_MAX}"
    return data


def decode(data: bytes, kind: type[T]) -> T:
    """Read one message. Raises RemoteError (oversized, wrong_version, unparsable) and changes nothing."""
    if len(data) > SIZE_MAX:
        raise RemoteError(Reason.OVERSIZED, f"{len(data)} bytes; at most {SIZE_MAX}")
    try:
        data.decode()  # what is skipped or kept raw is not looked at by the decoder, and goes on to the journal
        if "v" in kind.__struct_fields__:
            _check_version(bytes(_VERSION.decode(data).v))
        decoder = _DECODERS.get(kind)
        if decoder is None:
            decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
        message = decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise RemoteError(Reason.UNPARSABLE, _quoted(str(cause))) from cause
    assert isinstance(message, kind)
    return message


def _check_version(found: bytes) -> None:
    if found not in _VERSIONS:
        known = ", ".join(map(str, sorted(VERSIONS_READ)))
        text = f"message version {_quoted(found.decode()) or 'missing'}; read here: {known}"
        raise RemoteError(Reason.WRONG_VERSION, text)


def _quoted(text: str) -> str:
    """Fit to stand in one line of a log, whatever the other end wrote."""
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:SHOWN_MAX])
    return plain if len(text) <= SHOWN_MAX else plain + "…"


def decode_event(raw: msgspec.Raw | bytes) -> Event:
    """Read the event inside an alarm item. Raises RemoteError."""
    return decode(bytes(raw), Event)
