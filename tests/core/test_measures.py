"""What the hub measures: points are as the schema says, told again they are the same, and their number is bounded."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.acts import Disposition, Stage
from hub.core.effects import Page, Rung
from hub.core.heard import Linked
from hub.core.incident import Incident, State
from hub.core.registry import Registry
from hub.measures.cardinality import SIZES, series, table
from hub.measures.counters import Counters
from hub.measures.described import described
from hub.measures.incidents import link_of, page_of, points_of
from hub.measures.line import LINE_BYTES_MAX, LineRefused, line
from hub.measures.load import Load
from hub.measures.places import Places
from hub.measures.point import Point
from hub.measures.readings import measurements_of, point_of, sample_of
from hub.measures.schema import BY_NAME, MEASUREMENTS, Source, check
from hub.measuring import Queue
from hub.metrics import Metrics
from hub.registry import load
from hub.store.port import Placed, Sample
from protocol.kinds import Priority
from tests.support.centre import write_config

MINUTE_MS = 60_000


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return load(write_config(tmp_path).with_name("registry.toml")).registry


@pytest.fixture
def places(registry: Registry) -> Places:
    return Places(registry)


def reading(point: str, value: int | float | str, **more: object) -> Sample:
    given = {"area": "town", "gateway": "gw-1", "at_ms": 1_700_000_000_123, "instance": "1" * 32, "seq": 7}
    stamp = {"placed": Placed.AGE, "mono_ns": 5, "wall_ms": 6, "quality": "synced"}
    return msgspec.convert({"point": point, "value": value, **given, **stamp, **more}, Sample)


def incident(**more: object) -> Incident:
    given = {
        "id": "i-1", "area": "town", "rule": "panic", "priority": Priority.P1, "state": State.REPORTED, "group": "g1",
        "premises": ["h1"], "zones": ["h1-panic"], "gateways": ["gw-1"], "keys": ["k"], "event_ms": 1_000,
        "raised_ms": 1_500, "why": "pressed", "presses": 1,
    }  # fmt: skip
    return Incident(**given | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("point", "value", "measurement", "tags", "fields"),
    [
        ("health/temperature_c", 41.5, "gateway_health", {}, {"temperature_c": 41.5}),
        ("health/temperature_c", 41, "gateway_health", {}, {"temperature_c": 41.0}),
        ("health/temperature_c", "hot", "reading", {"point": "health/temperature_c"}, {"text": "hot"}),
        ("health/link_up", 1, "gateway_health", {}, {"link_up": 1}),
        ("health/link_up", 0.5, "reading", {"point": "health/link_up"}, {"value": 0.5}),
        ("health/bus/rs485/breaks", 3, "bus", {"bus": "rs485"}, {"breaks": 3}),
        ("health/device/adam/latency_ms", 2.5, "device", {"device": "adam"}, {"latency_ms": 2.5}),
        ("health/seq", 3, "reading", {"point": "health/seq"}, {"value": 3.0, "whole": 3}),
        ("zone/h1-door/health", "fault", "zone_health", {}, {"zone": "h1-door", "health": "fault", "code": 1}),
        ("zone/works-door", "normal", "zone", {"zone": "works-door", "kind": "door"}, {"condition": "normal", "ok": 1}),
        ("zone/works-door/value", 2**62 + 1, "reading", {"point": "zone/works-door/value"}, {"whole": 2**62 + 1}),
        ("meter/total_kwh", 12, "reading", {"point": "meter/total_kwh"}, {"value": 12.0, "whole": 12}),
    ],
)
def test_a_reading_goes_where_its_name_says_unless_its_value_does_not_fit(
    places: Places,
    point: str,
    value: int | float | str,
    measurement: str,
    tags: dict[str, str],
    fields: dict[str, object],
) -> None:
    """A value of another kind than its field's never enters that field: it is kept in `reading`."""
    made = point_of(reading(point, value), places, 5)
    assert (measurement, {"area": "town", "village": "st", "gateway": "gw-1"} | tags) == (
        made.measurement,
        dict(made.tags),
    )
    assert fields.items() <= made.fields.items()
    assert 1_700_000_000_123_000_005 == made.at_ns
    assert [] == check(made)
    assert made.measurement in measurements_of(point)


@given(
    value=st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=50)
    ),
    point=st.sampled_from(
        ["health/clock", "health/load_1min", "health/link_up", "health/device/a/polls", "zone/z", "zone/z/health",
         "zone/z/value", "zone/z/loop_min", "zone/z/ok", "a/b/c", "health", "zone/", "health/device//polls"]
    ),
)  # fmt: skip
def test_every_reading_is_read_back_from_its_point(value: int | float | str, point: str) -> None:
    """Whatever its value, a point of the schema has all of it."""
    sample = reading(point, value)
    made = point_of(sample, Places(Registry()), 0)
    assert [] == check(made)
    assert sample == sample_of("town", "gw-1", point, made.at_ns, made.fields)


def test_an_incident_told_again_is_the_same_point(places: Places) -> None:
    """Every change of it, its priority and state among them, leaves series and time as they were."""
    before = incident()
    after = incident(
        state=State.RESOLVED, priority=Priority.P2, accepted_ms=4_000, resolved_ms=9_000, rang_ms=2_000, going_ms=3_000,
        disposition=Disposition.FALSE_ALARM, false_cause="wind", responders={"p": {Stage.ON_SCENE: 5_000}},
        rung=Rung.TOWN,
    )  # fmt: skip
    (one,), told = list(points_of(before, places)), list(points_of(after, places))
    same = next(point for point in told if point.measurement == "incident")
    assert (one.tags, one.at_ns) == (same.tags, same.at_ns)
    assert {"ringing": 1_000, "going": 2_000, "accepted": 2_500, "on_scene": 3_500, "resolved": 7_500} == {
        dict(point.tags)["milestone"]: point.fields["after_ms"] for point in told if point.measurement == "response"
    }
    (resolution,) = [dict(point.tags) for point in told if point.measurement == "resolution"]
    assert ("false_alarm", "wind", "st", "0") == (
        *(resolution[tag] for tag in ("disposition", "false_cause", "village", "drill")),
    )
    more = [
        link_of(Linked("town", "gw-1", False, 5), places, 50),
        page_of(Page("town", "i-1", Rung.TOWN, "x"), before, places, 9),
    ]
    assert [] == [wrong for point in [one, *told, *more] for wrong in check(point)]


def test_two_incidents_of_one_moment_are_two_points(places: Places) -> None:
    """Of one series and the same ms, they are told apart by their ids."""
    times = {next(points_of(incident(id=f"i-{number}"), places)).at_ns for number in range(50)}
    assert 50 == len(times)


def test_what_was_raised_lately_is_counted_without_drills() -> None:
    """Of twelve in twelve ms those of the last ten minutes, to the ms."""
    load = Load()
    for number in range(12):
        load.see(incident(id=f"i-{number}", raised_ms=number))
        load.see(incident(id=f"d-{number}", raised_ms=number, drill=True))
    later = 10 * MINUTE_MS
    assert [12, 5, 4] == [load.desk("town", at)["raised_10min"] for at in (100, later + 7, later + 8)]


def test_what_is_open_is_counted_until_it_is_resolved() -> None:
    """By priority, with the age of the oldest nobody accepted; a must-look and a stale one are told."""
    old = incident(id="old", priority=Priority.P2, raised_ms=0, conditions=["must_look"])
    load = Load([old, incident(raised_ms=5_000), incident(id="x", state=State.ACCEPTED, priority=Priority.P4)])
    now_ms = 25 * 60 * MINUTE_MS
    said = load.desk("town", now_ms)
    assert (1, 1, 0, 1, 3) == (*(said[f"open_p{level}"] for level in (1, 2, 3, 4)), said["worst"])
    assert (2, now_ms - 5_000, now_ms, 0) == (
        said["unaccepted"],
        *(said[f"unaccepted_p{level}_age_ms"] for level in (1, 2, 4)),
    )
    assert (1, 3, 1_000) == (said["must_look"], said["stale"], load.desk("town", 6_000)["unaccepted_p1_age_ms"])
    load.see(incident(state=State.RESOLVED))
    assert (0, 2) == (load.desk("town", now_ms)["open_p1"], load.desk("town", now_ms)["worst"])


def test_counters_become_fields_and_channels_series() -> None:
    """Areas are summed, labels follow the name, and a duration has an upper bound of the last ten seconds."""
    metrics = Metrics()
    for area in ("a", "b"):
        metrics.committed.labels(area, "P1").inc(2)
    metrics.commit_seconds.observe(0.004)
    counters = Counters(metrics.registry, "hub-1")
    (point,) = counters.points(7, uptime_s=3, credit_alarm=None)
    assert {"records_committed_P1": 4.0, "commit_p99_ms": 5.0, "commit_seconds_count": 1.0, "uptime_s": 3}.items() <= (
        point.fields.items()
    )
    assert [] == check(point)
    (point,) = counters.points(8)
    assert "commit_p99_ms" not in point.fields
    assert b"hub,hub=hub-1 " in line(point)


@pytest.mark.parametrize(
    ("point", "why"),
    [
        (Point("m", (), {}, 0), "no fields"),
        (Point("m", (), {"f": math.nan}, 0), "finite"),
        (Point("m", (), {"f": -math.inf}, 0), "finite"),
        (Point("m", (), {"f": True}, 0), "boolean"),
        (Point("m", (), {"f": 2**63}, 0), "64 bits"),
        (Point("m", (), {"time": 1}, 0), "time"),
        (Point("m m", (), {"f": 1}, 0), "measurement"),
        (Point("m", (("t", "a\nb"),), {"f": 1}, 0), "control"),
        (Point("m", (("t", "a\\"),), {"f": 1}, 0), "backslashes"),
        (Point("m", (("t", ""),), {"f": 1}, 0), "tag t"),
        (Point("m", (("t", "1"), ("t", "2")), {"f": 1}, 0), "twice"),
        (Point("m", (("f", "1"),), {"f": 1}, 0), "as tag and as field"),
        (Point("m", (), {"f": "x" * LINE_BYTES_MAX}, 0), "bytes"),
        (Point("m", (), {"f": "\ud800"}, 0), "Unicode"),
        (Point("m", (), {"f": 1}, 2**63), "time"),
    ],
)
def test_what_cannot_be_said_in_a_line_is_refused_by_name(point: Point, why: str) -> None:
    """No number that is none, no name that is not ours, nothing that would end the line."""
    with pytest.raises(LineRefused, match=why):
        line(point)


def test_series_are_bounded_by_places_and_equipment() -> None:
    """Of every measurement the most there can be is known; no tag names a person, a process or an incident."""
    assert {one.name for one in MEASUREMENTS} == series(SIZES[0]).keys()
    assert {"area", "village", "group", "gateway", "bus", "device", "zone", "kind", "point", "rule", "drill", "hub",
            "milestone", "rung", "disposition", "false_cause", "channel"} == {
        tag for one in MEASUREMENTS for tag in one.tags
    }  # fmt: skip
    village, town, city = (sum(series(size).values()) // size.hubs for size in SIZES)
    assert village < 1_000 and town < 10_000 and city < 10_000


def test_the_page_has_the_schema_as_it_is() -> None:
    """docs/telemetry.md holds every measurement, and the number of series, word for word."""
    text = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")
    assert described() in text
    assert table() in text


def test_every_reading_has_its_stamp_and_no_name_twice() -> None:
    """Fields of a measurement are told apart, and none is also a tag."""
    for one in MEASUREMENTS:
        names = Counter([*one.tags, *(field.name for field in one.fields)])
        assert 1 == max(names.values()), one.name
        assert {"seq", "instance", "placed"} <= names.keys() or one.source is not Source.READING
    assert len(MEASUREMENTS) == len(BY_NAME)


def test_what_waits_is_bounded_and_the_newest_word_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many snapshots the oldest go, and are counted; events stay; a batch that comes back overwrites nothing
    newer, and goes first."""
    monkeypatch.setattr("hub.measuring.SNAPSHOTS_MAX", 3)
    monkeypatch.setattr("hub.measuring.BATCH_MAX", 2)
    queue = Queue()
    queue.put([Point("desk", (), {"open_p1": at}, at) for at in range(5)])
    queue.put([Point("incident", (), {"state": "reported"}, 1), Point("page", (), {"priority": 1}, 1)])
    assert (5, 2) == (len(queue), queue.dropped)
    assert ["incident", "page"] == [one.measurement for one in queue.take()]
    queue.put([Point("incident", (), {"state": "resolved"}, 1)])
    queue.back()
    assert ["resolved", None] == [one.fields.get("state") for one in queue.take()]
    queue.done()
    assert [2, 3] == [one.fields["open_p1"] for one in queue.take()]
    assert 3 == len(queue)
