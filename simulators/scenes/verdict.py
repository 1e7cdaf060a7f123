"""Where what came of a scenario differs from what it expects, each difference in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hub.core.incident import Incident
from simulators.scenes.expect import WITHIN_S, Expect, ExpectedIncident, Flooding, Ringing
from simulators.scenes.found import Found, lines, stood_down
from simulators.scenes.places import Places
from simulators.scenes.tried import trials


def differences(expect: Expect, found: Found, names: Places) -> list[str]:
    """Every difference; none means that all came as expected."""
    return [
        *found.trouble,
        *_incidents(expect, found, names),
        *_sirens(expect, found, names),
        *_records(expect, found),
        *_alarms(expect, found),
        *trials(expect, found, names),
    ]


def _incidents(expect: Expect, found: Found, names: Places) -> list[str]:
    """Each expected incident is matched with the one of its rule that differs least."""
    told: list[str] = []
    left = sorted(found.incidents, key=lambda incident: (incident.raised_ms, incident.id))
    for at, wanted in enumerate(expect.incident, 1):
        rated = [
            (_off(wanted, one, found, names), number) for number, one in enumerate(left) if one.rule == wanted.rule
        ]
        if not rated:
            told.append(f"incident {at} ({wanted.rule}): it did not come")
            continue
        off, number = min(rated, key=lambda one: (len(one[0]), one[1]))
        told += [f"incident {at} ({wanted.rule}): {line}" for line in off]
        del left[number]
    if not expect.others:
        told += [f"not expected: {_short(incident)}" for incident in left]
    return told


def _short(incident: Incident) -> str:
    return f"P{incident.priority.value} {incident.rule} {incident.state.value}: {incident.why}"


def _off(wanted: ExpectedIncident, one: Incident, found: Found, names: Places) -> list[str]:
    everyone: Callable[[Iterable[str]], set[str]] = lambda who: names.everyone(list(who))  # noqa: E731
    shown: dict[str, Any] = {
        "priority": f"P{one.priority.value}",
        "premises": sorted(one.premises),
        "zones": sorted(one.zones),
        "gateways": sorted(one.gateways),
        "group": one.group or "none",
        "parent": found.parent_of(one),
        "children": len(one.children),
        "state": one.state,
        "presses": one.presses,
        "conditions": sorted(one.conditions),
        "silent": one.silent,
        "called": sorted(one.calls),
        "stood_down": sorted(stood_down(one)),
        "rung": one.rung,
        "disposition": one.disposition,
        "accepted_by": one.accepted_by,
    }
    told: list[str] = []
    for name, is_ in shown.items():
        due = getattr(wanted, name)
        if due is not None:
            due = sorted(everyone(due)) if name in ("called", "stood_down") else due
            due = sorted(due) if isinstance(due, list) else due
            told += [] if due == is_ else [_differ(name, due, is_)]
    return (
        told + _worded(wanted, one) + _late(wanted, one) + _answers(wanted, one, everyone) + _pages(wanted, one, found)
    )


def _worded(wanted: ExpectedIncident, one: Incident) -> list[str]:
    told = [
        _differ(name, f"... {words} ...", text)
        for name, words, text in (("why", wanted.why, one.why), ("not_called", wanted.not_called, one.calling))
        if words is not None and words not in text
    ]
    if wanted.not_called is not None and not one.calling.startswith("nobody called"):
        told.append(_differ("not_called", "nobody called ...", one.calling))
    history, at = lines(one), 0
    for words in wanted.told or []:
        next_at = next((n for n in range(at, len(history)) if words in history[n]), None)
        if next_at is None:
            told.append(_differ("told", f"... {words} ...", "; ".join(history[at:])[-400:]))
        at = at if next_at is None else next_at + 1
    return told


def _late(wanted: ExpectedIncident, one: Incident) -> list[str]:
    if wanted.late_s is None:
        return []
    if wanted.late_s == "unknown" or one.late_ms is None:
        same = wanted.late_s == "unknown" and one.late_ms is None
        return (
            [] if same else [_differ("late_s", wanted.late_s, "unknown" if one.late_ms is None else one.late_ms / 1e3)]
        )
    first, last = wanted.late_s
    return [] if first <= one.late_ms / 1000 <= last else [_differ("late_s", f"{first} to {last}", one.late_ms / 1000)]


def _answers(wanted: ExpectedIncident, one: Incident, everyone: Callable[[Iterable[str]], set[str]]) -> list[str]:
    told: list[str] = []
    for outcome, who in (wanted.answers or {}).items():
        due, is_ = sorted(everyone(who)), sorted(name for name, call in one.calls.items() if call.outcome is outcome)
        told += [] if due == is_ else [_differ(f"answers.{outcome.value}", due, is_)]
    return told


def _pages(wanted: ExpectedIncident, one: Incident, found: Found) -> list[str]:
    is_ = found.pages_of(one.id)
    if wanted.pages is None or is_ is None:
        return []
    due = {rung.value: count for rung, count in wanted.pages.items() if count}
    return [] if due == is_ else [_differ("pages", due, is_)]


def _sirens(expect: Expect, found: Found, names: Places) -> list[str]:
    told: list[str] = []
    for who in sorted(names.everyone(list(expect.silent or [])) & set(names.sirens())):
        if spans := found.sirens.get(who):
            told.append(f"siren of {who}: expected silent, found {_spans(spans)}")
    if expect.rings is None:
        return told
    due = {who: [ring for ring in expect.rings if who in names.everyone(ring.who)] for who in names.sirens()}
    return told + [line for who, rings in due.items() for line in _rings(who, rings, found.sirens.get(who, ()))]


def _rings(who: str, rings: Sequence[Ringing], spans: Sequence[tuple[float, float | None]]) -> list[str]:
    if len(rings) == len(spans) and all(map(_same, sorted(rings, key=lambda ring: ring.from_s), spans)):
        return []
    due = ", ".join(
        f"{ring.from_s:g} to {'the end' if ring.until_s is None else f'{ring.until_s:g} s'}" for ring in rings
    )
    return [f"siren of {who}: expected {due or 'silent'}, found {_spans(spans)}"]


def _same(ring: Ringing, span: tuple[float, float | None]) -> bool:
    began = abs(ring.from_s - span[0]) <= ring.within_s
    if ring.until_s is None or span[1] is None:
        return began and ring.until_s is span[1]
    return began and abs(ring.until_s - span[1]) <= ring.within_s


def _spans(spans: Sequence[tuple[float, float | None]]) -> str:
    return ", ".join(f"{a:.1f} to {'the end' if b is None else f'{b:.1f} s'}" for a, b in spans) or "silent"


def _records(expect: Expect, found: Found) -> list[str]:
    if found.records is None:
        return []
    return [
        _differ(f"records of {name}", due, is_)
        for name, due in expect.records.items()
        if (is_ := found.records.get(name, 0)) != due
    ]


def _alarms(expect: Expect, found: Found) -> list[str]:
    """Floods and lists, where they could be seen."""
    told: list[str] = []
    if expect.floods is not None and found.floods is not None:
        due = expect.floods
        same = len(due) == len(found.floods) and all(map(_same_flood, due, found.floods))
        words = [(one.from_s, one.until_s, one.alarms) for one in due]
        told += [] if same else [_differ("floods", words, list(found.floods))]
    listed = {name: getattr(expect, name) for name in ("stale", "chattering", "shelved")}
    listed |= {f"suppressed.{name}": places for name, places in (expect.suppressed or {}).items()}
    for name, places in listed.items():
        if places is not None and found.listed is not None:
            due_places, is_ = sorted(places), sorted(found.listed.get(name, ()))
            told += [] if due_places == is_ else [_differ(name, due_places, is_)]
    return told


def _same_flood(due: Flooding, flood: tuple[float, float | None, int]) -> bool:
    began, ended, alarms = flood
    same = abs(due.from_s - began) <= WITHIN_S and due.alarms in (None, alarms)
    if due.until_s is None or ended is None:
        return same and due.until_s is ended
    return same and abs(due.until_s - ended) <= WITHIN_S


def _differ(name: str, due: object, is_: object) -> str:
    return f"{name}: expected {due}, found {is_}"
