"""What an import must not do by mistake: empty a village, or take a household away while somebody goes there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from hub.checkpoint import NAME, read
from hub.core.desk import Desk
from hub.core.incident import UNRESOLVED
from hub.core.registry import Key, PremisesKind, Registry
from hub.defaults import load_defaults
from hub.past import JournalError, Past, sqlite_path
from hub.rebuild import rebuild
from hub.registry.diff import Diff
from hub.registry.history import FOLDER, History
from hub.settings import Settings

GONE_SHARE_MAX = 0.05
GONE_MIN = 3
"""More than this share of the premises gone at once (and more than so many) looks like a file cut short."""
NAMED_MAX = 20


def doubts(settings: Settings, before: Registry, diff: Diff) -> list[str]:
    """Why somebody should look before this is done, in words; none when nothing speaks against it."""
    found = too_many(before, diff)
    if diff.gone:
        try:
            incidents = _open(settings, before)
        except JournalError as cause:
            return [*found, f"whether incidents are open there cannot be told: the journal cannot be read: {cause}"]
        found += needed(before, diff, incidents)
    return found


def too_many(before: Registry, diff: Diff) -> list[str]:
    """So many premises would be gone at once that the file looks cut short."""
    had = len(before.premises)
    if len(diff.gone) > GONE_MIN and len(diff.gone) > had * GONE_SHARE_MAX:
        return [f"{len(diff.gone)} of {had} premises would be gone, more than {GONE_SHARE_MAX:.0%}"]
    return []


def needed(before: Registry, diff: Diff, incidents: Mapping[Key, str]) -> list[str]:
    """Premises that would be gone, and have an open incident; `incidents` by premises."""
    found = []
    there = [(key, incidents[key]) for key in diff.gone if key in incidents]
    for (area, premises), incident in there[:NAMED_MAX]:
        kind = before.premises[area, premises].kind
        what = "household" if kind is PremisesKind.HOUSEHOLD else kind.value
        found.append(f"{what} {area}/{premises} would be gone, and incident {incident} is open there")
    if len(there) > NAMED_MAX:
        found.append(f"{len(there) - NAMED_MAX} more with open incidents would be gone")
    return found


def _open(settings: Settings, registry: Registry) -> dict[Key, str]:
    """Premises with an incident nobody has resolved, by the hub's journal, also while it runs."""
    path = sqlite_path(settings.journal_url)
    if path is not None and not path.exists():
        return {}
    defaults = load_defaults(settings.hub.defaults)
    desk = Desk(registry, defaults)
    try:
        made = read(settings.hub.data_dir / NAME)
    except (OSError, ValueError):
        made = None
    with contextlib.closing(Past(settings.journal_url)) as past:
        rebuild(desk, past, made, History(settings.hub.data_dir / FOLDER).formerly(defaults))
    return open_at(desk)


def open_at(desk: Desk) -> dict[Key, str]:
    """Premises with an incident nobody has resolved, and which."""
    return {
        (incident.area, premises): incident.id
        for incident in desk.incidents(states=UNRESOLVED)
        for premises in incident.premises
    }
