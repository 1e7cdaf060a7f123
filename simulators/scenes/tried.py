"""Where the drills and proofs of a scenario differ from what it expects, each difference in words."""

from __future__ import annotations

from collections.abc import Iterator

from hub.core.drill import Drill
from simulators.scenes.expect import Expect, ExpectedDrill, ExpectedProof
from simulators.scenes.found import Found
from simulators.scenes.places import Places


def trials(expect: Expect, found: Found, names: Places) -> Iterator[str]:
    """Every difference; proofs that nobody could see are not looked at."""
    if expect.drills is not None:
        states = ([str(one.state) for one in expect.drills], [str(one.state) for one in found.drills])
        if states[0] != states[1]:
            yield f"drills: expected {states[0]}, found {states[1]}"
        else:
            for number, (wanted, drill) in enumerate(zip(expect.drills, found.drills, strict=True), 1):
                yield from (f"drill {number}: {line}" for line in _drill(wanted, drill, names))
    for gateway, due in expect.proofs.items() if found.proofs is not None else ():
        yield from (f"proof of {gateway}: {line}" for line in _proof(due, found, gateway))


def _drill(wanted: ExpectedDrill, drill: Drill, names: Places) -> Iterator[str]:
    report = drill.report
    members = report.members if report is not None else []
    shown = {
        "premises": sorted(drill.premises),
        "called": [one.premises for one in members],
        "answered": [one.premises for one in members if one.answer is not None],
        "unconfirmed": report.unconfirmed if report is not None else [],
        "unreachable": report.unreachable if report is not None else [],
    }
    for name, is_ in shown.items():
        if (due := getattr(wanted, name)) is not None:
            who = sorted(due) if name == "unreachable" else sorted(names.everyone(list(due)))
            if who != is_:
                yield f"{name}: expected {who}, found {is_}"
    if wanted.reason is not None and wanted.reason not in drill.reason:
        yield f"reason: expected ... {wanted.reason} ..., found {drill.reason}"
    times = (("rang_s", report.rang_after_ms), ("going_s", report.going_after_ms)) if report is not None else ()
    for name, ms in times:
        bounds = getattr(wanted, name)
        if bounds is not None and (ms is None or not bounds[0] <= ms / 1000 <= bounds[1]):
            yield f"{name}: expected {bounds[0]:g} to {bounds[1]:g}, found {ms if ms is None else ms / 1000}"


def _proof(due: ExpectedProof, found: Found, gateway: str) -> Iterator[str]:
    proof = (found.proofs or {}).get(gateway)
    if proof is None:
        yield "expected one, found none: the hub is not up"
        return
    for name, wanted, is_ in (
        ("proved", due.proved, proof.proved_ms is not None),
        ("overdue", due.overdue, proof.overdue),
    ):
        if wanted is not None and wanted != is_:
            yield f"{name}: expected {wanted}, found {is_}"
    if due.trouble is not None and (due.trouble not in proof.trouble or bool(due.trouble) != bool(proof.trouble)):
        yield f"trouble: expected ... {due.trouble} ..., found {proof.trouble}"
