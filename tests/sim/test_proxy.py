"""The proxy behaves like the bad link it claims to be."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from simulators.proxy import Line, Proxy
from tests.support.wait import until


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A server that sends back what it gets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_bytes_pass_both_ways(echo: int) -> None:
    """What goes in comes back, in order and whole."""
    async with Proxy("127.0.0.1", echo) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        sent = bytes(range(256)) * 200
        writer.write(sent)
        got = await reader.readexactly(len(sent))
        writer.close()
        assert got == sent


async def test_cut_breaks_what_is_connected_and_new_ones_pass(echo: int) -> None:
    """After a cut the old connection is dead, a new one works."""
    async with Proxy("127.0.0.1", echo) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.write(b"a")
        await reader.readexactly(1)
        proxy.cut()
        with pytest.raises(OSError, match="reset"):
            await reader.read(1)
        writer.close()
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.write(b"b")
        assert await reader.readexactly(1) == b"b"
        writer.close()


async def test_refusing_proxy_lets_nobody_through(echo: int) -> None:
    """New connections end at once and are counted."""
    async with Proxy("127.0.0.1", echo, Line(refuse=True)) as proxy:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
            assert await reader.read(1) == b""
            writer.close()
        await until(lambda: proxy.refused == 1)


async def test_half_open_swallows_and_says_nothing(echo: int) -> None:
    """Bytes go in, none come out, and the connection stays open; lifted, what follows passes."""
    async with Proxy("127.0.0.1", echo) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        proxy.line.swallow = True
        writer.write(b"lost")
        await until(lambda: proxy.up.swallowed_bytes == 4)
        proxy.line.swallow = False
        writer.write(b"kept")
        assert await reader.readexactly(4) == b"kept"
        writer.close()


async def test_narrow_line_is_as_narrow_as_it_says(echo: int) -> None:
    """40,000 bytes at 100,000 bytes/s take at least 0.35 s (a loaded machine may take longer, never less)."""
    async with Proxy("127.0.0.1", echo, Line(bytes_per_s=100_000)) as proxy:
        clock = asyncio.get_running_loop().time
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        began = clock()
        writer.write(bytes(40_000))
        await reader.readexactly(40_000)
        writer.close()
        assert clock() - began >= 0.35


async def test_connections_share_one_pipe(echo: int) -> None:
    """A byte of a second connection waits behind the queue of the first, and that queue is short."""
    async with Proxy("127.0.0.1", echo, Line(bytes_per_s=20_000)) as proxy:
        first_reader, first = await asyncio.open_connection(proxy.host, proxy.port)
        second_reader, second = await asyncio.open_connection(proxy.host, proxy.port)
        first.write(bytes(60_000))
        await until(lambda: proxy.up.passed_bytes > 0)
        before = proxy.up.passed_bytes
        second.write(b"x")
        assert await second_reader.readexactly(1) == b"x"
        passed = proxy.up.passed_bytes - before
        first.close()
        second.close()
        del first_reader
        assert 512 <= passed < 30_000


async def test_delay_holds_each_byte_back(echo: int) -> None:
    """100 ms each way: nothing returns before 200 ms."""
    async with Proxy("127.0.0.1", echo, Line(delay_s=0.1)) as proxy:
        clock = asyncio.get_running_loop().time
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        began = clock()
        writer.write(b"x")
        await reader.readexactly(1)
        writer.close()
        assert clock() - began >= 0.2


async def test_a_cut_before_the_first_step_leaves_no_end_open(echo: int) -> None:
    """A connection taken and cut within one turn of the loop is closed at both ends."""
    async with Proxy("127.0.0.1", echo) as proxy:
        ends = socket.socketpair()
        proxy._join(*ends)
        proxy.cut()
        await until(lambda: proxy.connections == 0)
        assert [-1, -1] == [end.fileno() for end in ends]
