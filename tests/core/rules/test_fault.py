"""Devices of one gateway are lost apart."""

from __future__ import annotations

from protocol.kinds import Kind
from tests.support.desk import DeskAtWork, S


def test_each_device_that_is_gone_is_a_fault_of_its_own() -> None:
    """Two boards and a repeat of the first are two incidents, each naming its device."""
    village = DeskAtWork()
    for at, device in ((0, "rooms"), (S, "doors"), (2 * S, "rooms")):
        record = village.record(Kind.DEVICE_LOST, "h01", at, detail={"device": device})
        village.take(record, at)
    assert [
        "device doors of gw-east: no answer",
        "device rooms of gw-east: no answer",
    ] == sorted(incident.why for incident in village.open())
