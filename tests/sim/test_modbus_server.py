"""The simulated units, asked by a stock Modbus client over real sockets and serial lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerType

from edge.profiles import load_profiles
from simulators.modbus import Refuse, RtuServer, Silent, SimUnit, Slow, TcpServer, Wrong

PROFILES = load_profiles()
SHORT_S = 0.2


@pytest.fixture
def board() -> SimUnit:
    """Unit 3, contacts and outputs."""
    return SimUnit(PROFILES["waveshare-io-8ch"], 3)


@pytest.fixture
def meter() -> SimUnit:
    """Unit 4, floats in input registers."""
    return SimUnit(PROFILES["eastron-sdm120"], 4)


@pytest.fixture(params=["tcp", "rtu", "rtu over tcp"])
async def client(request: pytest.FixtureRequest, board: SimUnit, meter: SimUnit) -> AsyncIterator[ModbusBaseClient]:
    """A stock client connected to a server with both units."""
    made: ModbusBaseClient
    async with AsyncExitStack() as stack:
        if request.param == "rtu":
            line = await stack.enter_async_context(RtuServer([board, meter]))
            made = AsyncModbusSerialClient(line.port, retries=0, reconnect_delay=0, timeout=5)
        else:
            framing = "socket" if request.param == "tcp" else "rtu"
            server = await stack.enter_async_context(TcpServer([board, meter], framing=framing))  # type: ignore[arg-type]
            made = AsyncModbusTcpClient(
                server.host, port=server.port, framer=FramerType(framing), retries=0, reconnect_delay=0, timeout=5
            )
        assert await made.connect()
        stack.callback(made.close)
        yield made


def impatient(client: ModbusBaseClient) -> None:
    """Wait only briefly for answers that will not come."""
    client.ctx.comm_params.timeout_connect = SHORT_S


async def test_contacts_are_read(client: ModbusBaseClient, board: SimUnit) -> None:
    """A contact set by its name is the right bit on the wire."""
    board.set("di2", True)
    reply = await client.read_discrete_inputs(0, count=8, device_id=3)
    assert list(reply.bits) == [False, True, False, False, False, False, False, False]


async def test_float_is_high_word_first(client: ModbusBaseClient, meter: SimUnit) -> None:
    """230.5 volts are the two registers the meter's manual shows for IEEE 754."""
    meter.set("voltage", 230.5)
    reply = await client.read_input_registers(0, count=2, device_id=4)
    assert list(reply.registers) == [0x4366, 0x8000]


async def test_write_is_seen(client: ModbusBaseClient, board: SimUnit) -> None:
    """An output written over the wire is found by its name and in the list of writes."""
    await client.write_coil(6, True, device_id=3)
    await board.written("do7", True)
    assert board.writes == [("do7", True)]


async def test_many_coils_at_once(client: ModbusBaseClient, board: SimUnit) -> None:
    """Function 15 writes several outputs."""
    await client.write_coils(2, [True, False, True], device_id=3)
    assert board.writes == [("do3", True), ("do4", False), ("do5", True)]


async def test_missing_address_is_an_exception(client: ModbusBaseClient) -> None:
    """Reading past what the device has answers exception 2."""
    assert (await client.read_discrete_inputs(0, count=9, device_id=3)).exception_code == 2


async def test_contact_cannot_be_written(client: ModbusBaseClient, board: SimUnit) -> None:
    """Writing where there is no output answers exception 2 and changes nothing."""
    assert (await client.write_coil(8, True, device_id=3)).exception_code == 2
    assert board.writes == []


async def test_refusing_unit(client: ModbusBaseClient, board: SimUnit) -> None:
    """A unit told to refuse a table answers that exception there and is well elsewhere."""
    board.fault = Refuse(4, table="coil")
    assert (await client.read_coils(0, count=8, device_id=3)).exception_code == 4
    assert not (await client.read_discrete_inputs(0, count=8, device_id=3)).isError()


async def test_silent_unit(client: ModbusBaseClient, board: SimUnit) -> None:
    """A silent unit counts the request, answers nothing, and its neighbour answers."""
    impatient(client)
    board.fault = Silent()
    with pytest.raises(ModbusIOException, match="No response"):
        await client.read_coils(0, count=8, device_id=3)
    assert board.requests == 1
    client.ctx.comm_params.timeout_connect = 5
    assert not (await client.read_input_registers(0, count=2, device_id=4)).isError()


async def test_absent_unit_is_silent(client: ModbusBaseClient) -> None:
    """A unit that is not there does not answer either."""
    impatient(client)
    with pytest.raises(ModbusIOException, match="No response"):
        await client.read_coils(0, count=8, device_id=9)


@pytest.mark.parametrize("how", ["noise", "checksum", "unit", "transaction", "short"])
async def test_wrong_answer_is_no_answer(client: ModbusBaseClient, board: SimUnit, how: str) -> None:
    """A wrong answer is not taken for a right one, and is no completed read."""
    impatient(client)
    board.fault = Wrong(how)  # type: ignore[arg-type]
    try:
        reply = await client.read_coils(0, count=8, device_id=3)
    except ModbusIOException:
        reply = None
    assert reply is None or reply.function_code != 1
    assert board.reads["coil"] == 0


async def test_slow_unit_shows_what_holds_when_it_answers(client: ModbusBaseClient, board: SimUnit) -> None:
    """A slow answer carries the values of the moment when it is given."""
    board.fault = Slow(100)
    asking = asyncio.ensure_future(client.read_discrete_inputs(0, count=8, device_id=3))
    await board.asked()
    board.set("di1", True)
    assert (await asking).bits[0]


async def test_waiting_for_polls(client: ModbusBaseClient, board: SimUnit) -> None:
    """Two polls are over only when every point was read twice."""
    waiting = asyncio.ensure_future(board.polled(2))
    for _ in range(2):
        await client.read_discrete_inputs(0, count=8, device_id=3)
    assert not waiting.done()
    for _ in range(2):
        await client.read_coils(0, count=8, device_id=3)
    await waiting


async def test_waiting_names_what_did_not_come(board: SimUnit) -> None:
    """A wait that is in vain says what for."""
    with pytest.raises(TimeoutError, match="do1 = True on unit 3, not False"):
        await board.written("do1", True, limit_s=0.01)


@asynccontextmanager
async def connection(server: TcpServer) -> AsyncIterator[asyncio.StreamReader]:
    """A plain connection that the server has taken."""
    taken = asyncio.ensure_future(server.reconnected())
    await asyncio.sleep(0)  # so that the waiting begins before the connecting
    reader, writer = await asyncio.open_connection(server.host, server.port)
    await taken
    try:
        yield reader
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_server_comes_back_on_its_port(board: SimUnit) -> None:
    """A stopped server refuses connections, and listens on the same port when started again."""
    async with TcpServer([board]) as server:
        port = server.port
        await server.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(server.host, port)
        await server.start()
        async with connection(server):
            assert server.port == port


async def test_dropped_connection_ends(board: SimUnit) -> None:
    """Dropping ends the connections that are open and accepts new ones."""
    async with TcpServer([board]) as server:
        async with connection(server) as reader:
            server.drop()
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
        async with connection(server):
            assert server.connects == 2


async def test_serial_link_follows_the_line(board: SimUnit, tmp_path: Path) -> None:
    """A line with a link keeps the link's name over being unplugged."""
    link = tmp_path / "ttyUSB0"
    async with RtuServer([board], link=link) as line:
        await line.stop()
        assert not link.exists()
        await line.start()
        assert line.port == str(link) and link.resolve().parent == Path("/dev/pts")
