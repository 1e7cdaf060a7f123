"""What sirens say: who called, by pulses; and nothing where somebody called in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.pulses import LONG_MS, PAUSE_MS, SHORT_MS, STRANGER, pattern
from edge.core.site import Output, Premises, Role, ZoneKind
from protocol.messages import Action, Outcome
from tests.support.house import House, village, zone

MEMBERS = tuple(f"h{n:02}" for n in range(1, 11))


def home(*, pulses: bool = True) -> House:
    """Of a group of ten, h01, h02 and h07 are wired here; h02's siren pulses."""
    homes = [Premises(name, True, ("east",)) for name in ("h01", "h02", "h07")]
    zones = [
        zone(f"{name}-{kind.value.replace('_', '-')}", kind)
        for name in ("h01", "h02", "h07")
        for kind in (ZoneKind.PANIC, ZoneKind.SMOKE, ZoneKind.DURESS, ZoneKind.SILENT_HOLDUP)
    ]
    site = village(*zones, homes=homes)
    outputs = tuple(replace(siren, pulses=pulses) for siren in site.outputs)
    house = House(replace(site, outputs=outputs, groups={"east": MEMBERS}))
    house.look(**{one.source.partition("/")[2]: False for one in zones})
    house.drives.clear()
    return house


def beats(house: House, output: str = "h02-siren", ms: int = 5_000) -> list[int]:
    """How long a siren is on and off, in turn, over the next `ms`."""
    shown, out, since = house.on[output], list[int](), 0
    for at in range(0, ms, 100):
        if house.on[output] is not shown:
            out.append(at - since)
            shown, since = house.on[output], at
        house.later(100)
    return out


@given(st.integers(1, 64))
def test_pulses_count_the_place(place: int) -> None:
    """Five for a long one and one for a short one; the pause ends them, longer than any gap."""
    found = pattern(place)
    assert place == sum({LONG_MS: 5, SHORT_MS: 1}[beat] for beat in found[::2])
    assert found[-1] == PAUSE_MS > max([*found[1:-1:2], 0])


def test_every_member_of_a_group_sounds_otherwise() -> None:
    """No two of the largest group, nor a stranger, are alike."""
    assert 65 == len({pattern(place) for place in range(65)})


def test_neighbours_hear_who_pressed() -> None:
    """The seventh of the group: one long and two short, a pause, and again."""
    house = home()
    house.look(h07_panic=True)
    assert [1_500, 400, 400, 400, 400, 2_000, 1_500, 400] == beats(house, ms=7_300)


def test_pulses_end_with_the_siren() -> None:
    """Silenced in a pause or in a pulse: it stays silent."""
    house = home()
    house.look(h07_panic=True)
    house.watch(299_000, 900)
    assert len(house.drives) > 200
    house.watch(2_000, 900)
    house.drives.clear()
    house.watch(10_000, 900)
    assert ([], set()) == (house.drives, house.ringing())


def test_an_order_says_who_pressed_elsewhere() -> None:
    """A member of another gateway by its place in the group; somebody of no shared group as a stranger."""
    house = home()
    house.order(Action.SIREN, "h02", keys=["k-1"], pressed="h03")
    assert [400, 400, 400, 400, 400, 2_000] == beats(house)[:6]
    house.order(Action.SILENCE, "h02")
    house.order(Action.SIREN, "h02", keys=["k-2"], pressed="x99")
    assert list(STRANGER) == beats(house)[:2]


def test_two_callers_are_heard_in_turn() -> None:
    """First one, then the other."""
    house = home()
    house.look(h07_panic=True)
    house.look(h01_panic=True)
    expected = [*pattern(7), *pattern(1)]
    assert expected == beats(house, ms=sum(expected) + 200)


def test_the_house_itself_is_steady_whoever_calls() -> None:
    """Its own fire is nearer than any neighbour's."""
    house = home()
    house.look(h07_panic=True)
    house.look(h02_smoke=True)
    assert [] == beats(house)
    assert "h02" in house.ringing()


def test_a_siren_is_steady_unless_it_is_to_pulse() -> None:
    """A motor siren cannot."""
    house = home(pulses=False)
    house.look(h07_panic=True)
    assert [] == beats(house)


def test_a_restart_goes_on_saying_who() -> None:
    """The caller is remembered with the ringing."""
    house = home()
    house.look(h07_panic=True)
    again = house.restarted()
    assert [1_500, 400, 400, 400, 400, 2_000] == beats(again, ms=7_500)[:6]


def test_a_relay_board_that_comes_back_is_told_the_beat_it_is_in() -> None:
    """Neither a second pattern nor a steady tone."""
    house = home()
    house.look(h07_panic=True)
    house.later(10_000)
    house.drives.clear()
    house.look()
    assert [house.on["h02-siren"]] == [drive.on for drive in house.drives if drive.output == "h02-siren"]


def test_a_late_step_makes_one_beat_and_no_storm() -> None:
    """The machine stood still for a minute: the siren goes on from there."""
    house = home()
    house.look(h07_panic=True)
    house.drives.clear()
    house.ms += 60_000
    house.look()
    assert len([drive for drive in house.drives if drive.output == "h02-siren"]) <= 2


@pytest.mark.parametrize("point", ["h07_duress", "h07_silent_holdup"])
@pytest.mark.parametrize("restarted", [False, True])
def test_nothing_sounds_for_who_called_in_silence(point: str, restarted: bool) -> None:
    """Not by the gateway, nor by an order for its cause that does not say what it is, nor for its incident after one
    that did; also after a restart."""
    house = home()
    house.look(**{point: True})
    key = house.events[0].key
    if restarted:
        house = house.restarted()
    [result] = house.order(Action.SIREN, "h02", keys=[key], incident="i-1")
    assert (Outcome.REFUSED, set()) == (result.outcome, house.ringing())
    house.order(Action.SIREN, "h02", keys=["k-far"], incident="i-2", kind="duress")
    [result] = house.order(Action.SIREN, "h02", keys=["k-far"])
    assert (Outcome.REFUSED, set()) == (result.outcome, house.ringing())


def test_a_loud_cause_beside_a_silent_one_rings_for_itself() -> None:
    """An incident that holds a panic too: the neighbours are called for that."""
    house = home()
    house.look(h07_duress=True)
    [result] = house.order(Action.SIREN, "h02", keys=[house.events[0].key, "k-loud"], pressed="h01")
    assert (Outcome.DONE, {"h02"}) == (result.outcome, house.ringing())
    assert ["k-loud"] == [ring.key for ring in house.memory.rings]


def test_a_siren_test_says_when_its_relay_is_gone() -> None:
    """By command, ten seconds at most; a board that does not answer is a failed test."""
    board = Output("h01-siren", "h01", Role.SIREN, "relays/r1")
    site = village(zone("h01-panic", ZoneKind.PANIC))
    house = House(replace(site, outputs=(board,), fresh={"relays": 1_000}))
    house.later(20_000)
    [result] = house.order(Action.TEST, "h01", duration_ms=60_000)
    assert (Outcome.FAILED, "no answer from relays") == (result.outcome, result.reason)
