"""The operators' load: what counts as presented, when a flood begins and ends, the figures of an area and a time."""

from __future__ import annotations

import pytest

from hub.core import loading
from hub.core.acts import Move
from hub.core.effects import Effect
from hub.core.hold import At, Shelved
from hub.core.load import HOUR_MS, Flooded
from protocol.kinds import Kind, Qualifier
from tests.support.desk import AREA, DEFAULTS, MIN, START_MS, DeskAtWork, H, S, pages

DOORS = [f"h{number:02d}-door" for number in range(1, 21)]


def floods(effects: list[Effect]) -> list[tuple[bool, int, int]]:
    """(begins, ms from the start, alarms) of each word about a flood."""
    return [(one.began, one.at_ms - START_MS, one.alarms) for one in effects if isinstance(one, Flooded)]


def faults(village: DeskAtWork, count: int, first: int, every: int) -> list[Effect]:
    """Faults of so many doors, one after the other."""
    effects: list[Effect] = []
    for number in range(count):
        effects += village.wait(first + number * every)
        effects += village.happen(Kind.ZONE_FAULT, DOORS[number], first + number * every)
    return effects


def test_ten_alarms_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    """The eleventh begins it, in the moment it is presented."""
    village = DeskAtWork()
    assert [] == floods(faults(village, 10, 0, S))
    assert [(True, 9 * MIN, 11)] == floods(village.happen(Kind.TAMPER, "h03-tamper", 9 * MIN))
    (standing,) = village.desk.alarms.standings([AREA], START_MS + 9 * MIN)
    assert (START_MS + 9 * MIN, 11, 1) == (standing.flood_since_ms, standing.ten_minutes, standing.floods)


def test_eleven_alarms_in_more_than_ten_minutes_are_no_flood() -> None:
    """One a minute is ten in every ten minutes."""
    assert [] == floods(faults(DeskAtWork(), 20, 0, MIN))


def test_a_flood_ends_when_fewer_than_five_came_in_ten_minutes() -> None:
    """By the desk's own timer, when the fifth newest is ten minutes old; it counts all that came meanwhile."""
    village = DeskAtWork()
    faults(village, 14, 0, 10 * S)
    assert [] == floods(village.wait(90 * S + 10 * MIN - 1))
    assert [(False, 90 * S + 10 * MIN, 14)] == floods(village.wait(90 * S + 10 * MIN))
    found = village.desk.alarms.figures(AREA, START_MS, START_MS + H, START_MS + 20 * MIN)
    (flood,) = found.floods
    assert (100 * S, 590 * S, 590 * S) == (flood.began_ms - START_MS, flood.ended_ms - flood.began_ms, found.flood_ms)
    assert village.desk.next_due_ms() != START_MS + 90 * S + 10 * MIN


def test_a_panic_in_a_flood_is_paged_as_ever() -> None:
    """A flood hides nothing: the same pages and the same calls, and it counts as one more."""
    calm, flooded = DeskAtWork(), DeskAtWork()
    faults(flooded, 15, 0, S)
    assert pages(calm.press("h03", MIN)) == pages(flooded.press("h03", MIN))
    assert 16 == flooded.desk.alarms.figures(AREA, START_MS, START_MS + H, START_MS + MIN).presented


def test_what_is_withheld_or_joins_or_is_a_drill_is_not_presented() -> None:
    """One fault and one press, each presented once more only where it pages again."""
    village = DeskAtWork()
    village.take(Shelved(AREA, At.ZONE, DOORS[0], "op-1", "nuisance", "hash", START_MS + H), 0)
    village.happen(Kind.ZONE_FAULT, DOORS[0], S)
    village.happen(Kind.ZONE_FAULT, DOORS[1], S)
    village.happen(Kind.ZONE_FAULT, DOORS[1], 2 * S, qualifier=Qualifier.PRESENT)
    village.happen(Kind.ZONE_FAULT, DOORS[1], 3 * S)
    village.press("h03", 4 * S)
    village.press("h03", 5 * S)
    village.press("h04", 6 * S, drill=True)
    found = village.desk.alarms.figures(AREA, START_MS, START_MS + H, START_MS + H)
    assert (3, {"P1": 2, "P2": 0, "P3": 0, "P4": 1}) == (found.presented, found.priorities)
    assert {"shelved": 1, "out_of_service": 0, "suppressed": 0} == found.withheld
    assert [("panic", "zone:h03-panic", 2, 2), ("fault", f"zone:{DOORS[1]}", 1, 2)] == [
        (one.rule, one.place, one.presented, one.happened) for one in found.frequent
    ]


def test_the_most_frequent_come_first_with_their_share_of_the_load() -> None:
    """Presses of two households, three and one, and twelve faults: ten names, and what share they have together."""
    village = DeskAtWork()
    for second in (0, 1, 2):
        village.press("h03", second * S)
    faults(village, 12, MIN, S)
    village.press("h13", 2 * MIN)
    found = village.desk.alarms.figures(AREA, START_MS, START_MS + H, START_MS + H)
    assert (16, 10) == (found.presented, len(found.frequent))
    assert ("panic", "zone:h03-panic", 3, round(3 / 16, 4)) == (
        found.frequent[0].rule,
        found.frequent[0].place,
        found.frequent[0].presented,
        found.frequent[0].share,
    )
    assert round(12 / 16, 4) == found.frequent_share


def test_an_alarm_that_comes_three_times_in_a_minute_chatters() -> None:
    """By when it happened, not by when it arrived; twice and later is none."""
    village = DeskAtWork()
    for at in (0, 30 * S, 61 * S, 3 * MIN):
        village.happen(Kind.ZONE_FAULT, DOORS[0], at, 5 * MIN)
    for at in (0, 30 * S, 60 * S):
        village.happen(Kind.ZONE_FAULT, DOORS[1], at, 5 * MIN)
    found = village.desk.alarms.figures(AREA, START_MS, START_MS + H, START_MS + H)
    assert [(f"zone:{DOORS[1]}", 1)] == [(one.place, one.chattered) for one in found.chattering]


def test_rates_are_of_the_time_that_was_asked_for() -> None:
    """Two hours with 12 alarms in one of its ten minutes; hours not asked for are not in it."""
    village = DeskAtWork()
    at = -START_MS % HOUR_MS
    faults(village, 12, at, S)
    village.press("h03", at + 3 * H)
    begin = START_MS + at
    found = village.desk.alarms.figures(AREA, begin, begin + 2 * H, begin + 4 * H)
    assert (12, 12, 12, 11) == (found.presented, found.busiest, found.slots, found.acceptable_slots)
    assert (1.0, 6.0, 144.0) == (found.per_ten_minutes, found.per_hour, found.per_day)
    assert {"P1": 0.0, "P2": 0.0, "P3": 0.0, "P4": 1.0} == found.shares
    assert begin == found.kept_from_ms


def test_hours_alarms_and_bursts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old hours go; the rarest alarm goes among the others; the alarm quiet for longest is watched no more."""
    for name, limit in (("HOURS_MAX", 3), ("ALARMS_MAX", 2), ("BURSTS_MAX", 2)):
        monkeypatch.setattr(loading, name, limit)
    village = DeskAtWork()
    village.press("h03", 0)
    village.press("h03", S)
    faults(village, 3, 2 * S, S)
    found = village.desk.alarms.figures(AREA, START_MS, START_MS + H, START_MS + H)
    assert (5, 2, 2) == (found.presented, len(found.frequent), found.others)
    assert "zone:h03-panic" == found.frequent[0].place
    for hour in range(1, 6):
        village.press("h13", hour * H)
    kept = village.desk.alarms.figures(AREA, START_MS, START_MS + 9 * H, START_MS + 9 * H)
    assert (3, (START_MS + 3 * H) // HOUR_MS * HOUR_MS) == (kept.presented, kept.kept_from_ms)


def test_what_is_active_for_more_than_a_day_is_stale() -> None:
    """An incident, whoever has it in hand, until it is restored or resolved; and a condition that outlived its own."""
    village = DeskAtWork()
    village.happen(Kind.ZONE_FAULT, DOORS[0], 0)
    village.happen(Kind.ZONE_FAULT, DOORS[1], 0)
    village.happen(Kind.TAMPER, "h03-tamper", H)
    stale = village.desk.alarms.stale
    assert [] == stale(AREA, START_MS + 24 * H)
    assert [DOORS[0], DOORS[1]] == [one.place for one in stale(AREA, START_MS + 24 * H + 1)]
    first, second = village.open()[:2]
    village.move(first, Move.ACCEPT)
    village.move(first, Move.RESOLVE, disposition="genuine")
    village.happen(Kind.ZONE_FAULT, second.zones[0], 2 * H, qualifier=Qualifier.RESTORE, key=second.keys[0])
    found = [(one.place, one.incident is None) for one in stale(AREA, START_MS + 24 * H + 1)]
    assert [(first.zones[0], True)] == found


def test_what_gateways_and_outages_leave_out_is_listed_with_its_name() -> None:
    """A zone that chatters, and one that tripped too often."""
    village = DeskAtWork()
    village.happen(Kind.CHATTER, "h03-tamper", 0)
    village.happen(Kind.SWINGER_BYPASS, "h01-door", S)
    found = [(one.by, one.zones, one.incident) for one in village.desk.alarms.suppressed(AREA)]
    assert [("chatter", ["h03-tamper"], None), ("swinger", ["h01-door"], None)] == found


def test_figures_of_an_empty_time_are_zero_and_say_so() -> None:
    """No alarm, no hour kept: rates are nothing, every ten minutes are bearable."""
    found = DeskAtWork().desk.alarms.figures(AREA, START_MS, START_MS + HOUR_MS, START_MS)
    assert (0, 0.0, None, []) == (found.presented, found.per_hour, found.kept_from_ms, found.frequent)
    assert DEFAULTS.alarms.flood_begins == 10
