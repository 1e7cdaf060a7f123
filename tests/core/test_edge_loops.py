"""Supervised loops: resistances to conditions, steady at the edges, and the one statistic that leaves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.loops import loop_of
from edge.config.model import LoopTable, ZoneTable
from edge.core.ohms import ohms, value_of
from edge.core.site import Band, Loop, Premises, ZoneKind
from edge.core.walk import Walk
from edge.core.zone import judged
from edge.port import Point, Reading
from protocol.faults import Fault
from protocol.records import Condition
from tests.support.house import House, village, zone

VOLTS = Point(False, "number", "V")
FEED = {"feed_ohm": 4700, "feed_volt": 5.0}
KEYS = {"id": "h01-window", "premises": "h01", "kind": "window", "source": "loops/ai1"}


def read(keys: dict[str, object], point: Point = VOLTS, kind: str = "window") -> Loop | list[Fault]:
    table = {"normal_ohm": 4700, "alarm_ohm": 9400, **FEED, **keys}
    one = ZoneTable.model_validate({**KEYS, "kind": kind, "loop": table})
    assert isinstance(one.loop, LoopTable)
    return loop_of(one, one.loop, point, "site.toml", "zone[0]")


def loop(**keys: object) -> Loop:
    made = read(keys)
    assert isinstance(made, Loop)
    return made


def home(judge: Loop, **keys: object) -> House:
    homes = [Premises("h01", True, ("east",)), Premises("h02", True, ("east",))]
    return House(village(zone("h01-window", ZoneKind.WINDOW, judge, **keys), homes=homes))


@pytest.mark.parametrize(
    ("ohm", "expected", "says"),
    [
        (0, Condition.TAMPER, "short"),
        (2_300, Condition.TAMPER, "short"),
        (2_900, Condition.FAULT, ""),
        (4_700, Condition.NORMAL, ""),
        (5_800, Condition.NORMAL, ""),
        (6_500, Condition.FAULT, ""),
        (9_400, Condition.ALARM, ""),
        (15_000, Condition.FAULT, ""),
        (19_000, Condition.TAMPER, "open"),
        (math.inf, Condition.TAMPER, "open"),
    ],
)
def test_a_resistance_means_what_its_band_says(ohm: float, expected: Condition, says: str) -> None:
    """Bridged, at rest, opened, cut; what is in no band is a fault and never normal."""
    judge = loop()
    assert judge.feed is not None
    volts = judge.feed.volt if math.isinf(ohm) else value_of(judge, ohm)
    assert expected is judged(judge, volts)
    house = home(judge)
    house.look(h01_window=volts)
    tampers = [event.detail.get("loop") for event in house.events if event.kind == "tamper"]
    assert ([says] if says else []) == tampers


@given(st.floats(0, 200_000))
def test_a_voltage_shows_the_resistance_that_made_it(ohm: float) -> None:
    """There and back, as far as a loop may be told from a cut one."""
    judge = loop()
    assert math.isclose(ohm, ohms(judge, value_of(judge, ohm)), rel_tol=1e-6, abs_tol=1e-6)


def test_a_contact_that_closes_the_loop_lower_is_told_apart_too() -> None:
    """The alarm below the rest: a resistor in parallel."""
    judge = loop(normal_ohm=10_000, alarm_ohm=5_000)
    shown = [judged(judge, value_of(judge, ohm)) for ohm in (1_000, 5_000, 10_000, 30_000)]
    assert [Condition.TAMPER, Condition.ALARM, Condition.NORMAL, Condition.TAMPER] == shown


@pytest.mark.parametrize("edge_ohm", [2_350, 3_525, 5_875, 7_050, 11_750, 18_800])
def test_a_value_at_a_bands_edge_does_not_chatter(edge_ohm: float) -> None:
    """Noise of one per cent around every edge: at most one change, whatever it began with."""
    house = home(loop(), report="every")
    house.look(h01_window=value_of(loop(), edge_ohm * 0.999))
    house.reports.clear()
    for number in range(100):
        house.later(100)
        house.look(h01_window=value_of(loop(), edge_ohm * (1.01 if number % 2 else 0.99)))
    told = [value for point, value in house.points() if point == "zone/h01-window"]
    assert len(told) <= 1


def test_without_hysteresis_the_edge_would_chatter() -> None:
    """The same noise with none: so the test above can fail."""
    house = home(loop(hysteresis=0), report="every")
    for number in range(20):
        house.later(100)
        house.look(h01_window=value_of(loop(), 5_875 * (1.01 if number % 2 else 0.99)))
    assert 20 == len([value for point, value in house.points() if point == "zone/h01-window"])


def test_a_threshold_may_have_hysteresis_too() -> None:
    """Mains around its limit: one change, until it is well beyond."""
    low = (Band(-math.inf, 180, Condition.ALARM, -math.inf, 185), Band(180, math.inf, Condition.NORMAL, 175, math.inf))
    house = House(village(zone("h01-mains", ZoneKind.MAINS, low)))
    for volts in (230, 181, 179, 181, 174, 181, 184, 186):
        house.later(100)
        house.look(h01_mains=volts)
    assert [("mains_lost", "new", "h01-mains"), ("mains_lost", "restore", "h01-mains")] == house.told()


def test_bands_scale_with_what_was_measured() -> None:
    """A loop of long wire: each edge moves by the share its rest is off."""
    plain, long = loop(), loop(measured_ohm=5_170)
    assert [pytest.approx(band.low * 1.1) for band in plain.bands] == [band.low for band in long.bands]
    assert (Condition.FAULT, Condition.NORMAL) == (
        judged(plain, value_of(plain, 6_000)), judged(long, value_of(long, 6_000)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("point", "keys", "key", "allowed"),
    [
        (VOLTS, {"measured_ohm": 7_000}, "measured_ohm", "3525 to 5875"),
        (VOLTS, {"alarm_ohm": 6_000}, "alarm_ohm", "at least 8068"),
        (VOLTS, {"feed_ohm": None}, "feed_ohm", "what feeds the loop"),
        (Point(False, "number", "ohm"), {}, "feed_volt", "measures ohm itself"),
    ],
)
def test_a_loop_that_cannot_be_is_refused(point: Point, keys: dict[str, object], key: str, allowed: str) -> None:
    """With the key and what it may be."""
    faults = read(keys, point)
    assert isinstance(faults, list)
    assert any(fault.key == f"zone[0].loop.{key}" and allowed in fault.allowed for fault in faults), faults


def test_a_meter_and_a_contact_are_no_loops() -> None:
    """Both said at once."""
    faults = read({}, Point(False, "bool"), kind="meter")
    assert isinstance(faults, list)
    assert {"zone[0].loop", "zone[0].source"} == {fault.key for fault in faults}


def test_one_statistic_a_day_leaves_a_household_and_no_other_value_of_its_loops() -> None:
    """Of the normal state alone, whatever else was measured; even where every change of condition may leave."""
    house = home(loop(), report="every")
    for ohm in (4_600, 4_700, 9_400, 4_800, 0, 4_700):
        house.watch(10_000, every_ms=900)
        house.look(h01_window=value_of(loop(), ohm))
    assert [] == [point for point, _ in house.points() if "loop" in point or point.endswith("/value")]
    house.later(24 * 3_600_000)
    told = {point.removeprefix("zone/h01-window/"): value for point, value in house.points() if "loop_" in point}
    assert {"loop_min", "loop_mean", "loop_max"} == set(told)
    assert (4_600, 4_800) == (told["loop_min"], told["loop_max"])


def test_a_day_is_counted_through_restarts() -> None:
    """A gateway that starts anew each evening tells its statistic all the same."""
    house = home(loop())
    house.look(h01_window=value_of(loop(), 4_700))
    house.later(20 * 3_600_000)
    again = house.restarted()
    again.look(h01_window=value_of(loop(), 4_500))
    again.later(4 * 3_600_000)
    told = {point: value for point, value in again.points() if "loop_" in point}
    assert (4_500, 4_700) == (told["zone/h01-window/loop_min"], told["zone/h01-window/loop_max"])


def test_the_walk_says_what_to_calibrate_with() -> None:
    """The mean of what was seen at rest; a loop that never was at rest gets no figure."""
    site = village(zone("h01-window", ZoneKind.WINDOW, loop()), zone("h02-window", ZoneKind.WINDOW, loop()))
    walk = Walk(site)
    for ohm in (4_700, 4_800, 9_400):
        values = {"h01_window": value_of(loop(), ohm), "h02_window": value_of(loop(), 6_500)}
        walk.look(Reading("gpio", 1, 1, values))
    said = walk.at_rest()
    assert "at rest 4750 ohm (4700 to 4800 ohm in 2 looks): loop.measured_ohm = 4750" == said["h01-window"]
    assert said["h02-window"].startswith("never in its normal band")
