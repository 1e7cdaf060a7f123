"""A zone's wire against a naive model that keeps every look and judges anew from all of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.site import Arming, Band, Judge, Zone, ZoneKind
from edge.core.zone import Change, Wire
from protocol.records import Condition

MS = 1_000_000
LOOP: Judge = (
    Band(0.0, 1.0, Condition.TAMPER),
    Band(1.0, 2.0, Condition.NORMAL),
    Band(2.0, 3.0, Condition.ALARM),
)
MEANS = {0.5: Condition.TAMPER, 1.5: Condition.NORMAL, 2.5: Condition.ALARM, 9.0: Condition.FAULT}
Look = tuple[int, float | None]
"""ms after the one before, and a value, or None: nobody could look."""
LOOKS = st.lists(st.tuples(st.integers(1, 60), st.one_of(st.none(), st.sampled_from(sorted(MEANS)))), max_size=40)


def naive(looks: list[Look], on_ms: int, off_ms: int) -> list[tuple[int, Condition]]:
    """Every condition with the ms from which it is shown, from the whole story: what is seen without a break for its
    delay is shown from then on; what nobody could look at is unknown at once, and normal comes back from that at once.
    """
    shown: list[tuple[int, Condition]] = [(0, Condition.UNKNOWN)]
    at, run, since = 0, None, 0
    for gap, value in [*looks, (10_000, None)]:
        end = at + gap
        if run is not None and run is not shown[-1][1]:
            delay = on_ms if run is not Condition.NORMAL else 0 if shown[-1][1] is Condition.UNKNOWN else off_ms
            if since + delay < end:
                shown.append((since + delay, run))
        at = end
        seen = None if value is None else MEANS[value]
        if seen is None and shown[-1][1] is not Condition.UNKNOWN:
            shown.append((at, Condition.UNKNOWN))
        if seen is not run:
            run, since = seen, at
    return shown


@settings(max_examples=400, deadline=None)
@given(LOOKS, st.integers(0, 50), st.integers(0, 50))
def test_a_wire_shows_what_the_whole_story_says(looks: list[Look], on_ms: int, off_ms: int) -> None:
    """Settled at its deadlines and at every look, the wire changes when and to what the naive model says."""
    wire = Wire(Zone("z", "h01", ZoneKind.DOOR, "d/p", LOOP, Arming.PERIMETER, 500, on_ms, off_ms))
    shown, changes, at, before = [(0, Condition.UNKNOWN)], list[Change](), 0, 0
    for gap, value in [*looks, (10_000, None)]:
        at += gap
        if wire.pending is not None and wire.due_ns < at * MS:
            due_ns = wire.due_ns
            settled = wire.settle(due_ns)
            assert settled is not None
            shown.append((due_ns // MS, settled.now))
            changes.append(settled)
        change = wire.lose(at * MS) if value is None else wire.look(value, before * MS, at * MS)
        if change is not None:
            shown.append((at, change.now))
            changes.append(change)
        before = at
        assert wire.condition is shown[-1][1]
    assert naive(looks, on_ms, off_ms) == shown
    assert all(one.shown is not one.now and one.was is not Condition.UNKNOWN for one in changes)
