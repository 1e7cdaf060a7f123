"""What fails at the centre: the broker, the hub, its journal, its store of telemetry."""

from __future__ import annotations

from simulators.world.stage.ground import Ground
from simulators.world.story import Act


class Centre(Ground):
    """The hub and its broker."""

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

    def _fault_journal_down(self, act: Act) -> None:
        self._ill()
        self._go_down("journal", act.for_ms)
        self.book.down = True

    def _fault_journal_slow(self, act: Act) -> None:
        self._ill()
        self._go_down("slow", act.for_ms)
        self.book.slow = True

    def _fault_telemetry_down(self, act: Act) -> None:
        self._go_down("telemetry", act.for_ms)
        self.readings.down = True
