"""A restart anywhere changes nothing: the same people do the same things, and the same is raised."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.site import Hand, Mode, Premises, ZoneKind
from protocol.messages import Action
from protocol.records import ClockQuality
from tests.support.house import House, village, zone

OTHER_BOOT = "1" * 32
SETTLED_MS = 6_000
"""By then a process has read its wires, and lets an entry end that is due."""
POINTS = ("h01_door", "h01_window", "h01_motion", "h01_key", "h01_panic", "h01_duress")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.sampled_from(POINTS)),
        st.tuples(st.just("wait"), st.integers(1, 45)),
        st.tuples(st.just("arm"), st.sampled_from(["armed_home", "armed_away"])),
        st.tuples(st.just("force"), st.just("armed_away")),
        st.tuples(st.just("disarm"), st.just("")),
    ),
    max_size=14,
)


def home() -> House:
    homes = [Premises("h01", True, ("east",), Mode.DISARMED, report_arming=True), Premises("h02", True, ("east",))]
    zones = (
        zone("h01-door", ZoneKind.DOOR, entry_route=True),
        zone("h01-window", ZoneKind.WINDOW),
        zone("h01-motion", ZoneKind.MOTION),
        zone("h01-key", ZoneKind.KEYSWITCH, hand=Hand(force=True)),
        zone("h01-panic", ZoneKind.PANIC),
        zone("h01-duress", ZoneKind.DURESS, disarms=True),
    )
    house = House(village(*zones, homes=homes))
    house.look(**dict.fromkeys(POINTS, False))
    return house


def do(house: House, step: tuple[str, object]) -> None:
    match step:
        case "turn", str(point):
            house.look(**{point: not house.values[point]})
        case "wait", int(seconds):
            house.watch(seconds * 1_000, every_ms=900)
        case "arm" | "force" as how, str(mode):
            house.order(Action.ARM, "h01", mode=mode, force=how == "force")
        case "disarm", _:
            house.order(Action.DISARM, "h01")


def raised(*houses: House) -> list[tuple[str, str | None]]:
    """What is new, in order; what still stands after a restart is said again, and is not."""
    news = [event for house in houses for event in house.events if event.qualifier == "new"]
    return [(event.kind.value, event.zone) for event in news]


@settings(max_examples=60, deadline=None)
@given(STEPS, STEPS, st.sampled_from([None, OTHER_BOOT]))
def test_a_restart_anywhere_changes_nothing(
    before: list[tuple[str, object]], after: list[tuple[str, object]], kboot: str | None
) -> None:
    """Armed or on the way in or out, ringing or left out: records, modes, bypasses and sirens are the same."""
    whole, first = home(), home()
    for step in before:
        do(whole, step)
        do(first, step)
    second = first.restarted(0, kboot, ClockQuality.SYNCED)
    second.values = dict(first.values)
    second.on = {**second.on, **{name: on for name, on in first.on.items() if name not in second.on}}
    for house in (whole, second):
        house.look()
        house.watch(SETTLED_MS, every_ms=900)
    for step in after:
        do(whole, step)
        do(second, step)
    for house in (whole, second):
        house.watch(40_000, every_ms=900)
    assert raised(whole) == raised(first, second)
    one, other = whole.gateway.memory(), second.gateway.memory()
    assert (one.modes, one.bypassed, set(one.latched)) == (other.modes, other.bypassed, set(other.latched))
    assert whole.ringing() == second.ringing()


@settings(max_examples=60, deadline=None)
@given(STEPS, STEPS)
def test_polls_lost_anywhere_change_nothing(before: list[tuple[str, object]], after: list[tuple[str, object]]) -> None:
    """Two seconds in which nobody could look: every zone was unknown, and what is seen again is as it was."""
    whole, blind = home(), home()
    for step in before:
        do(whole, step)
        do(blind, step)
    whole.watch(2_400)
    for _ in range(6):
        blind.later(400)
        blind.fail()
    blind.look()
    for house in (whole, blind):
        house.watch(SETTLED_MS, every_ms=900)
    for step in after:
        do(whole, step)
        do(blind, step)
    for house in (whole, blind):
        house.watch(40_000, every_ms=900)
    assert raised(whole) == raised(blind)
    assert whole.gateway.memory().modes == blind.gateway.memory().modes
    assert whole.ringing() == blind.ringing()
