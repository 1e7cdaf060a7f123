"""The people: who presses, and holds the button until its lamp says stored, and who resolves it at the centre."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

from simulators.centre import Centre, CentreError
from simulators.chaos.estate import House
from simulators.chaos.ledger import Press
from simulators.gpio import GpioChip

NS_PER_S = 1_000_000_000
LOOK_S = 0.05
STORED_S = 0.36
"""A lamp lit so long says stored or more: it changes every 125 ms until then, and every 500 ms or never after."""
DARK_S = 1.2
"""A lamp dark so long is dark: the longest gap in a pattern is 550 ms."""
HOLD_S_MAX = 180.0
OVER_S_MAX = 420.0
"""A call that is not over by then keeps its button from being pressed again."""
SHORT_S = (0.08, 0.4)
SHORT_SHARE = 0.05
ALONE_S = 4.0
"""A gateway that was there so long after a short press without lighting its lamp did not see it."""
REST_S = 30.0
"""Such a button rests: should a record of it be on its way after all, it must not meet the next press."""
MOVES_MAX = 6


class Button:
    """One button with its lamp and the person who presses it."""

    def __init__(self, house: House, chip: GpioChip) -> None:
        self.house = house
        self.held = False
        self.busy = False
        self.stuck = False
        self.over = asyncio.Event()
        self._chip = chip
        self._presses = 0

    async def press(self, rng: Random, lived: Callable[[str, int, int], bool], done: Callable[[Press], None]) -> None:
        """One call for help, from the closing of the contact until the call is over. `done` hears of it at its end.

        `lived(gateway, from_ns, to_ns)`: whether the gateway's process was there all that time.
        """
        self.busy, self._presses = True, self._presses + 1
        short_s = rng.uniform(*SHORT_S) if rng.random() < SHORT_SHARE else None
        self.over.clear()
        wall_ms, pressed_ns = time.time_ns() // 1_000_000, time.monotonic_ns()
        self._close(True)
        if short_s is not None:
            await asyncio.sleep(short_s)
            self._close(False)
            released_ns = time.monotonic_ns()
            told = await self._told(ALONE_S)
        else:
            told = await self._told(HOLD_S_MAX, held=True)
            self._close(False)
            released_ns = time.monotonic_ns()
        here = lived(self.house.gateway, pressed_ns, time.monotonic_ns())
        house = self.house
        done(Press(house.zone, house.gateway, self._presses, pressed_ns, released_ns, wall_ms, told, here))
        if told:
            self.stuck = not await self._ended()
        else:
            await asyncio.sleep(REST_S)
        self.busy = self.stuck

    def _close(self, closed: bool) -> None:
        self.held = closed
        self._chip.set(self.house.line, closed)

    def _steady_s(self, on: bool) -> float:
        """How long the lamp has been on (or dark) in one piece with a gateway there, s."""
        if not self._chip.held or self._chip.get(self.house.lamp) is not on:
            return 0.0
        since_ns = self._chip.switched_ns(self.house.lamp)
        return (time.monotonic_ns() - (since_ns or 0)) / NS_PER_S

    async def _told(self, limit_s: float, *, held: bool = False) -> bool:
        """Wait for the lamp to say stored. The limit runs only while a gateway is there, unless `held`."""
        left_s, lit = limit_s, 0
        while left_s > 0 and lit < 2:  # seen twice, should this very process have been away in between
            await asyncio.sleep(LOOK_S)
            lit = lit + 1 if self._steady_s(True) >= STORED_S else 0
            left_s -= LOOK_S if held or self._chip.held else 0.0
        return lit >= 2

    async def _ended(self) -> bool:
        """Wait until the centre has resolved it and the lamp is dark; False when that takes too long."""
        try:
            async with asyncio.timeout(OVER_S_MAX):
                await self.over.wait()
                dark_s = 0.0
                while dark_s < DARK_S:
                    await asyncio.sleep(LOOK_S)
                    dark_s = dark_s + LOOK_S if self._steady_s(False) > 0 else 0.0
        except TimeoutError:
            return False
        return True


class Crowd:
    """Everybody with a button; presses come at random, about `rate_s` a second while there are idle buttons."""

    def __init__(self, buttons: Iterable[Button], rng: Random, rate_s: float) -> None:
        self.buttons: Mapping[str, Button] = {button.house.id: button for button in buttons}
        self.presses: list[Press] = []
        self._rng = rng
        self._rate_s = rate_s

    async def run(self, until_s: float, lived: Callable[[str, int, int], bool]) -> None:
        """Press until `until_s` of the loop's clock, then wait for every call to end."""
        clock = asyncio.get_running_loop().time
        due_s = clock()
        async with asyncio.TaskGroup() as calls:
            while (due_s := max(due_s, clock() - 1.0) + self._rng.expovariate(self._rate_s)) < until_s:
                await asyncio.sleep(max(0.0, due_s - clock()))
                if idle := [button for button in self.buttons.values() if not button.busy]:
                    chosen = self._rng.choice(idle)
                    chosen.busy = True
                    calls.create_task(chosen.press(self._rng, lived, self.presses.append))

    @property
    def stuck(self) -> list[str]:
        """Houses whose call did not end."""
        return [house for house, button in self.buttons.items() if button.stuck]


class Desk:
    """The centre's operator: accepts and resolves every panic incident whose button is let go of."""

    def __init__(self, crowd: Crowd) -> None:
        self.open = -1
        """Unresolved panic incidents as last seen; -1 before the first look."""
        self._crowd = crowd
        self._waiting: dict[str, str] = {}

    async def run(self, centre: Centre) -> None:
        """Work until cancelled; a hub that is not there is asked again."""
        while True:
            try:
                found = await centre.incidents(rule="panic", unresolved="true", limit="500")
            except (OSError, CentreError):
                self.open = -1
            else:
                await self._work(centre, found)
            await asyncio.sleep(0.3)

    async def _work(self, centre: Centre, found: list[dict[str, Any]]) -> None:
        self.open = len(found)
        now = {incident["id"]: str(incident["premises"][0]) for incident in found}
        for incident, house in self._waiting.items():
            if incident not in now:  # it was resolved, and the answer was lost
                self._crowd.buttons[house].over.set()
        self._waiting = now
        turns = asyncio.Semaphore(MOVES_MAX)
        ready = [incident for incident in found if not self._crowd.buttons[now[incident["id"]]].held]
        await asyncio.gather(*(self._resolve(centre, incident, turns) for incident in ready))

    async def _resolve(self, centre: Centre, incident: dict[str, Any], turns: asyncio.Semaphore) -> None:
        async with turns:
            try:
                if incident["state"] == "reported":
                    await centre.move(incident, "accept", {})
                await centre.move(incident, "resolve", {"disposition": "genuine"})
            except (OSError, CentreError):
                return  # the next look shows how far it came
        self._waiting.pop(incident["id"], None)
        self._crowd.buttons[str(incident["premises"][0])].over.set()
