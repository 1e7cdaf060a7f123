"""What fails at a gateway: its process, its power, its clock, its card, its buses."""

from __future__ import annotations

from simulators.world.machine import Machine
from simulators.world.stage.lines import Lines
from simulators.world.story import Act

DARK_MS = 8_000
TRIES_AGAIN_MS = 32_000
"""How long an outbox may take to find out that its card is well again."""


class Gateways(Lines):
    """Everything on the wall of a house."""

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
