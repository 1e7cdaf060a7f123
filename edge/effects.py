"""What a step of the fold sets off: records to outbox and uplink, outputs driven, orders answered.

Whoever drives the gateway says how an output is driven and when an order may be answered; nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from edge.clock import Clock
from edge.core.bounds import stamp_at
from edge.core.io import Answer, Drive, Effect, Emit, Memory, Remember, Report
from edge.lane import Identity, LaneBox
from edge.uplink import Uplink
from protocol.messages import VERSION, Outcome, Reply, Result
from protocol.records import Event, Reading

ANSWER_S_MAX = 5.0
"""How long a reply waits to know whether the sirens obeyed."""

Trial = TypeVar("Trial")


class Effects(Generic[Trial]):
    """`premises` maps each output to where it is. `drive` begins to drive an output (output, target, on) and gives what
    `answer` later learns the outcome from: it hears an order, its results, and the outputs its step drove before it,
    and calls `reply` within ANSWER_S_MAX.
    """

    def __init__(
        self,
        me: Identity,
        clock: Clock,
        lanes: tuple[LaneBox, LaneBox],
        uplink: Uplink,
        premises: Mapping[str, str],
        *,
        drive: Callable[[str, str, bool], Trial],
        answer: Callable[[str, tuple[Result, ...], list[tuple[str, Trial]]], None],
    ) -> None:
        self._me, self._clock = me, clock
        self._alarm, self._telemetry = lanes
        self._uplink, self._premises = uplink, premises
        self._drive, self._answer = drive, answer
        self._seq = 0

    def perform(self, effects: Sequence[Effect]) -> None:
        """Outbox and uplink take the records of a step side by side; outputs and answers go their own ways."""
        events = [effect.event for effect in effects if isinstance(effect, Emit)]
        memories = [effect.memory for effect in effects if isinstance(effect, Remember)]
        if events or memories:
            self._emit(events, memories)
        tried: list[tuple[str, Trial]] = []
        for effect in effects:
            match effect:
                case Drive(output, target, on):
                    tried.append((output, self._drive(output, target, on)))
                case Report(point, value, at_ns):
                    self.report(point, value, at_ns)
                case Answer(order, results):
                    self._answer(order, results, tried.copy())
                case _:
                    pass

    def report(self, point: str, value: bool | int | float | str, at_ns: int | None = None) -> None:
        """Number and stamp a telemetry record, true at `at_ns` (monotonic) or now."""
        now = self._clock.now()
        self._seq += 1
        at = stamp_at(now, now.mono_ns if at_ns is None else at_ns)
        self._telemetry.report(Reading(self._seq, point, value, at))

    def reply(self, order: str, results: Sequence[Result], failed: Mapping[str, str]) -> None:
        """Answer an order; `failed` names the outputs that did not do as told in time, with why: those are no DONE."""
        why: dict[str | None, str] = {
            self._premises[output]: f"{output}: {reason}"[:512] for output, reason in failed.items()
        }
        told = [
            msgspec.structs.replace(result, outcome=Outcome.FAILED, reason=why[result.premises])
            if result.premises in why and result.outcome is Outcome.DONE
            else result
            for result in results
        ]
        me = self._me
        self._uplink.replies.put(Reply(VERSION, me.instance, me.boot, order, told, at=self._clock.now()))

    def _emit(self, events: list[Event], memories: list[Memory]) -> None:
        values = {"memory": msgspec.json.encode(memories[-1])} if memories else None
        self._alarm.emit(events, values)
        if events:
            self._uplink.alarm_made()
