"""Recorded contact activity as a list of transitions (the format of van Kasteren et al., UbiComp 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from protocol.faults import Fault, Refused, shown

_TIME = "%d-%b-%Y %H:%M:%S"
_LIMIT = 20
"""Faults named at most; a file of another format has one in every line."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One firing of a sensor: from `start` until `end`, to the second, in the recording's own time."""

    sensor: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, order=True)
class Transition:
    """A contact changes to `active` at `at_ms`, counted from the first activation of the recording."""

    at_ms: int
    sensor: int
    active: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """All of one file: sensor names by id, and activations as they stand in it."""

    sensors: dict[int, str]
    activations: list[Activation]


def load(path: Path) -> Recording:
    """Read a recording. Raises Refused with every faulty line (the first of them where there are very many)."""
    sensors: dict[int, str] = {}
    activations: list[Activation] = []
    faults: list[Fault] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise Refused([Fault(path.name, "file", type(cause).__name__, "a readable UTF-8 text")]) from cause
    body = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("["):
            key, _, name = text[1:].partition("]")
            sensors[int(key)] = name.strip().strip("'")
        elif text and not text.strip("-\t "):
            body = True
        elif body and text.startswith("Length:"):
            stated = text.removeprefix("Length:").strip()
            if stated != str(len(activations)) and not faults:
                faults.append(Fault(path.name, f"line {number}", text, f"the number of lines read: {len(activations)}"))
        elif body and text:
            found = _activation(text)
            if isinstance(found, str):
                faults.append(Fault(path.name, f"line {number}", shown(text), found))
            else:
                activations.append(found)
    if not activations and not faults:
        faults.append(Fault(path.name, "file", f"{len(lines)} lines", "a table of start, end, sensor id and value"))
    if faults:
        raise Refused(faults[:_LIMIT])
    for activation in activations:
        sensors.setdefault(activation.sensor, f"sensor {activation.sensor}")
    return Recording(sensors, activations)


def _activation(text: str) -> Activation | str:
    """The activation of one line, or what the line should have been."""
    fields = text.split("\t")
    if len(fields) != 4:
        return "four fields with tabs between: start, end, sensor id, value"
    try:
        start, end = (datetime.strptime(field.strip(), _TIME).replace(tzinfo=UTC) for field in fields[:2])
        sensor = int(fields[2])
    except ValueError:
        return "times as 25-Feb-2008 00:20:14 and a whole number for the sensor"
    if end < start:
        return "an end that is not before its start"
    return Activation(sensor, start, end)


def transitions(recording: Recording) -> list[Transition]:
    """Every opening and closing in order of recorded time.

    Where one sensor ends and starts (or starts and ends) within the same second, or a start falls inside or on the
    end of its last activation, the end plays first and what follows comes 1 ms later, so no transition is swallowed.
    """
    origin = min(activation.start for activation in recording.activations)
    played: list[Transition] = []
    for sensor in sorted(recording.sensors):
        own = sorted((a.start, a.end) for a in recording.activations if a.sensor == sensor)
        last_ms = -1
        for start, end in own:
            start_ms = max(_ms(start - origin), last_ms + 1)
            end_ms = max(_ms(end - origin), start_ms + 1)
            played += (Transition(start_ms, sensor, True), Transition(end_ms, sensor, False))
            last_ms = end_ms
    return sorted(played)


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
