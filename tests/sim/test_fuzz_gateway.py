"""Garbled words of the hub at the gateway: nothing crashes, and nothing acts without a signature that holds."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import edge.inward
from edge.inward import EARLY_MAX, HUBS_MAX
from protocol.codec import decode
from protocol.link import Incoming
from protocol.messages import Order
from protocol.records import Lane
from simulators.fuzz import garble
from simulators.fuzz.reader import (
    COUNT,
    IDENT,
    INSTANCE,
    SEQ,
    SIZE_MAX,
    VERSION,
    WALL,
    Refused,
    one_of,
    parsed,
    row,
    table,
)
from simulators.fuzz.speech import Json, Said, written
from tests.e2e.uplinking import AREA, GATEWAY, Side

MESSAGES = 12_000
GOOD = Ed25519PrivateKey.from_private_bytes(b"1" * 32)
EVIL = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
ACTIONS = ("siren", "silence", "stand_down", "coming", "arm", "disarm", "reset", "bypass", "test", "refresh")
NOW_MS = 1_767_225_605_090


def _spans(value: Json) -> bool:
    pair = row(SEQ, SEQ)
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and INSTANCE.fullmatch(name) is not None
        and isinstance(spans, list)
        and all(type(span) is list and len(span) == 2 and pair(span) and span[0] <= span[1] for span in spans)
        for name, spans in value.items()
    )


RECEIPT = table(
    {
        "v": VERSION,
        "hub": IDENT,
        "lane": one_of("alarm", "telemetry"),
        "committed": _spans,
        "credit": COUNT,
        "hub_ms": WALL,
    },
    boot=COUNT,
)


@dataclass
class Hubs:
    """Says what hubs say; keeps what was truly signed for this gateway, and what configurations are what they claim."""

    rng: random.Random
    own: str
    count: int = 0
    signed: set[str] = field(default_factory=set)
    configs: set[str] = field(default_factory=set)

    def say(self) -> tuple[str, bytes]:
        """The next message, as it would be before anybody garbles it."""
        self.count += 1
        channel = self.rng.choice(("receipt", "command", "command", "config", "hub"))
        topic = "lf/1/hub/hub-1" if channel == "hub" else f"lf/1/{AREA}/{GATEWAY}/{channel}"
        data: bytes = getattr(self, f"_{channel}")()
        return topic, data

    def _receipt(self) -> bytes:
        first = self.rng.randint(1, 400)
        committed = {self.own: [[first, first + self.rng.randint(0, 2)]], "f" * 32: [[1, 2**63 - 1]]}
        lane = self.rng.choice(("alarm", "telemetry"))
        made = {"v": 1, "hub": "hub-1", "lane": lane, "committed": committed, "credit": self.rng.choice((0, 64))}
        return written({**made, "hub_ms": NOW_MS + self.count})

    def _command(self) -> bytes:
        order: dict[str, Json] = {
            "id": f"o-{self.count}",
            "area": AREA,
            "gateway": GATEWAY,
            "action": self.rng.choice(ACTIONS),
        }
        order |= {
            "issued_ms": NOW_MS,
            "expires_ms": NOW_MS + 10**9,
            "premises": ["h1"],
            "keys": ["k"],
            "duration_ms": 1,
        }
        fault = self.rng.choice((None, None, "gateway", "area", "key", "who", "order", "signature"))
        if fault in ("gateway", "area"):
            order[fault] = "other"
        raw = written(order)
        signature = (EVIL if fault == "key" else GOOD).sign(b"lf/1/command\x00" + raw)
        if fault is None:
            self.signed.add(str(order["id"]))
        if fault == "order":
            raw = raw.replace(b"o-", b"p-")
        if fault == "signature":
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        key = b'"evil"' if fault == "who" else b'"hub-1"'
        return b'{"v":1,"key":' + key + b',"order":' + raw + b',"signature":' + _base64(signature) + b"}"

    def _config(self) -> bytes:
        toml = f"[gateway]\nid = 'g{self.count}'\n"
        digest = hashlib.sha256(toml.encode()).hexdigest()
        if self.rng.random() < 0.5:
            digest = digest[1:] + ("1" if digest[-1] == "0" else "0")
        else:
            self.configs.add(toml)
        return written({"v": 1, "sha256": digest, "toml": toml})

    def _hub(self) -> bytes:
        session = f"{self.rng.getrandbits(128):032x}"
        hub = self.rng.choice(("hub-1", f"hub-{self.rng.randrange(50)}"))
        return written({"v": 1, "hub": hub, "session": session, "online": True, "hub_ms": NOW_MS})

    def garbled(self, topic: str, data: bytes) -> tuple[str, bytes]:
        """The same, harmed."""
        roll = self.rng.random()
        if roll < 0.15:
            other = garble.readdressed(Said(topic, data), self.rng).topic
            return other if self.rng.random() < 0.8 else "lf/1/hub/" + other[:40], data
        if roll < 0.6:
            return topic, self.rng.choice(garble.BYTES)(data, self.rng)
        if roll < 0.605:
            return topic, self.rng.choice(garble.RARE)(data, self.rng)
        try:
            message = parsed(data)
        except Refused:
            return topic, data
        self.rng.choice(garble.VALUES)(message, self.rng)
        return topic, written(message)


def _base64(signature: bytes) -> bytes:
    return b'"' + base64.b64encode(signature) + b'"'


def receipted(topic: str, data: bytes, retain: bool, lane: str, own: str) -> set[int]:
    """The sequences below 1,000 that a naive reader sees receipted for this gateway's process."""
    if topic != f"lf/1/{AREA}/{GATEWAY}/receipt" or len(data) > SIZE_MAX or retain:
        return set()
    try:
        found = parsed(data)
    except Refused:
        return set()
    if not RECEIPT(found) or found["lane"] != lane:
        return set()
    spans = found["committed"].get(own, [])
    return {seq for first, last in spans for seq in range(first, min(last, 999) + 1)}


@asynccontextmanager
async def gateway() -> AsyncIterator[Side]:
    """A gateway process with 300 presses on their way, and its judge of configurations at work."""
    side = await Side("127.0.0.1", 1, {"hub-1": GOOD.public_key()}).open()
    judging = asyncio.create_task(side.inward.run_configs(lambda reply: None))
    try:
        for _ in range(300):
            side.press()
        yield side
    finally:
        judging.cancel()
        await asyncio.gather(judging, return_exceptions=True)
        await side.close()


async def storm(side: Side, hubs: Hubs, messages: int) -> dict[str, Any]:
    """Hand over so many messages, most of them garbled; what a naive reader sees receipted, and how full it got."""
    expected: set[int] = set()
    early = hubs_most = 0
    for number in range(messages):
        topic, data = hubs.say()
        if hubs.rng.random() < 0.9:
            topic, data = hubs.garbled(topic, data)
        retain = hubs.rng.random() < 0.1
        box = hubs.rng.choice((side.alarm, side.telemetry))
        side.inward.take(Incoming(topic, data, retain), box)
        if box.lane is Lane.ALARM:
            expected |= receipted(topic, data, retain, "alarm", side.instance)
        early, hubs_most = max(early, len(side.inward._early)), max(hubs_most, len(side.inward._sessions))
        if number % 50 == 0:
            await asyncio.sleep(0)
    return {"expected": expected, "early": early, "hubs": hubs_most}


async def test_garbled_words_of_hubs_do_no_harm() -> None:
    """Nothing is raised, only orders truly signed for this gateway act, only what a good receipt names is forgotten."""
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")  # noqa: T201  # shown when it fails
    async with gateway() as side:
        hubs = Hubs(random.Random(seed), side.instance)
        found = await storm(side, hubs, MESSAGES)
        acted = {one.order.id for one in side.orders}
        assert acted and set() == acted - hubs.signed
        assert all((one.order.area, one.order.gateway) == (AREA, GATEWAY) for one in side.orders)
        assert sorted(found["expected"] & set(range(1, 301))) == sorted(set(side.receipted))
        assert len(side.receipted) == len(set(side.receipted))
        assert side.configs and set() == set(side.configs) - hubs.configs
        assert found["early"] <= EARLY_MAX and found["hubs"] <= HUBS_MAX
        assert side.inward.refused.total() > MESSAGES // 4
        assert len(side.inward.refused) < 20


async def test_the_gateway_is_well_after_it() -> None:
    """A good order acts and a good receipt settles, whatever came before."""
    async with gateway() as side:
        hubs = Hubs(random.Random(3), side.instance)
        await storm(side, hubs, 1_000)
        side.orders.clear()
        order = {"id": "last", "area": AREA, "gateway": GATEWAY, "action": "siren", "issued_ms": 1, "expires_ms": 2}
        signature = GOOD.sign(b"lf/1/command\x00" + written(order))
        data = b'{"v":1,"key":"hub-1","order":' + written(order) + b',"signature":' + _base64(signature) + b"}"
        side.inward.take(Incoming(f"lf/1/{AREA}/{GATEWAY}/command", data, False), side.alarm)
        receipt = {
            "v": 1,
            "hub": "h",
            "lane": "alarm",
            "committed": {side.instance: [[1, 300]]},
            "credit": 1,
            "hub_ms": 9,
        }
        side.inward.take(Incoming(f"lf/1/{AREA}/{GATEWAY}/receipt", written(receipt), False), side.alarm)
        assert ["last"] == [one.order.id for one in side.orders]
        assert set(range(1, 301)) == set(side.receipted)


async def test_a_gateway_that_looks_at_no_signature_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check of signatures, orders nobody signed act, and the comparison sees them."""

    def unchecked(command: Any, *_: object) -> Any:
        return decode(bytes(command.order), Order)

    monkeypatch.setattr(edge.inward, "verify", unchecked)
    async with gateway() as side:
        hubs = Hubs(random.Random(3), side.instance)
        await storm(side, hubs, 1_000)
        assert {one.order.id for one in side.orders} - hubs.signed
