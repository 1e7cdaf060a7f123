"""What is missing of the sequences of one process of a gateway, in one lane.

`came` is what arrived (or needs no sending again), `declared` what the gateway gave up. A number below the highest of
both that is in neither is a hole: `open`, until the hub closes it because the gateway holds nothing more. What arrives
after all is refilled, whatever was said of it. Pure, and the same for both lanes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from dataclasses import replace as replace_dataclass
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from protocol.ranges import Ranges

STATED_MAX = 64
"""Statements kept of one process. Of more the oldest goes (`unlisted`); its ranges stay, without their reason."""
COUNT_MAX = 2**40
"""Records a process can count as missing or lost; more are none that any gateway made, and their sums would not fit 64
bits."""
RUNS_MAX = 4_096
"""Runs of numbers of one process, with holes between them. A gateway sends what is missing again, so that they grow
together; one that makes more must not slow its neighbours down, and what is not urgent of it waits."""
Span = tuple[int, int]


class GapState(StrEnum):
    """How far a missing range has come. Both `declared` (by the gateway) and `closed` (by the hub) are lost."""

    OPEN = "open"
    DECLARED = "declared"
    CLOSED = "closed"


class Stated(msgspec.Struct, frozen=True, array_like=True):
    """Somebody said that `first` to `last` are lost; not all of them need be missing. `at_ms`: hub wall."""

    first: int
    last: int
    state: GapState
    reason: str
    at_ms: int


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was said of a process beside its two sets. Holes up to `closed_to` are closed.

    `lost` and `refilled` count records and never fall: one declared lost that came after all counts in both.
    """

    closed_to: int = 0
    lost: int = 0
    refilled: int = 0
    stated: tuple[Stated, ...] = ()
    unlisted: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """A process of a gateway: its boot (None: nobody said), its two sets, and its account."""

    instance: str
    boot: int | None = None
    came: Ranges = field(default_factory=Ranges)
    declared: Ranges = field(default_factory=Ranges)
    account: Account = field(default_factory=Account)

    def top(self) -> int:
        """The highest number known."""
        return max(self.came.top(), self.declared.top())

    def known(self) -> Ranges:
        """What needs no sending any more: it came, or was given up."""
        return self.came.union(self.declared)


class Missing(msgspec.Struct, frozen=True):
    """A range of records that are not there. Why and since when (hub wall ms), where anybody said so."""

    first: int
    last: int
    state: GapState
    reason: str = ""
    since_ms: int | None = None


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """Records over many processes: in open holes now, ever lost, ever refilled, and `forgotten`: in holes that were
    open when their process was one too many to remember."""

    open: int = 0
    lost: int = 0
    refilled: int = 0
    forgotten: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.open + other.open,
            self.lost + other.lost,
            self.refilled + other.refilled,
            self.forgotten + other.forgotten,
        )


def crowded(runs: Ranges, first: int, last: int | None = None) -> bool:
    """Whether `first` to `last` must wait at their gateway: they would be one more run of a process with too many."""
    last = first if last is None else last
    return len(runs) >= RUNS_MAX and not any(number in runs for number in (first - 1, first, last, last + 1))


def arrived(book: Book, first: int, last: int | None = None, *, top: int | None = None) -> Account:
    """Records arrive, before they are in `came`; those that were missing, below `top` (now), are refilled."""
    top = book.top() if top is None else top
    if first > top:
        return book.account
    new = _minus([(first, min(top, first if last is None else last))], book.came)
    return replace(book.account, refilled=book.account.refilled + _total(new)) if new else book.account


def counted(book: Book, number: int, after: Account) -> Tally:
    """What the arrival of one record, which is not in `came` yet, does to the tally; `after` is the account then."""
    top, closed_to = book.top(), book.account.closed_to
    if max(top, number) > COUNT_MAX:  # counts stop at their bound: only the whole sum tells
        came = book.came.copy()
        came.add(number)
        return change(book, replace_dataclass(book, came=came, account=after))
    if number > top:
        opened = max(0, number - max(top, closed_to) - 1)
    else:
        opened = -(number > closed_to and number not in book.declared)
    return Tally(open=opened, refilled=after.refilled - book.account.refilled)


def given_up(book: Book, first: int, last: int, reason: str, at_ms: int) -> Account:
    """The gateway says that `first` to `last` are lost, before they are in `declared`; what came is not."""
    account = book.account
    fresh = _minus(_minus([(max(first, account.closed_to + 1), last)], book.came), book.declared)
    account = replace(account, lost=min(COUNT_MAX, account.lost + _total(fresh)))
    return _listed(account, Stated(first, last, GapState.DECLARED, reason, at_ms))


def closed(book: Book, to: int, reason: str, at_ms: int) -> Account:
    """The hub closes the open holes up to `to`; the same account when there is none."""
    found = [(first, min(last, to)) for first, last in open_holes(book) if first <= to]
    if not found:
        return book.account
    lost = min(COUNT_MAX, book.account.lost + _total(found))
    account = replace(book.account, closed_to=found[-1][1], lost=lost)
    return _listed(account, Stated(found[0][0], found[-1][1], GapState.CLOSED, reason, at_ms))


def change(before: Book, after: Book) -> Tally:
    """What a change of one book does to the tally it counts in."""
    was, now = before.account, after.account
    return Tally(open_total(after) - open_total(before), now.lost - was.lost, now.refilled - was.refilled)


def open_holes(book: Book) -> list[Span]:
    """Ranges nobody has said anything about."""
    closed_to = book.account.closed_to
    return [(max(first, closed_to + 1), last) for first, last in book.known().holes() if last > closed_to]


def open_total(book: Book) -> int:
    """How many records are in open holes, up to `COUNT_MAX`."""
    return min(COUNT_MAX, _total(open_holes(book)))


def missing(book: Book) -> list[Missing]:
    """Every range that is not there, in order; of several statements about one the newest is shown."""
    found = [Missing(*span, GapState.OPEN) for span in open_holes(book)]
    given = _minus(book.declared, book.came)
    shut = [(first, min(last, book.account.closed_to)) for first, last in book.known().holes()]
    left = {GapState.DECLARED: given, GapState.CLOSED: [span for span in shut if span[0] <= span[1]]}
    for said in reversed(book.account.stated):
        outside = _minus(left[said.state], [(said.first, said.last)])
        inside = _minus(left[said.state], outside)
        found += [Missing(*span, said.state, said.reason, said.at_ms) for span in inside]
        left[said.state] = outside
    found += [Missing(*span, state) for state, spans in left.items() for span in spans]
    return sorted(found, key=lambda one: one.first)


def _listed(account: Account, said: Stated) -> Account:
    """With a statement more; one that goes on from earlier ones of the same reason takes their place."""
    kept = []
    for one in account.stated:
        touches = one.first <= said.last + 1 and said.first <= one.last + 1
        if touches and (one.state, one.reason) == (said.state, said.reason) and said.state is GapState.DECLARED:
            said = replace(said, first=min(one.first, said.first), last=max(one.last, said.last))
        else:
            kept.append(one)
    stated = (*kept, said)
    gone = max(0, len(stated) - STATED_MAX)
    return replace(account, stated=stated[gone:], unlisted=account.unlisted + gone)


def _minus(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The parts of ordered spans that are in none of the others, which are ordered as well."""
    found: list[Span] = []
    others = list(taken)
    at = 0
    for first, last in spans:
        while at < len(others) and others[at][1] < first:
            at += 1
        here = at
        while first <= last and here < len(others) and others[here][0] <= last:
            if others[here][0] > first:
                found.append((first, others[here][0] - 1))
            first = others[here][1] + 1
            here += 1
        if first <= last:
            found.append((first, last))
    return found


def _total(spans: Iterable[Span]) -> int:
    return sum(last - first + 1 for first, last in spans)
