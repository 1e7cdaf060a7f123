"""Who looks on while a scenario is played: the world's witness, and people who only do what it says."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.effects import Effect, Page
from hub.core.heard import Recorded
from hub.core.load import Flooded
from hub.journal import Draft
from protocol.messages import Result
from simulators.world.people import People
from simulators.world.process import Process
from simulators.world.witness import Witness
from simulators.world.world import World


class Onlooker(Witness):
    """The world's witness, who also keeps what a scenario is judged by."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.pages: list[Page] = []
        self.floods: list[Flooded] = []
        self.records: dict[str, int] = {}
        self.answers: dict[str, Sequence[Result]] = {}

    def performed(self, effect: Effect) -> None:
        """An order or a page left the hub."""
        super().performed(effect)
        if isinstance(effect, Page):
            self.pages.append(effect)

    def flooded(self, flood: Flooded) -> None:
        """A flood of alarms began, or is over."""
        self.floods.append(flood)

    def committed(self, drafts: Sequence[Draft]) -> None:
        """The journal has these."""
        super().committed(drafts)
        for draft in drafts:
            if isinstance(draft.taken, Recorded):
                event = draft.taken.event
                name = event.kind.value if event.qualifier == "new" else f"{event.kind.value} {event.qualifier.value}"
                self.records[name] = self.records.get(name, 0) + 1

    def answered(self, process: Process, name: str, results: Sequence[Result]) -> None:
        """What a gateway made of an order."""
        super().answered(process, name, results)
        self.answers[name] = results


class Bystanders(People):
    """Only the scenario acts here."""

    def saw(self, incident: str) -> None:
        """Nothing follows from looking."""
