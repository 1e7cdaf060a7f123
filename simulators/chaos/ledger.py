"""The account: every press at the wire held against what the hub has on disk and shows. Pure.

A press is known by its button and the time its contact was closed; a record by the time of its edge, which the
gateway takes from the same monotonic clock. So a record belongs to the one press whose contact was closed then. An
incident names the causes of its records; the hub's own time of the event is no proof, it is late by the way there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NS = 1_000_000
SLACK_NS = 100 * NS
"""How far outside the closing of its contact a record may be timed: threads of two processes."""


@dataclass(frozen=True, slots=True)
class Press:
    """One closing of a button's contact. `told`: its lamp said stored. `lived`: its gateway was there all along.

    Times are monotonic ns; `wall_ms` is when it was pressed by the clock on the wall.
    """

    zone: str
    gateway: str
    number: int
    pressed_ns: int
    released_ns: int
    wall_ms: int
    told: bool
    lived: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A panic record of the journal that tells of a new press: its identity, edge and cause, and when it was taken."""

    gateway: str
    instance: str
    seq: int
    zone: str
    mono_ns: int
    taken_ms: int
    key: str

    @property
    def identity(self) -> str:
        return f"{self.gateway}/{self.instance[:8]}/{self.seq}"


@dataclass(frozen=True, slots=True)
class Raised:
    """A panic incident as the API shows it: its zones, the causes and the number of its presses."""

    id: str
    zones: tuple[str, ...]
    keys: tuple[str, ...]
    presses: int


@dataclass(slots=True)
class Account:
    """What became of the presses. `sent` leaves out the `unseen`. `wrong` tells every fault's story."""

    sent: int = 0
    committed: int = 0
    lost: int = 0
    duplicated: int = 0
    unseen: int = 0
    incidents_expected: int = 0
    incidents_found: int = 0
    incidents_wrong: int = 0
    longest_commit_s: float = 0.0
    wrong: list[tuple[Press | None, str]] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Nothing lost, nothing twice, one incident each."""
        equal = self.incidents_expected == self.incidents_found and not self.incidents_wrong
        return not self.lost and not self.duplicated and equal


def account(presses: Sequence[Press], rows: Iterable[Row], raised: Iterable[Raised]) -> Account:
    """Hold presses against records and incidents, each by itself: a merge of incidents hides no second record."""
    found = Account()
    by_press, strays = _records(presses, rows)
    for row in strays:
        found.duplicated += 1
        found.wrong.append((None, f"record {row.identity} of {row.zone}: nobody pressed at {row.mono_ns} ns"))
    for press in presses:
        _one(found, press, by_press.get((press.zone, press.number), []))
    committed = [press for press in presses if (press.zone, press.number) in by_press]
    _incidents(found, committed, by_press, list(raised))
    return found


def _one(found: Account, press: Press, rows: list[Row]) -> None:
    if not rows and not press.told and not press.lived:
        found.unseen += 1
        return
    found.sent += 1
    if not rows:
        found.lost += 1
        said = "its lamp said stored" if press.told else "its gateway was there all along"
        found.wrong.append((press, f"lost: {said}, and the journal has no record of it"))
        return
    found.committed += 1
    found.longest_commit_s = max(found.longest_commit_s, (rows[0].taken_ms - press.wall_ms) / 1000)
    if len(rows) > 1:
        found.duplicated += len(rows) - 1
        found.wrong.append((press, f"duplicated: {', '.join(row.identity for row in rows)}"))


def _records(presses: Sequence[Press], rows: Iterable[Row]) -> tuple[dict[tuple[str, int], list[Row]], list[Row]]:
    """The records of each press, and those that belong to none."""
    own, starts = _by_zone(presses)
    found: dict[tuple[str, int], list[Row]] = {}
    strays: list[Row] = []
    for row in rows:
        at = bisect_right(starts.get(row.zone, []), row.mono_ns + SLACK_NS) - 1
        press = own[row.zone][at] if at >= 0 else None
        if press is None or press.gateway != row.gateway or row.mono_ns > press.released_ns + SLACK_NS:
            strays.append(row)
        else:
            found.setdefault((press.zone, press.number), []).append(row)
    for mine in found.values():
        mine.sort(key=lambda row: row.taken_ms)
    return found, strays


def _incidents(
    found: Account,
    committed: Sequence[Press],
    by_press: dict[tuple[str, int], list[Row]],
    raised: Sequence[Raised],
) -> None:
    """Every press opens one incident, of its own button, its own cause, and no other press."""
    found.incidents_expected, found.incidents_found = len(committed), len(raised)
    owners: dict[tuple[str, str], list[Press]] = {}
    for press in committed:
        for key in dict.fromkeys(row.key for row in by_press[press.zone, press.number]):
            owners.setdefault((press.zone, key), []).append(press)
    counts: Counter[tuple[str, str]] = Counter()
    for incident in raised:
        cause = (incident.zones[0], incident.keys[0]) if len(incident.zones) == len(incident.keys) == 1 else ("", "")
        counts[cause] += 1
        if cause not in owners or incident.presses != 1:
            found.incidents_wrong += 1
            words = f"{incident.presses} presses of {', '.join(incident.zones)} for {', '.join(incident.keys)}"
            found.wrong.append(
                (None, f"incident {incident.id}: {words}; it should be one press, one button, one cause")
            )
    for cause, presses in owners.items():
        if counts[cause] != len(presses):
            found.incidents_wrong += 1
            found.wrong.append((presses[0], f"{len(presses)} presses for {cause[1]} have {counts[cause]} incidents"))


def _by_zone(presses: Sequence[Press]) -> tuple[dict[str, list[Press]], dict[str, list[int]]]:
    own: dict[str, list[Press]] = {}
    for press in sorted(presses, key=lambda press: press.pressed_ns):
        own.setdefault(press.zone, []).append(press)
    return own, {zone: [press.pressed_ns for press in mine] for zone, mine in own.items()}
