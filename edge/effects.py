"""What a step of the fold sets off: records to outbox and uplink, outputs driven, orders answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from edge.clock import Clock
from edge.core.bounds import stamp_at
from edge.core.io import Answer, Drive, Effect, Emit, Memory, Remember, Report
from edge.lane import Identity, LaneBox
from edge.outputs import Outputs
from edge.uplink import Uplink
from protocol.messages import VERSION, Outcome, Reply, Result
from protocol.records import Event, Reading

ANSWER_S_MAX = 5.0
"""How long a reply waits to know whether the sirens obeyed."""

Tried: TypeAlias = list[tuple[str, Awaitable[str | None]]]


class Effects:
    """`premises` maps each output to where it is."""

    def __init__(
        self,
        me: Identity,
        clock: Clock,
        lanes: tuple[LaneBox, LaneBox],
        outputs: Outputs,
        uplink: Uplink,
        premises: Mapping[str, str],
    ) -> None:
        self._me, self._clock = me, clock
        self._alarm, self._telemetry = lanes
        self._outputs, self._uplink, self._premises = outputs, uplink, premises
        self._seq = 0
        self._answers: set[asyncio.Task[None]] = set()

    def perform(self, effects: Sequence[Effect]) -> None:
        """Outbox and uplink take the records of a step side by side; outputs and answers go their own ways."""
        events = [effect.event for effect in effects if isinstance(effect, Emit)]
        memories = [effect.memory for effect in effects if isinstance(effect, Remember)]
        if events or memories:
            self._emit(events, memories)
        tried: Tried = []
        for effect in effects:
            match effect:
                case Drive(output, target, on):
                    tried.append((output, self._outputs.drive(output, target, on)))
                case Report(point, value, at_ns):
                    self.report(point, value, at_ns)
                case Answer(order, results):
                    task = asyncio.create_task(self._answer(order, results, tried.copy()), name=f"answer {order}")
                    self._answers.add(task)
                    task.add_done_callback(self._answers.discard)
                case _:
                    pass

    def report(self, point: str, value: bool | int | float | str, at_ns: int | None = None) -> None:
        """Number and stamp a telemetry record, true at `at_ns` (monotonic) or now."""
        now = self._clock.now()
        self._seq += 1
        at = stamp_at(now, now.mono_ns if at_ns is None else at_ns)
        self._telemetry.report(Reading(self._seq, point, value, at))

    def _emit(self, events: list[Event], memories: list[Memory]) -> None:
        values = {"memory": msgspec.json.encode(memories[-1])} if memories else None
        self._alarm.emit(events, values)
        if events:
            self._uplink.alarm_made()

    async def _answer(self, order: str, results: tuple[Result, ...], tried: Tried) -> None:
        """Reply once the outputs of this step were tried: a siren that did not obey is no DONE."""
        failed = await self._failed(tried)
        told = [
            msgspec.structs.replace(result, outcome=Outcome.FAILED, reason=failed[result.premises])
            if result.premises in failed and result.outcome is Outcome.DONE
            else result
            for result in results
        ]
        me = self._me
        self._uplink.replies.put(Reply(VERSION, me.instance, me.boot, order, told, at=self._clock.now()))

    async def _failed(self, tried: Tried) -> dict[str | None, str]:
        """The premises whose outputs did not do as told in time, with why."""
        failed: dict[str | None, str] = {}
        until_s = asyncio.get_running_loop().time() + ANSWER_S_MAX
        for output, outcome in tried:
            try:
                async with asyncio.timeout_at(until_s):
                    reason = await outcome
            except TimeoutError:
                reason = f"still being tried after {ANSWER_S_MAX} s"
            if reason is not None:
                failed[self._premises[output]] = f"{output}: {reason}"[:512]
        return failed
