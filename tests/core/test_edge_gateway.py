"""Panic, fire, tampering and silence: what leaves the gateway, and what sounds."""

from __future__ import annotations

import pytest

from edge.core.io import Drive, Emit, Looked, Receipted, Remember, Stored, Troubled
from edge.core.site import NATURES, Arming, Band, Contact, Mode, Output, Premises, Role, ZoneKind
from edge.port import Reading
from protocol.kinds import CODES, Kind, Priority, Qualifier
from protocol.messages import Action
from protocol.records import Condition
from tests.support.house import House, village, zone

PANIC = zone("h01-panic", ZoneKind.PANIC)
LAMP = Output("h01-lamp", "h01", Role.LAMP, "gpio/h01_lamp", "h01-panic")


def panic() -> House:
    house = House(village(PANIC, zone("h02-panic", ZoneKind.PANIC), outputs=[LAMP]))
    house.look(h01_panic=False, h02_panic=False)
    return house


def test_a_press_is_a_record_at_its_first_edge() -> None:
    """One P1 record with the household's group, stamped when the edge came."""
    house = panic()
    house.later(100)
    house.look(h01_panic=True)
    [event] = house.events
    assert (event.kind, event.qualifier, event.priority) == (Kind.PANIC, Qualifier.NEW, Priority.P1)
    assert (event.premises, event.zone, event.group, event.seq) == ("h01", "h01-panic", "east", 1)
    assert event.at == house.now


def test_a_press_rings_the_others_and_not_the_caller() -> None:
    """All sirens of the group on this gateway sound, except in the house that pressed."""
    house = panic()
    house.look(h01_panic=True)
    assert {"h02", "h03"} == house.ringing()


def test_the_record_comes_before_the_sirens() -> None:
    """Outbox and uplink have the record before a relay is driven."""
    house = panic()
    now = house.now
    effects = house.step(Looked(Reading("gpio", now.mono_ns, now.mono_ns, {"h01_panic": True})))
    assert [type(effect) for effect in effects] == [Emit, Drive, Drive, Drive, Remember]


def test_letting_go_is_no_record() -> None:
    """A latched button that is released says nothing."""
    house = panic()
    house.look(h01_panic=True)
    house.look(h01_panic=False)
    assert house.told() == [("panic", "new", "h01-panic")]


def test_every_press_is_a_record_of_the_same_cause() -> None:
    """A second press within five minutes is a record with the same key and no second ringing."""
    house = panic()
    for pressed in (True, False, True, False):
        house.later(200)
        house.look(h01_panic=pressed)
    assert len(house.events) == 2
    assert len({event.key for event in house.events}) == 1
    assert [house.rang("h02"), house.rang("h03")] == [1, 1]


def test_a_press_after_the_joining_time_is_another_cause() -> None:
    """After five minutes a press has a new key and rings again."""
    house = panic()
    house.look(h01_panic=True)
    house.look(h01_panic=False)
    house.watch(301_000)
    house.look(h01_panic=True)
    assert len({event.key for event in house.events}) == 2
    assert house.rang("h02") == 2


def test_a_siren_stops_by_itself() -> None:
    """The group's sirens sound for 300 s."""
    house = panic()
    house.look(h01_panic=True)
    house.watch(299_000)
    assert {"h02", "h03"} == house.ringing()
    house.watch(2_000)
    assert set() == house.ringing()


def test_two_callers_ring_each_other() -> None:
    """The second caller's cause sounds at the first caller too."""
    house = panic()
    house.look(h01_panic=True)
    house.look(h02_panic=True)
    assert {"h01", "h02", "h03"} == house.ringing()
    assert house.rang("h03") == 1


def test_fire_rings_the_house_too() -> None:
    """Smoke sounds in the house itself and at the neighbours."""
    house = House(village(zone("h01-smoke", ZoneKind.SMOKE)))
    house.look(h01_smoke=False)
    house.look(h01_smoke=True)
    assert {"h01", "h02", "h03"} == house.ringing()


@pytest.mark.parametrize("kind", [ZoneKind.DURESS, ZoneKind.SILENT_HOLDUP])
def test_nothing_at_the_premises_tells_of_a_silent_alarm(kind: ZoneKind) -> None:
    """A record, no siren, no lamp, whatever is configured."""
    lamp = Output("h01-lamp", "h01", Role.LAMP, "gpio/h01_lamp", "h01-help")
    house = House(village(zone("h01-help", kind), outputs=[lamp]))
    house.look(h01_help=False)
    house.drives.clear()
    house.look(h01_help=True)
    house.step(Stored((1,)))
    house.step(Receipted((1,)))
    house.look(h01_help=False)
    house.watch(2_000)
    assert house.told() == [(kind.value, "new", "h01-help")]
    assert house.drives == []


@pytest.mark.parametrize("kind", [kind for kind, nature in NATURES.items() if nature.raises and not nature.latches])
def test_an_alarm_that_does_not_latch_ends(kind: ZoneKind) -> None:
    """New and restore share their key; a person's silent press has no end."""
    home = Premises("h01", True, ("east",), Mode.ARMED_AWAY)
    house = House(village(zone("h01-z", kind), homes=[home]))
    house.look(h01_z=False)
    house.look(h01_z=True)
    house.look(h01_z=False)
    raised = str(NATURES[kind].raises)
    pressed = kind in (ZoneKind.DURESS, ZoneKind.SILENT_HOLDUP)
    assert house.told() == [(raised, "new", "h01-z")] + ([] if pressed else [(raised, "restore", "h01-z")])
    assert len({event.key for event in house.events}) == 1
    assert house.events[0].priority is CODES[house.events[0].kind].priority
    assert house.events[0].detail["device"] == "gpio"


def test_latched_smoke_ignores_restore_until_reset() -> None:
    """Smoke that has cleared is still told as alarm; the reset ends it with one restore."""
    house = House(village(zone("h01-smoke", ZoneKind.SMOKE, report="every")))
    house.look(h01_smoke=False)
    house.look(h01_smoke=True)
    house.look(h01_smoke=False)
    assert house.gateway.birth_zones()[0].condition is Condition.ALARM
    house.order(Action.RESET, "h01")
    assert house.told() == [("fire", "new", "h01-smoke"), ("fire", "restore", "h01-smoke"), ("reset", "new", None)]
    assert house.gateway.birth_zones()[0].condition is Condition.NORMAL


def test_smoke_again_while_latched_is_told_again_only_after_the_joining_time() -> None:
    """A flapping detector is one alarm; hours later the same latch must not hide a new fire."""
    house = House(village(zone("h01-smoke", ZoneKind.SMOKE)))
    for smoke in (False, True, False, True, False):
        house.look(h01_smoke=smoke)
    assert len(house.events) == 1
    house.watch(301_000)
    house.look(h01_smoke=True)
    assert len({event.key for event in house.events}) == 2


def test_a_cut_loop_is_tampering_armed_or_not() -> None:
    """Tampering is P3 at once in a disarmed home, and ends when the loop is whole."""
    loop = (Band(0, 1, Condition.TAMPER), Band(2, 3, Condition.NORMAL), Band(3, 4, Condition.ALARM))
    house = House(village(zone("h01-window", ZoneKind.WINDOW, loop)))
    for volts in (2.5, 0.0, 2.5, 1.5, 2.5):
        house.look(h01_window=volts)
    expected = [("tamper", "new"), ("tamper", "restore"), ("zone_fault", "new"), ("zone_fault", "restore")]
    assert [(kind, qualifier) for kind, qualifier, _ in house.told()] == expected
    assert [event.priority for event in house.events[::2]] == [Priority.P3, Priority.P4]


def test_a_silent_device_is_told_once_and_its_zones_are_unknown() -> None:
    """One record names the device and its zones; a life may hang on one of them."""
    house = panic()
    house.watch(5_000)
    for _ in range(25):
        house.later(500)
        house.fail()
    [event] = house.events
    assert (event.kind, event.detail["device"], event.detail["p1_zones"]) == (
        Kind.DEVICE_LOST,
        "gpio",
        "h01-panic,h02-panic",
    )
    assert {born.health for born in house.gateway.birth_zones()} == {"unknown"}
    house.look()
    assert house.told()[1:] == [("device_lost", "restore", None)]
    assert {born.health for born in house.gateway.birth_zones()} == {"online"}


def test_one_failed_point_is_told_without_the_device() -> None:
    """A point that fails while its device answers makes its zone unknown, with the reason."""
    house = panic()
    house.watch(3_000)
    for _ in range(30):
        house.later(400)
        house.fail("h02_panic")
    [event] = house.events
    assert (event.kind, event.zone, event.detail["reason"]) == (Kind.ZONE_FAULT, "h02-panic", "time-out")
    assert [born.health for born in house.gateway.birth_zones()] == ["online", "unknown"]
    house.look()
    assert house.told()[1:] == [("zone_fault", "restore", "h02-panic")]


def test_a_device_that_never_answers_is_told_once_its_silence_has_lasted() -> None:
    """Ten seconds after start nothing has been heard: the device is lost."""
    house = House(village(PANIC))
    house.later(house.site.limits.device_lost_ms - 1)
    assert house.events == []
    house.later(1)
    assert [event.kind for event in house.events] == [Kind.DEVICE_LOST]


def test_a_press_found_after_a_silence_is_a_press() -> None:
    """The button was pressed while nobody could see it."""
    house = panic()
    house.later(11_000)
    house.look(h01_panic=True)
    assert [event.kind for event in house.events][-2:] == [Kind.PANIC, Kind.DEVICE_LOST]


def test_a_late_look_does_not_undo_what_was_due_before_it() -> None:
    """A debounce that ended before the next look was made has settled, however late that look is taken."""
    house = House(village(zone("h01-panic", ZoneKind.PANIC, on_ms=30)))
    house.look(h01_panic=False)
    house.ms += 100
    house.look(h01_panic=True)
    house.ms += 100
    house.look(h01_panic=False)
    assert house.told() == [("panic", "new", "h01-panic")]


def test_the_lamp_follows_the_call() -> None:
    """Fast while it is not stored, slow when stored, steady when the hub has it, dark when it is over."""
    house = panic()

    def rhythm() -> list[int]:
        house.drives.clear()
        began_ms, changes = house.ms, []
        while house.ms - began_ms < 1_000:
            house.watch(25, every_ms=25)
            changes += [house.ms - began_ms for drive in house.drives if drive.output == "h01-lamp"]
            house.drives.clear()
        return changes

    house.look(h01_panic=True)
    assert house.on["h01-lamp"]
    assert len(rhythm()) == 8
    house.step(Stored((1,)))
    assert len(rhythm()) == 2
    house.step(Receipted((1,)))
    assert house.on["h01-lamp"]
    assert rhythm() == []
    house.order(Action.COMING, "h01", keys=[house.events[0].key])
    assert len(rhythm()) == 4
    house.look(h01_panic=False)
    house.order(Action.STAND_DOWN, "h01", keys=[house.events[0].key])
    assert not house.on["h01-lamp"]


def test_a_board_that_came_back_is_told_what_its_outputs_are() -> None:
    """A relay board that lost its power is driven again to what it has to be."""
    home = Premises("h01", True, ("east",)), Premises("h02", True, ("east",))
    site = village(PANIC, homes=home)
    site.fresh["gpio"] = 1_000
    house = House(site)
    house.look(h01_panic=False)
    house.look(h01_panic=True)
    house.later(3_000)
    house.drives.clear()
    house.look()
    assert {(drive.output, drive.on) for drive in house.drives} == {("h01-siren", False), ("h02-siren", True)}


def test_trouble_of_the_gateway_begins_and_ends() -> None:
    """A fault is one record when it begins and one when it ends, with the same key."""
    house = panic()
    for active in (True, True, False, False):
        house.step(Troubled("disk", active, {"free_mib": 3}))
    assert house.told() == [("gateway_fault", "new", None), ("gateway_fault", "restore", None)]
    assert len({event.key for event in house.events}) == 1


def test_a_set_clock_is_a_record_of_its_own() -> None:
    """The hub places earlier records by it."""
    house = panic()
    house.step(Troubled("clock_set", True, {"offset_ms": 5}))
    assert (house.events[0].kind, house.events[0].detail) == (Kind.CLOCK, {"offset_ms": 5})


def test_sequences_run_from_one_without_holes() -> None:
    """Every record of a process has the next number."""
    house = panic()
    for pressed in (True, False, True, False, True):
        house.look(h01_panic=pressed)
    assert [event.seq for event in house.events] == [1, 2, 3]


def test_a_siren_only_device_that_is_silent_is_told() -> None:
    """A relay board carries no zone; a siren that cannot ring must not go unnoticed."""
    site = village(PANIC)
    site.fresh["relays"] = 1_000
    house = House(site)
    for _ in range(30):
        house.later(400)
        house.look(h01_panic=False)
    assert [(e.kind, e.detail["device"]) for e in house.events] == [(Kind.DEVICE_LOST, "relays")]


def test_zones_of_a_site_may_show_their_condition() -> None:
    """Birth tells the condition only where every change may leave."""
    house = House(
        village(
            zone("works-gate", ZoneKind.DOOR, report="every"),
            zone("works-hall", ZoneKind.MOTION, Contact(False), arming=Arming.INTERIOR),
            homes=[Premises("works", False, ("east",))],
        )
    )
    house.look(works_gate=True, works_hall=True)
    assert [born.condition for born in house.gateway.birth_zones()] == [Condition.ALARM, None]
