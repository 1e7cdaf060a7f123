"""Buses and devices: which driver, which profile, which points there are, and how long each may be silent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from edge import drivers, port
from edge.config.model import BusTable, DeviceTable
from edge.config.words import faults_of
from edge.profiles import Profile
from protocol.faults import Fault, shown

SLACK_MS = 250
"""Beyond two of its periods, a GPIO chip may be late by this much: it has no wire to time out."""


@dataclass(frozen=True, slots=True)
class Bus:
    """One bus, ready to build: `module.build(id, settings, devices)`."""

    id: str
    driver: str
    module: port.DriverModule
    settings: port.Settings
    devices: tuple[port.Device, ...]

    def build(self) -> port.Driver:
        """Make its driver; touches no wire yet."""
        return self.module.build(self.id, self.settings, self.devices)


@dataclass(frozen=True, slots=True)
class Partial:
    """A table with faults of its own, at `key` of the file: its section, and those of its values that are right."""

    section: str
    key: str
    values: Mapping[str, Any]


@dataclass
class Hardware:
    """What the tables make. `edges` are devices whose kernel stamps every change, so the first edge can be taken."""

    buses: tuple[Bus, ...] = ()
    points: dict[str, port.Point] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    edges: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)


def read_hardware(
    buses: list[tuple[str, BusTable]],
    devices: list[tuple[str, DeviceTable]],
    named: Mapping[str, set[str]],
    profiles: Mapping[str, Profile],
    where: str,
    partial: Iterable[Partial] = (),
) -> Hardware:
    """Check buses and devices against drivers and profiles. A device in `broken` has a fault, so nothing that refers
    to its points is one more."""
    made = Hardware()
    for unsound in partial:
        if unsound.section == "device":
            made.faults += _unknown(unsound.key, unsound.values, named, profiles, where)
    on_bus = _devices(devices, named, profiles, where, made)
    made.broken |= named["device"] - {table.id for _, table in devices}
    made.broken |= named["bus"] - {table.id for _, table in buses}
    for key, table in buses:
        bus = _bus(key, table, on_bus.get(table.id, []), where, made)
        if bus is None:
            made.broken |= {table.id, *(device.bus_table.id for device in on_bus.get(table.id, []))}
        else:
            made.buses += (bus,)
            _fresh(bus, made)
    for key, device in devices:
        if device.id in named["bus"]:
            made.faults.append(Fault(where, f"{key}.id", shown(device.id), "an id that no bus has"))
    return made


@dataclass(frozen=True, slots=True)
class _Placed:
    key: str
    bus_table: DeviceTable
    device: port.Device


def _devices(
    tables: list[tuple[str, DeviceTable]],
    named: Mapping[str, set[str]],
    profiles: Mapping[str, Profile],
    where: str,
    made: Hardware,
) -> dict[str, list[_Placed]]:
    on_bus: dict[str, list[_Placed]] = {}
    units: dict[tuple[str, int], str] = {}
    for key, table in tables:
        made.faults += _unknown(key, {"bus": table.bus, "profile": table.profile}, named, profiles, where)
        if table.bus not in named["bus"]:
            made.broken.add(table.id)
        elif (other := units.setdefault((table.bus, table.unit), key)) != key:
            allowed = f"a unit of its own on bus {table.bus}; {other} has this one"
            made.faults.append(Fault(where, f"{key}.unit", shown(table.unit), allowed))
        profile = profiles.get(table.profile)
        if profile is None:
            made.broken.add(table.id)
        elif table.bus in named["bus"]:
            device = port.Device(table.id, table.unit, profile, table.poll_ms)
            on_bus.setdefault(table.bus, []).append(_Placed(key, table, device))
    return on_bus


def _unknown(
    key: str, values: Mapping[str, Any], named: Mapping[str, set[str]], profiles: Mapping[str, Profile], where: str
) -> list[Fault]:
    """The bus and the profile that a device names and nobody knows."""
    choices = {"bus": ("one of the buses: ", named["bus"]), "profile": ("one of ", profiles)}
    return [
        Fault(where, f"{key}.{name}", shown(values[name]), f"{said}{_list(known)}")
        for name, (said, known) in choices.items()
        if name in values and values[name] not in known
    ]


def _bus(key: str, table: BusTable, placed: list[_Placed], where: str, made: Hardware) -> Bus | None:
    try:
        module = drivers.find(table.driver)
    except LookupError:
        made.faults.append(Fault(where, f"{key}.driver", shown(table.driver), f"one of {_list(drivers.names())}"))
        return None
    try:
        settings = module.Settings.model_validate(table.own)
    except ValidationError as error:
        made.faults += faults_of(error, where, key, [*BusTable.model_fields, *module.Settings.model_fields])
        return None
    devices = tuple(place.device for place in placed)
    points: Mapping[str, Any] = module.points(table.id, settings, devices)
    made.points |= points
    carried = {point.partition("/")[0] for point in points}
    for place in placed:
        if place.device.id not in carried:
            allowed = f"a bus that carries devices; {table.id} ({table.driver}) is its own"
            made.faults.append(Fault(where, f"{place.key}.bus", shown(table.id), allowed))
            made.broken.add(place.device.id)
    return Bus(table.id, table.driver, module, settings, devices)


def _fresh(bus: Bus, made: Hardware) -> None:
    """Two polls and one time-out; a chip whose changes come as events is read again every `alive_ms` instead."""
    alive_ms = getattr(bus.settings, "alive_ms", None)
    if alive_ms is not None:
        made.fresh[bus.id] = 2 * alive_ms + SLACK_MS
        made.edges.add(bus.id)
    timeout_ms = getattr(bus.settings, "timeout_ms", SLACK_MS)
    for device in bus.devices:
        made.fresh[device.id] = 2 * device.poll_ms + timeout_ms


def _list(names: object) -> str:
    return ", ".join(sorted(map(str, names))) or "none"  # type: ignore[call-overload]  # any collection of names
