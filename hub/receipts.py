"""Receipts: what is on disk, and how much more a gateway may send."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.codec import encode
from protocol.messages import VERSION, Receipt
from protocol.ranges import Ranges
from protocol.records import Lane

SPANS_MAX = 2_000
"""Ranges in one receipt; the lowest are told first, the rest once those have grown together."""
INSTANCES_MAX = 64


def receipt(hub: str, lane: Lane, marks: Mapping[str, Ranges], credit: int, hub_ms: int) -> bytes:
    """The bytes of one receipt, bounded to what fits a message."""
    committed: dict[str, list[tuple[int, int]]] = {}
    left = SPANS_MAX
    for instance, ranges in list(marks.items())[-INSTANCES_MAX:]:
        spans = list(ranges)[:left]
        left -= len(spans)
        if spans:
            committed[instance] = spans
    return encode(Receipt(VERSION, hub, lane, committed, credit, hub_ms))


def credit(limit: int, room: int, *, held: bool) -> int:
    """How many records a gateway may have on the way: none while the store is down, never more than there is room."""
    return 0 if held else max(0, min(limit, room))
