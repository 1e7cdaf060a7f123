"""The gateway's fold: what a reading, an order, a receipt or a deadline means. Knows no clock, wire or disk.

    gateway = Gateway(site, memory, boot=boot, kboot=kboot, now=now)
    effects = gateway.start(now)              # once: outputs reconciled, sirens resumed or ended
    effects = gateway.step(item, now)         # for every input; `now` never runs backwards
    due_ns = gateway.next_due_ns()            # step with Tick() at or after it; None: nothing is waited for
    zones = gateway.birth_zones()             # for the birth message, as far as privacy lets them leave
    memory = gateway.memory()                 # what `Remember` last carried

The shell takes the inputs in the order in which they came, drains its inbox before it steps with `Tick`, and performs
the effects of a step in their order: `Emit` first, then `Drive`, `Answer` after the drives it speaks of, `Remember`
last and in the same transaction as the step's events. A `Drive` that the driver refuses is told back as
`Troubled("output/<output>", True, {"reason": ...})` (and `False` once it works); the shell turns the order's DONE into
FAILED with that reason. `Troubled("clock_set", True, detail)` makes a `clock` record, `Troubled("records_lost", True,
detail)` a `records_lost` record; every other fault is a `gateway_fault` that begins and ends.
"""

from __future__ import annotations

from edge.core.io import Effect, Input, Memory
from edge.core.site import Site
from protocol.messages import ZoneBorn
from protocol.records import Stamp


class Gateway:
    """One gateway process. `boot` orders its instances, `kboot` names the kernel boot its monotonic time counts in."""

    def __init__(self, site: Site, memory: Memory, *, boot: int, kboot: str, now: Stamp) -> None: ...

    def start(self, now: Stamp) -> list[Effect]:
        """The first effects: every output to where it belongs. Call once, before the first step."""
        raise NotImplementedError

    def step(self, item: Input, now: Stamp) -> list[Effect]:
        """Take one input at `now`."""
        raise NotImplementedError

    def next_due_ns(self) -> int | None:
        """Monotonic ns of the next deadline."""
        raise NotImplementedError

    def birth_zones(self) -> list[ZoneBorn]:
        """Every zone as it may be told at birth."""
        raise NotImplementedError

    def memory(self) -> Memory:
        """What must survive a restart, as it is now."""
        raise NotImplementedError
