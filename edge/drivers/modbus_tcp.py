"""Modbus TCP: one connection to a module, or to a gateway with many units behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

from pydantic import Field
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType

from edge import port
from edge.modbus.backoff import Policy
from edge.modbus.engine import Bus
from edge.modbus.link import Link
from edge.modbus.points import points as points_of
from edge.port import Device, Driver, Point


class Settings(port.Settings):
    """The driver's keys of a `[[bus]]`. `framer` is "rtu" for a serial server that passes RTU frames through TCP."""

    host: str = Field(min_length=1)
    port: int = Field(502, ge=1, le=65535)
    timeout_ms: int = Field(300, ge=10, le=10_000)
    framer: Literal["socket", "rtu"] = "socket"
    backoff_ms: int = Field(1_000, ge=10, le=60_000, description="how long a silent unit is left alone at first")
    backoff_cap_ms: int = Field(30_000, ge=10, le=600_000, description="and at most, after doubling")


def points(bus: str, settings: Settings, devices: Sequence[Device]) -> Mapping[str, Point]:
    """Every point of the bus as "device/point"."""
    return points_of(devices)


def build(bus: str, settings: Settings, devices: Sequence[Device]) -> Driver:
    """Make the driver; it connects when it runs."""
    return Bus(
        bus,
        devices,
        partial(_link, settings),
        timeout_ms=settings.timeout_ms,
        policy=Policy(settings.backoff_ms, settings.backoff_cap_ms),
    )


def _link(settings: Settings, on_lost: Callable[[], None]) -> Link:
    # retries=0 and reconnect_delay=0: the engine has its own back-off, per unit and for the connection.
    def client(lost: Callable[[bool], None]) -> AsyncModbusTcpClient:
        return AsyncModbusTcpClient(
            settings.host,
            port=settings.port,
            framer=FramerType(settings.framer),
            retries=0,
            reconnect_delay=0,
            trace_connect=lost,
        )

    return Link(client, serial_framing=settings.framer == "rtu", byte_s=0.0, gap_s=0.0, on_lost=on_lost)
