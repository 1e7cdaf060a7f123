"""A gateway's reading as a point, and back: by its name it goes to its measurement, and what does not fit there to
`reading`, so that no value ever changes a field's kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.measures.places import Places
from hub.measures.point import NS_PER_MS, Point, Value
from hub.measures.schema import BY_NAME, MEASUREMENTS, STAMP, Source
from hub.store.port import Placed, Sample

MEASURES = tuple(one.name for one in MEASUREMENTS if one.source is Source.READING)
OTHER = "reading"
CODES = {"online": 0, "fault": 1, "unknown": 2}


def point_of(sample: Sample, places: Places, offset_ns: int) -> Point:
    """The point of a reading. `offset_ns` (below 1 ms) tells readings of one series in the same ms apart."""
    measurement, tags, field = _place(sample.point)
    area, gateway = sample.area, sample.gateway
    fields: dict[str, Value] | None = None
    if field is not None:
        fields = _fields(measurement, tags, field, sample.value)
        if measurement == "zone":
            tags = tags | {"kind": places.kind_of_zone(area, tags["zone"]) or "unknown"}
        elif measurement == "zone_health":
            tags = {}
    if fields is None:
        measurement, tags, fields = OTHER, {"point": sample.point}, _any(sample.value)
    stamp: dict[str, Value] = {
        "seq": sample.seq,
        "instance": sample.instance,
        "placed": str(sample.placed),
        "mono_ns": sample.mono_ns,
        "wall_ms": sample.wall_ms,
        "quality": sample.quality,
    }
    if measurement != OTHER:
        stamp["point"] = sample.point
    assert 0 <= offset_ns < NS_PER_MS
    at_ns = sample.at_ms * NS_PER_MS + offset_ns
    return Point(measurement, places.tags(area, gateway, **tags), fields | stamp, at_ns)


def measurements_of(point: str) -> tuple[str, ...]:
    """Where readings of a point may be."""
    measurement, _, field = _place(point)
    return (OTHER,) if field is None else (measurement, OTHER)


def numbers_of(point: str) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Where numbers of a point may be: (measurement, the tags it has there besides its gateway's, field)."""
    measurement, tags, field = _place(point)
    if field is not None and BY_NAME[measurement].kind(field) != "s":
        yield measurement, tags, field
    yield OTHER, {"point": point}, "value"


def value_field(point: str) -> str | None:
    """The field that its number is in, of the measurement it belongs to; None: in `reading` as `value`."""
    return _place(point)[2]


def sample_of(area: str, gateway: str, point: str, at_ns: int, row: Mapping[str, Any]) -> Sample:
    """The reading that a row (its fields by name, absent ones None) was made of."""
    value = _value(point, row)
    return Sample(
        area, gateway, point, value, at_ns // NS_PER_MS, Placed(row["placed"]),
        int(row["mono_ns"]), int(row["wall_ms"]), str(row["quality"]), str(row["instance"]), int(row["seq"]),
    )  # fmt: skip


def columns(point: str) -> Iterator[str]:
    """The fields that a reading of a point is read from."""
    field = value_field(point)
    yield from dict.fromkeys(["text", "whole", *([field] if field else []), "value"])
    yield from (one.name for one in STAMP if one.name != "point")


def _value(point: str, row: Mapping[str, Any]) -> Value:
    """JSON does not tell 1.0 from 1: the field does."""
    if (whole := row.get("whole")) is not None:
        return int(whole)
    field = value_field(point)
    if field is not None and row.get(field) is not None:
        return float(row[field]) if BY_NAME[_place(point)[0]].kind(field) == "f" else row[field]
    value: float | None = row.get("value")
    return str(row.get("text") or "") if value is None else float(value)


def _place(point: str) -> tuple[str, dict[str, str], str | None]:
    """(measurement, tags, field) by a point's name; no field where it is none of those listed."""
    parts = point.split("/")
    match parts:
        case ["health", name] if _listed("gateway_health", name):
            return "gateway_health", {}, name
        case ["health", "bus", bus, name] if bus and _listed("bus", name):
            return "bus", {"bus": bus}, name
        case ["health", "device", device, name] if device and _listed("device", name):
            return "device", {"device": device}, name
        case ["zone", zone, "health"] if zone:
            return "zone_health", {"zone": zone}, "health"
        case ["zone", zone] if zone:
            return "zone", {"zone": zone}, "condition"
        case ["zone", zone, name] if zone and name != "condition" and name != "ok" and _listed("zone", name):
            return "zone", {"zone": zone}, name
        case _:
            return OTHER, {}, None


def _listed(measurement: str, name: str) -> bool:
    known = BY_NAME[measurement]
    return known.kind(name) is not None and all(one.name != name for one in STAMP)


def _fields(measurement: str, tags: Mapping[str, str], field: str, value: Value) -> dict[str, Value] | None:
    """The fields of a value that is of the kind its field has; else None."""
    kind = BY_NAME[measurement].kind(field)
    if kind == "f" and isinstance(value, int):
        if int(float(value)) != value:
            return None
        value = float(value)
    if (kind == "s") is not isinstance(value, str) or (kind == "i" and not isinstance(value, int)):
        return None
    if measurement == "zone_health":
        return {"zone": tags["zone"], "health": value, "code": CODES.get(str(value), 2)}
    if field == "condition":
        return {"condition": value, "ok": int(value == "normal")}
    return {field: value}


def _any(value: Value) -> dict[str, Value]:
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, int):
        return {"value": float(value), "whole": value}
    return {"value": value}
