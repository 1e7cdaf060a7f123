"""`lianfang hub` as a program: it starts, ends, checks, makes keys and verifies its journal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from protocol.records import Lane
from simulators.broker import Broker
from simulators.children import Child, start
from tests.support.centre import gateway, write_config

FAULTY = "[hub]\nid = 'X'\ndata_dir = 'data'\nregistry = 'none.toml'\n[api]\nport = 99999\n"


async def lianfang(*argv: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lianfang", "hub", *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@contextlib.asynccontextmanager
async def hub(folder: Path, broker: Broker) -> AsyncIterator[tuple[Child, Path, str]]:
    config = write_config(folder, broker)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "lianfang", "hub", "run", str(config), "--set", f"api.port={port}"]
    child = await start("hub", argv, folder / "hub.log")
    try:
        yield child, config, f"http://127.0.0.1:{port}"
    finally:
        await child.kill()


async def well(child: Child, url: str) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
        while True:
            child.check()
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{url}/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_when_told(number: int, broker: Broker, tmp_path: Path) -> None:
    """With a listener on its stream a told hub ends with status 0, says farewell, and leaves a whole journal."""
    async with hub(tmp_path, broker) as (child, config, url), gateway(broker) as gw:
        await well(child, url)
        event = await gw.press()
        await gw.receipted(event.seq)
        headers = {"Authorization": "Bearer token of vera"}
        async with (
            httpx.AsyncClient(trust_env=False, headers=headers, timeout=30) as client,
            client.stream("GET", f"{url}/api/v1/live") as response,
        ):
            assert 200 == response.status_code
            child.process.send_signal(number)
            assert 0 == await asyncio.wait_for(child.process.wait(), 20), child.tail()
        code, out, _ = await lianfang("journal", "verify", str(config))
        assert (0, True) == (code, "whole: " in out)


async def test_killed_hard_it_has_every_receipted_record(broker: Broker, tmp_path: Path) -> None:
    """After a kill in the middle of a stream of presses, all that was receipted is in the journal of the next run."""
    async with hub(tmp_path, broker) as (child, _, url), gateway(broker) as gw:
        await well(child, url)
        for at in range(60):
            await gw.press()
            if at == 40:
                await gw.receipted(20)
                await child.kill()
                break
        receipted = gw.committed(Lane.ALARM).mark()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "journal.db")) as db:
        found = db.execute("SELECT count(*) FROM entry WHERE kind = 'recorded'").fetchone()[0]
    assert 20 <= receipted <= found


async def test_a_faulty_configuration_names_every_fault_and_starts_nothing(tmp_path: Path) -> None:
    """`run` and `check` exit with 2, name each fault on its line, and write nothing."""
    config = tmp_path / "hub.toml"
    config.write_text(FAULTY, encoding="utf-8")
    for command in ("check", "run"):
        code, _, err = await lianfang(command, str(config))
        assert 2 == code
        assert "hub.id" in err
        assert "api.port" in err
        assert "nothing was started" in err
        assert "Traceback" not in err
    assert [config] == list(tmp_path.iterdir())  # noqa: ASYNC240  # nothing runs beside


async def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """`keygen` writes a key of mode 0600, prints the public half, and does not replace a key."""
    config = write_config(tmp_path)
    code, out, _ = await lianfang("keygen", str(config))
    key = tmp_path / "data" / "hub.key"
    before = key.read_bytes()
    assert (0, 0o600, True) == (code, stat.S_IMODE(key.stat().st_mode), "BEGIN PUBLIC KEY" in out)
    code, _, err = await lianfang("keygen", str(config))
    assert (2, before) == (code, key.read_bytes())
    assert "there already" in err


async def test_a_key_open_to_others_is_refused(tmp_path: Path) -> None:
    """A hub whose key others can read does not start."""
    config = write_config(tmp_path)
    await lianfang("keygen", str(config))
    (tmp_path / "data" / "hub.key").chmod(0o644)
    code, _, err = await lianfang("check", str(config))
    assert 2 == code
    assert "mode 0600" in err


async def test_verify_names_the_broken_entry(broker: Broker, tmp_path: Path) -> None:
    """`journal verify` exits with 1 and says which entry is not as it was committed."""
    async with hub(tmp_path, broker) as (child, config, url), gateway(broker) as gw:
        await well(child, url)
        await gw.alarm(*(gw.event() for _ in range(5)))
        await gw.receipted(5)
        await child.stop()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "journal.db")) as db:
        db.executescript("DROP TRIGGER entry_no_update; UPDATE entry SET at_ms = at_ms - 1 WHERE n = 3;")
    code, out, _ = await lianfang("journal", "verify", str(config))
    assert 1 == code
    assert out.startswith("broken: entry 3 (area town, 3)")


async def test_a_port_in_use_is_a_fault_in_words(broker: Broker, tmp_path: Path) -> None:
    """Two hubs on one port: the second says so and exits with 2."""
    config = write_config(tmp_path, broker)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = await lianfang("run", str(config), "--set", f"api.port={taken.getsockname()[1]}")
    assert 2 == code
    assert "api.port" in err
