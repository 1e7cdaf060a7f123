"""A shop's own keys, loop and siren on real wires: the gateway's program, Modbus, GPIO lines and a real Mosquitto."""

from __future__ import annotations

import base64
import contextlib
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

from edge.config import load
from edge.profiles import load_profiles
from protocol.kinds import Kind
from protocol.messages import Action, Order, Outcome
from protocol.records import Lane
from simulators.broker import Broker
from simulators.children import start
from simulators.gpio import Transition
from simulators.plant import Plant
from tests.support.hub import KEY, ReceiptingHub
from tests.support.wait import until

PROGRAM = "from lianfang import main; main()"
SHOP = Path(__file__).parents[2] / "firmware_configs" / "sites" / "alone" / "shop.toml"


@contextlib.asynccontextmanager
async def running(plant: Plant, hub: ReceiptingHub, port: int, folder: Path) -> AsyncIterator[None]:
    """The gateway's program, until it is killed at the end; the data of the one before is kept."""
    public = base64.b64encode(hub.private.public_key().public_bytes_raw()).decode()
    sets = {**plant.overrides, "mqtt.port": port, "gateway.data_dir": str(folder / "data"), f"hub_keys.{KEY}": public}
    words = [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]
    births = len(hub.births)
    child = await start("shop", [sys.executable, "-c", PROGRAM, "edge", "run", str(SHOP), *words], folder / "shop.log")
    try:
        await until(lambda: not child.running or (plant.chips["wires"].held and len(hub.births) > births), 60)
        child.check()
        yield
    finally:
        await child.kill()


def raised(hub: ReceiptingHub, *kinds: Kind) -> list[tuple[Kind, str, str | None]]:
    """The records of these kinds that arrived, in the order in which they were made."""
    found = sorted(
        (event for event in hub.events.values() if event.kind in kinds), key=lambda event: (event.at.wall_ms, event.seq)
    )
    return [(event.kind, event.qualifier.value, event.zone) for event in found]


async def test_a_shop_armed_by_its_key_stays_armed_through_a_kill_and_is_disarmed_under_duress(
    broker: Broker, tmp_path: Path
) -> None:
    """The key arms; killed, started anew; its loop opens: intrusion and a steady siren; the key's third position ends
    that, calls in silence, and withdraws nothing."""
    config = load(SHOP, load_profiles())
    async with ReceiptingHub(broker.host, broker.port) as hub, Plant(config, tmp_path) as plant:
        siren = plant.chips["wires"]
        async with running(plant, hub, broker.port, tmp_path):
            # A key that stands turned at the very first look was not turned.
            await until(lambda: any(one.point == "zone/shop-key/health" for one in hub.readings.values()), 60)
            plant.trip("shop-key")
            await until(lambda: (Kind.ARMED, "new", None) in raised(hub, Kind.ARMED), 60)
        async with running(plant, hub, broker.port, tmp_path):
            plant.trip("shop-window")
            await siren.until("siren", True, 60)
            plant.trip("shop-key-duress")
            await siren.until("siren", False, 60)
            await until(lambda: len(raised(hub, Kind.DISARMED, Kind.DURESS)) == 2, 60)
            await until(lambda: (Kind.INTRUSION, "restore", "shop-window") in raised(hub, Kind.INTRUSION), 60)
    assert [
        (Kind.INTRUSION, "new", "shop-window"),
        (Kind.DURESS, "new", "shop-key-duress"),
        (Kind.INTRUSION, "restore", "shop-window"),
    ] == raised(hub, Kind.INTRUSION, Kind.DURESS, Kind.CANCEL)  # fmt: skip


async def test_a_shops_siren_counts_out_who_called(broker: Broker, tmp_path: Path) -> None:
    """By order, for the third of its group: the relay beats until it is silenced, and then not once more."""
    config = load(SHOP, load_profiles())
    async with ReceiptingHub(broker.host, broker.port) as hub, Plant(config, tmp_path) as plant:
        async with running(plant, hub, broker.port, tmp_path):
            await until(lambda: hub.seqs(Lane.TELEMETRY), 60)
            times = (hub.hub_ms, hub.hub_ms + 60_000)
            order = Order(
                "o1", "hengjie", "gw-shop", Action.SIREN, *times, premises=["shop"], keys=["k1"], pressed="m03"
            )
            await hub.command(order)
            await until(lambda: sum(move.on for move in plant.switched("shop-siren")) >= 4, 60)
            await hub.command(Order("o2", "hengjie", "gw-shop", Action.SILENCE, *times, premises=["shop"], keys=["k1"]))
            await until(lambda: len(hub.replies) == 2, 60)
            beats = plant.switched("shop-siren")
            await plant.chips["wires"].until("siren", False, 60)
        assert [Outcome.DONE, Outcome.DONE] == [reply.results[0].outcome for reply in hub.replies]
        states = [move.on for move in beats]
        assert states == [number % 2 == (not states[0]) for number in range(len(states))]
        long, short = max(_gaps(beats)), min(_gaps(beats))
        assert long > 2 * short


def _gaps(beats: list[Transition]) -> list[int]:
    """How long the siren was silent between two pulses, ns."""
    return [b.at_ns - a.at_ns for a, b in pairwise(beats) if not a.on and b.on]
