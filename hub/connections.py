"""The hub's two MQTT connections: the tasks that carry what the downlink says and hears."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.downlink import Downlink
from hub.outgoing import Outgoing
from hub.settings import Mqtt
from protocol.faults import Fault, Refused
from protocol.link import INFLIGHT_MAX, Backoff, Endpoint, Link, LinkError, Said, keep_linked
from protocol.records import Lane
from protocol.tls import Tls

BACKOFF = Backoff(first_s=0.2, cap_s=10.0)
TURN_S = 0.005
"""How long messages are handed on without a pause for the others."""
INBOX_MAX = 4_000
"""Messages of a lane between the broker and the gate; the newest is discarded beyond, and sent again."""
ANNOUNCE_S_MAX = 2.0


def credentials(mqtt: Mqtt) -> tuple[Tls | None, str | None]:
    """The TLS files, if the connection is TLS, and the password. Raises Refused for a password that cannot be read.

    Whether the TLS files would connect is seen at each connection: they may be renewed while the hub runs.
    """
    tls = Tls(mqtt.ca, mqtt.cert, mqtt.key) if mqtt.ca and mqtt.cert and mqtt.key else None
    if mqtt.password_file is None:
        return tls, None
    try:
        return tls, mqtt.password_file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as cause:
        fault = Fault(str(mqtt.password_file), "mqtt.password_file", str(cause), "a readable file in UTF-8")
        raise Refused([fault]) from cause


def secret_name(private: Ed25519PrivateKey) -> str:
    """What the names of this hub's connections end in at the broker; nobody else knows it.

    A broker ends the older of two connections under one name: whoever guessed it could keep the hub off, and no access
    list forbids a name. A copy of this hub has the same key, so that the two are not both heard.
    """
    derived = HKDF(algorithm=SHA256(), length=8, salt=None, info=b"lf/1/client-id")
    return f"-{derived.derive(private.private_bytes_raw()).hex()}"


class Connections:
    """Keeps both connections up, under names that end in `secret`."""

    def __init__(self, downlink: Downlink, mqtt: Mqtt, secret: str) -> None:
        self.downlink = downlink
        self._mqtt = mqtt
        self._secret = secret
        self._rng = random.Random()
        self._alarm: Link | None = None

    async def run(self, lane: Lane) -> None:
        """Keep one lane's connection, for ever."""

        async def serve(link: Link) -> None:
            await self._serve(link, lane)

        def down(why: str, wait_s: float) -> None:
            self.downlink.failed(lane, why, wait_s)

        await keep_linked(self._linker(lane), serve, backoff=BACKOFF, rng=self._rng, on_down=down)

    async def farewell(self) -> None:
        """Say that this hub goes."""
        if self._alarm is not None and self._alarm.down is None:
            await _say(self._alarm, self.downlink.farewell())

    async def _serve(self, link: Link, lane: Lane) -> None:
        down = self.downlink
        await link.subscribe(down.filters(lane))
        if lane is Lane.ALARM:
            self._alarm = link
        for said in down.greeting(lane):
            await _say(link, said)
        down.begin(lane, str(link.endpoint))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(link), name=f"{lane} in")
                tasks.create_task(publish(link, down.outgoing[lane]), name=f"{lane} out")
        except* LinkError as group:
            raise LinkError(str(group.exceptions[0])) from None
        finally:
            if self._alarm is link:
                self._alarm = None

    async def _read(self, link: Link) -> None:
        """Hand on what came, and let others run now and then when there is much of it."""
        clock = asyncio.get_running_loop().time
        turn_s = clock()
        async for message in link.messages():
            self.downlink.heard(message)
            if clock() - turn_s > TURN_S:
                await asyncio.sleep(0)
                turn_s = clock()

    def _linker(self, lane: Lane) -> Callable[[], Link]:
        mqtt, down = self._mqtt, self.downlink
        tls, password = credentials(mqtt)

        def make() -> Link:
            endpoint = Endpoint(
                host=mqtt.host,
                port=mqtt.port,
                client_id=down.client_id(lane),
                secret=self._secret,
                tls=tls,
                username=mqtt.username,
                password=password,
                inbox_max=INBOX_MAX,
            )
            return Link(endpoint, down.will(lane))

        return make


async def publish(link: Link, outgoing: Outgoing) -> None:
    """Publish what waits side by side, never more at once than the broker takes, until the link fails.

    Raises LinkError.
    """
    free, wake = asyncio.Semaphore(INFLIGHT_MAX), asyncio.Event()
    outgoing.on_news = wake.set
    failed: list[LinkError] = []

    async def one(said: Said) -> None:
        try:
            await link.publish(said.topic, said.data, qos=1, retain=said.retain)
        except LinkError as cause:
            failed.append(cause)
            wake.set()
        finally:
            free.release()

    async with asyncio.TaskGroup() as tasks:
        while not failed:
            await free.acquire()
            wake.clear()
            if (said := outgoing.take()) is not None:
                tasks.create_task(one(said))
                continue
            free.release()
            if not failed:
                await wake.wait()
    raise failed[0]


async def _say(link: Link, said: Said) -> None:
    await link.publish(said.topic, said.data, retain=said.retain, timeout_s=ANNOUNCE_S_MAX)
