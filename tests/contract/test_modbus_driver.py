"""The Modbus drivers against real sockets and real serial lines: one suite, all three ways to be wired."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from edge import drivers
from edge.port import Device, Driver, DriverError, Reading
from edge.profiles import load_profiles
from simulators.modbus import Refuse, RtuServer, Silent, SimUnit, Slow, TcpServer, Wrong
from simulators.modbus.bell import Bell

PROFILES = load_profiles()
POLL_MS, TIMEOUT_MS, BACKOFF_MS, BACKOFF_CAP_MS = 20, 150, 100, 400
MODELS = {"board": "waveshare-io-8ch", "siren": "waveshare-relay-8ch", "meter": "eastron-sdm120"}


class Rig:
    """A server with three units and a running driver; `seen` is every reading so far."""

    def __init__(self, driver: Driver, server: TcpServer | RtuServer, units: dict[str, SimUnit]) -> None:
        self.driver, self.server, self.units = driver, server, units
        self.board, self.siren, self.meter = units.values()
        self.seen: list[Reading] = []
        self._bell = Bell()

    def report(self, reading: Reading) -> None:
        """What the driver calls."""
        self.seen.append(reading)
        self._bell.ring()

    async def next(self, device: str, so: Callable[[Reading], Any], start: int | None = None) -> Reading:
        """The first reading of a device from now on (or from place `start`) that is so."""
        place = len(self.seen) if start is None else start
        found: list[Reading] = []

        def look() -> bool:
            found[:] = [reading for reading in self.seen[place:] if reading.device == device and so(reading)]
            return bool(found)

        await self._bell.until(look, f"a reading of {device}")
        return found[0]

    async def good(self, device: str, point: str) -> Reading:
        """The next reading that has a value for the point."""
        return await self.next(device, lambda reading: point in reading.values)

    async def dead(self, device: str) -> Reading:
        """The next reading with every point failed."""
        points = set(PROFILES[MODELS[device]].points)
        return await self.next(device, lambda reading: set(reading.failed) == points)


def devices(poll_ms: int = POLL_MS) -> list[Device]:
    """The three devices, units 1 to 3."""
    return [Device(id, unit, PROFILES[model], poll_ms) for unit, (id, model) in enumerate(MODELS.items(), start=1)]


@pytest.fixture(params=["tcp", "rtu", "rtu over tcp"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """Everything is well and running."""
    units = {id: SimUnit(PROFILES[model], unit) for unit, (id, model) in enumerate(MODELS.items(), start=1)}
    timing = {"timeout_ms": TIMEOUT_MS, "backoff_ms": BACKOFF_MS, "backoff_cap_ms": BACKOFF_CAP_MS}
    async with AsyncExitStack() as stack:
        server: TcpServer | RtuServer
        if request.param == "rtu":
            server = await stack.enter_async_context(RtuServer(units.values(), link=tmp_path / "ttyUSB0"))
            module, keys = drivers.find("modbus_rtu"), {"port": server.port, "baudrate": 115200}
        else:
            framer = request.param.split()[0].replace("tcp", "socket")
            server = await stack.enter_async_context(TcpServer(units.values(), framing=framer))
            module = drivers.find("modbus_tcp")
            keys = {"host": server.host, "port": server.port, "framer": framer}
        driver = module.build("bus", module.Settings(**keys, **timing), devices())
        rig = Rig(driver, server, units)
        running = asyncio.create_task(driver.run(rig.report))
        await asyncio.gather(*(rig.next(id, lambda reading: bool(reading.values), start=0) for id in MODELS))
        yield rig
        assert not running.done(), "run never ends by itself"
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_contact_is_read(rig: Rig) -> None:
    """A contact that closes is in a reading."""
    rig.board.set("di3", True)
    await rig.next("board", lambda reading: reading.values.get("di3") is True)


async def test_number_is_read_in_its_unit(rig: Rig) -> None:
    """A meter's voltage arrives in volts."""
    rig.meter.set("voltage", 230.5)
    await rig.next("meter", lambda reading: reading.values.get("voltage") == 230.5)


async def test_intervals_join(rig: Rig) -> None:
    """A good reading's interval begins where the last one of the same points ended."""
    first = await rig.good("board", "di1")
    second = await rig.next("board", lambda reading: "di1" in reading.values and reading is not first)
    assert first.since_ns < first.at_ns <= second.since_ns < second.at_ns
    between = [r for r in rig.seen if r.device == "board" and "di1" in r.values and first.at_ns <= r.at_ns]
    assert all(a.at_ns == b.since_ns for a, b in itertools.pairwise(between))


async def test_silent_unit_is_failed_at_its_first_time_out(rig: Rig) -> None:
    """A unit that stops answering has every point failed after one unanswered request."""
    asked = rig.board.requests
    rig.board.fault = Silent()
    reading = await rig.dead("board")
    assert reading.failed["di1"] == f"no answer within {TIMEOUT_MS} ms"
    assert rig.board.requests - asked <= 2  # one may have been answered in the moment before


async def test_neighbours_of_a_silent_unit_are_read(rig: Rig) -> None:
    """While a unit is silent its neighbours' changes arrive."""
    rig.board.fault = Silent()
    await rig.dead("board")
    rig.meter.set("voltage", 99.0)
    await rig.next("meter", lambda reading: reading.values.get("voltage") == 99.0)


async def test_silent_unit_is_asked_once_per_back_off(rig: Rig) -> None:
    """A dead unit costs one request per back-off period: 100, 200, 400, 400 ms, however often it would be polled."""
    arrivals: list[float] = []
    rig.board.fault = Silent()
    await rig.dead("board")
    while len(arrivals) < 4:
        await rig.board.asked()
        arrivals.append(asyncio.get_running_loop().time())
    gaps_ms = [(after - before) * 1000 for before, after in itertools.pairwise(arrivals)]
    for gap_ms, backoff_ms in zip(gaps_ms, (200, 400, 400), strict=True):
        assert gap_ms >= backoff_ms * 0.95  # the wait runs from the time-out, the gap from the request before it


async def test_silence_never_closes_the_shared_connection(rig: Rig) -> None:
    """Many time-outs of one unit leave the connection that its neighbours use alone."""
    rig.board.fault = Silent()
    await rig.board.asked(6)
    await rig.meter.polled(1)
    if isinstance(rig.server, TcpServer):
        assert rig.server.connects == 1
    assert all("connection" not in health.failures for health in rig.driver.health())


async def test_recovered_unit_is_read_again(rig: Rig) -> None:
    """After a silence normal readings resume; the first has no interval, the next has."""
    rig.board.fault = Silent()
    await rig.dead("board")
    rig.board.fault = None
    first = await rig.good("board", "di1")
    assert first.since_ns == first.at_ns
    second = await rig.good("board", "di1")
    assert first.at_ns <= second.since_ns < second.at_ns


async def test_exception_fails_one_block(rig: Rig) -> None:
    """An exception on the outputs leaves the contacts of the same board readable."""
    rig.board.fault = Refuse(2, table="coil")
    reading = await rig.next("board", lambda reading: reading.failed)
    assert dict(reading.failed) == dict.fromkeys((f"do{n}" for n in range(1, 9)), "exception 2: illegal data address")
    rig.board.set("di8", True)
    await rig.next("board", lambda reading: reading.values.get("di8") is True)


async def test_gateway_exception_is_silence(rig: Rig) -> None:
    """Exception 11 is a gateway's word for a unit that does not answer: every point fails, and it is left alone."""
    rig.board.fault = Refuse(11)
    reading = await rig.dead("board")
    assert reading.failed["di1"] == "exception 11: gateway target did not respond"


@pytest.mark.parametrize("how", ["noise", "checksum", "unit", "transaction", "function", "short"])
async def test_wrong_answers_fail_their_unit_only(rig: Rig, how: str) -> None:
    """A unit that answers nonsense is failed; its neighbours are read over the same connection; it recovers."""
    rig.board.fault = Wrong(how)  # type: ignore[arg-type]
    await rig.dead("board")
    rig.meter.set("voltage", 99.0)
    await rig.next("meter", lambda reading: reading.values.get("voltage") == 99.0)
    rig.board.fault = None
    await rig.good("board", "di1")
    if isinstance(rig.server, TcpServer):
        assert rig.server.connects == 1


async def test_late_replies_are_nobody_elses(rig: Rig) -> None:
    """Replies later than the time-out, while the siren is asked, never become the siren's values or the board's."""
    for number in range(1, 9):
        rig.board.set(f"do{number}", True)
        rig.board.set(f"di{number}", True)
    rig.board.fault = Slow(TIMEOUT_MS + 30)
    await rig.dead("board")
    start = len(rig.seen)
    await rig.board.asked(4)
    await rig.siren.polled(5)
    sirens = [reading for reading in rig.seen[start:] if reading.device == "siren"]
    assert sirens and not any(value for reading in sirens for value in reading.values.values())
    assert not any(reading.values for reading in rig.seen[start:] if reading.device == "board")


async def test_lost_connection_fails_every_device(rig: Rig) -> None:
    """When the line goes every device of the bus is failed at once, and read again when it is back."""
    gone = [asyncio.ensure_future(rig.dead(device)) for device in MODELS]
    await asyncio.sleep(0)
    await rig.server.stop()
    for reading in await asyncio.gather(*gone):
        [why] = set(reading.failed.values())
        assert why == "connection lost" or why.startswith("cannot connect: ")
    assert not any(health.online for health in rig.driver.health())
    await rig.server.start()
    for device in MODELS:
        await rig.next(device, lambda reading: reading.values)


@pytest.mark.parametrize(
    ("name", "keys", "why"),
    [
        ("modbus_rtu", {"port": "/dev/nowhere"}, "could not open port /dev/nowhere"),
        ("modbus_tcp", {"host": "127.0.0.1", "port": 1}, "Connect call failed"),
    ],
)
async def test_wire_that_is_not_there_is_named(name: str, keys: dict[str, Any], why: str) -> None:
    """An installer reads which port could not be opened, and why."""
    module, came = drivers.find(name), asyncio.Event()
    said: set[str] = set()

    def report(reading: Reading) -> None:
        said.update(reading.failed.values())
        came.set()

    running = asyncio.create_task(module.build("bus", module.Settings(**keys), devices()).run(report))
    async with asyncio.timeout(20):
        await came.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    [reason] = said
    assert reason.startswith("cannot connect: ")
    assert why in reason


@pytest.mark.parametrize("rig", ["tcp", "rtu over tcp"], indirect=True)
async def test_dropped_connection_is_made_again(rig: Rig) -> None:
    """A gateway that resets the connection is connected to again (a serial line has none)."""
    assert isinstance(rig.server, TcpServer)
    again = asyncio.ensure_future(rig.server.reconnected())
    await asyncio.sleep(0)
    rig.server.drop()
    await again
    await rig.good("board", "di1")


async def test_output_is_written(rig: Rig) -> None:
    """A write is on the device when it returns, and in the readings afterwards."""
    await rig.driver.write("siren", "relay3", True)
    assert rig.siren.get("relay3") is True
    await rig.next("siren", lambda reading: reading.values["relay3"] is True)


async def test_write_goes_ahead_of_polls(rig: Rig) -> None:
    """On a bus with more polls than it can carry a write waits for at most the request in flight."""
    for unit in rig.units.values():
        unit.fault = Slow(60)
    await rig.meter.polled(1)
    asked = sum(unit.requests for unit in rig.units.values())
    await rig.driver.write("siren", "relay1", True)
    assert sum(unit.requests for unit in rig.units.values()) - asked <= 2  # one on its way to the server, and the write


@pytest.mark.parametrize(
    ("device", "point", "value", "says"),
    [
        ("siren", "relay9", True, "siren/relay9: no such point; allowed: relay1, relay2"),
        ("board", "di1", True, "board/di1: can only be read; allowed: do1, do2"),
        ("meter", "voltage", 1, "meter/voltage: can only be read; allowed: none, it has no outputs"),
        ("siren", "relay1", 7, "siren/relay1: cannot be 7; allowed: true or false"),
        ("door", "relay1", True, "door/relay1: no such device on bus bus; allowed: board, siren, meter"),
    ],
)
async def test_impossible_write_is_refused(rig: Rig, device: str, point: str, value: int, says: str) -> None:
    """A write that cannot be names the point and what is allowed, and nothing reaches the wire."""
    with pytest.raises(DriverError) as caught:
        await rig.driver.write(device, point, value)
    assert str(caught.value).startswith(says)
    assert rig.siren.writes == []


async def test_write_to_a_silent_unit_fails(rig: Rig) -> None:
    """A write that is not answered raises and names the point; a unit known to be silent is not asked in a loop."""
    rig.siren.fault = Silent()
    with pytest.raises(DriverError, match=r"siren/relay1: no answer within 150 ms|siren/relay1: siren does not answer"):
        await rig.driver.write("siren", "relay1", True)
    with pytest.raises(DriverError, match="siren/relay1: siren does not answer"):
        await rig.driver.write("siren", "relay1", True)


async def test_refused_write_fails(rig: Rig) -> None:
    """A write that the device answers with an exception raises with the exception in words."""
    rig.siren.fault = Refuse(4, table="coil")
    with pytest.raises(DriverError, match="siren/relay1: exception 4: device failure"):
        await rig.driver.write("siren", "relay1", True)


async def test_write_without_a_connection_fails_at_once(rig: Rig) -> None:
    """While the line is gone a write raises instead of waiting for it."""
    gone = asyncio.ensure_future(rig.dead("siren"))
    await asyncio.sleep(0)
    await rig.server.stop()
    await gone
    with pytest.raises(DriverError, match="siren/relay1: bus bus is not connected"):
        await rig.driver.write("siren", "relay1", True)


async def test_health_counts(rig: Rig) -> None:
    """Health tells polls, failures by reason, latency, and who is online."""
    rig.board.fault = Silent()
    await rig.dead("board")
    board, siren, _ = rig.driver.health()
    assert (board.device, board.online, board.failures["timeout"] >= 1) == ("board", False, True)
    assert siren.online and siren.polls >= 1 and siren.latency_ms is not None


@pytest.mark.parametrize("name", ["modbus_rtu", "modbus_tcp"])
def test_points_of_the_bus(name: str) -> None:
    """A driver lists every point of its devices with what may be done with it."""
    points = drivers.find(name).points("bus", None, devices())
    assert len(points) == sum(len(PROFILES[model].points) for model in MODELS.values())
    assert (points["siren/relay1"].writable, points["siren/relay1"].kind) == (True, "bool")
    assert (points["meter/voltage"].writable, points["meter/voltage"].kind) == (False, "number")
    assert points["meter/voltage"].unit == "V"


def test_unknown_driver_is_refused() -> None:
    """A driver that is not in the folder is refused with the names of those that are."""
    with pytest.raises(LookupError, match=r"unknown driver 'canbus'; known: .*modbus_rtu, modbus_tcp"):
        drivers.find("canbus")


async def test_ten_millisecond_polls(unused_tcp_port: int) -> None:
    """A device polled every 10 ms is read again and again from a server that comes up after the driver."""
    unit = SimUnit(PROFILES["adam-6050"], 1)
    module = drivers.find("modbus_tcp")
    settings = module.Settings(host="127.0.0.1", port=unused_tcp_port, backoff_ms=50)  # type: ignore[call-arg]
    driver = module.build("bus", settings, [Device("door", 1, unit.profile, 10)])
    seen: list[Reading] = []
    running = asyncio.create_task(driver.run(seen.append))
    async with TcpServer([unit], port=unused_tcp_port):
        await unit.polled(50)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert len([reading for reading in seen if "di0" in reading.values]) >= 49
