"""Receipts: what is on disk, and how much more a gateway may send."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.codec import encode
from protocol.messages import VERSION, Receipt
from protocol.ranges import Ranges
from protocol.records import Lane

SPANS_MAX = 2_000
"""Ranges in one receipt; the lowest and the highest of an instance are told, the rest once those grew together."""
INSTANCES_MAX = 32


def receipt(
    hub: str,
    lane: Lane,
    marks: dict[str, Ranges],
    credit: int,
    hub_ms: int,
    first: Iterable[str] = (),
    boot: int = 0,
) -> bytes:
    """The bytes of one receipt, bounded to what fits a message: instances named `first`, then those started last.

    `marks` has the newest instance last.
    """
    committed: dict[str, list[tuple[int, int]]] = {}
    left = SPANS_MAX
    told = dict.fromkeys([*(instance for instance in first if instance in marks), *reversed(marks)])
    for instance in list(told)[:INSTANCES_MAX]:
        spans = _ends(list(marks[instance]), left)
        left -= len(spans)
        if spans:
            committed[instance] = spans
    return encode(Receipt(VERSION, hub, lane, committed, credit, hub_ms, boot))


def credit(limit: int, room: int, *, held: bool) -> int:
    """How many records a gateway may have on the way: none while the store is down, never more than there is room."""
    return 0 if held else max(0, min(limit, room))


def _ends(spans: list[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
    """The newest are among them: who waits for a lamp must not wait for old holes to be filled."""
    if len(spans) <= limit:
        return spans
    high = limit // 2
    return spans[: limit - high] + (spans[-high:] if high else [])
