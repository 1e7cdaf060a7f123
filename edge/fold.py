"""The loop that runs the gateway's fold: inputs in their order, deadlines once none waits, effects as they come."""

from __future__ import annotations

import asyncio

from edge.clock import Clock
from edge.core.gateway import Gateway
from edge.core.io import Tick
from edge.effects import Effects
from edge.inbox import Inbox

STEPS_MAX = 200
"""Inputs taken in one go before the other tasks have their turn."""


async def run(gateway: Gateway, inbox: Inbox, clock: Clock, effects: Effects) -> None:
    """Step until cancelled."""
    while True:
        for _ in range(min(len(inbox), STEPS_MAX)):
            effects.perform(gateway.step(inbox.take(), clock.now()))
        if len(inbox):
            await asyncio.sleep(0)
            continue
        due_ns, now = gateway.next_due_ns(), clock.now()
        if due_ns is not None and due_ns <= now.mono_ns:
            effects.perform(gateway.step(Tick(), now))
            await asyncio.sleep(0)
        else:
            await inbox.wait(None if due_ns is None else (due_ns - now.mono_ns) / 1e9)
