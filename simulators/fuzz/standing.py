"""What the hub holds on disk after a run, read with plain SQL and plain JSON; and that a restart gives the same."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from hub.chain import Broken
from hub.core.desk import RULES_VERSION, Desk
from hub.defaults import load_defaults
from hub.journal import Journal
from hub.past import verify
from hub.rebuild import rebuild
from hub.registry import load as load_registry
from simulators.fuzz.judge import Source, digest, event_digest, reply_digest
from simulators.fuzz.reader import Json

WITHIN = ("town", "other")


@dataclass(slots=True)
class Standing:
    """Records by identity, each with how often it stands; `texts` counts the very bytes of events."""

    recorded: int = 0
    conflicted: int = 0
    records: dict[tuple[Source, int], Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    texts: Counter[bytes] = field(default_factory=Counter)
    gaps: dict[Source, set[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(set))
    replies: set[bytes] = field(default_factory=set)
    linked: set[tuple[str, str]] = field(default_factory=set)
    readings: Counter[tuple[tuple[Source, int], bytes]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def read(data: Path, journal_url: str, snapshot: bytes) -> Standing:
    """Journal and telemetry store of a hub that has ended, and whether replay gives its state byte for byte."""
    standing = Standing()
    with closing(sqlite3.connect(data / "journal.db")) as db:
        for area, kind, body in db.execute("SELECT area, kind, body FROM entry ORDER BY n"):
            _entry(standing, area, kind, body)
    with closing(sqlite3.connect(data / "telemetry.db")) as db:
        for area, gateway, instance, seq, point, value, *stamp in db.execute(
            "SELECT area, gateway, instance, seq, point, value, mono_ns, wall_ms, quality "
            "FROM sample JOIN series ON series.id = series"
        ):
            said = [point, float(value) if isinstance(value, int) and abs(value) <= 2**53 else value, stamp]
            standing.readings[((area, gateway, instance), seq), digest(said)] += 1
    found = verify(journal_url)
    if isinstance(found, Broken):
        standing.wrong.append(f"the chain is broken: {found}")
    _replay(standing, data.parent / "registry.toml", journal_url, snapshot)
    return standing


def _entry(standing: Standing, area: str, kind: str, body: bytes) -> None:
    said: Json = json.loads(body)
    if said["type"] != kind or said["area"] != area or area not in WITHIN:
        standing.wrong.append(f"an entry of another area or kind: {area} {kind} {body[:200]!r}")
    source = (area, said.get("gateway", ""), said.get("instance", ""))
    if kind in ("recorded", "conflicted"):
        standing.recorded += kind == "recorded"
        standing.conflicted += kind == "conflicted"
        standing.records[source, said["event"]["seq"]][event_digest(said["event"])] += 1
        text = body[body.index(b'"event":') + 8 :]
        standing.texts[text[: _end(text)]] += 1
    elif kind == "gapped" and not said.get("by_hub"):  # the hub's own closing; no gateway said it
        standing.gaps[source].add((said["first"], said["last"], said["reason"]))
    elif kind == "replied":
        standing.replies.add(reply_digest(area, said["gateway"], said["order"], said["results"]))
    elif kind == "linked" and said["up"]:
        standing.linked.add((area, said["gateway"]))


def _end(text: bytes) -> int:
    """Where the object that begins here ends."""
    _, end = json.JSONDecoder().raw_decode(text.decode())
    return len(text.decode()[:end].encode())


def _replay(standing: Standing, registry: Path, journal_url: str, snapshot: bytes) -> None:
    desk = Desk(load_registry(registry).registry, load_defaults())
    with Journal(journal_url, config=desk.config_digest, rules=RULES_VERSION) as journal:
        rebuilt = rebuild(desk, journal)
    if rebuilt.left_out or rebuilt.differing:
        standing.wrong.append(f"at a restart {rebuilt.left_out} entries are left out, {rebuilt.differing} differ")
    if desk.snapshot() != snapshot:
        standing.wrong.append("replay of the journal gives another state")
