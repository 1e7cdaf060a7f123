"""What people and registry do in a scenario, in the desk's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import msgspec

from hub.core.acts import Moved
from hub.core.incident import Incident
from hub.core.moves import refusal
from hub.core.registry import Registry
from simulators.scenario import OperatorMove, Rehoused
from simulators.world.village import AREA


def newest_of(incidents: Sequence[Incident], rule: str, premises: str | None = None) -> Incident | None:
    """The newest incident of a rule, of a premises where one is named."""
    of = [one for one in incidents if one.rule == rule and premises in (None, *one.premises)]
    return max(of, key=lambda one: (one.raised_ms, one.id), default=None)


def moved(incidents: Sequence[Incident], asked: OperatorMove) -> Moved | str:
    """The move on the newest incident of its rule (and premises, where it names one), or why it may not be."""
    newest = newest_of(incidents, asked.rule, asked.premises)
    if newest is None:
        return f"there is no {asked.rule} incident"
    to = asked.to or asked.who
    move = Moved(AREA, newest.id, asked.move, asked.by, to, asked.stage, asked.disposition, asked.cause)
    return refusal(newest, move) or move


def rehoused(registry: Registry, moving: Rehoused) -> Registry:
    """The registry after a household joined other groups: at the end of theirs, gone from its own."""
    who, into = moving.premises, moving.groups
    groups = {
        key: msgspec.structs.replace(
            group, members=(*(one for one in group.members if one != who), *((who,) if group.id in into else ()))
        )
        for key, group in registry.groups.items()
    }
    premises = dict(registry.premises.items())
    premises[AREA, who] = msgspec.structs.replace(premises[AREA, who], groups=tuple(into))
    digest = sha256(f"{registry.digest} {who} {into}".encode()).hexdigest()
    return replace(registry, groups=groups, premises=premises, digest=digest)
