"""What the steps of a scenario do to the village of virtual time, each verb by a method of its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from edge.port import Value
from hub.core.acts import Answered, How
from hub.core.instruction import Instructed
from hub.core.io import Input
from hub.core.plan import Levelled
from hub.core.trials import DrillMove, DrillMoved, DrillPlanned
from hub.inbox import Item
from protocol.kinds import Kind
from protocol.messages import Action
from protocol.records import Condition
from simulators.plant import raw
from simulators.scenario import DrillAct, HouseOrder, LevelSet, NeighbourAnswer, OperatorMove, Rehoused, Step
from simulators.scenes.holds import InService, OutOfService, Shelf, Unshelf
from simulators.scenes.moving import moved, newest_of, rehoused
from simulators.scenes.onlooker import Bystanders, Onlooker
from simulators.scenes.places import BROKER, HUB, places
from simulators.world.story import Noise, Profile, Story
from simulators.world.village import AREA
from simulators.world.world import World

SEED = 1
JUDGED_MS = 2_000
"""By when an order has been answered, by way of the hub and the network."""
ACTIONS = {
    "arm_home": Action.ARM, "arm_away": Action.ARM, "disarm": Action.DISARM, "reset": Action.RESET,
    "bypass": Action.BYPASS, "test": Action.TEST, "silence": Action.SILENCE,
}  # fmt: skip

MODES: dict[str, Literal["armed_home", "armed_away"]] = {"arm_home": "armed_home", "arm_away": "armed_away"}


class Acting(World):
    """The example village with everybody's hands on it. `trouble` is what could not be done, or was done otherwise."""

    def __init__(self, noise: Noise) -> None:
        self.names = places()
        super().__init__(Story(SEED, 0.0, Profile.CALM, noise, ()), self.names.village)
        self.trouble: list[str] = []
        self.onlooker = self.witness = Onlooker(self)
        self.people = Bystanders(self)
        self._orders = self._drills = 0
        for zone in self.names.zones:
            self._put(zone, Condition.NORMAL)
        for machine in self.machines.values():
            for output in machine.site.outputs:  # a board that only switches answers its looks too
                device, _, point = output.target.partition("/")
                machine.values[device].setdefault(point, False)

    def _step(self, step: Step) -> None:
        """Each verb has a method of its name."""
        verb = step.verb
        getattr(self, f"_do_{verb}")(step, getattr(step, verb))

    def _put(self, zone: str, condition: Condition) -> None:
        found = self.names.zones[zone]
        self._set(f"{self.names.gateway_of(zone)}/{found.source}", raw(found, condition))

    def _set(self, point: str, value: Value) -> None:
        gateway, device, name = point.split("/")
        self.machines[gateway].put(device, name, value)

    def _do_trip(self, step: Step, zone: str) -> None:
        self._put(zone, Condition.ALARM)

    def _do_restore(self, step: Step, zone: str) -> None:
        self._put(zone, Condition.NORMAL)

    def _do_tamper(self, step: Step, zone: str) -> None:
        bands = not self.names.zones[zone].kind.value.endswith("tamper")
        self._put(zone, Condition.TAMPER if bands else Condition.ALARM)

    def _do_press(self, step: Step, zone: str) -> None:
        self._put(zone, Condition.ALARM)
        self.loop.after(step.hold_s * 1000, self._put, zone, Condition.NORMAL)

    def _do_flap(self, step: Step, zone: str) -> None:
        for at in range(step.times):
            self.loop.after(at * step.every_s * 1000, self._put, zone, Condition.ALARM)
            self.loop.after((at + 0.5) * step.every_s * 1000, self._put, zone, Condition.NORMAL)

    def _do_value(self, step: Step, value: object) -> None:
        assert step.value is not None
        self._set(step.value.point, step.value.to)

    def _do_silence(self, step: Step, device: str) -> None:
        gateway, _, name = device.partition("/")
        self.machines[gateway].kill_bus(name)

    def _do_heal(self, step: Step, device: str) -> None:
        gateway, _, name = device.partition("/")
        self.machines[gateway].heal_bus(name)

    def _do_kill(self, step: Step, process: str) -> None:
        if process == BROKER:
            self.net.kill(amnesia=False)
        elif process != HUB:
            self.machines[process].kill()
        elif self.hub is not None:
            hub, self.hub = self.hub, None
            hub.die()

    def _do_start(self, step: Step, process: str) -> None:
        if process == BROKER:
            self.net.start()
        elif process != HUB:
            self.machines[process].start()
        elif self.hub is None:
            self._start_hub()

    def _do_power(self, step: Step, gateway: str) -> None:
        machine = self.machines[gateway]
        machine.kill()
        machine.card.power_cut()
        machine.boot_kernel()

    def _do_cut(self, step: Step, site: str) -> None:
        self._cuts[site] = 1
        self.net.cut(site, up=True, down=True)

    def _do_mend(self, step: Step, site: str) -> None:
        self._uncut(site)

    def _do_clock(self, step: Step, turn: object) -> None:
        assert step.clock is not None
        machine, to = self.machines[step.clock.gateway], step.clock.to
        if to == "right":
            machine.set_clock()
        elif to == "unset":
            machine.unset_clock()
        else:
            machine.step_clock(1000 * int(to))

    def _do_journal(self, step: Step, how: str) -> None:
        self.book.down = how == "fails"
        if how == "well":
            self.journal_well_ms = self.loop.now_ms

    def _do_rehouse(self, step: Step, moving: Rehoused) -> None:
        self.village = replace(self.village, registry=rehoused(self.village.registry, moving))
        if moving.live and self.hub is not None:
            self.hub.adopt(self.village.registry)

    def _do_drill(self, step: Step, asked: DrillAct) -> None:
        taken: DrillPlanned | DrillMoved
        if asked.do == "plan":
            self._drills += 1
            at_ms = None if asked.in_s is None else self.true_ms() + int(asked.in_s * 1000)
            where = {"premises": asked.premises, "groups": asked.groups}
            more: dict[str, Any] = {"at_ms": at_ms, "lasts_ms": asked.lasts_s * 1000, **where}
            taken = DrillPlanned(AREA, f"drill-{self._drills}", Kind(asked.kind), "supervisor", "0" * 64, **more)
        else:
            taken = DrillMoved(AREA, f"drill-{self._drills}", DrillMove(asked.do), "supervisor", "0" * 64)
        self._hand(step, taken, asked.refused)

    def _do_level(self, step: Step, asked: LevelSet) -> None:
        until_ms = self.true_ms() + int(asked.for_s * 1000)
        self._hand(step, Levelled(AREA, asked.to, "supervisor", "0" * 64, until_ms=until_ms))

    def _do_answer(self, step: Step, asked: NeighbourAnswer) -> None:
        newest = newest_of(self.hub.desk.incidents(), asked.rule) if self.hub is not None else None
        if newest is None:
            self.trouble.append(f"{step.told()} at {step.at_s:g} s: there is no {asked.rule} incident")
        else:
            self._hand(step, Answered(AREA, newest.id, asked.premises, asked.say, How.PHONE, "operator"))

    def _do_shelve(self, step: Step, asked: Shelf) -> None:
        self._hand(step, asked.asked(self.true_ms()), asked.refused)

    def _do_unshelve(self, step: Step, asked: Unshelf) -> None:
        self._hand(step, asked.asked(self.true_ms()), asked.refused)

    def _do_out_of_service(self, step: Step, asked: OutOfService) -> None:
        self._hand(step, asked.asked(self.true_ms()), asked.refused)

    def _do_in_service(self, step: Step, asked: InService) -> None:
        self._hand(step, asked.asked(self.true_ms()), asked.refused)

    def _hand(self, step: Step, taken: Input, due: str | None = None) -> None:
        """To the desk's inbox, as the API hands it over; what is refused is told, unless for the reason that is due."""
        hub, what = self.hub, f"{step.told()} at {step.at_s:g} s"

        def answer(cause: Exception | None) -> None:
            self._refusal(step, due, "" if cause is None else str(cause))

        if hub is None or hub.rounds.down is not None:
            self.trouble.append(f"{what}: the hub takes nothing just now")
        else:
            hub.rounds.inbox.put(Item(taken, hub.clock.now_ms(), hub.clock.exact_ms(), answer=answer))

    def _do_order(self, step: Step, asked: HouseOrder) -> None:
        """As an operator's: through the desk and its journal, signed, over the network, and answered."""
        self._orders += 1
        name = f"scene-{self._orders}"
        mode, why = MODES.get(asked.do), "0" * 64
        self._hand(step, Instructed(AREA, name, asked.premises, ACTIONS[asked.do], "operator", why, mode, asked.zone))
        self.loop.after(JUDGED_MS, self._order_judged, step, name, asked.refused)

    def _order_judged(self, step: Step, name: str, due: str | None) -> None:
        results = self.onlooker.answers.get(name, ())
        reason = "; ".join(r.reason or r.outcome.value for r in results if r.outcome.value in ("refused", "failed"))
        self._refusal(step, due, reason or ("" if results else "no answer"))

    def _do_move(self, step: Step, asked: OperatorMove) -> None:
        result = moved(self.hub.desk.incidents() if self.hub is not None else [], asked)
        if isinstance(result, str):
            self._refusal(step, asked.refused, result)
        else:
            self._refusal(step, asked.refused, "")
            self._hand(step, result)

    def _refusal(self, step: Step, due: str | None, reason: str) -> None:
        if bool(due) != bool(reason) or (due or "") not in reason:
            expected = f"refused for ... {due} ..." if due else "done"
            found = f"refused: {reason}" if reason else "done"
            self.trouble.append(f"{step.told()} at {step.at_s:g} s: expected {expected}, found {found}")
