"""When receipts leave: after a commit, after a birth, and as a hold while nothing can be committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hub.clock import HubClock
from hub.core.defaults import Credit
from hub.intake import Intake
from hub.metrics import Metrics
from hub.outgoing import Outgoing
from hub.receipts import credit, receipt
from hub.rounds import Rounds
from protocol.ranges import Ranges
from protocol.records import Lane
from protocol.topics import Channel, topic

ASKED_MAX = 16
"""Instances per gateway and lane that sent something last. A gateway that restarted often offline brings records of
more instances than a receipt names; those it asked for last are named first, so that all get their turn."""


class Receipting:
    """Receipts of both lanes, each over its own connection. Whoever has the telemetry store asks it for what is
    `telemetry_due` and says what is `settled`; `on_telemetry_due` hears that something is."""

    def __init__(
        self, hub: str, rounds: Rounds, intake: Intake, clock: HubClock, limits: Credit, metrics: Metrics
    ) -> None:
        self.alarm_out = Outgoing()
        self.telemetry_out = Outgoing()
        self.on_telemetry_due: Callable[[], None] = lambda: None
        self._hub = hub
        self._rounds = rounds
        self._intake = intake
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._held: dict[tuple[str, str], None] = {}
        self._telemetry_held: dict[tuple[str, str], None] = {}
        self._due: dict[tuple[str, str], None] = {}
        self.asked: dict[tuple[Lane, str, str], dict[str, None]] = {}

    def both(self, area: str, gateway: str) -> None:
        """A gateway was born: tell it of both lanes, and the time."""
        self.alarm(area, gateway)
        self.telemetry(area, gateway)

    def alarm(self, area: str, gateway: str, instances: Iterable[str] = ()) -> None:
        """What of the alarm lane is on disk, first of these instances; without credit while the journal is down."""
        first = self._first(Lane.ALARM, area, gateway, instances)
        room = self.credits()[Lane.ALARM]
        if not room:
            self._held[area, gateway] = None
        marks, boot = self._rounds.desk.marks(area, gateway), self._rounds.desk.boot(area, gateway)
        data = receipt(self._hub, Lane.ALARM, marks, room, self._clock.now_ms(), first, boot)
        self._metrics.receipts.labels("alarm").inc()
        self.alarm_out.receipt(topic(area, gateway, Channel.RECEIPT), Lane.ALARM, data)

    def credits(self) -> dict[Lane, int]:
        """What each lane's next receipt would allow a gateway to send; 0 means hold."""
        journal, store = self._rounds.down is not None, self._intake.trouble is not None
        return {
            Lane.ALARM: credit(self._limits.alarm, self._rounds.inbox.room(), held=journal),
            Lane.TELEMETRY: credit(self._limits.telemetry, self._intake.room(), held=store),
        }

    def release(self) -> None:
        """Something was committed: whoever was held may send."""
        held, self._held = self._held, {}
        for area, gateway in held:
            self.alarm(area, gateway)

    def telemetry(self, area: str, gateway: str, instances: Iterable[str] = ()) -> None:
        """A gateway is due a receipt of its telemetry lane; so is whoever was held, once the store is well."""
        self._first(Lane.TELEMETRY, area, gateway, instances)
        self._due[area, gateway] = None
        if self._intake.trouble is None:
            self._due |= self._telemetry_held
            self._telemetry_held.clear()
        self.on_telemetry_due()

    def release_telemetry(self) -> None:
        """There is room again: whoever was held may send."""
        self._due |= self._telemetry_held
        self._telemetry_held.clear()
        self.on_telemetry_due()

    def telemetry_due(self) -> tuple[str, str] | None:
        """The gateway (area, id) that waits longest for what is settled of its telemetry; it waits no more."""
        if not self._due:
            return None
        found = next(iter(self._due))
        del self._due[found]
        return found

    def settled(self, area: str, gateway: str, marks: dict[str, Ranges] | None) -> None:
        """What of the telemetry lane is on disk; None when the store could not say, which means hold."""
        room = 0 if marks is None else self.credits()[Lane.TELEMETRY]
        if not room:
            self._telemetry_held[area, gateway] = None
        first = self._first(Lane.TELEMETRY, area, gateway)
        data = receipt(self._hub, Lane.TELEMETRY, marks or {}, room, self._clock.now_ms(), first)
        self._metrics.receipts.labels("telemetry").inc()
        self.telemetry_out.receipt(topic(area, gateway, Channel.RECEIPT), Lane.TELEMETRY, data)

    def _first(self, lane: Lane, area: str, gateway: str, instances: Iterable[str] = ()) -> list[str]:
        """The instances that sent something last, the last of them first."""
        asked = self.asked.setdefault((lane, area, gateway), {})
        for instance in instances:
            asked.pop(instance, None)
            asked[instance] = None
        while len(asked) > ASKED_MAX:
            del asked[next(iter(asked))]
        return list(reversed(asked))
