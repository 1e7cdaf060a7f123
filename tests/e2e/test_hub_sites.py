"""What a gateway should run and what it says it runs, on a real broker."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.sites import SiteState
from protocol.faults import Fault
from protocol.link import Endpoint, Link
from protocol.messages import Config, Outcome, Reply, Result
from protocol.topics import Channel, topic
from simulators.broker import Broker
from tests.support.centre import AREA, Running, SaidGateway, gateway, running
from tests.support.wait import until

KEY = (AREA, "gw-1")
BASE = """
[gateway]
id = "gw-1"
area = "town"

[[premises]]
id = "h1"
kind = "household"
groups = ["old"]

[[premises]]
id = "h9"
kind = "household"
"""
MEMBERS = ["h1", "h2", "h3", "works"]


async def put(hub: Running, text: str = BASE, name: str = "anna", where: str = "town/gw-1") -> httpx.Response:
    """Give the hub an installer's file."""
    async with hub.api(name) as api:
        return await api.put(f"/api/v1/configs/{where}", json={"toml": text})


async def shown(hub: Running) -> dict[str, Any]:
    """What the API says of the gateway."""
    async with hub.api("vera") as api:
        items = (await api.get("/api/v1/configs", params={"area": AREA})).json()["items"]
    return dict(next(item for item in items if item["gateway"] == "gw-1"))


async def answer(said: SaidGateway, config: Config, outcome: Outcome, *faults: Fault) -> None:
    """The gateway's reply to a configuration."""
    reply = Reply(1, said.instance, said.boot, f"config-{config.sha256[:16]}", [Result(None, outcome)], list(faults))
    await said.say(Channel.REPLY, reply)


async def told(hub: Running, state: SiteState) -> None:
    """Wait for the gateway's state; the metric says the same."""
    await until(lambda: hub.parts.sites.state(*KEY) is state)
    assert state.value == (await shown(hub))["state"]
    assert 1.0 <= await hub.counted(f'lianfang_gateway_configs{{state="{state}"}}')


async def test_a_configuration_from_the_installer_s_file_to_the_gateway(broker: Broker, tmp_path: Path) -> None:
    """None, waiting, stored, runs, and drifts when the gateway comes back with something else."""
    async with running(tmp_path, broker) as hub, gateway(broker) as said:
        await said.birth()
        await told(hub, SiteState.NONE)
        done = await put(hub)
        assert 200 == done.status_code, done.text
        await until(lambda: said.configs)
        config = said.configs[0]
        assert hashlib.sha256(config.toml.encode()).hexdigest() == config.sha256
        assert MEMBERS == tomllib.loads(config.toml)["group"][0]["members"]
        await told(hub, SiteState.WAITING)
        differences = (await shown(hub))["differences"]
        assert "h9 is wired here and not in the registry: nobody is called for it" == differences[0]
        await answer(said, config, Outcome.DONE)
        await told(hub, SiteState.STORED)
        said.instance = "d" * 32
        await said.birth(config=config.sha256)
        await told(hub, SiteState.RUNS)
        said.instance = "e" * 32
        said.boot += 1
        await said.birth(config="a" * 64)
        await told(hub, SiteState.DRIFTS)
        await until(lambda: len(said.configs) > 1)
        assert {config.sha256} == {one.sha256 for one in said.configs}


async def test_a_refused_one_is_shown_with_its_faults(broker: Broker, tmp_path: Path) -> None:
    """The gateway's own words; it is not sent again until it is another."""
    fault = Fault("config", "zone", "0 tables", "1 to 1000 of [[zone]]")
    async with running(tmp_path, broker) as hub, gateway(broker) as said:
        await said.birth()
        await put(hub)
        await until(lambda: said.configs)
        await answer(said, said.configs[0], Outcome.REFUSED, fault)
        await told(hub, SiteState.REFUSED)
        assert [{"where": "config", "key": "zone", "value": "0 tables", "allowed": fault.allowed}] == (
            await shown(hub)
        )["faults"]
        await put(hub, BASE + "\n[limits]\nabort_ms = 1\n")
        await until(lambda: len({one.sha256 for one in said.configs}) == 2)
        await told(hub, SiteState.WAITING)


async def test_it_is_retained_and_outlives_the_hub(broker: Broker, tmp_path: Path) -> None:
    """A gateway that was away gets it when it comes; a hub that starts anew publishes the same."""
    async with running(tmp_path, broker) as hub:
        await put(hub)
        await told(hub, SiteState.WAITING)
        await until(lambda: hub.parts.sites.of(*KEY).published_ms)
        digest = hub.parts.sites.of(*KEY).digest
        async with Link(Endpoint(host=broker.host, port=broker.port, client_id="late")) as late:
            await late.subscribe([topic(*KEY, Channel.CONFIG)])
            async for message in late.messages():
                assert message.retain
                assert digest.encode() in message.data
                break
    async with running(tmp_path, broker) as hub:
        await until(lambda: hub.parts.sites.of(*KEY).published_ms)
        assert digest == hub.parts.sites.of(*KEY).digest


@pytest.mark.parametrize(
    ("name", "where", "text", "status", "said"),
    [
        ("olga", "town/gw-1", BASE, 403, "this takes the role admin"),
        ("anna", "town/gw-9", BASE, 404, "no gateway gw-9"),
        ("anna", "town/gw-2", BASE, 422, "area 'town' and id 'gw-2'"),
        ("anna", "town/gw-1", "[gateway", 422, "TOML in UTF-8"),
        ("anna", "town/gw-1", "[gateway]\nid = 'gw-1'\narea = 'town'\npremises = 3\n", 422, "[[premises]]"),
    ],
)
async def test_a_file_that_is_not_its_is_refused(
    broker: Broker, tmp_path: Path, name: str, where: str, text: str, status: int, said: str
) -> None:
    """With what is allowed; nothing is kept of it."""
    async with running(tmp_path, broker) as hub:
        found = await put(hub, text, name, where)
        assert (status, True) == (found.status_code, said in found.text), found.text
        assert not list(hub.data.glob("sites/*/*"))


async def test_coverage_by_village(broker: Broker, tmp_path: Path) -> None:
    """Enrolled households by station; a person sees the own areas alone."""
    async with running(tmp_path, broker) as hub:
        async with hub.api("otto") as api:
            (village,) = (await api.get("/api/v1/coverage")).json()["items"]
            assert 403 == (await api.get("/api/v1/coverage", params={"area": "other"})).status_code
        assert ("town", "st", 3, None, False) == (
            village["area"],
            village["station"],
            village["enrolled"],
            village["share"],
            village["demonstration"],
        )
