"""What the story does to the world: contacts, cuts, kills and cards; and how each of it ends."""

from __future__ import annotations

from edge.core.site import ZoneKind
from simulators.world.stage.centre import Centre
from simulators.world.stage.gateways import Gateways
from simulators.world.story import SITES, Act
from simulators.world.village import House

HOUSE_ACTS = {
    "duress": ZoneKind.DURESS, "smoke": ZoneKind.SMOKE, "gas": ZoneKind.GAS, "door": ZoneKind.DOOR,
    "window": ZoneKind.WINDOW, "tamper": ZoneKind.TAMPER, "recorder": ZoneKind.NVR_ONLINE, "mains": ZoneKind.MAINS,
}  # fmt: skip
FORCED_MS = 3_000


class Stage(Gateways, Centre):
    """The part of the world that things happen to."""

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

    def _leave_open(self, house: House) -> None:
        if not self.ended:
            self.hold(house, ZoneKind.TAMPER)
