"""The way to the gateways without its connections: what each of the two says first, hears, and has to say.

The alarm lane with sessions and replies has one, the telemetry lane another, apart from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from hub.clock import HubClock
from hub.ingest import Ingest
from hub.outgoing import Outgoing
from hub.receipting import Receipting
from protocol.codec import encode
from protocol.link import Incoming, Said, Will
from protocol.messages import VERSION, HubSession
from protocol.records import Lane
from protocol.topics import UP, Channel, filters, hub_topic

HEARD = {
    Lane.ALARM: tuple(channel for channel in UP if channel is not Channel.TELEMETRY),
    Lane.TELEMETRY: (Channel.TELEMETRY,),
}


class Downlink:
    """One hub process's side of both connections. Whoever makes them calls `greeting` once connected, then `begin`.

    `state` says per lane why it is down, or None; `outgoing` what is to be published once it is up.
    """

    def __init__(self, hub: str, session: str, ingest: Ingest, receipting: Receipting, clock: HubClock) -> None:
        self.state: dict[str, str | None] = {lane.value: "not connected yet" for lane in Lane}
        self.outgoing: dict[Lane, Outgoing] = {
            Lane.ALARM: receipting.alarm_out,
            Lane.TELEMETRY: receipting.telemetry_out,
        }
        self._hub = hub
        self._session = session
        self.ingest = ingest
        self._clock = clock
        self._log = structlog.get_logger("hub.broker")

    def client_id(self, lane: Lane) -> str:
        """The name of a lane's connection at the broker."""
        return f"hub-{self._hub}-{lane}"

    def will(self, lane: Lane) -> Will | None:
        """What the broker is to say when the connection is lost."""
        if lane is not Lane.ALARM:
            return None
        said = self._said(online=False)
        return Will(said.topic, said.data)

    def filters(self, lane: Lane) -> list[str]:
        """What the connection subscribes to, before anything is said."""
        return filters(HEARD[lane])

    def greeting(self, lane: Lane) -> Iterator[Said]:
        """What is said first."""
        if lane is Lane.ALARM:
            yield self._said(online=True)

    def begin(self, lane: Lane, broker: str) -> None:
        """The connection serves."""
        self.state[lane.value] = None
        self._log.info("broker reached", lane=lane.value, broker=broker)

    def failed(self, lane: Lane, why: str, wait_s: float) -> None:
        """There is no connection, and the next is tried in `wait_s`."""
        if self.state[lane.value] != why:
            self._log.warning("broker lost", lane=lane.value, why=why, again_in_s=round(wait_s, 2))
        self.state[lane.value] = why

    def heard(self, message: Incoming) -> None:
        """A message came."""
        self.ingest.take(message)

    def farewell(self) -> Said:
        """That this hub goes; without it the broker says so for us."""
        return self._said(online=False)

    def _said(self, *, online: bool) -> Said:
        session = HubSession(VERSION, self._hub, self._session, online, self._clock.now_ms())
        return Said(hub_topic(self._hub), encode(session), retain=True)
