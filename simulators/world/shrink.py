"""The shortest story that still fails: acts are left out, many at first and then one by one."""

from __future__ import annotations

import time

from simulators.world.story import Story
from simulators.world.world import Outcome, simulate

TRIES_MAX = 400


def shortest(failed: Outcome, limit_s: float = 60.0) -> Outcome:
    """Cut a failed story while the same check still fails, within `limit_s` of real time; gives the last that did."""
    check, found, tries = failed.violations[0].check, failed, 0
    best = _until(failed)
    outcome = simulate(best)
    if outcome.violations and outcome.violations[0].check == check:
        found = outcome
    else:
        best = failed.story
    ends_s, size = time.monotonic() + limit_s, max(1, len(best.acts) // 2)
    while tries < TRIES_MAX and time.monotonic() < ends_s:
        at, cut = 0, False
        while at < len(best.acts) and tries < TRIES_MAX and time.monotonic() < ends_s:
            tries += 1
            shorter = best._replace(acts=best.acts[:at] + best.acts[at + size :])
            outcome = simulate(shorter)
            if outcome.violations and outcome.violations[0].check == check:
                best, found, cut = shorter, outcome, True
            else:
                at += size
        if size == 1 and not cut:
            break
        size = max(1, size // 2)
    return found


def _until(failed: Outcome) -> Story:
    """What comes after the failure did not cause it."""
    story, at_ms = failed.story, failed.violations[0].at_ms
    return story._replace(acts=tuple(act for act in story.acts if act.at_ms <= at_ms))
