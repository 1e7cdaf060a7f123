"""The nightly proof of a gateway: when it comes, what it is, and that nothing shows at the premises."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from edge.config import parse
from edge.core.calendar import Calendar, Nightly
from edge.core.proving import DAY_MS, SPREAD_MS, START_MS, share_of
from edge.profiles import load_profiles
from protocol.faults import Refused
from protocol.kinds import Kind
from protocol.messages import Action
from protocol.records import ClockQuality, Event
from tests.support.house import START_MS as WALL_MS
from tests.support.house import House, village

H = 3_600_000
SITES = Path(__file__).parents[2] / "firmware_configs" / "sites"
CHINA = Calendar(offsets=((0, 8 * 3600),))
SITE = replace(village(), proof=Nightly(120, 3 * H), calendar=CHINA)
SHARE = share_of("hengjie", "gw-east")
SOON_MS = START_MS + int(SHARE * SPREAD_MS)
UNSET = ClockQuality.UNSET


def proofs(house: House) -> list[Event]:
    return [event for event in house.events if event.kind is Kind.TEST]


def local_h(event: Event) -> float:
    return (event.at.wall_ms + 8 * H) % DAY_MS / H


def test_a_new_gateway_proves_itself_soon_and_then_every_night() -> None:
    """Not at once after its start; and then at its own moment of the night, once in 24 hours."""
    house = House(SITE)
    house.later(SOON_MS - 1)
    assert [] == proofs(house)
    house.later(5 * DAY_MS)
    first, *nights = proofs(house)
    assert SOON_MS == first.at.wall_ms - WALL_MS
    assert 5 == len(nights)
    assert {round(2 + SHARE * 3, 3)} == {round(local_h(night), 3) for night in nights}


def test_it_is_marked_as_a_drill_and_nothing_shows_at_the_premises() -> None:
    """No siren, no lamp, no answer button that has something to answer: a record of the gateway alone."""
    house = House(SITE)
    before = list(house.drives)
    house.later(SOON_MS)
    (proof,) = proofs(house)
    assert (True, None, None, {"proof": "nightly"}) == (proof.drill, proof.premises, proof.zone, proof.detail)
    assert before == house.drives
    assert {} == house.memory.calls


@pytest.mark.parametrize("down_ms, kboot", [(1_000, None), (2 * H, "1" * 32)])
def test_a_restart_proves_nothing_anew(down_ms: int, kboot: str | None) -> None:
    """The next comes when it would have come."""
    house = House(SITE)
    house.later(SOON_MS + H)
    again = house.restarted(down_ms, kboot)
    again.later(DAY_MS - H)
    (night,) = proofs(again)
    assert round(2 + SHARE * 3, 3) == round(local_h(night), 3)


def test_what_was_missed_while_it_was_off_is_made_up_for() -> None:
    """Off for three nights: soon after its start, and once."""
    house = House(SITE)
    house.later(SOON_MS)
    again = house.restarted(3 * DAY_MS, "1" * 32)
    began_ms = again.now.wall_ms
    again.later(SOON_MS)
    assert [began_ms + SOON_MS] == [one.at.wall_ms for one in proofs(again)]


def test_without_a_clock_every_24_hours() -> None:
    """By the monotonic clock, whatever the wall clock says."""
    house = House(SITE, quality=UNSET, start_ms=5_000)
    house.later(SOON_MS + 3 * DAY_MS)
    times = [one.at.mono_ns // 1_000_000 for one in proofs(house)]
    assert [DAY_MS] * 3 == [b - a for a, b in pairwise(times)]


def test_without_a_clock_a_new_kernel_boot_proves_soon() -> None:
    """Nobody can tell how long ago the last one was."""
    house = House(SITE, quality=UNSET, start_ms=5_000)
    house.later(SOON_MS)
    again = house.restarted(1_000, "1" * 32)
    again.later(SOON_MS)
    assert 1 == len(proofs(again))


def test_a_clock_that_is_set_moves_the_next_to_the_night() -> None:
    """What was planned by the monotonic clock is planned anew."""
    house = House(SITE, quality=UNSET, start_ms=5_000)
    house.later(SOON_MS + H)
    house.quality, house.start_ms = ClockQuality.SYNCED, WALL_MS
    house.later(1_000)
    house.later(DAY_MS - H)
    night = proofs(house)[-1]
    assert round(2 + SHARE * 3, 3) == round(local_h(night), 3)
    assert 2 == len(proofs(house))


@pytest.mark.parametrize("off_ms", [-3 * 365 * DAY_MS, 400 * DAY_MS])
def test_a_clock_that_was_wrong_keeps_no_proof_away(off_ms: int) -> None:
    """A proof stamped years ahead or back: the next comes within a day all the same."""
    house = House(SITE, start_ms=WALL_MS + off_ms)
    house.later(SOON_MS)
    again = House(SITE, house.memory, 2, "1" * 32, start_ms=WALL_MS)
    again.later(DAY_MS + SOON_MS)
    assert proofs(again)


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_night_in_which_the_clocks_change_is_no_longer_than_24_hours(jump_s: int) -> None:
    """Summer time begins or ends: never more than a day lies between two proofs."""
    change_ms = WALL_MS + 3 * DAY_MS
    site = replace(SITE, calendar=Calendar(offsets=((0, 8 * 3600), (change_ms, 8 * 3600 + jump_s))))
    house = House(site)
    house.later(8 * DAY_MS)
    times = [one.at.mono_ns // 1_000_000 for one in proofs(house)]
    assert max(b - a for a, b in pairwise(times)) <= DAY_MS
    assert len(times) <= 11


def test_a_town_does_not_speak_at_once() -> None:
    """A thousand gateways are spread over the window: in no minute of three hours more than a few."""
    minutes = [int(share_of("hengjie", f"gw-{n}") * 180) for n in range(1_000)]
    assert max(minutes.count(minute) for minute in range(180)) <= 20
    assert min(minutes) < 3 and max(minutes) > 176


def test_a_test_that_is_ordered_as_a_drill_is_a_proof_too() -> None:
    """By a signed order, at any hour: the record says it is a drill, and no siren sounds."""
    house = House(SITE)
    before = list(house.drives)
    house.order(Action.TEST, "h01", drill=True)
    assert [(True, "h01")] == [(one.drill, one.premises) for one in proofs(house)]
    assert before == house.drives


def test_every_site_file_has_its_night() -> None:
    """Without a word it is from two to five; a time that is none is refused."""
    text = (SITES / "station-east.toml").read_bytes()
    profiles = load_profiles()
    assert Nightly(120, 3 * H) == parse(text, "east", SITES, profiles).site.proof
    own = text + b'\n[proof]\nat = "23:30"\nwithin_min = 0\n'
    assert Nightly(23 * 60 + 30, 0) == parse(own, "east", SITES, profiles).site.proof
    with pytest.raises(Refused) as refused:
        parse(text + b'\n[proof]\nat = "25:00"\nwithin_min = 721\n', "east", SITES, profiles)
    assert {"proof.at", "proof.within_min"} == {fault.key for fault in refused.value.faults}
