"""What one run of chaos came to: 0 lost, 0 duplicated, incidents equal; or the story of each that is not so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from simulators.chaos import plan
from simulators.chaos.evidence import Evidence
from simulators.chaos.havoc import Death, Diary, sort
from simulators.chaos.ledger import Account, Press
from simulators.chaos.stored import Stored

SETTLE_SHARE, SETTLE_S_MAX = 0.25, 75.0
"""The share of a run (at most so many s) that is left for everything to come well again."""
STORIES_MAX = 50


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is."""

    minutes: float
    kills: int
    gateways: int = 4
    chips: int = 2
    rate_s: float = 16.0

    @property
    def span_s(self) -> float:
        """How long things break, s; the rest of the time they recover."""
        whole_s = self.minutes * 60
        return whole_s - min(SETTLE_S_MAX, SETTLE_SHARE * whole_s)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run came to."""

    seed: int
    size: Size
    seconds: float
    account: Account
    evidence: Evidence
    diary: Diary
    differing: int
    waiting: int
    stuck: int
    drained: bool
    telemetry: Stored | None = None

    @property
    def well(self) -> bool:
        """0 lost, 0 duplicated, incidents equal, the journal whole and equal to the API, every outbox empty."""
        whole = not self.evidence.broken and not self.differing and not self.diary.ended
        kept = self.telemetry is None or self.telemetry.well
        return self.account.balanced and whole and kept and self.drained and not self.waiting and self.account.sent > 0

    def stories(self) -> list[str]:
        """Every fault with what was killed around it."""
        wrong = self.account.wrong
        found = [_story(self.diary, press, text) for press, text in wrong[:STORIES_MAX]]
        found += [f"and {len(wrong) - STORIES_MAX} more like these"] if len(wrong) > STORIES_MAX else []
        found += [f"the journal's chain: {self.evidence.broken}"] if self.evidence.broken else []
        found += [f"ended by itself: {text}" for text in self.diary.ended]
        found += [f"{self.differing} incidents differ between journal and API"] if self.differing else []
        found += [f"{self.waiting} alarm records still wait in outboxes"] if self.waiting else []
        if self.telemetry is not None and not self.telemetry.well:
            found.append(f"telemetry: {self.telemetry.missing} missing, {self.telemetry.doubled} twice")
        found += [] if self.drained else [f"not everything came well again; {self.stuck} calls did not end"]
        return found

    def figures(self) -> dict[str, Any]:
        """The verdict as one JSON object."""
        found, deaths = self.account, self.diary.deaths
        recoveries = [(death, death.recovery_s) for death in deaths if death.recovery_s is not None]
        longest = dict.fromkeys(self.diary.kills(), 0.0)
        for death, took_s in recoveries:
            longest[sort(death.part)] = max(longest[sort(death.part)], round(took_s or 0.0, 2))
        hub = [[death.entries, round(took_s or 0.0, 2)] for death, took_s in recoveries if death.part == plan.HUB]
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "ok": self.well,
            "sent": found.sent,
            "committed": found.committed,
            "lost": found.lost,
            "duplicated": found.duplicated,
            "unseen": found.unseen,
            "incidents_expected": found.incidents_expected,
            "incidents_found": found.incidents_found,
            "incidents_wrong": found.incidents_wrong,
            "records": self.evidence.records,
            "journal_entries": self.evidence.entries,
            "holes": self.evidence.holes,
            "kills": self.diary.kills(),
            "kills_total": sum(self.diary.kills().values()),
            "telemetry": None if self.telemetry is None else asdict(self.telemetry),
            "store_locks": dict(self.diary.locks),
            "link_troubles": dict(self.diary.troubles),
            "longest_recovery_s": max(longest.values()),
            "recovery_s": longest,
            "hub_restarts": hub,  # entries in its journal, s
            "longest_commit_s": round(found.longest_commit_s, 2),
            "stories": self.stories(),
        }


def _story(diary: Diary, press: Press | None, text: str) -> str:
    """A fault with what died around it."""
    if press is None:
        return text
    around = [_death(death, press.pressed_ns) for death in diary.around(press.pressed_ns)]
    held_s = (press.released_ns - press.pressed_ns) / 1e9
    when = f"{press.zone} (press {press.number}, {press.gateway}) at wall {press.wall_ms} ms, held {held_s:.2f} s"
    return f"{when}: {text}; around it: {'; '.join(around) or 'nothing died'}"


def _death(death: Death, from_ns: int) -> str:
    how = "killed" if death.status is None else f"ended with {death.status}"
    well = f", well {(death.well_ns - from_ns) / 1e9:+.2f} s" if death.well_ns is not None else ""
    return f"{death.part} {how} {(death.dead_ns - from_ns) / 1e9:+.2f} s{well}"
