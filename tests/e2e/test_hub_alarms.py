"""The hub's alarm lane on a real broker: receipt means committed, and one cause is one incident."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from hub.core.incident import State
from protocol.codec import SIZE_MAX, encode
from protocol.kinds import Kind
from protocol.link import Endpoint, Link
from protocol.messages import Action, Outcome, Result, ZoneBorn
from protocol.records import Gap, Lane
from protocol.topics import Channel
from simulators.broker import Broker
from tests.support.centre import gateway, running
from tests.support.wait import until


async def test_a_press_is_committed_receipted_and_called_out(broker: Broker, tmp_path: Path) -> None:
    """A panic press becomes one incident, is receipted, and the other households' gateways get signed orders."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, gateway(broker, "gw-2") as other:
        event = await gw.press()
        await gw.receipted(event.seq)
        (incident,) = hub.parts.desk.incidents()
        assert ("panic", State.REPORTED, ["h1-panic"]) == (incident.rule, incident.state, incident.zones)
        await until(lambda: gw.commands and other.commands)
        sirens = [*gw.orders(hub.data), *other.orders(hub.data)]
        assert {Action.SIREN} == {order.action for order in sirens}
        assert {"h2", "h3", "works"} == {premises for order in sirens for premises in order.premises}
        assert {(event.key,)} == {tuple(order.keys) for order in sirens}


async def test_a_resend_is_receipted_and_raises_nothing(broker: Broker, tmp_path: Path) -> None:
    """The same record three times is one incident with one press, and every resend is answered."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        event = await gw.press()
        await gw.receipted(event.seq)
        for _ in range(2):
            gw.receipts.clear()
            await gw.alarm(event)
            await gw.receipted(event.seq)
        (incident,) = hub.parts.desk.incidents()
        assert 1 == incident.presses
        assert 2 == await hub.counted('lianfang_records_duplicate_total{lane="alarm"}')


async def test_one_identity_with_other_bytes_is_a_conflict(broker: Broker, tmp_path: Path) -> None:
    """Another event under a known identity is kept and raised, also by a hub that was restarted since."""
    async with gateway(broker) as gw:
        first = gw.event()
        async with running(tmp_path, broker):
            await gw.alarm(first)
            await gw.receipted(first.seq)
        async with running(tmp_path, broker) as hub:
            gw.receipts.clear()
            gw.seqs[Lane.ALARM] = 0
            await gw.alarm(gw.event(zone="h2-panic"))
            await until(lambda: gw.receipts)
            assert 1 == _kinds(hub.data).count("conflicted")


def _kinds(data: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(data / "journal.db")) as db:
        return [kind for (kind,) in db.execute("SELECT kind FROM entry ORDER BY n")]


async def test_no_receipt_without_a_commit(broker: Broker, tmp_path: Path) -> None:
    """While the journal cannot be written: no receipt, no credit, no order, no incident, 503; after it, all of them."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, hub.api() as client:
        await gw.birth()
        await until(lambda: {one.lane for one in gw.receipts} == set(Lane))
        with contextlib.closing(sqlite3.connect(hub.data / "journal.db", isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            gw.receipts.clear()
            event = await gw.press()
            await until(lambda: [one for one in gw.receipts if one.lane is Lane.ALARM])
            assert {(0, False)} == {(one.credit, bool(one.committed)) for one in gw.receipts if one.lane is Lane.ALARM}
            assert [] == hub.parts.desk.incidents()
            assert [] == gw.commands
            answer = await client.get("/healthz")
            assert (503, "down", "database is locked") == (
                answer.status_code,
                answer.json()["status"],
                answer.json()["journal"],
            )
            lock.execute("ROLLBACK")
        receipt = await gw.receipted(event.seq)
        assert receipt.credit > 0
        await until(lambda: gw.commands)
        assert 1 == len(hub.parts.desk.incidents())
        assert 200 == (await client.get("/healthz")).status_code
        assert 1 <= await hub.counted("lianfang_commit_failures_total")


async def test_a_restart_rebuilds_the_desk_and_sends_orders_again(broker: Broker, tmp_path: Path) -> None:
    """A hub started anew has the very same state, and sends the orders not answered again under their own ids."""
    async with gateway(broker) as gw, gateway(broker, "gw-2") as other:
        async with running(tmp_path, broker) as hub:
            await gw.press()
            await until(lambda: gw.commands and other.commands)
            answered = other.orders(hub.data)[0]
            await other.reply(answered, *(Result(one, Outcome.DONE) for one in answered.premises))
            await until(lambda: [c for i in hub.parts.desk.incidents() for c in i.calls.values() if c.outcome])
            await until(lambda: len(hub.parts.clerk.rounds.inbox) == 0)
            open_ids = {order.id for order in gw.orders(hub.data)}
            done_ids = {order.id for order in other.orders(hub.data)}
        before = hub.parts.desk.snapshot()
        gw.commands.clear()
        other.commands.clear()
        async with running(tmp_path, broker) as hub:
            assert before == hub.parts.desk.snapshot()
            await until(lambda: gw.commands)
            assert open_ids == {order.id for order in gw.orders(hub.data)}
            assert not done_ids & {order.id for order in other.orders(hub.data)}


async def test_what_a_gateway_missed_goes_out_again_when_it_connects_anew(broker: Broker, tmp_path: Path) -> None:
    """An order that met a broken link does not wait for the desk's next try: neighbours would ring that much later."""
    (tmp_path / "patient.toml").write_text("[calls]\nretry_ms = 60_000\n", encoding="utf-8")
    async with (
        running(tmp_path, broker, "hub.defaults=patient.toml") as hub,
        gateway(broker) as gw,
        gateway(broker, "gw-2") as other,
    ):
        for one in (gw, other):  # whoever is first heard is sent its orders again as well
            await one.birth()
        heard = hub.parts.desk.gateways
        await until(lambda: [view.up for view in heard() if view.id in ("gw-1", "gw-2")] == [True, True])
        await gw.press()
        await until(lambda: gw.commands and other.commands)
        missed = [order.id for order in other.orders(hub.data)]
        other.commands.clear()
        gw.commands.clear()
        await other.birth()
        await until(lambda: other.commands)
        assert (missed, []) == ([order.id for order in other.orders(hub.data)], gw.commands)


async def test_declared_gaps_are_receipted(broker: Broker, tmp_path: Path) -> None:
    """Sequences a gateway gave up are receipted as done, and the loss is journalled."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        gw.seqs[Lane.ALARM] = 3
        await gw.alarm(gw.event(), gaps=[Gap(1, 3, "disk full")])
        await until(lambda: gw.committed(Lane.ALARM).mark() == 4)
        assert {"gapped", "recorded"} <= set(_kinds(hub.data))


async def test_a_birth_gets_time_and_credit_at_once(broker: Broker, tmp_path: Path) -> None:
    """A gateway that is born hears of both lanes before it has sent any record."""
    async with running(tmp_path, broker), gateway(broker) as gw:
        await gw.birth()
        await until(lambda: {one.lane for one in gw.receipts} == set(Lane))
        assert all(one.credit > 0 and one.hub_ms > 1_700_000_000_000 for one in gw.receipts)


REFUSALS = [
    "unparsable",
    "oversized",
    "wrong_version",
    "wrong_area",
    "unknown_gateway",
    "unknown_zone",
    "unknown_topic",
]


@pytest.mark.parametrize("reason", REFUSALS)
async def test_what_is_refused_is_counted_and_changes_nothing(reason: str, broker: Broker, tmp_path: Path) -> None:
    """Bad input is counted by its reason, gets no receipt, changes nothing, and its neighbours are still taken."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        before = hub.parts.desk.snapshot()
        if reason == "unparsable":
            await gw.raw(Channel.ALARM, b'{"v":1,')
        elif reason == "oversized":
            async with Link(Endpoint(host=broker.host, port=broker.port, client_id="fat")) as fat:
                assert fat._client is not None
                await fat._client.publish("lf/1/town/gw-1/alarm", b" " * (SIZE_MAX + 1), qos=1)
        elif reason == "wrong_version":
            await gw.raw(Channel.ALARM, b'{"v":99,"items":[]}')
        elif reason == "wrong_area":
            gw.area = "other"
            await gw.press()
        elif reason == "unknown_gateway":
            gw.gateway = "gw-9"
            await gw.press()
        elif reason == "unknown_zone":
            await gw.press("h3-panic")
        else:
            await gw.link.publish("lf/1/town/GW!/alarm", b"{}")
        sample = f'lianfang_refused_total{{reason="{reason}"}}'

        async def counted() -> bool:
            return await hub.counted(sample) == 1

        async with asyncio.timeout(20):
            while not await counted():  # noqa: ASYNC110  # it is asked over HTTP
                await asyncio.sleep(0.01)
        refused = gw.seqs[Lane.ALARM]
        heard = hub.parts.links.known["town", "gw-1"].heard_mono_ms is not None
        assert [] == hub.parts.desk.incidents()
        if not heard:
            assert before == hub.parts.desk.snapshot()
        gw.area, gw.gateway = "town", "gw-1"
        good = await gw.press()
        await gw.receipted(good.seq)
        assert [(good.seq, good.seq)] == list(gw.committed(Lane.ALARM)) or refused == 0
        assert 1 == len(hub.parts.desk.incidents())


async def test_a_refused_event_leaves_its_neighbours_alone(broker: Broker, tmp_path: Path) -> None:
    """Of one message the event from a strange zone is refused; the events around it are committed and receipted."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        await gw.alarm(gw.event(), gw.event(zone="h9-panic"), gw.event(zone="h2-panic"))
        await gw.receipted(3)
        assert [(1, 1), (3, 3)] == list(gw.committed(Lane.ALARM))
        assert 1 == await hub.counted('lianfang_refused_total{reason="unknown_zone"}')


async def test_an_older_session_is_ignored(broker: Broker, tmp_path: Path) -> None:
    """The heartbeat of an older connection changes nothing that is known of the gateway."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        known = hub.parts.links.known["town", "gw-1"]
        await gw.session(connection=7)
        await until(lambda: known.session is not None)
        await gw.session(connection=6, online=False)
        await gw.session(connection=9, boot=0)
        await gw.press()
        await until(lambda: gw.receipts)
        assert known.session is not None
        assert (1, 7, True) == (known.session.boot, known.session.connection, known.session.online)
        assert 2 == await hub.counted('lianfang_refused_total{reason="older_session"}')


async def test_what_the_broker_kept_says_nothing_of_now(broker: Broker, tmp_path: Path) -> None:
    """Retained births and sessions tell who a gateway was; it is not online until it is heard."""
    async with gateway(broker) as gw:
        await gw.birth(zones=[ZoneBorn("h1-panic", "h1", "panic", "online")])
        await gw.session()
        async with running(tmp_path, broker) as hub:
            known = hub.parts.links.known["town", "gw-1"]
            await until(lambda: known.birth is not None and known.session is not None)
            assert known.heard_mono_ms is None
            async with hub.api() as client:
                (shown,) = [
                    one for one in (await client.get("/api/v1/gateways")).json()["items"] if one["id"] == "gw-1"
                ]
                assert (None, 1) == (shown["online"], shown["boot"])
                await gw.session(connection=2)
                await until(lambda: known.told)
                zones = (await client.get("/api/v1/zones?premises=h1")).json()["items"]
                health = {zone["id"]: zone["health"] for zone in zones}
                assert {"h1-panic": "online", "h1-door": "unknown"} == health


async def test_a_broker_that_comes_back_is_found_again(broker: Broker, tmp_path: Path) -> None:
    """After the broker was killed the hub takes alarms again by itself, and says in between that it cannot."""
    async with running(tmp_path, broker) as hub, hub.api() as client:
        await broker.kill()
        await until(lambda: None not in hub.parts.broker.values())
        assert 503 == (await client.get("/healthz")).status_code
        await broker.restart()
        await until(lambda: set(hub.parts.broker.values()) == {None})
        async with gateway(broker) as gw:
            event = await gw.press()
            await gw.receipted(event.seq)


async def test_a_flood_of_minor_alarms_does_not_hold_up_a_press(broker: Broker, tmp_path: Path) -> None:
    """A press behind a thousand faults is committed; everything is receipted in the end."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        faults = [gw.event(Kind.BATTERY_LOW, "h1-door", detail={"n": n}) for n in range(1_000)]
        for at in range(0, 1_000, 250):
            await gw.alarm(*faults[at : at + 250])
        await gw.press()

        async def resend() -> None:
            missing = [one for one in faults if one.seq not in gw.committed(Lane.ALARM)]
            await gw.alarm(*missing[:250])

        await gw.receipted(1_001)
        while gw.committed(Lane.ALARM).mark() < 1_001:
            await resend()
            await asyncio.sleep(0.05)
        assert 1 == len([one for one in hub.parts.desk.incidents() if one.rule == "panic"])
        assert encode(faults[0]) != encode(faults[1])
