"""Topics under the root `lf/1` (design: one area is the unit of sharding and of access)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from protocol.ids import is_id

ROOT = "lf/1"


class Channel(StrEnum):
    """The last level of a gateway's topics."""

    BIRTH = "birth"
    SESSION = "session"
    ALARM = "alarm"
    TELEMETRY = "telemetry"
    RECEIPT = "receipt"
    COMMAND = "command"
    REPLY = "reply"
    CONFIG = "config"


UP = (Channel.BIRTH, Channel.SESSION, Channel.ALARM, Channel.TELEMETRY, Channel.REPLY)
"""What gateways publish and the hub reads."""
DOWN = (Channel.RECEIPT, Channel.COMMAND, Channel.CONFIG)
"""What the hub publishes and one gateway reads."""
RESERVED_AREAS = frozenset({"hub"})
RESERVED_GATEWAYS = frozenset({"owner"})
RETAINED = frozenset({Channel.BIRTH, Channel.SESSION, Channel.CONFIG})


class Address(NamedTuple):
    """Whose topic it is and which."""

    area: str
    gateway: str
    channel: Channel


def topic(area: str, gateway: str, channel: Channel) -> str:
    """The topic of one gateway's channel."""
    assert is_id(area) and area not in RESERVED_AREAS, area
    assert is_id(gateway) and gateway not in RESERVED_GATEWAYS, gateway
    return f"{ROOT}/{area}/{gateway}/{channel}"


def parse(text: str) -> Address | None:
    """Take a gateway's topic apart; None for anything else (the hub's own topics and reserved names among them)."""
    parts = text.split("/")
    if len(parts) != 5 or f"{parts[0]}/{parts[1]}" != ROOT:
        return None
    area, gateway, last = parts[2:]
    if not (is_id(area) and is_id(gateway)) or last not in Channel._value2member_map_:
        return None
    if area in RESERVED_AREAS or gateway in RESERVED_GATEWAYS:
        return None
    return Address(area, gateway, Channel(last))


def filters(channels: tuple[Channel, ...], area: str = "+") -> list[str]:
    """Subscriptions of a hub: these channels of every gateway, in one area or in all."""
    return [f"{ROOT}/{area}/+/{channel}" for channel in channels]


def hub_topic(hub: str) -> str:
    """The retained session of a hub; `hub` is a reserved area name."""
    assert is_id(hub) and hub not in RESERVED_GATEWAYS, hub  # it would be the owner of an area called hub
    return f"{ROOT}/hub/{hub}"


def owner_topic(area: str) -> str:
    """The retained owner of an area; `owner` is a reserved gateway name."""
    assert is_id(area), area
    return f"{ROOT}/{area}/owner"
