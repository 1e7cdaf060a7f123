"""The golden samples, and how both ends read them to the last field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from protocol.asyncapi import ways
from protocol.codec import decode, decode_event, encode
from protocol.messages import AlarmItem, Command, Order
from protocol.schema import REF, schemas

FOLDER = Path(__file__).resolve().parents[2] / "protocol" / "samples"
SAMPLES: dict[str, bytes] = {path.stem: path.read_bytes().removesuffix(b"\n") for path in sorted(FOLDER.glob("*.json"))}
MESSAGE = {way.name: way.message for way in ways()}
SCHEMAS = schemas()
# The secret of RFC 8032's first test: known to everybody, good for samples only.
SAMPLE_KEY = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


def kind_of(sample: str) -> type[msgspec.Struct]:
    """The message a sample holds: its file is called after the channel."""
    return MESSAGE[sample.partition("-")[0]]


def inner(value: Any) -> Any:
    """The value with every raw part read as well, the way the far end finally sees it. Raises RemoteError."""
    if isinstance(value, AlarmItem):
        return (AlarmItem, value.age_ms, decode_event(value.event))
    if isinstance(value, Command):
        return (Command, value.key, decode(bytes(value.order), Order))
    if isinstance(value, msgspec.Struct):
        return (type(value), *(inner(getattr(value, name)) for name in value.__struct_fields__))
    if isinstance(value, list):
        return [inner(part) for part in value]
    return value


def read(data: bytes, kind: type[msgspec.Struct]) -> Any:
    """Decode a message to its last field. Raises RemoteError."""
    return inner(decode(data, kind))


def encode_again(message: Any) -> bytes:
    """Encode a decoded message with its raw parts made anew from what was read in them."""
    if isinstance(message, Command):
        order = encode(decode(bytes(message.order), Order))
        return encode(msgspec.structs.replace(message, order=msgspec.Raw(order)))
    if message.__struct_fields__[-2:] == ("items", "gaps") and message.items and hasattr(message.items[0], "event"):
        items = [AlarmItem(item.age_ms, msgspec.Raw(encode(decode_event(item.event)))) for item in message.items]
        return encode(msgspec.structs.replace(message, items=items))
    return encode(message)


def schema_of(node: dict[str, Any], value: Any) -> dict[str, Any]:
    """The schema behind references and 'or null', for this value."""
    if "$ref" in node:
        return SCHEMAS[node["$ref"].removeprefix(REF.format(name=""))]
    if "anyOf" in node:
        chosen = [part for part in node["anyOf"] if (part.get("type") == "null") == (value is None)]
        return schema_of(chosen[0], value)
    return node
