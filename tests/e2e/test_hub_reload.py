"""Another registry while the hub runs: by a signal and by request, refused when it is bad, whole after any crash."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.core.incident import Incident
from hub.core.reloaded import Cause, Reloaded
from hub.past import Past, input_of
from hub.registry import load
from protocol.messages import Action, Order
from simulators.broker import Broker
from tests.e2e.test_hub_process import hub, lianfang, well
from tests.support.centre import AREA, REGISTRY, Running, SaidGateway, gateway, running
from tests.support.wait import until

TOKEN = {"Authorization": "Bearer token of susi"}
MORE = REGISTRY.replace('"h3", "works"]', '"h3", "works", "h4"]').replace(
    "zone = [", 'zone = [\n  { id = "h4-panic", area = "town", premises = "h4", kind = "panic" },'
)
MORE = MORE.replace(
    "premises = [", 'premises = [\n  { id = "h4", area = "town", kind = "household", gateway = "gw-3" },', 1
).replace("gateway = [", 'gateway = [\n  { id = "gw-3", area = "town", profile_ms = 20_000 },', 1)
"""Household h4 moved into group g1, with a gateway of its own."""
WITHOUT_GW2 = REGISTRY.replace('  { id = "gw-2", area = "town", profile_ms = 20_000 },\n', "").replace("gw-2", "gw-1")
"""Gateway gw-2 is gone: its premises are wired to gw-1."""

ANOTHER = WITHOUT_GW2.replace('"works"]', '"works", "h4"]').replace(
    "premises = [", 'premises = [\n  { id = "h4", area = "town", kind = "household", gateway = "gw-1" },', 1
)

KILLED_AFTER_S = (0.0, 0.01, 0.03, 0.06)


def put(folder: Path, text: str) -> str:
    """Put a registry in place of the hub's at one stroke, as an editor does; its digest."""
    fresh = folder / "registry.new.toml"
    fresh.write_text(text, encoding="utf-8")
    digest = load(fresh).registry.digest if text in (REGISTRY, MORE, WITHOUT_GW2) else ""
    fresh.replace(folder / "registry.toml")
    return digest


async def ordered(gw: SaidGateway, keys: Path, action: Action) -> Order:
    """Wait for the newest order of this kind."""
    await until(lambda: any(order.action is action for order in gw.orders(keys)))
    return [order for order in gw.orders(keys) if order.action is action][-1]


async def shown(url: str) -> dict[str, Any]:
    """What the API says of the registry; nothing while the hub does not answer."""
    async with httpx.AsyncClient(base_url=url, headers=TOKEN, trust_env=False, timeout=20) as client:
        with contextlib.suppress(httpx.TransportError):
            return dict((await client.get("/api/v1/registry")).json())
    return {}


async def in_force(url: str, digest: str) -> dict[str, Any]:
    """Wait until this registry is."""
    async with asyncio.timeout(40):
        while True:
            if (found := await shown(url)).get("digest") == digest:
                return found
            await asyncio.sleep(0.05)


def reloads(data: Path) -> list[Reloaded]:
    """What the journal says of reloads."""
    with contextlib.closing(Past(f"sqlite:///{data / 'journal.db'}")) as past:
        taken = [input_of(entry) for entry in past.entries()]
    return [one for one in taken if isinstance(one, Reloaded)]


async def test_a_signal_puts_another_registry_in_force(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real process: a new household is called from then on, both areas have it in their journal, a bad registry
    changes nothing and is said, and the journal replays to what the hub shows."""
    async with hub(tmp_path, broker) as (child, config, url), gateway(broker) as gw, gateway(broker, "gw-3") as new:
        await well(child, url)
        before = (await shown(url))["digest"]
        digest = put(tmp_path, MORE)
        child.process.send_signal(signal.SIGHUP)
        told = await in_force(url, digest)
        assert {"gateway": {"added": 1}, "group": {"changed": 1}, "premises": {"added": 1}, "zone": {"added": 1}} == {
            name: told["last"]["changes"][name] for name in ("gateway", "group", "premises", "zone")
        }
        await gw.press()
        order = await ordered(new, tmp_path / "data", Action.SIREN)
        assert (["h4"], "town") == (order.premises, order.area)

        put(tmp_path, "area = 3")
        child.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(40):
            while True:
                if (found := await shown(url))["last"]["faults"]:
                    break
                await asyncio.sleep(0.05)
        assert (digest, False) == (found["digest"], found["last"]["taken"])
        assert "the one before stays in force" in child.log.read_text(encoding="utf-8")

        put(tmp_path, MORE)
        monkeypatch.setenv("LIANFANG_TOKEN", "token of susi")
        entries = reloads(tmp_path / "data")
        expected = [(area, Cause.SIGNAL, before, digest) for area in ("other", "town")]
        assert expected == [(one.area, one.cause, one.before, one.after) for one in entries]
        code, out, err = await lianfang("journal", "replay", str(config), "--api", url)
        assert 0 == code, out + err


async def reload(running: Running, name: str, **more: object) -> httpx.Response:
    """Ask for it by the API."""
    async with running.api(name) as api:
        return await api.post("/api/v1/registry/reload", json={"why": "the lists of November"} | more)


async def test_a_request_says_who_and_why(broker: Broker, tmp_path: Path) -> None:
    """A supervisor may, an operator may not; the answer and the journal say who it was and why, and what changed."""
    async with running(tmp_path, broker) as centre:
        digest = put(tmp_path, MORE)
        assert 403 == (await reload(centre, "olga")).status_code
        answer = await reload(centre, "susi")
        town = next(one for one in answer.json()["areas"] if one["area"] == AREA)
        assert (200, digest, "susi", "the lists of November", "request") == (
            answer.status_code,
            *(answer.json()["digest"], town["by"], town["why"], town["cause"]),
        )
        again = (await reload(centre, "anna")).json()["last"]
        assert (False, []) == (again["taken"], again["faults"])
        assert 2 == len(reloads(centre.data))
        assert {"susi", "the lists of November"}.isdisjoint({one.by for one in reloads(centre.data)})
        assert 1.0 == await centre.counted('lianfang_registry_reloads_total{outcome="taken"}')


@pytest.mark.parametrize("bad", ["area = 3", REGISTRY.replace('"h1", "h2"', '"h1", "h9"'), ""])
async def test_a_bad_registry_leaves_the_one_before(bad: str, broker: Broker, tmp_path: Path) -> None:
    """Every fault is in the answer; the hub judges as before, and says that it is in trouble until one is good."""
    async with running(tmp_path, broker) as centre:
        before = centre.parts.registry
        put(tmp_path, bad)
        answer = await reload(centre, "susi")
        assert (422, True) == (answer.status_code, bool(answer.json()["faults"]))
        assert before is centre.parts.registry
        assert "registry" in centre.parts.troubles.standing
        async with centre.api(None) as client:
            health = (await client.get("/healthz")).json()
        assert ("degraded", centre.parts.troubles.standing["registry"].why) == (health["status"], health["registry"])
        put(tmp_path, MORE)
        assert 200 == (await reload(centre, "susi")).status_code
        assert {} == centre.parts.troubles.standing


async def test_nobody_is_taken_out_while_somebody_goes_there(broker: Broker, tmp_path: Path) -> None:
    """A registry without the household that calls for help is refused, unless whoever asks says that it is meant."""
    async with running(tmp_path, broker) as centre:
        async with gateway(broker) as gw:
            await gw.press()
            await until(lambda: bool(centre.parts.desk.incidents()))
        gone = REGISTRY.replace('["h1", ', "[").replace('head = "h1"', 'head = "h2"')
        gone = "\n".join(line for line in gone.splitlines() if not line.strip().startswith('{ id = "h1'))
        put(tmp_path, gone)
        refused = await reload(centre, "susi")
        assert (422, True) == (refused.status_code, "is open there" in refused.json()["faults"][0]["value"])
        assert 200 == (await reload(centre, "susi", force=True)).status_code


async def test_who_was_called_is_stood_down_where_it_rang(broker: Broker, tmp_path: Path) -> None:
    """A gateway leaves the registry while its sirens sound: it still hears that it is over."""
    async with running(tmp_path, broker) as centre, gateway(broker) as gw, gateway(broker, "gw-2") as old:
        await gw.press()
        assert {"h3", "works"} == set((await ordered(old, centre.data, Action.SIREN)).premises)
        put(tmp_path, WITHOUT_GW2)
        assert 200 == (await reload(centre, "susi")).status_code
        async with centre.api("olga") as api:
            (one,) = (await api.get("/api/v1/incidents")).json()["items"]
            path = f"/api/v1/incidents/{AREA}/{one['id']}"
            await api.post(f"{path}/accept")
            await api.post(f"{path}/resolve", json={"disposition": "test"})
        assert {"h3", "works"} == set((await ordered(old, centre.data, Action.STAND_DOWN)).premises)
        found: Incident | None = centre.parts.desk.incident(AREA, one["id"])
        assert found is not None and {"h2", "h3", "works"} == set(found.calls)


async def test_gateways_are_told_their_groups(broker: Broker, tmp_path: Path) -> None:
    """A gateway whose group has a new member is told so at once, and one that left that it has no group."""
    base = '[gateway]\nid = "{0}"\narea = "town"\n\n[[premises]]\nid = "{1}"\nkind = "household"\n'
    for name, home in (("gw-1", "h1"), ("gw-2", "h3")):
        path = tmp_path / "data" / "sites" / AREA / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(base.format(name, home), encoding="utf-8")
    async with running(tmp_path, broker) as centre, gateway(broker) as gw, gateway(broker, "gw-2") as old:
        await until(lambda: all(one.configs for one in (gw, old)))
        assert all('"works"' in one.configs[-1].toml for one in (gw, old))
        put(tmp_path, ANOTHER)
        assert 200 == (await reload(centre, "susi")).status_code
        await until(lambda: '"h4"' in gw.configs[-1].toml and "works" not in old.configs[-1].toml)


async def test_killed_in_the_midst_it_is_the_old_or_the_new(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any moment of a reload, the next start judges by one registry in all areas, and its journal replays."""
    monkeypatch.setenv("LIANFANG_TOKEN", "token of susi")
    digests = [put(tmp_path, text) for text in (MORE, REGISTRY)]
    for turn, after_s in enumerate(KILLED_AFTER_S):
        async with hub(tmp_path, broker) as (child, config, url):
            put(tmp_path, (REGISTRY, MORE)[turn % 2])
            await well(child, url)
            put(tmp_path, (MORE, REGISTRY)[turn % 2])
            child.process.send_signal(signal.SIGHUP)
            await asyncio.sleep(after_s)
            await child.kill()
        after = [one.after for one in reloads(tmp_path / "data")]
        assert all(after.count(digest) % 2 == 0 for digest in digests), "each of both areas, or none"
    async with hub(tmp_path, broker) as (child, config, url):
        await well(child, url)
        code, out, err = await lianfang("journal", "replay", str(config), "--api", url)
        assert 0 == code, out + err
