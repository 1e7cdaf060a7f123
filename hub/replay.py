"""A journal folded anew, and compared with what a checkpoint or a running hub says came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.chain import Entry
from hub.checkpoint import Checkpoint
from hub.core.desk import Desk
from hub.plain import plain
from hub.rebuild import Formerly, Readable, Rebuilt, folded, forgotten

PERSONAL = frozenset({"accepted_by", "assigned_to", "resolved_by", "cause", "responders"})
"""What the API shows by names and texts, and the journal by aliases and hashes."""
LINE = ("at_ms", "event_ms", "zone", "premises", "not_before_ms", "not_after_ms")


@dataclass(slots=True)
class Replay:
    """How a replay went. `made_under` counts entries by (rules, configuration); `differences` are in words: entries
    that are not taken today, and whatever is another than what the journal gives."""

    desk: Desk
    found: Rebuilt = field(default_factory=Rebuilt)
    made_under: Counter[tuple[str, str]] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    formerly: Formerly = forgotten

    def go_on(self, journal: Readable, made: Checkpoint | None = None) -> int:
        """Fold what is new in the journal, and look at the checkpoint when its entry comes; how many entries those
        were. Raises JournalError."""
        before = self.found.n
        for entry, why in folded(self.desk, journal, self.found, self.formerly):
            self.made_under[entry.rules, entry.config] += 1
            if why:
                self.differences.append(f"entry {entry.n} ({entry.kind}, area {entry.area}): {why}")
            if made is not None and entry.n == made.n:
                self.differences += _with_checkpoint(self.desk, entry, made)
        if made is not None and made.n > self.found.n:
            self.differences.append(f"the checkpoint stands after entry {made.n}; the journal has {self.found.n}")
        return self.found.n - before

    def against(self, shown: Mapping[tuple[str, str], dict[str, Any]], areas: frozenset[str] | None) -> list[str]:
        """Every difference to the incidents, by (area, id), that a hub shows of these areas (None: of all)."""
        ours = {(one.area, one.id): one for one in self.desk.incidents() if areas is None or one.area in areas}
        lines = [f"incident {area}/{name}: the hub does not show it" for area, name in sorted(ours.keys() - shown)]
        lines += [f"incident {area}/{name}: not in the journal" for area, name in sorted(shown.keys() - ours)]
        for of in sorted(ours.keys() & shown.keys()):
            for name, mine, its in _differing(_impersonal(plain(ours[of])), _impersonal(shown[of])):
                lines.append(f"incident {of[0]}/{of[1]}: {name}: by the journal {mine}, the hub shows {its}")
        return lines


def _with_checkpoint(desk: Desk, entry: Entry, made: Checkpoint) -> Iterator[str]:
    if entry.hash != made.hash:
        yield f"checkpoint: it stands after another entry {made.n} than the journal's"
    if desk.snapshot() == made.desk:
        return
    mine, its = msgspec.json.decode(desk.snapshot()), msgspec.json.decode(made.desk)
    for table in sorted(mine.keys() | its.keys()):
        ours, theirs = _keyed(mine.get(table, [])), _keyed(its.get(table, []))
        for name, one, other in _differing(ours, theirs):
            yield f"checkpoint after entry {made.n}: {table} {name}: by the journal {one}, it says {other}"


def _keyed(entries: list[Any]) -> dict[str, Any]:
    return {"/".join(map(str, key)): value for key, value in entries}


def _differing(mine: Mapping[str, Any], its: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Names whose values differ, with both in short; what is missing is "nothing"."""
    for name in sorted(mine.keys() | its.keys()):
        one, other = mine.get(name), its.get(name)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            yield from ((f"{name}.{below}", a, b) for below, a, b in _differing(one, other))
        else:
            yield name, _short(one), _short(other)


def _short(value: Any) -> str:
    text = "nothing" if value is None else msgspec.json.encode(value).decode(errors="replace")
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text)} characters)"


def _impersonal(shown: dict[str, Any]) -> dict[str, Any]:
    """What of an incident is the same with and without names; of persons and texts how many there are."""
    left = {name: value for name, value in shown.items() if name not in PERSONAL}
    left["responders"] = sorted(map(str, (shown.get("responders") or {}).values()))
    left |= {f"{name} is known": shown.get(name) is not None for name in ("accepted_by", "resolved_by", "cause")}
    left["answers"] = {one: {**said, "by": None} for one, said in (shown.get("answers") or {}).items()}
    left["history"] = {
        str(at): {name: line.get(name) for name in LINE} for at, line in enumerate(shown.get("history") or [])
    }
    return left


def by_id(incidents: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Incidents as the API lists them, by (area, id)."""
    return {(one["area"], one["id"]): one for one in incidents}
