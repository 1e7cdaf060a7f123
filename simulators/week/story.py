"""What happens in the week: presses, break-ins, faults, a storm, a drill, cut lines, weak supplies, and how it all
stands at its end."""

from __future__ import annotations

import random
from collections.abc import Callable

from hub.core.plan import Level, Levelled
from hub.core.trials import DrillPlanned
from protocol.kinds import Kind, Qualifier
from protocol.records import ClockQuality
from simulators.week.gateway import OTHER_CONFIG, Gateway
from simulators.week.hub import WeekHub
from simulators.week.people import People
from simulators.week.town import zones_of

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
DAYS = 7
END_MS = DAYS * DAY_MS
HOME_MS = END_MS - 20 * MINUTE_MS
"""From here on what is new is left as it is: the end of the week is a moment in the middle of things."""
LATE_PROVER = "xihu-2"
"""It proves itself no more after the fifth night, and is lost at the end."""
LOST_FOR_MS = 40 * MINUTE_MS
STORE_DOWN_AT_MS = 4 * DAY_MS + 12 * HOUR_MS
"""For half an hour the telemetry store takes nothing."""
FLOOD = 14
"""Faults of the storm, in 8 minutes."""
PRESSES_AT_END = (3, 0.4)
"""Presses that are open at the end, by the minutes before it."""


class Story:
    """`gateways` by name; schedules everything at once."""

    def __init__(self, hub: WeekHub, gateways: dict[str, Gateway], people: People, start_ms: int, seed: str) -> None:
        self._hub, self._gateways, self._people, self._start_ms = hub, gateways, people, start_ms
        self._rng = random.Random(f"{seed}/story")
        for day in range(DAYS):
            self._night(day)
            self._day(day)
        self._drill()
        self._storm()
        self._lines()
        self._machines()
        self._recorders()
        self._left_open()

    def _at(self, at_ms: float, call: Callable[..., object], *args: object) -> None:
        self._hub.loop.at(int(at_ms) * 1_000_000, call, *args)

    def _night(self, day: int) -> None:
        for at, gateway in enumerate(self._gateways.values()):
            if not (gateway.wired.name == LATE_PROVER and day > 4):
                self._at(day * DAY_MS + 2 * HOUR_MS + at * MINUTE_MS, self._prove, gateway)
            if gateway.wired.site:
                self._at(day * DAY_MS + 10 * MINUTE_MS, self._loops, gateway, day)

    def _prove(self, gateway: Gateway) -> None:
        gateway.record(Kind.TEST, drill=True)

    def _loops(self, gateway: Gateway, day: int) -> None:
        zone = f"{gateway.wired.site}-door"
        for what, ohm in (("loop_min", 5_560.0), ("loop_mean", 5_600.0 + 6 * day), ("loop_max", 5_660.0 + 20 * day)):
            gateway.tell_zone(zone, what, ohm)

    def _day(self, day: int) -> None:
        """An ordinary day: two presses, and some of everything else."""
        rng, names = self._rng, list(self._gateways)
        for _ in range(2):
            self._press(day * DAY_MS + rng.uniform(7, 11.5) * HOUR_MS, rng.choice(names), rng.randint(1, 5))
        for kind, sensor in ((Kind.INTRUSION, "door"), (Kind.ZONE_FAULT, "motion"), (Kind.FIRE, "smoke")):
            if kind is not Kind.FIRE or day % 3 == 0:
                name, house = rng.choice(names), rng.randint(1, 5)
                at_ms = day * DAY_MS + rng.uniform(6, 11) * HOUR_MS
                self._at(at_ms, self._happen, name, f"{name}-h{house}-{sensor}", kind)
        if day in (2, 5):
            self._at(day * DAY_MS + 9 * HOUR_MS, self._happen, "donghu-1", "donghu-1-h2-door", Kind.CHATTER)

    def _press(self, at_ms: float, name: str, house: int) -> None:
        self._at(at_ms, self._happen, name, f"{name}-h{house}-panic", Kind.PANIC)

    def _happen(self, name: str, zone: str, kind: Kind) -> None:
        """Something happens at a zone, and is over a minute later."""
        gateway = self._gateways[name]
        event = gateway.record(kind, zone)
        self._hub.loop.after(MINUTE_MS, self._over, gateway, zone, kind, event.key)
        if kind is Kind.ZONE_FAULT:
            gateway.tell_zone(zone, "health", "fault")

    def _over(self, gateway: Gateway, zone: str, kind: Kind, key: str) -> None:
        gateway.record(kind, zone, qualifier=Qualifier.RESTORE, key=key)
        if kind is Kind.ZONE_FAULT:
            gateway.tell_zone(zone, "health", "online")

    def _drill(self) -> None:
        drill = DrillPlanned(
            "hengjie", "drill-1", Kind.PANIC, "op-2", "0" * 64, premises=["donghu-2-h1"], lasts_ms=10 * MINUTE_MS
        )
        self._at(3 * DAY_MS + 8 * HOUR_MS, self._hub.take, drill)
        self._at(5 * DAY_MS, self._hub.take, self._level())

    def _level(self) -> Levelled:
        until_ms = self._start_ms + END_MS + DAY_MS
        return Levelled("hengjie", Level.ENHANCED, "op-2", "0" * 64, self._start_ms + 5 * DAY_MS, until_ms)

    def _storm(self) -> None:
        """A thunderstorm: faults at many houses within minutes, and presses among them."""
        names = [name for name in self._gateways if name.startswith(("donghu", "xihu"))]
        for at in range(FLOOD):
            name, house = names[at % len(names)], at // len(names) + 1
            at_ms = 4 * DAY_MS + 9 * HOUR_MS + at * 35_000
            self._at(at_ms, self._happen, name, f"{name}-h{house}-motion", Kind.ZONE_FAULT)
        self._press(4 * DAY_MS + 9 * HOUR_MS + 4 * MINUTE_MS, "xihu-1", 4)

    def _lines(self) -> None:
        """Six hours without a line; a line that comes and goes; one that is gone at the end."""
        cut, back = self._gateways["donghu-2"], 5 * DAY_MS + 7 * HOUR_MS
        self._at(5 * DAY_MS + HOUR_MS, cut.cut)
        self._at(5 * DAY_MS + 3 * HOUR_MS, self._happen, "donghu-2", "donghu-2-h5-panic", Kind.PANIC)
        self._at(back, cut.connect)
        flapping = self._gateways["beishan-2"]
        for at in range(20):
            self._at(6 * DAY_MS + 4 * HOUR_MS + at * 90_000, flapping.cut)
            self._at(6 * DAY_MS + 4 * HOUR_MS + at * 90_000 + 20_000, flapping.connect)
        self._at(END_MS - LOST_FOR_MS, self._gateways[LATE_PROVER].cut)
        self._at(STORE_DOWN_AT_MS, self._store, True)
        self._at(STORE_DOWN_AT_MS + HOUR_MS / 2, self._store, False)
        for at, point in enumerate(("zone/nowhere/health", "zone/xihu-1-h1-door")):
            self._at(END_MS - 3 * HOUR_MS + at, self._gateways["xihu-1"].read, point, "online")

    def _store(self, down: bool) -> None:
        self._hub.store_down = down

    def _machines(self) -> None:
        weak = self._gateways["donghu-3"]
        for at in range(3):
            self._at(6 * DAY_MS + (3 + at) * HOUR_MS, weak.start, True)
        self._ails(6 * DAY_MS, 6 * DAY_MS + 6 * HOUR_MS, "donghu-3", "undervoltage")
        self._ails(6 * DAY_MS + 6 * HOUR_MS, END_MS + DAY_MS, "beishan-1", "hot")
        self._ails(2 * DAY_MS, END_MS + DAY_MS, "xihu-1", "worn")
        self._ails(6 * DAY_MS + 8 * HOUR_MS, END_MS + DAY_MS, "xihu-1", "device", "io-2")
        self._ails(6 * DAY_MS + 8 * HOUR_MS, END_MS + DAY_MS, "xihu-1", "bus")
        self._at(6 * DAY_MS + 5 * HOUR_MS, self._drifts, self._gateways["beishan-2"])
        self._at(END_MS - 2 * HOUR_MS, self._sensor, self._gateways["donghu-1"], "donghu-1-h4-motion")

    def _ails(self, from_ms: float, until_ms: float, name: str, what: str, which: str = "") -> None:
        ailing = self._gateways[name].ailing
        self._at(from_ms, ailing.__setitem__, what, which)
        self._at(until_ms, ailing.pop, what, None)

    def _drifts(self, gateway: Gateway) -> None:
        gateway.config, gateway.software, gateway.clock = OTHER_CONFIG, "0.0.9", ClockQuality.HOLDOVER
        gateway.start()

    def _sensor(self, gateway: Gateway, zone: str) -> None:
        gateway.ailing["sensor"] = zone
        gateway.tell_zone(zone, "health", "fault")

    def _recorders(self) -> None:
        """Recorders tell all at first; one is away for four hours, the other's newest recording gets old."""
        for gateway in self._gateways.values():
            for zone, (_, sensor) in zones_of(gateway.wired).items():
                if sensor.startswith("nvr"):
                    self._at(MINUTE_MS, gateway.tell_zone, zone, "", "normal")
        works, mill = self._gateways["donghu-1"], self._gateways["beishan-1"]
        offline, stale = "donghu-works-nvr-online", "beishan-mill-nvr-recording"
        for at_ms, gateway, zone, kind, condition in (
            (4 * DAY_MS + 10 * HOUR_MS, works, offline, Kind.NVR_OFFLINE, "fault"),
            (4 * DAY_MS + 14 * HOUR_MS, works, offline, Kind.NVR_OFFLINE, "normal"),
            (END_MS - 4 * HOUR_MS, mill, stale, Kind.RECORDING_STALE, "fault"),
            (5 * DAY_MS + 9 * HOUR_MS, mill, "beishan-mill-nvr-channels", Kind.VIDEO_LOSS, "fault"),
            (5 * DAY_MS + 10 * HOUR_MS, mill, "beishan-mill-nvr-channels", Kind.VIDEO_LOSS, "normal"),
            (2 * DAY_MS + 9 * HOUR_MS, works, "donghu-works-nvr-disk", Kind.NVR_DISK, "fault"),
            (2 * DAY_MS + 20 * HOUR_MS, works, "donghu-works-nvr-disk", Kind.NVR_DISK, "normal"),
        ):
            self._at(at_ms, self._recorder, gateway, zone, kind, condition)

    def _recorder(self, gateway: Gateway, zone: str, kind: Kind, condition: str) -> None:
        gateway.tell_zone(zone, "", condition)
        well = condition == "normal"
        gateway.record(kind, zone, qualifier=Qualifier.RESTORE if well else Qualifier.NEW, key=f"{zone}-x")
        if kind is Kind.RECORDING_STALE:
            gateway.ailing["stale"] = str(gateway.loop.now_ms)

    def _left_open(self) -> None:
        """What is open at the end: a fault for thirty hours, a break-in, two presses, one of them not accepted."""
        self._at(END_MS - 30 * HOUR_MS, self._leave, "fault", "beishan-2", "beishan-2-h3-motion", Kind.ZONE_FAULT)
        self._at(END_MS - 6 * MINUTE_MS, self._happen, "beishan-1", "beishan-1-h2-door", Kind.INTRUSION)
        self._at(END_MS - 9 * MINUTE_MS, self._happen, "donghu-1", "donghu-works-tamper", Kind.TAMPER)
        for minutes, house in zip(PRESSES_AT_END, (1, 3), strict=True):
            name = "donghu-1" if house == 3 else "beishan-2"
            self._press(END_MS - minutes * MINUTE_MS, name, house)

    def _leave(self, rule: str, name: str, zone: str, kind: Kind) -> None:
        self._people.left.add(rule)
        self._gateways[name].record(kind, zone)
        self._gateways[name].tell_zone(zone, "health", "fault")
