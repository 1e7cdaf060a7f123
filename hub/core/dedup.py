"""Which records were taken: sequence ranges per process instance of a gateway, gaps declared lost kept apart."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from hub.core.context import Context
from hub.core.io import Conflicted, Gapped, Recorded
from hub.core.state import Tables
from protocol.ranges import Ranges

INSTANCES_MAX = 256
"""Instances remembered per gateway; the one with the lowest boot goes first (a record resent from 256
process starts ago would count as new)."""
CONFLICTS_MAX = 64


def take(ctx: Context, item: Recorded) -> bool:
    """Remember the record; False when it was taken before."""
    key = (ctx.area, item.gateway, item.instance)
    seen = ctx.tables.seen.get(key)
    if seen is not None and item.event.seq in seen:
        return False
    ctx.tables.seen.put(key, _with(seen, item.event.seq, item.event.seq))
    _know(ctx, item.gateway, item.boot, item.instance)
    return True


def take_conflict(ctx: Context, item: Conflicted) -> str | None:
    """Remember the other bytes of a known identity; their digest, or None when those were taken before too."""
    key = (ctx.area, item.gateway, item.instance)
    digest = f"{item.event.seq}-{sha256(msgspec.json.encode(item.event)).hexdigest()[:16]}"
    known = ctx.tables.conflicts.get(key) or ()
    if digest in known:
        return None
    ctx.tables.conflicts.put(key, (*known, digest)[-CONFLICTS_MAX:])
    return digest


def take_gap(ctx: Context, item: Gapped) -> bool:
    """Remember sequences as given up, so that they are receipted; False when nothing of it is new.

    A record of a gap that does arrive is taken all the same.
    """
    key = (ctx.area, item.gateway, item.instance)
    gaps = ctx.tables.gaps.get(key)
    now = _with(gaps, item.first, item.last)
    if now == gaps:
        return False
    ctx.tables.gaps.put(key, now)
    _know(ctx, item.gateway, None, item.instance)
    return True


def marks(tables: Tables, area: str, gateway: str) -> dict[str, Ranges]:
    """Committed ranges of each instance, gaps included."""
    found: dict[str, Ranges] = {}
    for _, instance in tables.instances.committed((area, gateway)) or ():
        key = (area, gateway, instance)
        both = (tables.seen.committed(key) or Ranges()).copy()
        for first, last in tables.gaps.committed(key) or ():
            both.add(first, last)
        found[instance] = both
    return found


def _with(ranges: Ranges | None, first: int, last: int) -> Ranges:
    now = Ranges() if ranges is None else ranges.copy()
    now.add(first, last)
    return now


def _know(ctx: Context, gateway: str, boot: int | None, instance: str) -> None:
    key = (ctx.area, gateway)
    known = ctx.tables.instances.get(key) or ()
    had = next((b for b, i in known if i == instance), None)
    # A gap may come before the first record of its instance, and does not say the boot: as new until one does.
    boot = boot if boot is not None else had if had is not None else 2**63 - 1
    if had == boot:
        return
    now = sorted([*((b, i) for b, i in known if i != instance), (boot, instance)])
    for _, gone in now[:-INSTANCES_MAX]:
        for table in (ctx.tables.seen, ctx.tables.gaps):
            table.put((ctx.area, gateway, gone), None)
        ctx.tables.conflicts.put((ctx.area, gateway, gone), None)
    ctx.tables.instances.put(key, tuple(now[-INSTANCES_MAX:]))
