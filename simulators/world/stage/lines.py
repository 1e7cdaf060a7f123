"""Lines that are cut: each site of its own, one way or both."""

from __future__ import annotations

from edge.core.site import ZoneKind
from simulators.world.stage.ground import Ground
from simulators.world.story import Act
from simulators.world.village import House


class Lines(Ground):
    """Cuts, and what comes of a long one."""

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

    def _flick(self, house: House, kind: ZoneKind, for_ms: float) -> None:
        if not self.ended:
            self.hold(house, kind)
            self.loop.after(for_ms, self.let_go, house, kind)
