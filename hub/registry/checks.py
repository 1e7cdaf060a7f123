"""From rows that may stand for themselves to a registry whose parts agree with one another, one row at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from sys import intern
from typing import Any

from msgspec.structs import replace

from hub.core.registry import (
    Area,
    GatewayEntry,
    Group,
    Key,
    Premises,
    PremisesKind,
    Registry,
    Station,
    ZoneEntry,
    of_area,
)
from hub.registry.contacts import Contact, ContactBook
from hub.registry.faults import Faults
from hub.registry.fields import Reader, Value
from hub.registry.kinds import ZONE_KINDS
from hub.registry.sheet import Sheet
from protocol.ids import ID_ALLOWED, is_id

MEMBERS_MIN = 10
MEMBERS_MAX = 20
"""A joint-defence group has 10 to 20 members, sites counted. Another size is worth a warning, unless it is said to be
meant (`any_size`): a hamlet has what it has, and all sirens of a large group answer every press."""
MEMBERS_RING = 64
"""More than these no gateway takes as one group."""


class Builder:
    """Takes the sheets in the order of `TABLES`: each row is checked against those before it and put in its place.

    Nothing of what it made may be used when there are faults.
    """

    def __init__(self, faults: Faults) -> None:
        self.registry = Registry()
        self.contacts = ContactBook()
        self.faults = faults
        self.warnings = Faults()
        self._defaults: dict[str, Value] = {}
        self._gateway_at: list[tuple[Key, Sheet, int]] = []
        self._used: set[Key] = set()
        self._premises_sheet: Sheet | None = None
        self._premises_at: dict[str, array[int]] = {}
        self._groups: list[tuple[Group, Sheet, int]] = []
        self._contacts: set[Key] = set()

    def take(self, sheets: Iterable[Sheet]) -> None:
        """Every row of every sheet."""
        for sheet in sheets:
            getattr(self, f"_{sheet.table}")(sheet)
        self._neighbours()
        self._leftovers()

    def _rows(self, sheet: Sheet) -> Iterator[tuple[int, list[Any]]]:
        return Reader(sheet, self._defaults, self.faults).rows()

    def fault(self, sheet: Sheet, number: int, key: str, value: object, allowed: str) -> None:
        self.faults.tell(sheet.fault(number, key, value, allowed))

    def warn(self, sheet: Sheet, number: int, key: str, value: object, allowed: str) -> None:
        self.warnings.tell(sheet.fault(number, key, value, allowed))

    def _area(self, sheet: Sheet) -> None:
        rows = 0
        for number, (area, town, county, name) in self._rows(sheet):
            rows += 1
            if area in self.registry.areas:
                self.fault(sheet, number, "id", area, "each area once")
            self.registry.areas.setdefault(area, Area(area, intern(town), intern(county), name))
        if len(self.registry.areas) == rows == 1:
            self._defaults = {"area": next(iter(self.registry.areas))}

    def _station(self, sheet: Sheet) -> None:
        for number, (one, area, name, households) in self._rows(sheet):
            area = self._in_area(sheet, number, area)
            self._add(self.registry.stations, sheet, number, area, one, Station(one, area, name, households))

    def _gateway(self, sheet: Sheet) -> None:
        for number, (one, area, profile_ms) in self._rows(sheet):
            area = self._in_area(sheet, number, area)
            if self._add(self.registry.gateways, sheet, number, area, one, GatewayEntry(one, area, profile_ms)):
                self._gateway_at.append(((area, one), sheet, number))

    def _premises(self, sheet: Sheet) -> None:
        kinds = {str(kind): kind for kind in PremisesKind}
        self._premises_sheet = sheet
        for number, (one, area, kind, gateway, report) in self._rows(sheet):
            area = self._in_area(sheet, number, area)
            known = of_area(self.registry.gateways, area).get(gateway)
            if known is None:
                self._elsewhere(
                    sheet, number, "gateway", area, gateway, self.registry.gateways, "a gateway of this area"
                )
            else:
                gateway = known.id
                self._used.add((area, gateway))
            premises = Premises(one, area, kinds[kind], gateway, (), bool(report))
            if self._add(self.registry.premises, sheet, number, area, one, premises):
                self._premises_at.setdefault(area, array("q")).append(number)

    def _group(self, sheet: Sheet) -> None:
        for number, (one, area, station, members, adjacent, head, any_size) in self._rows(sheet):
            area = self._in_area(sheet, number, area)
            known = of_area(self.registry.stations, area).get(station)
            if known is None:
                self._elsewhere(
                    sheet, number, "station", area, station, self.registry.stations, "a station of this area"
                )
            group = Group(
                id=one,
                area=area,
                station=station if known is None else known.id,
                members=self._members(sheet, number, area, one, members),
                adjacent=tuple(n.rpartition("/")[2] for n in adjacent if n.rpartition("/")[0] in ("", area)),
                head=head or None,
                beyond=tuple(
                    (n.rpartition("/")[0], n.rpartition("/")[2])
                    for n in adjacent
                    if n.rpartition("/")[0] not in ("", area)
                ),
                any_size=bool(any_size),
            )
            self._sound(sheet, number, group)
            if self._add(self.registry.groups, sheet, number, area, one, group):
                self._groups.append((group, sheet, number))

    def _members(self, sheet: Sheet, number: int, area: str, group: str, members: tuple[str, ...]) -> tuple[str, ...]:
        """The members by the very texts of their entries, each of which learns of the group."""
        premises = of_area(self.registry.premises, area)
        groups, found = (group,), []
        for member in members:
            known = premises.get(member)
            if known is None:
                self.fault(sheet, number, "members", member, "premises of this area")
                found.append(member)
                continue
            found.append(known.id)
            kept = (*known.groups, group) if known.groups else groups
            self.registry.premises[area, known.id] = replace(known, groups=kept)
        return tuple(found)

    def _sound(self, sheet: Sheet, number: int, group: Group) -> None:
        """Size allowed, head among the members."""
        size, members = f"{len(group.members)} members", group.members
        if len(members) > MEMBERS_RING:
            self.fault(sheet, number, "members", size, f"at most {MEMBERS_RING}, sites counted")
        elif not group.any_size and not MEMBERS_MIN <= len(members) <= MEMBERS_MAX:
            allowed = f"{MEMBERS_MIN} to {MEMBERS_MAX} members, sites counted, unless any_size says it is meant"
            self.warn(sheet, number, "members", size, allowed)
        if group.head is None:
            self.warn(sheet, number, "head", "nothing", "the head household")
        elif group.head not in members:
            self.fault(sheet, number, "head", group.head, f"one of its members: {', '.join(members)}")
        elif self._kind_of(group.area, group.head) not in (PremisesKind.HOUSEHOLD, None):
            self.warn(sheet, number, "head", group.head, "a household, to be the head household")

    def _kind_of(self, area: str, premises: str) -> PremisesKind | None:
        known = self.registry.premises.get((area, premises))
        return known.kind if known is not None else None

    def _neighbours(self) -> None:
        """Neighbours known, and neighbours in turn, also those of another area; every household in a group."""
        groups = self.registry.groups
        for group, sheet, number in self._groups:
            near = [((group.area, name), name) for name in group.adjacent]
            for key, name in [*near, *((key, f"{key[0]}/{key[1]}") for key in group.beyond)]:
                other = groups.get(key)
                if other is group:
                    self.fault(sheet, number, "adjacent", name, "other groups; this is itself")
                elif other is None:
                    allowed = "groups of this area, or area/group" if key[0] == group.area else "groups there are"
                    self.fault(sheet, number, "adjacent", name, allowed)
                elif not (
                    group.id in other.adjacent if key[0] == group.area else (group.area, group.id) in other.beyond
                ):
                    allowed = f"groups that name it in turn; {name} does not name {group.id}"
                    self.fault(sheet, number, "adjacent", name, allowed)

    def _zone(self, sheet: Sheet) -> None:
        """Premises and gateway known in the zone's area; without a gateway, that of the premises."""
        strange: set[str] = set()
        place, at = "", ""
        homes: Mapping[str, Premises] = {}
        for number, (one, area, premises, gateway, kind) in self._rows(sheet):
            if area != at:
                at, place = area, self._in_area(sheet, number, area)
                homes = of_area(self.registry.premises, place)
            elif place not in self.registry.areas:
                self._in_area(sheet, number, area)
            home = homes.get(premises)
            if home is None:
                self._elsewhere(
                    sheet, number, "premises", place, premises, self.registry.premises, "premises of this area"
                )
                continue
            if not gateway or gateway == home.gateway:
                gateway = home.gateway
            elif (known := of_area(self.registry.gateways, place).get(gateway)) is not None:
                gateway = known.id
                self._used.add((place, gateway))
            else:
                self._elsewhere(
                    sheet, number, "gateway", place, gateway, self.registry.gateways, "a gateway of this area"
                )
            if kind not in ZONE_KINDS and kind not in strange:
                strange.add(kind)
                self.warn(sheet, number, "kind", kind, f"a kind gateways know: {', '.join(sorted(ZONE_KINDS))}")
            entry = ZoneEntry(one, place, home.id, gateway, intern(kind))
            self._add(self.registry.zones, sheet, number, place, one, entry)

    def _contact(self, sheet: Sheet) -> None:
        """Somebody to reach for premises or a station of the area, or for its town or county centre."""
        numbers: dict[tuple[str, str, str], str] = {}
        for number, (one, area, of, name, phone) in self._rows(sheet):
            area = self._in_area(sheet, number, area)
            if (area, one) in self._contacts:
                self.fault(sheet, number, "id", one, "each contact once")
            self._contacts.add((area, one))
            if not self._reachable(area, of):
                allowed = "premises or a station of this area, or its town or county centre"
                self._elsewhere(sheet, number, "of", area, of, self.registry.premises, allowed)
            if (other := numbers.setdefault((area, of, phone), one)) != one:
                self.warn(sheet, number, "id", one, f"each number once for one household; {other} has this one")
            self.contacts.add(Contact(one, area, of, name, phone))

    def _reachable(self, area: str, of: str) -> bool:
        """Whether somebody may be reached for it."""
        known = self.registry.areas.get(area)
        centres = () if known is None else (known.town, known.county)
        return of in centres or (area, of) in self.registry.premises or (area, of) in self.registry.stations

    def _in_area(self, sheet: Sheet, number: int, area: str) -> str:
        """The area by the very text of its entry; everything but an area is in one."""
        if (known := self.registry.areas.get(area)) is not None:
            return known.id
        names = ", ".join(self.registry.areas)
        self.fault(sheet, number, "area", area, f"one of {names[:500]}" if names else "an area; there is none")
        return area

    def _add(self, table: Any, sheet: Sheet, number: int, area: str, one: str, entry: object) -> bool:
        """Take an entry; the first of its id stays."""
        entries = table.of(area)
        if one in entries:
            self.fault(sheet, number, "id", one, f"each id once in its area; {one} is there already")
            return False
        entries[one] = entry
        return True

    def _elsewhere(
        self, sheet: Sheet, number: int, key: str, area: str, named: str, table: Mapping[Key, object], allowed: str
    ) -> None:
        """An id that is not known in its row's area; where it is, is said."""
        if not is_id(named):
            allowed = ID_ALLOWED
        there = sorted(other for other in self.registry.areas if other != area and (other, named) in table)
        more = f"; {named} is in {', '.join(there[:5])}" if there and not self.faults.full else ""
        self.fault(sheet, number, key, named, allowed + more)

    def _leftovers(self) -> None:
        """Warn of gateways that serve nobody, and of households nobody would come to."""
        for key, sheet, number in self._gateway_at:
            if key not in self._used:
                self.warn(sheet, number, "id", key[1], "a gateway that serves some premises")
        if self._premises_sheet is None:
            return
        for area, lines in self._premises_at.items():
            for number, premises in zip(lines, of_area(self.registry.premises, area).values(), strict=True):
                if not premises.groups and premises.kind is PremisesKind.HOUSEHOLD:
                    allowed = "a member of a group: nobody is called for this household"
                    self.warn(self._premises_sheet, number, "id", premises.id, allowed)
