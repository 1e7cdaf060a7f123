"""Schedules, holidays, keyswitches and buttons in the site file: taken, or refused with what is allowed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from edge.__main__ import app
from edge.config import Config, load, parse
from edge.config.schema import schema
from edge.core.calendar import Holidays, Schedule
from edge.core.site import Hand, Mode
from edge.profiles import load_profiles
from protocol.faults import Refused

GOOD = """
[gateway]
id = "gw-east"
area = "hengjie"
[mqtt]
host = "127.0.0.1"
[[bus]]
id = "wires"
driver = "gpio_sim"
socket = "/run/x.sock"
lines = { a = { offset = 1 }, b = { offset = 2 }, s = { offset = 3, direction = "out" } }
[[premises]]
id = "h01"
kind = "site"
[[zone]]
id = "h01-key"
premises = "h01"
kind = "arm_button"
source = "wires/a"
active = true
arms = "armed_home"
force = true
hold_s = 2.5
[[zone]]
id = "h01-duress"
premises = "h01"
kind = "duress"
source = "wires/b"
active = true
disarms = true
[[schedule]]
id = "hours"
premises = ["h01"]
days = ["mon", "fri"]
arm_at = "19:30"
disarm_at = "08:00"
holidays = "closed"
[[holiday]]
id = "national-day"
first = "2026-10-01"
last = "2026-10-07"
"""
PROFILES = load_profiles()
SHOP = Path(__file__).parents[2] / "firmware_configs" / "sites" / "alone" / "shop.toml"


def read(text: str) -> Config:
    return parse(text.encode(), "site.toml", Path("/tmp"), PROFILES)


def test_a_schedule_and_what_a_hand_does_are_taken() -> None:
    """Times in the site's zone, days as numbers, holidays by their days."""
    site = read(GOOD).site
    assert (
        Schedule("hours", ("h01",), 1_170, 480, frozenset({0, 4}), holidays=Holidays.CLOSED),
    ) == site.schedules  # fmt: skip
    assert (((0, 28_800),), ((20_727, 20_733),)) == (site.calendar.offsets, site.calendar.holidays)
    assert Hand(Mode.ARMED_HOME, True, 2_500) == site.zones[0].hand
    assert site.zones[1].disarms


def test_the_example_shop_is_taken_and_fits_the_schema() -> None:
    """Closed on a holiday, its key has a duress position, and its siren counts."""
    config = load(SHOP, PROFILES)
    jsonschema.Draft202012Validator(schema()).validate(tomllib.loads(SHOP.read_text(encoding="utf-8")))
    assert {"week", "sunday"} == {schedule.id for schedule in config.site.schedules}
    assert [True] == [output.pulses for output in config.site.outputs]
    assert ["shop-key-duress"] == [zone.id for zone in config.site.zones if zone.disarms]


def test_a_check_says_what_a_schedule_will_do() -> None:
    """For reading aloud against the plan."""
    said = CliRunner().invoke(app, ["check", str(SHOP)]).output.splitlines()
    assert (
        "schedule  week: shop disarmed at 08:00, armed_away at 19:30 (mon tue wed thu fri sat; holidays closed)" in said
    )


@pytest.mark.parametrize(
    ("old", "new", "key", "allowed"),
    [
        ('"19:30"', '"7 pm"', "schedule[0].arm_at", '"00:00" to "23:59"'),
        ('"19:30"', '"08:00"', "schedule[0]", "different times"),
        ('arm_at = "19:30"\ndisarm_at = "08:00"\n', "", "schedule[0]", "arm_at, disarm_at, or both"),
        ('premises = ["h01"]', 'premises = ["h02"]', "schedule[0].premises[0]", "premises ids: h01"),
        ('["mon", "fri"]', '["monday"]', "schedule[0].days[0]", "'mon'"),
        ('"2026-10-07"', '"2026-09-30"', "holiday[0].last", "2026-10-01 or later"),
        ('"2026-10-07"', '"2026-02-30"', "holiday[0].last", "a day of the calendar"),
        ('area = "hengjie"', 'area = "hengjie"\ntimezone = "Fuzhou"', "gateway.timezone", "Asia/Shanghai"),
        ("disarms = true", "disarms = true\nhold_s = 3", "zone[1].hold_s", "only for arm_button"),
        ("hold_s = 2.5", "disarms = true", "zone[0].disarms", "only for duress"),
        ("hold_s = 2.5", "hold_s = 0.1", "zone[0].hold_s", "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(old: str, new: str, key: str, allowed: str) -> None:
    """One fault, at its key."""
    assert old in GOOD
    with pytest.raises(Refused) as refused:
        read(GOOD.replace(old, new))
    assert [key] == [fault.key for fault in refused.value.faults]
    assert allowed in refused.value.faults[0].allowed


def test_two_schedules_that_contradict_each_other_are_refused() -> None:
    """At one moment one cannot arm and disarm the same premises; one of them for holidays alone is no contradiction."""
    other = '\n[[schedule]]\nid = "late"\npremises = ["h01"]\ndisarm_at = "19:30"\n'
    with pytest.raises(Refused) as refused:
        read(GOOD + other)
    assert {"schedule[1].disarm_at"} == {fault.key for fault in refused.value.faults}
    assert 2 == len(read(GOOD + other + 'holidays = "only"\n').site.schedules)
