"""What is heard of gateways, as inputs of the desk: records, gaps, links, replies. All times are hub wall ms."""

from __future__ import annotations

import msgspec

from protocol.messages import Result
from protocol.records import Event


class Recorded(msgspec.Struct, frozen=True, tag="recorded", omit_defaults=True):
    """An alarm record arrived. `age_ms` is its age when it arrived as the gateway stated it; None where unknown.

    `kboot` is the kernel boot its monotonic time counts in; empty in entries of a journal that does not say it yet.
    """

    area: str
    gateway: str
    instance: str
    boot: int
    event: Event
    age_ms: int | None = None
    kboot: str = ""


class Conflicted(msgspec.Struct, frozen=True, tag="conflicted"):
    """A record came with a known identity and other bytes; both are kept, and somebody must look."""

    area: str
    gateway: str
    instance: str
    boot: int
    event: Event
    age_ms: int | None = None
    kboot: str = ""


class Gapped(msgspec.Struct, frozen=True, tag="gapped", omit_defaults=True):
    """Alarm sequences are lost: the gateway gave them up, or (`by_hub`) it holds nothing more of the holes among them.

    What the hub closes is never receipted, so a gateway that has it all the same goes on sending it.
    """

    area: str
    gateway: str
    instance: str
    first: int
    last: int
    reason: str
    boot: int | None = None
    by_hub: bool = False


class Linked(msgspec.Struct, frozen=True, tag="linked"):
    """A gateway was heard again (`up`), or not heard for its reporting time. `heard_ms`: last heard before."""

    area: str
    gateway: str
    up: bool
    heard_ms: int


class Twinned(msgspec.Struct, frozen=True, tag="twinned"):
    """Two gateways speak under one name: `rightful` is the process that is obeyed, `seconds` are the others. None of
    these: there is one again."""

    area: str
    gateway: str
    rightful: str
    seconds: list[str]


class Replied(msgspec.Struct, frozen=True, tag="replied"):
    """A gateway answered an order."""

    area: str
    gateway: str
    order: str
    results: list[Result]
