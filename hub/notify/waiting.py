"""What waits to leave over one channel: its order, its bound, its rates, its repeats. Time and chance are arguments."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

from msgspec.structs import replace

from hub.notify.notice import Outcome, Posting, Refused, Sent, State, TryLater, Withheld
from hub.notify.table import Channels, ChannelTable
from protocol.kinds import Priority

MINUTE_MS = 60_000
BACKOFF_MS_FIRST = 1_000
BACKOFF_MS_MAX = 60_000
Same: TypeAlias = tuple[str, str, str, str, str]


def same(posting: Posting) -> Same:
    """What repeats are folded by: a new rung, or another recipient, is never a repeat."""
    return (posting.area, posting.incident or posting.why, posting.sort, posting.rung, posting.to)


@dataclass(slots=True)
class _Waits:
    posting: Posting
    ready_ms: int
    until_ms: int
    away: bool = False


@dataclass(slots=True)
class _Rate:
    """What was tried in the last minute."""

    limit: int
    tries: deque[int] = field(default_factory=deque)

    def free_ms(self, now_ms: int) -> int:
        """When one more may be made."""
        while self.tries and self.tries[0] <= now_ms - MINUTE_MS:
            self.tries.popleft()
        return now_ms if len(self.tries) < self.limit else self.tries[0] + MINUTE_MS


class Waiting:
    """One channel's queue: what is most urgent goes first, then what is oldest. Drills go after all that is real, take
    nothing of its rates, and are the first victims."""

    def __init__(self, channel: ChannelTable, rules: Channels) -> None:
        self._channel = channel
        self._rules = rules
        self._waits: dict[str, _Waits] = {}
        self._rate = _Rate(channel.per_min)
        self._rates: dict[str, _Rate] = {}
        self._last: dict[Same, tuple[int, Posting]] = {}

    def __len__(self) -> int:
        return len(self._waits)

    def put(self, posting: Posting, now_ms: int) -> list[Posting]:
        """Take one in. Gives what changed by it: the one it was folded into, or itself, and the victim of a full
        queue."""
        for known in self._waits.values():
            if not known.away and same(known.posting) == same(posting):
                known.posting = _folded(known.posting, posting)
                if not self._repeats(known.posting, now_ms):
                    known.ready_ms = min(known.ready_ms, self._leaves_ms(known.posting, now_ms))
                return [known.posting]
        ready_ms = self._leaves_ms(posting, now_ms)
        until_ms = max(posting.at_ms, ready_ms) + self._rules.give_up_s[posting.priority - 1] * 1_000
        self._waits[posting.id] = _Waits(posting, ready_ms, until_ms)
        victim = self._victim() if len(self._waits) > self._channel.queue_max else None
        if victim is None:
            return [posting]
        del self._waits[victim.id]
        dropped = replace(victim, state=State.DROPPED, changed_ms=now_ms, detail="the queue was full")
        return [dropped] if victim.id == posting.id else [posting, dropped]

    def take(self, now_ms: int) -> Posting | None:
        """The next that may leave now; it is away until its outcome `came`."""
        ready = [one for one in self._waits.values() if self._free_ms(one, now_ms) <= now_ms and not one.away]
        if not ready:
            return None
        first = min(ready, key=_urgency)
        first.away = True
        if not first.posting.drill:
            self._rate.tries.append(now_ms)
        if not first.posting.tries and not first.posting.drill:
            self._rates.setdefault(first.posting.to, _Rate(self._channel.per_recipient_min)).tries.append(now_ms)
        first.posting = replace(first.posting, tries=first.posting.tries + 1)
        return first.posting

    def next_ms(self, now_ms: int) -> int | None:
        """When to look again; None when nothing waits."""
        return min((self._free_ms(one, now_ms) for one in self._waits.values() if not one.away), default=None)

    def came(self, posting: Posting, outcome: Outcome, now_ms: int, chance: float) -> Posting | None:
        """What a try came to; `chance` in [0, 1) spreads the next one. Gives how it fares now; None when it was taken
        out meanwhile: a delivery report was faster."""
        known = self._waits.get(posting.id)
        if known is None:
            return None
        known.away = False
        if isinstance(outcome, Sent):
            self._remember(posting, now_ms)
            return self._ended(replace(posting, state=State.SENT, changed_ms=now_ms, detail="", theirs=outcome.theirs))
        if isinstance(outcome, Withheld):
            words = "a drill: nothing leaves"
            return self._ended(replace(posting, state=State.DRILL, changed_ms=now_ms, detail=words))
        if isinstance(outcome, Refused):
            return self._ended(replace(posting, state=State.FAILED, changed_ms=now_ms, detail=outcome.why))
        if now_ms >= known.until_ms:
            why = f"gave up after {posting.tries} tries: {outcome.why}"
            return self._ended(replace(posting, state=State.FAILED, changed_ms=now_ms, detail=why))
        known.ready_ms = min(now_ms + _wait_ms(posting.tries, outcome, chance), known.until_ms)
        known.posting = replace(posting, changed_ms=now_ms, detail=outcome.why)
        return known.posting

    def end(self, posting: str) -> Posting | None:
        """Take one out, on its way or not."""
        found = self._waits.pop(posting, None)
        return found.posting if found is not None else None

    def is_here(self, posting: str) -> bool:
        """Whether it waits and is not on its way."""
        return posting in self._waits and not self._waits[posting].away

    def remember(self, posting: Posting) -> None:
        """One that was sent before a restart, so that a repeat of it is known as one."""
        self._remember(posting, posting.changed_ms)

    def _remember(self, posting: Posting, now_ms: int) -> None:
        fold_ms = self._rules.fold_s * 1_000
        for old in [key for key, (sent_ms, _) in self._last.items() if sent_ms <= now_ms - fold_ms]:
            del self._last[old]
        for quiet in [to for to, rate in self._rates.items() if not rate.tries or rate.tries[-1] <= now_ms - MINUTE_MS]:
            del self._rates[quiet]
        self._last[same(posting)] = (now_ms, posting)

    def _repeats(self, posting: Posting, now_ms: int) -> int:
        """Until when it waits as a mere repeat, 0 when it is none: every press, and what is more urgent, goes out."""
        sent_ms, before = self._last.get(same(posting), (0, posting))
        more = posting.presses > before.presses or posting.priority < before.priority
        until_ms = sent_ms + self._rules.fold_s * 1_000
        return 0 if before is posting or more or until_ms <= now_ms else until_ms

    def _leaves_ms(self, posting: Posting, now_ms: int) -> int:
        if posting.drill:
            return now_ms
        return self._rules.quiet_until_ms(posting.priority, max(now_ms, self._repeats(posting, now_ms)))

    def _free_ms(self, one: _Waits, now_ms: int) -> int:
        """When it may leave; a try again is no other message to its recipient."""
        if one.posting.drill:
            return max(one.ready_ms, now_ms)
        rate = self._rates.get(one.posting.to) if not one.posting.tries else None
        return max(one.ready_ms, self._rate.free_ms(now_ms), rate.free_ms(now_ms) if rate is not None else now_ms)

    def _victim(self) -> Posting | None:
        waiting = [one for one in self._waits.values() if not one.away]
        return max(waiting, key=_urgency).posting if waiting else None

    def _ended(self, posting: Posting) -> Posting:
        del self._waits[posting.id]
        return posting


def _urgency(one: _Waits) -> tuple[bool, Priority, int]:
    return (one.posting.drill, one.posting.priority, one.posting.at_ms)


def _folded(before: Posting, again: Posting) -> Posting:
    return replace(
        before,
        count=before.count + again.count,
        why=again.why,
        presses=max(before.presses, again.presses),
        priority=min(before.priority, again.priority),
        changed_ms=again.changed_ms,
    )


def _wait_ms(tries: int, outcome: TryLater, chance: float) -> int:
    """Doubling, spread over its upper half; never sooner than the far end asked."""
    full_ms = min(BACKOFF_MS_FIRST << min(tries - 1, 16), BACKOFF_MS_MAX)
    return max(int(full_ms * (1 + chance) / 2), int((outcome.after_s or 0) * 1_000))
