"""The real uplink with its tasks replaced: the same order of sending over links of the simulated network."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.entries import Batch
from edge.inward import Inward
from edge.senders import COMMON_BYTES, URGENT_BYTES, URGENT_MAX
from edge.uplink import Uplink
from protocol.codec import encode
from protocol.link import Incoming, Will
from protocol.records import Lane
from protocol.topics import Channel
from simulators.world.disk import SimLane
from simulators.world.loop import NS_PER_MS, Event, VirtualLoop, Waker
from simulators.world.net import Link, Net

STEADY_MS = 5_000


class Way:
    """One lane's connection, kept up with the uplink's own back-off."""

    def __init__(self, uplink: SimUplink, lane: Lane) -> None:
        self.uplink, self.lane = uplink, lane
        self.link: Link | None = None
        self.serving = False
        self.serving_ms = 0
        self._attempt = 0
        self._began_ms = 0

    def connect(self) -> None:
        """Try once."""
        up = self.uplink
        if not up.alive:
            return
        self._began_ms = up.loop.now_ms
        self.link = up.open_link(self.lane, self)

    def connected(self, link: Link) -> None:
        """The broker took it."""
        if self.uplink.alive:
            self.uplink.serve(self.lane, link)
        else:
            link.drop()

    def arrived(self, link: Link, message: Incoming) -> None:
        """A message for this lane's connection."""
        if self.uplink.alive:
            self.uplink.heard(self.lane, message)

    def ended(self, link: Link, why: str) -> None:
        """Wait, and try again."""
        up = self.uplink
        if not up.alive:
            return
        self.serving = False
        self.link = None
        up.unserved(self.lane)
        if up.loop.now_ms - self._began_ms >= STEADY_MS:
            self._attempt = 0
        up.loop.after(1000 * up.backoff_s(self._attempt), self.connect)
        self._attempt += 1


class SimUplink(Uplink):
    """`attend` takes the place of `run`."""

    def attend(
        self,
        loop: VirtualLoop,
        net: Net,
        sent: Callable[[Lane, Batch], None],
        hears: Callable[[Lane, Incoming], None],
    ) -> None:
        """Serve both lanes in the world's time; `sent` hears every batch handed to a link, `hears` what comes."""
        self.alive = True
        self.loop, self.net, self._sent, self._hears = loop, net, sent, hears
        self.boxes: dict[Lane, SimLane] = {}
        self.ways = {lane: Way(self, lane) for lane in Lane}
        self._urgent_out = 0
        self._common_out = False
        self._telemetry_out = False
        self._replying = False
        self._timers: dict[Lane, Event] = {}
        for lane, box, pump in (
            (Lane.ALARM, self._alarm, self._send_alarm_lane),
            (Lane.TELEMETRY, self._telemetry, self._send_telemetry_lane),
        ):
            assert isinstance(box, SimLane)
            self.boxes[lane] = box
            box.call_on_wake(self._later(pump))
        self.replies._wake = Waker(self._send_waiting_replies)
        for way in self.ways.values():
            way.connect()

    def die(self) -> None:
        """The process is killed."""
        self.alive = False
        for way in self.ways.values():
            if way.link is not None:
                way.link.drop()

    def backoff_s(self, attempt: int) -> float:
        """How long to wait before the next connection."""
        return self._backoff.delay_s(attempt, self._rng)

    def open_link(self, lane: Lane, way: Way) -> Link:
        """Begin a connection of a lane."""
        if lane is Lane.ALARM:
            self._presence.connection += 1
            will = Will(self._topic(Channel.SESSION), encode(self._presence.session(online=False)))
            return self.net.connect(self._me.gateway, self._named(lane).client_id, will, way)
        return self.net.connect(self._me.gateway, self._named(lane).client_id, None, way)

    def serve(self, lane: Lane, link: Link) -> None:
        """A connection is there: subscribe, say who we are, then send."""
        if lane is Lane.TELEMETRY:
            link.subscribe([self._topic(Channel.RECEIPT), Inward.HUBS], lambda: self._ready(lane, link))
            return
        channels = (Channel.RECEIPT, Channel.COMMAND, Channel.CONFIG)

        def born() -> None:
            link.publish(self._topic(Channel.SESSION), encode(self._presence.session(online=True)), ready, retain=True)

        def subscribed() -> None:
            link.publish(self._topic(Channel.BIRTH), encode(self._presence.birth()), born, retain=True)

        def ready() -> None:
            self._ready(lane, link)

        link.subscribe([*map(self._topic, channels), Inward.HUBS], subscribed)

    def unserved(self, lane: Lane) -> None:
        """A lane's connection ended."""
        if lane is Lane.ALARM:
            self.down_since_ns = self._clock.mono_ns()
            self._urgent_out, self._common_out, self._replying = 0, False, False
        else:
            self._telemetry_out = False

    def heard(self, lane: Lane, message: Incoming) -> None:
        """A message came over a lane's connection."""
        self._hears(lane, message)
        for reply in self._inward.take(message, self.boxes[lane]):
            self.replies.put(reply)

    def waiting_replies(self) -> int:
        """Replies that wait for a connection."""
        return len(self.replies._waiting)

    def _ready(self, lane: Lane, link: Link) -> None:
        way = self.ways[lane]
        if not self.alive or way.link is not link:
            return
        way.serving, way.serving_ms = True, self.loop.now_ms
        self.boxes[lane].delivery.resend()
        if lane is Lane.TELEMETRY:
            self._pacing.failed()
            self._send_telemetry_lane()
            return
        self.counts.connections += 1
        self.down_since_ns = None
        self.loop.after(self._me.heartbeat_ms, self._beat_on, link)
        self._send_alarm_lane()
        self._send_waiting_replies()

    def _beat_on(self, link: Link) -> None:
        if self.alive and link.open:
            self._presence.beat += 1
            link.publish(
                self._topic(Channel.SESSION), encode(self._presence.session(online=True)), _nothing, retain=True
            )
            self.loop.after(self._me.heartbeat_ms, self._beat_on, link)

    def _send_alarm_lane(self) -> None:
        way, box = self.ways[Lane.ALARM], self.boxes[Lane.ALARM]
        while self.alive and way.serving and way.link is not None:
            now_ns = self._clock.mono_ns()
            if (
                self._urgent_out < URGENT_MAX
                and (batch := box.delivery.take(now_ns, URGENT_BYTES, rank_max=2)) is not None
            ):
                self._urgent_out += 1
                self._hand_over(way.link, box, batch, self._urgent_acked)
            elif not self._common_out and (batch := box.delivery.take(now_ns, COMMON_BYTES)) is not None:
                self._common_out = True
                self._hand_over(way.link, box, batch, self._common_acked)
            else:
                self._look_again(Lane.ALARM, box, self._send_alarm_lane)
                return

    def _urgent_acked(self) -> None:
        self._urgent_out = max(0, self._urgent_out - 1)
        self._send_alarm_lane()

    def _common_acked(self) -> None:
        self._common_out = False
        self._send_alarm_lane()

    def _send_telemetry_lane(self) -> None:
        way, box, pacing = self.ways[Lane.TELEMETRY], self.boxes[Lane.TELEMETRY], self._pacing
        if not (self.alive and way.serving and way.link is not None) or self._telemetry_out:
            return
        now_ns = self._clock.mono_ns()
        if hold_ns := pacing.wait_ns(now_ns):
            self._look_again(Lane.TELEMETRY, box, self._send_telemetry_lane, now_ns + hold_ns)
            return
        batch = box.delivery.take(now_ns, pacing.size)
        if batch is None:
            self._look_again(Lane.TELEMETRY, box, self._send_telemetry_lane)
            return
        pacing.sent(now_ns)
        self._telemetry_out = True
        size = 0

        def acked() -> None:
            pacing.acked(size, self._clock.mono_ns() - now_ns)
            self._telemetry_out = False
            self._send_telemetry_lane()

        size = self._hand_over(way.link, box, batch, acked)

    def _hand_over(self, link: Link, box: SimLane, batch: Batch, acked: Callable[[], None]) -> int:
        data = box.message(batch, self._clock.mono_ns())
        self._sent(box.lane, batch)
        channel = Channel.ALARM if box.lane is Lane.ALARM else Channel.TELEMETRY
        link.publish(self._topic(channel), data, self._while_alive(acked, box, batch))
        return len(data)

    def _while_alive(self, call: Callable[[], None], box: SimLane, batch: Batch) -> Callable[[], None]:
        def then() -> None:
            if self.alive:
                self.broker_has(box, batch)
                call()

        return then

    def broker_has(self, box: SimLane, batch: Batch) -> None:
        """The broker acknowledged a batch: which proves nothing, and nothing follows from it."""

    def _look_again(self, lane: Lane, box: SimLane, pump: Callable[[], None], no_longer_ns: int | None = None) -> None:
        now_ns = self._clock.mono_ns()
        due_ns = box.delivery.next_due_ns(now_ns)
        times = [ns for ns in (due_ns, no_longer_ns) if ns is not None and ns > now_ns]
        older = self._timers.pop(lane, None)
        if older is not None:
            older.cancel()
        if times:
            self._timers[lane] = self.loop.at(self.loop.now_ns + min(times) - now_ns, pump)

    def _send_waiting_replies(self) -> None:
        link = self.ways[Lane.ALARM].link
        if (
            self._replying
            or not self.replies._waiting
            or not self.alive
            or not self.ways[Lane.ALARM].serving
            or link is None
        ):
            return
        self._replying = True
        reply = self.replies._waiting[0]

        def acked() -> None:
            self._replying = False
            if self.replies._waiting and self.replies._waiting[0] is reply:
                self.replies._waiting.popleft()
            self._send_waiting_replies()

        link.publish(self._topic(Channel.REPLY), encode(reply), acked)

    def _later(self, pump: Callable[[], None]) -> Callable[[], None]:
        """News of one moment are looked at once."""
        asked = False

        def look() -> None:
            nonlocal asked
            asked = False
            pump()

        def ask() -> None:
            nonlocal asked
            if not asked:
                asked = True
                self.loop.at(self.loop.now_ns + NS_PER_MS // 1000, look)

        return ask


def _nothing() -> None:
    """A heartbeat's acknowledgement."""
