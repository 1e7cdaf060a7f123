"""From the broker to the two inboxes. Nothing here waits for a disk, and nothing that came changes anything before
it has passed the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from hub.clock import HubClock
from hub.core.heard import Gapped, Linked, Recorded, Replied, Twinned
from hub.core.io import Input
from hub.digests import digest_of
from hub.gate import Gate
from hub.inbox import Item
from hub.intake import Delivery, Intake, sample
from hub.links import Links
from hub.metrics import Metrics
from hub.receipting import Receipting
from hub.refusals import HubReason, Refusals
from hub.rounds import Rounds
from hub.store.port import Loss
from protocol.codec import Reason, RemoteError
from protocol.link import Incoming
from protocol.messages import Alarms, Birth, Reply, Session, Telemetry
from protocol.ranges import Ranges
from protocol.topics import Address, Channel

LOOK_S = 0.5
"""How often silence is looked for; a loss is told at most this much after the reporting time."""


class Ingest:
    """Takes messages of both lanes, one at a time, and never blocks."""

    def __init__(
        self,
        gate: Gate,
        links: Links,
        rounds: Rounds,
        intake: Intake,
        receipting: Receipting,
        clock: HubClock,
        metrics: Metrics,
    ) -> None:
        self.gate = gate
        self.links = links
        self._rounds = rounds
        self._intake = intake
        self.receipting = receipting
        self._clock = clock
        self._metrics = metrics
        self.refusals = Refusals(metrics)
        self.untold: dict[tuple[str, str, str], Linked | Twinned] = {}
        self.born: Callable[[str, str], None] = lambda area, gateway: None
        """Told of a gateway (area, id) that is newly connected, after its receipts: what it missed goes out again."""
        self.spoke: Callable[[str, str, str], None] = lambda area, gateway, instance: None
        """Told of every process (area, gateway, instance) that says something just now."""
        self.beat: Callable[[str, str, Session], None] = lambda area, gateway, session: None
        """Told of every session that is heard just now and is not of an older connection."""
        self.running: Callable[[str, str], None] = lambda area, gateway: None
        """Told of a gateway (area, id) that said what configuration it runs."""
        self.configured: Callable[[str, str, Reply], None] = lambda area, gateway, reply: None
        """Told of every reply of a gateway (area, id)."""
        self._log = structlog.get_logger("hub.ingest")

    def take(self, message: Incoming) -> None:
        """One message from the broker."""
        gateway = "/".join(message.topic.split("/")[2:4])[:127]
        try:
            address = self.gate.address(message.topic, message.data)
            self._by_channel(address, message)
        except RemoteError as cause:
            self._refuse(gateway, cause.reason, str(cause))
        except Exception:  # a bug of ours, which must not end the lane for everybody
            self._metrics.set_aside.inc()
            self._log.exception("set aside: this message could not be taken", topic=message.topic[:255])

    async def watch(self) -> None:
        """Look for gateways that fell silent, for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Tell the desk who fell silent; due every `LOOK_S`."""
        for news in self.links.lost(self._clock.mono_ms(), self._clock.now_ms()):
            self._tell(news)
        for key in list(self.untold):
            self._tell(self.untold.pop(key))
        self._metrics.gateways_online.set(self.links.online())
        self._metrics.gateways_lost.set(self.links.count_lost())

    def _by_channel(self, address: Address, message: Incoming) -> None:
        if address.channel is Channel.ALARM:
            self._alarms(address, message)
        elif address.channel is Channel.TELEMETRY:
            self._telemetry(address, message)
        elif address.channel is Channel.SESSION:
            self._session(address, message)
        elif address.channel is Channel.BIRTH:
            self._birth(address, message)
        elif address.channel is Channel.REPLY:
            self._reply(address, message)
        else:
            raise RemoteError(Reason.UNKNOWN_TOPIC, f"{address.channel} is said by the hub, not to it")

    def _alarms(self, address: Address, message: Incoming) -> None:
        alarms, _ = self.gate.read(address, message.data, Alarms)
        self._heard(address, message, alarms.instance)
        sifted = self.gate.alarms(address, alarms)
        for cause in sifted.refused:
            self._refuse(f"{address.area}/{address.gateway}", cause.reason, str(cause))
        source = (address.area, address.gateway, alarms.instance)
        for item, event in sifted.taken:
            self._put(Recorded(*source, alarms.boot, event, item.age_ms, alarms.kboot), digest_of(event))
        for gap in alarms.gaps:
            self._put(Gapped(*source, gap.first, gap.last, gap.reason, alarms.boot))
        if self._rounds.down is not None:  # or it would send again what nobody can commit
            self.receipting.alarm(*source[:2], [alarms.instance])

    def _telemetry(self, address: Address, message: Incoming) -> None:
        telemetry, _ = self.gate.read(address, message.data, Telemetry)
        self._heard(address, message, telemetry.instance)
        sifted = self.gate.readings(address, telemetry)
        for _item, reason, why in sifted.refused:
            self._refuse(f"{address.area}/{address.gateway}", reason, why)
        settled = Ranges((item.reading.seq, item.reading.seq) for item, *_ in sifted.refused)
        source, now_ms = (address.area, address.gateway, telemetry.instance), self._clock.now_ms()
        losses = [Loss(source, gap.first, gap.last, gap.reason, now_ms) for gap in telemetry.gaps]
        clock = self._rounds.desk.clock(address.area, address.gateway, telemetry.kboot)
        samples = [sample(source, item, now_ms, clock) for item in sifted.taken]
        self._intake.put(Delivery(source, telemetry.boot, samples, settled, losses))
        if self._intake.down is not None:  # or it would send again what nobody can store
            self.receipting.telemetry(*source[:2], [telemetry.instance])

    def _session(self, address: Address, message: Incoming) -> None:
        session, _ = self.gate.read(address, message.data, Session)
        if not self._admitted(address, message, session, session.online):
            return
        if not self.links.session(address.area, address.gateway, session):
            if session.online:  # it is alive all the same
                self._heard(address, message, session.instance)
            text = f"boot {session.boot} connection {session.connection} is older than the one known"
            self._refuse(f"{address.area}/{address.gateway}", HubReason.OLDER_SESSION, text)
            return
        if session.online:  # a Will is what the broker says, not what the gateway does
            self._heard(address, message, session.instance)
            if not message.retain:
                self.beat(address.area, address.gateway, session)

    def _birth(self, address: Address, message: Incoming) -> None:
        birth, _ = self.gate.read(address, message.data, Birth)
        strange = self.gate.birth_zones(address, birth)
        for cause in strange:
            self._refuse(f"{address.area}/{address.gateway}", cause.reason, str(cause))
        zones = [zone for zone in birth.zones if self.gate.has_zone(address, zone.id, zone.premises)]
        if not self._admitted(address, message, birth, online=True):
            return
        if not self.links.born(address.area, address.gateway, birth, zones):
            text = f"birth of boot {birth.boot}, older than the one known"
            self._refuse(f"{address.area}/{address.gateway}", HubReason.OLDER_SESSION, text)
            if message.retain:
                return
        self._heard(address, message, birth.instance)
        self.receipting.both(address.area, address.gateway)
        self.born(address.area, address.gateway)
        self.running(address.area, address.gateway)

    def _admitted(self, address: Address, message: Incoming, said: Birth | Session, online: bool) -> bool:
        """Whether what a process says of itself is taken: not that of a second gateway under one name."""
        gateway = (address.area, address.gateway)
        if online and not message.retain:  # a Will is what the broker says
            news = self.links.spoke(*gateway, said.instance, said.boot, self._clock.mono_ms())
            if news is not None:
                self._tell(news)
                self.born(*gateway)
        return not self._second(address, message, said.instance)

    def _second(self, address: Address, message: Incoming, instance: str) -> bool:
        """Whether this is a second gateway's: refused, and alive all the same."""
        if not self.links.known[address.area, address.gateway].speakers.is_second(instance):
            return False
        if not message.retain:
            self.spoke(address.area, address.gateway, instance)
        text = f"process {instance[:8]} is of a second gateway under this id; only its records are taken"
        self._refuse(f"{address.area}/{address.gateway}", HubReason.SECOND_GATEWAY, text)
        return True

    def _reply(self, address: Address, message: Incoming) -> None:
        reply, _ = self.gate.read(address, message.data, Reply)
        if self._second(address, message, reply.instance):
            return
        self._heard(address, message, reply.instance)
        if reply.meant is not None:
            text = f"{reply.order} was for process {reply.meant[:8]} and reached {reply.instance[:8]}"
            self._refuse(f"{address.area}/{address.gateway}", HubReason.FOR_ANOTHER, text)
            return
        for result in reply.results:
            self._metrics.replies.labels(result.outcome.value).inc()
        self.configured(address.area, address.gateway, reply)
        if reply.faults:
            self.refusals.note(f"{address.area}/{address.gateway}", reply.faults, self._clock.mono_ms())
        if reply.results:
            self._put(Replied(address.area, address.gateway, reply.order, reply.results))

    def _heard(self, address: Address, message: Incoming, instance: str) -> None:
        """A retained message says what was, not that anybody is there now."""
        if message.retain:
            return
        self.spoke(address.area, address.gateway, instance)
        if not self.links.counts(address.area, address.gateway, instance):
            return
        news = self.links.heard(address.area, address.gateway, self._clock.mono_ms(), self._clock.now_ms())
        if news is not None:
            self._tell(news)

    def _tell(self, news: Linked | Twinned) -> None:
        """A link's state must not get lost in a full inbox: the newest is kept until there is room."""
        if not self._put(news):
            self.untold[news.area, news.gateway, type(news).__name__] = news

    def _put(self, taken: Input, digest: bytes = b"") -> bool:
        done = self._rounds.inbox.put(Item(taken, self._clock.now_ms(), self._clock.exact_ms(), digest))
        if not done:
            self._metrics.discarded.labels("alarm").inc()
        return done

    def _refuse(self, gateway: str, reason: Reason | HubReason, text: str) -> None:
        self.refusals.count(gateway, reason, text, self._clock.mono_ms())
