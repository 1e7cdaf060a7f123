"""From rows that may stand for themselves to a registry whose parts agree with one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from hub.core.registry import Area, GatewayEntry, Group, Key, Premises, PremisesKind, Registry, Station, ZoneEntry
from hub.registry.contacts import Contact, ContactBook
from hub.registry.fields import Entry
from protocol.faults import Fault

T = TypeVar("T")

MEMBERS_MIN = 10
MEMBERS_MAX = 20
"""A joint-defence group has 10 to 20 members, sites counted. A smaller one is worth a warning (a hamlet has what it
has); a larger one is refused: all its sirens would answer every press."""


def built(entries: Sequence[Entry], faults: list[Fault]) -> tuple[Registry, ContactBook, list[Fault]]:
    """The registry, the contacts, and the warnings. Nothing of it may be used when there are faults."""
    check = _Check(entries, faults)
    for entry in check.all("area"):
        known = check.registry.areas
        if entry.text("id") in known:
            check.fault(entry, "id", "each area once")
        known[entry.text("id")] = Area(**_plain(entry))
    check.areas()
    for entry in check.all("station"):
        check.add(check.registry.stations, entry, Station(**_plain(entry)))
    for entry in check.all("gateway"):
        check.add(check.registry.gateways, entry, GatewayEntry(**_plain(entry)))
    groups_of = check.memberships()
    for entry in check.all("premises"):
        area, premises = entry.text("area"), entry.text("id")
        check.refers(entry, "gateway", check.registry.gateways, "a gateway of this area")
        kind = PremisesKind(entry.text("kind"))
        groups = tuple(groups_of.get((area, premises), ()))
        opted_in = bool(entry.number("report_every"))
        known_premises = Premises(premises, area, kind, entry.text("gateway"), groups, opted_in)
        check.add(check.registry.premises, entry, known_premises)
        if not groups and kind is PremisesKind.HOUSEHOLD:
            check.warn(entry, "id", "a member of a group: nobody is called for this household")
    for entry in check.all("group"):
        check.group(entry)
    for entry in check.all("zone"):
        check.zone(entry)
    contacts = [check.contact(entry) for entry in check.all("contact")]
    check.leftovers()
    return check.finished(), ContactBook(contacts), check.warnings


class _Check:
    def __init__(self, entries: Iterable[Entry], faults: list[Fault]) -> None:
        self.registry = Registry()
        self.warnings: list[Fault] = []
        self._faults = faults
        self._entries: dict[str, list[Entry]] = {}
        self._contacts: set[Key] = set()
        for entry in entries:
            self._entries.setdefault(entry.row.table, []).append(entry)
        self._groups = {(e.text("area"), e.text("id")): e for e in self._entries.get("group", [])}

    def all(self, table: str) -> list[Entry]:
        return self._entries.get(table, [])

    def fault(self, entry: Entry, key: str, allowed: str, value: str | None = None) -> None:
        self._faults.append(entry.row.fault(key, value if value is not None else entry.values[key], allowed))

    def warn(self, entry: Entry, key: str, allowed: str, value: str | None = None) -> None:
        self.warnings.append(entry.row.fault(key, value if value is not None else entry.values[key], allowed))

    def add(self, table: dict[Key, T], entry: Entry, value: T) -> None:
        """Take an entry; the first of its id stays."""
        key = (entry.text("area"), entry.text("id"))
        if key in table:
            self.fault(entry, "id", f"each id once in its area; {key[1]} is there already")
        table.setdefault(key, value)

    def refers(self, entry: Entry, key: str, table: Mapping[Key, object], allowed: str) -> bool:
        """Whether the id under `key` is known in the entry's area."""
        named = entry.text(key)
        if (entry.text("area"), named) in table:
            return True
        elsewhere = sorted(area for area, known in table if known == named)
        self.fault(entry, key, f"{allowed}; {named} is in {', '.join(elsewhere)}" if elsewhere else allowed)
        return False

    def areas(self) -> None:
        """Everything but an area is in one."""
        known = self.registry.areas
        for table, entries in self._entries.items():
            for entry in entries if table != "area" else ():
                if entry.text("area") not in known:
                    self.fault(entry, "area", f"one of {', '.join(known)}" if known else "an area; there is none")

    def memberships(self) -> dict[Key, list[str]]:
        """The groups of each premises, in the order of the registry."""
        found: dict[Key, list[str]] = {}
        for entry in self.all("group"):
            for member in entry.texts("members"):
                found.setdefault((entry.text("area"), member), []).append(entry.text("id"))
        return found

    def group(self, entry: Entry) -> None:
        """Members known, head among them, size allowed, neighbours known and neighbours in turn."""
        area, group, members = entry.text("area"), entry.text("id"), entry.texts("members")
        head, station = entry.text("head") or None, entry.text("station")
        self.add(self.registry.groups, entry, Group(group, area, station, members, entry.texts("adjacent"), head))
        self.refers(entry, "station", self.registry.stations, "a station of this area")
        unknown = [member for member in members if (area, member) not in self.registry.premises]
        for member in unknown:
            self.fault(entry, "members", "premises of this area", member)
        if len(members) > MEMBERS_MAX:
            self.fault(entry, "members", f"at most {MEMBERS_MAX}, sites counted", f"{len(members)} members")
        elif len(members) < MEMBERS_MIN:
            self.warn(
                entry, "members", f"{MEMBERS_MIN} to {MEMBERS_MAX} members, sites counted", f"{len(members)} members"
            )
        if head is None:
            self.warn(entry, "head", "the head household", "nothing")
        elif head not in members:
            self.fault(entry, "head", f"one of its members: {', '.join(members)}")
        self._neighbours(entry, area, group)

    def _neighbours(self, entry: Entry, area: str, group: str) -> None:
        for name in entry.texts("adjacent"):
            other = self._groups.get((area, name))
            if name == group:
                self.fault(entry, "adjacent", "other groups; this is itself", name)
            elif other is None:
                self.fault(entry, "adjacent", "groups of this area", name)
            elif group not in other.texts("adjacent"):
                self.fault(entry, "adjacent", f"groups that name it in turn; {name} does not name {group}", name)

    def zone(self, entry: Entry) -> None:
        """Premises and gateway known in the zone's area; without a gateway, that of the premises."""
        area = entry.text("area")
        premises = self.registry.premises.get((area, entry.text("premises")))
        self.refers(entry, "premises", self.registry.premises, "premises of this area")
        if entry.text("gateway"):
            self.refers(entry, "gateway", self.registry.gateways, "a gateway of this area")
        gateway = entry.text("gateway") or (premises.gateway if premises is not None else "")
        known = ZoneEntry(entry.text("id"), area, entry.text("premises"), gateway, entry.text("kind"))
        self.add(self.registry.zones, entry, known)

    def contact(self, entry: Entry) -> Contact:
        """Somebody to reach for premises or a station of the area."""
        key = (entry.text("area"), entry.text("id"))
        if key in self._contacts:
            self.fault(entry, "id", "each contact once")
        self._contacts.add(key)
        both: dict[Key, object] = {**self.registry.premises, **self.registry.stations}
        self.refers(entry, "of", both, "premises or a station of this area")
        return Contact(key[1], key[0], entry.text("of"), entry.text("name"), entry.text("phone"))

    def leftovers(self) -> None:
        """Warn of gateways that serve nobody."""
        used = {(p.area, p.gateway) for p in self.registry.premises.values()}
        used |= {(z.area, z.gateway) for z in self.registry.zones.values()}
        for entry in self.all("gateway"):
            if (entry.text("area"), entry.text("id")) not in used:
                self.warn(entry, "id", "a gateway that serves some premises")

    def finished(self) -> Registry:
        """The registry with its digest: the same for the same content, whatever file and order it came from."""
        tables = {
            name: sorted((asdict(value) for value in getattr(self.registry, name).values()), key=_order)
            for name in ("areas", "stations", "groups", "premises", "gateways", "zones")
        }
        return replace(self.registry, digest=sha256(msgspec.json.encode(tables, order="sorted")).hexdigest())


def _plain(entry: Entry) -> dict[str, Any]:
    return dict(entry.values)


def _order(value: dict[str, Any]) -> tuple[str, str]:
    return value.get("area", ""), value["id"]
