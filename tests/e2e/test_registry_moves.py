"""A household moves to another group in the registry, and its gateway rings the right neighbours afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from hub.registry.command import app
from simulators.village import CONFIGS, SITES, Village
from tests.support.wait import until

AREA = "hengjie"
MOVED = "h08"
EAST_HERE = {f"h{number:02}" for number in range(1, 9)}
WEST = {f"h{number}" for number in range(11, 21)}
LIMIT_S = 40.0


async def configs(village: Village) -> dict[str, dict[str, Any]]:
    """What the hub shows of each gateway's configuration; nothing while it does not answer."""
    headers = {"Authorization": f"Bearer {village.token}"}
    async with httpx.AsyncClient(base_url=village.url, headers=headers, trust_env=False) as client:
        try:
            items = (await client.get("/api/v1/configs", params={"area": AREA})).json()["items"]
        except httpx.HTTPError:
            return {}
    return {item["gateway"]: item for item in items}


async def all_run(village: Village, before: dict[str, dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    """Wait until both gateways run what they should, and that is another than before."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            found = {name: one for name, one in (await configs(village)).items() if name in village.plants}
            same = [name for name, one in found.items() if before and before[name]["desired"] == one["desired"]]
            if found and not same and {"runs"} == {one["state"] for one in found.values()}:
                return found
            await asyncio.sleep(0.1)


def rung(village: Village) -> set[str]:
    """Whose siren began to sound at least once."""
    return {
        output.premises
        for plant in village.plants.values()
        for output in plant.config.site.outputs
        if output.role == "siren" and any(move.on for move in plant.switched(output.id))
    }


def move(village: Village, folder: Path) -> str:
    """Import a registry in which the household is in group west, while the hub runs; what was said."""
    shutil.copytree(CONFIGS / "registry" / "hengjie", folder)
    groups = folder / "groups.csv"
    text = groups.read_text(encoding="utf-8").replace(f" {MOVED}", "").replace("h11 h12", f"{MOVED} h11 h12")
    groups.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["import", str(village.folder / "hub.toml"), str(folder), "--by", "test"])
    assert f"premises {AREA}/{MOVED} moved: groups east → west" in done.output
    assert 0 == done.exit_code, done.output
    return done.output


async def test_a_household_that_moved_rings_its_new_neighbours(tmp_path: Path, mosquitto_path: Path) -> None:
    """The gateways get the new groups and start anew by themselves; the next presses ring whom the registry says. The
    hub is told of the import, and does not pause."""
    registry, sites = tmp_path / "registry", tmp_path / "sites"
    shutil.copytree(CONFIGS / "registry" / "hengjie", registry)
    (sites / AREA).mkdir(parents=True)
    for path, gateway in zip(SITES, ("gw-east", "gw-west"), strict=False):
        shutil.copy(path, sites / AREA / f"{gateway}.toml")
    settings = {"hub.sites": str(sites)}
    async with Village(
        tmp_path, sites=SITES[:2], registry=registry, broker_kind="mosquitto", settings=settings
    ) as village:
        before = await all_run(village)
        installers = hashlib.sha256(SITES[0].read_bytes()).hexdigest()
        assert installers == before["gw-east"]["desired"] == before["gw-east"]["running"]
        said = await asyncio.to_thread(move, village, tmp_path / "moved")
        assert "was told" in said
        after = await all_run(village, before)
        assert all(after[name]["running"] != before[name]["running"] for name in village.plants)
        await village.ready()

        village.plant(f"{MOVED}-panic").trip(f"{MOVED}-panic")
        await until(lambda: rung(village) >= WEST, limit_s=LIMIT_S)
        assert set() == rung(village) & EAST_HERE

        await village.broker.kill()
        village.plant("h03-panic").trip("h03-panic")
        await until(lambda: rung(village) & EAST_HERE == EAST_HERE - {"h03", MOVED}, limit_s=LIMIT_S)
