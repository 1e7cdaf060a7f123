"""What is presented to the operators of an area, counted; and floods of it, begun above a rate and ended below one.

An operator's position is the console of an area, the unit of responsibility and of access here: whoever sits there is
asked to look at everything of it. Counting changes nothing about what is told; a flood hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hub.core.context import Context
from hub.core.defaults import Alarms
from hub.core.incident import Incident
from hub.core.load import HOUR_MS, PRIORITIES, SLOT_MS, SLOTS, Flood, Flooded, Hour, Times, Watch
from hub.core.rules import named
from hub.core.rules.base import Ignored, Mark, Rule, Took, Verdict

TIMER = "flood:"
HOURS_MAX = 24 * 45
"""Hours remembered of an area, so that a month can be told; the oldest goes first."""
ALARMS_MAX = 100
"""Different alarms counted by name in one hour; of more, the rarest goes among the others."""
FLOODS_MAX = 500
BURSTS_MAX = 64
"""Alarms watched for chatter at a time; the one that was longest quiet goes first."""


def alarm(rule: str, mark: Mark) -> str:
    """What an alarm is counted by: its rule and its place."""
    if mark.zone is not None:
        return f"{rule}|zone:{mark.zone}"
    return f"{rule}|premises:{mark.premises}" if mark.premises is not None else f"{rule}|gateway:{mark.gateway}"


def settle(ctx: Context) -> None:
    """At the end of a step: count what it presented and withheld, and tell a flood that begins."""
    shown = [one for one in map(ctx.incident, dict.fromkeys(ctx.presented)) if not one.drill]
    withheld = [why for incident, why in ctx.withheld.items() if not ctx.incident(incident).drill]
    if not (shown or withheld or ctx.happened):
        return
    watch = ctx.tables.watch.get((ctx.area,)) or Watch()
    hour, number = _hour(ctx), ctx.at_ms // HOUR_MS
    times: dict[str, Times] = {}
    for incident in shown:
        _add(times, _of(ctx, incident), Times(presented=1))
    bursts = dict(watch.bursts)
    for rule, mark in ctx.happened:
        name = alarm(rule, mark)
        _add(times, name, Times(0, mark.count, _chatters(bursts, name, mark.event_ms, ctx.defaults.alarms)))
    slot = ctx.at_ms % HOUR_MS // SLOT_MS
    slots = tuple(count + len(shown) * (at == slot) for at, count in enumerate(hour.slots))
    by = tuple(sum(one.priority == at + 1 for one in shown) for at in range(PRIORITIES))
    alarms, others = _kept(hour.alarms, times, hour.others)
    hour = Hour(slots, _sum(hour.priorities, by), _counted(hour.withheld, withheld), alarms, others)
    ctx.tables.hours.put((ctx.area, str(number)), hour)
    watch = replace(
        watch, bursts=bursts, priorities=_sum(watch.priorities, by), withheld=_counted(watch.withheld, withheld)
    )
    ctx.tables.watch.put((ctx.area,), _watched(ctx, watch, len(shown)) if shown else watch)


def come(ctx: Context, name: str) -> Verdict:
    """The fifth newest alarm is ten minutes old: a flood is over, unless more came since."""
    ctx.tables.timers.put((ctx.area, TIMER + name), None)
    watch, limits = ctx.tables.watch.get((ctx.area,)), ctx.defaults.alarms
    if watch is None or watch.since_ms is None:
        return Ignored("there is no flood")
    if within(watch, ctx.at_ms, limits) >= limits.flood_ends:
        _await_end(ctx, watch)
        return Ignored("more came since")
    flood = Flood(watch.since_ms, ctx.at_ms, watch.alarms)
    ctx.effects.append(Flooded(ctx.area, False, ctx.at_ms, watch.alarms))
    past = (*watch.past, flood)[-FLOODS_MAX:]
    lasted_ms = watch.flood_ms + flood.ended_ms - flood.began_ms
    ctx.tables.watch.put((ctx.area,), replace(watch, since_ms=None, alarms=0, past=past, flood_ms=lasted_ms))
    return Took((), f"a flood of {watch.alarms} alarms is over")


def within(watch: Watch, at_ms: int, limits: Alarms) -> int:
    """Alarms presented within the window of a flood, as far as they are remembered."""
    return sum(ms > at_ms - limits.flood_ms for ms in watch.newest)


def _watched(ctx: Context, watch: Watch, count: int) -> Watch:
    limits = ctx.defaults.alarms
    newest = (*watch.newest, *(ctx.at_ms,) * count)[-(limits.flood_begins + 1) :]
    watch = replace(watch, newest=newest)
    if watch.since_ms is None and (many := within(watch, ctx.at_ms, limits)) > limits.flood_begins:
        watch = replace(watch, since_ms=ctx.at_ms, alarms=many, floods=watch.floods + 1)
        ctx.effects.append(Flooded(ctx.area, True, ctx.at_ms, many))
    elif watch.since_ms is not None:
        watch = replace(watch, alarms=watch.alarms + count)
    if watch.since_ms is not None:
        _await_end(ctx, watch)
    return watch


def _await_end(ctx: Context, watch: Watch) -> None:
    """It ends when one of the newest that must be within the window leaves it."""
    limits = ctx.defaults.alarms
    ctx.tables.timers.put((ctx.area, TIMER + ctx.area), watch.newest[-limits.flood_ends] + limits.flood_ms)


def _hour(ctx: Context) -> Hour:
    """The hour that runs; with a new one the oldest go."""
    number = ctx.at_ms // HOUR_MS
    if (hour := ctx.tables.hours.get((ctx.area, str(number)))) is not None:
        return hour
    known = (*(ctx.tables.kept_hours.get((ctx.area,)) or ()), number)
    for old in known[:-1]:
        if old <= number - HOURS_MAX:
            ctx.tables.hours.put((ctx.area, str(old)), None)
    ctx.tables.kept_hours.put((ctx.area,), tuple(one for one in known if one > number - HOURS_MAX))
    return Hour((0,) * SLOTS)


def _of(ctx: Context, incident: Incident) -> str:
    """What a presented incident is counted by: its first record's place, of a parent the group or the area."""
    if isinstance(named(incident.rule), Rule):
        return alarm(incident.rule, ctx.dossier(incident.id).marks[0])
    return f"{incident.rule}|{f'group:{incident.group}' if incident.group is not None else f'area:{ctx.area}'}"


def _chatters(bursts: dict[str, tuple[int, ...]], name: str, event_ms: int, limits: Alarms) -> int:
    """Keep the time of an alarm; 1 when it comes so often within so little time that it chatters."""
    newest = (*bursts.pop(name, ()), event_ms)[-limits.chatter_times :]
    bursts[name] = newest
    while len(bursts) > BURSTS_MAX:
        del bursts[next(iter(bursts))]
    return int(len(newest) == limits.chatter_times and max(newest) - min(newest) <= limits.chatter_ms)


def _kept(known: dict[str, Times], more: dict[str, Times], others: Times) -> tuple[dict[str, Times], Times]:
    alarms = dict(known)
    for name, times in more.items():
        if name not in alarms and len(alarms) >= ALARMS_MAX:
            rarest = min(alarms, key=lambda one: (alarms[one].presented, alarms[one].happened))
            others = others.plus(alarms.pop(rarest))
        _add(alarms, name, times)
    return alarms, others


def _add(times: dict[str, Times], name: str, more: Times) -> None:
    times[name] = times.get(name, Times()).plus(more)


def _sum(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _counted(known: dict[str, int], more: Iterable[str]) -> dict[str, int]:
    counts = dict(known)
    for why in more:
        counts[why] = counts.get(why, 0) + 1
    return counts
