"""Looked at now and then: whether every queue keeps its bound, and nobody believes what nobody can know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.entries import ALARM, TELEMETRY
from edge.core.gaps import SPANS_MAX
from edge.replies import WAITING_MAX as REPLIES_MAX
from hub.inbox import CALM_MAX, URGENT_MAX
from hub.intake import READINGS_MAX
from hub.outgoing import ORDERS_MAX, RECEIPTS_MAX
from protocol.records import Lane
from simulators.world.village import FRESH_MS, PROFILE_MS

if TYPE_CHECKING:
    from simulators.world.hub import SimHub
    from simulators.world.process import Process
    from simulators.world.witness import Witness

UNKNOWN_MS = FRESH_MS + 8_000


def probed(witness: Witness, process: Process) -> None:
    """Every few seconds: bounds, and what a process believes of devices nobody can see."""
    for box, limits in ((process.alarm, ALARM), (process.telemetry, TELEMETRY)):
        lane = box.delivery
        _bound(witness, "records", box.lane, len(lane), limits.records_max + limits.extra_max)
        _bound(witness, "bytes", box.lane, lane.held.bytes, limits.bytes_max + limits.extra_max * 40_000)
        _bound(witness, "gaps", box.lane, len(lane.gaps), SPANS_MAX)
        _bound(witness, "outbox", box.lane, box.outbox.unstored(), limits.records_max + limits.extra_max)
    _bound(witness, "replies", Lane.ALARM, len(process.uplink.replies), REPLIES_MAX)
    now_ms = witness.world.loop.now_ms
    for device, since_ms in witness.world.bus_dead_ms.items():
        if device.startswith(process.me.gateway) and now_ms - max(since_ms, process.began_ms) > UNKNOWN_MS:
            houses = {h.id for h in witness.world.village.houses if h.device == device}
            shown = [zone for zone in process.gateway.birth_zones() if zone.premises in houses]
            if fresh := [zone.id for zone in shown if zone.health != "unknown"]:
                witness.broken("stale", f"{fresh[0]} is shown as {shown[0].health} though {device} answers nobody")


def hub_probed(witness: Witness, hub: SimHub) -> None:
    """Now and then: bounds of the hub, and what it believes of gateways it does not hear."""
    _bound(witness, "desk inbox", Lane.ALARM, len(hub.rounds.inbox), URGENT_MAX + CALM_MAX)
    _bound(witness, "telemetry inbox", Lane.TELEMETRY, hub.intake.weight, READINGS_MAX)
    _bound(witness, "outgoing", Lane.ALARM, len(hub.receipting.alarm_out), ORDERS_MAX + RECEIPTS_MAX)
    if hub.metrics.registry.get_sample_value("lianfang_inputs_set_aside_total"):
        witness.broken("set aside", "a message or an input could not be taken")
    if hub.rounds.down is not None or hub.book.slow:
        return
    now_ms = witness.world.loop.now_ms
    for view in hub.desk.gateways():
        silent_ms = now_ms - max(witness.heard.get(view.id, 0), hub.began_ms, witness.world.journal_well_ms)
        if silent_ms > PROFILE_MS + 20_000 and view.up is not False:
            witness.broken("silence", f"{view.id} was not heard for {silent_ms} ms and is not shown as lost")


def _bound(witness: Witness, what: str, lane: Lane, found: Any, allowed: int) -> None:
    if found > allowed:
        witness.broken("bounds", f"{what} of the {lane} lane: {found}; allowed {allowed}")
