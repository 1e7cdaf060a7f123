"""Modbus RTU: one serial line (RS-485) shared by its units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

from pydantic import Field
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.framer import FramerType

from edge import port
from edge.modbus.backoff import Policy
from edge.modbus.engine import Bus
from edge.modbus.link import Link
from edge.modbus.points import points as points_of
from edge.port import Device, Driver, Point

BITS_PER_BYTE = 11  # start, eight data bits, parity or a second stop, stop
FRAME_GAP_BYTES = 3.5
FRAME_GAP_MIN_S = 0.00175  # Modbus over Serial Line V1.02, 2.5.1.1: fixed above 19,200 baud


class Settings(port.Settings):
    """The driver's keys of a `[[bus]]`; `timeout_ms` runs from when the frames have passed the line."""

    port: str = Field(min_length=1, description="the device file, best by its lasting name in /dev/serial/by-id")
    baudrate: int = Field(9600, ge=300, le=1_000_000)
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    bytesize: Literal[8] = 8
    timeout_ms: int = Field(300, ge=10, le=10_000)
    backoff_ms: int = Field(1_000, ge=10, le=60_000, description="how long a silent unit is left alone at first")
    backoff_cap_ms: int = Field(30_000, ge=10, le=600_000, description="and at most, after doubling")


def points(bus: str, settings: Settings, devices: Sequence[Device]) -> Mapping[str, Point]:
    """Every point of the bus as "device/point"."""
    return points_of(devices)


def build(bus: str, settings: Settings, devices: Sequence[Device]) -> Driver:
    """Make the driver; it opens the line when it runs."""
    return Bus(
        bus,
        devices,
        partial(_link, settings),
        timeout_ms=settings.timeout_ms,
        policy=Policy(settings.backoff_ms, settings.backoff_cap_ms),
    )


def _link(settings: Settings, on_lost: Callable[[], None]) -> Link:
    # retries=0 and reconnect_delay=0: the engine has its own back-off, per unit and for the line.
    def client(lost: Callable[[bool], None]) -> AsyncModbusSerialClient:
        return AsyncModbusSerialClient(
            settings.port,
            framer=FramerType.RTU,
            baudrate=settings.baudrate,
            parity=settings.parity,
            stopbits=settings.stopbits,
            bytesize=settings.bytesize,
            retries=0,
            reconnect_delay=0,
            trace_connect=lost,
        )

    byte_s = BITS_PER_BYTE / settings.baudrate
    gap_s = max(FRAME_GAP_MIN_S, FRAME_GAP_BYTES * byte_s)
    return Link(client, serial_framing=True, byte_s=byte_s, gap_s=gap_s, on_lost=on_lost)
