"""The demonstration in a terminal: the scenario plays again and again, the screen follows the hub."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.live import Live

from protocol.faults import Refused
from simulators.centre import Centre
from simulators.demo.screen import Board
from simulators.demo.watch import Followed, settled, summary
from simulators.player import play
from simulators.scenario import Scenario, Step
from simulators.village import Village

LOOK_S = 0.5
REST_S = 20.0
"""Between the end of a scenario and its next playing."""


async def show(village: Village, scenario: Scenario) -> int:
    """Run until cancelled. On a terminal a screen; into a pipe a line for each thing that happens."""
    console = Console()
    console.print("starting the broker, the hub and three gateways ...")
    async with village, village.centre() as centre:
        board = Board(f"Lianfang 联防: {scenario.title}", village.url, village.token)
        if not sys.stdout.isatty():
            board.echo = console.print
            console.print(f"API {village.url}/api/v1/incidents, live stream {village.url}/api/v1/live")
            console.print(f"token {village.token}")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_follow(board, centre), name="live stream")
            tasks.create_task(_look(board, village, centre), name="gateways")
            tasks.create_task(_story(board, village, scenario), name="scenario")
            if sys.stdout.isatty():
                tasks.create_task(_draw(board, console), name="screen")
    return 0


async def _draw(board: Board, console: Console) -> None:
    with Live(board.render(), console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(board.render(), refresh=True)
            await asyncio.sleep(0.25)


async def _follow(board: Board, centre: Centre) -> None:
    """What the live stream says, for ever."""
    followed = Followed()
    rung: set[str] = set()
    async for told in centre.live():
        incident = followed.take(told, time.monotonic())
        if incident is None:
            continue
        view = followed.views[incident]
        latency_ms, committed_ms = followed.opened[incident]
        if incident not in board.incidents:
            board.tell(committed_ms, f"P{int(view['priority'])} {view['rule']}: {view['why']}")
        board.incidents[incident] = view
        board.latencies[incident] = latency_ms
        called = summary(view, latency_ms, committed_ms)["called"]
        if view.get("calls") and settled(view) and incident not in rung:
            rung.add(incident)
            board.tell(int(time.time() * 1000), f"{len(called)} neighbours ring: {', '.join(called)}")


async def _look(board: Board, village: Village, centre: Centre) -> None:
    """Gateways and rates, twice a second."""
    async with httpx.AsyncClient(trust_env=False) as client:
        before: tuple[float, float, float] | None = None
        while True:
            with suppress(OSError, httpx.TransportError):
                board.gateways, board.zones = await centre.gateways(), await centre.zones()
                text = (await client.get(f"{village.url}/metrics")).text
                now = (
                    time.monotonic(),
                    _sum(text, "lianfang_records_committed"),
                    _sum(text, "lianfang_telemetry_points"),
                )
                if before is not None:
                    span_s = now[0] - before[0]
                    board.alarms_per_s = (now[1] - before[1]) / span_s
                    board.readings_per_s = (now[2] - before[2]) / span_s
                before = now
            await asyncio.sleep(LOOK_S)


def _sum(text: str, name: str) -> float:
    """A counter over all its labels."""
    families = text_string_to_metric_families(text)
    return sum(sample.value for family in families for sample in family.samples if sample.name == f"{name}_total")


async def _story(board: Board, village: Village, scenario: Scenario) -> None:
    """Play the scenario, rest, and play it again."""

    def told(step: Step) -> None:
        board.tell(int(time.time() * 1000), f"· {step.told()}")

    while True:
        try:
            await play(village, scenario, told)
        except* Refused as refused:
            for trouble in refused.exceptions:
                board.tell(int(time.time() * 1000), str(trouble))
        board.tell(int(time.time() * 1000), f"the scenario is over; it plays again in {REST_S:.0f} s")
        await asyncio.sleep(REST_S)
        await village.mend()
