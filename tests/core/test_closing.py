"""When the hub closes a hole: only on the word of the process that would still have the record, and not too soon."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.closing import Closing
from hub.core.ledger import Account, Book
from protocol.messages import Session
from protocol.ranges import Ranges
from protocol.records import ClockQuality, Lane, Stamp

ME, OTHER = "1" * 32, "2" * 32
DAY_S = 86_400
Said = tuple[Any, ...]


def holes(instance: str = ME, boot: int | None = 5, *came: int, closed_to: int = 0) -> Book:
    return Book(instance, boot, Ranges((seq, seq) for seq in came or (1, 4)), Ranges(), Account(closed_to=closed_to))


def told(closing: Closing, uptime_s: int, *books: Book, **more: Any) -> list[Said]:
    """A session of this process heard now; what it closes as (instance, first, last)."""
    at = Stamp(uptime_s * 10**9, 0, ClockQuality.UNSET)
    given: dict[str, Any] = {
        "instance": ME,
        "boot": 5,
        "queued": {Lane.ALARM: 0, Lane.TELEMETRY: 0},
        "online": True,
        "at": at,
    }
    session = Session(v=1, connection=1, **given | more)
    found = closing.session("a", "gw", Lane.ALARM, session, books)
    return [(one.instance, one.first, one.last) for one in found]


def test_a_hole_is_closed_once_its_process_has_long_held_nothing() -> None:
    """The second session that holds nothing, a minute after the first that the hole was seen at."""
    closing = Closing()
    found = [told(closing, at_s, holes()) for at_s in (100, 130, 159, 160)]
    assert [[], [], [], [(ME, 2, 3)]] == found


def test_a_hole_is_closed_from_its_first_to_its_last_in_one() -> None:
    """As one statement, however many ranges there are; what was closed before is not in it."""
    closing = Closing()
    book = holes(ME, 5, 1, 4, 6, 9, 12, closed_to=5)
    assert [[], [(ME, 7, 11)]] == [told(closing, at_s, book) for at_s in (0, 60)]


def test_a_hole_that_showed_meanwhile_waits_its_own_time() -> None:
    """Each hole was seen at a session a minute before."""
    closing = Closing()
    told(closing, 0, holes())
    assert [(ME, 2, 3)] == told(closing, 60, holes(ME, 5, 1, 4, 9))
    assert [] == told(closing, 90, holes(ME, 5, 1, 4, 9, closed_to=3))
    assert [(ME, 5, 8)] == told(closing, 120, holes(ME, 5, 1, 4, 9, closed_to=3))


def test_what_was_filled_meanwhile_is_not_closed() -> None:
    """Nothing is left to close, and a new hole of the process begins its time anew."""
    closing = Closing()
    told(closing, 0, holes())
    assert [] == told(closing, 60, holes(ME, 5, 1, 2, 3, 4))
    assert [] == told(closing, 61, holes(ME, 5, 1, 2, 3, 4, 9))


@pytest.mark.parametrize(
    "more",
    [
        {"queued": {Lane.ALARM: 1, Lane.TELEMETRY: 0}},
        {"queued": {Lane.TELEMETRY: 0}},
        {"queued": {}},
        {"online": False},
        {"at": None},
    ],
    ids=["something waits", "not said of this lane", "nothing said", "a Will", "without its time"],
)
def test_a_session_that_does_not_say_so_closes_nothing(more: dict[str, Any]) -> None:
    """Only a live word that nothing waits in this very lane, with the time it was written."""
    closing = Closing()
    told(closing, 0, holes())
    assert [] == told(closing, 60, holes(), **more)
    assert [(ME, 2, 3)] == told(closing, 61, holes())


def test_a_lane_is_judged_by_itself() -> None:
    """Nothing waiting for telemetry says nothing of alarms."""
    closing = Closing()
    queued = {Lane.ALARM: 3, Lane.TELEMETRY: 0}
    assert [[], []] == [told(closing, at_s, holes(), queued=queued) for at_s in (0, 600)]


def test_an_older_process_of_the_card_is_closed_by_the_one_that_runs() -> None:
    """Its records would wait in the outbox that the running process took up."""
    closing = Closing()
    assert [[], [(OTHER, 2, 3)]] == [told(closing, at_s, holes(OTHER, 4)) for at_s in (0, 60)]


@pytest.mark.parametrize("boot", [5, 6, None], ids=["same boot", "higher boot", "no boot known"])
def test_a_process_of_another_card_is_given_a_day(boot: int | None) -> None:
    """A cloned or replaced card: its records are not in the outbox of who speaks, and it may come back."""
    closing = Closing()
    times_s = (0, 60, DAY_S - 1, DAY_S)
    found = [told(closing, at_s, holes(OTHER, boot)) for at_s in times_s]
    assert [[], [], [], [(OTHER, 2, 3)]] == found


def test_a_process_that_is_heard_keeps_its_holes() -> None:
    """A cloned card: two processes speak, and neither can tell what the other holds."""
    closing = Closing()
    told(closing, 0, holes(OTHER, 4))
    closing.heard("a", "gw", OTHER)
    assert [[], [], [(OTHER, 2, 3)]] == [told(closing, at_s, holes(OTHER, 4)) for at_s in (60, 119, 120)]


def test_the_one_that_speaks_is_not_kept_from_closing_by_being_heard() -> None:
    """Its own messages go on while its holes stay."""
    closing = Closing()
    told(closing, 0, holes())
    closing.heard("a", "gw", ME)
    assert [(ME, 2, 3)] == told(closing, 60, holes())


def test_another_process_that_speaks_begins_anew() -> None:
    """Times of two kernels cannot be compared."""
    closing = Closing()
    told(closing, 0, holes(OTHER, 4))
    assert [] == told(closing, 100, holes(OTHER, 4), instance="3" * 32)
    assert [] == told(closing, 10, holes(OTHER, 4), instance="3" * 32)
    assert [(OTHER, 2, 3)] == told(closing, 70, holes(OTHER, 4), instance="3" * 32)


def test_nothing_is_kept_of_a_gateway_without_holes() -> None:
    """What is remembered is bounded by the books that have holes."""
    closing = Closing()
    told(closing, 0, holes())
    told(closing, 1)
    assert {} == closing._places
