"""The link against a real broker: bounded, honest about loss, and closed when its TLS files are not right."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from protocol.codec import SIZE_MAX
from protocol.faults import Refused
from protocol.link import Backoff, Endpoint, Link, LinkError, Will, keep_linked
from protocol.link.client import cut
from protocol.tls import Tls
from simulators.broker import Broker, BrokerTls
from tests.support.pki import Authority
from tests.support.wait import until


def endpoint(broker: Broker, name: str = "one", **more: object) -> Endpoint:
    return Endpoint(host=broker.host, port=broker.port, client_id=name, **more)  # type: ignore[arg-type]


async def test_message_arrives_with_topic_bytes_and_retain(broker: Broker) -> None:
    """What is published retained is what a later subscriber reads."""
    async with Link(endpoint(broker)) as one, Link(endpoint(broker, "two")) as two:
        await one.publish("a/b", b"\x00data", retain=True)
        await two.subscribe(["a/+"])
        assert tuple(await anext(two.messages())) == ("a/b", b"\x00data", True)


async def test_largest_message_passes_and_one_byte_more_is_refused(broker: Broker) -> None:
    """256 KiB goes through; above it nothing is sent and the refusal says how large."""
    async with Link(endpoint(broker)) as link:
        await link.subscribe(["a"])
        await link.publish("a", b"x" * SIZE_MAX)
        with pytest.raises(LinkError, match=f"a: {SIZE_MAX + 1} bytes; at most {SIZE_MAX}"):
            await link.publish("a", b"x" * (SIZE_MAX + 1))
        assert len((await anext(link.messages())).data) == SIZE_MAX


async def test_oversized_arrival_is_cut_and_counted(broker: Broker) -> None:
    """Another's oversized message arrives cut one byte beyond the limit, for the codec to refuse."""
    import aiomqtt

    async with Link(endpoint(broker)) as link:
        await link.subscribe(["a"])
        async with aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as other:
            await other.publish("a", b"x" * (SIZE_MAX * 2), qos=1)
        message = await anext(link.messages())
        assert (len(message.data), link.counts.oversized) == (SIZE_MAX + 1, 1)


async def test_full_inbox_discards_the_newest_and_counts(broker: Broker) -> None:
    """With room for 10 of 25 the first 10 stay."""
    async with Link(endpoint(broker, inbox_max=10)) as link:
        await link.subscribe(["a"])
        for number in range(25):
            await link.publish("a", b"%d" % number)
        await until(lambda: link.counts.received == 25)
        messages = link.messages()
        kept = [(await anext(messages)).data for _ in range(10)]
        assert (kept, link.counts.discarded) == ([b"%d" % number for number in range(10)], 15)


async def test_killed_broker_ends_the_link(broker: Broker) -> None:
    """Readers and publishers of a link hear that its broker is gone."""
    async with Link(endpoint(broker)) as link:
        await broker.kill()
        with pytest.raises(LinkError, match="connection was lost"):
            await anext(link.messages())
        with pytest.raises(LinkError):
            await link.publish("a", b"x")


async def test_publish_in_flight_ends_with_the_link(broker: Broker) -> None:
    """Who waits for an acknowledgement hears at once that the broker died, not after the publish time-out."""
    async with Link(endpoint(broker, publish_timeout_s=3_600.0)) as link:
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        waiting = asyncio.create_task(link.publish("a", b"x"))
        await asyncio.sleep(0)
        await broker.kill()
        with pytest.raises(LinkError, match="connection was lost"):
            await asyncio.wait_for(waiting, 20)


async def test_publish_without_acknowledgement_times_out(broker: Broker) -> None:
    """A broker that stands still costs the time-out, and is named."""
    async with Link(endpoint(broker, publish_timeout_s=0.2)) as link:
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        with pytest.raises(LinkError, match="no acknowledgement in time"):
            await link.publish("a", b"x")
        os.kill(broker.pid, signal.SIGCONT)


async def test_absent_broker_is_named(broker: Broker) -> None:
    """The error says which broker and why."""
    await broker.kill()
    with pytest.raises(LinkError, match=rf"127.0.0.1:{broker.port} as one: Connection refused"):
        async with Link(endpoint(broker)):
            pass


async def silent_server() -> tuple[asyncio.Server, int]:
    """A server that accepts and never says a word."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_server_that_never_answers_is_given_up() -> None:
    """A half-open peer costs a time-out, not for ever."""
    server, port = await silent_server()
    async with server:
        with pytest.raises(LinkError, match="timed out"):
            async with Link(Endpoint(host="127.0.0.1", port=port, client_id="one", connect_timeout_s=0.2)):
                pass


async def test_will_is_sent_when_the_link_is_cut(broker: Broker) -> None:
    """Vanishing without a goodbye lets the broker speak."""
    async with Link(endpoint(broker)) as watcher:
        await watcher.subscribe(["w"])
        link = Link(endpoint(broker, "two"), Will("w", b"gone"))
        await link.__aenter__()
        assert link._client is not None
        cut(link._client)
        assert (await anext(watcher.messages())).data == b"gone"
        await link.__aexit__(None, None, None)


async def test_keep_linked_comes_back_and_tells_each_failure(broker: Broker) -> None:
    """After a restart of the broker the next link serves; the loss was told."""
    served: list[Link] = []
    told: list[str] = []

    async def serve(link: Link) -> None:
        served.append(link)
        async for _ in link.messages():
            pass

    work = keep_linked(
        lambda: Link(endpoint(broker)),
        serve,
        backoff=Backoff(first_s=0.01, cap_s=0.05),
        rng=random.Random(7),
        on_down=lambda why, wait_s: told.append(why),
    )
    task = asyncio.create_task(work)
    await until(lambda: len(served) == 1)
    await broker.kill()
    await until(lambda: told)
    await broker.restart()
    await until(lambda: len(served) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "connection was lost" in told[0]


@pytest.mark.parametrize("attempt", range(0, 40, 3))
def test_backoff_stays_between_half_and_whole_of_its_cap(attempt: int) -> None:
    """Every delay is jittered within [whole / 2, whole], whole doubling to the cap."""
    whole_s = min(30.0, 0.5 * 2**attempt)
    delay_s = Backoff(0.5, 30.0).delay_s(attempt, random.Random(attempt))
    assert whole_s / 2 <= delay_s <= whole_s


@pytest.fixture
async def secured(mosquitto_path: Path, tmp_path: Path) -> object:
    """An authority and a broker that demands certificates of it."""
    authority = Authority(tmp_path / "pki")
    own = authority.issue("broker")
    return authority, Broker(tmp_path / "tls", kind="mosquitto", tls=BrokerTls(own.ca, own.cert, own.key))


Secured = tuple[Authority, Broker]
LEAVES_SOCKET = pytest.mark.filterwarnings(
    "ignore:unclosed.*SSLSocket:ResourceWarning", "ignore:Exception ignored in.*SSLSocket"
)
"""The client library drops the socket of a failed handshake without closing it; the link lets go of it at once."""


async def test_client_certificate_connects(secured: Secured) -> None:
    """A certificate of the authority opens the broker, and messages pass."""
    authority, broker = secured
    mine = authority.issue("gw-1")
    async with broker, Link(endpoint(broker, tls=Tls(mine.ca, mine.cert, mine.key))) as link:
        await link.subscribe(["a"])
        await link.publish("a", b"x")
        assert (await anext(link.messages())).data == b"x"


@LEAVES_SOCKET
async def test_without_certificate_the_broker_refuses(secured: Secured) -> None:
    """A plain connection to a TLS broker is no connection."""
    _, broker = secured
    async with broker:
        with pytest.raises(LinkError):
            async with Link(endpoint(broker, connect_timeout_s=1.0)):
                pass


@LEAVES_SOCKET
async def test_broker_of_another_authority_is_not_trusted(secured: Secured, tmp_path: Path) -> None:
    """The client does not talk to a broker its authority did not sign."""
    authority, broker = secured
    mine = authority.issue("gw-1")
    stranger = Authority(tmp_path / "other", "other-ca")
    async with broker:
        with pytest.raises(LinkError, match="certificate verify failed"):
            async with Link(endpoint(broker, tls=Tls(stranger.ca, mine.cert, mine.key))):
                pass


@LEAVES_SOCKET
async def test_certificate_of_another_authority_is_refused_by_the_broker(secured: Secured, tmp_path: Path) -> None:
    """The broker does not let a stranger's certificate in."""
    authority, broker = secured
    strange = Authority(tmp_path / "other", "other-ca").issue("gw-1")
    async with broker:
        with pytest.raises(LinkError):
            async with Link(endpoint(broker, tls=Tls(authority.ca, strange.cert, strange.key), connect_timeout_s=2.0)):
                pass


@LEAVES_SOCKET
async def test_without_a_clock_the_hours_of_a_certificate_are_not_judged_and_all_else_is(tmp_path: Path) -> None:
    """A machine in 1970 takes a broker for ever out of its time, but none of another authority."""
    authority = Authority(tmp_path / "pki")
    own, mine = authority.issue("broker", timedelta(days=-1)), authority.issue("gw-1")
    stranger = Authority(tmp_path / "other", "other-ca")
    async with Broker(tmp_path / "tls", kind="mosquitto", tls=BrokerTls(own.ca, own.cert, own.key)) as broker:
        with pytest.raises(LinkError, match="expired"):
            async with Link(endpoint(broker, tls=Tls(mine.ca, mine.cert, mine.key))):
                pass
        with pytest.raises(LinkError, match="certificate verify failed"):
            async with Link(endpoint(broker, tls=Tls(stranger.ca, mine.cert, mine.key), timed=False)):
                pass
        async with Link(endpoint(broker, tls=Tls(mine.ca, mine.cert, mine.key), timed=False)) as link:
            await link.subscribe(["a"])
            await link.publish("a", b"x")
            assert (await anext(link.messages())).data == b"x"


async def test_every_bad_tls_file_is_named_and_nothing_is_sent_plain(tmp_path: Path) -> None:
    """Missing, expired and empty files are refused together, before any connection."""
    authority = Authority(tmp_path)
    late = authority.issue("late", timedelta(days=-1))
    (tmp_path / "empty.pem").write_text("")
    link = Link(
        Endpoint(
            host="127.0.0.1",
            port=1,
            client_id="x",
            tls=Tls(tmp_path / "empty.pem", late.cert, tmp_path / "missing.key"),
        )
    )
    with pytest.raises(Refused) as refused:
        await link.__aenter__()
    found = [(fault.key, fault.value.split(" on ")[0]) for fault in refused.value.faults]
    expected = [("tls.ca", "no certificate in it"), ("tls.cert", "expired"), ("tls.key", "No such file or directory")]
    assert found == expected


async def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    """A key that does not fit its certificate is named."""
    authority = Authority(tmp_path)
    one, two = authority.issue("one"), authority.issue("two")
    with pytest.raises(Refused, match=r"tls\.key"):
        await Link(Endpoint(host="127.0.0.1", port=1, client_id="x", tls=Tls(one.ca, one.cert, two.key))).__aenter__()
