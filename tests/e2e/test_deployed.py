"""A centre set up by the guide's own commands and files: who comes in, who does not, and a press through all of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from edge.config import load as load_site
from edge.profiles import load_profiles
from protocol.link import Endpoint, Link, LinkError
from protocol.tls import Tls
from protocol.topics import UP, Channel, filters, topic
from simulators.centre import Centre
from simulators.children import Child, free_port, start
from simulators.plant import Plant
from tests.support.documented import ROOT, Machine, sections
from tests.support.pki import Authority
from tests.support.wait import until

GUIDE = sections(ROOT / "docs" / "deploying.md")
BROKER, HUB = 8883, 8080
SITE = ROOT / "firmware_configs" / "sites" / "station-east.toml"
LIMIT_S = 120.0
"""Two programs start within it on the most loaded machine."""
CONNECT = b"\x10\x11\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x04test"


class Place(Machine):
    """A machine after steps 2 to 4; what they printed is kept."""

    printed = ""

    def held(self, name: str) -> Tls:
        """A holder's files."""
        at = self.home / "authority"
        return Tls(at / "ca.pem", at / f"{name}.pem", at / f"{name}.key")

    def link(self, name: str) -> Link:
        """A holder's connection to the broker, by the name that stands in its certificate."""
        end = Endpoint(host="localhost", port=self.ports[BROKER], client_id=f"t-{name}", tls=self.held(name))
        return Link(end)

    @property
    def token(self) -> str:
        """The administrator's, as it was shown."""
        found = re.search(r"^[A-Za-z0-9+/]{32}$", self.printed, re.MULTILINE)
        assert found is not None
        return found[0]

    @property
    def public(self) -> str:
        """The hub's public key, raw and in base64."""
        found = re.search(r"-----BEGIN.*END PUBLIC KEY-----", self.printed, re.DOTALL)
        assert found is not None
        return base64.b64encode(load_pem_public_key(found[0].encode()).public_bytes_raw()).decode()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The guide's commands, run as they stand there."""
    made = Place(tmp_path_factory.mktemp("centre"), {BROKER: free_port(), HUB: free_port()})
    for title in ("2. Certificates", "3. The broker", "4. The hub"):
        made.printed += made.run(GUIDE[title])
    yield made


@contextlib.asynccontextmanager
async def mosquitto(place: Place, path: Path) -> AsyncIterator[Child]:
    """The broker by its shipped file."""
    child = await start("mosquitto", [str(path), "-c", str(place.mosquitto())], place.root / "broker.log")
    try:
        await up(place, child)
        yield child
    finally:
        await child.stop()


async def up(place: Place, child: Child) -> None:
    """Wait until the broker takes somebody it knows."""

    async def taken() -> bool:
        child.check()
        with contextlib.suppress(OSError):
            return await answer(place, known(place.held("hub"))) != b""
        return False

    async with asyncio.timeout(20):
        while not await taken():  # noqa: ASYNC110  # it is asked over the network
            await asyncio.sleep(0.02)


def known(tls: Tls | None, ca: Path | None = None) -> ssl.SSLContext:
    """A client that shows these files, or none."""
    context = ssl.create_default_context(cafile=str(ca or (tls.ca if tls else "")))
    if tls is not None:
        context.load_cert_chain(tls.cert, tls.key)
    return context


async def answer(place: Place, context: ssl.SSLContext | None) -> bytes:
    """What the broker answers to a CONNECT; nothing when it hangs up. Raises OSError."""
    name = "localhost" if context else None
    reader, writer = await asyncio.open_connection("127.0.0.1", place.ports[BROKER], ssl=context, server_hostname=name)
    try:
        writer.write(CONNECT)
        await writer.drain()
        return await asyncio.wait_for(reader.read(4), 10)
    except (ssl.SSLError, ConnectionError):
        return b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_only_who_the_authority_signed_comes_in(place: Place, mosquitto_path: Path, tmp_path: Path) -> None:
    """Plain, nameless, of another authority, and the broker's own certificate: the broker hangs up on each."""
    stranger = Authority(tmp_path / "pki", "authority of the centre").issue("gw-east")
    ca = place.held("hub").ca
    strangers = Tls(ca, stranger.cert, stranger.key)
    async with mosquitto(place, mosquitto_path):
        assert 0x20 == (await answer(place, known(place.held("gw-east"))))[0]
        assert b"" == await answer(place, None)
        assert b"" == await answer(place, known(None, ca))
        assert b"" == await answer(place, known(strangers))
        assert b"" == await answer(place, known(place.held("broker")))


@pytest.mark.parametrize(("name", "purpose"), [("broker", "sslserver"), ("web", "sslserver"), ("gw-east", "sslclient")])
def test_a_gateway_s_certificate_makes_no_broker(place: Place, name: str, purpose: str) -> None:
    """Each holds for the one thing it was made for, and not for the other."""
    other = {"sslserver": "sslclient", "sslclient": "sslserver"}[purpose]
    tls = place.held(name)

    def good(one: str) -> bool:
        argv = ["openssl", "verify", "-CAfile", str(tls.ca), "-purpose", one, str(tls.cert)]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    assert (True, False) == (good(purpose), good(other))


async def hears(link: Link, found: list[str]) -> None:
    with contextlib.suppress(LinkError):
        async for message in link.messages():
            found.append(message.topic)


async def said(link: Link, gateway: str) -> None:
    """Publish as a gateway; whether it may is seen at the other end."""
    with contextlib.suppress(LinkError):
        await link.publish(topic("hengjie", gateway, Channel.ALARM), b"{}")


async def test_a_gateway_speaks_for_itself_until_it_is_shut_out(place: Place, mosquitto_path: Path) -> None:
    """It says what is its own and nothing of another; after step 10 it says nothing at all, and others go on."""
    heard: list[str] = []
    acl = place.path("/etc/mosquitto/lianfang/broker.acl")
    before = acl.read_bytes()
    mine, others = (topic("hengjie", name, Channel.ALARM) for name in ("gw-west", "gw-east"))
    async with (
        mosquitto(place, mosquitto_path) as broker,
        place.link("hub") as hub,
        place.link("gw-west") as west,
        place.link("gw-east") as east,
        asyncio.TaskGroup() as tasks,
    ):
        await hub.subscribe(filters(UP))
        reading = tasks.create_task(hears(hub, heard))
        await said(west, "gw-east")
        await said(west, "gw-west")
        await until(lambda: heard)
        assert [mine] == heard
        place.run(GUIDE["10. A stolen gateway"])
        broker.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(20):
            while True:
                heard.clear()
                await said(west, "gw-west")
                await said(east, "gw-east")
                await until(lambda: others in heard)
                if mine not in heard:  # the list is read anew at the broker's leisure
                    break
        reading.cancel()
    acl.write_bytes(before)


async def test_a_renewed_certificate_is_shown_and_nobody_is_cut_off(place: Place, mosquitto_path: Path) -> None:
    """After step 9 and a reload new connections see the new one; those that stand go on."""

    async def shown() -> int:
        _, writer = await asyncio.open_connection("localhost", place.ports[BROKER], ssl=known(place.held("hub")))
        try:
            der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            return x509.load_der_x509_certificate(der).serial_number
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async with mosquitto(place, mosquitto_path) as broker, place.link("gw-east") as standing:
        before = await shown()
        place.run(GUIDE["9. When a certificate runs out"])
        broker.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(20):
            while await shown() == before:  # noqa: ASYNC110  # it is asked over the network
                await asyncio.sleep(0.02)
        await standing.publish(topic("hengjie", "gw-east", Channel.ALARM), b"{}")
        assert standing.down is None


@contextlib.asynccontextmanager
async def program(name: str, folder: Path, *argv: str) -> AsyncIterator[Child]:
    child = await start(name, [sys.executable, "-m", "lianfang", *argv], folder / f"{name}.log")
    try:
        yield child
    finally:
        await child.stop()


@contextlib.asynccontextmanager
async def station(place: Place, folder: Path) -> AsyncIterator[Plant]:
    """The station's gateway on its wires, with the certificate of step 2."""
    wires = Path(tempfile.mkdtemp(prefix="lf-"))  # a Unix socket's path is short
    try:
        async with Plant(load_site(SITE, load_profiles(), {}), wires) as plant:
            tls = place.held("gw-east")
            values = plant.overrides | {
                "mqtt.host": "localhost", "mqtt.port": place.ports[BROKER], "mqtt.tls.ca": str(tls.ca),
                "mqtt.tls.cert": str(tls.cert), "mqtt.tls.key": str(tls.key),
                "gateway.data_dir": str(folder / "gw-east"), "hub_keys.hub-1": place.public,
            }  # fmt: skip
            sets = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
            async with program("gateway", folder, "edge", "run", str(SITE), *sets):
                yield plant
    finally:
        shutil.rmtree(wires)


async def test_a_press_goes_through_and_outlives_the_broker(place: Place, mosquitto_path: Path, tmp_path: Path) -> None:
    """While hub and gateway are kept apart a button is pressed, then the broker is killed and loses its memory."""
    config = place.path("/etc/lianfang/hub.toml")
    async with (
        mosquitto(place, mosquitto_path) as broker,
        station(place, tmp_path) as plant,
        Centre(f"http://127.0.0.1:{place.ports[HUB]}", place.token) as centre,
    ):

        async def gateway_online() -> bool:
            with contextlib.suppress(OSError):
                return any(one["id"] == "gw-east" and one["online"] for one in await centre.gateways())
            return False

        async with program("hub", tmp_path, "hub", "run", str(config)), asyncio.timeout(LIMIT_S):
            while not await gateway_online():  # noqa: ASYNC110  # it is asked over HTTP
                await asyncio.sleep(0.05)
        plant.trip("h03-panic")
        await until(lambda: plant.switched("h01-siren"))
        await broker.kill()
        for file in place.path("/mosquitto/data").iterdir():
            file.unlink()
        async with (
            mosquitto(place, mosquitto_path),
            program("hub", tmp_path, "hub", "run", str(config)),
            asyncio.timeout(LIMIT_S),
        ):
            found: list[str] = []
            while not found:
                with contextlib.suppress(OSError):
                    found = [one["rule"] for one in await centre.incidents()]
                await asyncio.sleep(0.05)
    assert ["panic"] == found
