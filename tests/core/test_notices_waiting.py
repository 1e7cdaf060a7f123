"""What waits for a channel: order, bound and victim, repeats, rates, quiet hours, and when it is given up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notify.notice import Posting, Refused, Sent, Sort, State, TryLater, Withheld
from hub.notify.table import Channels, ChannelTable, Quiet
from hub.notify.waiting import Waiting
from protocol.kinds import Priority

NOW = 1_800_000_000_000
S = 1_000


def posting(name: str, **more: Any) -> Posting:
    given_: dict[str, Any] = {
        "sort": Sort.PAGE,
        "rung": "station",
        "to": "a",
        "of": "st",
        "priority": Priority.P1,
        "why": "pressed",
    }
    given_ |= {"area": "town", "incident": "i1", "channel": "sms", "at_ms": NOW, "changed_ms": NOW}
    return Posting(id=name, **given_ | more)


def queue(rules: Channels | None = None, **more: Any) -> Waiting:
    return Waiting(ChannelTable(name="sms", kind="x", **more), rules or Channels())


def sent(waiting: Waiting, now_ms: int) -> list[str]:
    """Send all that may leave now; ids in order."""
    found = []
    while (one := waiting.take(now_ms)) is not None:
        found.append(one.id)
        waiting.came(one, Sent(), now_ms, 0.0)
    return found


def test_what_is_urgent_goes_first_then_what_is_old() -> None:
    """A P1 that came last leaves before the P3s, and those in their order."""
    waiting = queue()
    waiting.put(posting("late", to="b", incident="i2", priority=Priority.P3, at_ms=NOW + 2), NOW)
    waiting.put(posting("early", to="c", incident="i3", priority=Priority.P3, at_ms=NOW + 1), NOW)
    waiting.put(posting("urgent", to="d", at_ms=NOW + 3), NOW)
    assert ["urgent", "early", "late"] == sent(waiting, NOW + 3)


def test_a_full_queue_drops_the_least_urgent_and_newest() -> None:
    """The victim is named: among the least urgent the newest, be it the one that just came."""
    waiting = queue(queue_max=16)
    for at in range(16):
        waiting.put(posting(f"p3-{at:02d}", to=f"t{at}", priority=Priority.P3, at_ms=NOW + at), NOW)
    came, dropped = waiting.put(posting("p1", to="x"), NOW)
    assert ("p1", "p3-15", State.DROPPED) == (came.id, dropped.id, dropped.state)
    (dropped,) = waiting.put(posting("p4", to="y", priority=Priority.P4), NOW)
    assert ("p4", State.DROPPED, 16) == (dropped.id, dropped.state, len(waiting))


def test_pages_that_wait_together_become_one_with_a_count() -> None:
    """Three pages of an incident to one person before any left: one message that says three."""
    waiting = queue()
    for at in range(3):
        waiting.put(posting(f"n{at}", presses=at + 1), NOW)
    one = waiting.take(NOW)
    assert one is not None
    assert ("n0", 3, 3, None) == (one.id, one.count, one.presses, waiting.take(NOW))


@pytest.mark.parametrize(
    "again, waits_s",
    [
        ({"presses": 1}, 300),
        ({"presses": 2}, 0),
        ({"presses": 1, "rung": "town"}, 0),
        ({"presses": 1, "incident": "i2"}, 0),
        ({"presses": 1, "to": "b"}, 0),
        ({"presses": 1, "sort": Sort.STAND_DOWN}, 0),
    ],
)
def test_a_mere_repeat_waits_and_news_does_not(again: dict[str, Any], waits_s: int) -> None:
    """Within the window another page of the incident waits for its end; a press, a rung, a person, an end do not."""
    waiting = queue()
    waiting.put(posting("first", presses=1), NOW)
    assert ["first"] == sent(waiting, NOW)
    waiting.put(posting("again", **again), NOW + S)
    assert NOW + max(waits_s * S, S) == max(waiting.next_ms(NOW + S) or 0, NOW + S)
    assert ["again"] == sent(waiting, NOW + max(waits_s * S, S))


def test_a_press_takes_a_waiting_repeat_along_at_once() -> None:
    """A repeat that waits for the window's end leaves with the press that comes meanwhile."""
    waiting = queue()
    waiting.put(posting("first", presses=1), NOW)
    sent(waiting, NOW)
    waiting.put(posting("repeat", presses=1), NOW + S)
    (folded,) = waiting.put(posting("press", presses=2), NOW + 2 * S)
    assert (2, ["repeat"]) == (folded.count, sent(waiting, NOW + 2 * S))


def test_a_repeat_that_was_tried_and_grew_has_a_new_key() -> None:
    """A far end that knows the first key must not swallow the press that was folded in after it."""
    waiting = queue()
    waiting.put(posting("n"), NOW)
    first = waiting.take(NOW)
    assert first is not None
    waiting.came(first, TryLater(None, "busy"), NOW, 0.0)
    waiting.put(posting("m", presses=2), NOW)
    second = waiting.take(NOW + 60 * S)
    assert second is not None
    assert ("n", first.key) == (second.id, "n-1")
    assert first.key != second.key


def test_rates_hold_back_and_lose_nothing() -> None:
    """Two a minute to one person and three in all: the rest leave when the minute is over."""
    waiting = queue(per_min=3, per_recipient_min=2)
    for at in range(4):
        waiting.put(posting(f"a{at}", incident=f"i{at}", at_ms=NOW + at), NOW)
    waiting.put(posting("b", to="b", at_ms=NOW + 9), NOW)
    assert ["a0", "a1", "b"] == sent(waiting, NOW + 9)
    assert NOW + 9 + 60 * S == waiting.next_ms(NOW + 9)
    assert ["a2", "a3"] == sent(waiting, NOW + 9 + 60 * S)


QUIET = Channels(quiet=Quiet(begin="22:00", end="07:00"), utc_offset="+08:00")
LOCAL_23 = 1_800_025_200_000 // 86_400_000 * 86_400_000 + 15 * 3_600_000
"""15:00 UTC: 23:00 at +08:00."""


@pytest.mark.parametrize("priority, hours", [(Priority.P1, 0), (Priority.P2, 0), (Priority.P3, 8), (Priority.P4, 8)])
def test_quiet_hours_hold_what_can_wait(priority: Priority, hours: int) -> None:
    """At 23:00 a P3 waits for 07:00; a P1 never does."""
    waiting = queue(QUIET)
    waiting.put(posting("n", priority=priority, at_ms=LOCAL_23), LOCAL_23)
    assert LOCAL_23 + hours * 3_600 * S == waiting.next_ms(LOCAL_23)
    assert ["n"] == sent(waiting, LOCAL_23 + hours * 3_600 * S)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def local(at_ms: int) -> int:
    return (at_ms // 60_000 + 480) % 1440


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 10 * 86_400_000))
def test_quiet_hours_end_where_they_say(begin: int, end: int, at_ms: int) -> None:
    """Whatever the hours, over midnight or not: what waits leaves at their end, less than a day later."""
    rules = Channels(quiet=Quiet(begin=clock(begin), end=clock(end)), utc_offset="+08:00")
    until_ms = rules.quiet_until_ms(Priority.P3, at_ms)
    inside = begin <= local(at_ms) < end if begin <= end else not end <= local(at_ms) < begin
    assert inside == (until_ms > at_ms)
    assert not inside or (end, True) == (local(until_ms), until_ms - at_ms <= 86_400_000)


def test_tries_back_off_and_are_given_up_in_time() -> None:
    """A far end that is never there: waits double up to a minute, the last try is at the limit of the priority."""
    waiting = queue(Channels(give_up_s=(600, 600, 600, 600)))
    waiting.put(posting("n"), NOW)
    now_ms, last = NOW, None
    waits: list[int] = []
    while len(waiting):
        one = waiting.take(now_ms)
        assert one is not None
        last = waiting.came(one, TryLater(None, "gone"), now_ms, 1.0)
        next_ms = waiting.next_ms(now_ms)
        if next_ms is not None:
            waits.append((next_ms - now_ms) // S)
            now_ms = next_ms
    assert [1, 2, 4, 8, 16, 32, 60] == waits[:7]
    assert last is not None
    assert (State.FAILED, NOW + 600 * S) == (last.state, now_ms)
    assert last.detail.startswith("gave up after")


def test_a_far_end_that_asks_for_time_gets_it() -> None:
    """Retry-After is kept, but never beyond the limit: then comes one last try."""
    waiting = queue(Channels(give_up_s=(600, 600, 600, 600)))
    waiting.put(posting("n"), NOW)
    one = waiting.take(NOW)
    assert one is not None
    waiting.came(one, TryLater(30, "busy"), NOW, 0.0)
    assert NOW + 30 * S == waiting.next_ms(NOW)
    again = waiting.take(NOW + 30 * S)
    assert again is not None
    waiting.came(again, TryLater(86_400, "closed"), NOW + 30 * S, 0.0)
    assert NOW + 600 * S == waiting.next_ms(NOW + 30 * S)


def test_what_cannot_help_is_not_tried_again() -> None:
    """A refusal ends it with its reason."""
    waiting = queue()
    waiting.put(posting("n"), NOW)
    one = waiting.take(NOW)
    assert one is not None
    ended = waiting.came(one, Refused("HTTP 400"), NOW, 0.0)
    assert ended is not None
    assert (State.FAILED, "HTTP 400", 0) == (ended.state, ended.detail, len(waiting))


def test_what_was_taken_out_on_its_way_has_no_outcome() -> None:
    """A delivery report that overtakes the answer to its own request is not undone by it."""
    waiting = queue()
    waiting.put(posting("n"), NOW)
    one = waiting.take(NOW)
    assert one is not None
    waiting.end("n")
    assert None is waiting.came(one, TryLater(None, "no answer"), NOW, 0.0)
    assert None is waiting.next_ms(NOW)


def test_drills_go_last_and_take_nothing_of_the_rates() -> None:
    """A thousand proofs at night leave a real P4 first, and the rates as they were."""
    waiting = queue(per_min=1, per_recipient_min=1)
    waiting.put(posting("drill", incident="d", drill=True), NOW)
    waiting.put(posting("real", incident="r", priority=Priority.P4, at_ms=NOW + 1), NOW + 1)
    assert ["real"] == [one.id for one in [waiting.take(NOW + 1)] if one is not None]
    drill = waiting.take(NOW + 1)
    assert drill is not None and drill.id == "drill"
    now = waiting.came(drill, Withheld(), NOW + 2, 0.0)
    assert now is not None and (State.DRILL, "a drill: nothing leaves") == (now.state, now.detail)
    waiting.put(posting("next", incident="n", to="b"), NOW + 3)
    assert waiting.take(NOW + 3) is None
    assert NOW + 1 + 60_000 == waiting.next_ms(NOW + 3)


def test_of_a_full_queue_a_drill_goes_before_anything_real() -> None:
    """The oldest P1 of a drill makes room for the newest P4."""
    waiting = queue(queue_max=16)
    waiting.put(posting("drill", drill=True), NOW)
    for at in range(15):
        waiting.put(posting(f"p4-{at}", to=f"t{at}", priority=Priority.P4, at_ms=NOW + at), NOW + at)
    changed = waiting.put(posting("last", to="last", priority=Priority.P4, at_ms=NOW + 15), NOW + 15)
    assert [("last", State.WAITING), ("drill", State.DROPPED)] == [(one.id, one.state) for one in changed]
