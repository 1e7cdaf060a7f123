"""What of one lane is sent next, what is in flight, and what is given up when the lane is full.

A record leaves only by the hub's receipt or by a declared gap. No more is in flight than the hub gave credit for; P1
and P2 count among themselves alone, for the hub keeps a space of their own for them. Credit 0 means hold, save one
probe in a while, in case the message that lifts it was lost, and save P1s never sent before: each passes once, few at a
time, so that nobody in danger waits for a probe, and what is sent *again* stays held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from edge.core.entries import NS, Batch, Entry, Key, Limits, Offered, State
from edge.core.flights import Flights
from edge.core.gaps import Gaps
from edge.core.holding import Holding

PASSING_MAX = 16
"""P1s in flight that may have passed a hold: the room a hub always tells (hub.inbox.ROOM_MIN)."""


class Delivery:
    """The sending side of one lane. All times are monotonic ns."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.credit = limits.credit_first
        self.gaps = Gaps()
        self.held = Holding(limits)
        self._flights = Flights(limits, self.held)
        self._holds_since_ns: int | None = None

    def __len__(self) -> int:
        return len(self.held)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.held)

    @property
    def in_flight(self) -> int:
        """Records sent and inside their silence time."""
        return self._flights.flying

    def offer(self, entry: Entry, *, unstored: bool = False) -> Offered:
        """Take a new record, making room by the lane's rule: the least important, of those the oldest, goes first.

        P1 and P2 never go for P3 and P4, nor P1 for P2; a P1 that finds only P1 is held beyond the bounds, unstored.
        What is `unstored` waits a moment for the disk's word before it is sent.
        """
        assert entry.key not in self.held, f"{entry.key} was offered before"
        outcome = Offered()
        while not outcome.full and not self.held.fits(entry):
            victim = self.held.victim(entry)
            if victim is not None:
                self.give_up(victim, "oldest of the least important; the lane was full")
                outcome.dropped.append(victim)
                continue
            outcome.full, outcome.stored = True, False
            if entry.priority > 1 or self.held.extra_left <= 0:
                self._declare(entry, "lane full of more important records")
                outcome.dropped.append(entry)
                return outcome
        self.held.add(entry, extra=outcome.full)
        if unstored and outcome.stored:
            self._flights.await_disk(entry)
        else:
            self._flights.make_ready(entry)
        return outcome

    def stored(self, keys: Iterable[Key]) -> None:
        """The disk has these: what waited for that may go."""
        for instance, seq in keys:
            for entry in self.held.within(instance, seq, seq):
                if _awaits_disk(entry):
                    self._flights.make_ready(entry)

    def give_up(self, entry: Entry, reason: str) -> None:
        """Drop a record and declare the gap."""
        self._remove(entry)
        self._declare(entry, reason)

    def take(self, now_ns: int, bytes_max: int, records_max: int = 500, rank_max: int = 4) -> Batch | None:
        """The next message's worth, now in flight; None when nothing may go.

        At least one record goes however large; `rank_max` 2 takes P1 and P2 only.
        """
        self._flights.expire(now_ns)
        gaps_may_go = self.may_go(now_ns)
        batch: list[Entry] = []
        size = 0
        while len(batch) < records_max and (entry := self._flights.next_ready()) is not None:
            if entry.priority > rank_max or (batch and entry.instance != batch[0].instance):
                break
            if not self.may_go(now_ns, entry):
                break
            if batch and size + len(entry.data) > bytes_max:
                break
            size += len(entry.data)
            self._flights.launch(entry, now_ns)
            batch.append(entry)
        instance = batch[0].instance if batch else None
        lost = self.gaps.due(now_ns, self.limits.silence_ms * NS, instance) if gaps_may_go else []
        if (batch or lost) and self.credit == 0:
            self._holds_since_ns = now_ns
        if batch:
            return Batch(batch[0].instance, batch[0].boot, batch[0].kboot, batch, lost)
        return Batch(lost[0].instance, lost[0].boot, lost[0].kboot, [], lost) if lost else None

    def receipt(self, committed: Mapping[str, Iterable[tuple[int, int]]], credit: int) -> list[Entry]:
        """The hub has these on disk: they leave. Returns those that left."""
        left: list[Entry] = []
        for instance, spans in committed.items():
            for first, last in spans:
                found = self.held.within(instance, first, last)  # what is named twice is found once
                for entry in found:
                    self._remove(entry)
                left += found
                self.gaps.covered(instance, first, last)
        self.credit = credit
        if credit > 0:
            self._holds_since_ns = None
        return left

    def resend(self, fresh_credit: bool = False) -> None:
        """A new connection or a new hub session: everything unreceipted is ready now."""
        if fresh_credit:
            self.credit = self.limits.credit_first
            self._holds_since_ns = None
        for entry in self.held:
            if entry.state is not State.READY and not _awaits_disk(entry):
                self._flights.make_ready(entry)
        self.gaps.undo()

    def next_due_ns(self, now_ns: int) -> int | None:
        """When `take` may have something to give; None when only an offer or a receipt can change that."""
        self._flights.expire(now_ns)
        times = [due_ns] if (due_ns := self._flights.next_ns()) is not None else []
        ready = self._flights.next_ready()
        if ready is not None and self.may_go(now_ns, ready):
            return now_ns
        if self.may_go(now_ns):
            if self.gaps:
                times.append(max(now_ns, self.gaps.next_ns(self.limits.silence_ms * NS)))
        elif self._holds_since_ns is not None and not self._flights.flying and (len(self.held) or self.gaps):
            times.append(self._holds_since_ns + self.limits.probe_ms * NS)
        return min(times, default=None)

    def may_go(self, now_ns: int, entry: Entry | None = None) -> bool:
        """Whether a record (or, without one, a gap statement) may be sent: within its credit, as a hold's probe (for a
        lifting receipt may have been lost), or past the hold as a P1 never sent."""
        flights = self._flights
        if self.credit > 0:
            urgent = entry is not None and entry.priority <= 2
            return (flights.urgent if urgent else flights.flying) < self.credit
        if self._holds_since_ns is None:
            self._holds_since_ns = now_ns
        if entry is not None and entry.priority == 1 and entry.sends == 0 and flights.urgent < PASSING_MAX:
            return True
        return not flights.flying and now_ns - self._holds_since_ns >= self.limits.probe_ms * NS

    def _declare(self, entry: Entry, reason: str) -> None:
        entry.state = State.GONE
        self.gaps.add(entry.instance, entry.seq, reason, entry.boot, entry.kboot)

    def _remove(self, entry: Entry) -> None:
        self._flights.land(entry)
        self.held.remove(entry)


def _awaits_disk(entry: Entry) -> bool:
    return entry.state is State.COOLING and not entry.sends
