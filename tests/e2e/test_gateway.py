"""The gateway's own program as a process: GPIO lines in, sirens and records out, over a real Mosquitto."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.codec import encode
from protocol.kinds import Kind
from protocol.messages import VERSION, Action, Config, Order, Outcome
from protocol.records import Lane
from protocol.topics import Channel
from simulators.broker import Broker
from simulators.children import Child, start
from simulators.gpio import GpioChip
from tests.support.hub import KEY, ReceiptingHub
from tests.support.wait import until

PROGRAM = "from lianfang import main; main()"
AREA, GATEWAY = "hengjie", "gw-1"
SITE = """
[gateway]
id = "gw-1"
area = "hengjie"
profile = "20s"
data_dir = "data"
[mqtt]
host = "127.0.0.1"
port = {port}
[hub_keys]
{key} = "{public}"
[[bus]]
id = "buttons"
driver = "gpio_sim"
socket = "{socket}"
alive_ms = 200
[bus.lines]
press_01 = {{ offset = 1 }}
press_02 = {{ offset = 2 }}
siren_01 = {{ offset = 3, direction = "out" }}
siren_02 = {{ offset = 4, direction = "out" }}
lamp_01 = {{ offset = 5, direction = "out" }}
[[premises]]
id = "h01"
kind = "household"
groups = ["east"]
[[premises]]
id = "h02"
kind = "household"
groups = ["east"]
[[group]]
id = "east"
members = ["h01", "h02", "h09"]
[[zone]]
id = "h01-panic"
premises = "h01"
kind = "panic"
source = "buttons/press_01"
active = true
[[zone]]
id = "h02-panic"
premises = "h02"
kind = "panic"
source = "buttons/press_02"
active = true
[[output]]
id = "h01-siren"
premises = "h01"
role = "siren"
target = "buttons/siren_01"
[[output]]
id = "h02-siren"
premises = "h02"
role = "siren"
target = "buttons/siren_02"
[[output]]
id = "h01-lamp"
premises = "h01"
role = "lamp"
target = "buttons/lamp_01"
zone = "h01-panic"
"""


@dataclass
class Village:
    """A hub, the lines, and the gateway's process."""

    hub: ReceiptingHub
    lines: GpioChip
    folder: Path
    child: Child | None = None
    wrap: tuple[str, ...] = ()

    async def start(self) -> Child:
        """Start the program and wait until it holds the lines and was born at the hub."""
        births = len(self.hub.births)
        argv = [*self.wrap, sys.executable, "-c", PROGRAM]
        site = str(self.folder / "site.toml")
        self.child = await start("gateway", [*argv, "edge", "run", site], self.folder / "gateway.log")
        await until(lambda: self.check().lines.held and len(self.hub.births) > births)
        return self.child

    def check(self) -> Village:
        """Fail with the end of the program's log if it is gone."""
        if self.child is not None:
            self.child.check()
        return self

    def kinds(self) -> list[Kind]:
        """Kinds of the alarm records that arrived, but for the clock's."""
        return [event.kind for event in self.hub.events.values() if event.kind is not Kind.CLOCK]

    def order(self, name: str, action: Action = Action.SIREN, life_ms: int = 60_000) -> Order:
        """An order for household h02, in hub time."""
        made = (name, AREA, GATEWAY, action, self.hub.hub_ms, self.hub.hub_ms + life_ms)
        return Order(*made, premises=["h02"], incident="i1", keys=["k1"], kind=Kind.PANIC, duration_ms=60_000)

    async def replied(self, count: int) -> list[tuple[str, Outcome, str]]:
        """The first `count` results replied: order, outcome, reason."""
        await until(lambda: len(self.hub.replies) >= count)
        return [(reply.order, one.outcome, one.reason) for reply in self.hub.replies for one in reply.results]


@contextlib.asynccontextmanager
async def village(broker: Broker, folder: Path) -> AsyncIterator[Village]:
    async with (
        ReceiptingHub(broker.host, broker.port) as hub,
        GpioChip(folder / "gpio", ["press_01", "press_02"], ["siren_01", "siren_02", "lamp_01"]) as lines,
    ):
        public = base64.b64encode(hub.private.public_key().public_bytes_raw()).decode()
        (folder / "site.toml").write_text(SITE.format(port=broker.port, key=KEY, public=public, socket=folder / "gpio"))
        made = Village(hub, lines, folder)
        try:
            await made.start()
            yield made
        finally:
            if made.child is not None:
                await made.child.stop()


async def test_press_rings_the_group_and_reaches_the_hub(broker: Broker, tmp_path: Path) -> None:
    """One press sounds both sirens of the group here, and is one panic record at the hub."""
    async with village(broker, tmp_path) as here:
        await here.lines.press("press_01")
        await here.lines.until("siren_02", True)
        await until(lambda: Kind.PANIC in here.kinds())
        panic = next(event for event in here.hub.events.values() if event.kind is Kind.PANIC)
        assert (panic.premises, panic.zone, panic.priority) == ("h01", "h01-panic", 1)


async def test_group_rings_with_the_broker_dead_and_the_record_comes_later(broker: Broker, tmp_path: Path) -> None:
    """No WAN: the siren sounds all the same; with the broker back the one record arrives."""
    async with village(broker, tmp_path) as here:
        await broker.kill()
        await here.lines.press("press_01")
        await here.lines.until("siren_02", True)
        await broker.restart()
        await until(lambda: Kind.PANIC in here.kinds(), 40)
        assert here.kinds().count(Kind.PANIC) == 1


async def test_killed_gateway_keeps_its_press(broker: Broker, tmp_path: Path) -> None:
    """A press stored before kill -9, never receipted, is sent by the next process under its own instance."""
    async with village(broker, tmp_path) as here:
        here.hub.receipting = False
        await here.lines.press("press_01")
        await here.lines.until("lamp_01", True)
        await until(lambda: Kind.PANIC in here.kinds())
        assert here.child is not None
        await here.child.kill()
        before = dict(here.hub.sends)
        await here.start()
        key = next((i, Lane.ALARM, s) for (i, s), event in here.hub.events.items() if event.kind is Kind.PANIC)
        await until(lambda: here.hub.sends[key] > before[key])
        assert (len({birth.instance for birth in here.hub.births}), here.hub.conflicts) == (2, 0)
        assert here.hub.births[-1].boot > here.hub.births[0].boot


async def test_order_sounds_the_siren_once_and_repeats_do_not(broker: Broker, tmp_path: Path) -> None:
    """A signed order sounds the siren; the same order again is answered, and switches nothing."""
    async with village(broker, tmp_path) as here:
        await until(lambda: here.hub.seqs(Lane.TELEMETRY))
        await here.hub.command(here.order("o1"))
        await here.lines.until("siren_02", True)
        await here.hub.command(here.order("o1"))
        said = await here.replied(2)
        switched = [move.on for move in here.lines.transitions("siren_02")]
        assert ([outcome for _, outcome, _ in said[:1]], switched.count(True)) == ([Outcome.DONE], 1)


async def test_forged_and_expired_orders_do_nothing_and_say_why(broker: Broker, tmp_path: Path) -> None:
    """Neither another's signature nor an order out of its time moves a siren."""
    async with village(broker, tmp_path) as here:
        await until(lambda: here.hub.seqs(Lane.TELEMETRY))  # the receipt tells the hub's time
        await here.hub.command(here.order("forged"), Ed25519PrivateKey.generate())
        await here.hub.command(here.order("late", life_ms=-1))
        said = {name: (outcome, reason) for name, outcome, reason in await here.replied(2)}
        assert {name: outcome for name, (outcome, _) in said.items()} == dict.fromkeys(
            ("forged", "late"), Outcome.REFUSED
        )
        assert said["forged"][1].startswith("forged")
        assert "expired" in said["late"][1]
        assert not any(move.on for move in here.lines.transitions("siren_02"))


async def test_sigterm_ends_it_silent_and_said(broker: Broker, tmp_path: Path) -> None:
    """SIGTERM switches sirens off, tells the hub offline, and the program ends by itself with 0."""
    async with village(broker, tmp_path) as here:
        await here.lines.press("press_01")
        await here.lines.until("siren_02", True)
        assert here.child is not None
        here.child.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            code = await here.child.process.wait()
        await until(lambda: not here.hub.sessions[-1].online)
        assert (code, here.lines.get("siren_02")) == (0, False)


async def test_sigterm_before_its_disk_is_open_ends_it_quietly(broker: Broker, tmp_path: Path) -> None:
    """Another program holds the outbox, so the gateway is still beginning: it ends by 0 and logs no error."""
    async with village(broker, tmp_path) as here:
        assert here.child is not None
        await here.child.stop()
        log = tmp_path / "gateway.log"
        log.write_text("")
        holder = sqlite3.connect(tmp_path / "data" / "alarm.db", isolation_level=None)
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        argv = [sys.executable, "-c", PROGRAM, "edge", "run", str(tmp_path / "site.toml")]
        child = await start("gateway", argv, log)
        await until(lambda: catches_sigterm(child.process.pid))
        child.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            code = await child.process.wait()
        holder.close()
        assert (code, [line for line in log.read_text().splitlines() if "rror" in line]) == (0, [])


def catches_sigterm(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGTERM."""
    rows = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(rows["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1)


async def test_second_gateway_on_one_data_folder_is_refused(broker: Broker, tmp_path: Path) -> None:
    """It says why and ends by 2; the first goes on, and one killed leaves the folder to the next."""
    async with village(broker, tmp_path) as here:
        argv = [sys.executable, "-c", PROGRAM, "edge", "run", str(tmp_path / "site.toml")]
        second = await start("second", argv, tmp_path / "second.log")
        code = await second.process.wait()
        assert (code, "another gateway runs on" in second.tail()) == (2, True)
        assert here.child is not None
        await here.child.kill()
        await here.start()


async def test_memory_that_nobody_can_read_is_told_and_left(broker: Broker, tmp_path: Path) -> None:
    """A newer program's memory: the gateway begins without it, says so to the hub, and rings as ever."""
    async with village(broker, tmp_path) as here:
        assert here.child is not None
        await here.child.stop()
        with sqlite3.connect(tmp_path / "data" / "alarm.db") as db:
            db.execute("UPDATE value SET data = ? WHERE name = 'memory'", (b'{"modes":{"h01":"armed_sideways"}}',))
        db.close()
        await here.start()
        await until(lambda: Kind.GATEWAY_FAULT in here.kinds())
        await here.lines.press("press_01")
        await here.lines.until("siren_02", True)


async def test_wish_of_the_hub_is_used_after_a_restart(broker: Broker, tmp_path: Path) -> None:
    """A good configuration is stored and runs from the next start; one that moves the broker is refused by name."""
    async with village(broker, tmp_path) as here:
        text = (tmp_path / "site.toml").read_text()
        wish = text.replace('profile = "20s"', 'profile = "90s"')
        astray = text.replace("127.0.0.1", "127.0.0.2")
        for count, one in enumerate((astray, wish), start=1):
            digest = hashlib.sha256(one.encode()).hexdigest()
            await here.hub.send(AREA, GATEWAY, Channel.CONFIG, encode(Config(VERSION, digest, one)))
            await until(lambda: len(here.hub.replies) == count)  # noqa: B023
        assert [[fault.key for fault in reply.faults] for reply in here.hub.replies] == [["mqtt"], []]
        assert here.child is not None
        await here.child.stop()
        await here.start()
        assert here.hub.births[-1].config == hashlib.sha256(wish.encode()).hexdigest()


async def test_its_logs_are_json_lines(broker: Broker, tmp_path: Path) -> None:
    """Every line it logs is an object with level, time and event."""
    async with village(broker, tmp_path) as here:
        assert here.child is not None
        await here.child.stop()
        lines = [json.loads(line) for line in (tmp_path / "gateway.log").read_text().splitlines()]
        assert all({"level", "timestamp", "event"} <= line.keys() for line in lines)


async def test_check_prints_every_fault_and_exits_2(tmp_path: Path) -> None:
    """Three faults, three lines, nothing started."""
    text = SITE.format(port=0, key=KEY, public="AAAA", socket="gpio").replace('kind = "panic"', 'kind = "panik"', 1)
    (tmp_path / "site.toml").write_text(text)
    argv = [sys.executable, "-c", PROGRAM, "edge", "check", str(tmp_path / "site.toml")]
    child = await start("check", argv, tmp_path / "check.log")
    code = await child.process.wait()
    said = (tmp_path / "check.log").read_text()
    assert code == 2
    assert all(key in said for key in ("mqtt.port", f"hub_keys.{KEY}", "zone[0].kind"))


async def test_walk_shows_what_moves_and_names_what_did_not(broker: Broker, tmp_path: Path) -> None:
    """One button pressed of two: the other is not proved. Nothing rings, nothing is sent; not beside the gateway."""
    async with village(broker, tmp_path) as here:
        argv = [sys.executable, "-c", PROGRAM, "edge", "walk", str(tmp_path / "site.toml")]
        beside = await start("beside", argv, tmp_path / "beside.log")
        assert (await beside.process.wait(), "stop it first" in beside.tail()) == (2, True)
        assert here.child is not None
        await here.child.stop()
        arrived = len(here.hub.arrived)
        walk = await start("walk", argv, tmp_path / "walk.log")
        await until(lambda: here.lines.held and walk.tail().count("normal") == 2)
        await here.lines.press("press_01")
        await until(lambda: "alarm" in walk.tail())
        walk.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            code = await walk.process.wait()
        assert (code, "NOT PROVED  h02-panic: never alarm" in walk.tail()) == (1, True)
        assert "1 of 2 zones proved" in walk.tail()
        assert (len(here.hub.arrived), here.lines.get("siren_02")) == (arrived, False)
