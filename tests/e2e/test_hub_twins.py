"""A cloned card at a real hub: whom orders are for, whose answers count, and that no panic is refused."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.orders import load_key
from protocol.codec import encode
from protocol.link import Endpoint, Link
from protocol.messages import VERSION, Config, Order, Outcome, Reply, Result
from protocol.topics import Channel, topic
from simulators.broker import Broker
from simulators.children import Child, start
from simulators.gpio import GpioChip
from tests.e2e.test_gateway import PROGRAM, SITE
from tests.support.centre import AREA, Running, SaidGateway, gateway, running
from tests.support.wait import until

FIRST, SECOND, THIRD = "1" * 32, "2" * 32, "3" * 32
SLOW_S = 60.0
"""Heartbeats of the shortest profile are 6 s apart, and it takes two of them to know."""


async def say(gw: SaidGateway, *instances: str) -> None:
    """Heartbeats of these processes in turn; a process's boot is its first digit."""
    for instance in instances:
        gw.instance, gw.boot = instance, int(instance[0])
        await gw.session()


def twins(hub: Running) -> tuple[str | None, tuple[str, ...]]:
    known = hub.parts.links.known[AREA, "gw-1"].speakers
    return known.rightful, known.seconds


def named(gw: SaidGateway, hub: Running) -> list[str | None]:
    """Which processes the orders were for, in their order."""
    return [order.instance for order in gw.orders(hub.data)]


async def test_orders_name_the_one_process_there_is(broker: Broker, tmp_path: Path) -> None:
    """Before it is heard they name none: a hub that has just started leaves no household silent."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, gateway(broker, "gw-2") as other:
        await other.press("h3-panic")
        await until(lambda: gw.commands)
        before = named(gw, hub)
        await say(gw, FIRST, FIRST)
        await until(lambda: twins(hub) == (FIRST, ()))
        gw.commands.clear()
        await gw.birth()
        await until(lambda: gw.commands)
        assert (set(before), set(named(gw, hub))) == ({None}, {FIRST})


async def test_an_order_that_crosses_a_restart_reaches_the_next_process(broker: Broker, tmp_path: Path) -> None:
    """It was signed for the process before: the next one's "not for me" settles nothing, and at its birth it gets its
    own, under the same id."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, gateway(broker, "gw-2") as other:
        await say(gw, FIRST, FIRST)
        await until(lambda: twins(hub) == (FIRST, ()))
        await other.press("h3-panic")
        await until(lambda: gw.commands)
        missed: Order = gw.orders(hub.data)[0]
        gw.instance, gw.boot = SECOND, 2
        refused = Result(None, Outcome.REFUSED, "for another process")
        await gw.say(Channel.REPLY, Reply(1, SECOND, 2, missed.id, [refused], meant=FIRST))
        gw.commands.clear()
        await gw.birth()
        await until(lambda: SECOND in named(gw, hub))
        again = {order.id for order in gw.orders(hub.data) if order.instance == SECOND}
        await gw.reply(missed, *(Result(one, Outcome.DONE) for one in missed.premises))
        await until(lambda: calls(hub, missed) == {Outcome.DONE})
        assert missed.id in again
        assert await hub.counted('lianfang_refused_total{reason="for_another"}') == 1


def calls(hub: Running, order: Order) -> set[str | None]:
    """What became of an order's premises."""
    (incident,) = [one for one in hub.parts.desk.incidents() if one.rule == "panic"]
    return {incident.calls[premises].outcome for premises in order.premises}


async def test_the_second_gateway_is_refused_all_but_its_panics(broker: Broker, tmp_path: Path) -> None:
    """One fault names what to look at; births, sessions and answers of the copy change nothing; its panic is one."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, gateway(broker, "gw-2") as other:
        await say(gw, FIRST, FIRST, SECOND, FIRST, SECOND, FIRST)
        await until(hub.parts.desk.incidents)
        (fault,) = hub.parts.desk.incidents()
        assert (fault.rule, fault.priority, "two gateways under one id" in fault.why) == ("fault", 3, True)
        assert (FIRST[:8] in fault.why, SECOND[:8] in fault.why) == (True, True)
        gw.instance, gw.boot = SECOND, 2
        await gw.birth()
        await other.press("h3-panic")
        await until(lambda: gw.commands)
        order = gw.orders(hub.data)[0]
        await gw.reply(order, *(Result(one, Outcome.REFUSED, "not here") for one in order.premises))
        event = await gw.press("h1-panic")
        await gw.receipted(event.seq)
        assert set(named(gw, hub)) == {FIRST}
        assert Outcome.REFUSED not in calls(hub, order)
        async with hub.api() as client:
            (shown,) = [one for one in (await client.get("/api/v1/gateways")).json()["items"] if one["id"] == "gw-1"]
        assert (shown["rightful"], shown["seconds"], shown["instance"]) == (FIRST, [SECOND], FIRST)
        assert len(hub.parts.desk.incidents()) == 2  # the fault, and one call that both presses are of


async def test_what_was_known_of_a_copy_survives_a_restart_of_the_hub(broker: Broker, tmp_path: Path) -> None:
    """The copy speaks first after it and is refused from its first word; no fault comes twice."""
    async with gateway(broker) as gw:
        async with running(tmp_path, broker) as hub:
            await say(gw, SECOND, SECOND, FIRST, SECOND, FIRST, SECOND)
            await until(lambda: len(hub.parts.desk.incidents()) == 1)
            before = twins(hub)
        async with running(tmp_path, broker) as hub:
            await say(gw, SECOND, FIRST, SECOND, FIRST)
            await until(lambda: hub.parts.links.known[AREA, "gw-1"].session is not None)
            assert (twins(hub), len(hub.parts.desk.incidents())) == (before, 1)


async def test_a_process_with_a_lower_boot_is_heard_and_shown_in_the_end(broker: Broker, tmp_path: Path) -> None:
    """An old card put back while no clock was set: it is alive, its orders come, and nobody takes it for lost."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, gateway(broker, "gw-2") as other:
        await say(gw, THIRD, THIRD)
        gw.instance, gw.boot = FIRST, 1
        await other.press("h3-panic")
        await until(lambda: gw.commands)
        gw.commands.clear()
        await gw.birth()
        await until(lambda: FIRST in named(gw, hub))
        known = hub.parts.links.known[AREA, "gw-1"]
        known.speakers._others[FIRST].turned_ms -= 20_000  # as if it had spoken for a reporting time
        await gw.session()
        await until(lambda: known.session is not None and known.session.instance == FIRST)
        assert (twins(hub), known.birth and known.birth.instance) == ((FIRST, ()), FIRST)


@dataclass
class Machine:
    """A gateway's program on its own copy of the card, with its own buttons and sirens."""

    folder: Path
    lines: GpioChip
    child: Child | None = None

    async def start(self) -> None:
        argv = [sys.executable, "-c", PROGRAM, "edge", "run", str(self.folder / "site.toml")]
        self.child = await start("gateway", argv, self.folder / "gateway.log")
        await until(lambda: self.lines.held)

    async def stop(self) -> None:
        if self.child is not None:
            await self.child.kill()

    def rang(self, line: str) -> int:
        """How often a siren began to sound."""
        return sum(move.on for move in self.lines.transitions(line))

    def refused(self, reason: str) -> bool:
        """Whether its log tells of a message refused for this reason."""
        rows = (json.loads(row) for row in (self.folder / "gateway.log").read_text().splitlines())
        return any(row.get("reason") == reason for row in rows)


@contextlib.asynccontextmanager
async def machine(folder: Path, broker: Broker, hub: Running) -> AsyncIterator[Machine]:
    """A gateway gw-1 of the test's centre, at h1 and h2; not started."""
    public = base64.b64encode(load_key(hub.data / "hub.key").public_key().public_bytes_raw()).decode()
    text = SITE.format(port=broker.port, key="hub-1", public=public, socket="gpio")
    for old, new in (('"hengjie"', f'"{AREA}"'), ("h01", "h1"), ("h02", "h2"), ("east", "g1"), ("h09", "h3")):
        text = text.replace(old, new)
    async with GpioChip(folder / "gpio", ["press_01", "press_02"], ["siren_01", "siren_02", "lamp_01"]) as lines:
        (folder / "site.toml").write_text(text.replace('socket = "gpio"', f'socket = "{folder / "gpio"}"'))
        made = Machine(folder, lines)
        try:
            yield made
        finally:
            await made.stop()


async def test_two_machines_on_copies_of_one_card(broker: Broker, tmp_path: Path) -> None:
    """The real programs: the first is obeyed and the copy is not, restarted or not; a press at either is a call."""
    for name in ("first", "copy"):
        (tmp_path / name).mkdir()
    async with (
        running(tmp_path / "hub", broker) as hub,
        machine(tmp_path / "first", broker, hub) as first,
        machine(tmp_path / "copy", broker, hub) as copy,
        gateway(broker, "gw-2") as other,
    ):
        await first.start()
        await until(lambda: twins(hub)[0] is not None)
        rightful = twins(hub)[0]
        shutil.copytree(first.folder / "data", copy.folder / "data")
        await copy.start()
        await until(lambda: twins(hub)[1], SLOW_S)
        assert twins(hub)[0] == rightful
        await until(lambda: [one.rule for one in hub.parts.desk.incidents()] == ["fault"])

        await wish(broker, (first.folder / "site.toml").read_text(), rightful)
        await until(lambda: (first.folder / "data" / "desired.toml").exists() and copy.refused("another_instance"))
        assert not (copy.folder / "data" / "desired.toml").exists()

        await copy.lines.press("press_01")
        await first.lines.until("siren_02", True)  # by the hub's order: nobody pressed here
        await until(lambda: call(hub, "h2") == Outcome.DONE)
        await resolve(hub)
        await first.lines.until("siren_02", False)

        await first.stop()
        rung = copy.rang("siren_01")
        await other.press("h3-panic")
        await until(lambda: call(hub, "h3", of="pressed"))
        await first.start()
        await first.lines.until("siren_01", True)
        await until(lambda: call(hub, "h1") == Outcome.DONE)
        assert (copy.rang("siren_01"), rightful in twins(hub)) == (rung, True)


async def wish(broker: Broker, site: str, instance: str | None) -> None:
    """Push a configuration meant for one process."""
    text = site.replace('profile = "20s"', 'profile = "90s"')
    config = Config(VERSION, hashlib.sha256(text.encode()).hexdigest(), text, instance)
    async with Link(Endpoint(host=broker.host, port=broker.port, client_id="wish")) as link:
        await link.publish(topic(AREA, "gw-1", Channel.CONFIG), encode(config), retain=True)


def open_call(hub: Running) -> Any:
    """The call nobody has resolved yet, None where there is none."""
    found = [one for one in hub.parts.desk.incidents() if one.rule == "panic" and one.state != "resolved"]
    return found[0] if found else None


def call(hub: Running, premises: str, of: str = "calls") -> object:
    """What became of the order to a premises, or whether the call is of it."""
    incident = open_call(hub)
    if incident is None:
        return None
    if of == "pressed":
        return premises in incident.premises
    found = incident.calls.get(premises)
    return None if found is None else found.outcome


async def resolve(hub: Running) -> None:
    incident = open_call(hub)
    async with hub.api() as client:
        for move, words in (("accept", {}), ("resolve", {"disposition": "genuine"})):
            answer = await client.post(f"/api/v1/incidents/{AREA}/{incident.id}/{move}", json=words)
            assert answer.status_code == 200, answer.text
