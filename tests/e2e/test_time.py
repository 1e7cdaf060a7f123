"""Clocks that lie and lines that flap, at a real gateway's way up and a real hub: age decides, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge.clock import Clock
from edge.core.entries import Limits
from hub.core.incident import Incident
from hub.core.rules.windows import span
from protocol.kinds import Kind, Priority, Qualifier
from simulators.broker import Broker
from simulators.proxy import Line, Proxy
from tests.e2e.uplinking import Side
from tests.support.centre import Running, running
from tests.support.wait import until

S, MIN, H = 1_000, 60_000, 3_600_000
HOME = "h1-panic"
MADE_MS = 1_700_000_000_000
"""When the software was made, as far as these tests go: this file may be of just now."""
LANE = Limits(records_max=20_000, bytes_max=16_000_000, silence_ms=2_000, backoff_ms=200, backoff_max_ms=1_000)


@dataclass
class Hands:
    """A machine's clocks: they run, and can be moved. `wall_ms` None says 1970 since its start."""

    passed_ms: int = 0
    wall_off_ms: int = 0
    is_1970: bool = False

    def mono_ns(self) -> int:
        return time.monotonic_ns() + self.passed_ms * 1_000_000

    def mono_ms(self) -> int:
        return self.mono_ns() // 1_000_000

    def wall_ns(self) -> int:
        off_ms = self.passed_ms + self.wall_off_ms
        return self.mono_ns() if self.is_1970 else time.time_ns() + off_ms * 1_000_000

    def clock(self, floor_ms: int = 0) -> Clock:
        return Clock(floor_ms, mono_ns=self.mono_ns, wall_ns=self.wall_ns, error_ms=lambda: None, made_ms=MADE_MS)


def side(port: int, hands: Hands, folder: Path | None = None, floor_ms: int = 0, **more: Any) -> Side:
    place: dict[str, Any] = {"area": "town", "gateway": "gw-1", "limits": LANE}
    return Side("127.0.0.1", port, {}, folder, clock=hands.clock(floor_ms), **place, **more)


@contextlib.asynccontextmanager
async def connected(one: Side) -> AsyncIterator[Side]:
    task = asyncio.create_task(one.connections.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def panics(hub: Running) -> list[Incident]:
    """Panic incidents, the oldest event first."""
    return sorted((one for one in hub.parts.desk.incidents() if one.rule == "panic"), key=lambda one: one.event_ms)


async def test_a_press_held_by_a_flapping_line_pages_as_late_by_as_much(broker: Broker, tmp_path: Path) -> None:
    """20 s down, 20 s of a line that takes everything and brings nothing, then up: late by just that, in words too."""
    hands = Hands(is_1970=True)
    async with running(tmp_path, broker) as hub, Proxy(broker.host, broker.port) as proxy:
        one = await side(proxy.port, hands).open()
        async with connected(one):
            await until(lambda: one.uplink.down_since_ns is None)
            proxy.line.refuse = True
            proxy.cut()
            await until(lambda: one.uplink.down_since_ns is not None)
            pressed_ms = hands.mono_ms()
            one.press(zone=HOME)
            hands.passed_ms += 20 * S
            proxy.line.swallow, proxy.line.refuse = True, False
            accepted = proxy.accepted
            await until(lambda: proxy.accepted > accepted)
            hands.passed_ms += 20 * S
            opened_ms = hands.mono_ms()
            proxy.line.swallow = False
            proxy.cut()
            await until(lambda: one.receipted == [1])
            (incident,) = panics(hub)
            assert incident.late_ms is not None
            assert opened_ms - pressed_ms <= incident.late_ms <= hands.mono_ms() - pressed_ms
            assert f"h1 pressed the panic button (late by {span(incident.late_ms)})" in [
                line.why for line in incident.history if line.what == "paged"
            ]
        await one.close()


async def test_a_live_press_of_a_gateway_in_1970_is_live(broker: Broker, tmp_path: Path) -> None:
    """It pages without a word of lateness, calls the neighbours, and stands where it happened."""
    hands = Hands(is_1970=True)
    async with running(tmp_path, broker) as hub:
        one = await side(broker.port, hands).open()
        async with connected(one):
            await until(lambda: one.uplink.down_since_ns is None)
            before_ms = hub.parts.clock.now_ms()
            one.press(zone=HOME)
            await until(lambda: one.receipted == [1])
            (incident,) = panics(hub)
            assert {"h2", "h3", "works"} == set(incident.calls)
            assert before_ms - 1 <= incident.event_ms <= hub.parts.clock.now_ms()
            assert ["h1 pressed the panic button"] == [line.why for line in incident.history if line.what == "raised"]
        await one.close()


async def test_a_clock_stepped_by_hours_while_records_wait_changes_neither_order_nor_number(
    broker: Broker, tmp_path: Path
) -> None:
    """Forwards by five hours, back by seven: three presses ten minutes apart stand ten minutes apart, each once."""
    hands = Hands()
    async with running(tmp_path, broker) as hub:
        one = await side(broker.port, hands).open()
        made_ms = []
        for step_ms in (0, 5 * H, -7 * H):
            hands.wall_off_ms += step_ms
            made_ms.append(hands.mono_ms())
            one.press(zone=HOME)
            hands.passed_ms += 11 * MIN
        async with connected(one):
            await until(lambda: len(one.receipted) == 3)
            found = panics(hub)
            assert [["key-1"], ["key-2"], ["key-3"]] == [incident.keys for incident in found]
            apart = [b.event_ms - a.event_ms for a, b in pairwise(found)]
            stated = max(incident.error_ms or 0 for incident in found)
            assert all(abs(ms - (b - a)) <= stated for ms, (a, b) in zip(apart, pairwise(made_ms), strict=True))
            assert [33, 22, 11] == [(incident.late_ms or 0) // MIN for incident in found]
        await one.close()


async def test_two_kernel_boots_without_a_clock_keep_their_order_and_say_that_no_time_is_sure(
    broker: Broker, tmp_path: Path
) -> None:
    """Presses of both, and a live one of a third, from one card: three incidents in their order, none of them twice."""
    floor_ms = int(time.time() * 1000) - 10 * MIN
    card = tmp_path / "card"
    for number, kboot in enumerate(("a", "b"), 1):
        hands = Hands(is_1970=True)
        instance = {"instance": str(number) * 32, "boot": number, "kboot": kboot * 32}
        dark = await side(broker.port, hands, card, floor_ms, **instance).open()
        hands.passed_ms += MIN
        dark.press(zone=HOME)
        await until(lambda: dark.stored == [1])  # noqa: B023
        floor_ms = dark.clock.past_ms()
        await dark.close()
    async with running(tmp_path, broker) as hub:
        last = await side(broker.port, Hands(), card, floor_ms, instance="3" * 32, boot=3, kboot="c" * 32).open()
        async with connected(last):
            last.press(zone=HOME)
            await until(lambda: not len(last.alarm.delivery))
            found = panics(hub)
            marks = [line for one in found for line in one.history if line.what == "panic"]
            assert 3 == len(marks)
            unsure = [one for one in found if one.error_ms is None]
            assert unsure
            assert all("no sure clock" in one.placed and one.not_after_ms is not None for one in unsure)
            times = [mark.event_ms or 0 for mark in sorted(marks, key=lambda line: line.event_ms or 0)]
            assert times[0] < times[1] < times[2]
            assert times[1] - times[0] >= MIN - S  # each boot began after all that the one before knew to be past
        await last.close()


async def test_a_gateway_whose_card_was_lost_without_a_clock_is_not_taken_for_one_that_is_over(
    broker: Broker, tmp_path: Path
) -> None:
    """Its boot number begins below one the hub knows: the hub says so, and its heartbeats count from then on."""
    async with running(tmp_path, broker) as hub:
        before = await side(broker.port, Hands(), boot=100, instance="1" * 32).open()
        async with connected(before):
            before.press(zone=HOME)
            await until(lambda: before.receipted == [1])
        await before.close()
        after = await side(broker.port, Hands(), boot=7, instance="2" * 32).open()
        known = hub.parts.links.known["town", "gw-1"]
        async with connected(after):
            await until(lambda: known.session is not None and (known.session.boot, known.session.online) == (101, True))
            await until(lambda: known.birth is not None and known.birth.instance == "2" * 32)
            after.press(zone=HOME)
            await until(lambda: after.receipted == [1])
            (incident,) = panics(hub)
            assert 2 == incident.presses
        await after.close()


async def test_six_hours_of_backlog_neither_delay_a_live_press_nor_clear_anything(
    broker: Broker, tmp_path: Path
) -> None:
    """Pressed in the middle of it over a narrow line, it is committed and paged while most of the backlog waits."""
    hands = Hands()
    line = Line(bytes_per_s=40_000)
    async with running(tmp_path, broker) as hub, Proxy(broker.host, broker.port, line) as proxy:
        one = await side(proxy.port, hands).open()
        for at in range(1_500):
            if at % 3 == 0:
                one.press(Priority.P4, Kind.PANIC, HOME, Qualifier.RESTORE)
            else:
                one.press(Priority.P2 if at % 3 == 1 else Priority.P4, Kind.INTRUSION, "h2-door")
        hands.passed_ms += 6 * H
        async with connected(one):
            await until(lambda: len(one.receipted) >= 20, 60)
            live = one.press(zone=HOME)
            await until(lambda: live in one.receipted, 60)
            waiting = len(one.alarm.delivery)
            (incident,) = panics(hub)
            assert (True, ["key-1501"]) == (waiting > 500, incident.keys)
            assert "paged" in [happening.what for happening in incident.history]
            line.bytes_per_s = None
            await until(lambda: not len(one.alarm.delivery), 60)
            (after,) = panics(hub)
            assert (incident.event_ms, incident.conditions) == (after.event_ms, after.conditions)
            (zone,) = [zone for zone in hub.parts.desk.zones("town") if zone.id == HOME]
            assert [Kind.PANIC] == zone.live
        await one.close()
