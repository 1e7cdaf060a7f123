"""What breaks in a run of chaos is drawn from its seed alone."""

from __future__ import annotations

from collections import Counter

from simulators.chaos.havoc import Death, Diary
from simulators.chaos.plan import BROKER, HUB, STORE, draw

GATEWAYS = ("gw-1", "gw-2", "gw-3", "gw-4")
STORES = ("telemetry", "journal")


def test_the_same_seed_breaks_the_same_things_at_the_same_times() -> None:
    """And another seed other things."""
    assert draw(5, 800, 200, GATEWAYS, STORES) == draw(5, 800, 200, GATEWAYS, STORES)
    assert draw(5, 800, 200, GATEWAYS, STORES) != draw(6, 800, 200, GATEWAYS, STORES)


def test_all_kills_are_drawn_within_the_span_and_spare_no_part() -> None:
    """Exactly as many as asked for, in order of time, and of every part some."""
    plan = draw(5, 800, 200, GATEWAYS, STORES, (HUB, BROKER, STORE))
    times = [kill.at_s for kill in plan.kills]
    assert (200, sorted(times), True) == (len(times), times, 0 <= times[0] and times[-1] <= 800)
    assert {HUB, BROKER, STORE, *GATEWAYS} == set(Counter(kill.part for kill in plan.kills))
    assert set(STORES) == {lock.store for lock in plan.locks}
    assert {HUB, *GATEWAYS} == {trouble.link for trouble in plan.troubles}


def test_a_gateway_lived_only_where_no_death_touches() -> None:
    """From its kill until it was well again it was not there; killed again before, it was not there in between."""
    diary = Diary(deaths=[Death("gw-1", 100, well_ns=200), Death("gw-1", 500), Death("gw-1", 600, well_ns=700)])
    asked = {(0, 90): True, (50, 150): False, (150, 160): False, (250, 450): True, (550, 560): False, (650, 660): False}
    assert asked | {(750, 900): True} == {span: diary.lived("gw-1", *span) for span in (*asked, (750, 900))}
    assert diary.lived("gw-2", 0, 1_000)
