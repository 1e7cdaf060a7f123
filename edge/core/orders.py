"""Orders from the hub: each acts once and before it expires; each premises it names gets an answer with a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from edge.core.acted import Acted
from edge.core.alarms import PRESSES, Alarms
from edge.core.arming import Keypad
from edge.core.awaited import Awaited
from edge.core.bounds import NS_PER_MS, TEXT_MAX, listed
from edge.core.bypasses import NEVER, Bypasses, Why
from edge.core.events import Scribe, Where
from edge.core.io import Answer, Memory, Ordered
from edge.core.lamps import Lamps
from edge.core.ringing import Rang, Ringing
from edge.core.site import NATURES, Mode, Site
from edge.core.zones import Zones
from protocol.kinds import Kind, Qualifier
from protocol.messages import Action, Order, Outcome, Result
from protocol.records import ClockQuality, Condition

SILENT = frozenset({Kind.DURESS, Kind.SILENT_HOLDUP})
TEST_SIREN_MS = 10_000


class Orders:
    """Decides whether an order acts, lets it act premises by premises, and answers."""

    def __init__(
        self,
        site: Site,
        memory: Memory,
        scribe: Scribe,
        zones: Zones,
        alarms: Alarms,
        keypad: Keypad,
        ringing: Ringing,
        lamps: Lamps,
        bypasses: Bypasses,
        awaited: Awaited,
        silent_device: Callable[[str], bool],
    ) -> None:
        self.acted = Acted(memory)
        self._site, self._scribe, self._zones = site, scribe, zones
        self._alarms, self._keypad = alarms, keypad
        self._ringing, self._lamps, self._bypasses = ringing, lamps, bypasses
        self._awaited = awaited
        self._premises = [premises.id for premises in site.premises]
        self._silent_device = silent_device
        self._issued_ns = 0
        self._acts: dict[Action, Callable[[Order, str], Result]] = {
            Action.SIREN: self._siren,
            Action.SILENCE: self._silence,
            Action.STAND_DOWN: self._stand_down,
            Action.COMING: self._coming,
            Action.ARM: self._arm,
            Action.DISARM: self._disarm,
            Action.RESET: self._reset,
            Action.BYPASS: self._bypass,
            Action.TEST: self._test,
        }

    def take(self, ordered: Ordered) -> None:
        """Act on an order, or say why not. The answer is the last effect."""
        order, hub_ms = ordered.order, ordered.hub_ms
        if hub_ms is None and self._scribe.now.quality is ClockQuality.SYNCED:
            hub_ms = self._scribe.now.wall_ms
        if order.id in self.acted:
            results = self.acted.answer(order.id) or self._all(order, Outcome.DONE, "already acted on")
        elif (reason := self.reason_against(order, hub_ms)) is not None:
            results = self._all(order, Outcome.REFUSED, reason)
        else:
            assert hub_ms is not None, "an order of unknown age is refused"
            self._issued_ns = self._scribe.now.mono_ns - (hub_ms - order.issued_ms) * NS_PER_MS
            results = self._act(order)
            self.acted.remember(order, results)
            self._scribe.changed = True
        self._scribe.add(Answer(order.id, results))

    def reason_against(self, order: Order, hub_ms: int | None) -> str | None:
        """Why it must not be acted on; None where it may be. `hub_ms`: the hub's time now, None while unknown."""
        if (order.area, order.gateway) != (self._site.area, self._site.gateway):
            return f"for {order.area}/{order.gateway}, not for {self._site.area}/{self._site.gateway}"
        return self.acted.reason_against(order, hub_ms)

    def _act(self, order: Order) -> tuple[Result, ...]:
        if order.action is Action.REFRESH:
            self._zones.tell_all()
            return (Result(None, Outcome.DONE),)
        results = []
        for premises in order.premises or self._premises:
            if premises in self._premises:
                results.append(self._acts[order.action](order, premises))
            else:
                results.append(Result(premises, Outcome.REFUSED, "not a premises of this gateway"))
        return tuple(results)

    def _all(self, order: Order, outcome: Outcome, reason: str) -> tuple[Result, ...]:
        return tuple(Result(premises, outcome, reason) for premises in order.premises) or (
            Result(None, outcome, reason),
        )

    def _siren(self, order: Order, premises: str) -> Result:
        if order.kind in SILENT:
            self._ringing.hush(_causes(order))
            return Result(premises, Outcome.REFUSED, f"{order.kind} is silent: nothing sounds at any premises")
        if self._is_hushed(order):
            return Result(premises, Outcome.REFUSED, "somebody called in silence: nothing sounds at any premises")
        keys = self._to_ring(order, premises)
        duration_ms = order.duration_ms or self._site.limits.siren_group_ms
        caller = "" if order.pressed in (None, premises) else order.pressed
        rang = self._ringing.call(keys, premises, duration_ms, caller or "", order.drill)
        if rang is Rang.JOINED:
            return Result(premises, Outcome.JOINED, "has rung for the same cause")
        return self._rang(rang, premises)

    def _is_hushed(self, order: Order) -> bool:
        """Whether all that an order is to ring for was called in silence; a cause that was not may ring by itself."""
        causes = order.keys or ([order.incident] if order.incident else [])
        return bool(causes) and all(cause in self._ringing.hushed for cause in causes)

    def _rang(self, rang: Rang, premises: str) -> Result:
        """What is to be said of a ringing that was wanted."""
        if rang is Rang.NO_SIREN:
            return Result(premises, Outcome.REFUSED, "no siren here")
        devices = {output.target.partition("/")[0] for output in self._ringing.sirens(premises)}
        lost = sorted(device for device in devices if self._silent_device(device))
        if len(lost) == len(devices):
            return Result(premises, Outcome.FAILED, f"no answer from {', '.join(lost)}")
        return Result(premises, Outcome.DONE)

    def _to_ring(self, order: Order, premises: str) -> list[str]:
        """The causes to ring for. A press that crossed its stand-down has a cause that is over here, but to the hub it
        is another incident: then that is the cause."""
        loud = [key for key in dict.fromkeys(order.keys) if key not in self._ringing.hushed]
        keys = [key for key in loud if not self._ringing.is_over(key, premises)]
        return keys or ([order.incident] if order.incident else order.keys or [order.id])

    def _silence(self, order: Order, premises: str) -> Result:
        rang = self._ringing.silence(_causes(order), premises)
        return Result(premises, Outcome.DONE, "" if rang else "nothing was sounding")

    def _stand_down(self, order: Order, premises: str) -> Result:
        """The incident is over here: silence, dark lamps, and the next press is a new cause."""
        keys = set(_causes(order))
        self._ringing.stand_down(keys, premises)
        standing, newer = [], self._newer(keys)
        for zone, key in list(self._zones.latched.items()):
            if self._zones.wires[zone].zone.premises == premises and (not keys or key in keys) and zone not in newer:
                if self._zones.wires[zone].condition is Condition.NORMAL:
                    self._alarms.unlatch(zone)
                else:
                    self._zones.unlatch_later(zone)
                    self._lamps.dark(zone)
                    standing.append(zone)
        self._scribe.part(keys, premises)
        said = [f"still in alarm: {', '.join(standing)}"] if standing else []
        return Result(premises, Outcome.DONE, "; ".join([*said, *self._pressed_again(newer, premises)])[:TEXT_MAX])

    def _newer(self, keys: Collection[str] = ()) -> set[str]:
        """Zones set off after the order was given, and buttons whose last press the hub does not have: order and press
        crossed on the way, so it does not speak of them. Where the order names a cause, its first record is there."""
        later = {zone for zone, at_ns in self._zones.latched_ns.items() if at_ns > self._issued_ns}
        buttons = (zone for zone in self._zones.latched if self._zones.wires[zone].zone.kind in PRESSES)
        first = {zone for zone, key in self._zones.latched.items() if key in keys and zone not in self._awaited.again}
        return (later | {zone for zone in buttons if zone in self._awaited}) - first

    def _pressed_again(self, newer: set[str], premises: str) -> list[str]:
        mine = sorted(zone for zone in newer if self._zones.wires[zone].zone.premises == premises)
        return [f"pressed again since: {', '.join(mine)}"] if mine else []

    def _coming(self, order: Order, premises: str) -> Result:
        calling = sorted(self._zones.latched.keys() - self._zones.unlatching)
        shown = [zone for zone in calling if not order.keys or self._zones.latched[zone] in order.keys]
        mine = [zone for zone in shown if self._zones.wires[zone].zone.premises == premises]
        for zone in mine:
            if not NATURES[self._zones.wires[zone].zone.kind].silent:
                self._lamps.coming(zone)
        return Result(premises, Outcome.DONE, "" if mine else "nobody is calling here")

    def _arm(self, order: Order, premises: str) -> Result:
        if order.mode is None:
            return Result(premises, Outcome.REFUSED, "no mode; allowed: armed_home, armed_away")
        armed = self._keypad.arm(premises, Mode(order.mode), "hub", order.force)
        if armed.refused:
            return Result(premises, Outcome.REFUSED, "; ".join(armed.refused)[:TEXT_MAX])
        said = f"left out: {'; '.join(armed.left_out)}" if armed.left_out else ""
        return Result(premises, Outcome.DONE, said[:TEXT_MAX])

    def _disarm(self, order: Order, premises: str) -> Result:
        self._keypad.disarm(premises, "hub")
        return Result(premises, Outcome.DONE)

    def _reset(self, order: Order, premises: str) -> Result:
        """Clear latches whose wire is well; what is still in alarm, or cannot be seen, stays. A zone that is named and
        left out is taken in again."""
        newer = self._newer(set(_causes(order)))
        standing, cleared = self._pressed_again(newer, premises), self._taken_in(order, premises)
        for zone in [zone for zone in self._zones.latched if zone not in newer]:
            wire = self._zones.wires[zone]
            if wire.zone.premises == premises and order.zone in (None, zone):
                if wire.condition is Condition.NORMAL:
                    self._alarms.unlatch(zone)
                    cleared.append(zone)
                else:
                    standing.append(f"zone {zone} is still {wire.condition}")
        if cleared:
            detail = {"zones": listed(cleared)}
            key, now_ns = self._scribe.new_key(), self._scribe.now.mono_ns
            self._scribe.emit(Kind.RESET, Qualifier.NEW, key, now_ns, Where(premises, detail=detail))
        if standing:
            return Result(premises, Outcome.REFUSED, "; ".join(standing)[:TEXT_MAX])
        return Result(premises, Outcome.DONE, "" if cleared else "nothing was latched")

    def _taken_in(self, order: Order, premises: str) -> list[str]:
        zone = order.zone
        if zone is None or zone not in self._bypasses or self._zones.wires[zone].zone.premises != premises:
            return []
        self._alarms.quiet_over(zone, self._scribe.now.mono_ns)
        return [zone]

    def _bypass(self, order: Order, premises: str) -> Result:
        wire = self._zones.wires.get(order.zone or "")
        if wire is None or wire.zone.premises != premises:
            return Result(premises, Outcome.REFUSED, f"zone {order.zone}: not a zone of these premises")
        if wire.zone.kind in NEVER or NATURES[wire.zone.kind].raises is None:
            return Result(premises, Outcome.REFUSED, f"zone {order.zone}: a {wire.zone.kind} zone is never bypassed")
        if wire.zone.id not in self._bypasses:
            self._bypasses.add(wire.zone, Why.ORDERED, self._scribe.now.mono_ns)
        return Result(premises, Outcome.DONE)

    def _test(self, order: Order, premises: str) -> Result:
        """A test record proves the way to the hub; with a duration the sirens of the premises sound, shortly."""
        key, now_ns = self._scribe.new_key(), self._scribe.now.mono_ns
        self._scribe.emit(Kind.TEST, Qualifier.NEW, key, now_ns, Where(premises), order.drill)
        if order.duration_ms:
            return self._rang(self._ringing.ring((key,), premises, min(order.duration_ms, TEST_SIREN_MS)), premises)
        return Result(premises, Outcome.DONE)


def _causes(order: Order) -> Iterable[str]:
    """What an order speaks of: its keys, and the incident that may have been rung for in their stead."""
    return [*order.keys, order.incident] if order.incident else order.keys
