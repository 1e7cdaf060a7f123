"""Plays a scenario on a village: each step at its time, on the wires, the processes, or at the centre."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from protocol.faults import Fault, Refused, shown
from simulators.scenario import VIRTUAL, DrillAct, OperatorMove, Scenario, Step
from simulators.scenes.places import BROKER, HUB
from simulators.village import Village
from simulators.world.village import AREA


async def play(village: Village, scenario: Scenario, told: Callable[[Step], None]) -> None:
    """Play every step; `told` hears each as it happens. Raises Refused for a step the village cannot do, and at once
    for what only virtual time can."""
    if virtual := sorted({step.verb for step in scenario.step} & VIRTUAL):
        allowed = "a scenario without; `lianfang simulate scenarios` plays it in virtual time"
        raise Refused([Fault(scenario.name, "step", ", ".join(virtual), allowed)])
    clock = asyncio.get_running_loop().time
    began_s = clock()
    async with asyncio.TaskGroup() as releases:
        for step in scenario.step:
            await asyncio.sleep(max(0.0, began_s + step.at_s - clock()))
            told(step)
            await _act(village, step, releases)


async def _act(village: Village, step: Step, releases: asyncio.TaskGroup) -> None:
    if step.trip is not None:
        village.plant(step.trip).trip(step.trip)
    elif step.restore is not None:
        village.plant(step.restore).restore(step.restore)
    elif step.tamper is not None:
        village.plant(step.tamper).tamper(step.tamper)
    elif step.press is not None:
        village.plant(step.press).trip(step.press)
        releases.create_task(_release(village, step.press, step.hold_s), name=f"release {step.press}")
    elif step.flap is not None:
        releases.create_task(_flap(village, step, step.flap), name=f"flap {step.flap}")
    elif step.silence is not None:
        gateway, device = _of_gateway(village, "silence", step.silence)
        village.plants[gateway].silence(device)
    elif step.heal is not None:
        gateway, device = _of_gateway(village, "heal", step.heal)
        village.plants[gateway].heal(device)
    elif step.value is not None:
        gateway, source = _of_gateway(village, "value.point", step.value.point)
        village.plants[gateway].set(source, step.value.to)
    elif step.kill is not None:
        await _kill(village, step.kill)
    elif step.start is not None:
        await _start(village, step.start)
    elif step.move is not None:
        await _move(village, step.move)
    elif step.drill is not None:
        await _drill(village, step.drill)


async def _release(village: Village, zone: str, hold_s: float) -> None:
    await asyncio.sleep(hold_s)
    village.plant(zone).restore(zone)


async def _flap(village: Village, step: Step, zone: str) -> None:
    for _ in range(step.times):
        village.plant(zone).trip(zone)
        await asyncio.sleep(step.every_s / 2)
        village.plant(zone).restore(zone)
        await asyncio.sleep(step.every_s / 2)


async def _kill(village: Village, process: str) -> None:
    if process == BROKER:
        await village.broker.kill()
    elif process != HUB:
        await village.gateways[_gateway(village, "kill", process)].kill()
    elif village.hub is not None:
        await village.hub.kill()


async def _start(village: Village, process: str) -> None:
    if process == BROKER:
        await village.broker.restart()
    elif process != HUB:
        await village.start_gateway(_gateway(village, "start", process))
    else:
        await village.start_hub()


async def _move(village: Village, move: OperatorMove) -> None:
    """Somebody at the centre acts on the newest incident of a rule; one that is not there is left alone, and told."""
    async with village.centre(move.by) as centre:
        of = [incident for incident in await centre.incidents() if incident["rule"] == move.rule]
        found = [incident for incident in of if move.premises in (None, *incident["premises"])]
        if not found:
            raise Refused([Fault("scenario", "move.rule", shown(move.rule), "a rule with an incident by then")])
        newest = max(found, key=lambda incident: int(incident["raised_ms"]))
        given = move.model_dump(exclude={"rule", "move", "by", "premises", "refused"}, exclude_none=True)
        await centre.move(newest, move.move, given)


async def _drill(village: Village, asked: DrillAct) -> None:
    """A supervisor plans a drill, or moves the one that was planned last."""
    async with village.centre("supervisor") as centre:
        if asked.do == "plan":
            at_ms = None if asked.in_s is None else time.time_ns() // 1_000_000 + int(asked.in_s * 1000)
            given = asked.model_dump(include={"kind", "premises", "groups", "lasts_s"})
            await centre.plan(AREA, {**given, "at_ms": at_ms, "why": "a scenario"})
        else:
            newest = (await centre.drills(AREA))[0]
            await centre.drill(AREA, newest["id"], asked.do, "a scenario")


def _gateway(village: Village, key: str, gateway: str) -> str:
    if gateway not in village.plants:
        raise Refused([Fault("scenario", key, shown(gateway), f"one of {', '.join(village.plants)}")])
    return gateway


def _of_gateway(village: Village, key: str, text: str) -> tuple[str, str]:
    gateway, slash, rest = text.partition("/")
    if not slash:
        raise Refused([Fault("scenario", key, shown(text), "gateway/device")])
    return _gateway(village, key, gateway), rest
