"""A gateway's nightly proof through a real hub: store, incident, notice, and the last step before the outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from protocol.kinds import Kind
from protocol.records import Event
from simulators.broker import Broker
from tests.e2e.test_hub_channels import telling
from tests.support.centre import REGISTRY, Running, SaidGateway, gateway, running
from tests.support.outside import FarEnd, far_end, secrets_in, webhook, with_contacts
from tests.support.wait import until


@pytest.fixture
def far() -> Iterator[FarEnd]:
    """A far end."""
    with far_end() as found:
        yield found


def nightly(gw: SaidGateway) -> Event:
    """The record of a gateway's nightly proof: of no premises."""
    return replace(gw.event(Kind.TEST, drill=True), premises=None, zone=None)


def known(hub: Running) -> Any:
    return next(one for one in hub.parts.desk.proofs("town", hub.parts.clock.now_ms()) if one.gateway == "gw-1")


async def test_a_proof_goes_as_far_as_the_channel_and_is_counted_there(
    broker: Broker, far: FarEnd, tmp_path: Path
) -> None:
    """The far end hears nothing, no incident stays, and age and stages are shown."""
    async with telling(tmp_path, broker, far) as hub, gateway(broker) as gw:
        await gw.alarm(nightly(gw), age_ms=40)
        await until(lambda: known(hub).proved_ms is not None)
        assert 1 == await hub.counted('lianfang_notices_total{channel="sms",outcome="drill"}')
        assert ([], []) == (far.got, hub.parts.desk.incidents())
        async with hub.api("vera") as client:
            items = (await client.get("/api/v1/proofs", params={"area": "town"})).json()["items"]
        by = {one["gateway"]: one for one in items}
        mine = by["gw-1"]
        assert ["gw-1", "gw-2"] == sorted(by)
        assert (False, 1, "") == (mine["overdue"], mine["told"], mine["trouble"])
        assert 40 <= mine["way_ms"] and None not in (mine["commit_ms"], mine["notice_ms"])
        assert 0 == await hub.counted('lianfang_proofs_overdue{area="town"}')
        assert 0 < await hub.counted('lianfang_proof_age_seconds{area="town"}')
        await gw.press()  # and what is real goes the same way all the way
        await until(lambda: bool(far.got))


async def test_a_proof_that_reaches_nobody_is_none(broker: Broker, far: FarEnd, tmp_path: Path) -> None:
    """A station without a contact: said each night, and not only when somebody needs help."""
    secrets_in(tmp_path)
    overrides = (with_contacts(tmp_path, REGISTRY), f"channel=[{webhook(far)}]")
    people = tmp_path / "people.toml"
    people.write_text(people.read_text(encoding="utf-8").replace('of = "so"', 'of = "o1"'), encoding="utf-8")
    async with running(tmp_path, broker, *overrides) as hub, gateway(broker, "gw-o", "other") as gw:
        await gw.alarm(nightly(gw))
        find = hub.parts.desk.proofs
        await until(lambda: bool(find("other", hub.parts.clock.now_ms())[0].trouble))
        (proof,) = find("other", hub.parts.clock.now_ms())
        assert (None, "nobody is registered for it: so") == (proof.proved_ms, proof.trouble)


async def test_a_hub_that_ends_between_record_and_notice_goes_on_after_its_start(
    broker: Broker, far: FarEnd, tmp_path: Path
) -> None:
    """What was committed is gone on with: the page of the journal is taken up again, and the proof is whole."""
    async with telling(tmp_path, broker, far) as hub, gateway(broker) as gw:
        hub.parts.telling.notifier.board.queues["sms"].take = lambda now_ms: None  # type: ignore[method-assign]
        last = nightly(gw)
        await gw.alarm(last)
        await gw.receipted(last.seq)
        assert known(hub).proved_ms is None
    async with telling(tmp_path, broker, far) as hub:
        await until(lambda: known(hub).proved_ms is not None)
        assert ([], 1, None) == (far.got, known(hub).told, known(hub).notice_ms)


async def test_a_hub_without_channels_has_its_proof_by_the_page(broker: Broker, tmp_path: Path) -> None:
    """As far as there is a way; and no control room is told of it."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        await gw.alarm(nightly(gw))
        await until(lambda: known(hub).proved_ms is not None)
        assert 0 == known(hub).told
        assert 0 == await hub.counted('lianfang_pages_total{rung="station"}')
