"""A hub without its tasks: gate, links, rounds, telemetry, receipts and orders as they hang together.

`hub.app` drives it in asyncio, the simulated world in virtual time: neither decides anything of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.clock import HubClock
from hub.closer import Closer
from hub.core.desk import Desk
from hub.core.registry import GatewayEntry, Key, Registry
from hub.downlink import Downlink
from hub.effects import Effects
from hub.gate import Gate
from hub.ingest import Ingest
from hub.intake import Intake
from hub.links import Links
from hub.metrics import Metrics
from hub.proofs import Proofs
from hub.receipting import Receipting
from hub.rounds import Rounds


class Workings:
    """`hub` is this hub's name, `session` this run of it."""

    def __init__(
        self,
        hub: str,
        session: str,
        desk: Desk,
        registry: Registry,
        clock: HubClock,
        rounds: Rounds,
        intake: Intake,
        receipting: Receipting,
        effects: Effects,
        metrics: Metrics,
    ) -> None:
        self._desk, self._clock, self._effects = desk, clock, effects
        rounds.perform, rounds.hold, intake.receipt = effects.perform, effects.hold, receipting.telemetry
        self.links = Links(registry, clock.mono_ms())
        self.links.recall(desk.gateways())
        effects.obeying = self.links.obeying
        self.ingest = Ingest(Gate(registry), self.links, rounds, intake, receipting, clock, metrics)
        self.ingest.born = self._send_again
        self.closer = Closer(rounds, intake, clock)
        self.ingest.spoke, self.ingest.beat = self.closer.spoke, self.closer.beat
        self.proofs = Proofs(desk, rounds, clock)
        effects.paged = self.proofs.paged
        self.downlink = Downlink(hub, session, self.ingest, receipting, clock)

    def under(self, gate: Gate, gateways: Mapping[Key, GatewayEntry | None]) -> None:
        """Another registry is in force: its gate, and the gateways that are new, others, or (None) gone."""
        self.ingest.gate = gate
        self.links.under(gateways, self._clock.mono_ms())

    def start(self) -> None:
        """Send again what was ordered before this hub began and may still be obeyed."""
        for order in self._desk.resume(self._clock.now_ms()):
            self._effects.send(order)
        self.proofs.resume()

    def _send_again(self, area: str, gateway: str) -> None:
        """A gateway that was just born has heard nothing yet."""
        for order in self._desk.resume(self._clock.now_ms(), (area, gateway)):
            self._effects.send(order)
