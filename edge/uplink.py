"""The way to the hub without its connections: what each of the two says first, hears and sends.

One connection a lane, neither waiting for the other. That of the alarm lane also carries birth, session, commands and
replies. A record leaves its lane only on the hub's receipt; the broker's acknowledgement merely paces telemetry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from edge.clock import Clock
from edge.core.pacing import Pacing
from edge.core.sending import AlarmSending, Flight, Sending, TelemetrySending
from edge.inward import Inward
from edge.lane import Identity, LaneBox
from edge.presence import Presence
from edge.replies import Replies
from protocol.codec import encode
from protocol.link import Incoming, Said, Will
from protocol.messages import Reply, ZoneBorn
from protocol.records import Lane
from protocol.topics import Channel, topic

HEARD = {
    Lane.ALARM: (Channel.RECEIPT, Channel.COMMAND, Channel.CONFIG),
    Lane.TELEMETRY: (Channel.RECEIPT,),
}
SENT = {Lane.ALARM: Channel.ALARM, Lane.TELEMETRY: Channel.TELEMETRY}

log = structlog.get_logger("lianfang.uplink")


@dataclass(slots=True)
class UplinkCounts:
    """Since process start."""

    connections: int = 0
    failures: int = 0


class Uplink:
    """One gateway process's side of both connections. Whoever makes them calls, for each: `attempt`, then once
    connected `greeting`, then `begin`; `end` when it is lost, and `failed` with why."""

    def __init__(
        self,
        me: Identity,
        alarm: LaneBox,
        telemetry: LaneBox,
        inward: Inward,
        clock: Clock,
        zones: Callable[[], list[ZoneBorn]],
    ) -> None:
        self.me, self.inward, self.clock = me, inward, clock
        self.boxes = {Lane.ALARM: alarm, Lane.TELEMETRY: telemetry}
        self.replies = Replies()
        self.counts = UplinkCounts()
        self.down_since_ns: int | None = clock.mono_ns()
        self._pacing = Pacing()
        self._presence = Presence(me, clock, (alarm, telemetry), zones)

    def lead(self, boot: int) -> None:
        """Birth and sessions are told with this boot number from the next heartbeat on, unless theirs is higher."""
        self._presence.lead(boot)

    def alarm_made(self) -> None:
        """An alarm record was just offered: telemetry stands back for a while."""
        self._pacing.alarm(self.clock.mono_ns())

    def alarm_receipted(self) -> None:
        """A receipt of alarm records came; when none waits any more, telemetry goes on."""
        if not len(self.boxes[Lane.ALARM].delivery):
            self._pacing.alarms_receipted()
            self.boxes[Lane.TELEMETRY].on_news()

    def client_id(self, lane: Lane) -> str:
        """With the instance in it, a cloned card does not throw its twin off the broker: both are heard, told apart."""
        return f"{self.me.area}.{self.me.gateway}.{lane}.{self.me.instance[:8]}"

    def attempt(self, lane: Lane) -> Will | None:
        """A connection is tried: what the broker is to say when it is lost."""
        if lane is not Lane.ALARM:
            return None
        self._presence.connection += 1
        said = self._session(online=False)
        return Will(said.topic, said.data)

    def filters(self, lane: Lane) -> list[str]:
        """What the connection subscribes to, before anything is said."""
        return [*map(self._topic, HEARD[lane]), Inward.HUBS]

    def greeting(self, lane: Lane) -> Iterator[Said]:
        """What is said first, each made when the one before was acknowledged."""
        if lane is Lane.ALARM:
            yield self._birth()
            yield self._session(online=True)

    def begin(self, lane: Lane) -> Sending:
        """The connection serves: everything unreceipted may go again."""
        log.info("connected", lane=lane, connection=self._presence.connection)
        delivery = self.boxes[lane].delivery
        delivery.resend()
        if lane is Lane.TELEMETRY:
            self._pacing.failed()
            return TelemetrySending(delivery, self._pacing)
        self.counts.connections += 1
        self.down_since_ns = None
        return AlarmSending(delivery)

    def end(self, lane: Lane) -> None:
        """The connection serves no more."""
        if lane is Lane.ALARM:
            self.down_since_ns = self.clock.mono_ns()

    def failed(self, lane: Lane, why: str, wait_s: float) -> None:
        """There is no connection, and the next is tried in `wait_s`."""
        self.counts.failures += 1
        log.warning("link down", lane=lane, why=why, again_in_s=round(wait_s, 2))

    def heard(self, lane: Lane, message: Incoming) -> None:
        """A message came over a lane's connection."""
        for reply in self.inward.take(message, self.boxes[lane]):
            self.replies.put(reply)

    def records(self, lane: Lane, flight: Flight) -> Said:
        """A flight as its message, made as it leaves."""
        data = self.boxes[lane].message(flight.batch, self.clock.mono_ns())
        return Said(self._topic(SENT[lane]), data)

    def reply(self, reply: Reply) -> Said:
        """A reply as its message."""
        return Said(self._topic(Channel.REPLY), encode(reply))

    def heartbeat(self) -> list[Said]:
        """The session's next word, due every `me.heartbeat_ms`; the birth before it, once another boot number leads."""
        self._presence.beat += 1
        return [*([self._birth()] if self._presence.reborn() else []), self._session(online=True)]

    def farewell(self) -> Said:
        """The goodbye of a process that ends well."""
        return self._session(online=False)

    def _birth(self) -> Said:
        return Said(self._topic(Channel.BIRTH), encode(self._presence.birth()), retain=True)

    def _session(self, *, online: bool) -> Said:
        return Said(self._topic(Channel.SESSION), encode(self._presence.session(online=online)), retain=True)

    def _topic(self, channel: Channel) -> str:
        return topic(self.me.area, self.me.gateway, channel)
