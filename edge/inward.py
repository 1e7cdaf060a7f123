"""What the hub sends, taken in: receipts, sessions, commands, configurations. Nothing in it can stop the gateway."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.clock import Clock, HubClock
from edge.core.io import Ordered
from edge.lane import Identity, LaneBox
from protocol.codec import Reason, RemoteError, decode
from protocol.faults import Fault
from protocol.link import Incoming
from protocol.messages import VERSION, Command, Config, HubSession, Order, Outcome, Receipt, Reply, Result
from protocol.records import ClockQuality
from protocol.signing import verify
from protocol.topics import ROOT, Channel, parse

HUBS_MAX = 16
"""Hubs whose session is remembered; the one heard longest ago is forgotten first."""
LOG_EVERY_NS = 60_000_000_000
BOOT_MAX = 2**53
"""Boot numbers are seconds or counts: none comes near, and what does is not followed."""
EARLY_MAX = 64
"""Orders that wait for the hub's time; beyond it the oldest is forgotten, and the hub sends it again."""

log = structlog.get_logger("lianfang.inward")


class _OrderName(msgspec.Struct):
    id: str


class Inward:
    """Judges each arriving message. `refused` counts what was not taken, by reason.

    `on_order` hears good orders; `on_config` gets a desired configuration's text and answers what is wrong with it, in
    a thread of its own, since reading it takes long and disks take longer. Of those that wait the newest counts.
    `on_behind` hears the boot number to lead with when the hub knows another process by this one's or a higher: the
    card was lost or put back while no clock was set.

    A gateway whose clock is not synchronised cannot tell a fresh order from an old one until the hub's first receipt.
    Orders that come before it wait for it unanswered: a refusal would be final, and a call or stand-down lost by it.
    """

    HUBS: ClassVar[str] = f"{ROOT}/hub/+"

    def __init__(
        self,
        me: Identity,
        clock: Clock,
        keys: Mapping[str, Ed25519PublicKey],
        *,
        on_order: Callable[[Ordered], None],
        on_config: Callable[[str], Sequence[Fault]],
        on_alarm_receipt: Callable[[], None],
        on_behind: Callable[[int], None] = lambda boot: None,
    ) -> None:
        self._me = me
        self._clock = clock
        self._keys = keys
        self._on_order = on_order
        self._on_config = on_config
        self._on_alarm_receipt = on_alarm_receipt
        self._on_behind = on_behind
        self._sessions: dict[tuple[str, str], str] = {}
        self._logged: dict[str, int] = {}
        self._config_seen: str | None = None
        self._config_waits: Config | None = None
        self._config_came = asyncio.Event()
        self._early: dict[str, Order] = {}
        self.hub_clock = HubClock()
        self.refused: Counter[str] = Counter()

    def take(self, message: Incoming, box: LaneBox) -> list[Reply]:
        """Take in one message of `box`'s connection; replies to be sent come back."""
        try:
            return self._take(message, box)
        except RemoteError as cause:
            self._refuse(cause.reason, str(cause), message.topic)
            return []

    def _take(self, message: Incoming, box: LaneBox) -> list[Reply]:
        if message.topic.startswith(f"{ROOT}/hub/"):
            self._hub(decode(message.data, HubSession), box)
            return []
        address = parse(message.topic)
        if address is None or (address.area, address.gateway) != (self._me.area, self._me.gateway):
            raise RemoteError(Reason.UNKNOWN_TOPIC, f"{message.topic} is not for this gateway")
        match address.channel:
            case Channel.RECEIPT if message.retain:
                self._refuse("retained", "a receipt of some other time, and so is its hour", message.topic)
            case Channel.RECEIPT:
                self._receipt(decode(message.data, Receipt), box)
            case Channel.COMMAND:
                return self._command(decode(message.data, Command))
            case Channel.CONFIG:
                self._config_waits = decode(message.data, Config)
                self._config_came.set()
            case other:
                raise RemoteError(Reason.UNKNOWN_TOPIC, f"nothing is taken from {other}")
        return []

    def _receipt(self, receipt: Receipt, box: LaneBox) -> None:
        """Each connection minds its own lane's receipts only, so that neither depends on the other."""
        spans = [span for found in receipt.committed.values() for span in found]
        if any(first > last for first, last in spans):
            raise RemoteError(Reason.UNPARSABLE, "a receipt's range runs downwards")
        self.hub_clock.heard(receipt.hub_ms, self._clock.mono_ns())
        if receipt.lane is box.lane:
            self._committed(receipt, box)
        early, self._early = self._early, {}
        for order in early.values():
            self._order(order)

    def _committed(self, receipt: Receipt, box: LaneBox) -> None:
        if self._me.boot <= receipt.boot < BOOT_MAX and self._me.instance not in receipt.committed:
            self._on_behind(receipt.boot + 1)
        box.receipt(receipt)
        if receipt.lane == "alarm":
            self._on_alarm_receipt()

    def _hub(self, session: HubSession, box: LaneBox) -> None:
        """A hub that begins a new session may have lost what it had not committed: all is sent again."""
        if not session.online:
            return
        key = (box.lane, session.hub)
        if self._sessions.pop(key, None) != session.session:
            log.info("hub session", hub=session.hub, lane=box.lane)
            box.delivery.resend(fresh_credit=True)
            box.on_news()
        self._sessions[key] = session.session
        if len(self._sessions) > HUBS_MAX:
            del self._sessions[next(iter(self._sessions))]

    def _command(self, command: Command) -> list[Reply]:
        found = verify(command, self._keys, self._me.area, self._me.gateway)
        if isinstance(found, str):
            self._refuse("command", found, Channel.COMMAND)
            name = _order_name(command)
            refused = Result(premises=None, outcome=Outcome.REFUSED, reason=found[:512])
            return [self._reply(name, results=[refused])] if name is not None else []
        if found.instance not in (None, self._me.instance):
            return [self._not_meant(found.id, found.instance, Channel.COMMAND)]
        self._order(found)
        return []

    def _not_meant(self, name: str, meant: str | None, channel: Channel) -> Reply:
        """What names another process is of before a restart of ours, or of a gateway that has our name and is not us:
        the hub holds that one for the rightful."""
        why = f"for process {meant}, and this is {self._me.instance}"
        self._refuse("another_instance", why, channel)
        refused = Result(premises=None, outcome=Outcome.REFUSED, reason=why)
        return msgspec.structs.replace(self._reply(name, results=[refused]), meant=meant)

    def _order(self, order: Order) -> None:
        hub_ms = self.hub_clock.now_ms(self._clock.mono_ns())
        if hub_ms is not None or self._clock.now().quality is ClockQuality.SYNCED:
            self._on_order(Ordered(order, hub_ms))
            return
        self._early[order.id] = order
        if len(self._early) > EARLY_MAX:
            del self._early[next(iter(self._early))]

    async def run_configs(self, reply: Callable[[Reply], None]) -> None:
        """Judge what configuration waits, until cancelled."""
        while True:
            await self._config_came.wait()
            self._config_came.clear()
            config, self._config_waits = self._config_waits, None
            if config is not None:
                for said in await self._config(config):
                    reply(said)

    async def _config(self, config: Config) -> list[Reply]:
        if config.sha256 in (self._me.config, self._config_seen):
            return []  # retained, so it comes again with every connection
        name = f"config-{config.sha256[:16]}"
        if config.instance not in (None, self._me.instance):
            return [self._not_meant(name, config.instance, Channel.CONFIG)]
        found = hashlib.sha256(config.toml.encode()).hexdigest()
        if found != config.sha256:
            faults: Sequence[Fault] = [Fault("config", "sha256", config.sha256, f"{found}, the digest of its text")]
        else:
            faults = await asyncio.to_thread(self._on_config, config.toml)
        self._config_seen = config.sha256
        if faults:
            self._refuse("config", "; ".join(map(str, faults[:3])), Channel.CONFIG)
            reason = f"{len(faults)} faults; the old configuration stays"
            refused = Result(premises=None, outcome=Outcome.REFUSED, reason=reason)
            return [self._reply(name, results=[refused], faults=list(faults))]
        log.info("desired configuration stored", sha256=config.sha256)
        done = Result(premises=None, outcome=Outcome.DONE, reason="stored; it is used from the next start on")
        return [self._reply(name, results=[done])]

    def _reply(self, order: str, results: list[Result], faults: Sequence[Fault] = ()) -> Reply:
        me = self._me
        return Reply(VERSION, me.instance, me.boot, order, results, list(faults), self._clock.now())

    def _refuse(self, reason: str, why: str, topic: str) -> None:
        """Count each, log each reason once a minute."""
        self.refused[reason] += 1
        now_ns = self._clock.mono_ns()
        if now_ns - self._logged.get(reason, -LOG_EVERY_NS) >= LOG_EVERY_NS:
            self._logged[reason] = now_ns
            log.warning("message refused", reason=reason, why=why[:300], topic=topic, count=self.refused[reason])


def _order_name(command: Command) -> str | None:
    try:
        return msgspec.json.decode(bytes(command.order), type=_OrderName).id[:63]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
