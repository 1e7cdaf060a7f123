"""Who is told: from a rung to places, from places to contacts and rooms, over which channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.core.incident import Incident
from hub.core.registry import Key, Registry, of_area
from hub.notify.table import ChannelTable, Route, Told
from hub.registry.contacts import Contact, ContactBook
from protocol.kinds import Priority


@dataclass(frozen=True, slots=True)
class Address:
    """One recipient over one channel. `area` is that of what is told; `to` a contact's id (area/id of another area), or
    the place's own where the channel is a room."""

    channel: str
    area: str
    to: str
    of: str


class People:
    """The registry's contacts behind the routes."""

    def __init__(
        self, registry: Registry, book: ContactBook, channels: Mapping[str, ChannelTable], routes: Sequence[Route]
    ) -> None:
        self._registry = registry
        self._book = book
        self._rooms = {name for name, channel in channels.items() if channel.rooms}
        self._routes = routes
        self._served: dict[str, list[str]] = {}
        self._left: dict[Key, tuple[Contact, ...]] = {}
        for area in registry.areas.values():
            for centre in {area.town, area.county}:
                self._served.setdefault(centre, []).append(area.id)
        wanted = {tuple(name.split("/")) for route in routes for name in route.to}
        self._named = {(one.area, one.id): one for one in book if (one.area, one.id) in wanted} if wanted else {}

    def become(self, other: People, called: Iterable[Key]) -> None:
        """Know what another knows, in place of what was known. Those of the premises `called` for what is still open
        are kept until the next change, to be told when it is over, though they left; until then and no longer."""
        left = {key: self._book.of(*key) for key in called}
        self._left = {key: of for key, of in left.items() if of and key not in other._registry.premises}
        self._registry, self._book = other._registry, other._book
        self._served, self._named = other._served, other._named

    def places(self, incident: Incident, rung: Told) -> list[str]:
        """The stations, the centre, or the called neighbours of an incident, by id."""
        area = self._registry.areas.get(incident.area)
        if rung is Told.TOWN or rung is Told.COUNTY:
            return [] if area is None else [area.town if rung is Told.TOWN else area.county]
        if rung is Told.GROUP:
            return list(incident.calls)
        homes = incident.premises or self._wired(incident.area, incident.gateways)
        return self.stations(incident.area, homes, [incident.group] if incident.group else [])

    def stations(self, area: str, premises: Iterable[str], groups: Iterable[str] = ()) -> list[str]:
        """The stations of these groups and those of these premises; of the whole area when there are none."""
        names = [*groups, *(one for home in premises for one in self._registry.groups_of(area, home))]
        known = [self._registry.groups.get((area, one)) for one in dict.fromkeys(names)]
        found = list(dict.fromkeys(group.station for group in known if group is not None))
        return found or sorted(of_area(self._registry.stations, area))

    def told(self, rung: Told, area: str, priority: Priority, places: Iterable[str]) -> list[Address]:
        """Everyone to be told, each once over each channel."""
        found: dict[Address, None] = {}
        where = list(places)
        for route in self._routes:
            if route.leads(rung, area, priority):
                for channel in route.channels:
                    found |= dict.fromkeys(self._over(channel, area, where, route))
        return list(found)

    def hub(self, priority: Priority) -> list[Address]:
        """Who is told of the hub's own trouble: whom the routes name, else over each channel the town, else
        the county, else the stations."""
        found: dict[tuple[str, str], Address] = {}
        for area in self._registry.areas.values():
            reached: set[str] = set()
            for places in ([area.town], [area.county], sorted(of_area(self._registry.stations, area.id))):
                some = [one for one in self.told(Told.HUB, area.id, priority, places) if one.channel not in reached]
                reached |= {one.channel for one in some}
                for one in some:
                    who = one.to if one.channel in self._rooms or "/" in one.to else f"{area.id}/{one.to}"
                    found.setdefault((one.channel, who), one)
        return list(found.values())

    def contact(self, area: str, to: str, of: str) -> Contact | None:
        """The contact as the registry has it now; None when they left (and nothing is open they were called for)."""
        where, _, one = to.rpartition("/")
        named = self._named.get((where or area, one))
        key = (where or area, of)
        return next((known for known in (*self._book.of(*key), *self._left.get(key, ())) if known.id == one), named)

    def words(self, area: str, incident: Incident | None, of: str, names: bool) -> tuple[str, str]:
        """Where, and (with `names`) whose home it is, for a text: names of places, ids of premises."""
        known = self._registry.areas.get(area)
        homes = incident.premises if incident is not None else []
        stations = self.places(incident, Told.STATION) if incident is not None else [of]
        found = [self._registry.stations.get((area, one)) for one in stations[:1]]
        station = found[0].name or found[0].id if found and found[0] is not None else ""
        parts = [known.name or known.id if known is not None else area, station, *homes[:3]]
        owners = [owner[0].name for home in homes[:3] if (owner := self._book.of(area, home))] if names else []
        gateways = incident.gateways[:3] if incident is not None and not homes else []
        return " ".join(part for part in (*parts, *gateways) if part), ", ".join(owners)

    def leads(self, rung: Told, area: str, priority: Priority) -> bool:
        """Whether somebody meant such a page to be told."""
        return any(route.leads(rung, area, priority) for route in self._routes)

    def is_room(self, channel: str) -> bool:
        """Whether a channel reaches a room."""
        return channel in self._rooms

    def strange(self) -> list[str]:
        """Whom the routes name and the registry has not, as area/id."""
        named = {name for route in self._routes for name in route.to}
        return sorted(name for name in named if tuple(name.split("/")) not in self._named)

    def _contacts(self, area: str, place: str) -> Iterator[Contact]:
        """Those of a place, in the order they are to be called. A centre's are told for every area it serves."""
        if "/" in place:  # a neighbour in another area
            area, _, place = place.partition("/")
        served = self._served.get(place, ())
        for known in dict.fromkeys((area, *served)) if area in served else (area,):
            yield from self._book.of(known, place)

    def _wired(self, area: str, gateways: Sequence[str]) -> list[str]:
        """The premises of these gateways: an incident of a gateway alone names none."""
        return [one.id for one in of_area(self._registry.premises, area).values() if one.gateway in gateways]

    def _over(self, channel: str, area: str, places: Iterable[str], route: Route) -> Iterator[Address]:
        if channel in self._rooms:
            yield from (Address(channel, area, place, place) for place in places)
            return
        named = [self._named.get((one.split("/")[0], one.split("/")[1])) for one in route.to]
        people = [one for one in named if one is not None] or [
            one for place in places for one in self._contacts(area, place)
        ]
        seen: set[str] = set()
        for one in people:
            if one.phone not in seen:
                seen.add(one.phone)
                yield Address(channel, area, one.id if one.area == area else f"{one.area}/{one.id}", one.of)
