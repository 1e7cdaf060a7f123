"""A hub that has worked for a while: seeded days in a village, in a journal as a hub writes it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hub.core.acts import Answer, Answered, Disposition, How, Move
from hub.core.defaults import Defaults
from hub.core.desk import RULES_VERSION
from hub.core.effects import Effect
from hub.core.incident import UNRESOLVED, Incident, State
from hub.core.io import Input
from hub.core.registry import Registry
from hub.journal import Draft, Journal
from protocol.kinds import Kind, Qualifier
from protocol.messages import Action, Outcome
from tests.support.desk import AREA, DEFAULTS, HENGJIE, MIN, REGISTRY, DeskAtWork, H, S, sends

DAY = 24 * H
START_MS = 1_790_524_800_000
"""A local midnight at Shanghai, 2026-09-28, a Monday."""
NVR = {"works-nvr": Kind.NVR_OFFLINE, "works-nvr-disk": Kind.NVR_DISK, "works-nvr-recording": Kind.RECORDING_STALE}
_DECODER: msgspec.json.Decoder[Input] = msgspec.json.Decoder(Input)
CAUSES = ("child", "pressed_by_mistake", "wind_or_weather", "pet_or_animal", "sensor_fault", "unknown")


class Village(DeskAtWork):
    """The demo village at its work. `done` keeps each effect with when it was asked for (hub wall ms)."""

    def __init__(self, seed: int, registry: Registry = REGISTRY, start_ms: int = START_MS) -> None:
        super().__init__(registry, start_ms)
        self.chance = random.Random(seed)
        self.done: list[tuple[int, Effect]] = []

    def take(self, item: Input, at: int | None = None) -> list[Effect]:
        """As the desk at work, and kept with its time."""
        effects = super().take(item, at)
        self.done += [(self.start_ms + self.now, effect) for effect in effects]
        return effects

    def days(self, count: int, per_day: int = 8) -> None:
        """So many days, from now on, with about so many happenings each."""
        until = self.now + count * DAY
        while True:
            at = self.now + round(self.chance.expovariate(per_day / DAY))
            if at >= until:
                self._until(until)
                return
            self._until(at)
            self.chance.choices(
                (self._press, self._break_in, self._fault, self._recorder, self._silence, self._duress),
                (5, 4, 4, 2, 2, 1),
            )[0]()
            for incident in self.desk.incidents(AREA, UNRESOLVED | {State.RESOLVED}):
                if self.chance.random() < 0.6:
                    self._work(incident)

    def _until(self, at: int) -> None:
        self.wait(max(at, self.now))

    def _press(self) -> None:
        effects = self.press(f"h{self.chance.randint(1, 20):02d}", self.now)
        for order in sends(effects, Action.SIREN):
            self._until(self.now + self.chance.randint(S, 5 * S))
            outcome = Outcome.DONE if self.chance.random() < 0.8 else Outcome.FAILED
            self.reply(order, outcome, self.now)
        newest = max(self.desk.incidents(AREA, UNRESOLVED), key=lambda one: (one.raised_ms, one.id))
        others = [p for p in newest.calls if p not in newest.premises]
        if others and self.chance.random() < 0.7:
            self._until(self.now + self.chance.randint(5 * S, 4 * MIN))
            if self.now_of(newest).state in UNRESOLVED:
                self.take(
                    Answered(AREA, newest.id, self.chance.choice(others), Answer.GOING, How.LINK, turn=0), self.now
                )

    def _break_in(self) -> None:
        self.happen(Kind.INTRUSION, self.chance.choice(["h03-door", "h07-door", "h12-door", "works-window"]), self.now)

    def _fault(self) -> None:
        kind = self.chance.choice([Kind.ZONE_FAULT, Kind.TAMPER, Kind.BATTERY_LOW])
        self.happen(kind, self.chance.choice(["h03-tamper", "h12-door", "works-tamper"]), self.now)

    def _duress(self) -> None:
        self.happen(Kind.DURESS, "h09", self.now)

    def _recorder(self) -> None:
        zone = self.chance.choice(sorted(NVR))
        self.happen(NVR[zone], zone, self.now)
        if self.chance.random() < 0.7:
            self._until(self.now + self.chance.randint(5 * MIN, 10 * H))
            self.happen(NVR[zone], zone, self.now, qualifier=Qualifier.RESTORE)

    def _silence(self) -> None:
        gateway = self.chance.choice(["gw-east", "gw-west", "gw-works"])
        self.link(gateway, False, self.now, heard=max(0, self.now - MIN))
        if self.chance.random() < 0.9:
            self._until(self.now + self.chance.randint(2 * MIN, 5 * H))
            self.link(gateway, True, self.now)

    def _work(self, incident: Incident) -> None:
        self._until(self.now + self.chance.randint(S, 8 * MIN))
        now = self.now_of(incident)
        if now.state is State.REPORTED:
            self.move(now, Move.ACCEPT)
        elif now.state in UNRESOLVED:
            ended = self.chance.choice(list(Disposition))
            cause = self.chance.choice(CAUSES) if ended is Disposition.FALSE_ALARM else None
            self.move(now, Move.RESOLVE, disposition=ended, false_cause=cause)
        elif now.state is State.RESOLVED:
            self.move(now, self.chance.choice([Move.REVIEW, Move.REVIEW, Move.SEND_BACK]), by="susi")


def kept(
    folder: Path,
    work: DeskAtWork,
    watched: Iterable[tuple[int, int]] | None = None,
    defaults: Defaults = DEFAULTS,
    registry: Path = HENGJIE,
    more: str = "",
) -> Path:
    """A hub's folder with what that desk took in its journal, and when the hub was on watch (all of it unless said).
    Gives the configuration."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    config = folder / "hub.toml"
    config.write_text(f'[hub]\nid = "hub-1"\ndata_dir = "data"\nregistry = "{registry}"\n{more}\n', encoding="utf-8")
    spells = [(work.start_ms, work.start_ms + work.now)] if watched is None else list(watched)
    url = f"sqlite:///{folder / 'data' / 'journal.db'}"
    with Journal(url, config=work.desk.config_digest, rules=RULES_VERSION) as journal:
        inputs = [(at_ms, _DECODER.decode(body)) for at_ms, body in work.journal]
        drafts = [Draft(taken.area, at_ms, taken) for at_ms, taken in inputs]
        for at in range(0, len(drafts), 500):
            journal.append(drafts[at : at + 500])
        for began_ms, until_ms in spells:
            journal.on_watch(began_ms, until_ms, 0)
    return config
