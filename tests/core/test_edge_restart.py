"""A restart invents nothing, forgets nothing, and rings nothing twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.io import Memory, Receipted, Stored
from edge.core.lamps import Stage
from edge.core.site import Mode, Output, Premises, Role, ZoneKind
from protocol.messages import Action, Outcome
from protocol.records import ClockQuality, Condition
from tests.support.house import House, village, zone

OTHER_BOOT = "1" * 32


def home(*kinds: ZoneKind, mode: Mode = Mode.DISARMED) -> House:
    homes = [Premises("h01", True, ("east",), mode), Premises("h02", True, ("east",))]
    return House(village(*(zone(f"h01-{kind.value.replace('_', '-')}", kind) for kind in kinds), homes=homes))


def test_a_panic_held_at_the_very_first_start_is_an_alarm() -> None:
    """Nothing is remembered of it, so it is new, and rings."""
    house = home(ZoneKind.PANIC)
    house.look(h01_panic=True)
    assert house.told() == [("panic", "new", "h01-panic")]
    assert {"h02"} == house.ringing()


def test_a_panic_held_through_a_restart_is_still_present() -> None:
    """The same cause, not a new alarm."""
    house = home(ZoneKind.PANIC)
    house.look(h01_panic=True)
    again = house.restarted()
    again.look(h01_panic=True)
    assert again.told() == [("panic", "present", "h01-panic")]
    assert again.events[0].key == house.events[0].key


def test_a_button_pressed_anew_while_the_gateway_was_dead_is_a_press_and_none_still_present() -> None:
    """It had been let go before: somebody may have resolved that call, and a "still" of it would be swallowed."""
    house = home(ZoneKind.PANIC)
    house.look(h01_panic=True)
    house.look(h01_panic=False)
    again = house.restarted()
    again.look(h01_panic=True)
    assert again.told() == [("panic", "new", "h01-panic")]
    assert again.events[0].key == house.events[0].key
    later = house.restarted(after_ms=600_000)
    later.look(h01_panic=True)
    assert later.told() == [("panic", "new", "h01-panic")]
    assert later.events[0].key != house.events[0].key


def test_a_press_after_a_restart_joins_the_one_before() -> None:
    """Inside the joining time it is the same cause, so nothing rings twice."""
    house = home(ZoneKind.PANIC)
    house.look(h01_panic=True)
    house.look(h01_panic=False)
    house.order(Action.SILENCE, "h02", keys=[house.events[0].key])
    again = house.restarted()
    again.look(h01_panic=False)
    again.look(h01_panic=True)
    assert again.events[0].key == house.events[0].key
    assert again.rang("h02") == 0


def test_a_window_opened_while_the_gateway_was_down_is_reported_once() -> None:
    """An armed opening is not missed by a restart, and not told twice by two."""
    house = home(ZoneKind.WINDOW, mode=Mode.ARMED_AWAY)
    house.look(h01_window=False)
    second = house.restarted()
    second.look(h01_window=True)
    third = second.restarted()
    third.look(h01_window=True)
    assert second.told() == [("intrusion", "new", "h01-window")]
    assert third.told() == [("intrusion", "present", "h01-window")]


def test_an_open_window_of_a_disarmed_home_is_nothing_at_start() -> None:
    """A restart makes no alarm of what was none."""
    house = home(ZoneKind.WINDOW)
    house.look(h01_window=True)
    assert house.events == []


def test_what_ended_while_the_gateway_was_down_is_told() -> None:
    """The mains came back meanwhile: one restore with the key of the loss."""
    house = home(ZoneKind.MAINS)
    house.look(h01_mains=True)
    again = house.restarted()
    again.look(h01_mains=False)
    assert again.told() == [("mains_lost", "restore", "h01-mains")]
    assert again.events[0].key == house.events[0].key


def test_a_device_that_was_silent_before_is_not_told_again() -> None:
    """One record for one loss, and its end whenever that is."""
    house = home(ZoneKind.DOOR)
    house.later(11_000)
    again = house.restarted()
    again.later(11_000)
    assert again.events == []
    again.look(h01_door=False)
    assert again.told() == [("device_lost", "restore", None)]


def test_arming_survives() -> None:
    """The mode is the one last set, not the one configured."""
    house = home(ZoneKind.WINDOW)
    house.look(h01_window=False)
    house.order(Action.ARM, "h01", mode="armed_home")
    again = house.restarted()
    again.look(h01_window=False)
    again.look(h01_window=True)
    assert again.told() == [("intrusion", "new", "h01-window")]


@pytest.mark.parametrize(
    ("after_ms", "kboot", "quality", "sounds"),
    [
        (100_000, None, ClockQuality.SYNCED, True),
        (301_000, None, ClockQuality.SYNCED, False),
        (100_000, OTHER_BOOT, ClockQuality.SYNCED, True),
        (301_000, OTHER_BOOT, ClockQuality.SYNCED, False),
        (301_000, OTHER_BOOT, ClockQuality.UNSET, True),
    ],
)
def test_a_siren_goes_on_for_what_is_left_of_its_time(
    after_ms: int, kboot: str | None, quality: ClockQuality, sounds: bool
) -> None:
    """By the monotonic clock in one boot, by the wall in another; without either for one full time at most."""
    house = home(ZoneKind.PANIC)
    house.look(h01_panic=True)
    again = house.restarted(after_ms, kboot, quality)
    assert (again.ringing() == {"h02"}) is sounds
    again.watch(300_500, every_ms=900)
    assert again.ringing() == set()


@pytest.mark.parametrize("kboot", [None, OTHER_BOOT])
def test_a_siren_under_way_ends_on_time_and_the_hubs_order_joins_it_after_a_restart(kboot: str | None) -> None:
    """Restarted after 100 s of 300 s: 200 s are left, and the order for the same cause neither adds nor rings again."""
    house = home(ZoneKind.PANIC)
    house.look(h01_panic=True)
    key = house.events[0].key
    again = house.restarted(100_000, kboot)
    again.later(50_000)
    [during] = again.order(Action.SIREN, "h02", keys=[key], duration_ms=300_000)
    again.later(149_999)
    assert again.ringing() == {"h02"}
    again.later(1)
    assert again.ringing() == set()
    [after] = again.order(Action.SIREN, "h02", keys=[key], duration_ms=300_000)
    assert [during.outcome, after.outcome] == [Outcome.JOINED, Outcome.JOINED]
    assert (again.rang("h02"), again.ringing()) == (1, set())


@pytest.mark.parametrize("kboot", [None, OTHER_BOOT])
def test_a_siren_whose_time_ended_while_the_gateway_was_down_does_not_ring_by_a_late_order(kboot: str | None) -> None:
    """The hub did not know that the neighbours had been rung; the gateway does, across the restart."""
    house = home(ZoneKind.PANIC)
    house.look(h01_panic=True)
    again = house.restarted(400_000, kboot)
    [late] = again.order(Action.SIREN, "h02", keys=[house.events[0].key])
    assert late.outcome is Outcome.JOINED
    assert again.rang("h02") == 0


def test_a_siren_ordered_by_the_hub_goes_on_after_a_restart_for_what_is_left() -> None:
    """The house of another gateway pressed: the order's own duration holds, and repeating it changes nothing."""
    house = home(ZoneKind.DOOR)
    house.order(Action.SIREN, "h02", keys=["gw-west-1-1"], duration_ms=120_000)
    again = house.restarted(60_000)
    [repeated] = again.order(Action.SIREN, "h02", keys=["gw-west-1-1"], duration_ms=120_000)
    again.later(59_999)
    assert (repeated.outcome, again.ringing()) == (Outcome.JOINED, {"h02"})
    again.later(1)
    assert again.ringing() == set()


def test_every_output_is_put_where_it_belongs_at_start() -> None:
    """A relay that was left on by a crash is switched off."""
    house = home(ZoneKind.PANIC)
    assert {(drive.output, drive.on) for drive in house.drives} == {("h01-siren", False), ("h02-siren", False)}


def test_the_lamp_shows_that_the_hub_has_a_press_of_the_process_before() -> None:
    """Stored, killed, sent by the next process: the receipt names the instance that made the record, and no other."""
    lamp = Output("h01-lamp", "h01", Role.LAMP, "gpio/h01_lamp", zone="h01-panic")
    house = House(village(zone("h01-panic", ZoneKind.PANIC), outputs=[lamp]))
    house.look(h01_panic=True)
    house.step(Stored((1,)))
    again = house.restarted()
    assert again.memory.lamps == {"h01-panic": Stage.STORED}
    again.step(Receipted((1,), again.instance))
    assert again.memory.lamps == {"h01-panic": Stage.STORED}
    again.step(Receipted((1,), house.instance))
    assert (again.memory.lamps, again.memory.awaited) == ({"h01-panic": Stage.RECEIVED}, {})


def test_keys_of_two_processes_differ() -> None:
    """A cause key never comes back after a restart, nor with an old card: it has the instance's name in it."""
    house = home(ZoneKind.TAMPER)
    house.look(h01_tamper=True)
    again = House(house.site, Memory(), boot=2)
    again.look(h01_tamper=True)
    assert house.events[0].key != again.events[0].key


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("look"), st.sampled_from(["h01_panic", "h02_panic", "h01_smoke", "h01_window"]), st.booleans()
        ),
        st.tuples(st.just("later"), st.sampled_from([10, 900, 40_000, 200_000, 301_000]), st.none()),
        st.tuples(st.just("siren"), st.sampled_from(["h01", "h02", "h03"]), st.integers(0, 3)),
        st.tuples(st.just("silence"), st.sampled_from(["h01", "h02", "h03"]), st.integers(0, 3)),
        st.tuples(st.just("stand_down"), st.sampled_from(["h01", "h02", "h03"]), st.integers(0, 3)),
        st.tuples(st.just("restart"), st.sampled_from([10, 60_000]), st.booleans()),
        st.tuples(st.just("arm"), st.booleans(), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_sequence_of_inputs_makes_two_ringings_for_one_cause(steps: list[tuple[str, object, object]]) -> None:
    """Each siren is held by a cause for one unbroken time; every cause that let go never holds it again."""
    zones = [
        zone("h01-panic", ZoneKind.PANIC),
        zone("h02-panic", ZoneKind.PANIC),
        zone("h01-smoke", ZoneKind.SMOKE),
        zone("h01-window", ZoneKind.WINDOW),
    ]
    house = House(village(*zones))
    house.look(h01_panic=False, h02_panic=False, h01_smoke=False, h01_window=False)
    holding: set[tuple[str, str]] = set()
    over: set[tuple[str, str]] = set()
    for what, first, second in steps:
        keys = list(dict.fromkeys(event.key for event in house.events)) or ["gw-west-1-1"]
        match what:
            case "look":
                house.look(**{str(first): bool(second)})
            case "later":
                house.later(int(str(first)))
            case "siren" | "silence" | "stand_down":
                house.order(Action(what), str(first), keys=[keys[int(str(second)) % len(keys)]])
            case "restart":
                values, events = house.values, house.events
                house = house.restarted(int(str(first)), OTHER_BOOT if second else None)
                house.values, house.events = values, events
                house.look()
            case "arm":
                action, mode = (Action.ARM, "armed_home") if first else (Action.DISARM, None)
                house.order(action, "h01", mode=mode)
        now = {(ring.output, ring.key) for ring in house.memory.rings}
        over |= holding - now
        holding = now
        assert not now & over
        assert {output.removesuffix("-siren") for output, _ in now} == house.ringing()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([50, 300, 999, 1_000, 1_500]), st.sampled_from([True, False, None])), max_size=30
    )
)
def test_unknown_never_reads_as_normal(steps: list[tuple[int, bool | None]]) -> None:
    """A condition that is told was seen within the freshness, whatever was looked at, or failed, when."""
    house = House(village(zone("h01-door", ZoneKind.DOOR, report="every")))
    seen_ms, seen = None, False
    for wait_ms, value in steps:
        house.later(wait_ms)
        if value is None:
            house.fail("h01_door")
        else:
            house.look(h01_door=value)
            seen_ms, seen = house.ms, value
        [born] = house.gateway.birth_zones()
        fresh = seen_ms is not None and house.ms - seen_ms < 1_000
        expected = (Condition.ALARM if seen else Condition.NORMAL) if fresh else Condition.UNKNOWN
        assert born.condition is expected
