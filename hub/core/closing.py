"""When a hole nobody explained is closed: its gateway says that it holds nothing more of that lane.

Pure; times are the gateway's monotonic ns as its sessions state them. A session of a process S that says "nothing
waits" was written when every record S has was receipted, so what the hub does not have then is gone. Three things could
make that untrue, and are waited out:

- The session was written before the record that shows the hole was made, and arrived after it over the other lane's
  connection. So a hole must have been seen at a session of S written at least `SETTLED_MS` before: far longer than a
  link lives on which nothing moves.
- The hole is of another process than S, which is alive: a cloned card. So while that other is heard its holes stay.
- S was begun on another card, and the other process will come back. Where its boot number is not below that of S,
  nobody can tell, so a day must pass.

A closing is never receipted: should all this fail, the gateway goes on sending, and the hole is refilled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from hub.core import ledger
from hub.core.ledger import Book
from protocol.messages import Session
from protocol.records import Lane

SETTLED_MS = 60_000
STRANGER_MS = 24 * 3_600_000
NS = 1_000_000
REASON = "the gateway no longer has them"
Place: TypeAlias = tuple[str, str, Lane]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the open holes of a process from `first` up to `last`."""

    instance: str
    boot: int | None
    first: int
    last: int


@dataclass(slots=True)
class _Watch:
    """A process with holes, the highest of which ended at `last` when a session was written at `since_ns`."""

    since_ns: int
    last: int


@dataclass(slots=True)
class _Place:
    speaker: str
    watched: dict[str, _Watch] = field(default_factory=dict)


class Closing:
    """What is watched of each gateway and lane: only processes with open holes, so as many as there are books."""

    def __init__(self) -> None:
        self._places: dict[Place, _Place] = {}

    def heard(self, area: str, gateway: str, instance: str) -> None:
        """A process said something just now, in whichever lane."""
        for lane in Lane:
            place = self._places.get((area, gateway, lane))
            if place is not None and place.speaker != instance:
                place.watched.pop(instance, None)

    def session(self, area: str, gateway: str, lane: Lane, session: Session, books: Sequence[Book]) -> list[Close]:
        """What a session that was just heard, live and not of an older connection, closes; `books` as committed."""
        if not session.online or session.at is None:
            return []
        key, now_ns = (area, gateway, lane), session.at.mono_ns
        bounds = {book.instance: holes for book in books if (holes := ledger.open_holes(book))}
        if not bounds:
            self._places.pop(key, None)
            return []
        place = self._places.get(key)
        if place is None or place.speaker != session.instance:
            place = self._places[key] = _Place(session.instance)
        place.watched = {instance: watch for instance, watch in place.watched.items() if instance in bounds}
        found = []
        for book in books:
            if book.instance not in bounds:
                continue
            first, last = bounds[book.instance][0][0], bounds[book.instance][-1][1]
            watch = place.watched.get(book.instance)
            if watch is None or now_ns < watch.since_ns:
                place.watched[book.instance] = _Watch(now_ns, last)
            elif now_ns - watch.since_ns >= _limit_ms(book, session) * NS and session.queued.get(lane) == 0:
                if first <= watch.last:
                    found.append(Close(book.instance, book.boot, first, watch.last))
                place.watched[book.instance] = _Watch(now_ns, last)
        return found


def _limit_ms(book: Book, session: Session) -> int:
    older = book.boot is not None and book.boot < session.boot
    return SETTLED_MS if older or book.instance == session.instance else STRANGER_MS
