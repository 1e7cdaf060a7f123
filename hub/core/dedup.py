"""Which records were taken: sequence ranges per process instance of a gateway, gaps declared lost kept apart."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from hub.core import ledger
from hub.core.context import Context
from hub.core.heard import Conflicted, Gapped, Recorded
from hub.core.ledger import Account, Book, Tally
from hub.core.state import Tables
from protocol.kinds import Priority
from protocol.ranges import Ranges

INSTANCES_MAX = 256
"""Instances remembered per gateway; the one with the lowest boot goes first (a record resent from 256
process starts ago would count as new), and what was open of it is counted as forgotten."""
CONFLICTS_MAX = 64
UNKNOWN_BOOT = 2**63 - 1
"""Of an instance that only a gap told of, without its boot: as new until a record says more."""


def take(ctx: Context, item: Recorded) -> bool:
    """Remember the record; False when it was taken before."""
    key = (ctx.area, item.gateway, item.instance)
    seq, before = item.event.seq, _book(ctx.tables, key)
    if seq in before.came:
        return False
    ctx.tables.seen.put(key, extended(before.came, seq, seq))
    if seq != before.top() + 1:
        account = ledger.arrived(before, seq)
        if account != before.account:
            ctx.tables.accounts.put(key, account)
        _count(ctx, ledger.counted(before, seq, account))
    know(ctx, item.gateway, item.boot, item.instance)
    return True


def crowded(ctx: Context, item: Recorded) -> bool:
    """Whether it must wait at its gateway, whose process has too many holes. P1 and P2 never do."""
    if item.event.priority <= Priority.P2:
        return False
    came = ctx.tables.seen.get((ctx.area, item.gateway, item.instance))
    return came is not None and ledger.crowded(came, item.event.seq)


def crowded_gap(ctx: Context, item: Gapped) -> bool:
    """Whether it must wait at its gateway, which gave up too many ranges that do not touch."""
    declared = ctx.tables.gaps.get((ctx.area, item.gateway, item.instance))
    return declared is not None and not item.by_hub and ledger.crowded(declared, item.first, item.last)


def take_conflict(ctx: Context, item: Conflicted) -> str | None:
    """Remember the other bytes of a known identity; their digest, or None when those were taken before too."""
    key = (ctx.area, item.gateway, item.instance)
    digest = f"{item.event.seq}-{sha256(msgspec.json.encode(item.event)).hexdigest()[:16]}"
    known = ctx.tables.conflicts.get(key) or ()
    if digest in known:
        return None
    ctx.tables.conflicts.put(key, (*known, digest)[-CONFLICTS_MAX:])
    return digest


def take_gap(ctx: Context, item: Gapped) -> int | None:
    """Remember sequences as given up, so that they are receipted, or the holes up to `last` as closed by the hub.

    How many records that names; None when nothing of it is new. A record of a gap that does arrive is taken all the
    same.
    """
    key = (ctx.area, item.gateway, item.instance)
    before = _book(ctx.tables, key)
    if item.by_hub:
        after = ledger.closed(before, item.last, item.reason, ctx.at_ms)
        if after == before.account:
            return None
        _account(ctx, key, before, after)
        return after.lost - before.account.lost
    declared = extended(before.declared, item.first, item.last)
    if declared == before.declared:
        return None
    ctx.tables.gaps.put(key, declared)
    _account(ctx, key, before, ledger.given_up(before, item.first, item.last, item.reason, ctx.at_ms))
    know(ctx, item.gateway, item.boot, item.instance)
    return item.last - item.first + 1


def marks(tables: Tables, area: str, gateway: str) -> dict[str, Ranges]:
    """Committed ranges of each instance, gaps included."""
    return {book.instance: book.known() for book in books(tables, area, gateway)}


def books(tables: Tables, area: str, gateway: str) -> list[Book]:
    """What is committed of each instance, the lowest boot first."""
    return [
        Book(
            instance,
            None if boot == UNKNOWN_BOOT else boot,
            tables.seen.committed((area, gateway, instance)) or Ranges(),
            tables.gaps.committed((area, gateway, instance)) or Ranges(),
            tables.accounts.committed((area, gateway, instance)) or Account(),
        )
        for boot, instance in tables.instances.committed((area, gateway)) or ()
    ]


def _book(tables: Tables, key: tuple[str, str, str]) -> Book:
    came, declared = tables.seen.get(key) or Ranges(), tables.gaps.get(key) or Ranges()
    return Book(key[2], None, came, declared, tables.accounts.get(key) or Account())


def _account(ctx: Context, key: tuple[str, str, str], before: Book, now: Account) -> None:
    """Keep the account of a process whose sets were changed, and the tally of its area."""
    if now != before.account:
        ctx.tables.accounts.put(key, now)
    _count(ctx, ledger.change(before, _book(ctx.tables, key)))


def _count(ctx: Context, change: Tally) -> None:
    if change != Tally():
        ctx.tables.tallies.put((ctx.area,), (ctx.tables.tallies.get((ctx.area,)) or Tally()) + change)


def boot(tables: Tables, area: str, gateway: str) -> int:
    """The highest boot number committed for a gateway."""
    known = tables.instances.committed((area, gateway)) or ()
    return max((boot for boot, _ in known if boot != UNKNOWN_BOOT), default=0)


def extended(ranges: Ranges, first: int, last: int) -> Ranges:
    """The ranges with one more span."""
    now = ranges.copy()
    now.add(first, last)
    return now


def know(ctx: Context, gateway: str, boot: int | None, instance: str) -> None:
    """A process of a gateway was heard of; `boot` where its number is known. The oldest beyond INSTANCES_MAX go."""
    key = (ctx.area, gateway)
    known = ctx.tables.instances.get(key) or ()
    had = next((b for b, i in known if i == instance), None)
    boot = boot if boot is not None else had if had is not None else UNKNOWN_BOOT
    if had == boot:
        return
    now = sorted([*((b, i) for b, i in known if i != instance), (boot, instance)])
    for _, gone in now[:-INSTANCES_MAX]:
        _forget(ctx, (ctx.area, gateway, gone))
    ctx.tables.instances.put(key, tuple(now[-INSTANCES_MAX:]))


def _forget(ctx: Context, key: tuple[str, str, str]) -> None:
    if left := ledger.open_total(_book(ctx.tables, key)):
        _count(ctx, Tally(open=-left, forgotten=left))
    for table in (ctx.tables.seen, ctx.tables.gaps):
        table.put(key, None)
    ctx.tables.accounts.put(key, None)
    ctx.tables.conflicts.put(key, None)
