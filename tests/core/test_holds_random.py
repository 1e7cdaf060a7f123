"""Whatever is shelved, taken out of service, put back and reported in whatever order: what must always hold."""

from __future__ import annotations

import random
import sys

import msgspec
import pytest

from hub.core.acts import Move
from hub.core.desk import Desk
from hub.core.effects import Page
from hub.core.hold import At, PutBack, Shelved, Sort, TakenOut
from hub.core.incident import RETURNED, UNRESOLVED
from hub.core.io import Input, NotAllowed
from protocol.kinds import Kind, Priority, Qualifier
from tests.support.desk import AREA, DEFAULTS, MIN, START_MS, DeskAtWork, H

KEPT_SEEDS = (1, 7, 42, 3_721_509_485, 1_119_868_792)
FRESH = range(4)
ZONES = ("h01-door", "h01-motion", "h02-door", "h03-tamper", "h04-window", "h11-door", "works-gate")
PLACES = (
    *((At.ZONE, zone) for zone in ZONES),
    *((At.PREMISES, one) for one in ("h01", "h03", "works")),
    *((At.GATEWAY, one) for one in ("gw-east", "gw-west")),
)
KINDS = (Kind.INTRUSION, Kind.TAMPER, Kind.ZONE_FAULT)


def one_thing(random: random.Random, village: DeskAtWork, at: int) -> Input | None:
    """Something that people or gateways do."""
    where, place = random.choice(PLACES)
    match random.choice(("shelve", "out", "back", "record", "record", "end", "press", "link", "accept")):
        case "shelve":
            until_ms = START_MS + at + random.randrange(MIN, 8 * H)
            rule = random.choice((None, None, "intrusion", "tamper", "gateway_lost"))
            return Shelved(AREA, where, place, "p", "nuisance", "w", until_ms, rule, random.random() < 0.7)
        case "out":
            return TakenOut(AREA, where, place, "p", "wiring", "w", START_MS + at + random.randrange(MIN, 24 * H))
        case "back":
            return PutBack(AREA, random.choice((Sort.SHELVED, Sort.OUT_OF_SERVICE)), where, place, "p")
        case "record":
            return village.record(random.choice(KINDS), random.choice(ZONES), at)
        case "end":
            return village.record(random.choice(KINDS), random.choice(ZONES), at, qualifier=Qualifier.RESTORE)
        case "press":
            return village.record(Kind.PANIC, "h03-panic", at) if random.random() < 0.3 else None
        case "link":
            village.link(random.choice(("gw-east", "gw-west", "gw-works")), random.random() < 0.5, at)
        case "accept":
            found = [one for one in village.open() if "review is due" not in one.why]
            if found:
                village.move(random.choice(found), Move.ACCEPT)
    return None


def pages_of(village: DeskAtWork, since: int) -> set[str]:
    """The incidents somebody was told of."""
    return {effect.incident for effect in village.effects[since:] if isinstance(effect, Page)}


@pytest.mark.parametrize("number", FRESH)
def test_holds_never_hide_a_p1_or_lose_an_incident(number: int) -> None:
    """Of seeds nobody tried yet; each is printed."""
    seed = random.SystemRandom().randrange(2**32)
    sys.stdout.write(f"seed {seed}\n")
    keep_holding(seed)


@pytest.mark.parametrize("seed", KEPT_SEEDS)
def test_holds_never_did(seed: int) -> None:
    """Of seeds that found something, and some others."""
    keep_holding(seed)


def keep_holding(seed: int) -> None:
    """The same incidents are raised as without any hold; a P1 that pages without any pages in the same step with them;
    once everything is put back nothing is withheld, and what is neither told nor over is told by then; the journal
    gives the same."""
    chance = random.Random(seed)
    village, plain = DeskAtWork(), DeskAtWork()
    at = 0
    for _ in range(120):
        at += chance.randrange(1, 10 * MIN)
        for one in (village, plain):
            one.wait(at)
        kept = len(village.journal)
        done, plain_done = len(village.effects), len(plain.effects)
        item = one_thing(chance, village, at)
        if item is not None:
            try:
                village.take(item, at)
            except NotAllowed:
                continue
        for at_ms, entry in village.journal[kept:]:
            again = msgspec.json.decode(entry, type=Input)
            if not isinstance(again, Shelved | TakenOut | PutBack):
                plain.take(again, at_ms - START_MS)
        paged = pages_of(village, done)
        for incident in village.desk.incidents(AREA, UNRESOLVED):
            if incident.priority is Priority.P1:
                assert incident.withheld is None, seed
                assert incident.id in paged or incident.id not in pages_of(plain, plain_done), seed
    own = {one.id for one in village.desk.incidents() if "review is due" not in one.why}
    assert {one.id for one in plain.desk.incidents()} == own, seed
    for hold in village.desk.alarms.holds(AREA):
        village.take(PutBack(AREA, hold.sort, hold.at, hold.place, "p", hold.rule), at)
    told = pages_of(village, 0)
    for incident in village.open():
        quiet = incident.priority is Priority.P4 or RETURNED in incident.conditions or incident.parent is not None
        assert incident.withheld in (None, Sort.SUPPRESSED), seed
        assert quiet or incident.withheld or incident.id in told, (seed, incident.id)
    again_desk = Desk(village.registry, DEFAULTS)
    for at_ms, entry in village.journal:
        again_desk.begin()
        again_desk.step(msgspec.json.decode(entry, type=Input), at_ms, replayed=True)
        again_desk.commit()
    assert village.desk.snapshot() == again_desk.snapshot(), seed
