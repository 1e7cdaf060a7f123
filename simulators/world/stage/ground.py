"""What there is on the stage: wires that are held, and parts that are down or cut off."""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.site import ZoneKind
from simulators.world.book import Book
from simulators.world.hub import SimHub
from simulators.world.loop import VirtualLoop
from simulators.world.machine import Machine
from simulators.world.net import Net
from simulators.world.people import People
from simulators.world.readings import Readings
from simulators.world.story import Story
from simulators.world.village import House, Village
from simulators.world.witness import Witness


class Ground:
    """The parts of the world that things happen to, and what ails each of them just now."""

    story: Story
    village: Village
    loop: VirtualLoop
    net: Net
    book: Book
    readings: Readings
    machines: dict[str, Machine]
    witness: Witness
    people: People
    hub: SimHub | None

    def __init__(self, gateways: Iterable[str]) -> None:
        sites = [*gateways, "hub"]
        self.ended = False
        self.bus_dead_ms: dict[str, int] = {}
        self.journal_well_ms = 0
        self.hub_ill: list[list[int]] = []
        self.disturbed: list[tuple[int, int]] = []
        self._holders: dict[str, int] = {}
        self._backs: list[tuple[str, int]] = []
        self._ailing: dict[str, int] = dict.fromkeys(sites[:-1], 0)
        self._sound_ms: dict[str, int] = {}
        self._free_ms: dict[str, int] = dict.fromkeys(sites, 0)
        self._cuts: dict[str, int] = dict.fromkeys(sites, 0)
        self._down: dict[str, int] = dict.fromkeys([*sites, "broker", "journal", "slow", "telemetry"], 0)

    def card_ails(self, gateway: str) -> bool:
        """Whether commits of a gateway fail or take long just now."""
        return self._ailing[gateway] > 0 or self.loop.now_ms < self._sound_ms.get(gateway, 0)

    def free_since_ms(self, site: str) -> int:
        """Since when a line carries."""
        return self._free_ms[site] if not self._cuts[site] else self.loop.now_ms

    def hold(self, house: House, kind: ZoneKind) -> None:
        """Something makes a contact active."""
        zone = house.zone(kind)
        self._holders[zone] = self._holders.get(zone, 0) + 1
        if self._holders[zone] == 1:
            self.witness.begun(house, kind, zone)
            self.machines[house.gateway].wire(zone, True)

    def let_go(self, house: House, kind: ZoneKind) -> None:
        """And lets go of it."""
        if house.zone(kind) in self._holders:
            self._release(house.zone(kind))

    def _release(self, zone: str) -> None:
        self._holders[zone] -= 1
        if not self._holders[zone]:
            del self._holders[zone]
            self.witness.over(zone)
            self.machines[self.village.house(zone.partition("-")[0]).gateway].wire(zone, False)

    def _go_down(self, name: str, for_ms: int) -> bool:
        self._down[name] += 1
        self.loop.after(for_ms, self._up, name)
        return self._down[name] == 1

    def _up(self, name: str) -> None:
        if not self._down[name]:
            return
        self._down[name] -= 1
        if self._down[name]:
            return
        if name in self.machines:
            self.machines[name].start()
        elif name == "hub":
            self._start_hub()
        elif name == "broker":
            self.net.start()
        elif name == "telemetry":
            self.readings.down = False
        else:
            self.book.down = self.book.down and name != "journal"
            self.book.slow = self.book.slow and name != "slow"
            self.journal_well_ms = self.loop.now_ms
            self._well()

    def _start_hub(self) -> None:
        raise NotImplementedError

    def _ill(self) -> None:
        if not self.hub_ill or self.hub_ill[-1][1] >= 0:
            self.hub_ill.append([self.loop.now_ms, -1])

    def _well(self) -> None:
        if self.hub_ill and self.hub is not None and not self.book.down and not self.book.slow:
            self.hub_ill[-1][1] = self.loop.now_ms
