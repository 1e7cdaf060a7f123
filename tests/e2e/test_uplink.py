"""The way to the hub over a real Mosquitto: a record leaves the gateway only by the hub's receipt."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.clock import Clock
from edge.core.entries import Limits
from protocol.codec import encode
from protocol.faults import Fault
from protocol.kinds import Kind, Priority
from protocol.messages import VERSION, Action, Config, Order, Outcome, Receipt
from protocol.records import Lane
from protocol.signing import sign
from protocol.topics import Channel
from simulators.broker import Broker
from tests.e2e.uplinking import AREA, GATEWAY, Side
from tests.support.hub import KEY, ReceiptingHub
from tests.support.wait import until


def side(broker: Broker, hub: ReceiptingHub, folder: Path | None = None, **more: object) -> Side:
    return Side(broker.host, broker.port, {KEY: hub.private.public_key()}, folder, **more)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def running(one: Side) -> AsyncIterator[Side]:
    await one.open()
    task = asyncio.create_task(one.connections.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await one.close()


async def test_alarm_arrives_and_its_receipt_comes_back(broker: Broker) -> None:
    """A press reaches the hub, and the lane is empty once it was receipted."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        gateway.press()
        await until(lambda: gateway.receipted == [1])
        assert (hub.seqs(Lane.ALARM), len(gateway.alarm.delivery)) == ([1], 0)


async def test_birth_and_session_are_told_at_connect_and_kept_alive(broker: Broker) -> None:
    """The hub hears the birth, then heartbeats with rising beat; the goodbye says offline."""
    async with ReceiptingHub(broker.host, broker.port) as hub:
        async with running(side(broker, hub)) as gateway:
            await until(lambda: len([s for s in hub.sessions if s.online]) >= 3)
            beats = [session.beat for session in hub.sessions]
            assert (hub.births[0].instance, beats[:3]) == (gateway.instance, [0, 1, 2])
        await until(lambda: not hub.sessions[-1].online)


async def test_no_receipt_no_forgetting(broker: Broker) -> None:
    """A hub that commits nothing gets the same bytes again and again until it does."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        hub.receipting = False
        gateway.press()
        key = (gateway.instance, Lane.ALARM, 1)
        await until(lambda: hub.sends.get(key, 0) >= 3)
        held = len(gateway.alarm.delivery)
        hub.receipting = True
        await until(lambda: gateway.receipted == [1])
        assert (held, hub.conflicts) == (1, 0)


async def test_age_grows_with_each_send(broker: Broker) -> None:
    """Each send states the record's age at that moment."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        hub.receipting = False
        gateway.press()
        key = (gateway.instance, Lane.ALARM, 1)
        await until(lambda: hub.sends.get(key, 0) == 1)
        first = hub.ages[gateway.instance, 1]
        await until(lambda: hub.sends[key] >= 2)
        second = hub.ages[gateway.instance, 1]
        assert first is not None
        assert second is not None
        assert second - first >= 300  # the silence time


async def test_credit_zero_holds_until_lifted(broker: Broker) -> None:
    """After a receipt with credit 0 new records stay, but for a first panic; credit lets them go."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        hub.credit = 0
        gateway.press()
        await until(lambda: gateway.receipted == [1])
        gateway.press(Priority.P2)
        gateway.press()
        await until(lambda: gateway.receipted == [1, 3])
        await until(lambda: hub.sessions[-1].queued.get(Lane.ALARM) == 1)  # a heartbeat later it still waits
        assert hub.seqs(Lane.ALARM) == [1, 3]
        hub.credit = 100
        await hub.receipt(AREA, GATEWAY, Lane.ALARM)
        await until(lambda: gateway.receipted == [1, 3, 2])


async def test_new_hub_session_brings_everything_again(broker: Broker) -> None:
    """A hub that lost what it had not committed announces a new session and is sent it at once."""
    async with ReceiptingHub(broker.host, broker.port) as hub:
        gateway = side(broker, hub, limits=Limits(records_max=100, bytes_max=100_000, silence_ms=3_600_000))
        async with running(gateway):
            hub.receipting = False
            gateway.press()
            key = (gateway.instance, Lane.ALARM, 1)
            await until(lambda: hub.sends.get(key, 0) >= 1)
            before = hub.sends[key]
            await hub.new_session("5" * 32)
            await until(lambda: hub.sends[key] > before)


async def test_killed_broker_loses_nothing(broker: Broker) -> None:
    """Records made before, while and after the broker was dead all arrive, each once in the hub's books."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        gateway.press()
        await until(lambda: gateway.receipted == [1])
        await broker.kill()
        await until(lambda: gateway.uplink.down_since_ns is not None)
        for _ in range(20):
            gateway.press(Priority.P4, Kind.ZONE_FAULT)
            gateway.press()
        gateway.measure(50)
        await broker.restart()
        gateway.press()
        await until(lambda: len(gateway.receipted) == 42)
        await until(lambda: len(hub.seqs(Lane.TELEMETRY)) == 50)
        assert (sorted(hub.seqs(Lane.ALARM)), hub.conflicts) == (list(range(1, 43)), 0)


async def test_after_an_outage_presses_come_before_faults(broker: Broker) -> None:
    """What waited goes P1 first, whatever was made first."""
    async with ReceiptingHub(broker.host, broker.port) as hub:
        gateway = await side(broker, hub).open()
        for _ in range(200):
            gateway.press(Priority.P4, Kind.ZONE_FAULT)
        panic = gateway.press()
        task = asyncio.create_task(gateway.connections.run())
        await until(lambda: hub.seqs(Lane.ALARM))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await gateway.close()
        assert hub.seqs(Lane.ALARM)[0] == panic


async def test_earlier_process_is_sent_under_its_own_name_and_unknown_age(broker: Broker, tmp_path: Path) -> None:
    """After kill and reboot the old instance's records arrive as its own; their age is unknown, not guessed."""
    async with ReceiptingHub(broker.host, broker.port) as hub:
        first = await side(broker, hub, tmp_path).open()
        first.press()
        await until(lambda: first.stored == [1])
        await first.close()
        async with running(side(broker, hub, tmp_path, instance="2" * 32, boot=2, kboot="f" * 32)) as second:
            second.press()
            await until(lambda: len(hub.events) == 2 and not len(second.alarm.delivery))
            assert hub.ages["1" * 32, 1] is None
            assert hub.ages["2" * 32, 1] is not None
        third = await side(broker, hub, tmp_path, instance="3" * 32, boot=3).open()
        await third.close()
        assert len(third.alarm.delivery) == 0


async def test_press_does_not_wait_for_a_dead_disk(broker: Broker) -> None:
    """With a disk that refuses, the press reaches the hub all the same and the fault is told."""
    async with ReceiptingHub(broker.host, broker.port) as hub:
        gateway = side(broker, hub)
        store = gateway.alarm.outbox._store
        store.disk.trouble = "io"  # type: ignore[attr-defined]
        async with running(gateway):
            gateway.press()
            await until(lambda: gateway.receipted == [1])
            assert (gateway.stored, gateway.faults) == ([], ["disk_alarm"])


def order(hub: ReceiptingHub, name: str = "o1", gateway: str = GATEWAY) -> Order:
    return Order(name, AREA, gateway, Action.SIREN, hub.hub_ms, hub.hub_ms + 60_000, premises=["h01"])


async def test_good_order_is_handed_on_with_hub_time(broker: Broker) -> None:
    """A signed order reaches the gateway's core with the hub's time as its receipts told it."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        gateway.press()
        await until(lambda: gateway.receipted)
        await hub.command(order(hub))
        await until(lambda: gateway.orders)
        handed = gateway.orders[0]
        assert handed.hub_ms is not None
        assert (handed.order.id, 0 <= handed.hub_ms - hub.hub_ms < 60_000) == ("o1", True)


async def test_an_order_before_the_hubs_time_is_known_waits_for_it_unanswered(broker: Broker) -> None:
    """A gateway that just started, its clock not synchronised: a stand-down is not refused, but acts once it can."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        gateway.inward._clock = Clock(error_ms=lambda: None)
        await until(lambda: hub.births)
        await hub.command(order(hub))
        await hub.command(order(hub, "forged"), Ed25519PrivateKey.generate())
        await until(lambda: hub.replies)
        assert (["forged"], []) == ([reply.order for reply in hub.replies], gateway.orders)
        gateway.press()
        await until(lambda: gateway.orders)
        assert [("o1", True)] == [(one.order.id, one.hub_ms is not None) for one in gateway.orders]


async def test_forged_and_misdirected_orders_do_nothing_and_say_why(broker: Broker) -> None:
    """Another's signature and another gateway's order are refused by reply, with the reason."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        await until(lambda: hub.births)
        await hub.command(order(hub, "forged"), Ed25519PrivateKey.generate())
        other = order(hub, "astray", gateway="gw-2")
        await hub.send(AREA, GATEWAY, Channel.COMMAND, encode(sign(other, KEY, hub.private)))
        await hub.send(AREA, GATEWAY, Channel.COMMAND, encode(sign(order(hub, "stranger"), "no-key", hub.private)))
        await until(lambda: len(hub.replies) == 3)
        said = {reply.order: (reply.results[0].outcome, reply.results[0].reason.split(" ")[0]) for reply in hub.replies}
        refused = Outcome.REFUSED
        assert said == {"forged": (refused, "forged:"), "astray": (refused, "for"), "stranger": (refused, "unknown")}
        assert (gateway.orders, gateway.inward.refused["command"]) == ([], 3)


async def test_rubbish_from_the_hub_stops_nothing(broker: Broker) -> None:
    """Unparsable and wrong-version messages are counted by reason, and a press still goes through.

    Receipts come on both connections, so each bad one counts twice.
    """
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        await until(lambda: hub.births)
        await hub.send(AREA, GATEWAY, Channel.RECEIPT, b"\xff{")
        await hub.send(AREA, GATEWAY, Channel.COMMAND, b"[" * 10_000)
        await hub.send(AREA, GATEWAY, Channel.RECEIPT, b'{"v":9}')
        await hub.send(AREA, GATEWAY, Channel.CONFIG, b"{}")
        await until(lambda: sum(gateway.inward.refused.values()) == 6)
        gateway.press()
        await until(lambda: gateway.receipted == [1])
        assert gateway.inward.refused == {"unparsable": 3, "wrong_version": 3}


def config(text: str, digest: str | None = None) -> bytes:
    return encode(Config(VERSION, digest or hashlib.sha256(text.encode()).hexdigest(), text))


async def test_good_configuration_is_stored_for_the_next_start(broker: Broker) -> None:
    """The reply says that it is used from the next start on."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        await until(lambda: hub.births)
        await hub.send(AREA, GATEWAY, Channel.CONFIG, config("x = 1"), retain=True)
        await until(lambda: hub.replies)
        result = hub.replies[0].results[0]
        assert (gateway.configs, result.outcome, result.reason) == (
            ["x = 1"],
            Outcome.DONE,
            "stored; it is used from the next start on",
        )


async def test_configuration_with_faults_without_end_is_refused_in_one_message(broker: Broker) -> None:
    """Nine thousand faults are told as the first of them and how many more; the gateway lives, and presses pass."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        await until(lambda: hub.births)
        gateway.config_faults = [Fault("config", f"zone[{n}].kind", "'dor'", "door " * 20) for n in range(9_000)]
        await hub.send(AREA, GATEWAY, Channel.CONFIG, config("bad"), retain=True)
        await until(lambda: hub.replies)
        gateway.press()
        await until(lambda: gateway.receipted == [1])
        *first, last = hub.replies[0].faults
        assert ([fault.key for fault in first[:2]], last.value) == (
            ["zone[0].kind", "zone[1].kind"],
            f"{9_000 - len(first)} more",
        )


async def test_slow_disk_under_a_configuration_holds_up_no_receipt(broker: Broker) -> None:
    """The configuration is read and stored beside the loop: a press made meanwhile is receipted."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        await until(lambda: hub.births)
        gateway.config_gate.clear()
        await hub.send(AREA, GATEWAY, Channel.CONFIG, config("x = 1"))
        await until(lambda: gateway.configs)
        gateway.press()
        await until(lambda: gateway.receipted == [1])
        assert not hub.replies
        gateway.config_gate.set()
        await until(lambda: hub.replies)


async def test_retained_receipt_neither_forgets_nor_tells_the_time(broker: Broker) -> None:
    """A receipt left over at the broker is of some other time: its hour would make stale orders fresh again."""
    async with ReceiptingHub(broker.host, broker.port) as hub:
        hub.receipting = False
        old = Receipt(VERSION, "h1", Lane.ALARM, {"1" * 32: [(1, 5)]}, 100, 1_000)
        await hub.send(AREA, GATEWAY, Channel.RECEIPT, encode(old), retain=True)
        async with running(side(broker, hub)) as gateway:
            gateway.press()
            await until(lambda: gateway.inward.refused["retained"] == 2 and hub.seqs(Lane.ALARM))
            assert (len(gateway.alarm.delivery), gateway.inward.hub_clock.now_ms(gateway.clock.mono_ns())) == (1, None)


async def test_bad_configuration_is_refused_with_every_fault(broker: Broker) -> None:
    """Faults of the text, and a digest that is not its own, come back in the reply."""
    async with ReceiptingHub(broker.host, broker.port) as hub, running(side(broker, hub)) as gateway:
        await until(lambda: hub.births)
        gateway.config_faults = [Fault("config", "zone[0].kind", "'dor'", "door"), Fault("config", "x", "1", "no key")]
        await hub.send(AREA, GATEWAY, Channel.CONFIG, config("bad"))
        await until(lambda: hub.replies)
        await hub.send(AREA, GATEWAY, Channel.CONFIG, config("good", "0" * 64))
        await until(lambda: len(hub.replies) == 2)
        assert [[fault.key for fault in reply.faults] for reply in hub.replies] == [["zone[0].kind", "x"], ["sha256"]]
