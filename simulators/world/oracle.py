"""The judgement after a run: naive, from what happened at the wires and what stands in the journal. It shares no
code with the rules it judges."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from edge.core.site import ZoneKind
from hub.chain import Broken, walk
from hub.core.desk import Desk
from hub.core.io import Effect, NotAllowed, Page, Send
from simulators.world.seen import EARLY_MS, TRAVEL_MS, Cause, Made
from simulators.world.village import GROUPS

if TYPE_CHECKING:
    from simulators.world.world import World

RULE_OF = {
    ZoneKind.PANIC: "panic", ZoneKind.DURESS: "duress", ZoneKind.SMOKE: "fire", ZoneKind.GAS: "gas",
    ZoneKind.DOOR: "intrusion", ZoneKind.WINDOW: "intrusion", ZoneKind.TAMPER: "tamper",
    ZoneKind.NVR_ONLINE: "nvr_blind", ZoneKind.MAINS: "fault",
}  # fmt: skip
LIVE_KINDS = {ZoneKind.TAMPER: "tamper", ZoneKind.NVR_ONLINE: "nvr_offline", ZoneKind.MAINS: "mains_lost"}
RINGERS = {ZoneKind.PANIC, ZoneKind.SMOKE, ZoneKind.GAS, ZoneKind.DOOR, ZoneKind.WINDOW}
ABOUT_ZONES = ("chatter", "swinger_bypass", "zone_fault")
CHATTER_MS = 130_000
CHATTERS = 5
ONE_RING_MS = 300_000
SLACK_MS = 20_000
JOIN_MS = 300_000
REACH_MS = 700_000
"""How long after a cause a siren may begin for it: its order's life, a dead gateway, a restart of a ringing."""
ACCEPT_MS = 60_000
ROUNDING_MS = 3
"""Ages, wall times and monotonic times are each told in whole ms."""


def judge(world: World) -> None:
    """Every check that needs the end."""
    state = _replayed(world)
    if state is None:
        return
    incidents: dict[str, dict[str, Any]] = {key[1]: value for key, value in state["incidents"]}
    if _ring(world, incidents):
        return
    owners = _owners(state, incidents)
    _belong(world, incidents, owners)
    _placed(world, state)
    _live(world)
    _climbed(world, incidents)
    _rang(world)
    _stood_down(world, incidents)


def _replayed(world: World) -> dict[str, Any] | None:
    """The journal, folded again, gives the same state to the byte; and nothing was done that it does not say."""
    assert world.hub is not None
    for found in walk(world.book.entries()):
        if isinstance(found, Broken):
            world.witness.broken("chain", str(found))
            return None
    from simulators.world.hub import DEFAULTS

    desk, effects = Desk(world.village.registry, DEFAULTS), set[Effect]()
    desk.begin()
    for at_ms, taken in world.book.inputs():
        try:
            effects |= {effect for effect in desk.step(taken, at_ms, replayed=True) if isinstance(effect, Send | Page)}
        except NotAllowed as cause:
            world.witness.broken("replay", f"a committed move is refused in a replay: {cause}")
        desk.commit()
        desk.begin()
    desk.commit()
    ran, folded = world.hub.desk.snapshot(), desk.snapshot()
    if ran != folded:
        world.witness.broken("replay", "the journal folds to another state than the hub's")
        return None
    for effect in world.witness.effects - effects:
        world.witness.broken("backed", f"done though no commit asked for it: {effect}"[:300])
        break
    state: dict[str, Any] = msgspec.json.decode(folded)
    return state


def _ring(world: World, incidents: dict[str, dict[str, Any]]) -> bool:
    """No incident is, over however many parents, part of itself."""
    for name in incidents:
        above, seen = incidents[name].get("parent"), {name}
        while above and above not in seen:
            seen.add(above)
            above = incidents[above].get("parent")
        if above:
            world.witness.broken("parents", f"{name} is part of itself")
            return True
    return False


def _owners(state: dict[str, Any], incidents: dict[str, dict[str, Any]]) -> dict[str, set[str]]:
    """Which incidents hold a record, by its identity; what was found to be one counts as the one."""
    owners: dict[str, set[str]] = {}
    for (_, name), dossier in state["dossiers"]:
        if incidents[name]["rule"] == "group_intrusion":
            continue
        root = name
        while (parent := incidents[root].get("parent")) and incidents[parent]["rule"] == incidents[root]["rule"]:
            root = parent
        for mark in dossier["marks"]:
            owners.setdefault(mark[1], set()).add(root)
    return owners


def _belong(world: World, incidents: dict[str, dict[str, Any]], owners: dict[str, set[str]]) -> None:
    """Every reportable cause belongs to exactly one incident, of its rule and its house."""
    records: dict[int, list[tuple[str, Made]]] = {}
    for (gateway, instance, seq), made in world.witness.made.items():
        if made.cause is not None:
            records.setdefault(made.cause, []).append((f"{gateway}/{instance}/{seq}", made))
    for cause in world.witness.causes:
        rule = RULE_OF.get(cause.kind)
        if rule is None or not _reportable(cause) or _chattered(world, cause):
            continue
        mine = [
            (ident, made)
            for ident, made in records.get(cause.number, [])
            if made.event.qualifier != "restore" and made.event.kind not in ABOUT_ZONES
        ]
        named = {name for ident, _ in mine for name in owners.get(ident, ()) if incidents[name]["rule"] == rule}
        if not named and not _noted(cause, mine, incidents, world):
            made_words = f"{len(mine)} records were made" if mine else "no record was made"
            world.witness.broken("lost", f"{_said(cause)} belongs to no incident; {made_words}")
        elif len(named) > 1 and not _resolved_between(named, incidents):
            world.witness.broken("split", f"{_said(cause)} belongs to {len(named)} incidents: {sorted(named)}")
        elif any(cause.house.id not in incidents[name]["premises"] for name in named):
            world.witness.broken("house", f"{_said(cause)} belongs to an incident of another house: {sorted(named)}")


def _reportable(cause: Cause) -> bool:
    if cause.bounced:
        return False
    if cause.kind is ZoneKind.PANIC:
        return True  # it was held until the lamp answered
    if cause.kind in (ZoneKind.SMOKE, ZoneKind.GAS):
        return cause.sure and cause.first  # a detector that stands in alarm says nothing new until it is reset
    return cause.sure


def _chattered(world: World, cause: Cause) -> bool:
    """A contact that moves ten times in a minute is left out until it is quiet: that is told instead."""
    if cause.kind in (ZoneKind.PANIC, ZoneKind.DURESS, ZoneKind.SMOKE, ZoneKind.GAS):
        return False
    since_ms = cause.start_ms - CHATTER_MS
    mine = [one for one in world.witness.causes if one.zone == cause.zone]
    return sum(since_ms <= one.start_ms <= cause.start_ms for one in mine) >= CHATTERS


def _noted(cause: Cause, mine: list[tuple[str, Made]], incidents: dict[str, dict[str, Any]], world: World) -> bool:
    """A record that says "still" is a line in the incident of its key, which must not have been over by then."""
    for _, made in mine:
        for incident in incidents.values():
            over_ms = incident.get("resolved_ms")
            if made.event.key in incident["keys"] and cause.house.id in incident["premises"]:
                began_ms = cause.start_ms + world.start_ms
                if over_ms is None or over_ms >= began_ms:
                    return True
    return False


def _resolved_between(named: set[str], incidents: dict[str, dict[str, Any]]) -> bool:
    """A record after the resolution of the first is, by the rules, another incident."""
    ordered = sorted((incidents[name] for name in named), key=lambda one: one["raised_ms"])
    pairs = pairwise(ordered)
    return all((a.get("resolved_ms") or 2**62) <= b["raised_ms"] for a, b in pairs)


def _said(cause: Cause) -> str:
    until = f"{cause.end_ms / 1000:.3f}" if cause.end_ms is not None else "the end"
    return f"{cause.zone} from {cause.start_ms / 1000:.3f} s to {until}"


def _placed(world: World, state: dict[str, Any]) -> None:
    """A record stands where it truly happened, as surely as it is said to: within its error, or in its interval."""
    for _, dossier in state["dossiers"]:
        for mark in dossier["marks"]:
            gateway, _, rest = mark[1].partition("/")
            instance, _, seq = rest.partition("/")
            made = world.witness.made.get((gateway, instance, int(seq))) if seq.isdigit() else None
            if made is None:
                continue
            late_ms, (not_before_ms, not_after_ms, how) = mark[7], mark[13:16]
            true_ms = world.start_ms + made.true_ms
            off_ms = mark[0] - true_ms
            if late_ms is not None and not -EARLY_MS <= off_ms <= TRAVEL_MS:
                world.witness.broken("placed", f"{mark[2]} of {mark[5]} is placed {off_ms} ms off its time")
                return
            early = not_before_ms is not None and true_ms < not_before_ms - ROUNDING_MS
            if early or true_ms > not_after_ms + ROUNDING_MS:
                said = (not_before_ms and not_before_ms - true_ms, not_after_ms - true_ms)
                text = f"{mark[2]} of {mark[5]} is said to be in {said} ms of its time (by {how})"
                world.witness.broken("error stated", text)
                return
            world.witness.placed[how] = world.witness.placed.get(how, 0) + 1


def _live(world: World) -> None:
    """What stands open at the end is shown so: nothing late cleared it."""
    assert world.hub is not None
    shown = {view.id: view for view in world.hub.desk.zones()}
    for zone, cause in world.witness.active.items():
        kind = LIVE_KINDS.get(cause.kind)
        if kind is not None and kind not in shown[zone].live:
            world.witness.broken("cleared", f"{zone} is open since {cause.start_ms} ms and is not shown so")


def _climbed(world: World, incidents: dict[str, dict[str, Any]]) -> None:
    """A P1 that nobody accepted in time was told to the town."""
    for name, one in incidents.items():
        if one["rule"] not in ("panic", "fire", "gas", "duress") or one.get("parent"):
            continue
        if {"must_look", "cancelled"} & set(one.get("conditions", ())):
            continue
        due_ms = one["raised_ms"] - world.start_ms + ACCEPT_MS
        for ill_ms, well_ms in world.hub_ill:
            if ill_ms - SLACK_MS <= due_ms and (well_ms < 0 or due_ms <= well_ms + SLACK_MS):
                due_ms = (world.loop.now_ms if well_ms < 0 else well_ms) + SLACK_MS
        accepted_ms = one.get("accepted_ms")
        if accepted_ms is not None and accepted_ms - world.start_ms <= due_ms + SLACK_MS:
            continue
        pages = [line["at_ms"] for line in one["history"] if line.get("why", "").startswith("not accepted")]
        first_ms = min(pages, default=2**62) - world.start_ms
        if due_ms + SLACK_MS < world.loop.now_ms and first_ms > due_ms + SLACK_MS:
            world.witness.broken("escalation", f"{name}: nobody accepted it and the town was not told in time")


def _bells(world: World, house: str) -> list[tuple[int, int]]:
    """Every cause that may ring a house, as (start, end) in ms; presses that are one cause count once."""
    found: list[tuple[int, int]] = []
    first: dict[str, int] = {}
    parted = sorted(ms for ms, _ in world.people.resolved)
    for cause in world.witness.causes:
        if cause.kind not in RINGERS or cause.house.group not in GROUPS:
            continue
        end_ms = cause.end_ms if cause.end_ms is not None else world.loop.now_ms
        began_ms = first.get(cause.house.id)
        joined = began_ms is not None and cause.start_ms - began_ms <= JOIN_MS - SLACK_MS
        if cause.kind is ZoneKind.PANIC:
            if joined and began_ms is not None and not any(began_ms < ms <= cause.start_ms for ms in parted):
                continue
            first[cause.house.id] = cause.start_ms
        found.append((cause.start_ms, end_ms))
    return found


def _rang(world: World) -> None:
    """Every ringing has a cause, ends in its time, and no cause rings a house twice."""
    for house, spans in world.witness.sirens.items():
        bells = _bells(world, house)
        gateway = world.village.house(house).gateway
        starts = world.witness.starts.get(gateway, [])
        free = list(bells)
        for begun_ms, over_ms in spans:
            over_ms = world.loop.now_ms if over_ms < 0 else over_ms
            near = [bell for bell in bells if bell[0] <= over_ms and bell[1] + REACH_MS >= begun_ms]
            if not near:
                world.witness.broken("siren", f"the siren of {house} rang at {begun_ms} ms for nothing")
                return
            causes = sum(bell[0] <= over_ms and bell[1] >= begun_ms - REACH_MS for bell in bells)
            if over_ms - begun_ms > causes * ONE_RING_MS + SLACK_MS:
                world.witness.broken("siren", f"the siren of {house} rang for {over_ms - begun_ms} ms from {begun_ms}")
                return
            if any(0 <= begun_ms - start_ms <= SLACK_MS for start_ms in starts):
                continue  # a restart goes on with what it rang for
            if world.was_dead(world.village.house(house).device, begun_ms):
                continue
            mine = next((bell for bell in free if bell[0] <= begun_ms <= bell[1] + REACH_MS), None)
            if mine is None:
                world.witness.broken("twice rung", f"the siren of {house} rang again at {begun_ms} ms for no new cause")
                return
            free.remove(mine)


def _stood_down(world: World, incidents: dict[str, dict[str, Any]]) -> None:
    """Where nothing failed, what was resolved is silent a minute later."""
    for _, name in world.people.resolved:
        one = incidents.get(name)
        if one is None or one["rule"] not in ("panic", "fire", "gas") or one.get("resolved_ms") is None:
            continue
        done_ms = one["resolved_ms"] - world.start_ms
        if any(a < done_ms + 90_000 and b > done_ms - 300_000 for a, b in world.disturbed):
            continue
        for house in one["premises"]:
            group = world.village.house(house).group
            for other in (h.id for h in world.village.houses if h.group == group):
                late = done_ms + 75_000
                sounding = [a for a, b in world.witness.sirens.get(other, ()) if a < done_ms and (b < 0 or b > late)]
                others = [bell for bell in _bells(world, other) if bell[0] > done_ms - 1_000_000 and bell[0] < late]
                if sounding and len(others) <= 1:
                    world.witness.broken("stand-down", f"{other} still rings {late - done_ms} ms after {name} was over")
                    return
