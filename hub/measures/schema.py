"""Every measurement the hub writes: its tags, its fields with their units, and how many series it may have.

docs/telemetry.md shows these tables; `check` holds every point against them. Whole numbers are `i`, fractions `f`,
texts `s`; a truth is 0 or 1, so that its mean is a share.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.measures.point import Point

KINDS = {"i": int, "f": float, "s": str}
PRIORITIES = (1, 2, 3, 4)
SNAPSHOT_S = 10
SLICE_ROWS = 2_000
"""Rows of gateways, and of groups, that one snapshot writes; with more of them they take turns."""


class Source(StrEnum):
    """Whence the points of a measurement come."""

    READING = "reading"  # a gateway's own word, at its own time
    EVENT = "event"  # something that happened at the hub; written again it is the same point
    SNAPSHOT = "snapshot"  # how things stand, every `SNAPSHOT_S`


@dataclass(frozen=True, slots=True)
class Field:
    """One field: what it says, its kind and its unit."""

    name: str
    kind: str
    unit: str
    about: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement. `per` names what there is one series of."""

    name: str
    source: Source
    about: str
    tags: tuple[str, ...]
    fields: tuple[Field, ...]
    per: str
    open_fields: bool = False
    """Whether it has more fields than are listed, all whole or fractional numbers: the hub's own counters."""

    def kind(self, field: str) -> str | None:
        """The kind of a field; None of one that is not listed."""
        return next((one.kind for one in self.fields if one.name == field), None)


def _fields(*rows: str) -> tuple[Field, ...]:
    """From rows of "name kind unit about"."""
    return tuple(Field(*row.split(maxsplit=3)) for row in rows)


STAMP = _fields(
    "point s - the point's full name, as the gateway says it",
    "seq i - its number in the telemetry lane of its process",
    "instance s - the process it is of",
    "placed s - by what its time is known: age, clock, wall or arrival",
    "mono_ns i ns the gateway's monotonic clock then",
    "wall_ms i ms the gateway's wall clock then",
    "quality s - of that clock: synced, holdover or unset",
)
OPEN = _fields(
    *(f"open_p{level} i - unresolved incidents of priority {level}, no drills" for level in PRIORITIES),
    "worst i - 0 well, 1 a P4 or P3 is open, 2 a P2, 3 a P1",
)
ZONES = _fields(
    "zones i - zones in the registry",
    "zones_online i - whose sensor can be judged, by the process now running",
    "zones_fault i - whose sensor is faulty",
    "zones_unknown i - of which nothing is known: the gateway is not heard, or does not know itself",
)
GATEWAYS = _fields(
    "gateways i - in the registry",
    "gateways_up i - heard within their reporting time",
    "gateways_lost i - not heard within it",
    "gateways_unknown i - not heard since the hub's start, and not yet lost",
)
PLACE = ("area", "village")

MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        "gateway_health",
        Source.READING,
        "What a gateway says of itself, each minute; each row has one of the fields.",
        (*PLACE, "gateway"),
        (
            *_fields(
                "temperature_c f °C the hottest thermal zone",
                "undervoltage i 0/1 the supply is too low at this moment",
                "disk_free_percent f % room on the card",
                "memory_free_percent f % memory available",
                "load_1min f - load average",
                "sd_wear_percent f % life of the card that is used up",
                "process_rss_kb i KiB memory of the gateway's process",
                "clock s - quality of its clock: synced, holdover or unset",
                "link_up i 0/1 whether it is connected (a reading that came later says when it was not)",
                "link_failures i count connections that failed since its start",
                "alarms_waiting i count records that wait for a receipt",
                "telemetry_waiting i count readings that wait for a receipt",
                "messages_refused i count messages to it that it refused since its start",
            ),
            *STAMP,
        ),
        "gateway",
    ),
    Measurement(
        "bus",
        Source.READING,
        "A gateway's bus (an RS-485 line, a TCP link, a GPIO chip), each minute.",
        (*PLACE, "gateway", "bus"),
        (*_fields("breaks i count times the bus broke since the gateway's start"), *STAMP),
        "bus",
    ),
    Measurement(
        "device",
        Source.READING,
        "A device on a bus (a Modbus slave), each minute; each row has one of the fields.",
        (*PLACE, "gateway", "device"),
        (
            *_fields(
                "online i 0/1 whether it answers",
                "polls i count requests since the gateway's start",
                "failures i count of them those that failed",
                "latency_ms f ms of its answers, of late",
            ),
            *STAMP,
        ),
        "device",
    ),
    Measurement(
        "zone_health",
        Source.READING,
        "A zone's sensor, on change alone (and when asked for all): never what the sensor saw. The zone is a field, so "
        "that a million households are no million series.",
        (*PLACE, "gateway"),
        (
            *_fields(
                "zone s - the zone",
                "health s - online, fault or unknown",
                "code i - 0 online, 1 fault, 2 unknown",
            ),
            *STAMP,
        ),
        "gateway",
    ),
    Measurement(
        "zone",
        Source.READING,
        "A zone of a station or enterprise site, or of a household that opted in: condition on change, analogue value "
        "as it moves, loop statistic once a day. Recorders (NVR) are zones of the kinds nvr_online, nvr_disk, "
        "nvr_channels and nvr_recording (value: age of the newest recording in s).",
        (*PLACE, "gateway", "zone", "kind"),
        (
            *_fields(
                "condition s - normal, alarm, tamper, fault or unknown",
                "ok i 0/1 whether that is normal",
                "value f (the-profile's) analogue value",
                "loop_min f ohm the least of a day in the normal state",
                "loop_mean f ohm its mean",
                "loop_max f ohm the most",
            ),
            *STAMP,
        ),
        "zone of a station or site",
    ),
    Measurement(
        "reading",
        Source.READING,
        "Every other point, and any whose value is not of the kind listed here. `text` or `value`; a whole number has "
        "`whole` as well, to the last digit.",
        (*PLACE, "gateway", "point"),
        (
            *_fields(
                "value f - a number",
                "whole i - the same, where it is whole",
                "text s - a word",
            ),
            *(field for field in STAMP if field.name != "point"),
        ),
        "other point",
    ),
    Measurement(
        "link",
        Source.EVENT,
        "A gateway was lost, or heard again.",
        (*PLACE, "gateway"),
        _fields("up i 0/1 heard again", "silent_ms i ms how long it had not been heard"),
        "gateway",
    ),
    Measurement(
        "incident",
        Source.EVENT,
        "An incident at the time of its event, as it stands: written again at every change, over itself.",
        (*PLACE, "rule", "drill"),
        (
            *_fields(
                "incident s - its id",
                "group s - the group it is of",
                "priority i - 1 to 4",
                "state s - reported, accepted, assigned, handling, resolved, reviewed or archived",
                "open i 0/1 unresolved",
                "rung s - how far it was escalated: group, station, town or county",
                "presses i count records of it, coalesced repeats among them",
                "premises i count premises it concerns",
                "called i count premises whose sirens were called",
                "late_ms i ms how old its freshest record was on arrival",
                "parent s - the incident it is a part of",
                "must_look i 0/1 too old to ring neighbours",
                "nobody_can i 0/1 every neighbour called said that they cannot come",
                "disposition s - genuine, false_alarm, test or cancelled",
                "false_cause s - cause of a false alarm, of the hub's list",
            ),
            *_fields(
                "raised_after_ms i ms from the event until it was raised",
                "ringing_after_ms i ms until the first neighbour's siren rang",
                "going_after_ms i ms until the first neighbour said going",
                "accepted_after_ms i ms from raised until accepted",
                "resolved_after_ms i ms from raised until resolved",
            ),
        ),
        "village, rule",
    ),
    Measurement(
        "response",
        Source.EVENT,
        "A milestone of an incident, at its time: ringing and going (neighbours, from the event), accepted, on_scene "
        "and resolved (from raised). `rung` is how far it had been escalated when it was accepted.",
        (*PLACE, "milestone", "rung", "drill"),
        _fields("after_ms i ms how long it took", "incident s - its id", "priority i - 1 to 4"),
        "village, milestone, rung",
    ),
    Measurement(
        "resolution",
        Source.EVENT,
        "An incident was resolved; sent back and resolved again there are two.",
        (*PLACE, "disposition", "false_cause", "drill"),
        _fields(
            "incident s - its id",
            "rule s - its rule",
            "priority i - 1 to 4",
            "after_ms i ms from raised",
            "zones i count zones to blame",
        ),
        "village, disposition, cause",
    ),
    Measurement(
        "page",
        Source.EVENT,
        "Somebody was called: a group, the station, the town or the county.",
        (*PLACE, "rung"),
        _fields("incident s - its id", "priority i - 1 to 4"),
        "village, rung",
    ),
    Measurement(
        "gateway",
        Source.SNAPSHOT,
        f"What the hub knows of a gateway; {SLICE_ROWS} of them each time, in turns.",
        (*PLACE, "gateway"),
        _fields(
            "up i 0/1 heard within its reporting time; absent while that is not known",
            "heard_age_ms i ms since it was last heard",
            "boot i - the number of its process: a step is a restart",
            "connection i - the number of its connection: a step is a flap of the link",
            "uptime_s i s of its machine",
            "queued_alarm i count records that wait there",
            "queued_telemetry i count readings that wait there",
            "clock s - quality of its clock",
            "software s - its version",
            "config s - none, unfit, waiting, stored, runs, refused or drifts",
            "drift i 0/1 it should run a configuration and does not",
            "second i 0/1 a second gateway speaks under its name",
            "proof_age_ms i ms since its last whole proof, or since the hub knows it",
            "proof_overdue i 0/1 that is a fault by now",
        ),
        "gateway",
    ),
    Measurement(
        "group",
        Source.SNAPSHOT,
        f"A joint-defence group; {SLICE_ROWS} of them each time, in turns.",
        (*PLACE, "group"),
        (
            *_fields(
                "members i - premises of it",
                "calling i count members called whose call is not over",
            ),
            *ZONES,
            *OPEN,
        ),
        "group",
    ),
    Measurement(
        "village",
        Source.SNAPSHOT,
        "A village, by its station.",
        PLACE,
        (
            *_fields(
                "groups i - joint-defence groups",
                "enrolled i - households in a group",
                "households i - that live there, where the registry says so",
                "coverage_percent f % of them enrolled",
                "proof_age_ms i ms the oldest proof of its gateways; absent: none is known",
            ),
            *GATEWAYS,
            *ZONES,
            *OPEN,
        ),
        "village",
    ),
    Measurement(
        "desk",
        Source.SNAPSHOT,
        "The desk of an area: what waits for people, and the alarm load by ISA-18.2.",
        ("area",),
        (
            *OPEN,
            *GATEWAYS,
            *_fields(
                "unaccepted i - incidents nobody accepted, no drills",
                *(
                    f"unaccepted_p{level}_age_ms i ms age of the oldest of priority {level}; 0: none"
                    for level in PRIORITIES
                ),
                "accept_left_ms i ms until the next one climbs a rung; absent: none will",
                "must_look i - open incidents on the must-look list",
                "calls i - sirens called for open incidents, not silenced",
                "drills i - drills under way",
                "raised_10min i - incidents raised in the last 10 min",
                *(
                    f"raised_24h_p{level} i - incidents of priority {level} raised in the last 24 h"
                    for level in PRIORITIES
                ),
                "presses_24h i - panic presses in the last 24 h",
                "flood i 0/1 more than 10 in 10 min, until fewer than 5",
                "stale i - open for over 24 h",
                "level i - response level: 0 normal, 1 enhanced, 2 critical",
                "proofs_overdue i - gateways whose nightly proof is too old",
                "proof_age_ms i ms the oldest proof of a gateway; absent: none is known",
                "telemetry_age_ms i ms since a reading of this area was stored; absent: none since the hub's start",
                "telemetry_silent_ms i ms the same, or since the hub's start while there was none",
            ),
        ),
        "area",
    ),
    Measurement(
        "hub",
        Source.SNAPSHOT,
        "The hub itself: its counters and gauges as /metrics has them, without their prefix, summed over areas; a "
        "label follows the name (refused_wrong_area). Of each duration there are `_sum`, `_count` and `_p99_ms`, an "
        "upper bound over the last snapshot.",
        ("hub",),
        _fields(
            "uptime_s i s since it started",
            "inbox_depth_alarm f - inputs that wait for the journal",
            "inbox_depth_telemetry f - readings that wait for the store",
            "credit_alarm i - records a gateway may send before its next receipt",
            "credit_telemetry i - readings it may; 0: the store is down",
            "lag_ms f ms how much later than due this snapshot was taken: the loop's own delay",
            "points_waiting i - points of the hub's own that wait for the store",
            "points_dropped i count of them those that found no room",
        ),
        "hub",
        open_fields=True,
    ),
    Measurement(
        "channel",
        Source.SNAPSHOT,
        "A channel to the outside: notices and tries by what came of them, as /metrics has them.",
        ("hub", "channel"),
        (),
        "hub, channel",
        open_fields=True,
    ),
)
BY_NAME = {measurement.name: measurement for measurement in MEASUREMENTS}


def check(point: Point) -> list[str]:
    """What of a point is not as the schema says; nothing where all is."""
    known = BY_NAME.get(point.measurement)
    if known is None:
        return [f"measurement {point.measurement}"]
    wrong = [f"{known.name}: tag {name}" for name, _ in point.tags if name not in known.tags]
    for name, value in point.fields.items():
        kind = known.kind(name)
        if kind is None and known.open_fields:
            continue
        if kind is None or type(value) is not KINDS[kind]:
            wrong.append(f"{known.name}: field {name} is {type(value).__name__}, not {kind}")
    return wrong
