"""From tables that are well formed by themselves to the site the fold watches: references, kinds, defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.config.hands import hand_of
from edge.config.hardware import Hardware, Partial
from edge.config.judges import judge_of
from edge.config.model import (
    GatewayTable,
    GroupTable,
    HolidayTable,
    LimitsTable,
    OutputTable,
    PremisesTable,
    ProofTable,
    ScheduleTable,
    ZoneTable,
)
from edge.config.schedules import calendar_of, nightly_of, schedules_of
from edge.core.alarms import PRESSES
from edge.core.site import (
    NATURES,
    Arming,
    Hand,
    Limits,
    Output,
    Premises,
    Role,
    Site,
    Zone,
    ZoneKind,
)
from protocol.faults import Fault, shown
from protocol.kinds import Kind

DEBOUNCE_MS = 30


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables with their places in the file. `named` has every id written, of broken tables too, so that a
    reference to one of those is not a second fault."""

    gateway: GatewayTable | None
    limits: LimitsTable
    proof: ProofTable
    premises: list[tuple[str, PremisesTable]]
    groups: list[tuple[str, GroupTable]]
    zones: list[tuple[str, ZoneTable]]
    outputs: list[tuple[str, OutputTable]]
    schedules: list[tuple[str, ScheduleTable]]
    holidays: list[tuple[str, HolidayTable]]
    named: Mapping[str, set[str]]
    partial: Sequence[Partial] = ()


class _Builder:
    def __init__(self, tables: Tables, hardware: Hardware, where: str) -> None:
        self.tables, self.hardware, self.where = tables, hardware, where
        self.faults: list[Fault] = []
        self.households = {table.id: table.kind == "household" for _, table in tables.premises}
        self.targets: dict[str, str] = {}

    def fault(self, key: str, value: object, allowed: str) -> None:
        self.faults.append(Fault(self.where, key, shown(value), allowed))

    def known(self, section: str, key: str, value: str) -> bool:
        if value in self.tables.named[section]:
            return True
        self.fault(key, value, f"one of the file's {section} ids: {_some(self.tables.named[section])}")
        return False

    def point(self, key: str, ref: str, *, output: bool) -> bool:
        """Whether the point is there (and can be switched); a broken device's points count as there, unchecked."""
        device = ref.partition("/")[0]
        point = self.hardware.points.get(ref)
        if device in self.hardware.broken:
            return False
        if point is None:
            mine = [name for name in self.hardware.points if name.startswith(f"{device}/")]
            mine = [name for name in mine if not output or self.hardware.points[name].writable]
            devices = {name.partition("/")[0] for name in self.hardware.points}
            allowed = f"a point of {device}: {_some(mine)}" if mine else f"device/point; devices: {_some(devices)}"
            self.fault(key, ref, allowed)
        elif output and not (point.writable and point.kind == "bool"):
            self.fault(key, ref, "a point that can be switched on and off")
        else:
            return True
        return False

    def references(self, table: Partial) -> None:
        """What a table with faults of its own names must be there as well."""
        for name, value in table.values.items():
            key = f"{table.key}.{name}"
            if (table.section, name) in (("zone", "premises"), ("output", "premises"), ("output", "zone")):
                self.known(name, key, value)
            elif (table.section, name) in (("zone", "source"), ("zone", "lamp"), ("output", "target")):
                self.point(key, value, output=name != "source")
            elif (table.section, name) == ("premises", "groups"):
                for number, group in enumerate(value):
                    self.known("group", f"{key}[{number}]", group)

    def premises(self) -> tuple[Premises, ...]:
        members = {table.id: table.members for _, table in self.tables.groups}
        made = []
        for key, table in self.tables.premises:
            for number, group in enumerate(table.groups):
                place = f"{key}.groups[{number}]"
                if self.known("group", place, group) and table.id not in members.get(group, [table.id]):
                    self.fault(place, group, f"a group that has {table.id} among its members")
            home = table.kind == "household"
            told = not home if table.report_arming is None else table.report_arming
            groups = tuple(dict.fromkeys(table.groups))
            made.append(Premises(table.id, home, groups, table.mode, table.entry_s * 1000, table.exit_s * 1000, told))
        return tuple(made)

    def groups(self) -> dict[str, tuple[str, ...]]:
        local = {table.id: table.groups for _, table in self.tables.premises}
        for key, table in self.tables.groups:
            for number, member in enumerate(table.members):
                place = f"{key}.members[{number}]"
                if member in table.members[:number]:
                    self.fault(place, member, "each member once")
                if member in local and table.id not in local[member]:
                    self.fault(place, member, f"a premises here that lists {table.id} among its groups")
        return {table.id: tuple(table.members) for _, table in self.tables.groups}

    def zones(self) -> tuple[Zone, ...]:
        made = (self.zone(key, table) for key, table in self.tables.zones)
        return tuple(zone for zone in made if zone is not None)

    def zone(self, key: str, table: ZoneTable) -> Zone | None:
        nature = NATURES[table.kind]
        arming = table.arming or nature.arming
        latches = nature.latches if table.latch is None else table.latch
        if nature.raises is not Kind.INTRUSION and arming is not Arming.ALWAYS:
            self.fault(f"{key}.arming", arming.value, f"'24h': a {table.kind} zone is always live")
        if table.entry_route and (nature.raises is not Kind.INTRUSION or arming is Arming.ALWAYS):
            self.fault(f"{key}.entry_route", True, "false: only a zone that is armed and disarmed is on the way in")
        if table.lamp is not None and (nature.silent or not latches):
            why = "nothing shows at the premises" if nature.silent else "it does not latch"
            self.fault(f"{key}.lamp", table.lamp, f"no lamp for a {table.kind} zone: {why}")
        hand = hand_of(table, self.where, key)
        if isinstance(hand, list):
            self.faults += hand
            hand = Hand()
        if table.answer is not None and table.kind is not ZoneKind.ANSWER:
            self.fault(f"{key}.answer", table.answer, f"nothing: a {table.kind} zone answers no call")
        there = self.known("premises", f"{key}.premises", table.premises)
        if not self.point(f"{key}.source", table.source, output=False) or not there:
            return None
        judge = judge_of(table, self.hardware.points[table.source], self.where, key)
        if isinstance(judge, list):
            self.faults += judge
            return None
        device = table.source.partition("/")[0]
        pressed = table.kind in PRESSES and device in self.hardware.edges
        return Zone(
            id=table.id,
            premises=table.premises,
            kind=table.kind,
            source=table.source,
            judge=judge,
            arming=arming,
            fresh_ms=self.hardware.fresh[device],
            # The kernel has debounced a GPIO button already: the press leaves at its first edge.
            on_ms=table.on_ms if table.on_ms is not None else 0 if pressed else DEBOUNCE_MS,
            off_ms=DEBOUNCE_MS if table.off_ms is None else table.off_ms,
            latches=latches,
            entry_route=table.entry_route,
            report=table.report or self.report(table),
            swinger_trips=table.swinger_trips,
            answer=table.answer,
            hand=hand,
            disarms=bool(table.disarms),
        )

    def report(self, table: ZoneTable) -> str:
        at_site = not self.households.get(table.premises, True)
        return "every" if at_site and table.kind is ZoneKind.METER else "alarm"

    def outputs(self) -> tuple[Output, ...]:
        made = []
        zones = {table.id: table for _, table in self.tables.zones}
        for key, table in self.tables.outputs:
            self.known("premises", f"{key}.premises", table.premises)
            if table.role is Role.SIREN and table.zone is not None:
                self.fault(f"{key}.zone", table.zone, "nothing: a siren belongs to its premises")
            if table.role is Role.LAMP and table.pattern is not None:
                self.fault(f"{key}.pattern", table.pattern, "nothing: a lamp says how far a press has come")
            if table.role is Role.LAMP:
                self.lamp(key, table, zones)
            self.target(f"{key}.target", table.target)
            pulses = table.pattern == "pulses"
            made.append(Output(table.id, table.premises, table.role, table.target, table.zone, pulses))
        for key, zone in self.tables.zones:
            if zone.lamp is not None:
                self.target(f"{key}.lamp", zone.lamp)
                if (name := f"{zone.id}-lamp"[:63]) in self.tables.named["output"]:
                    self.fault(f"{key}.lamp", zone.lamp, f"no lamp here, or no output called {name}")
                made.append(Output(name, zone.premises, Role.LAMP, zone.lamp, zone.id))
        return tuple(made)

    def lamp(self, key: str, table: OutputTable, zones: Mapping[str, ZoneTable]) -> None:
        if table.zone is None:
            self.fault(f"{key}.zone", None, "the zone whose press the lamp shows")
        elif self.known("zone", f"{key}.zone", table.zone) and table.zone in zones:
            zone = zones[table.zone]
            latches = NATURES[zone.kind].latches if zone.latch is None else zone.latch
            if NATURES[zone.kind].silent or not latches:
                self.fault(f"{key}.zone", table.zone, "a zone that latches and is not silent")
            if zone.premises != table.premises:
                self.fault(f"{key}.premises", table.premises, f"{zone.premises}, where zone {zone.id} is")

    def target(self, key: str, ref: str) -> None:
        self.point(key, ref, output=True)
        if (other := self.targets.setdefault(ref, key)) != key:
            self.fault(key, ref, f"a point of its own; {other} has this one")


def build_site(tables: Tables, hardware: Hardware, digest: str, where: str) -> tuple[Site | None, list[Fault]]:
    """The site, or None with everything that keeps it from being one."""
    builder = _Builder(tables, hardware, where)
    zones, premises = builder.zones(), builder.premises()
    outputs, groups = builder.outputs(), builder.groups()
    for key, schedule in tables.schedules:
        for number, one in enumerate(schedule.premises):
            builder.known("premises", f"{key}.premises[{number}]", one)
    schedules, faults = schedules_of(tables.schedules, where)
    builder.faults += faults
    calendar, faults = calendar_of(tables.gateway, tables.holidays, bool(tables.schedules), where)
    builder.faults += faults
    for table in tables.partial:
        builder.references(table)
    if builder.faults or tables.gateway is None:
        return None, builder.faults
    limits = Limits(**tables.limits.model_dump())
    site = Site(
        area=tables.gateway.area,
        gateway=tables.gateway.id,
        zones=zones,
        premises=premises,
        outputs=outputs,
        groups=groups,
        limits=limits,
        digest=digest,
        fresh=dict(hardware.fresh),
        schedules=schedules,
        calendar=calendar,
        proof=nightly_of(tables.proof),
    )
    return site, []


def _some(names: Iterable[str], most: int = 12) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return (", ".join(ordered[:most]) or "none") + more
