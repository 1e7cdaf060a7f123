"""What the story does to the world: contacts, cuts, kills and cards; and how each of it ends."""

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
from simulators.world.story import SITES, Act, Story
from simulators.world.village import House, Village
from simulators.world.witness import Witness

HOUSE_ACTS = {
    "duress": ZoneKind.DURESS, "smoke": ZoneKind.SMOKE, "gas": ZoneKind.GAS, "door": ZoneKind.DOOR,
    "window": ZoneKind.WINDOW, "tamper": ZoneKind.TAMPER, "recorder": ZoneKind.NVR_ONLINE, "mains": ZoneKind.MAINS,
}  # fmt: skip
FORCED_MS = 3_000
DARK_MS = 8_000
TRIES_AGAIN_MS = 32_000
"""How long an outbox may take to find out that its card is well again."""


class Stage:
    """The part of the world that things happen to."""

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

    # The wires

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

    # What the story says

    def _act(self, act: Act) -> None:
        if act.where.startswith("h") and act.where != "hub":
            self._cause(act, self.village.house(act.where))
            return
        self.witness.counts.faults += 1
        self.disturbed.append((act.at_ms, act.at_ms + act.for_ms))
        handler = getattr(self, f"_fault_{act.what}")
        handler(act)

    def _cause(self, act: Act, house: House) -> None:
        after = self.loop.after
        if act.what == "press":
            self.people.press(house, act.for_ms)
        elif act.what == "left_open":
            self._flick(house, ZoneKind.TAMPER, 1_500)  # forced open twice, and not closed again
            after(FORCED_MS, self._leave_open, house)
        elif act.what in HOUSE_ACTS:
            self.hold(house, HOUSE_ACTS[act.what])
            after(act.for_ms, self.let_go, house, HOUSE_ACTS[act.what])
        else:
            kind, times = (ZoneKind.TAMPER, int(act.number)) if act.what == "flap" else (ZoneKind.WATER, 15)
            for at in range(times):
                gap_ms = act.for_ms / times
                after(at * gap_ms, self._flick, house, kind, gap_ms * 0.6)

    def _flick(self, house: House, kind: ZoneKind, for_ms: float) -> None:
        if not self.ended:
            self.hold(house, kind)
            self.loop.after(for_ms, self.let_go, house, kind)

    def _leave_open(self, house: House) -> None:
        if not self.ended:
            self.hold(house, ZoneKind.TAMPER)

    def _cut(self, act: Act, up: bool, down: bool, vanish: bool = False) -> None:
        self._cuts[act.where] += 1
        self.net.cut(act.where, up, down, vanish)
        self.loop.after(act.for_ms, self._uncut, act.where)

    def _uncut(self, site: str) -> None:
        if self._cuts[site] > 0:
            self._cuts[site] -= 1
            if not self._cuts[site]:
                self._free_ms[site] = self.loop.now_ms
                self.net.heal(site)

    def _fault_cut(self, act: Act) -> None:
        self._cut(act, up=True, down=True)

    def _fault_cut_up(self, act: Act) -> None:
        self._cut(act, up=True, down=False)

    def _fault_cut_down(self, act: Act) -> None:
        self._cut(act, up=False, down=True)

    def _fault_half_open(self, act: Act) -> None:
        self._cut(act, up=True, down=True, vanish=True)

    def _fault_backlog(self, act: Act) -> None:
        """A gateway is cut off while much happens there, and a panic is pressed just as its line is back."""
        self._cut(act, up=True, down=True)
        houses = [house for house in self.village.houses if house.gateway == act.where]
        for at in range(act.for_ms // 2_000):
            self.loop.after(at * 2_000, self._flick, houses[at % len(houses)], ZoneKind.MAINS, 1_000)
        self.loop.after(act.for_ms, self._late_press, houses[0])

    def _late_press(self, house: House) -> None:
        if not self.ended:
            self.people.press(house, 500)

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

    def _fault_broker_kill(self, act: Act, amnesia: bool = False) -> None:
        if self._go_down("broker", act.for_ms):
            self.net.kill(amnesia)

    def _fault_broker_amnesia(self, act: Act) -> None:
        self._fault_broker_kill(act, amnesia=True)

    def _fault_hub_kill(self, act: Act) -> None:
        if self._go_down("hub", act.for_ms) and self.hub is not None:
            self._ill()
            hub, self.hub = self.hub, None
            hub.die()

    def _start_hub(self) -> None:
        raise NotImplementedError

    def _fault_journal_down(self, act: Act) -> None:
        self._ill()
        self._go_down("journal", act.for_ms)
        self.book.down = True

    def _fault_journal_slow(self, act: Act) -> None:
        self._ill()
        self._go_down("slow", act.for_ms)
        self.book.slow = True

    def _ill(self) -> None:
        if not self.hub_ill or self.hub_ill[-1][1] >= 0:
            self.hub_ill.append([self.loop.now_ms, -1])

    def _well(self) -> None:
        if self.hub_ill and self.hub is not None and not self.book.down and not self.book.slow:
            self.hub_ill[-1][1] = self.loop.now_ms

    def _fault_telemetry_down(self, act: Act) -> None:
        self._go_down("telemetry", act.for_ms)
        self.readings.down = True

    def _stop_gateway(self, act: Act) -> Machine:
        machine = self.machines[act.where]
        self._go_down(act.where, act.for_ms)
        machine.kill()
        self.witness.watched(act.where)
        return machine

    def _fault_kill(self, act: Act) -> None:
        self._stop_gateway(act)

    def _fault_power(self, act: Act) -> None:
        machine = self._stop_gateway(act)
        machine.card.power_cut()
        machine.boot_kernel()

    def _fault_power_unset(self, act: Act) -> None:
        self._fault_power(act)
        self.machines[act.where].unset_clock()
        self.loop.after(act.for_ms + 120_000, self.machines[act.where].set_clock)

    def _fault_dark(self, act: Act) -> None:
        """Cut off, a gateway starts twice in a row without a clock, and each time somebody calls. Only in every other
        of these nights was a clock set in the first of the two."""
        self._cut(act, up=True, down=True)
        houses = [house for house in self.village.houses if house.gateway == act.where]
        half_ms, machine = act.for_ms // 2, self.machines[act.where]
        for at, start_ms in enumerate((0, half_ms)):
            self.loop.after(start_ms, self._power_dark, act.where)
            self.loop.after(start_ms + DARK_MS + 10_000, self._late_press, houses[at])
        if act.for_ms % 2:
            self.loop.after(half_ms - 20_000, machine.set_clock)
        self.loop.after(act.for_ms + 120_000, machine.set_clock)

    def _power_dark(self, where: str) -> None:
        if not self.ended:
            self._fault_power(Act(0, "power", where, DARK_MS))
            self.machines[where].unset_clock()

    def _fault_card_back(self, act: Act) -> None:
        """An old copy of the card comes back, once nothing is on it that the hub has not: else a record would be."""
        machine = self.machines[act.where]
        if machine.card.image is None:
            machine.card.take_image()
            return
        empty = machine.process is not None and not len(machine.process.alarm.delivery)
        self._fault_power(act)
        if empty and not machine.card.lanes_ail():
            machine.card.roll_back()

    def _fault_clock_step(self, act: Act) -> None:
        self.machines[act.where].step_clock(int(act.number))
        self.loop.after(300_000, self.machines[act.where].set_clock)

    def _fault_clock_unset(self, act: Act) -> None:
        self.machines[act.where].unset_clock()
        self.loop.after(act.for_ms, self.machines[act.where].set_clock)

    def _ail(self, act: Act) -> Machine:
        self._ailing[act.where] += 1
        self.witness.watched(act.where)
        self.loop.after(act.for_ms, self._card_well, act.where)
        return self.machines[act.where]

    def _card_well(self, gateway: str) -> None:
        if self._ailing[gateway] > 0:
            self._ailing[gateway] -= 1
            if not self._ailing[gateway]:
                self._sound_ms[gateway] = self.loop.now_ms + TRIES_AGAIN_MS
                self.machines[gateway].card.trouble(None)
                self.machines[gateway].card.slow = False
                self.witness.watched(gateway)

    def _fault_card_full(self, act: Act) -> None:
        self._ail(act).card.trouble("full")

    def _fault_card_read_only(self, act: Act) -> None:
        self._ail(act).card.trouble("read_only")

    def _fault_card_slow(self, act: Act) -> None:
        self._ail(act).card.slow = True

    def _fault_bus_dead(self, act: Act) -> None:
        gateway = act.where.rpartition("-")[0]
        self.machines[gateway].kill_bus(act.where)
        self.bus_dead_ms.setdefault(act.where, self.loop.now_ms)
        self.witness.watched(gateway)
        self.loop.after(act.for_ms, self._bus_back, self.machines[gateway], act.where)

    def was_dead(self, device: str, at_ms: int) -> bool:
        """Whether a bus came back about then: what was written to it meanwhile is written again."""
        return any(name == device and abs(back_ms - at_ms) <= 15_000 for name, back_ms in self._backs)

    def _bus_back(self, machine: Machine, device: str) -> None:
        machine.heal_bus(device)
        self._backs.append((device, self.loop.now_ms))
        self.bus_dead_ms.pop(device, None)
        self.witness.watched(machine.gateway)

    def _heal(self) -> None:
        self.ended = True
        for zone in [zone for zone in self._holders if zone not in self._standing()]:
            if not zone.endswith("-panic"):
                self._holders[zone] = 1
                self._release(zone)
        for name in list(self._down):
            self._down[name] = 1 if self._down[name] else 0
            if self._down[name]:
                self._up(name)
        for site in SITES:
            if self._cuts[site]:
                self._cuts[site] = 1
                self._uncut(site)
        for gateway, machine in self.machines.items():
            self._ailing[gateway] = 0
            machine.card.trouble(None)
            machine.card.slow = False
            machine.set_clock()
            for device in list(machine.dead_buses):
                self._bus_back(machine, device)
            self.witness.watched(gateway)

    def _standing(self) -> set[str]:
        return {
            self.village.house(act.where).zone(ZoneKind.TAMPER) for act in self.story.acts if act.what == "left_open"
        }
