"""What both servers share: units by number, and requests answered side by side, so a slow unit holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from simulators.modbus.bell import LIMIT_S, Bell
from simulators.modbus.faults import Wrong
from simulators.modbus.frames import Asked, Framing
from simulators.modbus.unit import SimUnit


class Units:
    """The units of one server. A request for a unit that is not there is not answered."""

    def __init__(self, units: Iterable[SimUnit], framing: Framing) -> None:
        self.by_number = {unit.unit: unit for unit in units}
        self.requests = 0
        self._framing = framing
        self._tasks: set[asyncio.Task[None]] = set()
        self.bell = Bell()

    def receive(self, data: bytes, send: Callable[[bytes], None]) -> bytes:
        """Start answering the complete requests in `data`; gives back the rest."""
        found, rest = self._framing.split(data)
        for asked in found:
            self.requests += 1
            self.bell.ring()
            if unit := self.by_number.get(asked.unit):
                task = asyncio.create_task(self._answer(unit, asked, send))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return rest

    async def asked(self, times: int, limit_s: float = LIMIT_S) -> None:
        """Wait until so many more requests came to the server."""
        goal = self.requests + times
        await self.bell.until(lambda: self.requests >= goal, f"{times} requests", limit_s)

    async def cancel(self) -> None:
        """Forget what is being answered."""
        for task in [*self._tasks]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _answer(self, unit: SimUnit, asked: Asked, send: Callable[[bytes], None]) -> None:
        pdu = await unit.answer(asked.pdu)
        if pdu is None:
            return
        wrong = unit.fault if isinstance(unit.fault, Wrong) else None
        send(self._framing.wrong(asked, pdu, wrong) if wrong else self._framing.frame(asked, pdu))
