"""The contract as an AsyncAPI 3.0 document, made from the code: `python -m protocol.asyncapi > docs/asyncapi.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from protocol.codec import MESSAGES, SIZE_MAX, Reason
from protocol.ids import ID_ALLOWED
from protocol.messages import VERSION, VERSIONS_READ, HubSession, Owner
from protocol.schema import ref, schemas
from protocol.topics import DOWN, RESERVED_AREAS, RESERVED_GATEWAYS, RETAINED, ROOT, UP, Channel

QOS = 1

INTRODUCTION = f"""\
What crosses the wire between a gateway and a hub: MQTT 5, one JSON object in UTF-8 a message.

**Size.** At most {SIZE_MAX} bytes a message; a larger one is refused unread. On a slow link a telemetry message stays
at or below 16384 bytes.

**Versions.** Every message says its version first (`v`, now {VERSION}). Read here: {sorted(VERSIONS_READ)}; a hub reads
version N and N-1. Within a version only optional keys are added: what a reader does not know, it skips.
A reader refuses a message with one of the reasons {", ".join(f"`{reason}`" for reason in Reason)}, and nothing is
changed by it.

**Identity.** A record is (gateway, instance, lane, seq). `instance` is 128 random bits minted when the process starts,
`boot` a persisted counter that orders instances, `seq` counts from 1 in each lane. A record never changes; the same
identity with other bytes is a conflict and is raised, never dropped.

**Receipts.** PUBACK proves nothing. A gateway forgets a record only when a receipt names its sequence, which the hub
sends after its own durable commit. What stays without receipt is sent again, in any order, with its new age.

**Credit.** A receipt's `credit` is how many records without receipt the gateway may have in flight in that lane. Zero
means hold: the gateway keeps its records and sends none until a receipt gives credit.

**Age.** Every item says its age when sent, in ms by the monotonic clock of the gateway; null where that is unknown.
Lateness is judged by age alone, never by comparing clocks.

**Link.** Heartbeats are at most a third of the reporting time apart. Loss is judged by last heard.

**Beyond a schema's reach**, checked by every reader: whole numbers are written without fraction and exponent
(1, not 1.0) and never beyond 64 bits; ranges and gaps run upwards; a signature is 64 bytes; text holds no lone
surrogate.
"""

ABOUT: dict[Channel, str] = {
    Channel.BIRTH: "Who the gateway process is and which zones it watches.",
    Channel.SESSION: "The heartbeat; the Will is the same with `online` false.",
    Channel.ALARM: "The alarm lane, on a connection of its own: telemetry never delays it.",
    Channel.TELEMETRY: "The telemetry lane, batched, on a connection of its own.",
    Channel.RECEIPT: "What the hub has durably committed of one lane, with credit and the hub's time.",
    Channel.COMMAND: "An order signed for this gateway; its id acts once, and never after it expired.",
    Channel.REPLY: "What became of an order or a configuration.",
    Channel.CONFIG: "The site configuration the hub wants; a bad one is refused with reasons and the old one stays.",
}


class Way(NamedTuple):
    """One channel of the document: who sends it, what, where, and whether the broker keeps the last one."""

    name: str
    address: str
    message: type[msgspec.Struct]
    sender: str
    reader: str
    retain: bool
    about: str


def ways() -> Iterator[Way]:
    """Every topic of the contract."""
    for channel, message in MESSAGES.items():
        sender, reader = ("gateway", "hub") if channel in UP else ("hub", "gateway")
        assert channel in UP or channel in DOWN
        address = f"{ROOT}/{{area}}/{{gateway}}/{channel}"
        yield Way(channel.value, address, message, sender, reader, channel in RETAINED, ABOUT[channel])
    hub_about = "The hub is there; its Will has `online` false. A new `session` makes gateways resend at once."
    yield Way("hub", f"{ROOT}/hub/{{hub}}", HubSession, "hub", "gateway", True, hub_about)
    owner_about = "Which hub owns the area, with its fencing token: the higher token wins."
    yield Way("owner", f"{ROOT}/{{area}}/owner", Owner, "hub", "gateway", True, owner_about)


PARAMETERS = {
    "area": {"description": f"Township code. {ID_ALLOWED}. Reserved: {', '.join(sorted(RESERVED_AREAS))}."},
    "gateway": {"description": f"Gateway id. {ID_ALLOWED}. Reserved: {', '.join(sorted(RESERVED_GATEWAYS))}."},
    "hub": {"description": f"Hub id. {ID_ALLOWED}. Reserved: {', '.join(sorted(RESERVED_GATEWAYS))}."},
}


def document() -> dict[str, Any]:
    """The whole document, ready for JSON."""
    all_ways = list(ways())
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Lianfang wire", "version": f"{VERSION}.0.0", "description": INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {"broker": _server()},
        "channels": {way.name: _channel(way) for way in all_ways},
        "operations": {name: operation for way in all_ways for name, operation in _operations(way)},
        "components": {
            "messages": {way.message.__name__: _message(way) for way in all_ways},
            "parameters": PARAMETERS,
            "schemas": schemas(),
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "broker.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5.0",
        "description": "Client certificates. A gateway keeps one connection a lane: neither waits for another.",
    }


def _channel(way: Way) -> dict[str, Any]:
    used = {name: {"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS if f"{{{name}}}" in way.address}
    name = way.message.__name__
    return {
        "address": way.address,
        "description": way.about,
        "parameters": used,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operations(way: Way) -> Iterator[tuple[str, dict[str, Any]]]:
    for end, action in ((way.sender, "send"), (way.reader, "receive")):
        operation: dict[str, Any] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{way.name}"},
            "summary": f"The {end} {'sends' if action == 'send' else 'receives'} {way.message.__name__}.",
            "tags": [{"name": end}],
            "messages": [{"$ref": f"#/channels/{way.name}/messages/{way.message.__name__}"}],
            "bindings": {"mqtt": {"qos": QOS, "retain": way.retain, "bindingVersion": "0.2.0"}},
        }
        if way.name in (Channel.COMMAND, Channel.CONFIG):
            messages = [{"$ref": "#/channels/reply/messages/Reply"}]
            operation["reply"] = {"channel": {"$ref": "#/channels/reply"}, "messages": messages}
        yield f"{end}-{action}-{way.name}", operation


CORRELATED = {
    Channel.COMMAND: ("$message.payload#/order/id", "The order's id, which the reply names."),
    Channel.CONFIG: ("$message.payload#/sha256", "The configuration's digest, which the reply names."),
    Channel.REPLY: ("$message.payload#/order", "The id of the order, or the digest of the configuration."),
}


def _message(way: Way) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": way.message.__name__,
        "contentType": "application/json",
        "summary": way.about,
        "payload": ref(way.message),
        "bindings": {"mqtt": {"contentType": "application/json", "bindingVersion": "0.2.0"}},
    }
    for channel, (location, description) in CORRELATED.items():
        if channel == way.name:
            message["correlationId"] = {"location": location, "description": description}
    return message


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
