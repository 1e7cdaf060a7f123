"""Where records stand in time, and what is shown to stand open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.site import ZoneKind
from simulators.world.oracle.found import Found
from simulators.world.seen import EARLY_MS, TRAVEL_MS

if TYPE_CHECKING:
    from simulators.world.world import World

LIVE_KINDS = {ZoneKind.TAMPER: "tamper", ZoneKind.NVR_ONLINE: "nvr_offline", ZoneKind.MAINS: "mains_lost"}
ROUNDING_MS = 3
"""Ages, wall times and monotonic times are each told in whole ms."""


def placed(world: World, found: Found) -> None:
    """A record stands where it truly happened, as surely as it is said to: within its error, or in its interval."""
    for marks in found.marks.values():
        for mark in marks:
            gateway, _, rest = mark[1].partition("/")
            instance, _, seq = rest.partition("/")
            made = world.witness.made.get((gateway, instance, int(seq))) if seq.isdigit() else None
            if made is None:
                continue
            late_ms, (not_before_ms, not_after_ms, how) = mark[7], mark[13:16]
            true_ms = world.start_ms + made.true_ms
            off_ms = mark[0] - true_ms
            if late_ms is not None and not -EARLY_MS <= off_ms <= TRAVEL_MS:
                world.witness.broken("placed", f"{mark[2]} of {mark[5]} is placed {off_ms} ms off its time")
                return
            early = not_before_ms is not None and true_ms < not_before_ms - ROUNDING_MS
            if early or true_ms > not_after_ms + ROUNDING_MS:
                said = (not_before_ms and not_before_ms - true_ms, not_after_ms - true_ms)
                text = f"{mark[2]} of {mark[5]} is said to be in {said} ms of its time (by {how})"
                world.witness.broken("error stated", text)
                return
            world.witness.placed[how] = world.witness.placed.get(how, 0) + 1


def live(world: World) -> None:
    """What stands open at the end is shown so: nothing late cleared it."""
    assert world.hub is not None
    shown = {view.id: view for view in world.hub.desk.zones()}
    for zone, cause in world.witness.active.items():
        kind = LIVE_KINDS.get(cause.kind)
        if kind is not None and kind not in shown[zone].live:
            world.witness.broken("cleared", f"{zone} is open since {cause.start_ms} ms and is not shown so")
