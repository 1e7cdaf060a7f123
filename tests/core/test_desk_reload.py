"""Another registry between two batches: what it changes for what is open, and what it never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub.clock import HubClock
from hub.core.acts import Disposition, Move
from hub.core.desk import Desk
from hub.core.heard import Linked
from hub.core.io import Input
from hub.core.registry import Registry
from hub.core.reloaded import Cause, Reloaded
from hub.inbox import Item
from hub.metrics import Metrics
from hub.rounds import Rounds, StoreDown, Swap
from protocol.messages import Action
from tests.support.desk import AREA, DEFAULTS, MIN, REGISTRY, START_MS, DeskAtWork, called, sends

OTHER = "1" * 64


def wired(premises: str, gateway: str) -> Registry:
    """The village with one household at another gateway."""
    moved = dict(REGISTRY.premises.items())
    moved[AREA, premises] = msgspec.structs.replace(moved[AREA, premises], gateway=gateway)
    return replace(REGISTRY, premises=moved, digest=OTHER)


def without(gateway: str) -> Registry:
    """The village without a gateway and whoever is wired to it."""
    kept: dict[Any, Any] = {key: one for key, one in REGISTRY.premises.items() if one.gateway != gateway}
    gateways = {key: one for key, one in REGISTRY.gateways.items() if key[1] != gateway}
    return replace(REGISTRY, premises=kept, gateways=gateways, digest=OTHER)


def said(**more: Any) -> Reloaded:
    """The input of another registry."""
    return Reloaded(AREA, Cause.REQUEST, "p-1", "", REGISTRY.digest, OTHER, **more)


def under(village: DeskAtWork, registry: Registry, **more: Any) -> None:
    """Put it in force in a batch of its own."""
    item = said(**more)
    village.desk.begin(registry)
    village.desk.step(item, START_MS + village.now)
    village.desk.commit()
    village.journal.append((START_MS + village.now, msgspec.json.encode(item)))


def resolved(village: DeskAtWork) -> list[Any]:
    """Accept and resolve the one incident; the effects of the end."""
    village.move(village.only(), Move.ACCEPT)
    return village.move(village.only(), Move.RESOLVE, disposition=Disposition.TEST)


@pytest.mark.parametrize("other", [lambda: wired("h09", "gw-east"), lambda: without("gw-west")])
def test_whoever_was_called_is_stood_down_where_it_rang(other: Callable[[], Registry]) -> None:
    """A household that is wired elsewhere by now, or gone, hears the end at the gateway that rang for it."""
    village = DeskAtWork()
    rang = {order.gateway for order in sends(village.press("h03", 0), Action.SIREN) if "h09" in order.premises}
    under(village, other())
    over = sends(resolved(village), Action.STAND_DOWN)
    assert {"gw-west"} == rang == {order.gateway for order in over if "h09" in order.premises}


def test_an_incident_says_by_which_registry_it_was_judged() -> None:
    """By the one of its opening; a join under another says so in its history, and a resolved one keeps its own."""
    village = DeskAtWork()
    village.press("h03", 0)
    assert REGISTRY.digest == village.only().registry
    under(village, wired("h09", "gw-east"))
    assert REGISTRY.digest == village.only().registry
    village.press("h03", MIN)
    assert OTHER == village.only().registry
    assert f"judged by registry {OTHER[:16]}" in [line.what for line in village.only().history]


def test_an_open_incident_is_not_called_anew() -> None:
    """A reload alone calls nobody, and takes nobody off the list of those who were called."""
    village = DeskAtWork()
    before = called(village.press("h03", 0))
    under(village, without("gw-west"))
    assert before == set(village.only().calls)


def test_what_does_not_commit_leaves_the_registry_there_was() -> None:
    """After a rollback the desk judges as before, to the last byte."""
    village = DeskAtWork()
    village.press("h03", 0)
    before = (village.desk.snapshot(), village.desk.config_digest)
    village.desk.begin(without("gw-west"))
    village.desk.step(said(gone=["gw-west"]), START_MS)
    village.desk.rollback()
    assert (*before, REGISTRY) == (village.desk.snapshot(), village.desk.config_digest, village.desk.registry)


def test_a_gateway_that_left_is_not_counted_as_lost() -> None:
    """One that was not heard and leaves the registry is no longer counted as down."""
    village = DeskAtWork()
    village.link("gw-west", False, 0)
    assert 1 == village.desk.counts().gateways_down
    under(village, without("gw-west"), gone=["gw-west"])
    assert 0 == village.desk.counts().gateways_down


def test_who_and_why_is_kept_and_another_digest_is_refused() -> None:
    """The desk knows since when and by whom it judges as it does; an input that speaks of another registry is none."""
    village = DeskAtWork()
    village.now = MIN
    under(village, wired("h09", "gw-east"), changes={"premises": {"moved": 1}}, state=3)
    known = village.desk.in_force(AREA)
    assert known is not None
    assert (OTHER, START_MS + MIN, "p-1", 3) == (known.digest, known.since_ms, known.by, known.state)
    village.desk.begin()
    village.desk.step(msgspec.structs.replace(said(), after="2" * 64), START_MS + MIN)
    assert not village.desk.verdict.effective
    village.desk.rollback()


def rounds_of(desk: Desk) -> Rounds:
    """Rounds on a clock that stands still."""
    return Rounds(desk, HubClock(0, wall_ms=lambda: START_MS, mono_ms=lambda: 0, exact_ms=lambda: 0.0), Metrics())


@pytest.mark.parametrize("commits", [True, False])
def test_a_swap_is_one_batch_and_happens_with_its_commit(commits: bool) -> None:
    """It goes alone, before what waits; with its commit the registry is another and whoever asked hears so, without it
    nothing is, and whoever asked hears why."""
    desk = Desk(REGISTRY, DEFAULTS)
    rounds, heard, done = rounds_of(desk), list[Exception | None](), list[str]()
    other = wired("h09", "gw-east")
    rounds.inbox.put(Item(Linked(AREA, "gw-east", True, START_MS), START_MS, 0.0))
    item = Item(said(), START_MS, 0.0, answer=heard.append)
    rounds.swap(Swap(other, [item], lambda: done.append("done")))
    assert 0.0 == rounds.until_due_ms()
    batch = rounds.begin()
    assert batch is not None
    assert [said()] == [draft.taken for draft in batch.drafts]
    assert (REGISTRY, []) == (desk.registry, done)
    if commits:
        rounds.committed(batch)
    else:
        rounds.failed(batch, "disk full")
    assert (commits, commits) == (desk.registry is other, done == ["done"])
    assert [True] == [isinstance(one, StoreDown) is not commits for one in heard]
    waiting: list[Input] = [one.taken for one in rounds.inbox.take_calm(9)]
    assert 1 == len(waiting)
