"""The broker as a child: it starts, dies, comes back on its port, and leaves no process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protocol.link import Endpoint, Link, LinkError
from simulators.broker import Broker, BrokerError, find_mosquitto
from tests.support.wait import until


def endpoint(broker: Broker) -> Endpoint:
    return Endpoint(host=broker.host, port=broker.port, client_id="one")


@pytest.fixture(params=["mosquitto", "embedded"])
def kind(request: pytest.FixtureRequest, mosquitto_path: Path) -> str:
    """Each broker there is."""
    return str(request.param)


async def test_it_carries_messages_of_a_protocols_size(kind: str, tmp_path: Path) -> None:
    """200 kB pass through either broker."""
    async with Broker(tmp_path, kind=kind) as broker, Link(endpoint(broker)) as link:
        await link.subscribe(["a/+"])
        await link.publish("a/b", b"x" * 200_000)
        assert len((await anext(link.messages())).data) == 200_000


async def test_killed_broker_comes_back_on_its_port(kind: str, tmp_path: Path) -> None:
    """After a kill nobody listens; after a restart the same address answers."""
    async with Broker(tmp_path, kind=kind) as broker:
        port = broker.port
        await broker.kill()
        with pytest.raises(LinkError):
            async with Link(endpoint(broker)):
                pass
        await broker.restart()
        async with Link(endpoint(broker)) as link:
            await link.publish("a", b"x")
        assert broker.port == port


async def test_leaving_ends_the_process(kind: str, tmp_path: Path) -> None:
    """The child's pid is gone after the context."""
    async with Broker(tmp_path, kind=kind) as broker:
        pid = broker.pid
        assert pid is not None

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    await until(gone)


async def test_mosquitto_keeps_retained_messages_over_a_kill(mosquitto_path: Path, tmp_path: Path) -> None:
    """A retained birth survives kill -9, because every change is saved."""
    async with Broker(tmp_path, kind="mosquitto") as broker:
        async with Link(endpoint(broker)) as link:
            await link.publish("birth", b"me", retain=True)
        await until(lambda: b"birth" in _bytes(tmp_path / "mosquitto.db"))
        await broker.kill()
        await broker.restart()
        async with Link(endpoint(broker)) as link:
            await link.subscribe(["birth"])
            assert (await anext(link.messages())).data == b"me"


async def test_acl_denial_is_counted(mosquitto_path: Path, tmp_path: Path) -> None:
    """Publishing where the ACL does not allow is acknowledged by the broker and counted as denied by the link."""
    async with (
        Broker(tmp_path, kind="mosquitto", acl="topic readwrite mine/#\n") as broker,
        Link(endpoint(broker)) as link,
    ):
        await link.publish("mine/a", b"x")
        await link.publish("theirs/a", b"x")
        assert link.counts.denied == 1


async def test_port_in_use_is_told(tmp_path: Path, mosquitto_path: Path) -> None:
    """A broker that cannot listen says so and does not hang."""
    async with Broker(tmp_path / "one", kind="mosquitto") as first:
        second = Broker(tmp_path / "two", kind="mosquitto", port=first.port)
        try:
            await second.start()
        except BrokerError as cause:
            assert "Address already in use" in str(cause)
        else:
            await until(lambda: second.pid is None)  # the first answered for it; it ended by itself
        finally:
            await second.stop()


def test_embedded_broker_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    """An ACL with the embedded broker is refused, naming what to install."""
    with pytest.raises(BrokerError, match="apt-get install mosquitto"):
        Broker(tmp_path, kind="embedded", acl="topic read a\n")


def test_mosquitto_is_found_where_debian_puts_it(mosquitto_path: Path) -> None:
    """An ordinary user's PATH lacks /usr/sbin; it is found all the same."""
    assert find_mosquitto() == mosquitto_path


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
