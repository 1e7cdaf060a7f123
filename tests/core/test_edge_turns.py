"""Turns of the gateway's fold without a task: inputs first, then what is due, and how long there is nothing to do."""

from __future__ import annotations

from collections.abc import Sequence

from edge.clock import NS, Clock
from edge.core.gateway import Gateway
from edge.core.io import Effect, Emit, Looked, Memory
from edge.core.site import ZoneKind
from edge.fold import STEPS_MAX, Fold
from edge.inbox import Inbox
from edge.port import Reading
from protocol.kinds import Kind
from tests.support.house import FRESH_MS, START_MS, village, zone


class Turning:
    """A gateway with a panic button, its inbox, and a clock one can move."""

    def __init__(self) -> None:
        self.mono_ms = 1_000
        clock = Clock(
            mono_ns=lambda: self.mono_ms * NS, wall_ns=lambda: (START_MS + self.mono_ms) * NS, error_ms=lambda: 5
        )
        site = village(zone("h01-panic", ZoneKind.PANIC))
        self.gateway = Gateway(site, Memory(), instance="1" * 32, kboot="k", now=clock.now())
        self.made: list[Kind] = []
        self.inbox = Inbox()
        self.fold = Fold(self.gateway, self.inbox, clock, self.perform)
        self.perform(self.gateway.start(clock.now()))

    def perform(self, effects: Sequence[Effect]) -> None:
        self.made += [effect.event.kind for effect in effects if isinstance(effect, Emit)]

    def look(self, on: bool) -> None:
        """The button's device is looked at."""
        at_ns = self.mono_ms * NS
        self.inbox.put(Looked(Reading("gpio", at_ns, at_ns, {"h01_panic": on})))

    def rest(self) -> int | None:
        """Turn until there is nothing to do; for how long there is not."""
        while (wait_ns := self.fold.turn()) == 0:
            pass
        return wait_ns


def test_a_turn_takes_what_waits_and_says_when_something_is_due() -> None:
    """A look that stays the only one is due to be missed after the time it is fresh."""
    turning = Turning()
    turning.look(True)
    wait_ns = turning.rest()
    assert wait_ns is not None
    assert (turning.made, 0 < wait_ns <= FRESH_MS * NS) == ([Kind.PANIC], True)


def test_what_is_due_is_done_when_it_is_due() -> None:
    """Nobody looks again: turn by turn, at the moments the turns name, its device is said to be lost."""
    turning = Turning()
    turning.look(False)
    assert (_out_of_sight(turning) > 1_000 + FRESH_MS, turning.made) == (True, [Kind.DEVICE_LOST])


def _out_of_sight(turning: Turning) -> int:
    """Turn until something is recorded; when that was, in ms."""
    while True:
        wait_ns = turning.rest()
        if turning.made:
            return turning.mono_ms
        assert wait_ns is not None, "something is due until it is done"
        turning.mono_ms += wait_ns // NS + 1


def test_a_turn_ends_for_the_others_to_have_theirs() -> None:
    """However much waits, no more than STEPS_MAX inputs are taken in one go."""
    turning = Turning()
    for _ in range(STEPS_MAX + 3):
        turning.look(False)
    assert (turning.fold.turn(), len(turning.inbox)) == (0, 3)
