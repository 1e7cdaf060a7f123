"""What a run came to, and what stands on disk against what may stand there, both ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from simulators.fuzz.judge import Judge
from simulators.fuzz.standing import Standing

TOLD_MAX = 20


@dataclass(slots=True)
class Verdict:
    """What one run came to. `wrong` holds the first faults found, each in a sentence; none of them may be."""

    seed: int
    messages: int = 0
    valid: int = 0
    committed: int = 0
    conflicts: int = 0
    readings: int = 0
    incidents: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """One fault."""
        if len(self.wrong) < TOLD_MAX:
            self.wrong.append(text)

    def figures(self) -> dict[str, Any]:
        """For people and for JSON."""
        rate = round(self.messages / self.seconds) if self.seconds else 0
        return {
            "verdict": "broken" if self.wrong else "well",
            **{
                name: getattr(self, name)
                for name in ("seed", "messages", "valid", "committed", "conflicts", "readings", "incidents")
            },
            "refused": self.refused,
            "seconds": round(self.seconds, 1),
            "messages_s": rate,
            "wrong": self.wrong,
        }


def compare(verdict: Verdict, judge: Judge, standing: Standing, events: dict[bytes, int]) -> None:
    """What is on disk against what may be there, both ways."""
    verdict.committed, verdict.conflicts = standing.recorded, standing.conflicted
    verdict.readings = sum(standing.readings.values())
    verdict.wrong += standing.wrong[: TOLD_MAX - len(verdict.wrong)]
    for key, digests in standing.records.items():
        for digest, times in digests.items():
            if digest not in judge.records.get(key, ()):
                verdict.say(f"the journal holds a record nobody said: {key}")
            elif times > 1:
                verdict.say(f"the journal holds a record {times} times: {key}")
    for key, said in judge.records.items():
        if missing := said - standing.records.get(key, Counter()).keys():
            verdict.say(f"not committed: {key}, message {judge.first[next(iter(missing))]}")
    for event, number in events.items():
        if (times := standing.texts[event]) != 1:
            verdict.say(f"message {number}: its event stands {times} times in the journal: {event[:200]!r}")
    for source, spans in standing.gaps.items():
        if spans - judge.gaps[source]:
            verdict.say(f"the journal holds gaps nobody told: {source}: {sorted(spans - judge.gaps[source])[:3]}")
    if standing.replies - judge.replies:
        verdict.say("the journal holds an answer nobody gave")
    if standing.linked - judge.heard:
        verdict.say(f"the journal holds links nobody heard: {standing.linked - judge.heard}")
    _compare_readings(verdict, judge, standing)


def _compare_readings(verdict: Verdict, judge: Judge, standing: Standing) -> None:
    stored: Counter[Any] = Counter()
    for (key, digest), times in standing.readings.items():
        stored[key] += times
        if digest not in judge.readings.get(key, ()):
            verdict.say(f"the store holds a reading nobody sent: {key}")
    for key in judge.readings:
        given_up = any(first <= key[1] <= last for first, last in judge.settled.get(key[0], ()))
        if stored[key] != 1 and not (given_up and stored[key] == 0):
            verdict.say(f"the store holds a reading {stored[key]} times: {key}")
