"""Sequences given up by the gateway, told to the hub until it has receipted them: the loss is itself a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SPANS_MAX = 4_096
"""Beyond this the oldest statement is forgotten (and counted); the hub then sees the hole without its reason."""
PER_MESSAGE_MAX = 100


@dataclass(slots=True, eq=False)
class Lost:
    """One run of lost sequences of an instance, with the reason."""

    instance: str
    first: int
    last: int
    reason: str
    boot: int
    kboot: str
    told_ns: int | None = None


class Gaps:
    """The gap statements of one lane that await their receipt."""

    def __init__(self) -> None:
        self._spans: list[Lost] = []
        self.forgotten = 0
        self.changed = False

    def __len__(self) -> int:
        return len(self._spans)

    def __iter__(self) -> Iterator[Lost]:
        return iter(self._spans)

    def add(
        self, instance: str, seq: int, reason: str, boot: int = 0, kboot: str = "", last: int | None = None
    ) -> None:
        """Declare `seq` to `last` lost; a run that goes on from a statement of the same reason widens it."""
        last = seq if last is None else last
        self.changed = True
        for span in reversed(self._spans[-8:]):
            if span.instance == instance and span.reason == reason and span.first <= seq <= span.last + 1:
                span.last = max(span.last, last)
                span.told_ns = None
                return
        if len(self._spans) >= SPANS_MAX:
            del self._spans[0]
            self.forgotten += 1
        self._spans.append(Lost(instance, seq, last, reason, boot, kboot))

    def due(self, now_ns: int, silence_ns: int, instance: str | None) -> list[Lost]:
        """Statements not told within the silence time, of one instance (the given, or that of the first), now told."""
        found: list[Lost] = []
        for span in self._spans:
            if span.told_ns is not None and now_ns - span.told_ns < silence_ns:
                continue
            instance = span.instance if instance is None else instance
            if span.instance == instance and len(found) < PER_MESSAGE_MAX:
                span.told_ns = now_ns
                found.append(span)
        return found

    def undo(self, spans: Iterable[Lost] | None = None) -> None:
        """These (or all) are to be told again at once."""
        for span in self._spans if spans is None else spans:
            span.told_ns = None

    def next_ns(self, silence_ns: int) -> int:
        """When the next statement is due; only asked while there are any."""
        return min(0 if span.told_ns is None else span.told_ns + silence_ns for span in self._spans)

    def covered(self, instance: str, first: int, last: int) -> None:
        """The hub has `first` to `last` on disk: statements wholly inside are done, others shrink."""
        kept: list[Lost] = []
        for span in self._spans:
            if span.instance != instance or span.last < first or span.first > last:
                kept.append(span)
                continue
            self.changed = True
            if span.first < first and span.last > last:
                kept.append(Lost(instance, span.first, first - 1, span.reason, span.boot, span.kboot, span.told_ns))
                span.first = last + 1
                kept.append(span)
            elif span.first < first:
                span.last = first - 1
                kept.append(span)
            elif span.last > last:
                span.first = last + 1
                kept.append(span)
        self._spans = kept
