"""What the hub has on disk in the end, read from a copy of its journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hub.chain import Broken
from hub.core.desk import RULES_VERSION, Desk
from hub.core.heard import Gapped, Recorded
from hub.core.incident import Incident
from hub.core.io import Input
from hub.defaults import load_defaults
from hub.journal import Journal
from hub.past import verify
from hub.rebuild import rebuild
from hub.registry import load as load_registry
from protocol.kinds import Kind, Qualifier
from simulators.chaos.estate import Estate
from simulators.chaos.ledger import Raised, Row

DECODER: msgspec.json.Decoder[Input] = msgspec.json.Decoder(Input)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The journal's records: all of the alarm lane, the presses among them, and the incidents folded from it.

    `broken` says where its chain is; `holes` counts sequences of a process that are neither there nor declared lost.
    """

    entries: int
    records: int
    rows: tuple[Row, ...]
    raised: tuple[Raised, ...]
    holes: int
    broken: str


def read(data_dir: Path, estate: Estate, folder: Path) -> Evidence:
    """Copy the journal of a hub that has ended into `folder` and read the copy. Blocks."""
    copy = folder / "journal-copy.db"
    journal = f"file:{data_dir / 'journal.db'}?mode=ro"
    with closing(sqlite3.connect(journal, uri=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    url = f"sqlite:///{copy}"
    with closing(sqlite3.connect(copy)) as db:
        entries = int(db.execute("SELECT count(*) FROM entry").fetchone()[0])
        taken = list(_taken(db))
    records = [(at_ms, item) for at_ms, item in taken if isinstance(item, Recorded)]
    found = verify(url)
    return Evidence(
        entries=entries,
        records=len(records),
        rows=tuple(_row(at_ms, item) for at_ms, item in records if _pressed(item)),
        raised=_folded(url, estate),
        holes=_holes(item for _, item in taken),
        broken=str(found) if isinstance(found, Broken) else "",
    )


def shown(incidents: list[dict[str, object]]) -> tuple[Raised, ...]:
    """Incidents of the API."""
    return _raised(msgspec.convert(incidents, list[Incident], strict=False))


def _taken(db: sqlite3.Connection) -> Iterator[tuple[int, Recorded | Gapped]]:
    for at_ms, body in db.execute("SELECT at_ms, body FROM entry WHERE kind IN ('recorded', 'gapped') ORDER BY n"):
        item = DECODER.decode(body)
        assert isinstance(item, Recorded | Gapped)
        yield at_ms, item


def _pressed(item: Recorded) -> bool:
    return item.event.kind is Kind.PANIC and item.event.qualifier is Qualifier.NEW


def _row(at_ms: int, item: Recorded) -> Row:
    event = item.event
    return Row(item.gateway, item.instance, event.seq, event.zone or "", event.at.mono_ns, at_ms, event.key)


def _holes(items: Iterator[Recorded | Gapped]) -> int:
    seen: dict[tuple[str, str], set[int]] = {}
    for item in items:
        if isinstance(item, Gapped) and item.by_hub:
            continue
        known = seen.setdefault((item.gateway, item.instance), set())
        known.update((item.event.seq,) if isinstance(item, Recorded) else range(item.first, item.last + 1))
    return sum(max(known) - len(known) for known in seen.values())


def _folded(url: str, estate: Estate) -> tuple[Raised, ...]:
    desk = Desk(load_registry(estate.registry).registry, load_defaults(estate.defaults))
    with Journal(url, config=desk.config_digest, rules=RULES_VERSION) as journal:
        rebuild(desk, journal)
    return _raised([one for one in desk.incidents() if one.rule == "panic"])


def _raised(incidents: list[Incident]) -> tuple[Raised, ...]:
    return tuple(Raised(one.id, tuple(one.zones), tuple(one.keys), one.presses) for one in incidents)
